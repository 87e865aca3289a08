package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// The platforms it plays.
const (
	feishu   bridge.Platform = "feishu"
	wecom    bridge.Platform = "wecom"
	dingtalk bridge.Platform = "dingtalk"
)

func allPlatforms() []bridge.Platform { return []bridge.Platform{feishu, wecom, dingtalk} }

// Group is a group chat of a simulated company. All employees are in it, and
// so is the bot.
type Group struct{ ID, Name string }

// Groups returns the group chats; each exists on every platform.
func (*Simulator) Groups() []Group {
	return []Group{{ID: "team", Name: "产品组"}, {ID: "lunch", Name: "午饭群"}}
}

// Employees returns the simulated people.
func (s *Simulator) Employees() []bridge.Employee {
	all := slices.Clone(s.people.all)
	for n := range all {
		all[n].Platforms = slices.Clone(all[n].Platforms)
	}
	return all
}

// The kinds of id that a person has.
const (
	byName  = "employee"
	byOpen  = "open_id"
	byUnion = "union_id"
	byUser  = "user_id"
	byP2P   = "p2p"
	byWecom = "wecom"
	byDing  = "dingtalk"
)

// directory finds people by any of their ids.
type directory struct {
	all []bridge.Employee
	by  map[string]int // kind and id
}

func newDirectory(crowd int, platforms []bridge.Platform) directory {
	d := directory{
		all: []bridge.Employee{{ID: "zhang", Name: "张伟"}, {ID: "li", Name: "李娜"}, {ID: "alex", Name: "Alex Chen"}},
		by:  map[string]int{},
	}
	for n := len(d.all); n < crowd; n++ {
		d.all = append(d.all, bridge.Employee{ID: fmt.Sprintf("p%04d", n), Name: fmt.Sprintf("员工 %d", n)})
	}
	for n := range d.all {
		e := &d.all[n]
		e.Platforms = platforms
		for kind, id := range map[string]string{
			byName: e.ID, byOpen: openID(e.ID), byUnion: unionID(e.ID), byUser: feishuUser(e.ID), byP2P: feishuP2P(e.ID),
			byWecom: strings.ToLower(wecomUser(e.ID)), byDing: dingUser(e.ID),
		} {
			d.by[kind+" "+id] = n
		}
	}
	return d
}

func (d directory) find(kind, id string) (bridge.Employee, bool) {
	n, ok := d.by[kind+" "+id]
	if !ok {
		return bridge.Employee{}, false
	}
	return d.all[n], true
}

// Identity returns who an employee is on a platform. On Feishu that is the
// open_id, which is the app's own.
func (*Simulator) Identity(employee string, p bridge.Platform) bridge.Identity {
	switch p {
	case feishu:
		return bridge.Identity{Platform: p, Tenant: feishuTenant, User: bridge.UserID(openID(employee))}
	case wecom:
		return bridge.Identity{Platform: p, Tenant: corpID, User: bridge.UserID(wecomUser(employee))}
	default:
		return bridge.Identity{Platform: p, Tenant: dingCorp, User: bridge.UserID(dingUser(employee))}
	}
}

// Chat returns the id that a group has on a platform; empty on WeCom, where a
// self-built app is in no group.
func (*Simulator) Chat(group string, p bridge.Platform) string {
	switch p {
	case feishu:
		return feishuGroup(group)
	case dingtalk:
		return dingGroup(group)
	default:
		return ""
	}
}

func (s *Simulator) group(match func(id string) bool) (Group, bool) {
	for _, g := range s.Groups() {
		if match(g.ID) {
			return g, true
		}
	}
	return Group{}, false
}

// talk is a chat on a platform: with one employee, or a group.
type talk struct {
	platform        bridge.Platform
	employee, group string
	service         bool // customer service, not the app
}

// members returns on whose screens a chat is.
func (s *Simulator) members(t talk) []string {
	if t.group == "" {
		return []string{t.employee}
	}
	var all []string
	for _, e := range s.people.all {
		all = append(all, e.ID)
	}
	return all
}

// made derives an id from a name; the same in every run, so that stored links
// between accounts stay good.
func made(prefix, name string) string {
	sum := sha256.Sum256([]byte("switchboard demo\x00" + prefix + "\x00" + name))
	return prefix + hex.EncodeToString(sum[:16])
}

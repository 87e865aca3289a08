package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

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
	return []bridge.Employee{
		{ID: "zhang", Name: "张伟", Platforms: slices.Clone(s.opt.Platforms)},
		{ID: "li", Name: "李娜", Platforms: slices.Clone(s.opt.Platforms)},
		{ID: "alex", Name: "Alex Chen", Platforms: slices.Clone(s.opt.Platforms)},
	}
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

// employee returns a person whom match recognises.
func (s *Simulator) employee(match func(id string) bool) (bridge.Employee, bool) {
	for _, e := range s.Employees() {
		if match(e.ID) {
			return e, true
		}
	}
	return bridge.Employee{}, false
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
}

// members returns on whose screens a chat is.
func (s *Simulator) members(t talk) []string {
	if t.group == "" {
		return []string{t.employee}
	}
	var all []string
	for _, e := range s.Employees() {
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

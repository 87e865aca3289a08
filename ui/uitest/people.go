package uitest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// crowd are the people of the office: the second one waits for approval, and
// the third has the e-mail address of the first.
func crowd(lang bridge.Language, now time.Time) []bridge.PersonCard {
	f, w, d := platforms()[0], platforms()[1], platforms()[2]
	names := []string{"Lin Wen", "Chen Yue", "Wen L.", "Zhao Lei", "Priya Nair", "Sam Okafor"}
	if lang == bridge.Chinese {
		names = []string{"林雯", "陈玥", "小雯", "赵磊", "王珺", "孙昇"}
	}
	accounts := [][]bridge.Platform{{f, w}, {w}, {d}, {d, f}, {f}, {f, w, d}}
	roles := []bridge.Role{bridge.RoleAdmin, bridge.RoleNew, bridge.RoleMember, bridge.RoleMember, bridge.RoleGuest, bridge.RoleBlocked}
	var all []bridge.PersonCard
	for i, name := range names {
		c := bridge.PersonCard{PersonRow: bridge.PersonRow{
			Person:   bridge.Person{ID: fmt.Sprintf("p_01kb2%02d", i), Name: name, Role: roles[i], CreatedAt: now.AddDate(0, -2, i)},
			LastSeen: now.Add(-time.Duration(i*i*17+1) * time.Minute),
		}}
		for n, p := range accounts[i] {
			who := bridge.Identity{
				Platform: p, Tenant: "tn_77", User: bridge.UserID(fmt.Sprintf("ou_%d%d5f0c2a9d", i, n)),
				Person: c.Person.ID, Name: name, LinkedAt: now.AddDate(0, -2, i+n),
			}
			c.Identities = append(c.Identities, who)
			c.Accounts = append(c.Accounts, bridge.Account{Identity: who})
		}
		all = append(all, c)
	}
	all[0].Accounts[0].Profile = bridge.Profile{Email: "lin.wen@example.com", Mobile: "13800138000", Department: "HR"}
	all[2].Accounts[0].Profile = bridge.Profile{Email: "Lin.Wen@example.com"}
	all[0].Likely = []bridge.Likeness{{With: all[2].PersonRow, Because: "email"}}
	all[0].History = []bridge.Audit{
		{ID: 7, At: now.AddDate(0, 0, -3), Kind: bridge.AuditRole, By: bridge.Actor{Where: "window"}, Person: all[0].Person.ID, Note: "member to admin", Undoable: true},
		{ID: 3, At: now.AddDate(0, -2, 1), Kind: bridge.AuditMerged, By: bridge.Actor{Who: all[0].Person.ID, Where: "wecom-app"}, Person: all[0].Person.ID, Undoable: true},
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
	all[0].Usage = bridge.PersonUsage{
		ThisMonth: bridge.UsageRow{Questions: 48, Answers: 46, Tokens: 61_320, Prices: []bridge.Price{{Amount: "1.84", Currency: "CNY"}, {Amount: "0.2175", Currency: "USD"}}},
		LastMonth: bridge.UsageRow{Questions: 131, Answers: 130, Tokens: 154_907, Prices: []bridge.Price{{Amount: "5.2", Currency: "CNY"}}},
		Quota:     bridge.Quota{PerDay: 50, Asked: 12, TokensPerDay: 20_000, Tokens: 20_412, Resets: midnight},
	}
	all[1].WaitsSince, all[1].WaitsFor = now.Add(-18*time.Minute), "wecom-app"
	return all
}

// people are those there are now; the lock is held.
func (h *House) people() []bridge.PersonCard {
	if h.crowd == nil && !h.empty {
		h.crowd = crowd(h.Language, h.Now)
	}
	return h.crowd
}

// People implements ui.Backend.
func (h *House) People(_ context.Context, q bridge.PeopleQuery) ([]bridge.PersonRow, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rows []bridge.PersonRow
	for _, c := range h.people() {
		if strings.Contains(c.Person.Name, q.Text) && (q.Role == "" || q.Role == c.Person.Role) && (!q.Waiting || !c.WaitsSince.IsZero()) {
			rows = append(rows, c.PersonRow)
		}
	}
	return rows, h.Fail
}

// Likenesses implements ui.Backend.
func (h *House) Likenesses(context.Context) (bridge.Likenesses, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var l bridge.Likenesses
	for _, d := range h.decided {
		l.Decided = append([]bridge.Decision{d}, l.Decided...)
	}
	for _, one := range h.people() {
		for _, like := range one.Likely {
			i := slices.IndexFunc(h.crowd, func(c bridge.PersonCard) bool { return c.Person.ID == like.With.Person.ID })
			if i < 0 || slices.ContainsFunc(h.decided, func(d bridge.Decision) bool { return d.Audit.Kind == bridge.AuditApart }) {
				continue
			}
			sides := [2]bridge.PersonCard{one, h.crowd[i]}
			for n := range sides {
				sides[n] = bridge.PersonCard{PersonRow: sides[n].PersonRow, Accounts: sides[n].Accounts}
			}
			l.Pairs = append(l.Pairs, bridge.Alike{People: sides, Because: like.Because})
		}
	}
	l.Total = max(len(l.Pairs), h.Alike)
	return l, h.Fail
}

// TellApart implements ui.Backend.
func (h *House) TellApart(_ context.Context, one, other string) error {
	return h.acted("apart "+one+" "+other, func() { h.decide(bridge.AuditApart, one, other) })
}

// decide remembers a decision about two people; the lock is held.
func (h *House) decide(kind bridge.AuditKind, one, other string) {
	d := bridge.Decision{Audit: bridge.Audit{ID: 900 + int64(len(h.decided)), At: h.Now, Kind: kind, By: bridge.Actor{Where: "window"}, Undoable: true}}
	for _, c := range h.people() {
		if c.Person.ID == one {
			d.Names[0] = c.Person.Name
		}
		if c.Person.ID == other {
			d.Names[1] = c.Person.Name
		}
	}
	h.decided = append(h.decided, d)
}

// PersonCard implements ui.Backend.
func (h *House) PersonCard(_ context.Context, person string) (bridge.PersonCard, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.people() {
		if c.Person.ID == person {
			return c, h.Fail
		}
	}
	return bridge.PersonCard{}, &bridge.Error{Kind: bridge.KindNotFound, Op: "house: person"}
}

// MergePeople implements ui.Backend.
func (h *House) MergePeople(_ context.Context, from, into string) error {
	return h.acted("merge "+from+" into "+into, func() {
		h.decide(bridge.AuditMerged, from, into)
		h.crowd = slices.DeleteFunc(h.people(), func(c bridge.PersonCard) bool { return c.Person.ID == from })
	})
}

// UnlinkAccount implements ui.Backend.
func (h *House) UnlinkAccount(_ context.Context, who bridge.Identity) error {
	return h.acted("unlink "+string(who.User), func() {})
}

// RenamePerson implements ui.Backend.
func (h *House) RenamePerson(_ context.Context, person, name string) error {
	return h.acted("rename "+person+" "+name, func() {
		h.change(person, func(c *bridge.PersonCard) { c.Person.Name = name })
	})
}

// GiveRole implements ui.Backend.
func (h *House) GiveRole(_ context.Context, person string, role bridge.Role) error {
	return h.acted("role "+person+" "+string(role), func() {
		h.change(person, func(c *bridge.PersonCard) { c.Person.Role, c.WaitsSince = role, time.Time{} })
	})
}

// UndoAct implements ui.Backend.
func (h *House) UndoAct(_ context.Context, entry int64) error {
	return h.acted(fmt.Sprintf("undo %d", entry), func() {
		h.decided = slices.DeleteFunc(h.decided, func(d bridge.Decision) bool { return d.Audit.ID == entry })
	})
}

func (h *House) change(person string, f func(*bridge.PersonCard)) {
	all := h.people()
	for i := range all {
		if all[i].Person.ID == person {
			f(&all[i])
		}
	}
}

func (h *House) acted(what string, do func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, what)
	if h.Fail == nil {
		do()
	}
	return h.Fail
}

// Acts lists what was done to people.
func (h *House) Acts() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.acts)
}

package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// decided is a person with a role.
func (b *bundle) decided(user string, role bridge.Role) bridge.Person {
	b.Helper()
	p := b.person(identity(user))
	b.ok(b.SetRole(b.Context(), p.ID, role, window()))
	return p
}

func (b *bundle) roleOf(user string) bridge.Role {
	b.Helper()
	return b.person(identity(user)).Role
}

func mergeNewcomer(b *bundle) {
	for _, c := range []struct{ from, into, after bridge.Role }{
		{bridge.RoleMember, bridge.RoleNew, bridge.RoleMember},
		{bridge.RoleBlocked, bridge.RoleNew, bridge.RoleBlocked}, // nobody gets rid of it by this
		{bridge.RoleNew, bridge.RoleNew, bridge.RoleNew},
		{bridge.RoleNew, bridge.RoleGuest, bridge.RoleGuest},
		{bridge.RoleMember, bridge.RoleGuest, bridge.RoleGuest},
	} {
		from, into := string(c.from+c.into)+"-a", string(c.from+c.into)+"-b"
		a, z := b.decided(from, c.from), b.decided(into, c.into)
		b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
		if b.roleOf(from) != c.after || b.roleOf(into) != c.after {
			b.Errorf("%s into %s is %s", c.from, c.into, b.roleOf(into))
		}
		merges, err := b.Audits(b.Context(), bridge.AuditQuery{Kind: bridge.AuditMerged, Limit: 1})
		b.ok(err)
		b.ok(b.Undo(b.Context(), merges[0].ID, window()))
		if b.roleOf(from) != c.from || b.roleOf(into) != c.into {
			b.Errorf("%s and %s again are %s and %s", c.from, c.into, b.roleOf(from), b.roleOf(into))
		}
	}
	a, z := b.decided("a", bridge.RoleMember), b.decided("z", bridge.RoleNew)
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	merges, err := b.Audits(b.Context(), bridge.AuditQuery{Kind: bridge.AuditMerged, Limit: 1})
	b.ok(err)
	b.decided("z", bridge.RoleGuest)
	b.ok(b.Undo(b.Context(), merges[0].ID, window()))
	if b.roleOf("z") != bridge.RoleGuest {
		b.Errorf("taking back a merge took back what was decided after it: %s", b.roleOf("z"))
	}
}

// mergedHistory: what happened to somebody is told of whoever they are part of,
// and cannot be taken back while they are.
func mergedHistory(b *bundle) {
	a, y, z := b.decided("a", bridge.RoleMember), b.person(identity("y")), b.person(identity("z"))
	history := func(p bridge.Person) []bridge.Audit {
		b.Helper()
		all, err := b.Audits(b.Context(), bridge.AuditQuery{Person: p.ID})
		b.ok(err)
		return all
	}
	role := history(a)[0]
	b.ok(b.Merge(b.Context(), a.ID, y.ID, window()))
	first := history(y)[0]
	b.ok(b.Merge(b.Context(), y.ID, z.ID, window()))
	all := history(z)
	if len(all) != 3 || all[0].Kind != bridge.AuditMerged || all[1].ID != first.ID || all[2].ID != role.ID || !all[0].Undoable || all[1].Undoable || all[2].Undoable {
		b.Errorf("history %+v", all)
	}
	for _, id := range []int64{first.ID, role.ID} {
		if err := b.Undo(b.Context(), id, window()); bridge.KindOf(err) != bridge.KindInvalid {
			b.Errorf("taken back of somebody who is part of somebody else: %v", err)
		}
	}
	b.ok(b.Undo(b.Context(), all[0].ID, window()))
	b.ok(b.Undo(b.Context(), first.ID, window()))
	if got := history(a); len(got) != 1 || !got[0].Undoable || len(history(z)) != 2 {
		b.Errorf("apart again: %+v, %+v", got, history(z))
	}
}

func newcomers(b *bundle) {
	begun := time.Now()
	y, a, z := b.waits("y", "bot-y"), b.waits("a", "bot-a"), b.waits("z", "bot-a")
	b.waits("y", "bot-a")
	b.decided("n", bridge.RoleNew) // asked nobody
	want := []bridge.Newcomer{{Person: y, Bot: "bot-y", Since: begun.Add(time.Minute)}, {Person: a, Bot: "bot-a", Since: begun.Add(2 * time.Minute)}}
	for i := range want {
		want[i].Person.Role = bridge.RoleNew
	}
	b.ok(b.SetRole(b.Context(), z.ID, bridge.RoleMember, window()))
	got, err := b.Newcomers(b.Context())
	b.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	b.ok(b.SetRole(b.Context(), y.ID, bridge.RoleBlocked, window()))
	if got, err := b.Newcomers(b.Context()); err != nil || len(got) != 0 {
		b.Errorf("still waiting: %+v %v", got, err)
	}
}

// waits is somebody who asked a bot and waits for a decision.
func (b *bundle) waits(user, bot string) bridge.Person {
	b.Helper()
	p := b.decided(user, bridge.RoleNew)
	pass(time.Minute)
	b.ok(b.Audit(b.Context(), bridge.Audit{Kind: bridge.AuditApproval, By: bridge.Actor{Who: p.ID, Where: bot}, Person: p.ID}))
	return p
}

// await wants these people to wait, in both lists, and the bots they asked first.
func (b *bundle) await(want map[string]string) {
	b.Helper()
	newcomers, people := map[string]string{}, map[string]string{}
	all, err := b.Newcomers(b.Context())
	b.ok(err)
	for _, n := range all {
		newcomers[n.Person.ID] = n.Bot
	}
	rows, err := b.People(b.Context(), bridge.PeopleQuery{Waiting: true})
	b.ok(err)
	for _, r := range rows {
		people[r.Person.ID] = r.WaitsFor
	}
	if diff := cmp.Diff(want, newcomers) + cmp.Diff(want, people); diff != "" {
		b.Error(diff)
	}
}

// waitTogether: who waits goes on waiting as part of somebody else about whom nobody
// has decided, since the first of them asked; apart again, each waits for oneself.
func waitTogether(b *bundle) {
	a, z, quiet := b.waits("a", "bot-a"), b.waits("z", "bot-z"), b.decided("n", bridge.RoleNew)
	b.ok(b.Merge(b.Context(), z.ID, a.ID, window()))
	b.await(map[string]string{a.ID: "bot-a"})
	b.ok(b.Merge(b.Context(), a.ID, quiet.ID, window())) // who asked nobody, and waits now
	b.await(map[string]string{quiet.ID: "bot-a"})
	b.ok(b.SetRole(b.Context(), quiet.ID, bridge.RoleMember, window()))
	b.await(map[string]string{})
	for _, user := range []string{"a", "z", "n"} {
		if got := b.roleOf(user); got != bridge.RoleMember {
			b.Errorf("%s is admitted as %s", user, got)
		}
	}
	b.undoLast(quiet.ID)
	merges, err := b.Audits(b.Context(), bridge.AuditQuery{Kind: bridge.AuditMerged})
	b.ok(err)
	for _, m := range merges {
		b.ok(b.Undo(b.Context(), m.ID, window()))
	}
	b.await(map[string]string{a.ID: "bot-a", z.ID: "bot-z"})
}

func auditSince(b *bundle) {
	var begun time.Time
	for n := range 3 {
		if n == 1 {
			begun = time.Now()
		}
		b.ok(b.Audit(b.Context(), bridge.Audit{Kind: bridge.AuditAsked, Person: "p"}))
		pass(time.Hour)
	}
	for since, want := range map[time.Time]int{{}: 3, begun: 2, begun.Add(time.Microsecond): 1, time.Now(): 0} {
		if got, err := b.Audits(b.Context(), bridge.AuditQuery{Since: since}); err != nil || len(got) != want {
			b.Errorf("since %v: %d, want %d, %v", since, len(got), want, err)
		}
	}
}

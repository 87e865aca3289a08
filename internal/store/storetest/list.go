package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func listChecks() []check {
	return []check{
		{"people, the last one seen first", peopleList},
		{"paging through people", peoplePages},
		{"finding people", peopleSearch},
		{"people who wait", peopleWaiting},
	}
}

func (b *bundle) listed(q bridge.PeopleQuery) []bridge.PersonRow {
	b.Helper()
	rows, err := b.People(b.Context(), q)
	b.ok(err)
	return rows
}

func personNames(rows []bridge.PersonRow) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Person.Name)
	}
	return all
}

func called(platform, user, name string) bridge.Identity {
	return bridge.Identity{Platform: bridge.Platform(platform), Tenant: "tenant-1", User: bridge.UserID(user), Name: name}
}

func peopleList(b *bundle) {
	if rows := b.listed(bridge.PeopleQuery{}); len(rows) != 0 {
		b.Errorf("out of nothing: %+v", rows)
	}
	ann := b.person(called("one", "a", "Ann"))
	pass(time.Minute)
	ben := b.person(called("one", "b", "Ben"))
	pass(time.Minute)
	twin := b.person(called("two", "a2", "Ann B."))
	b.ok(b.Merge(b.Context(), twin.ID, ann.ID, bridge.Actor{}))
	pass(time.Minute)
	b.acceptJobs(from(lane(ann), "a1", "bot-a", "one"), inGroup("g1", "Sales"))
	rows := b.listed(bridge.PeopleQuery{})
	if diff := cmp.Diff([]string{"Ann", "Ben"}, personNames(rows)); diff != "" {
		b.Fatal(diff)
	}
	if got := rows[0]; len(got.Identities) != 2 || got.Identities[0].User != "a" || got.Identities[1].User != "a2" || time.Since(got.LastSeen) > time.Second {
		b.Errorf("Ann: %+v", got)
	}
	want := bridge.PersonRow{Person: ben, LastSeen: ben.CreatedAt, Identities: rows[1].Identities}
	if diff := cmp.Diff(want, rows[1]); diff != "" {
		b.Error(diff)
	}
	if got := personNames(b.listed(bridge.PeopleQuery{ID: ben.ID})); !cmp.Equal(got, []string{"Ben"}) {
		b.Errorf("by id %q", got)
	}
	if got := b.listed(bridge.PeopleQuery{ID: twin.ID}); len(got) != 0 {
		b.Errorf("somebody who was merged is listed: %+v", got)
	}
}

func peoplePages(b *bundle) {
	want := map[string]bool{}
	for n := range 23 {
		b.person(called("one", id(n), id(n))) // at the same moment, as far as the clock tells
		want[id(n)] = true
	}
	q := bridge.PeopleQuery{Limit: 5}
	for pages := 0; ; pages++ {
		rows := b.listed(q)
		if len(rows) == 0 || pages > 9 {
			break
		}
		for _, r := range rows {
			if !want[r.Person.Name] {
				b.Errorf("%s came twice", r.Person.Name)
			}
			delete(want, r.Person.Name)
		}
		q.After = &rows[len(rows)-1]
	}
	if len(want) != 0 {
		b.Errorf("left out %v", want)
	}
}

func peopleSearch(b *bundle) {
	b.person(called("one", "ou_123", "Ann"))
	zhang := called("two", "zhang.wei", "张伟")
	boss := b.person(zhang)
	b.ok(b.SetRole(b.Context(), boss.ID, bridge.RoleAdmin, bridge.Actor{}))
	b.ok(b.SaveProfile(b.Context(), zhang, bridge.Profile{Email: "Wei@Example.com", Mobile: "13800138000", Department: "财务部"}, time.Now()))
	for text, want := range map[string][]string{
		"ANN": {"Ann"}, "伟": {"张伟"}, "OU_1": {"Ann"}, "wei@example": {"张伟"}, "0138": {"张伟"}, "财务": {"张伟"},
		"zhang%": nil, "_": {"Ann"}, "nobody": nil, boss.ID: {"张伟"},
	} {
		if diff := cmp.Diff(want, personNames(b.listed(bridge.PeopleQuery{Text: text}))); diff != "" {
			b.Errorf("%q: %s", text, diff)
		}
	}
	if got := personNames(b.listed(bridge.PeopleQuery{Role: bridge.RoleAdmin})); !cmp.Equal(got, []string{"张伟"}) {
		b.Errorf("admins %q", got)
	}
}

func peopleWaiting(b *bundle) {
	ann := b.person(called("one", "a", "Ann"))
	b.person(called("one", "b", "Ben"))
	b.ok(b.SetRole(b.Context(), ann.ID, bridge.RoleNew, bridge.Actor{}))
	if got := b.listed(bridge.PeopleQuery{Waiting: true}); len(got) != 0 {
		b.Errorf("nobody asked, but %q wait", personNames(got))
	}
	since := time.Now().Truncate(time.Microsecond)
	for range 2 {
		b.ok(b.Audit(b.Context(), bridge.Audit{Kind: bridge.AuditApproval, Person: ann.ID, By: bridge.Actor{Who: ann.ID, Where: "bot-a"}}))
		pass(time.Hour)
	}
	got := b.listed(bridge.PeopleQuery{Waiting: true})
	if len(got) != 1 || got[0].Person.ID != ann.ID || !got[0].WaitsSince.Equal(since) || got[0].WaitsFor != "bot-a" {
		b.Errorf("waiting: %+v", got)
	}
	b.ok(b.SetRole(b.Context(), ann.ID, bridge.RoleMember, bridge.Actor{}))
	if got := b.listed(bridge.PeopleQuery{Waiting: true}); len(got) != 0 {
		b.Errorf("still waiting: %q", personNames(got))
	}
	if got := b.listed(bridge.PeopleQuery{ID: ann.ID}); !got[0].WaitsSince.IsZero() {
		b.Errorf("decided, but %+v", got[0])
	}
}

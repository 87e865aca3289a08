package router_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// unknownPlaces knows the department Sales of everybody, and can say neither yes nor
// no about all those that are not listed.
func unknownPlaces(surely ...string) func(context.Context, string, bridge.Identity) router.Membership {
	return func(context.Context, string, bridge.Identity) router.Membership {
		unsure := map[string]bool{"Interns": true, "HR": true}
		for _, name := range surely {
			unsure[name] = false
		}
		return router.Membership{Of: []string{"Sales"}, Unsure: func(name string) bool { return unsure[name] }}
	}
}

// TestUnsureRules: as long as nobody can tell where somebody works, a rule that
// refuses a department turns them away, and one that lets a department in does not
// let them in.
func TestUnsureRules(t *testing.T) {
	t.Parallel()
	rules, mistakes := parse(t, `[
		{name: interns, when: {department: [Interns, Boards], keyword: salary}, refuse: Not for interns.},
		{name: personnel, when: {department: HR, keyword: [leave, salary]}, agent: hr},
		{name: sales, when: {department: [HR, Sales], keyword: price}, refuse: true},
		{name: nobody, when: {keyword: secret}, refuse: true}]`)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r, p := setupWith(router.Options{Rules: rules, Departments: unknownPlaces()})
	known, k := setupWith(router.Options{Rules: rules, Departments: unknownPlaces("Interns", "HR")})
	p.role, k.role = bridge.RoleMember, bridge.RoleMember
	for text, want := range map[string]struct {
		refused, ofKnown router.Refusal
		rule             string
		agent            string
	}{
		"my salary": {router.RefusedUnsure, router.RefusedNot, "interns", "help"},
		"leave":     {router.RefusedNot, router.RefusedNot, "", "help"},
		"price":     {router.RefusedNot, router.RefusedNot, "sales", "help"}, // surely one of them
		"secret":    {router.RefusedNot, router.RefusedNot, "nobody", "help"},
		"hello":     {router.RefusedNot, router.RefusedNot, "", "help"},
		"/help":     {router.RefusedNot, router.RefusedNot, "", "help"},
	} {
		m := direct("one", "zhang", text)
		got := route(t, r, m)
		if got.Refused != want.refused || got.Agent != want.agent || text != "/help" && got.Rule != want.rule {
			t.Errorf("%q: refused %q by %q, agent %s", text, got.Refused, got.Rule, got.Agent)
		}
		if got := route(t, known, m); got.Refused != want.ofKnown {
			t.Errorf("%q of somebody known: refused %q", text, got.Refused)
		}
		if e := r.Explain(t.Context(), m, bridge.Person{ID: "p1", Role: bridge.RoleMember}); e.Refused != want.refused {
			t.Errorf("%q: explained as %q", text, e.Refused)
		}
		again := r.Reconsider(t.Context(), m, route(t, r, direct("one", "zhang", "/again")), router.CommandAgain)
		if refused := again.Refused; text != "/help" && refused != want.refused {
			t.Errorf("%q again: refused %q", text, refused)
		}
	}
	e := r.Explain(t.Context(), direct("one", "zhang", "my salary"), bridge.Person{ID: "p1", Role: bridge.RoleMember})
	want := []router.Tried{{Rule: "interns", Reasons: []router.Reason{
		{Condition: router.ByKeyword, Holds: true, Want: "salary"}, {Condition: router.ByDepartment, Unsure: true, Got: "Sales", Want: "Interns, Boards"},
	}}}
	if diff := cmp.Diff(want, e.Tried); diff != "" {
		t.Error(diff)
	}
}

// TestUnsureCircle: nobody is let in who may not be in the department, and they are
// told that it cannot be told.
func TestUnsureCircle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		circle router.Circle
		role   bridge.Role
		want   router.Refusal
	}{
		{router.Circle{Departments: []string{"HR"}}, bridge.RoleMember, router.RefusedUnsure},
		{router.Circle{Departments: []string{"HR"}}, bridge.RoleBlocked, router.RefusedBlocked},
		{router.Circle{Departments: []string{"HR"}}, bridge.RoleAdmin, router.RefusedNot},
		{router.Circle{Departments: []string{"HR", "Sales"}}, bridge.RoleMember, router.RefusedNot},
		{router.Circle{Departments: []string{"Boards"}}, bridge.RoleMember, router.RefusedOutside},
		{router.Circle{Departments: []string{"HR"}, Chats: []string{"c-zhang"}}, bridge.RoleMember, router.RefusedNot},
	} {
		r, p := setupWith(router.Options{Circle: func(string) router.Circle { return c.circle }, Departments: unknownPlaces()})
		p.role = c.role
		for _, text := range []string{"hi", "/help"} {
			if got := route(t, r, direct("one", "zhang", text)).Refused; got != c.want {
				t.Errorf("%+v as %s: %q to %q", c.circle, c.role, got, text)
			}
		}
	}
}

// TestDepartmentsOfOtherBots: nobody is looked up for a rule that is about another
// bot.
func TestDepartmentsOfOtherBots(t *testing.T) {
	t.Parallel()
	rules, mistakes := parse(t, "[{when: {bot: bot-two, department: HR}, agent: hr}]")
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	var asked []string
	r, _ := setupWith(router.Options{Rules: rules, Departments: func(_ context.Context, bot string, _ bridge.Identity) router.Membership {
		asked = append(asked, bot)
		return router.Membership{Of: []string{"HR"}}
	}})
	one, two := job(t, r, direct("one", "zhang", "hi")), job(t, r, direct("two", "zhang", "hi"))
	if one.Queue != "help" || two.Queue != "hr" || len(asked) != 1 {
		t.Errorf("%s and %s, asked for %q", one.Queue, two.Queue, asked)
	}
}

// TestUnsureGroups: a group whose name nobody knows may be the one that a rule is
// about, unless rules call it by its id.
func TestUnsureGroups(t *testing.T) {
	t.Parallel()
	rules, mistakes := parse(t, "[{when: {chat: [Lunch, oc_9]}, refuse: true}, {when: {chat: Sales}, agent: hr}, {when: {chat: oc_8}, refuse: true}]")
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r, p := setupWith(router.Options{Rules: rules})
	p.role = bridge.RoleMember
	for n, c := range []struct {
		chat bridge.Chat
		want router.Refusal
		rule string
	}{
		{bridge.Chat{ID: "oc_1", Kind: bridge.Group}, router.RefusedUnsure, "#1"},
		{bridge.Chat{ID: "oc_9", Kind: bridge.Group}, router.RefusedNot, "#1"},
		{bridge.Chat{ID: "oc_1", Kind: bridge.Group, Title: "Lunch"}, router.RefusedNot, "#1"},
		{bridge.Chat{ID: "oc_1", Kind: bridge.Group, Title: "Sales"}, router.RefusedNot, "#2"},
		{bridge.Chat{ID: "oc_1", Kind: bridge.Group, Title: "HR"}, router.RefusedNot, ""},
		{bridge.Chat{ID: "c-zhang", Kind: bridge.Direct}, router.RefusedNot, ""},
	} {
		m := direct("one", "zhang", "hi")
		m.Chat = c.chat
		if got := route(t, r, m); got.Refused != c.want || got.Rule != c.rule {
			t.Errorf("%d: refused %q by %q", n, got.Refused, got.Rule)
		}
	}
	rules, _ = parse(t, "[{when: {chat: oc_8}, refuse: true}]")
	r.Follow(rules)
	if got := route(t, r, inGroup("oc_1", "zhang")); got.Refused != router.RefusedNot {
		t.Errorf("a group with another id: refused %q", got.Refused)
	}
}

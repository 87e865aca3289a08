package router_test

import (
	"math/rand/v2"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

func TestGroupPolicies(t *testing.T) {
	t.Parallel()
	in := func(policy router.GroupPolicy, user, thread string) bridge.Job {
		r, _ := setupWith(router.Options{Group: func(string) router.GroupPolicy { return policy }})
		m := group(user)
		m.Chat.Thread = thread
		return job(t, r, m)
	}
	for _, c := range []struct {
		policy                     router.GroupPolicy
		members, threads, together bool
	}{
		{router.GroupShared, true, true, true},
		{"", true, true, true},
		{router.GroupPerMember, false, true, false},
		{router.GroupPerThread, true, false, false},
	} {
		if got := in(c.policy, "zhang", "t1").Lane == in(c.policy, "li", "t1").Lane; got != c.members {
			t.Errorf("%q: members share: %v", c.policy, got)
		}
		if got := in(c.policy, "zhang", "t1").Lane == in(c.policy, "zhang", "t2").Lane; got != c.threads {
			t.Errorf("%q: threads share: %v", c.policy, got)
		}
		if got := in(c.policy, "zhang", "t1").Lane == in(c.policy, "li", "t2").Lane; got != c.together {
			t.Errorf("%q: all share: %v", c.policy, got)
		}
	}
	if in(router.GroupPerThread, "zhang", "").Lane != in(router.GroupShared, "li", "").Lane {
		t.Error("outside of threads a group is not shared")
	}
}

// TestLanesNeverCross places random messages of people with awkward names. Two
// messages have the same lane and the same name towards the agent only if they
// may share a conversation.
func TestLanesNeverCross(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 9))
	names := []string{"a", "b", "a:b", "b:a", ":", "%3A", "", "t/a", "张"}
	pick := func() string { return names[rng.IntN(len(names))] }
	policies := map[string]router.GroupPolicy{"bot-one": router.GroupPerMember, "bot-two": router.GroupPerThread, "bot-three": router.GroupShared}
	type placed struct {
		m      bridge.Message
		lane   string
		user   string
		agent  string
		person string
	}
	r, _ := setupWith(router.Options{
		Desk:  "desk",
		Group: func(bot string) router.GroupPolicy { return policies[bot] },
		Rules: []router.Rule{{Prefixes: []string{"hr"}, Then: router.ToAgent{Agent: "hr"}}},
	})
	var all []placed
	for range 3000 {
		m := bridge.Message{
			ID: "m", Bot: []string{"bot-one", "bot-two", "bot-three"}[rng.IntN(3)], Platform: "x", Text: []string{"hi", "/hr hi"}[rng.IntN(2)],
			Chat:   bridge.Chat{ID: pick(), Kind: []bridge.ChatKind{bridge.Direct, bridge.Group}[rng.IntN(2)], Thread: pick()},
			Sender: bridge.Sender{ID: bridge.UserID(pick()), Tenant: "t"},
		}
		j := job(t, r, m)
		got := route(t, r, m)
		all = append(all, placed{m, j.Lane, got.Session.Conversation.User, j.Queue, got.Person.ID})
	}
	may := func(a, b placed) bool {
		if a.agent != b.agent || a.m.Chat.Kind != b.m.Chat.Kind {
			return false
		}
		if a.m.Chat.Kind == bridge.Direct {
			return a.person == b.person
		}
		if a.m.Bot != b.m.Bot || a.m.Chat.ID != b.m.Chat.ID {
			return false
		}
		switch policies[a.m.Bot] {
		case router.GroupPerMember:
			return a.m.Sender.ID == b.m.Sender.ID
		case router.GroupPerThread:
			return a.m.Chat.Thread == b.m.Chat.Thread
		case router.GroupShared:
		}
		return true
	}
	shared := 0
	for i, a := range all {
		for _, b := range all[:i] {
			same := a.lane == b.lane
			if same != may(a, b) {
				t.Fatalf("lanes %q and %q of\n%+v\n%+v", a.lane, b.lane, a.m, b.m)
			}
			if !same && a.user == b.user && a.agent == b.agent {
				t.Fatalf("one name towards the agent for\n%+v\n%+v", a.m, b.m)
			}
			if same {
				shared++
			}
		}
	}
	if shared == 0 {
		t.Error("nobody shared anything")
	}
}

// TestResetEverywhere: /new on one platform counts on all of them and with every
// agent; one in a group is about the group.
func TestResetEverywhere(t *testing.T) {
	t.Parallel()
	r, p := setup()
	p.persons["onetzhang"], p.persons["twotzhang2"], p.persons["threetzhang3"] = "p1", "p1", "p1"
	places := []bridge.Message{direct("one", "zhang", "x"), direct("two", "zhang2", "x"), direct("three", "zhang3", "x"), group("zhang"), direct("one", "li", "x")}
	talk := func(m bridge.Message) string {
		s := route(t, r, m).Session
		if s.Conversation.ID == "" {
			s.Conversation.ID = s.ID
		}
		if _, err := r.Remember(t.Context(), s, m.Platform, true); err != nil {
			t.Fatal(err)
		}
		return s.Conversation.ID
	}
	var before []string
	for _, m := range places {
		before = append(before, talk(m))
	}
	reset := func(m bridge.Message) {
		if err := r.Reset(t.Context(), job(t, r, m), route(t, r, m).Person); err != nil {
			t.Fatal(err)
		}
	}
	reset(places[0])
	for i, goesOn := range []bool{false, false, false, true, true} {
		if got := talk(places[i]) == before[i]; got != goesOn {
			t.Errorf("after /new in %d, %d goes on: %v", 0, i, got)
		}
	}
	before = before[:0]
	for _, m := range places {
		before = append(before, talk(m))
	}
	reset(places[3])
	for i, goesOn := range []bool{true, true, true, false, true} {
		if got := talk(places[i]) == before[i]; got != goesOn {
			t.Errorf("after /new in the group, %d goes on: %v", i, got)
		}
	}
}

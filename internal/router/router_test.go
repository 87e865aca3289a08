package router_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

type people struct {
	mu       sync.Mutex
	persons  map[string]string // identity → person
	sessions map[string]bridge.Session
	closed   map[string]bool
	muted    map[string]time.Time
	role     bridge.Role
	jobs     map[int64]bridge.Job
	asked    map[string][]bridge.Exchange // by lane
}

func (p *people) Job(_ context.Context, id int64) (bridge.Job, error) {
	j, known := p.jobs[id]
	if !known {
		return j, &bridge.Error{Kind: bridge.KindNotFound, Op: "test"}
	}
	return j, nil
}

func (p *people) Exchanges(_ context.Context, lane string, _ int64, _ int) ([]bridge.Exchange, error) {
	return p.asked[lane], nil
}

func (p *people) Awaits(_ context.Context, lane string, _ int64, _ int) (bool, error) {
	return slices.ContainsFunc(p.asked[lane], func(x bridge.Exchange) bool { return x.Reply.Form != nil }), nil
}

func newPeople() *people {
	return &people{persons: map[string]string{}, sessions: map[string]bridge.Session{}, closed: map[string]bool{}, muted: map[string]time.Time{}}
}

func (p *people) PersonOf(_ context.Context, who bridge.Identity) (bridge.Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := fmt.Sprint(who.Platform, who.Tenant, who.User)
	if p.persons[key] == "" {
		p.persons[key] = fmt.Sprintf("p%d", len(p.persons)+1)
	}
	return bridge.Person{ID: p.persons[key], Name: who.Name, Role: p.role}, nil
}

func (p *people) Session(_ context.Context, lane, agent string, since time.Time) (bridge.Session, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		if s.Lane == lane && s.Agent == agent && !p.closed[s.ID] && s.LastActive.After(since) {
			return s, true, nil
		}
	}
	return bridge.Session{}, false, nil
}

func (p *people) SaveSession(_ context.Context, s bridge.Session) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[s.ID] = s
	return nil
}

func (p *people) CloseSessions(_ context.Context, lane string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, s := range p.sessions {
		if s.Lane == lane {
			p.closed[id] = true
		}
	}
	return nil
}

func (p *people) CloseSessionsOf(_ context.Context, person string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, s := range p.sessions {
		if s.Person == person {
			p.closed[id] = true
		}
	}
	return nil
}

func (p *people) MutedUntil(_ context.Context, chat string) (time.Time, error) {
	return p.muted[chat], nil
}

func direct(p bridge.Platform, user, text string) bridge.Message {
	return bridge.Message{
		ID: "m", Bot: "bot-" + string(p), Platform: p, Text: text, Chat: bridge.Chat{ID: "c-" + user, Kind: bridge.Direct},
		Sender: bridge.Sender{ID: bridge.UserID(user), Tenant: "t", Name: "张伟"},
	}
}

func group(user string) bridge.Message {
	m := direct("one", user, "hi")
	m.Chat = bridge.Chat{ID: "room", Kind: bridge.Group}
	return m
}

func setup() (*router.Router, *people) {
	return setupWith(router.Options{})
}

func setupWith(opt router.Options) (*router.Router, *people) {
	p := newPeople()
	agents := map[string]string{"bot-one": "help", "bot-two": "help", "bot-three": "hr"}
	opt.AgentOf = func(bot string) string { return agents[bot] }
	return router.New(p, opt), p
}

func job(t *testing.T, r *router.Router, m bridge.Message) bridge.Job {
	t.Helper()
	queue, lane, err := r.Place(t.Context(), bridge.NewJob{Message: m})
	if err != nil {
		t.Fatal(err)
	}
	return bridge.Job{ID: 1, Message: m, Queue: queue, Lane: lane}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	r, p := setup()
	p.persons["onetzhang"], p.persons["twotzhang2"] = "p1", "p1" // linked
	a, b := job(t, r, direct("one", "zhang", "")), job(t, r, direct("two", "zhang2", ""))
	if a.Lane != b.Lane || a.Queue != "help" {
		t.Errorf("linked identities are in lanes %q and %q", a.Lane, b.Lane)
	}
	if c := job(t, r, direct("one", "li", "")); c.Lane == a.Lane {
		t.Error("two people share a lane")
	}
	if c := job(t, r, direct("three", "zhang", "")); c.Lane == a.Lane || c.Queue != "hr" {
		t.Errorf("another agent has lane %q queue %q", c.Lane, c.Queue)
	}
	g, h := job(t, r, group("zhang")), job(t, r, group("li"))
	if g.Lane != h.Lane || g.Lane == a.Lane {
		t.Errorf("group lanes %q and %q, direct %q", g.Lane, h.Lane, a.Lane)
	}
}

func TestSessionIsContinuedAcrossPlatforms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, p := setup()
		p.persons["onetzhang"], p.persons["twotzhang2"] = "p1", "p1"
		first := route(t, r, direct("one", "zhang", "hello"))
		if first.Session.Conversation.ID != "" || first.Session.Conversation.User == "" {
			t.Errorf("a new session is %+v", first.Session)
		}
		first.Session.Conversation.ID = "conv"
		if _, err := r.Remember(t.Context(), first.Session, "one", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * 24 * time.Hour)
		second := route(t, r, direct("two", "zhang2", "go on"))
		if second.Session.Conversation != (bridge.Conversation{ID: "conv", User: first.Session.Conversation.User}) || second.Session.Messages != 1 {
			t.Errorf("continued as %+v", second.Session)
		}
		if _, err := r.Remember(t.Context(), second.Session, "two", true); err != nil { // the TTL slides
			t.Fatal(err)
		}
		time.Sleep(6 * 24 * time.Hour)
		if third := route(t, r, direct("one", "zhang", "still there?")); third.Session.Conversation.ID != "conv" || third.Session.LastPlatform != "two" {
			t.Errorf("after 12 days with a message between: %+v", third.Session)
		}
		time.Sleep(8 * 24 * time.Hour)
		if fourth := route(t, r, direct("one", "zhang", "hello again")); fourth.Session.Conversation.ID != "" {
			t.Errorf("after the TTL: %+v", fourth.Session)
		}
	})
}

func route(t *testing.T, r *router.Router, m bridge.Message) router.Route {
	t.Helper()
	got, err := r.Route(t.Context(), job(t, r, m))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestResetAndRenew(t *testing.T) {
	t.Parallel()
	r, _ := setup()
	m := direct("one", "zhang", "hello")
	first := route(t, r, m)
	first.Session.Conversation.ID = "conv"
	if _, err := r.Remember(t.Context(), first.Session, "one", true); err != nil {
		t.Fatal(err)
	}
	if got := route(t, r, m); got.Session.Conversation.ID != "conv" {
		t.Fatalf("session %+v", got.Session)
	}
	if err := r.Reset(t.Context(), job(t, r, m), first.Person); err != nil {
		t.Fatal(err)
	}
	if got := route(t, r, m); got.Session.Conversation.ID != "" || got.Session.ID == first.Session.ID {
		t.Errorf("after a reset: %+v", got.Session)
	}
}

func TestAgentUserHasNoPersonalData(t *testing.T) {
	t.Parallel()
	r, _ := setup()
	direct, grouped := route(t, r, direct("one", "zhang", "x")), route(t, r, group("zhang"))
	for _, user := range []string{direct.Session.Conversation.User, grouped.Session.Conversation.User} {
		if len(user) > 255 || user == "" || strings.Contains(user, "zhang") || strings.Contains(user, "张伟") || strings.Contains(user, "room") {
			t.Errorf("agent user %q", user)
		}
	}
	if direct.Session.Conversation.User == grouped.Session.Conversation.User {
		t.Error("a group shares its asker's private conversations")
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	r, _ := setup()
	for text, want := range map[string]bridge.Language{"你好": bridge.Chinese, "hello": bridge.English, "123": bridge.English} {
		if got := route(t, r, direct("one", "zhang", text)).Language; got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
}

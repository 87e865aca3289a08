package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/engine"
	"switchboard/internal/inbox"
	"switchboard/internal/people"
	"switchboard/internal/reply"
	"switchboard/internal/router"
	"switchboard/internal/store"
)

// house is everything between two platforms and two agents, on a real database.
// Bots are called after their platforms: "one" and "two" answer with the agent
// help, "three" with the agent hr.
type house struct {
	*testing.T

	store  *store.Store
	disk   engine.Store // if set, what the engine takes for the store
	broken atomic.Bool  // no bot is open
	chats  map[string]*bridgetest.Chat
	agents map[string]*bridgetest.Agent
	// stops are the runs that agents were told to stop.
	stops  []bridge.Run
	mu     sync.Mutex
	inbox  *inbox.Inbox
	route  router.Options
	opt    engine.Options
	said   int
	engine *engine.Engine
	// limits, if set, changes what the bots can show.
	limits func(*bridge.Capabilities)
	// botOf and agentOf, if set, give a bot or an agent further abilities.
	botOf   func(bridge.Bot) bridge.Bot
	agentOf func(bridge.Agent) bridge.Agent
}

// chatty is an agent that says to anything its own name, the question and the
// number of questions in the conversation.
func chatty(name string) *bridgetest.Agent {
	counts := map[string]int{}
	var mu sync.Mutex
	return &bridgetest.Agent{Answer: func(n int, q bridge.Question) []any {
		mu.Lock()
		defer mu.Unlock()
		id := q.Conversation.ID
		if id == "" {
			id = fmt.Sprintf("%s-%d", name, n)
		}
		counts[id]++
		return []any{
			bridge.Started{Conversation: bridge.Conversation{ID: id}, Run: bridge.Run{Task: fmt.Sprintf("t%d", n)}},
			bridge.TextAdded{Text: fmt.Sprintf("%s: %s (%d in %s)", name, q.Text, counts[id], id)},
			bridge.Ended{},
		}
	}}
}

// stoppable is an agent that can be told to stop.
type stoppable struct {
	*bridgetest.Agent
	h *house
}

func (s stoppable) Stop(_ context.Context, _ bridge.Conversation, r bridge.Run) error {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	s.h.stops = append(s.h.stops, r)
	return nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		T: t, chats: map[string]*bridgetest.Chat{}, agents: map[string]*bridgetest.Agent{"help": chatty("help"), "hr": chatty("hr")},
	}
	for _, bot := range []string{"one", "two", "three"} {
		h.chats[bot] = &bridgetest.Chat{Keyed: true}
	}
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "x.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h.store = s
	h.route = router.Options{Desk: "desk", AgentOf: func(bot string) string {
		if bot == "three" {
			return "hr"
		}
		return "help"
	}}
	h.opt = engine.Options{
		Linker: people.NewLinker(s, s, func(r bridge.Role) bridge.Role { return r }), Pace: func(string) reply.Pace { return reply.PaceSmooth },
		Record: func(e bridge.Entry) {
			if err := s.AppendEntries(context.WithoutCancel(t.Context()), []bridge.Entry{e}); err != nil {
				t.Error(err)
			}
		},
	}
	return h
}

// open starts answering.
func (h *house) open() {
	h.Helper()
	routes := router.New(h.store, h.route)
	log := slog.New(slog.DiscardHandler)
	limits := bridge.Capabilities{MaxMarkdown: 4000, MaxDraft: 4000, Keyed: true, Stream: true, UpdateInterval: 100 * time.Millisecond}
	if h.limits != nil {
		h.limits(&limits)
	}
	var kept engine.Store = h.store
	if h.disk != nil {
		kept = h.disk
	}
	h.engine = engine.New(kept, routes,
		func(id string) (bridge.Bot, bridge.Capabilities, bool) {
			chat := h.chats[id]
			if chat == nil || h.broken.Load() {
				return nil, limits, false
			}
			if h.botOf != nil {
				return h.botOf(chat.StreamingBot()), limits, true
			}
			return chat.StreamingBot(), limits, true
		},
		func(id string) (bridge.Agent, bool) {
			if h.agentOf != nil {
				return h.agentOf(h.agents[id]), h.agents[id] != nil
			}
			return stoppable{h.agents[id], h}, h.agents[id] != nil
		},
		log, h.opt)
	h.inbox = inbox.New(h.store, routes.Place, h.engine.Handle, log, inbox.Options{
		Queues: map[string]int{"help": 5, "hr": 5, "desk": 2}, Record: h.opt.Record,
	})
	ctx, stop := context.WithCancel(h.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.inbox.Run(ctx); err != nil {
			h.Error(err)
		}
	}()
	h.Cleanup(func() { stop(); <-ended })
}

func (h *house) message(bot, user, text string) bridge.Message {
	h.said++
	return bridge.Message{
		ID: bridge.MessageID(fmt.Sprintf("m%d", h.said)), Bot: bot, Platform: bridge.Platform(bot), Text: text, SentAt: time.Now(),
		Chat: bridge.Chat{ID: "direct-" + user, Kind: bridge.Direct}, Sender: bridge.Sender{ID: bridge.UserID(user), Tenant: "t", Name: user},
		Address: bridge.Address{Bot: bot, Chat: "direct-" + user, Kind: bridge.Direct},
	}
}

func (h *house) inGroup(bot, user, text string) bridge.Message {
	m := h.message(bot, user, text)
	m.Chat = bridge.Chat{ID: "room", Kind: bridge.Group}
	m.Address.Chat, m.Address.Kind = "room", bridge.Group
	return m
}

// accept takes a message as a platform delivers it.
func (h *house) accept(m bridge.Message) {
	h.Helper()
	if _, err := h.inbox.Accept(h.Context(), bridge.Delivery{Messages: []bridge.Message{m}}); err != nil {
		h.Fatal(err)
	}
}

// hear takes a message and returns what is shown in its chat after that.
func (h *house) hear(m bridge.Message) string {
	h.Helper()
	before := len(h.chats[m.Bot].Texts())
	h.accept(m)
	time.Sleep(10 * time.Second)
	synctest.Wait()
	return strings.Join(h.chats[m.Bot].Texts()[before:], " | ")
}

func (h *house) say(bot, user, text string) string {
	h.Helper()
	return h.hear(h.message(bot, user, text))
}

// want says something and wants parts of the answer.
func (h *house) want(bot, user, text string, parts ...string) string {
	h.Helper()
	got := h.say(bot, user, text)
	for _, part := range parts {
		if !strings.Contains(got, part) {
			h.Errorf("%s says %q to %s and reads %q, want %q", user, text, bot, got, part)
		}
	}
	return got
}

func (h *house) person(bot, user string) bridge.Person {
	h.Helper()
	p, err := h.store.PersonOf(h.Context(), bridge.Identity{Platform: bridge.Platform(bot), Tenant: "t", User: bridge.UserID(user), Name: user})
	if err != nil {
		h.Fatal(err)
	}
	return p
}

func (h *house) role(bot, user string, role bridge.Role) {
	h.Helper()
	if err := h.store.SetRole(h.Context(), h.person(bot, user).ID, role, bridge.Actor{}); err != nil {
		h.Fatal(err)
	}
}

// audits returns the kinds in the audit, the latest first.
func (h *house) audits() string {
	h.Helper()
	all, err := h.store.Audits(h.Context(), bridge.AuditQuery{})
	if err != nil {
		h.Fatal(err)
	}
	var kinds []string
	for _, a := range all {
		if a.Kind != bridge.AuditRole {
			kinds = append(kinds, string(a.Kind))
		}
	}
	return strings.Join(kinds, " ")
}

func inHouse(t *testing.T, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newHouse(t)) })
}

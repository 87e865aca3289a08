package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/engine"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

// memory is the part of the store the engine and the router need.
type memory struct {
	mu       sync.Mutex
	replies  map[int64]bridge.Reply
	sessions map[string]bridge.Session
}

func (s *memory) Reply(_ context.Context, id int64) (bridge.Reply, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.replies[id]
	return r, ok, nil
}

func (s *memory) SaveReply(_ context.Context, r bridge.Reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[r.JobID] = r
	return nil
}

func (*memory) PersonOf(_ context.Context, who bridge.Identity) (bridge.Person, error) {
	return bridge.Person{ID: "p-" + string(who.User)}, nil
}

func (s *memory) Session(_ context.Context, lane, _ string, _ time.Time) (bridge.Session, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.sessions[lane]
	return v, ok, nil
}

func (s *memory) SaveSession(_ context.Context, v bridge.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[v.Lane] = v
	return nil
}

func (s *memory) CloseSessions(_ context.Context, lane string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, lane)
	return nil
}

type bundle struct {
	*engine.Engine
	store *memory
	chat  *bridgetest.Chat
	agent *bridgetest.Agent
	heard []engine.Outcome
	job   bridge.Job
}

func setup(streaming bool, answer func(n int, q bridge.Question) []any) *bundle {
	return setupWith(streaming, answer, func(*engine.Options) {})
}

func setupWith(streaming bool, answer func(n int, q bridge.Question) []any, change func(*engine.Options)) *bundle {
	b := &bundle{
		store: &memory{replies: map[int64]bridge.Reply{}, sessions: map[string]bridge.Session{}},
		chat:  &bridgetest.Chat{Keyed: true}, agent: &bridgetest.Agent{Answer: answer},
	}
	bot := b.chat.Bot()
	if streaming {
		bot = b.chat.StreamingBot()
	}
	limits := bridge.Capabilities{MaxMarkdown: 2000, MaxDraft: 2000, Keyed: true, Stream: streaming, UpdateInterval: 100 * time.Millisecond}
	log := slog.New(slog.DiscardHandler)
	r := router.New(b.store, router.Options{AgentOf: func(string) string { return "a" }})
	opt := engine.Options{
		Pace: func(string) reply.Pace { return reply.PaceSmooth }, Observe: func(o engine.Outcome) { b.heard = append(b.heard, o) },
	}
	change(&opt)
	b.Engine = engine.New(b.store, r,
		func(id string) (bridge.Bot, bridge.Capabilities, bool) { return bot, limits, id == "b" },
		func(id string) (bridge.Agent, bool) { return b.agent, id == "a" },
		log, opt)
	b.job = bridge.Job{ID: 1, Queue: "a", Lane: "l", Attempt: 1, AcceptedAt: time.Now(), Message: bridge.Message{
		ID: "m", Bot: "b", Platform: "x", Text: "how are you?", SentAt: time.Now(), Sender: bridge.Sender{ID: "u"},
		Chat: bridge.Chat{ID: "c", Kind: bridge.Direct}, Address: bridge.Address{Bot: "b", Chat: "c"},
	}}
	return b
}

// live handles a job as the inbox would: again and again while it is retryable.
func (b *bundle) live(t *testing.T) (last bridge.Settlement, took time.Duration) {
	t.Helper()
	start := time.Now()
	for range 30 {
		last = b.Handle(t.Context(), b.job)
		if last.State != bridge.JobRetryable {
			break
		}
		time.Sleep(time.Until(last.DueAt))
		b.job.Attempt++
	}
	return last, time.Since(start)
}

func started(id string) bridge.Started {
	return bridge.Started{Conversation: bridge.Conversation{ID: id, User: "u"}}
}

func fault(k bridge.Kind) error {
	return &bridge.Error{Kind: k, Op: "agent: technical words", Detail: "E-4711"}
}

func TestTroubleWithTheAgent(t *testing.T) {
	t.Parallel()
	good := []any{started("c1"), bridge.TextAdded{Text: "fine, "}, bridge.TextAdded{Text: "thanks"}, bridge.Ended{}}
	for _, c := range []struct {
		name   string
		answer func(n int, q bridge.Question) []any
		shown  string // part of the one message
		state  bridge.JobState
		asked  int
		within time.Duration
	}{
		{"answers", func(int, bridge.Question) []any { return good }, "fine, thanks", bridge.JobCompleted, 1, time.Second},
		{"silence", func(int, bridge.Question) []any { return []any{started("c"), bridge.Ended{}} }, "nothing to say", bridge.JobCompleted, 1, time.Second},
		{"busy once", func(n int, _ bridge.Question) []any {
			if n == 1 {
				return []any{fault(bridge.KindRateLimited)}
			}
			return good
		}, "fine, thanks", bridge.JobCompleted, 2, 5 * time.Second},
		{"down", func(int, bridge.Question) []any { return []any{fault(bridge.KindUnavailable)} }, "cannot be reached", bridge.JobDiscarded, 3, 30 * time.Second},
		{"wrong key is not hammered", func(int, bridge.Question) []any { return []any{fault(bridge.KindCredential)} }, "not set up correctly", bridge.JobDiscarded, 1, time.Second},
		{"slow first token", func(int, bridge.Question) []any { return append([]any{12 * time.Second}, good...) }, "fine, thanks", bridge.JobCompleted, 1, 15 * time.Second},
		{"error in the middle stays", func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "half of"}, fault(bridge.KindAgentFailed)}
		}, "half of\n\n⚠️ The answer was interrupted", bridge.JobDiscarded, 1, time.Second},
		{"cut once is asked again", func(n int, _ bridge.Question) []any {
			if n == 1 {
				return []any{started("c"), bridge.TextAdded{Text: "half of"}, fault(bridge.KindInterrupted)}
			}
			return good
		}, "fine, thanks", bridge.JobCompleted, 2, time.Second},
		{"cut always", func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "half of"}, fault(bridge.KindInterrupted)}
		}, "half of\n\n⚠️", bridge.JobDiscarded, 2, time.Second},
		{"no end is no answer", func(n int, _ bridge.Question) []any {
			if n == 1 {
				return []any{started("c"), bridge.TextAdded{Text: "half of"}}
			}
			return good
		}, "fine, thanks", bridge.JobCompleted, 2, time.Second},
		{"replaced text", func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "secret"}, bridge.TextReplaced{Text: "moderated"}, bridge.Ended{}}
		}, "moderated", bridge.JobCompleted, 1, time.Second},
		{"sources", func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "see"}, bridge.Ended{Sources: []bridge.Source{{Title: "A"}, {Title: "A"}, {Title: "B"}, {Title: "C"}, {Title: "D"}}}}
		}, "see\n\nSources:\n1. A\n2. B\n3. C", bridge.JobCompleted, 1, time.Second},
	} {
		for _, streaming := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := setup(streaming, c.answer)
					last, took := b.live(t)
					got := b.chat.Shown()
					if len(got) != 1 || !strings.Contains(got[0].Text, c.shown) || got[0].Growing {
						t.Fatalf("streaming %v: shown %+v", streaming, got)
					}
					if last.State != c.state || len(b.agent.Questions()) != c.asked || took > c.within {
						t.Errorf("state %s, asked %d, took %v", last.State, len(b.agent.Questions()), took)
					}
					if strings.Contains(got[0].Text, "E-4711") || strings.Contains(got[0].Text, "technical") {
						t.Errorf("a person reads %q", got[0].Text)
					}
				})
			})
		}
	}
}

// TestConversationLost: asked once more without it, and the person is told.
func TestConversationLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(false, func(_ int, q bridge.Question) []any {
			if q.Conversation.ID == "old" {
				return []any{fault(bridge.KindConversationLost)}
			}
			return []any{started("new"), bridge.TextAdded{Text: "hello"}, bridge.Ended{}}
		})
		b.store.sessions["l"] = bridge.Session{ID: "s", Lane: "l", Conversation: bridge.Conversation{ID: "old", User: "u"}}
		last, _ := b.live(t)
		if got := b.chat.Texts(); last.State != bridge.JobCompleted || len(got) != 1 || !strings.Contains(got[0], "fresh start") || !strings.HasSuffix(got[0], "hello") {
			t.Errorf("%s, shown %q", last.State, got)
		}
		if q := b.agent.Questions(); len(q) != 2 || q[1].Conversation.ID != "" || b.store.sessions["l"].Conversation.ID != "new" {
			t.Errorf("asked %+v, session %+v", q, b.store.sessions["l"])
		}
	})
}

// TestWithdrawnText: what moderation takes back leaves the screen at once, not
// only when the answer ends.
func TestWithdrawnText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(true, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "secret"}, time.Second, bridge.TextReplaced{}, time.Minute, bridge.Ended{}}
		})
		ended := make(chan struct{})
		go func() { b.Handle(t.Context(), b.job); close(ended) }()
		time.Sleep(500 * time.Millisecond)
		if got := b.chat.Texts(); len(got) != 1 || got[0] != "secret" {
			t.Errorf("shown %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := b.chat.Texts(); len(got) != 1 || strings.Contains(got[0], "secret") {
			t.Errorf("still shown: %q", got)
		}
		<-ended
	})
}

func TestStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(true, nil)
		b.job.Message.SentAt = time.Now().Add(-3 * time.Hour)
		if last, _ := b.live(t); last.State != bridge.JobCompleted || !strings.Contains(b.chat.Texts()[0], "offline") || len(b.agent.Questions()) != 0 {
			t.Errorf("%s, shown %q", last.State, b.chat.Texts())
		}
	})
}

// TestPlatformDown: the answer waits for the platform and is delivered without
// asking the agent again.
func TestPlatformDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(false, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "hello"}, bridge.Ended{}}
		})
		b.chat.Fail = func(_ string, n int) error {
			if n < 4 {
				return &bridge.Error{Kind: bridge.KindUnavailable}
			}
			return nil
		}
		if last, _ := b.live(t); last.State != bridge.JobCompleted || len(b.chat.Texts()) != 1 || len(b.agent.Questions()) != 1 {
			t.Errorf("%s, shown %q, asked %d", last.State, b.chat.Texts(), len(b.agent.Questions()))
		}
		if first := b.heard[1]; first.Bot != "b" || first.Err == nil || b.heard[len(b.heard)-1].Err != nil {
			t.Errorf("the watchers heard %+v", b.heard)
		}
	})
}

// TestPlatformGone: a platform that stays away is given up after the better part
// of an hour, not before.
func TestPlatformGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(false, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "hello"}, bridge.Ended{}}
		})
		b.chat.Fail = func(string, int) error { return &bridge.Error{Kind: bridge.KindUnavailable} }
		last, took := b.live(t)
		if last.State != bridge.JobDiscarded || b.job.Attempt < 12 || took < 30*time.Minute || took > time.Hour {
			t.Errorf("%s after %d attempts and %v", last.State, b.job.Attempt, took)
		}
	})
}

// TestRestartsAreNoReason: attempts that were cut short by restarts neither give
// a message up nor make it wait for long.
func TestRestartsAreNoReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(false, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "hello"}, bridge.Ended{}}
		})
		b.job.Attempt = 20
		b.chat.Fail = func(_ string, n int) error {
			if n < 4 {
				return &bridge.Error{Kind: bridge.KindUnavailable}
			}
			return nil
		}
		if last, took := b.live(t); last.State != bridge.JobCompleted || took > 5*time.Second {
			t.Errorf("%s after %v", last.State, took)
		}
	})
}

// TestStopInTheMiddle: a job that is cut off by our own stop is parked and the
// same draft is finished by the next run.
func TestStopInTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(true, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "half"}, 10 * time.Second, bridge.TextAdded{Text: " whole"}, bridge.Ended{}}
		})
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		if s := b.Handle(ctx, b.job); s.State != bridge.JobRetryable {
			t.Fatalf("stopped as %+v", s)
		}
		if got := b.chat.Shown(); len(got) != 1 || got[0].Text != "half" {
			t.Fatalf("shown %+v", got)
		}
		if last, _ := b.live(t); last.State != bridge.JobCompleted || len(b.chat.Shown()) != 1 || b.chat.Texts()[0] != "half whole" {
			t.Errorf("%s, shown %+v", last.State, b.chat.Shown())
		}
	})
}

func TestBlockedAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(false, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "forbidden words"}, bridge.Ended{}}
		})
		b.chat.Fail = func(_ string, n int) error {
			if n == 1 {
				return &bridge.Error{Kind: bridge.KindBlocked}
			}
			return nil
		}
		if last, _ := b.live(t); last.State != bridge.JobDiscarded || len(b.chat.Texts()) != 1 || !strings.Contains(b.chat.Texts()[0], "did not allow") {
			t.Errorf("%s, shown %q", last.State, b.chat.Texts())
		}
	})
}

// TestBlockedInTheMiddle: who reads the beginning of an answer whose rest the platform
// refuses is told that there is no more, once however often that is tried.
func TestBlockedInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"at once": false, "when the platform is back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setup(false, func(int, bridge.Question) []any {
					return []any{started("c"), bridge.TextAdded{Text: strings.Repeat("forbidden words ", 200)}, bridge.Ended{}}
				})
				b.chat.Fail = func(_ string, n int) error {
					switch {
					case n == 2 || away && n == 4:
						return &bridge.Error{Kind: bridge.KindBlocked}
					case away && n == 3:
						return &bridge.Error{Kind: bridge.KindCredential}
					default:
						return nil
					}
				}
				last, _ := b.live(t)
				if got := b.chat.Texts(); last.State != bridge.JobDiscarded || len(got) != 2 || !strings.HasPrefix(got[0], "forbidden words") || !strings.Contains(got[1], "did not allow") {
					t.Errorf("%s, shown %q", last.State, got)
				}
			})
		})
	}
}

// TestBlockedInTheEnd: however it comes to that, an answer that the platform refuses to
// show gives way to a sentence, and nothing stays growing.
func TestBlockedInTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end    any
		before int // how often the platform is away before it refuses
	}{
		"of a late attempt":         {bridge.Ended{}, 3},
		"of an answer that breaks":  {fault(bridge.KindAgentFailed), 0},
		"of one that breaks, later": {fault(bridge.KindAgentFailed), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setup(true, func(int, bridge.Question) []any {
					return []any{started("c"), bridge.TextAdded{Text: "forbidden words"}, time.Second, c.end}
				})
				b.chat.Fail = func(call string, n int) error {
					switch {
					case call != "finish" || n > c.before+1:
						return nil
					case n <= c.before:
						return &bridge.Error{Kind: bridge.KindUnavailable}
					default:
						return &bridge.Error{Kind: bridge.KindBlocked}
					}
				}
				last, _ := b.live(t)
				if got := b.chat.Shown(); last.State != bridge.JobDiscarded || len(got) != 1 || got[0].Growing || !strings.Contains(got[0].Text, "did not allow") {
					t.Errorf("%s, shown %+v", last.State, got)
				}
			})
		})
	}
}

// TestBotThatOpensLate: what was accepted before a bot broke is answered once that is
// repaired, also a while later and whatever was tried before. One that is not
// repaired does not keep it for ever.
func TestBotThatOpensLate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age, broken time.Duration
		want        string
	}{
		"soon":        {0, 20 * time.Minute, "help: hello"},
		"of long ago": {3 * time.Hour, 8 * time.Minute, "ask again"},
		"never":       {0, 24 * time.Hour, ""},
		"never, old":  {3 * time.Hour, 24 * time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(h *house) {
				h.broken.Store(true)
				h.open()
				m := h.message("one", "li", "hello")
				m.SentAt = m.SentAt.Add(-c.age)
				h.accept(m)
				time.Sleep(c.broken)
				h.broken.Store(false)
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if got := strings.Join(h.chats["one"].Texts(), " | "); !strings.Contains(got, c.want) || c.want == "" && got != "" {
					t.Errorf("shown %q", got)
				}
				want := bridge.JobCompleted
				if c.want == "" {
					want = bridge.JobDiscarded
				}
				if j, err := h.store.Job(h.Context(), 1); err != nil || j.State != want {
					t.Errorf("%s after %d attempts, %v", j.State, j.Attempt, err)
				}
			})
		})
	}
}

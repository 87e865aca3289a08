package engine_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

// scribe is an agent that keeps as much of an answer as was heard out, and nothing
// of one that was cut off. It says a word a second.
type scribe struct {
	named   bool          // it says how its run is called
	lingers time.Duration // how long it takes to its end when it was told to stop; 0 for ever
	fault   error         // of Stop

	began time.Time
	told  chan struct{}

	mu    sync.Mutex
	notes []string // what happened, with the seconds
}

func newScribe(h *house) *scribe {
	s := &scribe{named: true, lingers: 1500 * time.Millisecond, began: time.Now(), told: make(chan struct{})}
	h.agentOf = func(bridge.Agent) bridge.Agent { return s }
	return s
}

func (s *scribe) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, fmt.Sprintf("%s %.1f", what, time.Since(s.began).Seconds()))
}

func (s *scribe) noted() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.notes, ", ")
}

func (s *scribe) Stop(_ context.Context, _ bridge.Conversation, r bridge.Run) error {
	s.note("told of " + r.Task)
	if s.fault == nil && s.lingers > 0 {
		close(s.told)
	}
	return s.fault
}

func (*scribe) Check(context.Context) ([]bridge.Finding, error) { return nil, nil }

func (s *scribe) Ask(ctx context.Context, q bridge.Question) iter.Seq2[bridge.Event, error] {
	return func(yield func(bridge.Event, error) bool) {
		s.note("asked " + q.Text)
		if q.Text != "count" {
			yield(bridge.TextAdded{Text: "fine"}, nil)
			yield(bridge.Ended{}, nil)
			return
		}
		if s.named {
			yield(bridge.Started{Conversation: bridge.Conversation{ID: "c"}, Run: bridge.Run{Task: "t"}}, nil)
		}
		told, late := s.told, (<-chan time.Time)(nil)
		word := time.NewTicker(time.Second)
		defer word.Stop()
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				s.note("cut")
				yield(nil, ctx.Err())
				return
			case <-told:
				told, late = nil, time.After(s.lingers)
			case <-late:
				yield(bridge.Started{Conversation: bridge.Conversation{ID: "c"}, Run: bridge.Run{Task: "t", Message: "m"}}, nil)
				yield(bridge.Ended{Stopped: true, Usage: bridge.Usage{Tokens: 7}}, nil)
				s.note("kept")
				return
			case <-word.C:
				yield(bridge.TextAdded{Text: fmt.Sprintf("word%d ", n)}, nil)
			}
		}
	}
}

// unstoppable hides that a scribe can be told to stop.
type unstoppable struct{ bridge.Agent }

// TestStopAfterALink: an answer that began before accounts became one person's is
// stopped from any of these, and from no other.
func TestStopAfterALink(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"one", "two"} { // whoever was there first goes on
		for _, from := range []string{"one", "two", "click", "three", "in a group"} {
			t.Run(first+" "+from, func(t *testing.T) {
				t.Parallel()
				inHouse(t, func(h *house) {
					s := newScribe(h)
					h.open()
					h.person(first, "zhang")
					zhang, other, _ := h.person("one", "zhang"), h.person("two", "zhang"), h.person("three", "zhang")
					h.accept(h.message("one", "zhang", "count"))
					time.Sleep(2500 * time.Millisecond)
					into, gone := zhang, other
					if first == "two" {
						into, gone = other, zhang
					}
					if err := h.store.Merge(h.Context(), into.ID, gone.ID, bridge.Actor{}); err != nil {
						h.Fatal(err)
					}
					stop, want := h.message(from, "zhang", "/stop"), "asked count 0.0, told of t 2.5, kept 4.0"
					switch from {
					case "click":
						h.do(press(h.message("one", "zhang", ""), map[string]string{bridge.ValueDo: bridge.DoStop, bridge.ValueJob: "1"}))
					case "in a group":
						stop, want = h.inGroup("one", "zhang", "/stop"), "asked count 0.0"
						h.accept(stop)
					case "three":
						want = "asked count 0.0"
						h.accept(stop)
					default:
						h.accept(stop)
					}
					time.Sleep(5 * time.Second)
					synctest.Wait()
					if got := s.noted(); got != want {
						h.Errorf("the agent noted %q, want %q", got, want)
					}
				})
			})
		}
	}
}

// TestStopIsHeardOut: the person sees a stop at once, while the agent is told and
// listened to until it has ended, or for long enough.
func TestStopIsHeardOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(h *house, s *scribe)
		want    string
		message string // as the agent calls its answer
		tokens  int
	}{
		"it ends":        {nil, "asked count 0.0, told of t 2.5, kept 4.0, asked go on 4.0", "m", 7},
		"it goes on":     {func(_ *house, s *scribe) { s.lingers = 0 }, "asked count 0.0, told of t 2.5, cut 7.5, asked go on 7.5", "", 0},
		"it ends late":   {func(_ *house, s *scribe) { s.lingers = time.Minute }, "asked count 0.0, told of t 2.5, cut 7.5, asked go on 7.5", "", 0},
		"no name":        {func(_ *house, s *scribe) { s.named = false }, "asked count 0.0, cut 2.5, asked go on 2.5", "", 0},
		"it refuses":     {func(_ *house, s *scribe) { s.fault = &bridge.Error{Kind: bridge.KindUnavailable} }, "asked count 0.0, told of t 2.5, cut 2.5, asked go on 2.5", "", 0},
		"cannot be told": {func(h *house, s *scribe) { h.agentOf = func(bridge.Agent) bridge.Agent { return unstoppable{s} } }, "asked count 0.0, cut 2.5, asked go on 2.5", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(h *house) {
				s := newScribe(h)
				if c.prepare != nil {
					c.prepare(h, s)
				}
				h.open()
				h.accept(h.message("one", "zhang", "count"))
				h.accept(h.message("one", "zhang", "go on"))
				time.Sleep(2500 * time.Millisecond)
				h.accept(h.message("one", "zhang", "/stop"))
				h.accept(h.message("one", "zhang", "/stop"))
				time.Sleep(time.Millisecond)
				synctest.Wait()
				const text = "word1 word2\n\n(stopped)"
				if shown := h.chats["one"].Shown(); shown[0].Text != text || shown[0].Growing {
					h.Errorf("at once %+v", shown[0])
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := h.chats["one"].Texts(); got[0] != text || len(got) != 4 {
					h.Errorf("in the end %q", got)
				}
				if got := s.noted(); got != c.want {
					h.Errorf("the agent noted %q, want %q", got, c.want)
				}
				row, _, err := h.store.Reply(h.Context(), 1)
				if err != nil || row.Run.Message != c.message || row.Usage.Tokens != c.tokens || row.State != bridge.ReplyDelivered {
					h.Errorf("kept %+v, %v", row, err)
				}
			})
		})
	}
}

// TestStopWhileGoing: a program that ends while an answer is heard out has shown
// the stop, and does not ask again.
func TestStopWhileGoing(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		s := newScribe(h)
		s.lingers = 0
		h.open()
		synctest.Wait() // what an earlier life had begun is taken up at the start; what is claimed here is not
		h.inbox.Pause(true)
		h.accept(h.message("one", "zhang", "count"))
		jobs, err := h.store.Claim(h.Context(), "local", "help", 1, time.Minute)
		if err != nil || len(jobs) != 1 {
			h.Fatal(jobs, err)
		}
		ctx, die := context.WithTimeout(h.Context(), 3*time.Second)
		defer die()
		time.AfterFunc(2500*time.Millisecond, func() {
			h.inbox.Pause(false)
			h.accept(h.message("one", "zhang", "/stop"))
		})
		if got := h.engine.Handle(ctx, jobs[0]); got.State != bridge.JobCompleted && got.State != bridge.JobRetryable || time.Since(s.began) != 3*time.Second {
			h.Errorf("%+v after %v", got, time.Since(s.began))
		}
		if _, err := h.store.Rescue(h.Context(), "local"); err != nil {
			h.Fatal(err)
		}
		h.want("one", "zhang", "go on", "fine")
		if got := s.noted(); got != "asked count 0.0, told of t 2.5, cut 3.0, asked go on 3.0" {
			h.Errorf("the agent noted %q", got)
		}
		if got := h.chats["one"].Texts(); got[0] != "word1 word2\n\n(stopped)" {
			h.Errorf("shown %q", got)
		}
	})
}

// TestAgentPanics: whoever asked reads that there is no answer.
func TestAgentPanics(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = func(int, bridge.Question) []any { panic("poison") }
		h.open()
		h.want("one", "zhang", "hello", "something went wrong")
	})
}

// TestStopAfterADecision: an answer that somebody decided about and then stopped is
// over. What it waited for is gone, and nobody takes it for decided elsewhere.
func TestStopAfterADecision(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks bool
		after  time.Duration
		want   string
	}{
		"while it is told":     {false, 5 * time.Second, "Before. Decided: yes\n\n(stopped)"},
		"between two attempts": {true, time.Second, "(stopped)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withRegistrar(t, nil, func(h *house, r *registrar) {
				h.want("one", "li", "apply", "Three days off?")
				r.long, r.breaks = time.Hour, c.breaks
				h.accept(h.message("one", "li", "1"))
				time.Sleep(c.after)
				h.say("one", "li", "/stop")
				r.becomes(bridge.FormDecided)
				if got := h.passes(10 * time.Minute); got != "" || len(r.went) > 0 || h.live(0) != "" {
					t.Errorf("shown %q, went on %q, buttons %q", got, r.went, h.live(0))
				}
				if got := h.chats["one"].Texts()[1]; got != c.want {
					t.Errorf("shown %q, want %q", got, c.want)
				}
				h.want("one", "li", "1", "help: 1") // nothing waits any more
			})
		})
	}
}

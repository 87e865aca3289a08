package reply_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/reply"
)

// rows keeps reply rows and can lose its power: after die every save fails, as
// if the process had been killed there.
type rows struct {
	mu    sync.Mutex
	last  bridge.Reply
	saves int
	dieAt int // the save from which on nothing is stored; 0 never
}

var errKilled = errors.New("killed")

func (r *rows) SaveReply(_ context.Context, row bridge.Reply) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saves++
	if r.dieAt > 0 && r.saves >= r.dieAt {
		return errKilled
	}
	r.last = row
	return nil
}

var message = bridge.Message{ID: "m1", Bot: "b1", Address: bridge.Address{Bot: "b1", Chat: "c1", User: "u1"}}

func limits() bridge.Capabilities {
	return bridge.Capabilities{MaxMarkdown: 40, MaxDraft: 60, UpdateInterval: 500 * time.Millisecond, Stream: true}
}

func writer(store reply.Store, bot bridge.Bot, row bridge.Reply) *reply.Writer {
	return reply.New(store, bot, limits(), message, row, slog.New(slog.DiscardHandler), reply.Options{Pace: reply.PaceSmooth, Thinking: "…"})
}

func TestGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat, store := &bridgetest.Chat{}, &rows{}
		w := writer(store, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		text := ""
		for range 100 {
			text += "x"
			w.Write(text[:min(len(text), 30)])
			time.Sleep(20 * time.Millisecond)
		}
		if err := w.Finish(t.Context(), "the whole answer"); err != nil {
			t.Fatal(err)
		}
		got := chat.Shown()
		if len(got) != 1 || got[0].Text != "the whole answer" || got[0].Growing {
			t.Fatalf("shown %+v", got)
		}
		// Two seconds at one update per 500 ms, plus "…" and the end.
		if n := len(got[0].Updates); n < 5 || n > 8 {
			t.Errorf("%d updates: %q", n, got[0].Updates)
		}
		if got[0].Updates[0] != "…" {
			t.Errorf("began with %q", got[0].Updates[0])
		}
		if store.last.State != bridge.ReplyDelivered || store.last.Sent != 1 {
			t.Errorf("row %+v", store.last)
		}
	})
}

// TestPaces counts what the platform is asked to do for one long answer.
func TestPaces(t *testing.T) {
	t.Parallel()
	for pace, want := range map[reply.Pace]map[string]int{
		reply.PaceSmooth:  {"begin": 1, "update": 5, "finish": 1, "send": 0},
		reply.PaceEconomy: {"begin": 1, "update": 1, "finish": 1, "send": 0},
		reply.PaceOff:     {"begin": 0, "update": 0, "finish": 0, "send": 1},
	} {
		t.Run(string(pace), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				chat := &bridgetest.Chat{}
				w := reply.New(&rows{}, chat.StreamingBot(), limits(), message, bridge.Reply{JobID: 1}, slog.New(slog.DiscardHandler), reply.Options{Pace: pace, Thinking: "…"})
				if err := w.Begin(t.Context()); err != nil {
					t.Fatal(err)
				}
				for range 20 { // two seconds at one update per 500 ms
					time.Sleep(100 * time.Millisecond)
					w.Write("half")
				}
				synctest.Wait()
				if pace == reply.PaceEconomy {
					if got := chat.Texts(); len(got) != 1 || got[0] != "…" {
						t.Errorf("shown %q while it is written", got)
					}
				}
				if err := w.Finish(t.Context(), "whole"); err != nil {
					t.Fatal(err)
				}
				if got := chat.Texts(); len(got) != 1 || got[0] != "whole" {
					t.Errorf("shown %q", got)
				}
				for call, n := range want {
					if chat.Calls(call) != n {
						t.Errorf("%s: %d calls, want %d", call, chat.Calls(call), n)
					}
				}
			})
		})
	}
}

// TestFirstTextIsShownAtOnce: pacing is for what follows.
func TestFirstTextIsShownAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat := &bridgetest.Chat{}
		w := writer(&rows{}, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.Write("first")
		synctest.Wait() // no time passes
		if got := chat.Texts(); len(got) != 1 || got[0] != "first" {
			t.Errorf("shown %q", got)
		}
		w.Park()
	})
}

// TestSlowPlatformDoesNotHoldTheAgent: Write returns at once however long an
// update takes, and the newest text wins.
func TestSlowPlatformDoesNotHoldTheAgent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat := &bridgetest.Chat{Slow: 5 * time.Second}
		w := writer(&rows{}, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 1000 {
			w.Write("text")
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("writing took %v", took)
		}
		if err := w.Finish(t.Context(), "end"); err != nil {
			t.Fatal(err)
		}
		if got := chat.Texts(); len(got) != 1 || got[0] != "end" {
			t.Errorf("shown %q", got)
		}
	})
}

func TestSendsInParts(t *testing.T) {
	t.Parallel()
	chat, store := &bridgetest.Chat{}, &rows{}
	w := writer(store, chat.Bot(), bridge.Reply{JobID: 1})
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Write("ignored: this bot cannot grow")
	if err := w.Finish(t.Context(), "The first sentence is here. The second one follows. And a third."); err != nil {
		t.Fatal(err)
	}
	want := []string{"The first sentence is here.", "The second one follows. And a third."}
	if diff := cmp.Diff(want, chat.Texts()); diff != "" {
		t.Error(diff)
	}
	keys := map[string]bool{}
	for _, s := range chat.Shown() {
		keys[s.Key] = true
	}
	if len(keys) != 2 || store.last.State != bridge.ReplyDelivered || len(store.last.Messages) != 2 {
		t.Errorf("keys %v row %+v", keys, store.last)
	}
}

// TestLongAnswerOutgrowsItsDraft: the draft keeps the first part, messages
// carry the rest.
func TestLongAnswerOutgrowsItsDraft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat := &bridgetest.Chat{}
		w := writer(&rows{}, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("A sentence of this. ", 6)
		w.Write(long)
		synctest.Wait()
		if got := chat.Texts()[0]; len(got) > 60 || !strings.HasSuffix(got, "…") {
			t.Errorf("the draft shows %d bytes: %q", len(got), got)
		}
		if err := w.Finish(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		if got := chat.Texts(); len(got) != 3 || len(got[0]) > 60 || len(got[1]) > 40 {
			t.Errorf("shown %q", got)
		}
	})
}

// TestKilledAnywhere kills the writer at every save in turn and tries again
// with what was stored: there is one answer, whole and in one place.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	const answer = "The first sentence is here. The second one follows. The third one is here too. And a fourth one."
	for name, streaming := range map[string]bool{"growing": true, "sent": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for dieAt := 1; dieAt < 12; dieAt++ {
				synctest.Test(t, func(t *testing.T) {
					chat := &bridgetest.Chat{Keyed: true}
					bot := chat.Bot()
					if streaming {
						bot = chat.StreamingBot()
					}
					store := &rows{dieAt: dieAt}
					attempt(t, writer(store, bot, bridge.Reply{JobID: 1}), answer)
					store.dieAt = 0
					attempt(t, writer(store, bot, orNew(store.last)), answer)

					if store.last.State != bridge.ReplyDelivered {
						t.Fatalf("killed at save %d: row %+v", dieAt, store.last)
					}
					joined := strings.Join(strings.Fields(strings.Join(chat.Texts(), " ")), " ")
					if joined != answer {
						t.Errorf("killed at save %d: shown %q", dieAt, chat.Texts())
					}
					for _, s := range chat.Shown() {
						if s.Growing {
							t.Errorf("killed at save %d: left growing: %+v", dieAt, s)
						}
					}
				})
			}
		})
	}
}

func orNew(r bridge.Reply) bridge.Reply {
	r.JobID = 1
	return r
}

// attempt is what the engine does, as far as it gets.
func attempt(t *testing.T, w *reply.Writer, answer string) {
	t.Helper()
	if w.Row().State == bridge.ReplyDelivered {
		return
	}
	if w.Row().State == bridge.ReplyAnswered {
		_ = w.Deliver(t.Context()) // killed somewhere in it
		return
	}
	if err := w.Begin(t.Context()); err != nil {
		return
	}
	synctest.Wait()
	w.Write(answer[:20])
	synctest.Wait()
	_ = w.Finish(t.Context(), answer) // killed somewhere in it
}

// TestUnknownOutcome: a send that may have been shown is repeated and counted
// where there is no key, and repeated under its key where there is one.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	for keyed, sends := range map[bool]int{true: 3, false: 1} { // without a key, not again in haste
		chat := &bridgetest.Chat{Keyed: keyed, Fail: func(_ string, n int) error {
			if n <= sends {
				return &bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}
			}
			return nil
		}}
		store := &rows{}
		l := limits()
		l.Keyed = keyed
		open := func(row bridge.Reply) *reply.Writer {
			return reply.New(store, chat.Bot(), l, message, row, slog.New(slog.DiscardHandler), reply.Options{})
		}
		w := open(bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Finish(t.Context(), "answer"); bridge.KindOf(err) != bridge.KindUnavailable {
			t.Fatal(err)
		}
		if err := open(store.last).Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		shown, uncertain := 1, 0
		if !keyed {
			shown, uncertain = 2, 1
		}
		got := chat.Shown()
		if len(got) != shown || store.last.Uncertain != uncertain {
			t.Errorf("keyed %v: shown %d, uncertain %d", keyed, len(got), store.last.Uncertain)
		}
		if !keyed && !got[1].To.Repeat {
			t.Error("the second send does not say that it is a repeat")
		}
	}
}

// TestCertainFailureIsNotUncertain: a refused send that surely showed nothing
// is tried again without a doubt.
func TestCertainFailureIsNotUncertain(t *testing.T) {
	t.Parallel()
	chat := &bridgetest.Chat{Fail: func(_ string, n int) error {
		if n == 1 {
			return &bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Minute}
		}
		return nil
	}}
	store := &rows{}
	w := writer(store, chat.Bot(), bridge.Reply{JobID: 1})
	if err := w.Finish(t.Context(), "answer"); bridge.KindOf(err) != bridge.KindRateLimited {
		t.Fatal(err)
	}
	if err := writer(store, chat.Bot(), store.last).Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.last.Uncertain != 0 || len(chat.Shown()) != 1 || chat.Shown()[0].To.Repeat {
		t.Errorf("row %+v shown %+v", store.last, chat.Shown())
	}
}

// TestHiccup: a trouble that is soon over is sat out, a longer one is for later.
func TestHiccup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trouble bridge.Error
		times   int
		calls   int
		took    time.Duration
		want    bridge.Kind
	}{
		"away once":        {bridge.Error{Kind: bridge.KindUnavailable}, 1, 2, 300 * time.Millisecond, ""},
		"away twice":       {bridge.Error{Kind: bridge.KindUnavailable}, 2, 3, 900 * time.Millisecond, ""},
		"away for long":    {bridge.Error{Kind: bridge.KindUnavailable}, 9, 3, 900 * time.Millisecond, bridge.KindUnavailable},
		"busy, soon over":  {bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 2 * time.Second}, 1, 2, 2 * time.Second, ""},
		"busy for long":    {bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 4 * time.Second}, 1, 1, 0, bridge.KindRateLimited},
		"a refused secret": {bridge.Error{Kind: bridge.KindUnauthenticated}, 1, 1, 0, bridge.KindUnauthenticated},
		"unknown, no key":  {bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}, 1, 1, 0, bridge.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, chat := time.Now(), &bridgetest.Chat{Fail: func(_ string, n int) error {
					if n <= c.times {
						return &c.trouble
					}
					return nil
				}}
				err := writer(&rows{}, chat.Bot(), bridge.Reply{JobID: 1}).Finish(t.Context(), "answer")
				if bridge.KindOf(err) != c.want || chat.Calls("send") != c.calls || time.Since(began) != c.took {
					t.Errorf("%d sends in %v: %v", chat.Calls("send"), time.Since(began), err)
				}
			})
		})
	}
}

func TestDraftGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat, store := &bridgetest.Chat{}, &rows{}
		w := writer(store, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.Write("some text")
		synctest.Wait()
		chat.Remove()
		if err := w.Finish(t.Context(), "The first sentence is here. The second one follows."); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"The first sentence is here.", "The second one follows."}, chat.Texts()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUpdateTrouble: rate limits slow the painter down, they do not stop it,
// and no failed update costs the answer.
func TestUpdateTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		chat := &bridgetest.Chat{}
		chat.Fail = func(call string, n int) error {
			if call != "update" {
				return nil
			}
			at = append(at, time.Since(start))
			if n == 2 {
				return &bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 3 * time.Second}
			}
			return nil
		}
		w := writer(&rows{}, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.Write("one")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]time.Duration{0, 0, 3 * time.Second}, at); diff != "" {
			t.Error(diff)
		}
		if got := chat.Texts(); got[0] != "one" {
			t.Errorf("shown %q", got)
		}
		w.Park()
	})
}

func TestNoDraftPossible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat := &bridgetest.Chat{Fail: func(call string, _ int) error {
			if call == "begin" {
				return &bridge.Error{Kind: bridge.KindForbidden}
			}
			return nil
		}}
		w := writer(&rows{}, chat.StreamingBot(), bridge.Reply{JobID: 1})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.Write("text")
		if err := w.Finish(t.Context(), "answer"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"answer"}, chat.Texts()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestDraftRefused: a draft that cannot be shown after all, because its template
// is missing or a permission is, must not cost the answer.
func TestDraftRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range []bridge.Kind{bridge.KindUnsupported, bridge.KindForbidden, bridge.KindQuota, bridge.KindInvalid} {
		synctest.Test(t, func(t *testing.T) {
			chat := &bridgetest.Chat{Fail: func(call string, _ int) error {
				if call == "update" || call == "finish" {
					return &bridge.Error{Kind: kind}
				}
				return nil
			}}
			w := writer(&rows{}, chat.StreamingBot(), bridge.Reply{JobID: 1})
			if err := w.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if err := w.Finish(t.Context(), "answer"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"answer"}, chat.Texts()); diff != "" {
				t.Errorf("%s: %s", kind, diff)
			}
		})
	}
}

func TestFailAndBreak(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begun bool
		end   func(context.Context, *reply.Writer) error
		call  string
		want  string
	}{
		"fail below what is there": {true, func(ctx context.Context, w *reply.Writer) error {
			return w.Fail(ctx, "sorry", bridge.KindUnavailable)
		}, "fail", "sorry"},
		"fail in its place": {false, func(ctx context.Context, w *reply.Writer) error {
			return w.Fail(ctx, "sorry", bridge.KindUnavailable)
		}, "finish", "sorry"},
		"break": {true, func(ctx context.Context, w *reply.Writer) error {
			return w.Break(ctx, "text\nbroken", bridge.KindInterrupted)
		}, "finish", "text\nbroken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				chat, store := &bridgetest.Chat{}, &rows{}
				w := writer(store, chat.StreamingBot(), bridge.Reply{JobID: 1, Begun: c.begun})
				if err := w.Begin(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if err := c.end(t.Context(), w); err != nil {
					t.Fatal(err)
				}
				if chat.Calls(c.call) != 1 || chat.Texts()[0] != c.want || store.last.State != bridge.ReplyFailed {
					t.Errorf("shown %q, row %+v", chat.Texts(), store.last)
				}
			})
		})
	}
}

func TestTooLargeAfterAll(t *testing.T) {
	t.Parallel()
	chat := &bridgetest.Chat{Fail: func(_ string, n int) error {
		if n == 1 {
			return &bridge.Error{Kind: bridge.KindTooLarge}
		}
		return nil
	}}
	w := writer(&rows{}, chat.Bot(), bridge.Reply{JobID: 1})
	if err := w.Finish(t.Context(), "aaaa bbbb cccc dddd eeee ffff gggg"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(chat.Texts(), " "); strings.Join(strings.Fields(got), " ") != "aaaa bbbb cccc dddd eeee ffff gggg" || len(chat.Texts()) < 2 {
		t.Errorf("shown %q", chat.Texts())
	}
}

package reply_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/reply"
)

func clickable() bridge.Capabilities {
	l := limits()
	l.Buttons, l.MaxButtons = true, 10
	return l
}

func button(text, number string) bridge.Button {
	b := bridge.Button{Text: text, Value: map[string]string{bridge.ValueDo: bridge.DoAsk}}
	if number != "" {
		b.Value[bridge.ValueNumber] = number
	}
	return b
}

func words(buttons []bridge.Button) string {
	var all []string
	for _, b := range buttons {
		all = append(all, b.Text)
	}
	return strings.Join(all, " ")
}

// TestButtons stand below the last of the text, in a draft and in messages, for a
// bot that can show them; a platform that refuses them gets the text.
func TestButtons(t *testing.T) {
	t.Parallel()
	long := strings.TrimSpace(strings.Repeat("many words ", 8))
	for name, c := range map[string]struct {
		text    string
		limits  bridge.Capabilities
		grows   bool
		noCards bool
		shown   int
		last    string
		buttons string
	}{
		"a draft":            {"short", clickable(), true, false, 1, "short", "Why? 👍"},
		"a message":          {"short", clickable(), false, false, 1, "short", "Why? 👍"},
		"several messages":   {long, clickable(), true, false, 2, "words", "Why? 👍"},
		"no buttons":         {"short", limits(), true, false, 1, "short", ""},
		"a refused draft":    {"short", clickable(), true, true, 1, "short\n\n1. Why?", ""},
		"a refused message":  {"short", clickable(), false, true, 1, "short\n\n1. Why?", ""},
		"refused at the end": {long, clickable(), true, true, 2, "\n\n1. Why?", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				chat, store := &bridgetest.Chat{NoCards: c.noCards}, &rows{}
				bot := chat.Bot()
				if c.grows {
					bot = chat.StreamingBot()
				}
				w := reply.New(store, bot, c.limits, message, bridge.Reply{JobID: 7}, slog.New(slog.DiscardHandler), reply.Options{Pace: reply.PaceSmooth, Thinking: "…", Stop: "Stop"})
				if err := w.Begin(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				w.Offer(button("Why?", "1"))
				w.Offer(button("👍", ""))
				if err := w.Finish(t.Context(), c.text); err != nil {
					t.Fatal(err)
				}
				got := chat.Shown()
				if len(got) != c.shown || !strings.HasSuffix(got[len(got)-1].Text, c.last) || words(got[len(got)-1].Buttons) != c.buttons {
					t.Fatalf("shown %+v", got)
				}
				for _, s := range got[:len(got)-1] {
					if len(s.Buttons) > 0 {
						t.Errorf("buttons in the middle: %+v", s)
					}
				}
				if to := got[0].To; to.Job != "7" || (to.Stop == "Stop") != c.grows {
					t.Errorf("sent to %+v", to)
				}
				if words(store.last.Buttons) != "Why? 👍" || store.last.State != bridge.ReplyDelivered {
					t.Errorf("row %+v", store.last)
				}
			})
		})
	}
}

// TestButtonsAfterACrash: every attempt shows the same ones.
func TestButtonsAfterACrash(t *testing.T) {
	t.Parallel()
	for dieAt := 1; dieAt < 7; dieAt++ {
		synctest.Test(t, func(t *testing.T) {
			chat, store := &bridgetest.Chat{}, &rows{dieAt: dieAt}
			writer := func() *reply.Writer {
				return reply.New(store, chat.StreamingBot(), clickable(), message, store.last, slog.New(slog.DiscardHandler), reply.Options{Pace: reply.PaceSmooth, Thinking: "…"})
			}
			store.last.JobID = 7
			w := writer()
			if w.Begin(t.Context()) == nil {
				synctest.Wait()
				w.Offer(button("Why?", "1"))
				_ = w.Finish(t.Context(), "short")
			}
			store.dieAt = 0
			if w = writer(); w.Row().State != bridge.ReplyAnswered {
				if err := w.Begin(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				w.Offer(button("Why?", "1"))
				if err := w.Finish(t.Context(), "short"); err != nil {
					t.Fatal(err)
				}
			} else if err := w.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := chat.Shown(); len(got) != 1 || got[0].Text != "short" || words(got[0].Buttons) != "Why?" {
				t.Errorf("killed at save %d: shown %+v", dieAt, got)
			}
		})
	}
}

// TestRedraw shows a delivered answer with other buttons, in its place, or not at
// all.
func TestRedraw(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chat, store := &bridgetest.Chat{}, &rows{}
		w := reply.New(store, chat.StreamingBot(), clickable(), message, bridge.Reply{JobID: 7}, slog.New(slog.DiscardHandler), reply.Options{Pace: reply.PaceSmooth, Thinking: "…"})
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Offer(button("👍", ""))
		if err := w.Finish(t.Context(), "short"); err != nil {
			t.Fatal(err)
		}
		row := store.last
		row.Buttons = []bridge.Button{button("👍 ✓", "")}
		redraw := func(bot bridge.Bot, l bridge.Capabilities, row bridge.Reply) bridge.Kind {
			return bridge.KindOf(reply.Redraw(t.Context(), bot, l, row))
		}
		if kind := redraw(chat.StreamingBot(), clickable(), row); kind != "" {
			t.Errorf("not shown again: %s", kind)
		}
		want := func(buttons string) {
			t.Helper()
			if got := chat.Shown(); len(got) != 1 || got[0].Text != "short" || words(got[0].Buttons) != buttons {
				t.Errorf("shown %+v", got)
			}
		}
		want("👍 ✓")
		cleared := row
		cleared.Buttons = nil
		if kind := redraw(chat.StreamingBot(), clickable(), cleared); kind != "" {
			t.Errorf("not shown again: %s", kind)
		}
		want("")
		sent, long, forgotten := row, row, row
		sent.Draft, long.Text, forgotten.Text = bridge.Address{}, strings.Repeat("many words ", 8), ""
		for name, kind := range map[string]bridge.Kind{
			"a bot that sends":    redraw(chat.Bot(), clickable(), row),
			"no buttons":          redraw(chat.StreamingBot(), limits(), row),
			"a message":           redraw(chat.StreamingBot(), clickable(), sent),
			"several messages":    redraw(chat.StreamingBot(), clickable(), long),
			"nothing left to say": redraw(chat.StreamingBot(), clickable(), forgotten),
		} {
			if kind != bridge.KindUnsupported {
				t.Errorf("%s: %q", name, kind)
			}
		}
		want("")
		chat.Remove()
		if kind := redraw(chat.StreamingBot(), clickable(), row); kind != bridge.KindNotFound {
			t.Errorf("a draft that was removed: %q", kind)
		}
	})
}

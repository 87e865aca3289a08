package reply_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/reply"
)

// TestTooLargeForADraft: a text that the platform finds too large for a draft after all
// begins there, and the rest follows, once however often that is tried.
func TestTooLargeForADraft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused []int // the calls that ask too much
		buttons []bridge.Button
		fails   int // the piece that the platform does not take at first
	}{
		"a text":         {refused: []int{1}},
		"with buttons":   {refused: []int{1, 2}, buttons: []bridge.Button{button("Why?", "1")}},
		"a piece is not": {refused: []int{1, 3}, fails: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const text = "One sentence. Two sentences. Three of these. Four of them."
				chat, store := &bridgetest.Chat{Keyed: true}, &rows{}
				chat.Fail = func(call string, n int) error {
					switch {
					case call == "finish" && slices.Contains(c.refused, n):
						return &bridge.Error{Kind: bridge.KindTooLarge}
					case call == "send" && n == c.fails:
						return &bridge.Error{Kind: bridge.KindCredential}
					}
					return nil
				}
				of := func(row bridge.Reply) *reply.Writer {
					able := limits()
					able.Buttons = true
					return reply.New(store, chat.StreamingBot(), able, message, row, slog.New(slog.DiscardHandler), reply.Options{Pace: reply.PaceSmooth, Thinking: "…"})
				}
				w, want := of(bridge.Reply{JobID: 1}), text
				if err := w.Begin(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if len(c.buttons) > 0 {
					w.Offer(c.buttons...)
					want += " 1. Why?"
				}
				err := w.Finish(t.Context(), text)
				if c.fails > 0 {
					if bridge.KindOf(err) != bridge.KindCredential {
						t.Fatal(err)
					}
					err = of(store.last).Deliver(t.Context())
				}
				shown := chat.Shown()
				if got := strings.Join(strings.Fields(strings.Join(chat.Texts(), " ")), " "); err != nil || got != want || len(shown) < 3 || shown[0].Growing {
					t.Errorf("%v, shown %+v", err, shown)
				}
				if store.last.State != bridge.ReplyDelivered {
					t.Errorf("kept %+v", store.last)
				}
			})
		})
	}
}

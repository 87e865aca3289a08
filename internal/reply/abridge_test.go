package reply_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/reply"
)

// TestAbridge: where so many messages are all there may be, an answer is cut off
// and says so, within the limit of a message; text comes before files.
func TestAbridge(t *testing.T) {
	t.Parallel()
	const note = "(more)"
	long := func(parts int) string {
		return strings.TrimSpace(strings.Repeat("0123456789 123456789 123456789 12345678\n", parts))
	}
	for name, c := range map[string]struct {
		most        int
		text        string
		files       int
		texts, kept int
		noted       bool
	}{
		"no limit":            {0, long(9), 3, 9, 3, false},
		"as many as may be":   {5, long(5), 0, 5, 0, false},
		"with files":          {5, long(3), 2, 3, 2, false},
		"too long":            {5, long(6), 0, 5, 0, true},
		"too many files":      {5, "short", 6, 1, 4, true},
		"room for the files":  {5, long(5), 2, 3, 2, true},
		"both":                {5, long(9), 9, 1, 4, true},
		"one message":         {1, long(2), 0, 1, 0, true},
		"one message, a file": {1, "short", 1, 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chat, store := &bridgetest.Chat{}, &rows{}
			l := limits()
			l.MaxMessages = c.most
			w := reply.New(store, chat.Bot(), l, message, bridge.Reply{JobID: 1}, slog.New(slog.DiscardHandler), reply.Options{
				Cut: note, Open: func(context.Context, bridge.FileAdded) ([]byte, error) { return []byte("data"), nil },
			})
			for range c.files {
				w.Attach(bridge.FileAdded{Kind: bridge.FileOther, Name: "a.pdf", URL: "https://example.com/a.pdf"})
			}
			if err := w.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := w.Finish(t.Context(), c.text); err != nil {
				t.Fatal(err)
			}
			got := chat.Texts()
			if len(got) != c.texts+c.kept || store.last.State != bridge.ReplyDelivered {
				t.Fatalf("%d messages, want %d and %d: %q", len(got), c.texts, c.kept, got)
			}
			for n, text := range got[:c.texts] {
				if len(text) > l.MaxMarkdown {
					t.Errorf("%d bytes: %q", len(text), text)
				}
				if last := n == c.texts-1; strings.HasSuffix(text, "\n\n"+note) != (last && c.noted) {
					t.Errorf("message %d is %q", n, text)
				}
			}
			if c.noted && c.texts > 1 && !strings.HasPrefix(got[c.texts-1], "0123456789 12") {
				t.Errorf("the last text is %q", got[c.texts-1])
			}
		})
	}
}

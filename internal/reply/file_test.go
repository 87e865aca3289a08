package reply_test

import (
	"context"
	"log/slog"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/reply"
)

// shelf keeps what was sent.
type shelf struct {
	bridge.Bot
	sent []bridge.Content
}

func (s *shelf) Send(_ context.Context, _ bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	s.sent = append(s.sent, c)
	return "m", nil
}

// TestPictureNames: a picture whose name says nothing is named by what it is, and
// other files keep their names.
func TestPictureNames(t *testing.T) {
	t.Parallel()
	const png, jpg, gif = "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF89a"
	for _, c := range []struct {
		kind             bridge.FileKind
		name, data, want string
	}{
		{bridge.FileImage, "file-preview", png, "file-preview.png"},
		{bridge.FileImage, "图", jpg, "图.jpg"},
		{bridge.FileImage, "chart", gif, "chart.gif"},
		{bridge.FileImage, "chart.png", jpg, "chart.png"},
		{bridge.FileImage, "chart", "something", "chart"},
		{bridge.FileImage, "", png, ""}, // the platform has a word for it
		{bridge.FileOther, "README", png, "README"},
	} {
		s := &shelf{Bot: (&bridgetest.Chat{}).Bot()}
		w := reply.New(&rows{}, s, limits(), message, bridge.Reply{JobID: 1}, slog.New(slog.DiscardHandler), reply.Options{
			Open: func(context.Context, bridge.FileAdded) ([]byte, error) { return []byte(c.data), nil },
		})
		w.Attach(bridge.FileAdded{Kind: c.kind, Name: c.name, URL: "https://x.example/1"})
		if err := w.Finish(t.Context(), "Here."); err != nil || len(s.sent) != 2 {
			t.Fatalf("%+v, %v", s.sent, err)
		}
		name := ""
		switch f := s.sent[1].(type) {
		case bridge.Picture:
			name = f.Name
		case bridge.Attachment:
			name = f.Name
		}
		if name != c.want {
			t.Errorf("%+v: named %q", c, name)
		}
	}
}

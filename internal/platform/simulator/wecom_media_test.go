package simulator_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// uploads sends a file to WeCom.
func (b *bench) uploads(query, field string, data []byte) result {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile(field, "图.png")
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = part.Write(data)
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.call("wecom", http.MethodPost, "/cgi-bin/media/upload?"+query, map[string]string{"Content-Type": w.FormDataContentType()}, body.String())
}

// TestWecomFiles: files are kept for three days, of the types and sizes of the
// page, and are shown as what they are.
func TestWecomFiles(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{Platforms: []bridge.Platform{"wecom"}})
	token := b.token("wecom")
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 20)...)
	for name, c := range map[string]struct {
		query, field string
		data         []byte
		want         int
	}{
		"no token":        {"type=image", "media", png, 41001},
		"no type":         {"access_token=" + token, "media", png, 40005},
		"another field":   {"type=image&access_token=" + token, "file", png, 41005},
		"no picture":      {"type=image&access_token=" + token, "media", []byte("%PDF-1.4"), 40004},
		"no voice":        {"type=voice&access_token=" + token, "media", png, 40004},
		"tiny":            {"type=file&access_token=" + token, "media", []byte("12345"), 40006},
		"too large":       {"type=voice&access_token=" + token, "media", append([]byte("#!AMR"), make([]byte, 2<<20)...), 40006},
		"far too large":   {"type=file&access_token=" + token, "media", make([]byte, 21<<20), 40006},
		"as it should be": {"type=image&access_token=" + token, "media", png, 0},
	} {
		if got := b.uploads(c.query, c.field, c.data); got.code() != c.want {
			t.Errorf("%s: %v, want %d", name, got.body, c.want)
		}
	}
	id := b.uploads("type=image&access_token="+token, "media", png).text("media_id")
	send := func(kind, id string) any {
		return b.call("wecom", http.MethodPost, "/cgi-bin/message/send?access_token="+b.token("wecom"), nil, map[string]any{
			"touser": "User-li", "msgtype": kind, "agentid": 1000002, kind: map[string]any{"media_id": id},
		}).code()
	}
	if a, b, c := send("image", id), send("file", id), send("image", "media-0"); a != 0 || b != 40007 || c != 40007 {
		t.Errorf("sent with %v, %v, %v", a, b, c)
	}
	if got := b.lines("li"); len(got) != 1 || got[0] != "*🖼 图.png" {
		t.Errorf("shown %q", got)
	}
	if err := b.Advance(t.Context(), 73*time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := send("image", id); got != 40007 {
		t.Errorf("after three days: %v", got)
	}
	b.noViolations()
}

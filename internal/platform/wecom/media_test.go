package wecom_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

const (
	callUpload = "/cgi-bin/media/upload"
	noFile     = "\x00no such file"
)

// kept is a file that was uploaded.
type kept struct {
	kind, name string
	data       []byte
	until      time.Time
}

// keep takes an upload, as strict as the page 96484.
func (f *fakeWeCom) keep(kind, contentType string, body []byte) scripted {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return says(41005, "missing media data")
	}
	part, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).NextPart()
	if err != nil || part.FormName() != "media" || part.FileName() == "" {
		return says(41005, "missing media data")
	}
	data, err := io.ReadAll(part)
	if err != nil {
		return says(41005, "missing media data")
	}
	if _, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition")); err != nil || params["filelength"] != strconv.Itoa(len(data)) {
		f.tb.Errorf("a file of %d bytes says %v, %v", len(data), params, err)
	}
	most := map[string]int{"image": 10 << 20, "voice": 2 << 20, "file": 20 << 20}[kind]
	switch {
	case most == 0:
		return says(40005, "invalid type")
	case len(data) <= 5 || len(data) > most:
		return says(40006, "invalid file size")
	case kind == "image" && !bytes.HasPrefix(data, []byte("\x89PNG")) && !bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return says(40004, "invalid media type")
	case kind == "voice" && !bytes.HasPrefix(data, []byte("#!AMR")):
		return says(40004, "invalid media type")
	}
	id := fmt.Sprintf("UP-%d", len(f.files)+1)
	f.files[id] = kept{kind, part.FileName(), data, time.Now().Add(f.offset + 72*time.Hour)}
	return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"","type":%q,"media_id":%q,"created_at":"1380000000"}`, kind, id)}
}

// fakeMedia is the content of a message that is a file.
type fakeMedia struct {
	ID string `json:"media_id"`
}

// file is what people see of a file of the bot's; empty when the message is none.
func (f *fakeWeCom) file(kind string, image, voice, file *fakeMedia) string {
	m := map[string]*fakeMedia{"image": image, "voice": voice, "file": file}[kind]
	if m == nil {
		return ""
	}
	if k, ok := f.files[m.ID]; ok && k.kind == kind && time.Now().Add(f.offset).Before(k.until) {
		return kind + " " + m.ID + " " + k.name
	}
	return noFile
}

// pad is a notebook as the house lends it.
type pad struct {
	mu    sync.Mutex
	notes map[string]string
	fail  error
}

// Note implements bridge.Notes.
func (p *pad) Note(_ context.Context, name string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.notes[name], p.fail
}

// Keep implements bridge.Notes.
func (p *pad) Keep(_ context.Context, name, note string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		if p.notes == nil {
			p.notes = map[string]string{}
		}
		p.notes[name] = note
	}
	return p.fail
}

func png(size int) []byte { return append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, size)...) }

// TestFiles: a file is shown as what it is, or as a file, or named.
func TestFiles(t *testing.T) {
	t.Parallel()
	amr := append([]byte("#!AMR\n"), make([]byte, 100)...)
	for name, c := range map[string]struct {
		content bridge.Content
		want    string
	}{
		"picture":       {bridge.Picture{Name: "图.png", Data: png(10)}, "image UP-1 图.png"},
		"photo":         {bridge.Picture{Data: append([]byte("\xff\xd8\xff\xe0"), make([]byte, 20)...)}, "image UP-1 image.png"},
		"odd picture":   {bridge.Picture{Name: "a.svg", Data: []byte("<svg></svg>")}, "file UP-1 a.svg"},
		"large picture": {bridge.Picture{Name: "a.png", Data: png(10 << 20)}, "file UP-1 a.png"},
		"huge picture":  {bridge.Picture{Name: "a.png", Data: png(20 << 20), URL: "https://example.com/a.png"}, "[a.png] https://example.com/a.png"},
		"tiny":          {bridge.Attachment{Name: "a.txt", Data: []byte("12345"), URL: "https://example.com/a"}, "[a.txt] https://example.com/a"},
		"no content":    {bridge.Attachment{Name: "a.txt"}, "[a.txt]"},
		"attachment":    {bridge.Attachment{Name: "a \"b\"\r\n c.pdf", Data: []byte("%PDF-1.4")}, "file UP-1 a 'b' c.pdf"},
		"voice":         {bridge.Voice{Data: amr, Seconds: 60}, "voice UP-1 voice.amr"},
		"long voice":    {bridge.Voice{Data: amr, Seconds: 61}, "file UP-1 voice.amr"},
		"other voice":   {bridge.Voice{Name: "a.mp3", Data: []byte("ID3 and so on")}, "file UP-1 a.mp3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			id, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), to("ZhangSan", "k"), c.content)
			if got := f.shown(); err != nil || id == "" || len(got) != 1 || got[0].Text != c.want {
				t.Errorf("%q, %v: %q", id, err, got)
			}
		})
	}
}

// TestFilesAreKeptOnce: a file that is sent again is the same message to WeCom,
// after a restart and with another process as well; for another question it is
// another message, with the same upload.
func TestFilesAreKeptOnce(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	picture := bridge.Picture{Name: "a.png", Data: png(10)}
	send := func(bot bridge.Bot, key string, c bridge.Content) {
		t.Helper()
		if _, err := bot.Send(t.Context(), to("ZhangSan", key), c); err != nil {
			t.Fatal(err)
		}
	}
	first := f.bot(t, nil, bridge.Env{Notes: notes})
	send(first, "k", picture)
	send(first, "k", picture)
	second := f.bot(t, nil, bridge.Env{Notes: notes})
	send(second, "k", picture)
	if got := f.shown(); len(got) != 1 || f.count(callUpload) != 1 {
		t.Errorf("%d uploads, shown %q", f.count(callUpload), got)
	}
	send(first, "k2", picture)
	if got := f.shown(); len(got) != 2 || f.count(callUpload) != 1 {
		t.Errorf("%d uploads, shown %q", f.count(callUpload), got)
	}
	for n, other := range []bridge.Content{
		bridge.Picture{Name: "b.png", Data: png(10)}, bridge.Picture{Name: "a.png", Data: png(11)}, bridge.Attachment{Name: "a.png", Data: png(10)},
	} {
		send(first, "o"+strconv.Itoa(n), other)
		if got := f.count(callUpload); got != n+2 {
			t.Errorf("%d uploads", got)
		}
	}
	notes.fail = errors.New("disk full")
	send(f.bot(t, nil, bridge.Env{Notes: notes}), "k3", picture)
	if got := f.shown(); len(got) != 6 {
		t.Errorf("shown %q", got)
	}
}

// TestFilesExpire: what WeCom has forgotten is uploaded again, when it should have
// and when it should not.
func TestFilesExpire(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.bot(t, nil, bridge.Env{Notes: notes})
		for n, step := range []func(){func() {}, func() { f.sleep(59 * time.Hour) }, func() { f.sleep(2 * time.Hour) }, func() { f.set(func(f *fakeWeCom) { clear(f.files) }) }} {
			step()
			if _, err := bot.Send(t.Context(), to("ZhangSan", "k"+strconv.Itoa(n)), bridge.Picture{Data: png(10)}); err != nil {
				t.Fatal(err)
			}
			if got, want := f.count(callUpload), []int{1, 1, 2, 3}[n]; got != want {
				t.Errorf("step %d: %d uploads, want %d", n, got, want)
			}
		}
		if got := f.shown(); len(got) != 4 || got[3].Type != "image" {
			t.Errorf("shown %q", got)
		}
	})
}

// TestFilesRefused: what WeCom takes in no way is named; what may be taken later is
// not, and nobody thinks that it may have been shown.
func TestFilesRefused(t *testing.T) {
	t.Parallel()
	picture := bridge.Picture{Name: "a.png", Data: png(10), URL: "https://example.com/a.png"}
	for name, c := range map[string]struct {
		call    string
		answers []scripted
		kind    bridge.Kind
		want    string
	}{
		"as a picture":     {callUpload, []scripted{says(40009, "invalid image size")}, "", "file UP-1 a.png"},
		"in any way":       {callUpload, []scripted{says(40006, "invalid file size"), says(40006, "invalid file size")}, "", "[a.png] https://example.com/a.png"},
		"unknown":          {callUpload, []scripted{says(45757, "?"), says(45757, "?")}, "", "[a.png] https://example.com/a.png"},
		"not this one":     {callSend, []scripted{says(40007, "invalid media_id"), says(40007, "invalid media_id")}, "", "[a.png] https://example.com/a.png"},
		"busy":             {callUpload, []scripted{says(-1, "busy")}, bridge.KindUnavailable, ""},
		"too often":        {callUpload, []scripted{says(45009, "limit")}, bridge.KindRateLimited, ""},
		"broken":           {callUpload, []scripted{{}}, bridge.KindUnavailable, ""},
		"another form":     {callUpload, []scripted{{Status: 200, Body: `{"errcode":0}`}}, bridge.KindUnavailable, ""},
		"not allowed":      {callUpload, []scripted{says(60020, "not allow to access from your ip, from ip: 1.2.3.4, more")}, bridge.KindForbidden, ""},
		"nobody there":     {callSend, []scripted{says(81013, "invalid user")}, bridge.KindNotFound, ""},
		"token is renewed": {callUpload, []scripted{says(42001, "expired")}, "", "image UP-1 a.png"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.script(c.call, c.answers...)
			_, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), to("ZhangSan", "k"), picture)
			got := f.shown()
			if bridge.KindOf(err) != c.kind || (c.want != "") != (len(got) == 1) || c.want != "" && got[0].Text != c.want {
				t.Errorf("%v, shown %q", err, got)
			}
			var e *bridge.Error
			if errors.As(err, &e) && (e.Uncertain || strings.Contains(err.Error(), "a.png")) {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestShelfIsSmall: old files are forgotten, not piled up.
func TestShelfIsSmall(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.bot(t, nil, bridge.Env{Notes: notes})
		for n := range 120 {
			if _, err := bot.Send(t.Context(), to("ZhangSan", strconv.Itoa(n)), bridge.Picture{Data: png(n + 10)}); err != nil {
				t.Fatal(err)
			}
			f.sleep(10 * time.Second)
		}
		if size := len(notes.notes["files"]); size < 1000 || size > 6000 {
			t.Errorf("%d bytes are kept", size)
		}
	})
}

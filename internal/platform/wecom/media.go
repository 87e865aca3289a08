package wecom

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

// The limits of an upload (page 96484). A picture is a PNG or a JPEG, and a voice
// message is an AMR of at most a minute; anything else goes as a file.
const (
	leastFile  = 6 // bytes
	mostImage  = 10 << 20
	mostVoice  = 2 << 20
	mostFile   = 20 << 20
	mostSecond = 60
)

// The types of files.
const (
	typeImage = "image"
	typeVoice = "voice"
	typeFile  = "file"
)

// media is a file to be uploaded.
type media struct {
	kind, name string
	data       []byte
}

// asMedia lists the ways to show a content as a file, the best first. There is
// none for what is no file, and none for a file that is sent by its name alone.
func asMedia(c bridge.Content) []media {
	m := media{kind: typeFile}
	var best string
	switch c := c.(type) {
	case bridge.Picture:
		m.name, m.data = cmp.Or(c.Name, "image.png"), c.Data
		if t := http.DetectContentType(c.Data); (t == "image/png" || t == "image/jpeg") && len(c.Data) <= mostImage {
			best = typeImage
		}
	case bridge.Attachment:
		m.name, m.data = cmp.Or(c.Name, "file"), c.Data
	case bridge.Voice:
		m.name, m.data = cmp.Or(c.Name, "voice.amr"), c.Data
		if bytes.HasPrefix(c.Data, []byte("#!AMR")) && len(c.Data) <= mostVoice && c.Seconds <= mostSecond {
			best = typeVoice
		}
	}
	if len(m.data) < leastFile || len(m.data) > mostFile {
		return nil
	}
	m.name = prose.OneLine(m.name)
	if best == "" {
		return []media{m}
	}
	return []media{{best, m.name, m.data}, m}
}

// send shows a content. A file is uploaded first; one that WeCom does not take
// in any way is named instead, with its address if it has one.
func (c *client) send(
	ctx context.Context, content bridge.Content, render func(bridge.Content) ([]outgoing, error), show func([]outgoing) (bridge.MessageID, error),
) (bridge.MessageID, error) {
	for _, m := range asMedia(content) {
		id, err := c.sendMedia(ctx, m, show)
		if !unfit(err) {
			return id, err
		}
	}
	messages, err := render(content)
	if err != nil {
		return "", err
	}
	return show(messages)
}

// preview says what send would show, if everything is taken.
func preview(content bridge.Content, render func(bridge.Content) ([]outgoing, error)) ([]bridge.Shown, error) {
	if ways := asMedia(content); len(ways) > 0 {
		return []bridge.Shown{ways[0].shown()}, nil
	}
	messages, err := render(content)
	var all []bridge.Shown
	for _, m := range messages {
		all = append(all, m.shown())
	}
	return all, err
}

func (m *media) shown() bridge.Shown {
	s := bridge.Shown{Kind: bridge.ContentFile, Type: m.kind, Text: m.name, Size: len(m.data), Limit: mostFile}
	switch m.kind {
	case typeImage:
		s.Kind, s.Limit = bridge.ContentPicture, mostImage
	case typeVoice:
		s.Kind, s.Limit = bridge.ContentVoice, mostVoice
	}
	return s
}

// sendMedia uploads a file and shows it. One that was uploaded long ago may be
// forgotten, whatever was promised: then it is uploaded again.
func (c *client) sendMedia(ctx context.Context, m media, show func([]outgoing) (bridge.MessageID, error)) (bridge.MessageID, error) {
	sum := m.sum()
	for {
		file, kept := c.shelf.find(ctx, sum)
		if !kept {
			var err error
			if file, err = c.upload(ctx, m); err != nil {
				return "", err
			}
			c.shelf.put(ctx, sum, file)
		}
		id, err := show([]outgoing{{m.kind, mediaBody{file}}})
		if kept && hasCode(err, codeNoMedia) {
			c.shelf.drop(sum)
			continue
		}
		return id, err
	}
}

// unfit says that a file was refused for what it is.
func unfit(err error) bool {
	var e *bridge.Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Op == opUpload {
		return e.Kind == bridge.KindInvalid || e.Kind == bridge.KindTooLarge || e.Kind == bridge.KindInternal
	}
	return hasCode(err, codeNoMedia, codeNoType)
}

// upload keeps a file at WeCom's, for three days, and returns its id.
func (c *client) upload(ctx context.Context, m media) (string, error) {
	var got uploaded
	err := c.call(ctx, request{op: opUpload, path: pathUpload, query: url.Values{"type": {m.kind}}, file: &m}, &got)
	var e *bridge.Error
	switch {
	case errors.As(err, &e) && e.Uncertain: // nobody has seen anything
		certain := *e
		certain.Uncertain = false
		return "", &certain
	case err == nil && got.ID == "":
		return "", &bridge.Error{Kind: bridge.KindUnavailable, Op: opUpload, Detail: "an answer without an id"}
	default:
		return got.ID, err
	}
}

// form writes the file as the form of a browser.
func (m *media) form() (contentType string, body []byte, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	name := strings.NewReplacer(`\`, "_", `"`, "'").Replace(m.name)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="media"; filename="%s"; filelength=%d`, name, len(m.data))}, //nolint:gocritic // a quoted name would have escapes
		"Content-Type":        {"application/octet-stream"},
	})
	if err == nil {
		_, err = part.Write(m.data)
	}
	err = errors.Join(err, w.Close())
	return w.FormDataContentType(), b.Bytes(), err
}

// sum tells files apart.
func (m *media) sum() string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00", m.kind, m.name) // never fails
	_, _ = h.Write(m.data)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// shelf remembers what was uploaded. A file that is sent again, even after a
// restart, is then the same message to WeCom, which drops the second one.
type shelf struct {
	notes bridge.Notes
	log   *slog.Logger

	mu    sync.Mutex
	read  bool
	items []shelved // the latest last
}

// shelved is a file at WeCom's.
type shelved struct {
	Sum   string `json:"sum"`
	File  string `json:"file"`
	Until int64  `json:"until"` // seconds
}

const (
	shelfNote = "files"
	shelfSize = 50
	shelfLife = 60 * time.Hour // of three days
)

// find returns a file that was uploaded.
func (s *shelf) find(ctx context.Context, sum string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read {
		note, err := s.notes.Note(ctx, shelfNote)
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "the list of uploaded files cannot be read", slog.Any("error", err))
			return "", false
		}
		s.read = true
		_ = json.Unmarshal([]byte(note), &s.items) // without it, files are uploaded again
	}
	for _, item := range s.items {
		if item.Sum == sum && time.Now().Unix() < item.Until {
			return item.File, true
		}
	}
	return "", false
}

// put notes a file before it is sent.
func (s *shelf) put(ctx context.Context, sum, file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.items = slices.DeleteFunc(s.items, func(i shelved) bool { return i.Sum == sum || now.Unix() >= i.Until })
	s.items = append(s.items, shelved{sum, file, now.Add(shelfLife).Unix()})
	s.items = s.items[max(0, len(s.items)-shelfSize):]
	text, err := json.Marshal(s.items)
	if err == nil {
		err = s.notes.Keep(ctx, shelfNote, string(text))
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "the list of uploaded files cannot be kept", slog.Any("error", err))
	}
}

// drop forgets a file.
func (s *shelf) drop(sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = slices.DeleteFunc(s.items, func(i shelved) bool { return i.Sum == sum })
}

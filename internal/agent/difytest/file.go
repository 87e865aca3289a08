package difytest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// part reads the one file of a form.
func part(c *call) (*File, *Refusal) {
	_ = c.r.ParseMultipartForm(32 << 20)
	if c.r.MultipartForm == nil || len(c.r.MultipartForm.File["file"]) == 0 {
		return nil, &Refusal{http.StatusBadRequest, "no_file_uploaded", "Please upload your file."}
	}
	all := c.r.MultipartForm.File["file"]
	if len(all) > 1 {
		return nil, &Refusal{http.StatusBadRequest, "too_many_files", "Only one file is allowed."}
	}
	f := &File{Name: all[0].Filename, User: c.user, kind: all[0].Header.Get("Content-Type"), app: c.app}
	if name := nameOf(all[0].Header.Get("Content-Disposition")); name != "" {
		f.Name = name // which Go has shortened to what follows the last slash
	}
	body, err := all[0].Open()
	if err != nil {
		return nil, badRequest(err.Error())
	}
	defer func() { _ = body.Close() }()
	if f.Data, err = io.ReadAll(body); err != nil {
		return nil, badRequest(err.Error())
	}
	return f, nil
}

// nameOf is the name of a file as it was sent.
func nameOf(disposition string) string {
	_, name, _ := strings.Cut(disposition, `filename="`)
	name, _, _ = strings.Cut(name, `"`)
	return name
}

func (f *File) extension() string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), "."))
}

// limit is how large a file may be, which goes by its extension.
func (f *File) limit() int {
	switch {
	case slices.Contains([]string{"jpg", "jpeg", "png", "webp", "gif", "svg"}, f.extension()):
		return 10 << 20
	case slices.Contains([]string{"mp4", "mov", "mpeg", "webm"}, f.extension()):
		return 100 << 20
	case slices.Contains([]string{"mp3", "m4a", "wav", "amr", "mpga"}, f.extension()):
		return 50 << 20
	}
	return 15 << 20
}

func (s *Server) upload(c *call) {
	f, refusal := part(c)
	switch {
	case refusal != nil:
	case strings.ContainsAny(f.Name, `/\`):
		refusal = invalidParam("Filename contains invalid characters")
	case f.kind == "":
		refusal = &Refusal{http.StatusUnsupportedMediaType, "unsupported_file_type", "File type not allowed."}
	case len(f.Data) > f.limit():
		refusal = &Refusal{http.StatusRequestEntityTooLarge, "file_too_large", ""}
	}
	if refusal != nil {
		refusal.send(c)
		return
	}
	id := s.id()
	s.files[id] = f
	say(c, http.StatusCreated, object{
		"id", id, "reference", nil, "name", f.Name, "size", len(f.Data), "extension", f.extension(), "mime_type", f.kind, "created_by", s.user(c.app, c.user),
		"created_at", now(), "preview_url", nil, "source_url", s.address(id), "original_url", nil, "user_id", nil, "tenant_id", s.tenant,
		"conversation_id", nil, "file_key", nil,
	})
}

// address is the signed address of a file.
func (s *Server) address(id string) string { return s.URL + signedPath(id) }

func signedPath(id string) string {
	return fmt.Sprintf("/files/%s/file-preview?timestamp=%d&nonce=%032d&sign=%043d%%3D", id, now(), 1, 1)
}

// signed answers with a file to whoever has its address.
func (s *Server) signed(c *call) {
	f := s.files[c.r.PathValue("uuid")]
	if f == nil || c.r.FormValue("sign") == "" {
		(&Refusal{http.StatusNotFound, "file_not_found", "The requested file was not found."}).send(c)
		return
	}
	f.show(c)
}

func (f *File) show(c *call) {
	kind := f.kind
	if kind == "" {
		kind = http.DetectContentType(f.Data)
	}
	if strings.HasPrefix(kind, "text/") {
		kind += "; charset=utf-8"
	}
	if c.r.URL.Query().Get("as_attachment") == "true" {
		kind = "application/octet-stream"
		c.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(f.Name))
	}
	c.Header().Set("Content-Type", kind)
	c.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = c.Write(f.Data)
}

// preview answers with a file that came with a message, whoever's it is.
func (s *Server) preview(c *call) {
	f := s.files[c.r.PathValue("uuid")]
	switch {
	case f == nil || !f.attached:
		(&Refusal{http.StatusNotFound, "file_not_found", "File not found in message context"}).send(c)
	case f.app != c.app:
		(&Refusal{http.StatusForbidden, "file_access_denied", "File access denied: not owned by requesting app"}).send(c)
	default:
		f.show(c)
	}
}

func (*Server) listen(c *call) {
	if !c.app.wants.Speech.Enabled {
		(&Refusal{http.StatusBadRequest, "speech_to_text_disabled", "Speech to text is disabled."}).send(c)
		return
	}
	f, refusal := part(c)
	switch {
	case refusal != nil && refusal.Code == "no_file_uploaded":
		badRequest("The browser (or proxy) sent a request that this server could not understand.").send(c)
	case refusal != nil:
		refusal.send(c)
	case !slices.Contains([]string{"audio/mp3", "audio/m4a", "audio/wav", "audio/amr", "audio/mpga"}, f.kind):
		(&Refusal{http.StatusUnsupportedMediaType, "unsupported_audio_type", "Audio type not allowed."}).send(c)
	case len(f.Data) > 30<<20:
		(&Refusal{http.StatusRequestEntityTooLarge, "audio_too_large", "Audio size larger than 30 mb"}).send(c)
	default:
		say(c, http.StatusOK, object{"text", c.app.Heard})
	}
}

// voice reads something aloud.
func (*Server) voice(c *call) {
	if !c.app.wants.Speaks.Enabled {
		invalidParam("TTS is not enabled").send(c)
		return
	}
	c.Header().Set("Content-Type", "audio/mpeg")
	_, _ = c.Write([]byte("ID3"))
}

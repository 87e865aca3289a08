package simulator

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// wecomKeeps is how long WeCom keeps a file.
const wecomKeeps = 72 * time.Hour

// wecomFile is a file that somebody sent or uploaded.
type wecomFile struct {
	kind, name string
	data       []byte
	until      time.Time
}

// wecomMedia is the content of a message that is a file.
type wecomMedia struct {
	ID string `json:"media_id"`
}

// wecomMost are the limits of uploads, in bytes (page 96484).
func wecomMost() map[string]int {
	return map[string]int{"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}
}

func (s *wecomServer) keep(f wecomFile) string {
	f.until = s.now().Add(wecomKeeps)
	id := s.nextID("media-")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files.put(id, f)
	return id
}

func (s *wecomServer) upload(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	kind := r.URL.Query().Get("type")
	most := wecomMost()[kind]
	data, no := part(r, "media", 20<<20)
	switch {
	case most == 0:
		werr(w, 40005, "invalid type")
	case no != nil && no.code == 234006, len(data) > most, no == nil && len(data) <= 5:
		werr(w, 40006, "invalid media size")
	case no != nil:
		werr(w, 41005, "missing media data")
	case !wecomTakes(kind, data):
		werr(w, 40004, "invalid media type")
	default:
		id := s.keep(wecomFile{kind: kind, name: r.MultipartForm.File["media"][0].Filename, data: data})
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "", "type": kind, "media_id": id, "created_at": fmt.Sprint(s.now().Unix())})
	}
}

// wecomTakes says whether a file is of a type.
func wecomTakes(kind string, data []byte) bool {
	switch kind {
	case "image":
		t := http.DetectContentType(data)
		return t == "image/png" || t == "image/jpeg"
	case "voice":
		return strings.HasPrefix(string(data), "#!AMR")
	case "video":
		return http.DetectContentType(data) == "video/mp4"
	default:
		return true
	}
}

// fileText is what people see of a file of the bot's: "" when the message is none,
// and false when there is no such file.
func (s *wecomServer) fileText(kind string, image, voice, file *wecomMedia) (string, bool) {
	m := map[string]*wecomMedia{"image": image, "voice": voice, "file": file}[kind]
	if m == nil {
		return "", true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files.get(m.ID)
	if !ok || f.kind != kind || !s.now().Before(f.until) {
		return "", false
	}
	return map[string]string{"image": "🖼 ", "voice": "🎤 ", "file": "📎 "}[kind] + f.name, true
}

// download gives a file; an error comes as JSON in its place.
func (s *wecomServer) download(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	s.mu.Lock()
	f, ok := s.files.get(r.URL.Query().Get("media_id"))
	s.mu.Unlock()
	if !ok || !s.now().Before(f.until) {
		werr(w, 40007, "invalid media_id")
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(f.data))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	_, _ = w.Write(f.data)
}

// enclose keeps an employee's file and returns the type of its message and its id.
func (s *wecomServer) enclose(f File) (kind, id string) {
	kind = map[bridge.FileKind]string{bridge.FileImage: "image", bridge.FileAudio: "voice", bridge.FileVideo: "video", bridge.FileOther: "file"}[f.Kind]
	return kind, s.keep(wecomFile{kind: kind, name: f.Name, data: f.Data})
}

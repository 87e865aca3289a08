package simulator

import (
	"io"
	"net/http"
	"slices"

	"switchboard/internal/bridge"
)

const (
	feishuMaxImage = 10 << 20
	feishuMaxFile  = 30 << 20
)

// feishuFile is a file that somebody sent or uploaded.
type feishuFile struct {
	image   bool
	name    string
	data    []byte
	message string // whose it is; empty when the bot uploaded it
}

// keep stores a file and returns its key.
func (s *feishuServer) keep(f feishuFile) string {
	key := s.nextID(map[bool]string{true: "img_v3_", false: "file_v3_"}[f.image])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files.put(key, f)
	return key
}

// enclose puts an employee's file into a message and returns its type and content.
func (s *feishuServer) enclose(message string, f File) (kind, content string) {
	key := s.keep(feishuFile{image: f.Kind == bridge.FileImage, name: f.Name, data: f.Data, message: message})
	switch f.Kind {
	case bridge.FileImage:
		return "image", encoded(map[string]any{"image_key": key})
	case bridge.FileAudio:
		return "audio", encoded(map[string]any{"file_key": key, "duration": 1000})
	case bridge.FileVideo:
		return "media", encoded(map[string]any{"file_key": key, "file_name": f.Name, "duration": 1000})
	case bridge.FileOther:
	}
	return "file", encoded(map[string]any{"file_key": key, "file_name": f.Name})
}

// download is the one API that answers with a file.
func (s *feishuServer) download(w http.ResponseWriter, r *http.Request) {
	f, no := s.resource(r)
	if no != nil {
		no.write(w)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(f.data))
	w.Header().Set("X-Tt-Logid", random())
	_, _ = w.Write(f.data)
}

func (s *feishuServer) resource(r *http.Request) (feishuFile, *refusal) {
	if no := s.admitted(r); no != nil {
		return feishuFile{}, no
	}
	kind := r.URL.Query().Get("type")
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files.get(r.PathValue("key"))
	switch {
	case kind != "image" && kind != "file":
		return feishuFile{}, refuse(234001, "Invalid request param.")
	case !ok || f.message != r.PathValue("message") || f.image != (kind == "image"):
		return feishuFile{}, refuse(234003, "File not in msg.")
	default:
		return f, nil
	}
}

func (s *feishuServer) uploadImage(r *http.Request) (any, *refusal) {
	data, no := part(r, "image", feishuMaxImage)
	switch {
	case no != nil:
		return nil, no
	case r.FormValue("image_type") != "message":
		return nil, refuse(234001, "Invalid request param.")
	case http.DetectContentType(data)[:6] != "image/":
		return nil, refuse(234011, "Can't recognize the image format.")
	}
	return map[string]string{"image_key": s.keep(feishuFile{image: true, data: data})}, nil
}

func (s *feishuServer) uploadFile(r *http.Request) (any, *refusal) {
	data, no := part(r, "file", feishuMaxFile)
	name := r.FormValue("file_name")
	switch {
	case no != nil:
		return nil, no
	case !slices.Contains([]string{"opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"}, r.FormValue("file_type")) || name == "":
		return nil, refuse(234001, "Invalid request param.")
	}
	return map[string]string{"file_key": s.keep(feishuFile{name: name, data: data})}, nil
}

// part reads the file of a form.
func part(r *http.Request, name string, limit int64) (data []byte, no *refusal) {
	file, _, err := r.FormFile(name)
	if err != nil {
		return nil, refuse(234001, "Invalid request param.")
	}
	defer file.Close() //nolint:errcheck // it was read
	data, err = io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case err != nil:
		return nil, refuse(234001, "Invalid request param.")
	case len(data) == 0:
		return nil, refuse(234010, "File's size can't be 0.")
	case int64(len(data)) > limit:
		return nil, refuse(234006, "The file size exceed the max value.")
	}
	return data, nil
}

// fileText is what people see of a picture or a file of the bot's; empty when
// it is not the bot's own. s.mu is held.
func (s *feishuServer) fileText(image bool, key string) string {
	f, ok := s.files.get(key)
	if !ok || f.image != image || f.message != "" {
		return ""
	}
	if image {
		return "🖼"
	}
	return "📎 " + f.name
}

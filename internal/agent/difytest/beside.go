package difytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

// part reads the one file of a form.
func part(w http.ResponseWriter, r *http.Request) (f File, kind string, ok bool) {
	if r.ParseMultipartForm(32<<20) != nil || len(r.MultipartForm.File["file"]) == 0 {
		refuse(w, http.StatusBadRequest, "no_file_uploaded", "Please upload your file.")
		return f, "", false
	}
	head := r.MultipartForm.File["file"][0]
	body, err := head.Open()
	if err != nil {
		return f, "", false
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	return File{head.Filename, r.FormValue("user"), data}, head.Header.Get("Content-Type"), err == nil
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	f, kind, ok := part(w, r)
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), "."))
	limit := map[bool]int{true: 10, false: 15}[slices.Contains([]string{"jpg", "jpeg", "png", "webp", "gif", "svg"}, extension)]
	switch {
	case !ok:
		return
	case strings.ContainsAny(f.Name, `/\`):
		refuse(w, http.StatusBadRequest, "invalid_param", "Filename contains invalid characters")
		return
	case kind == "":
		refuse(w, http.StatusUnsupportedMediaType, "unsupported_file_type", "File type not allowed.")
		return
	case len(f.Data) > limit<<20:
		refuse(w, http.StatusRequestEntityTooLarge, "file_too_large", "")
		return
	}
	id := s.id()
	s.files[id] = f
	body, _ := json.Marshal(map[string]any{"id": id, "name": f.Name, "size": len(f.Data), "extension": extension, "mime_type": kind, "created_at": 1795329444})
	say(w, http.StatusCreated, string(body))
}

func (s *Server) preview(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[r.PathValue("id")]
	if !ok || r.FormValue("sign") == "" {
		refuse(w, http.StatusNotFound, "file_not_found", "The requested file was not found.")
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(f.Data))
	_, _ = w.Write(f.Data)
}

func (s *Server) listen(w http.ResponseWriter, r *http.Request) {
	_, kind, ok := part(w, r)
	switch {
	case !strings.Contains(strings.ReplaceAll(s.app.Parameters, " ", ""), `"speech_to_text":{"enabled":true}`):
		refuse(w, http.StatusBadRequest, "speech_to_text_disabled", "Speech to text is disabled.")
	case !ok:
	case !slices.Contains([]string{"audio/mp3", "audio/m4a", "audio/wav", "audio/amr", "audio/mpga"}, kind):
		refuse(w, http.StatusUnsupportedMediaType, "unsupported_audio_type", "Audio type not allowed.")
	default:
		body, _ := json.Marshal(map[string]string{"text": s.app.Heard})
		say(w, http.StatusOK, string(body))
	}
}

// owned refuses a message that is not the user's, as if there were none.
func (s *Server) owned(w http.ResponseWriter, id, user string) bool {
	switch owner, known := s.messages[id]; {
	case noUser(w, user):
	case !isID(id):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, "<!doctype html><title>404 Not Found</title>")
	case !known || owner != user:
		refuse(w, http.StatusNotFound, "not_found", "Message Not Exists.")
	default:
		return true
	}
	return false
}

func (s *Server) rate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Rating *string
		User   string
	}
	if !read(w, r, &body) || !s.owned(w, r.PathValue("id"), body.User) {
		return
	}
	id, rating := r.PathValue("id"), ""
	if body.Rating != nil {
		rating = *body.Rating
	}
	switch {
	case body.Rating == nil && s.liked[id] == "":
		refuse(w, http.StatusBadRequest, "invalid_param", "rating cannot be None when feedback not exists")
		return
	case body.Rating != nil && rating != "like" && rating != "dislike":
		refuse(w, http.StatusBadRequest, "invalid_param", "1 validation error for MessageFeedbackPayload")
		return
	}
	s.liked[id] = rating
	s.rated = append(s.rated, Rating{id, body.User, rating})
	say(w, http.StatusOK, `{"result":"success"}`)
}

func (s *Server) suggest(w http.ResponseWriter, r *http.Request) {
	if !s.owned(w, r.PathValue("id"), r.FormValue("user")) {
		return
	}
	if !strings.Contains(strings.ReplaceAll(s.app.Parameters, " ", ""), `"suggested_questions_after_answer":{"enabled":true}`) {
		refuse(w, http.StatusBadRequest, "bad_request", "Suggested Questions Is Disabled.")
		return
	}
	body, _ := json.Marshal(map[string]any{"result": "success", "data": append([]string{}, s.app.Suggested...)})
	say(w, http.StatusOK, string(body))
}

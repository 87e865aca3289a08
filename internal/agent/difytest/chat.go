package difytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// chat answers a question as a stream.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	var q Question
	if !read(w, r, &q) || noUser(w, q.User) || !s.fits(w, &q) {
		return
	}
	if q.Conversation == "" {
		q.Conversation = s.id()
		s.conversations[q.Conversation] = q.User
	}
	s.asked = append(s.asked, q)
	message, run := s.id(), s.id()
	s.messages[message] = q.User
	ids := fmt.Sprintf(`"conversation_id":%q,"message_id":%q,"created_at":1795329041,"task_id":%q`, q.Conversation, message, run)
	if s.app.Mode == "advanced-chat" {
		ids += fmt.Sprintf(`,"workflow_run_id":%q`, run)
	}
	stream := begin(w)
	a := s.app.Answer(q)
	if a.Tool != "" {
		stream(`{"event":"agent_thought",%s,"id":%q,"position":1,"thought":"","observation":"","tool":%q,"tool_labels":{},"tool_input":"{}","message_files":[]}`, ids, s.id(), a.Tool)
	}
	text, _ := json.Marshal(a.Text)
	stream(`{"event":"message",%s,"id":%q,"answer":%s}`, ids, message, text)
	if a.Form != "" {
		s.pause(stream, a, ids, run, q.User)
		return
	}
	if a.Picture != nil {
		id := s.id()
		s.files[id] = File{Name: "picture.png", Data: a.Picture}
		stream(`{"event":"message_file",%s,"id":%q,"type":"image","belongs_to":"assistant","url":"/files/%s/file-preview?timestamp=1&nonce=x&sign=y"}`, ids, id, id)
	}
	stream(`{"event":"message_end",%s,"id":%q,"metadata":{%s},"files":[]}`, ids, message, metadata(a))
}

// metadata is what stands behind an answer.
func metadata(a Answer) string {
	var sources []string
	for n, title := range a.Sources {
		sources = append(sources, fmt.Sprintf(`{"position":%d,"document_name":%q,"score":0.9,"content":"…"}`, n+1, title))
	}
	return `"retriever_resources":[` + strings.Join(sources, ",") + `],"usage":{"total_tokens":20,"total_price":"0.000028","currency":"USD","latency":0.17}`
}

// begin starts a stream.
func begin(w http.ResponseWriter) func(format string, args ...any) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	_, _ = fmt.Fprint(w, "event: ping\n\n")
	return func(format string, args ...any) {
		_, _ = fmt.Fprintf(w, "data: "+format+"\n\n", args...)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
}

// fits refuses what a real server refuses, in its order.
func (s *Server) fits(w http.ResponseWriter, q *Question) bool {
	switch user, known := s.conversations[q.Conversation]; {
	case q.Inputs == nil:
		refuse(w, http.StatusBadRequest, "invalid_param", "inputs is required in input form")
	case q.Query == "":
		refuse(w, http.StatusBadRequest, "invalid_param", "query is required")
	case q.Conversation != "" && !isID(q.Conversation):
		refuse(w, http.StatusBadRequest, "invalid_param", q.Conversation+" is not a valid uuid.")
	case q.Conversation != "" && (!known || user != q.User):
		refuse(w, http.StatusNotFound, "not_found", "Conversation Not Exists. You have requested this URI [/v1/chat-messages] but did you mean /v1/chat-messages ?")
	default:
		return s.asks(w, q) && s.attaches(w, q)
	}
	return false
}

// asks wants every required variable of the form.
func (s *Server) asks(w http.ResponseWriter, q *Question) bool {
	var p struct {
		Form []map[string]struct {
			Variable string
			Required bool
			Options  []string
		} `json:"user_input_form"`
	}
	_ = json.Unmarshal([]byte(s.app.Parameters), &p)
	for _, item := range p.Form {
		for kind, v := range item {
			value, have := q.Inputs[v.Variable]
			switch {
			case v.Required && !have:
				refuse(w, http.StatusBadRequest, "invalid_param", v.Variable+" is required in input form")
				return false
			case have && kind == "select" && !strings.Contains(strings.Join(v.Options, "\x00"), fmt.Sprint(value)):
				refuse(w, http.StatusBadRequest, "invalid_param", v.Variable+" in input form must be one of the following: "+fmt.Sprint(v.Options))
				return false
			}
		}
	}
	return true
}

// attaches looks the files up: only the user's own count, and none where the app
// has not enabled them.
func (s *Server) attaches(w http.ResponseWriter, q *Question) bool {
	var p struct {
		Upload struct {
			Enabled bool
			Types   []string `json:"allowed_file_types"`
			Most    int      `json:"number_limits"`
		} `json:"file_upload"`
	}
	_ = json.Unmarshal([]byte(s.app.Parameters), &p)
	if !p.Upload.Enabled {
		return true
	}
	for _, ref := range q.Files {
		file, known := s.files[ref.ID]
		switch {
		case ref.Method == "": // skipped without a word
			continue
		case !known || file.User != q.User:
			refuse(w, http.StatusBadRequest, "invalid_param", "Invalid upload file")
			return false
		case len(p.Upload.Types) > 0 && !strings.Contains(strings.Join(p.Upload.Types, " "), ref.Type):
			refuse(w, http.StatusBadRequest, "invalid_param", "File validation failed for file: "+file.Name)
			return false
		}
		q.Sent = append(q.Sent, file)
	}
	if p.Upload.Most > 0 && len(q.Sent) > p.Upload.Most {
		refuse(w, http.StatusBadRequest, "invalid_param", fmt.Sprintf("Number of files exceeds the maximum limit %d", p.Upload.Most))
		return false
	}
	return true
}

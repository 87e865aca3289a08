package difytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Key is the key of the app.
const Key = "app-right"

// App is the app that the server has.
type App struct {
	// Mode is chat, agent-chat, advanced-chat, workflow or completion; default
	// chat.
	Mode string
	// Parameters is the answer of GET /parameters; default {}.
	Parameters string
	// Answer says what a question is answered with; default its own words.
	Answer func(Question) Answer
	// Heard is what any voice message says.
	Heard string
	// Suggested are the questions after each answer.
	Suggested []string
}

// Question is one that the app was asked.
type Question struct {
	Query        string         `json:"query"`
	Inputs       map[string]any `json:"inputs"`
	User         string         `json:"user"`
	Conversation string         `json:"conversation_id"`
	Mode         string         `json:"response_mode"`
	Files        []Ref          `json:"files"`
	// Sent are the files themselves.
	Sent []File `json:"-"`
}

// Ref names an uploaded file in a question.
type Ref struct {
	Type   string `json:"type"`
	Method string `json:"transfer_method"`
	ID     string `json:"upload_file_id"`
}

// File is a file that the server keeps.
type File struct {
	Name, User string
	Data       []byte
}

// Answer is what an app says.
type Answer struct {
	Text string
	// Tool is used before.
	Tool string
	// Picture, if set, comes with the answer.
	Picture []byte
	// Sources are the titles of documents.
	Sources []string
	// Form, if set, is asked before After is said.
	Form  string
	After string
}

// Rating is what a user thinks of a message.
type Rating struct{ Message, User, Rating string }

// Server is a Dify server. Make one with New.
type Server struct {
	*httptest.Server

	app App
	tb  testing.TB

	mu            sync.Mutex
	next          int
	conversations map[string]string // the user of each
	messages      map[string]string // the user of each
	files         map[string]File
	asked         []Question
	rated         []Rating
	liked         map[string]string // the rating of each message
	forms         map[string]*waiting
}

// waiting is a run that waits for a decision.
type waiting struct {
	run, user, ids, text, after string
	decided                     string
}

// New starts a server; it ends with the test.
func New(tb testing.TB, app App) *Server {
	tb.Helper()
	if app.Mode == "" {
		app.Mode = "chat"
	}
	if app.Parameters == "" {
		app.Parameters = "{}"
	}
	if app.Answer == nil {
		app.Answer = func(q Question) Answer { return Answer{Text: "Dify heard " + q.Query} }
	}
	s := &Server{
		app: app, tb: tb, conversations: map[string]string{}, messages: map[string]string{}, files: map[string]File{},
		liked: map[string]string{}, forms: map[string]*waiting{},
	}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /v1/info": s.info, "GET /v1/parameters": s.parameters, "POST /v1/chat-messages": s.chat, "POST /v1/files/upload": s.upload,
		"POST /v1/audio-to-text": s.listen, "POST /v1/messages/{id}/feedbacks": s.rate, "GET /v1/messages/{id}/suggested": s.suggest,
		"POST /v1/form/human_input/{token}": s.decide, "GET /v1/workflow/{run}/events": s.events,
		"POST /v1/chat-messages/{task}/stop": func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, `{"result":"success"}`) },
	} {
		mux.HandleFunc(pattern, s.keyed(handle))
	}
	mux.HandleFunc("GET /files/{id}/file-preview", s.preview) // signed, so without a key
	s.Server = httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s
}

// Asked returns the questions so far.
func (s *Server) Asked() []Question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Question(nil), s.asked...)
}

// Rated returns what messages were rated, in order.
func (s *Server) Rated() []Rating {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Rating(nil), s.rated...)
}

func (s *Server) keyed(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", "1.16.0")
		if r.Header.Get("Authorization") != "Bearer "+Key {
			w.Header().Set("Www-Authenticate", `Bearer realm="api"`)
			refuse(w, http.StatusUnauthorized, "unauthorized", "Access token is invalid")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		handle(w, r)
	}
}

func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, body)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	body, _ := json.Marshal(map[string]any{"code": code, "message": message, "status": status})
	say(w, status, string(body))
}

func (s *Server) id() string {
	s.next++
	return fmt.Sprintf("11111111-2222-4333-8444-%012d", s.next)
}

func isID(id string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id)
}

func (s *Server) info(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, `{"name":"Help","description":"","tags":[],"mode":"`+s.app.Mode+`","author_name":"x"}`)
}

func (s *Server) parameters(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, s.app.Parameters)
}

// read decodes a body as strictly as the server.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		refuse(w, http.StatusUnsupportedMediaType, "unsupported_media_type", "Did not attempt to load JSON data")
		return false
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", "Failed to decode JSON object")
		return false
	}
	return true
}

func noUser(w http.ResponseWriter, user string) bool {
	if user == "" {
		refuse(w, http.StatusBadRequest, "invalid_param", "Arg user must be provided.")
	}
	return user == ""
}

package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mood is what the agent does about one request.
type mood string

// The moods of an agent. The default is to answer.
const (
	moodRefuseKey mood = "401"         // the key is wrong
	moodBusy      mood = "429"         // too many requests, and when to come again
	moodCrowded   mood = "400 busy"    // too many requests, in Dify's other way
	moodGateway   mood = "502"         // a page of a proxy
	moodReset     mood = "reset"       // the connection breaks before the first byte
	moodSlow      mood = "slow"        // a silence before the first text
	moodCut       mood = "cut"         // the stream breaks off after the first text
	moodForgotten mood = "forgotten"   // 404: there is no such conversation
	moodError     mood = "error"       // an error event before any text
	moodLateError mood = "late error"  // an error event after the first text
	moodLong      mood = "ten minutes" // stops in the middle until it may go on
	moodHuge      mood = "huge"        // more than a message of any platform holds
	moodWhole     mood = "whole"       // one piece of JSON, though a stream was asked for
	moodFew       mood = "few"         // too many requests, if there are more than atOnce
)

// atOnce is how many questions the agent hears at a time.
const atOnce = 5

// sick is Dify chat apps, one for each key, whose requests go as the moods say;
// the last mood stays.
type sick struct {
	address string
	moods   []mood
	half    chan struct{} // a token for each long answer that is half said
	goOn    chan struct{} // closed when they may go on

	flow bool // they are chatflows

	connections atomic.Int64

	mu    sync.Mutex
	asked map[string]int    // questions by key
	now   map[string]int    // of these, those being answered
	crowd map[string]int    // the largest number of those
	last  map[string]string // the last question by key
}

func newSick(t *testing.T, moods []mood) *sick {
	t.Helper()
	s := &sick{
		moods: moods, half: make(chan struct{}, 3), goOn: make(chan struct{}), asked: map[string]int{},
		now: map[string]int{}, crowd: map[string]int{}, last: map[string]string{},
	}
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s.address = server.URL
	return s
}

func (s *sick) asks(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[key]
}

// most is how many questions were answered at the same time, at most.
func (s *sick) most(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crowd[key]
}

// next counts a question and returns its turn. It is over when done is called.
func (s *sick) next(key, question string) (m mood, done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[key]++
	s.now[key]++
	s.crowd[key] = max(s.crowd[key], s.now[key])
	s.last[key] = question
	m = s.turn(key)
	if m == moodFew && s.now[key] > atOnce {
		m = moodCrowded
	}
	return m, sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now[key]--
	})
}

// turn is the mood of the newest question. s.mu is held.
func (s *sick) turn(key string) mood {
	if len(s.moods) == 0 {
		return ""
	}
	return s.moods[min(s.asked[key], len(s.moods))-1]
}

func (s *sick) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch _, path, _ := strings.Cut(r.URL.Path, "/v1"); {
	case path == "/info" && s.flow:
		_, _ = io.WriteString(w, `{"name":"Help","mode":"advanced-chat"}`)
	case path == "/info":
		_, _ = io.WriteString(w, `{"name":"Help","mode":"chat"}`)
	case path == "/parameters": // only "enabled" at the top counts
		_, _ = io.WriteString(w, `{"file_upload":{"enabled":false,"image":{"enabled":true,"number_limits":3,"transfer_methods":["local_file"]}}}`)
	case path == "/files/upload": // taken, and left out of the question without a word
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"11111111-2222-4333-8444-666666666666","name":"plan.txt"}`)
	case path == "/chat-messages":
		s.hear(w, r, key)
	case path == "/messages" && r.Method == http.MethodGet:
		s.stored(w, key)
	case strings.HasPrefix(path, "/workflows/run/"):
		_, _ = io.WriteString(w, `{"id":"r","status":"succeeded","outputs":{"answer":"what the moderation has not seen"}}`)
	default:
		http.NotFound(w, r)
	}
}

// hear answers one question, or does not.
func (s *sick) hear(w http.ResponseWriter, r *http.Request, key string) {
	var q struct {
		Query        string `json:"query"`
		Conversation string `json:"conversation_id"`
	}
	_ = json.NewDecoder(r.Body).Decode(&q)
	t, done := s.next(key, q.Query)
	defer done()
	if q.Conversation == "" && (t == moodForgotten || t == moodSilent) {
		t = ""
	}
	switch {
	case refuse(w, t):
	case s.flow:
		flow(w, q.Query, t)
	default:
		s.speak(w, r, key, q.Query, t, done)
	}
}

// refuse does what happens before an answer begins.
func refuse(w http.ResponseWriter, t mood) bool {
	refusals := map[mood]struct {
		status int
		body   string
	}{
		moodRefuseKey: {401, `{"code":"unauthorized","message":"Access token is invalid","status":401}`},
		moodBusy:      {429, `{"code":"too_many_requests","message":"Too many requests. Please try again later.","status":429}`},
		moodCrowded:   {400, `{"code":"invalid_param","message":"Too many requests. Please try again later. The current maximum concurrent requests allowed for 6e5c0f5e is 5.","status":400}`},
		moodForgotten: {404, `{"code":"not_found","message":"Conversation Not Exists. You have requested this URI [/v1/chat-messages] but did you mean /v1/chat-messages or /v1/chat-messages/<string:task_id>/stop ?","status":404}`},
	}
	switch no, refused := refusals[t]; {
	case refused:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(no.status)
		_, _ = io.WriteString(w, no.body)
	case t == moodGateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>502 Bad Gateway</html>")
	case t == moodReset:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

const ids = `"conversation_id":"11111111-2222-4333-8444-555555555555","message_id":"m","task_id":"t"`

const (
	firstHalf  = "You asked: "
	secondHalf = " Here is all I know. (end)"
)

// speak streams an answer. It is done before its end can be heard, as the next
// question may come at once.
func (s *sick) speak(w http.ResponseWriter, r *http.Request, key, question string, t mood, done func()) {
	if t == moodWhole {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"event":"message",%s,"id":"m","mode":"chat","answer":%q,"metadata":{}}`, ids, firstHalf+question+secondHalf)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := http.NewResponseController(w)
	event := func(fields string) {
		_, _ = fmt.Fprintf(w, "data: {%s,%s}\n\n", ids, fields)
		_ = out.Flush()
	}
	text := func(text string) { event(fmt.Sprintf(`"event":"message","answer":%q`, text)) }
	const failed = `"event":"error","status":400,"code":"completion_request_error","message":"the model is away"`
	switch t { //nolint:exhaustive // all others are another matter
	case moodSlow: // nothing is sent before the first ping
		if !sleep(r.Context(), 10*time.Second) {
			return
		}
		_, _ = io.WriteString(w, "event: ping\n\n")
		_ = out.Flush()
		if !sleep(r.Context(), time.Second) {
			return
		}
	case moodFew: // until there are as many as it hears, and a moment for more
		for s.most(key) < atOnce {
			if !sleep(r.Context(), 5*time.Millisecond) {
				return
			}
		}
		if !sleep(r.Context(), 200*time.Millisecond) {
			return
		}
	case moodError:
		event(failed)
		return
	}
	text(firstHalf)
	text(question)
	switch t { //nolint:exhaustive // all others are another matter
	case moodCut:
		panic(http.ErrAbortHandler)
	case moodLateError:
		event(failed)
		return
	case moodLong:
		s.half <- struct{}{}
		select {
		case <-s.goOn:
		case <-r.Context().Done():
			return
		}
	case moodHuge:
		for n := range hugeLines {
			text(hugeLine(n))
		}
	}
	text(secondHalf)
	done()
	event(`"event":"message_end","metadata":{}`)
}

// hugeLines make an answer of more than 20,000 bytes.
const hugeLines = 300

func hugeLine(n int) string {
	return fmt.Sprintf("\n\nLine %d says 这一行有很多中文字，所以很快就满了。", n)
}

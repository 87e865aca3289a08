package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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
)

// sick is Dify chat apps, one for each key, whose requests go as the moods say;
// the last mood stays.
type sick struct {
	address string
	moods   []mood
	half    chan struct{} // a token for each long answer that is half said
	goOn    chan struct{} // closed when they may go on

	mu    sync.Mutex
	asked map[string]int // questions by key
}

func newSick(t *testing.T, moods []mood) *sick {
	t.Helper()
	s := &sick{moods: moods, half: make(chan struct{}, 3), goOn: make(chan struct{}), asked: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.address = server.URL
	return s
}

func (s *sick) asks(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[key]
}

// next counts a question and returns its turn.
func (s *sick) next(key string) mood {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[key]++
	if len(s.moods) == 0 {
		return ""
	}
	return s.moods[min(s.asked[key], len(s.moods))-1]
}

func (s *sick) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/info"):
		_, _ = io.WriteString(w, `{"name":"Help","mode":"chat"}`)
	case strings.HasSuffix(r.URL.Path, "/parameters"):
		_, _ = io.WriteString(w, `{}`)
	case strings.HasSuffix(r.URL.Path, "/chat-messages"):
		var q struct {
			Query        string `json:"query"`
			Conversation string `json:"conversation_id"`
		}
		_ = json.NewDecoder(r.Body).Decode(&q)
		t := s.next(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if t == moodForgotten && q.Conversation == "" {
			t = ""
		}
		if !refuse(w, t) {
			s.speak(w, r, q.Query, t)
		}
	default:
		http.NotFound(w, r)
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
		moodCrowded:   {400, `{"code":"invalid_param","message":"Too many requests. Please try again later. The current maximum concurrent requests allowed is 3.","status":400}`},
		moodForgotten: {404, `{"code":"not_found","message":"Conversation Not Exists.","status":404}`},
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

const (
	firstHalf  = "You asked: "
	secondHalf = " Here is all I know. (end)"
)

// speak streams an answer.
func (s *sick) speak(w http.ResponseWriter, r *http.Request, question string, t mood) {
	const ids = `"conversation_id":"11111111-2222-4333-8444-555555555555","message_id":"m","task_id":"t"`
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := http.NewResponseController(w)
	event := func(fields string) {
		_, _ = fmt.Fprintf(w, "data: {%s,%s}\n\n", ids, fields)
		_ = out.Flush()
	}
	text := func(text string) { event(fmt.Sprintf(`"event":"message","answer":%q`, text)) }
	const failed = `"event":"error","status":400,"code":"completion_request_error","message":"the model is away"`
	switch t { //nolint:exhaustive // all others are another matter
	case moodSlow:
		_ = out.Flush()
		if !sleep(r.Context(), time.Second) {
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
	event(`"event":"message_end","metadata":{}`)
}

// hugeLines make an answer of more than 20,000 bytes.
const hugeLines = 300

func hugeLine(n int) string {
	return fmt.Sprintf("\n\nLine %d says 这一行有很多中文字，所以很快就满了。", n)
}

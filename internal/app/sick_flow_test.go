package app_test

import (
	"fmt"
	"io"
	"net/http"
)

// The moods of a chatflow, beside those that it shares with a chat app.
const (
	moodFailedLater mood = "failed later" // a run that fails after the message has ended
	moodOtherOrder  mood = "other order"  // the run ends before the message
	moodEndless     mood = "endless"      // the run ends, and the message never
	moodSilent      mood = "silent"       // only pings about a conversation that was forgotten
)

// flow streams the answer of a chatflow. Its failures are those of a run, no
// events of their own, and no message ends after one.
func flow(w http.ResponseWriter, question string, t mood) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := http.NewResponseController(w)
	_, _ = io.WriteString(w, "event: ping\n\n")
	_ = out.Flush()
	if t == moodSilent {
		return // some minutes later, in truth
	}
	event := func(name, fields string) {
		_, _ = fmt.Fprintf(w, "data: {\"event\":%q,%s,\"workflow_run_id\":\"r\",%s}\n\n", name, ids, fields)
		_ = out.Flush()
	}
	text := func(text string) { event("message", fmt.Sprintf(`"id":"m","answer":%q`, text)) }
	ended := func(status, failure string) {
		event("workflow_finished", fmt.Sprintf(`"data":{"id":"r","status":%q,"outputs":{},"error":%q}`, status, failure))
	}
	begin := func() { event("workflow_started", `"data":{"id":"r","workflow_id":"f","inputs":{}}`) }
	begin()
	if t == moodError {
		ended("failed", "the model is away")
		return
	}
	text(firstHalf)
	text(question)
	switch t { //nolint:exhaustive // all others are another matter
	case moodLateError:
		ended("failed", "the model is away")
		return
	case moodCut:
		panic(http.ErrAbortHandler)
	}
	text(secondHalf)
	if t == moodOtherOrder || t == moodEndless {
		ended("succeeded", "")
	}
	if t == moodEndless {
		return
	}
	event("message_end", `"id":"m","metadata":{}`)
	switch t { //nolint:exhaustive // all others are another matter
	case moodFailedLater:
		begin()
		ended("failed", "Workflow stream ended without a terminal event")
	case "":
		ended("succeeded", "")
	}
}

// stored is the conversation as the app keeps it: the answer to the last
// question, whoever heard it, or nothing of a conversation that was forgotten.
func (s *sick) stored(w http.ResponseWriter, key string) {
	s.mu.Lock()
	question, forgotten := s.last[key], s.turn(key) == moodSilent
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if forgotten {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":"not_found","message":"Conversation Not Exists.","status":404}`)
		return
	}
	_, _ = fmt.Fprintf(w, `{"limit":20,"has_more":false,"data":[{"id":"m","answer":%q}]}`, firstHalf+question+secondHalf)
}

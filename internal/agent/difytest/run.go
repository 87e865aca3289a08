package difytest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The states of a flow that is not over.
const (
	running = "running"
	paused  = "paused"
)

// run is one answer, from the question to its end.
type run struct {
	server   *Server
	app      *app
	question Question
	answer   Answer
	task, id string // id is that of a flow's run
	talk     *talk
	message  *message
	made     int64
	turn     int

	events  []string
	changed chan struct{} // closed at every change
	over    bool          // nothing more comes, for now
	cut     int           // after so many events the connection breaks
	stopped chan struct{} // closed by somebody
	left    bool          // the client has left
	places  int
	refusal *Refusal // instead of an answer that is not streamed

	text    string
	status  string // of a flow
	outputs object
	failure string
	steps   int
	nodes   []*node
	form    *form
}

// answer begins an answer and relays it.
func (s *Server) answer(c *call, q Question, streamed bool) {
	r := &run{server: s, app: c.app, question: q, task: s.id(), made: now(), changed: make(chan struct{}), stopped: make(chan struct{}), places: 1, status: running}
	if streamed && c.app.flows() {
		r.places = 2
	}
	c.app.active += r.places
	c.app.runs[r.task] = r
	if c.app.flows() {
		r.id = s.id()
		c.app.runs[r.id] = r
		if streamed {
			if refusal := s.late(c.app, &r.question); refusal != nil {
				r.stillborn(refusal.Message)
				r.relay(c, nil, 0, false)
				return
			}
		}
	}
	if c.app.Mode != workflow {
		r.message = &message{id: s.id(), user: q.User, query: q.Query, inputs: q.inputs, status: "normal", made: r.made}
		c.app.messages[r.message.id] = r.message
	}
	if c.app.Mode != workflow && c.app.Mode != completion {
		if r.talk = c.app.talks[q.Conversation]; r.talk == nil {
			r.talk = s.begin(c.app, q.User, q)
		}
		r.question.Conversation = r.talk.id
		r.talk.messages = append(r.talk.messages, r.message)
		s.touch(r.talk)
	}
	s.asked = append(s.asked, r.question)
	go r.begin(c.app.Answer)
	if streamed {
		r.relay(c, nil, 0, false)
		return
	}
	s.await(c, r)
	if r.left {
		return
	}
	if r.refusal != nil {
		r.refusal.send(c)
		return
	}
	c.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = fmt.Fprint(c, spaced(r.whole()))
}

// begin makes the answer. The lock is the server's all the time, but while the
// app thinks.
func (r *run) begin(app func(Question) Answer) {
	answer := app(r.question)
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.answer = answer
	if r.app.flows() {
		r.flow()
	} else {
		r.speak()
	}
}

// publish tells what comes of the answer next.
func (r *run) publish(event object) {
	r.events = append(r.events, "data: "+compact(event)+"\n\n")
	close(r.changed)
	r.changed = make(chan struct{})
}

// end says that nothing more comes.
func (r *run) end() {
	r.over = true
	r.app.active -= r.places
	r.places = 0
	close(r.changed)
	r.changed = make(chan struct{})
}

// say says the pieces of the answer, each as tell makes an event of it. It returns
// false when somebody stopped it, which does not wait for the next piece, or when it
// is lost with the connection.
func (r *run) say(tell func(string) object) bool {
	r.server.mu.Unlock()
	said := make(chan struct{})
	go func() {
		defer close(said)
		n := 0
		for piece := range r.answer.parts() {
			if n++; !r.sayPiece(n, piece, tell) {
				return
			}
		}
	}()
	select {
	case <-said:
	case <-r.stopped:
	}
	r.server.mu.Lock()
	return !r.halted()
}

func (r *run) sayPiece(n int, piece string, tell func(string) object) bool {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if r.halted() {
		return false
	}
	r.text += piece
	if n == r.answer.Cut {
		r.cut, r.left = len(r.events)+1, true
	}
	r.publish(tell(piece))
	return true
}

func (r *run) halted() bool { return r.isStopped() || r.left && !r.app.flows() }

func (r *run) isStopped() bool {
	select {
	case <-r.stopped:
		return true
	default:
		return false
	}
}

// relay streams what comes of an answer, from some event on, to its end; a pause is
// none for the patient.
func (r *run) relay(c *call, before []string, at int, patient bool) {
	s := r.server
	c.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := http.NewResponseController(c.ResponseWriter)
	if r.app.flows() {
		_, _ = fmt.Fprint(c, "event: ping\n\n"+strings.Join(before, ""))
		_ = out.Flush()
	}
	silence := r.app.Ping
	ping := time.NewTimer(silence)
	defer ping.Stop()
	for {
		for ; at < len(r.events); at++ {
			_, _ = fmt.Fprint(c, r.events[at])
			_ = out.Flush()
			if at+1 == r.cut {
				panic(http.ErrAbortHandler)
			}
		}
		if r.over && (!patient || r.status != paused) {
			return
		}
		changed := r.changed
		s.mu.Unlock()
		ping.Reset(silence)
		select {
		case <-changed:
			s.mu.Lock()
		case <-c.r.Context().Done():
			s.mu.Lock()
			r.left = true
			return
		case <-ping.C:
			s.mu.Lock()
			_, _ = fmt.Fprint(c, "event: ping\n\n")
			_ = out.Flush()
		}
	}
}

// await waits for the end of an answer.
func (s *Server) await(c *call, r *run) {
	for !r.over {
		changed := r.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-c.r.Context().Done():
		}
		s.mu.Lock()
		if c.r.Context().Err() != nil {
			r.left = true
			return
		}
	}
}

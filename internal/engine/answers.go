package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// errStopped: the person wants no more of this answer.
var errStopped = errors.New("engine: stopped on request")

// stopPatience is how long an agent may take to hear that it is to stop.
const stopPatience = 5 * time.Second

// answers are the answers being given by this process, so that a command beside
// them can stop them. The zero value works.
type answers struct {
	mu   sync.Mutex
	open map[int64]*answering // by job
}

// answering is one answer. It is kept between two attempts: who reads "thinking"
// may stop that too.
type answering struct {
	scope, person string
	cancel        context.CancelCauseFunc // nil between attempts
	stopped       bool
}

// listen returns a context for hearing an answer, which a stop ends, and a
// function to call with what came of it: it returns errStopped when the answer
// was cut off by a stop, and the same error otherwise.
func (a *answers) listen(ctx context.Context, job int64, scope, person string) (context.Context, func(error) error) {
	ctx, cancel := context.WithCancelCause(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = map[int64]*answering{}
	}
	this := a.open[job]
	if this == nil {
		this = &answering{scope: scope, person: person}
		a.open[job] = this
	}
	this.cancel = cancel
	if this.stopped {
		cancel(errStopped)
	}
	return ctx, func(err error) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		this.cancel = nil
		cancel(nil)
		switch {
		case err == nil:
			delete(a.open, job) // heard to the end; there is nothing left to stop
		case this.stopped:
			return errStopped
		}
		return err
	}
}

// stop ends those answers that are meant and that somebody may stop; others counts
// the ones that they may not.
func (a *answers) stop(meant func(job int64, scope string) bool, may func(person string) bool) (stopped, others int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for job, this := range a.open {
		switch {
		case !meant(job, this.scope) || this.stopped:
			continue
		case !may(this.person):
			others++
			continue
		}
		stopped++
		this.stopped = true
		if this.cancel != nil {
			this.cancel(errStopped)
		}
	}
	return stopped, others
}

// end forgets an answer.
func (a *answers) end(job int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, job)
}

// stop stops the answers that somebody waits for. In a group these are one's
// own, unless an admin says it. A click is about one answer, which shows that it
// was stopped.
func (e *Engine) stop(_ context.Context, v Visit) (Answer, error) {
	meant := func(_ int64, scope string) bool { return scope == v.Scope }
	if v.About != nil {
		meant = func(job int64, _ string) bool { return job == v.About.Job.ID }
	}
	stopped, others := e.answers.stop(meant, func(person string) bool { return person == v.Person.ID || v.Role == bridge.RoleAdmin })
	switch {
	case v.About != nil:
		return Answer{}, nil
	case stopped > 0:
		return Answer{Text: v.Say("router.command.stopped")}, nil
	case others > 0:
		return Answer{Text: v.Say("router.command.stop_other")}, nil
	default:
		return Answer{Text: v.Say("router.command.stop_nothing")}, nil
	}
}

// stopped closes an answer that the person wanted no more of; what is there
// stays. An agent that can be told is told, so that it does not go on unheard.
func (t *trip) stopped(ctx context.Context, agent bridge.Agent, h *hearing) error {
	t.note(bridge.EntryStopped, time.Since(h.started), "", "")
	if s, ok := agent.(bridge.Stopper); ok && t.out.Row().Run != (bridge.Run{}) {
		short, cancel := context.WithTimeout(ctx, stopPatience)
		defer cancel()
		if err := s.Stop(short, t.route.Session.Conversation, t.out.Row().Run); err != nil {
			t.log.LogAttrs(ctx, slog.LevelWarn, "an agent did not stop", slog.Int64("job_id", t.job.ID), slog.Any("error", err))
		}
	}
	t.noteMasked(ctx, h.veil.findings())
	t.offerRetry()
	text := t.say("router.answer.stopped")
	if !h.silent() {
		text = h.closed(text)
	}
	return t.sent(t.out.Finish(ctx, text))
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// glance is how long an answer has to be given before anybody means it with /stop.
const glance = 100 * time.Millisecond

// errStopped: the person wants no more of this answer.
var errStopped = errors.New("engine: stopped on request")

// answers are the answers being given by this process, so that a command beside
// them can stop them. The zero value works.
type answers struct {
	mu   sync.Mutex
	open map[int64]*answering // by job
}

// answering is one answer. It is kept between two attempts: who reads "thinking"
// may stop that too. Whose it is, is known by the account: while it is given, that may
// become somebody else's by a link.
type answering struct {
	group string          // its scope, in a group
	who   bridge.Identity // who asked
	since time.Time       // when it began to be given
	stop  chan struct{}   // closed by a stop
}

func (a *answering) stopped() bool { return isClosed(a.stop) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// listen returns what a stop of an answer closes, and a function to call with what
// came of hearing it: it returns errStopped when there was a stop, and the same
// error otherwise.
func (a *answers) listen(job int64, scope string, m bridge.Message) (<-chan struct{}, func(error) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = map[int64]*answering{}
	}
	this := a.open[job]
	if this == nil {
		this = &answering{who: router.Identity(m), since: time.Now(), stop: make(chan struct{})}
		if m.Chat.Kind == bridge.Group {
			this.group = scope
		}
		a.open[job] = this
	}
	return this.stop, func(err error) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		switch {
		case this.stopped(): // and the person was told so, even if it was the last moment
			return errStopped
		case err == nil:
			delete(a.open, job) // heard to the end; there is nothing left to stop
		}
		return err
	}
}

// stop ends those answers that are meant and that somebody may stop; others counts
// the ones that they may not.
func (a *answers) stop(meant func(job int64, this *answering) bool, may func(who bridge.Identity) bool) (stopped, others int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for job, this := range a.open {
		switch {
		case !meant(job, this) || this.stopped():
			continue
		case !may(this.who):
			others++
			continue
		}
		stopped++
		close(this.stop)
	}
	return stopped, others
}

// end forgets an answer.
func (a *answers) end(job int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, job)
}

// stop stops the answers that somebody waits for: those that were being given when
// it was written, and none that began meanwhile, of which nothing could be seen. In
// a group these are one's own, unless an admin says it. A click is about one answer,
// which shows that it was stopped.
func (e *Engine) stop(ctx context.Context, v Visit) (Answer, error) {
	accounts, err := e.store.Identities(ctx, v.Person.ID)
	if err != nil {
		return Answer{}, fmt.Errorf("engine: stop: %w", err)
	}
	own := func(who bridge.Identity) bool {
		return slices.ContainsFunc(accounts, func(a bridge.Identity) bool {
			return a.Platform == who.Platform && a.Tenant == who.Tenant && a.User == who.User
		})
	}
	seen := v.At.Add(-glance)
	meant := func(_ int64, this *answering) bool {
		return this.group == "" && own(this.who) && this.since.Before(seen)
	}
	switch {
	case v.About != nil:
		meant = func(job int64, _ *answering) bool { return job == v.About.Job.ID }
	case v.InGroup():
		meant = func(_ int64, this *answering) bool { return this.group == v.Scope && this.since.Before(seen) }
	}
	stopped, others := e.answers.stop(meant, func(who bridge.Identity) bool { return own(who) || v.Role == bridge.RoleAdmin })
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

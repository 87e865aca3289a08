package pace

import (
	"context"
	"maps"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"switchboard/internal/bridge"
)

const (
	// patience is how long a call waits for the platform's own pause to end. With
	// a longer one the caller had better come back later.
	patience = 8 * time.Second
	// crowd is how many limits are remembered; of more, those that were quiet are
	// forgotten, which start afresh.
	crowd = 2_000
)

// Call is a call that waits for its turn.
type Call struct {
	Op  string // for errors
	API string // empty: no limit of an API
	// Chat is who the call is for: those of different chats take turns. Message
	// says that it is a message to that chat.
	Chat    string
	Message bool
}

// Pacer hands out the turns of one bot. Its methods may be called from several
// goroutines at once.
type Pacer struct {
	limits []bridge.Limit

	mu     sync.Mutex
	queues map[string]*queue
	swept  time.Time
}

// New makes a Pacer that keeps to limits.
func New(limits []bridge.Limit) *Pacer {
	return &Pacer{limits: limits, queues: map[string]*queue{}}
}

// Wait returns when a call may be made. It returns an error of KindRateLimited,
// with the time after which it is worth another try, when that is too far away or
// after ctx would end, and the error of ctx when that is given up.
func (p *Pacer) Wait(ctx context.Context, c Call) error {
	for _, l := range p.limits {
		var err error
		switch {
		case l.Per == bridge.LimitChat && c.Message:
			err = p.wait(ctx, "chat "+c.Chat, l, c)
		case l.Per == bridge.LimitAPI && c.API != "":
			err = p.wait(ctx, "api "+c.API, l, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Hold keeps everybody from an API for a while, as the platform asked.
func (p *Pacer) Hold(api string, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.limits {
		if l.Per == bridge.LimitAPI {
			q := p.queue("api "+api, l)
			if until := time.Now().Add(pause); until.After(q.held) {
				q.held = until
			}
		}
	}
}

// wait waits for one limit.
func (p *Pacer) wait(ctx context.Context, key string, l bridge.Limit, c Call) error {
	now := time.Now()
	within := time.Duration(math.MaxInt64)
	if deadline, ok := ctx.Deadline(); ok {
		within = deadline.Sub(now)
	}
	if l.Patience > 0 {
		within = min(within, l.Patience)
	}
	p.mu.Lock()
	q := p.queue(key, l)
	turn, far := q.enter(c.Chat, now, within)
	p.mu.Unlock()
	if far > 0 {
		return &bridge.Error{Kind: bridge.KindRateLimited, Op: c.Op, RetryAfter: far, Detail: "more calls than the platform allows"}
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		q.leave(c.Chat, turn)
		return &bridge.Error{Kind: bridge.KindOf(ctx.Err()), Op: c.Op, Err: ctx.Err()}
	}
}

// queue finds the queue of a limit, with p.mu held.
func (p *Pacer) queue(key string, l bridge.Limit) *queue {
	q := p.queues[key]
	if q != nil {
		return q
	}
	if now := time.Now(); len(p.queues) >= crowd && now.Sub(p.swept) > time.Second {
		p.swept = now
		maps.DeleteFunc(p.queues, func(_ string, old *queue) bool { return old.quiet(now) })
	}
	q = &queue{limit: l, bucket: rate.NewLimiter(rate.Every(l.Every), max(l.AtOnce, 1)), mu: &p.mu}
	p.queues[key] = q
	return q
}

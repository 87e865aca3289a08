package tunnel

import (
	"context"
	"time"
)

// The pauses between two tries; each is twice as long as the one before.
const (
	firstPause = time.Second
	longPause  = 30 * time.Second
	// Troubles that somebody has to mend elsewhere. The first pause is short,
	// because after a crash the service needs some seconds to give a domain free.
	firstLater = 15 * time.Second
	longLater  = 5 * time.Minute

	steady = time.Minute // after a session of this length the pauses begin anew
)

// supervise opens one session after the other until ctx ends.
func (t *Tunnel) supervise(ctx context.Context, open func(context.Context) trouble) {
	t.connecting(ctx, nil)
	soon, later := firstPause, firstLater
	for ctx.Err() == nil {
		began := time.Now()
		why := open(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) >= steady {
			soon, later = firstPause, firstLater
		}
		switch why.retry {
		case retryNow:
			soon, later = firstPause, firstLater
			t.connecting(ctx, why.err)
		case retrySoon:
			t.connecting(ctx, why.err)
			t.rest(ctx, soon)
			soon = min(2*soon, longPause)
		case retryLater:
			t.lie(ctx, why, later)
			later = min(2*later, longLater)
		case retryNever:
			t.lie(ctx, why, 0)
		}
	}
	t.change(context.WithoutCancel(ctx), func(s *Status) { *s = Status{Kind: s.Kind, State: StateOff, Since: s.Since} })
}

// lie is down until the next try: after a pause, or only when asked to
// reconnect. What is wrong stays on show until the try has succeeded.
func (t *Tunnel) lie(ctx context.Context, why trouble, pause time.Duration) {
	t.change(ctx, func(s *Status) {
		s.State, s.Err, s.Retry = StateDown, why.err, time.Time{}
		if pause > 0 {
			s.Retry = time.Now().Add(pause)
		}
	})
	t.rest(ctx, pause)
	if ctx.Err() == nil {
		t.connecting(ctx, why.err)
	}
}

// rest waits until the pause is over (0 lasts for ever), somebody asks to
// reconnect, or ctx ends.
func (t *Tunnel) rest(ctx context.Context, pause time.Duration) {
	var over <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
	case <-t.wake:
	case <-ctx.Done():
	}
}

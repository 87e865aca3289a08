package tunnel

import (
	"context"
	"time"
)

// The pauses between two tries.
const (
	firstPause = time.Second
	longPause  = 30 * time.Second
	laterPause = 5 * time.Minute // for what somebody has to change elsewhere
	steady     = time.Minute     // online that long, the pauses begin anew
)

// supervise opens one session after the other until ctx ends.
func (t *Tunnel) supervise(ctx context.Context) {
	t.connecting(ctx, nil)
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		why := t.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > steady {
			pause = firstPause
		}
		switch why.retry {
		case retryNow:
			pause = firstPause
			t.connecting(ctx, nil)
		case retrySoon:
			t.connecting(ctx, why.err)
			t.rest(ctx, pause)
			pause = min(2*pause, longPause)
		case retryLater:
			t.lie(ctx, why, laterPause)
		case retryNever:
			t.lie(ctx, why, 0)
		}
	}
	t.change(context.WithoutCancel(ctx), func(s *Status) { *s = Status{Kind: s.Kind, State: StateOff, Since: s.Since} })
}

// lie is down until the next try: after a pause, or only when asked to
// reconnect.
func (t *Tunnel) lie(ctx context.Context, why trouble, pause time.Duration) {
	t.change(ctx, func(s *Status) {
		s.State, s.Err, s.Retry = StateDown, why.err, time.Time{}
		if pause > 0 {
			s.Retry = time.Now().Add(pause)
		}
	})
	t.rest(ctx, pause)
	if ctx.Err() == nil {
		t.connecting(ctx, nil)
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

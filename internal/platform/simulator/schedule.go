package simulator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// appointment is a delivery that will be tried again.
type appointment struct {
	at  time.Time
	try int // how many repetitions there were before
	d   delivery
}

// schedule plans the next repetition of a delivery, if the platform makes one.
func (s *Simulator) schedule(d delivery, try int) {
	pauses := habitOf(d.platform).again
	if try >= len(pauses) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = append(s.due, appointment{s.now().Add(pauses[try]), try, d})
}

// Pending returns how many messages wait to be delivered again.
func (s *Simulator) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.due)
}

// Advance moves the simulator's clock forward and delivers again, in order,
// what comes due. Tokens, sessions, cards and the windows of idempotency keys
// age with it.
func (s *Simulator) Advance(ctx context.Context, d time.Duration) error {
	end := s.now().Add(d)
	for {
		next, ok := s.pop(end)
		if !ok {
			s.offset.Add(int64(max(0, end.Sub(s.now()))))
			return nil
		}
		s.offset.Add(int64(max(0, next.at.Sub(s.now()))))
		if s.deliver(ctx, next.d) != nil {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("simulator: %w", err)
			}
			s.schedule(next.d, next.try+1)
		}
	}
}

// pop takes the earliest appointment before end.
func (s *Simulator) pop(end time.Time) (appointment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.due, func(a, b appointment) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	if len(s.due) == 0 || s.due[0].at.After(end) {
		return appointment{}, false
	}
	next := s.due[0]
	s.due = s.due[1:]
	return next, true
}

package engine

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/lifecycle"
)

// stopPatience is how long an agent may take to hear that it is to stop, and to
// end its answer.
const stopPatience = 5 * time.Second

// stream is an answer on its way. The agent is heard beside the trip: that need not
// wait for the next event to notice a stop, and can go on listening to what nobody
// is to see any more.
type stream struct {
	events chan bridge.Event
	hushed chan struct{} // closed when nobody takes the events any more
	over   <-chan error  // has how it ended, and is closed then
	cut    context.CancelFunc

	// started and ended came after that; they can be read when it is over.
	started bridge.Started
	ended   bridge.Ended
}

// openStream asks, and begins to hear the answer.
func (t *trip) openStream(ctx context.Context, agent bridge.Agent, q bridge.Question) *stream {
	ctx, cut := context.WithCancel(ctx)
	s := &stream{events: make(chan bridge.Event), hushed: make(chan struct{}), cut: cut}
	answer := t.source(ctx, agent, q)
	s.over = t.beside(ctx, func() error {
		for event, err := range answer {
			if err != nil {
				return fmt.Errorf("engine: ask: %w", err)
			}
			if !s.pass(event) && ctx.Err() != nil {
				break
			}
		}
		return nil
	})
	return s
}

// pass hands an event over; false when nobody takes it.
func (s *stream) pass(event bridge.Event) bool {
	select {
	case s.events <- event:
		return true
	case <-s.hushed:
	}
	switch e := event.(type) {
	case bridge.Started:
		s.started = e
	case bridge.Ended:
		s.ended = e
	default: // it came too late to be shown
	}
	return false
}

// end ends what nobody takes any more, and returns when it is over.
func (s *stream) end() {
	s.cut()
	for range s.over { // only its end counts
	}
}

// leave ends the stream that a stop left open, if it did.
func (t *trip) leave() {
	if t.rest != nil {
		t.rest.end()
	}
}

// beside does a part of a trip beside it. Its panic is its error, for there is
// nobody above it who could contain that.
func (t *trip) beside(ctx context.Context, part func() error) <-chan error {
	over := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			if p := lifecycle.Recovered(recover()); p != nil {
				t.log.LogAttrs(ctx, slog.LevelError, "a part of an answer panicked", slog.Int64("job_id", t.job.ID),
					slog.Any("error", p), slog.String("stack", lifecycle.Stack(p)))
				err = p
			}
			over <- err
			close(over)
		}()
		err = part()
	}()
	return over
}

// stopped closes an answer that the person wanted no more of; what is there
// stays. Meanwhile the agent is told.
func (t *trip) stopped(ctx context.Context, agent bridge.Agent, h *hearing) error {
	t.note(bridge.EntryStopped, time.Since(h.started), "", "")
	hushed := t.hush(ctx, agent, h.named)
	t.noteMasked(ctx, h.veil.findings())
	t.offerRetry()
	text := t.say("router.answer.stopped")
	if !h.silent() {
		text = h.closed(text)
	}
	err := t.sent(t.out.Finish(ctx, text))
	if herr := <-hushed; herr != nil {
		t.log.LogAttrs(ctx, slog.LevelWarn, "an agent did not stop", slog.Int64("job_id", t.job.ID), slog.Any("error", herr))
	}
	if rerr := t.heardOut(ctx, h); err == nil {
		err = rerr
	}
	if err == nil && h.named { // it went on, so that the decision was taken
		err = t.decided(ctx)
	}
	return err
}

// hush tells the agent to stop if it can be told, so that it does not go on
// unheard, and listens to the end of what it says: an agent may keep as much of an
// answer as was heard out, and nothing of one that was cut off. One that cannot be
// told because it is not named yet, or that does not come to an end, is cut off.
func (t *trip) hush(ctx context.Context, agent bridge.Agent, named bool) <-chan error {
	s, stops := agent.(bridge.Stopper)
	talk, run, rest := t.route.Session.Conversation, t.out.Row().Run, t.rest
	if rest != nil && !named { // what is known is the run of an earlier attempt
		rest.cut()
	}
	return t.beside(ctx, func() error {
		if rest != nil {
			defer rest.cut()
		}
		if !stops || run == (bridge.Run{}) {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, stopPatience)
		defer cancel()
		if err := s.Stop(ctx, talk, run); err != nil || rest == nil {
			return err //nolint:wrapcheck // it is the agent's own
		}
		select {
		case err := <-rest.over:
			return err
		case <-ctx.Done():
			return nil
		}
	})
}

// heardOut keeps what came after a stop and is not for the eyes of the person.
func (t *trip) heardOut(ctx context.Context, h *hearing) error {
	var usage bridge.Usage
	if t.rest != nil {
		t.rest.end()
		if err := t.started(ctx, t.rest.started); err != nil {
			return err
		}
		usage = t.rest.ended.Usage
	}
	if h.end != nil {
		usage = h.end.Usage
	}
	return t.paid(ctx, usage)
}

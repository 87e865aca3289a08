package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/inbox"
)

const (
	// forgetAfter is how long after an answer its content goes at the earliest; the
	// settlement has to be stored first, and several go at once.
	forgetAfter = 200 * time.Millisecond
	// forgetEvery is how often one looks in any case: a settlement may have taken
	// longer, and jobs also end otherwise than by an answer.
	forgetEvery = time.Minute
	// forgetAgain is the pause after the store failed.
	forgetAgain = 5 * time.Second
)

// contentStore is the part of the store that forgets.
type contentStore interface {
	Forget(ctx context.Context, content, rows time.Time) (int, error)
}

// forgetter drops what people wrote and were answered as soon as it is over and
// done with. Until then it has to be stored, or a crash would lose it.
type forgetter struct {
	store contentStore
	keeps func() bool // says that nothing is to be forgotten now
	log   *slog.Logger
	due   chan struct{} // holds one token when something will soon be settled
}

func newForgetter(s contentStore, keeps func() bool, log *slog.Logger) *forgetter {
	return &forgetter{s, keeps, log, make(chan struct{}, 1)}
}

// after makes a handler that leaves word when a job is finished.
func (f *forgetter) after(handle inbox.Handler) inbox.Handler {
	return func(ctx context.Context, j bridge.Job) bridge.Settlement {
		s := handle(ctx, j)
		if s.State.Final() {
			f.stir()
		}
		return s
	}
}

// stir has it look soon for what is to be forgotten.
func (f *forgetter) stir() { nudge(f.due) }

// nudge leaves a token for whoever waits for one, unless there is one already.
func nudge(due chan<- struct{}) {
	select {
	case due <- struct{}{}:
	default: // a look is due already
	}
}

// run forgets until ctx ends, and then what is left. It begins with what an
// earlier run left.
func (f *forgetter) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	soon := true // a look is due that needs not be hastened
	for {
		select {
		case <-ctx.Done():
			return f.all(context.WithoutCancel(ctx))
		case <-f.due:
			if !soon {
				timer.Reset(forgetAfter)
				soon = true
			}
			continue
		case <-timer.C:
		}
		pause := forgetEvery
		soon = false
		if err := f.all(ctx); err != nil && ctx.Err() == nil {
			f.log.LogAttrs(ctx, slog.LevelError, "forgetting content failed", slog.Any("error", err))
			pause, soon = forgetAgain, true
		}
		timer.Reset(pause)
	}
}

// all drops the content of every finished job, unless content is kept.
func (f *forgetter) all(ctx context.Context) error {
	if f.keeps() {
		return nil
	}
	if _, err := f.store.Forget(ctx, time.Now().Add(time.Second), time.Time{}); err != nil {
		return fmt.Errorf("app: forget: %w", err)
	}
	return nil
}

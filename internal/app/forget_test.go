package app_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
)

// looks counts how often somebody asks for things to be forgotten.
type looks struct {
	n     atomic.Int32
	fails atomic.Bool
}

func (l *looks) Forget(context.Context, time.Time, time.Time) (int, error) {
	l.n.Add(1)
	if l.fails.Load() {
		return 0, errors.New("the disk is full")
	}
	return 0, nil
}

// TestForgetsInTime: content goes soon after an answer, also while answers end all
// the time, and what was settled late goes within a minute. A store that fails is
// not asked all the time.
func TestForgetsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &looks{}
		f := app.NewForgetter(l, func() bool { return false }, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go f.Run(ctx) //nolint:errcheck // ends with the test
		looked := func(during time.Duration, every time.Duration, least, most int32) {
			t.Helper()
			synctest.Wait()
			before := l.n.Load()
			for left := during; left > 0; left -= every {
				if every < during {
					f.Stir()
				}
				time.Sleep(every)
			}
			synctest.Wait()
			if n := l.n.Load() - before; n < least || n > most {
				t.Errorf("in %v, with an answer each %v: looked %d times, want %d to %d", during, every, n, least, most)
			}
		}
		time.Sleep(time.Second)
		looked(10*time.Second, 50*time.Millisecond, 35, 50)
		looked(70*time.Second, 70*time.Second, 1, 2) // nothing is answered
		l.fails.Store(true)
		looked(70*time.Second, 50*time.Millisecond, 10, 16)
		stop()
		synctest.Wait()
	})
}

// TestKeepsContent: where content is kept, nothing is asked for.
func TestKeepsContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &looks{}
		f := app.NewForgetter(l, func() bool { return true }, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		f.Stir()
		time.Sleep(time.Hour)
		stop()
		if err := <-ended; err != nil || l.n.Load() != 0 {
			t.Errorf("asked %d times, %v", l.n.Load(), err)
		}
	})
}

package lifecycle_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/lifecycle"
)

// diary notes what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
	times []time.Time
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines, d.times = append(d.lines, line), append(d.times, time.Now())
}

func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines, d.times = nil, nil
	return lines
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// dutiful is a part that runs until it is told to stop.
func (d *diary) dutiful(name string, stage int) lifecycle.Part {
	return lifecycle.Part{Name: name, Stage: stage, Run: func(ctx context.Context) error {
		d.note(name + " runs")
		<-ctx.Done()
		d.note(name + " ends")
		return nil
	}}
}

// TestDeadPartIsStartedAgain: the others go on, the pauses grow and are capped,
// and the trouble counts as over only after a steady while.
func TestDeadPartIsStartedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d, starts diary
		g := lifecycle.New(quiet(), lifecycle.Options{
			FirstPause: time.Second, LongestPause: 8 * time.Second, Steady: time.Minute,
			Dead: func(part string, err error) { d.note("dead " + part + ": " + err.Error()) },
			Well: func(part string) { d.note("well " + part) },
		})
		deaths := 0
		g.Add(d.dutiful("good", 0))
		g.Add(lifecycle.Part{Name: "bad", Run: func(ctx context.Context) error {
			starts.note("start")
			if deaths++; deaths <= 6 {
				return errors.New("boom")
			}
			<-ctx.Done()
			return nil
		}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		got := d.take()
		slices.Sort(got) // which of the two begins is open
		if diff := cmp.Diff(append(slices.Repeat([]string{"dead bad: boom"}, 6), "good runs"), got); diff != "" {
			t.Error(diff)
		}
		for n, most := range []time.Duration{1, 2, 4, 8, 8, 8} {
			most *= time.Second
			if gap := starts.times[n+1].Sub(starts.times[n]); gap > most || gap < most*3/4 {
				t.Errorf("pause %d is %v, want about %v", n+1, gap, most)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"well bad"}, d.take()); diff != "" {
			t.Error(diff)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestSteadyRunForgetsOldDeaths: a part that dies once a day waits the first
// pause each time.
func TestSteadyRunForgetsOldDeaths(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := lifecycle.New(quiet(), lifecycle.Options{FirstPause: time.Second, LongestPause: time.Hour, Steady: time.Minute})
		g.Add(lifecycle.Part{Name: "daily", Run: func(ctx context.Context) error {
			d.note("start")
			select {
			case <-ctx.Done():
			case <-time.After(24 * time.Hour):
			}
			return errors.New("the day is over")
		}})
		ctx, stop := context.WithTimeout(t.Context(), 10*24*time.Hour)
		defer stop()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		if len(d.lines) != 10 {
			t.Errorf("started %d times in ten days", len(d.lines))
		}
		for n := range len(d.times) - 1 {
			if pause := d.times[n+1].Sub(d.times[n]) - 24*time.Hour; pause > time.Second {
				t.Errorf("pause %d is %v", n, pause)
			}
		}
	})
}

// TestReturningEarlyIsADeath, with or without an error.
func TestReturningEarlyIsADeath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := lifecycle.New(quiet(), lifecycle.Options{Dead: func(_ string, err error) { d.note(err.Error()) }})
		g.Add(lifecycle.Part{Name: "lazy", Run: func(context.Context) error { return nil }})
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		if lines := d.take(); len(lines) != 1 || !strings.Contains(lines[0], "nobody stopped it") {
			t.Errorf("got %q", lines)
		}
	})
}

// TestHopeless is not tried again, and says so until the end.
func TestHopeless(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		refused := errors.New("wrong secret")
		g := lifecycle.New(quiet(), lifecycle.Options{
			Dead: func(part string, _ error) { d.note("dead " + part) }, Well: func(part string) { d.note("well " + part) },
			Hopeless: func(err error) bool { return errors.Is(err, refused) },
		})
		g.Add(lifecycle.Part{Name: "locked", Run: func(context.Context) error { d.note("try"); return refused }})
		ctx, stop := context.WithTimeout(t.Context(), 24*time.Hour)
		defer stop()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"try", "dead locked"}, d.take()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestPanic is a death like any other. The log has the stack and nothing of the
// value, which may quote what a person wrote.
func TestPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var told []error
		g := lifecycle.New(slog.New(slog.NewTextHandler(&log, nil)), lifecycle.Options{
			LongestPause: time.Second, Dead: func(_ string, err error) { told = append(told, err) },
		})
		starts := 0
		g.Add(lifecycle.Part{Name: "wild", Run: func(ctx context.Context) error {
			switch starts++; starts {
			case 1:
				panic("my password is hunter2")
			case 2:
				return []error{}[starts]
			}
			<-ctx.Done()
			return nil
		}})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
		if starts != 3 || len(told) != 2 || told[0].Error() != "panic: string" || !strings.Contains(told[1].Error(), "index out of range") {
			t.Errorf("%d starts, told %v", starts, told)
		}
		if text := log.String(); strings.Contains(text, "hunter2") || strings.Count(text, "lifecycle_test.TestPanic") < 2 {
			t.Errorf("the log is %s", text)
		}
	})
}

// TestStopsStageByStage: what others stand on ends last.
func TestStopsStageByStage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := lifecycle.New(quiet(), lifecycle.Options{})
		g.Add(d.dutiful("journal", 0))
		g.Add(lifecycle.Part{Name: "inbox", Stage: 2, Run: func(ctx context.Context) error {
			<-ctx.Done()
			d.note("inbox finishes")
			time.Sleep(5 * time.Second)
			d.note("inbox ends")
			return nil
		}})
		g.Add(d.dutiful("admin", 1))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		synctest.Wait()
		d.take()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"inbox finishes", "inbox ends", "admin ends", "journal ends"}, d.take()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStubbornPart: one that does not stop is named and not waited for.
func TestStubbornPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := lifecycle.New(quiet(), lifecycle.Options{StopLimit: 10 * time.Second})
		free := make(chan struct{})
		defer close(free)
		g.Add(lifecycle.Part{Name: "stubborn", Stage: 1, Run: func(context.Context) error { <-free; return nil }})
		g.Add(d.dutiful("quick", 1))
		g.Add(d.dutiful("below", 0))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		synctest.Wait()
		stop()
		begun := time.Now()
		err := <-ended
		if err == nil || err.Error() != "lifecycle: stubborn does not stop" || time.Since(begun) != 10*time.Second {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
		if lines := d.take(); len(lines) == 0 || lines[len(lines)-1] != "below ends" {
			t.Errorf("got %q", lines)
		}
	})
}

// TestAddedAndRemoved while the group runs.
func TestAddedAndRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := lifecycle.New(quiet(), lifecycle.Options{
			Dead: func(part string, _ error) { d.note("dead " + part) }, Well: func(part string) { d.note("well " + part) },
		})
		never := g.Add(d.dutiful("never", 0))
		if err := never(); err != nil {
			t.Error(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		synctest.Wait()
		remove := g.Add(d.dutiful("guest", 0))
		broken := g.Add(lifecycle.Part{Name: "broken", Run: func(context.Context) error { return errors.New("x") }})
		synctest.Wait()
		if err := errors.Join(broken(), remove()); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		late := g.Add(d.dutiful("late", 0))
		synctest.Wait()
		got := d.take()
		for _, line := range got {
			if strings.HasPrefix(line, "never") || strings.HasPrefix(line, "late") {
				t.Errorf("%q", line)
			}
		}
		if diff := cmp.Diff([]string{"well broken", "guest ends", "well guest"}, got[2:]); diff != "" {
			t.Error(diff)
		}
		if err := late(); err != nil {
			t.Error(err)
		}
	})
}

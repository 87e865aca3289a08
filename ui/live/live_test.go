package live_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
)

// bundle is a hub with one view that counts.
type bundle struct {
	hub           *live.Hub
	view          *live.View[int]
	loads, shows  int
	lastErr, fail error
	panics        bool
}

func setup(ctx context.Context, t *testing.T) *bundle {
	t.Helper()
	test.NewTempApp(t)
	b := &bundle{hub: live.NewHub(slog.New(slog.DiscardHandler))}
	b.view = live.NewView(b.hub, live.Kind(bridge.ChangeTalk), func(context.Context) (int, error) {
		if b.loads++; b.panics {
			panic("while loading")
		}
		return b.loads, b.fail
	}, func(_ int, err error) {
		b.shows++
		b.lastErr = err
	})
	b.hub.Go(ctx, b.view.Run)
	synctest.Wait()
	return b
}

// in runs a test in virtual time, and ends everything it started.
func in(t *testing.T, f func(ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f(ctx)
		cancel()
		synctest.Wait()
	})
}

func TestViewWaitsUntilSeen(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		if b.loads != 0 {
			t.Fatal("loaded before it was shown")
		}
		b.view.Shown(true)
		synctest.Wait()
		if b.loads != 0 {
			t.Fatal("loaded while the window is hidden")
		}
		b.hub.Visible(true)
		synctest.Wait()
		if b.loads != 1 || b.shows != 1 {
			t.Errorf("loads %d, shows %d; want 1, 1", b.loads, b.shows)
		}
	})
}

func TestViewIsCalm(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		b.view.Shown(true)
		b.hub.Visible(true)
		for range 100 { // 100 changes a second for two seconds
			b.hub.Changed(bridge.Change{Kind: bridge.ChangeTalk})
			time.Sleep(20 * time.Millisecond)
			synctest.Wait()
		}
		if b.loads < 6 || b.loads > 9 {
			t.Errorf("%d loads in two seconds, want about 8", b.loads)
		}
	})
}

func TestViewShowsTheLastChange(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		b.view.Shown(true)
		b.hub.Visible(true)
		synctest.Wait()
		b.hub.Changed(bridge.Change{Kind: bridge.ChangeTalk})
		time.Sleep(time.Second)
		synctest.Wait()
		if b.loads != 2 {
			t.Errorf("%d loads, want 2: a change during the pause was lost or repeated", b.loads)
		}
	})
}

func TestViewIgnores(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		b.view.Shown(true)
		b.hub.Visible(true)
		time.Sleep(time.Second)
		synctest.Wait()
		b.hub.Changed(bridge.Change{Kind: bridge.ChangeBubble})
		time.Sleep(time.Second)
		synctest.Wait()
		if b.loads != 1 {
			t.Errorf("%d loads, want 1: it does not care about bubbles", b.loads)
		}
		b.view.Shown(false)
		b.hub.Changed(bridge.Change{Kind: bridge.ChangeTalk})
		time.Sleep(time.Second)
		synctest.Wait()
		if b.loads != 1 {
			t.Errorf("loaded while another page is in front")
		}
		b.view.Shown(true)
		synctest.Wait()
		if b.loads != 2 {
			t.Errorf("missed what changed meanwhile")
		}
	})
}

func TestViewHurries(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		b.view.Shown(true)
		b.hub.Visible(true)
		synctest.Wait()
		start := time.Now()
		b.view.Refresh()
		synctest.Wait()
		if b.loads != 2 || time.Since(start) != 0 {
			t.Errorf("%d loads after %v: the user had to wait", b.loads, time.Since(start))
		}
	})
}

func TestViewAlways(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		b.view.Always()
		synctest.Wait()
		if b.loads != 1 {
			t.Error("the tray waits for the window")
		}
	})
}

func TestViewTellsErrors(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		b.fail = errors.New("broken")
		b.view.Always()
		synctest.Wait()
		if !errors.Is(b.lastErr, b.fail) {
			t.Errorf("got %v", b.lastErr)
		}
	})
}

func TestFollowTicksAndEnds(t *testing.T) {
	in(t, func(ctx context.Context) {
		test.NewTempApp(t)
		hub := live.NewHub(slog.New(slog.DiscardHandler))
		ticks := 0
		v := live.NewView(hub, live.Kind(live.Tick), func(context.Context) (int, error) { ticks++; return 0, nil }, func(int, error) {})
		v.Always()
		hub.Go(ctx, v.Run)
		changes := make(chan bridge.Change)
		hub.Go(ctx, func(ctx context.Context) { hub.Follow(ctx, changes) })
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if ticks != 4 { // once at first, then every 15 seconds
			t.Errorf("%d, want 4", ticks)
		}
		close(changes)
	})
}

func TestPanicDoesNotEndTheProgram(t *testing.T) {
	in(t, func(ctx context.Context) {
		test.NewTempApp(t)
		var log strings.Builder
		hub := live.NewHub(slog.New(slog.NewTextHandler(&log, nil)))
		hub.Go(ctx, func(context.Context) { panic("in the background") })
		synctest.Wait()
		hub.Tap(ctx, func() { panic("in a callback") })()
		hub.Do(ctx, func() { panic("on the window") })
		for _, want := range []string{"in the background", "in a callback", "on the window"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not tell of the panic %s", want)
			}
		}
	})
}

// TestPanicIsAnError: whoever waits for a result gets an error in its place, and a
// view that could not load loads again.
func TestPanicIsAnError(t *testing.T) {
	in(t, func(ctx context.Context) {
		b := setup(ctx, t)
		var got error
		live.Act(ctx, b.hub, func(context.Context) error { panic("in the background") }, func(err error) { got = err })
		synctest.Wait()
		if bridge.KindOf(got) != bridge.KindInternal {
			t.Errorf("acting ended with %v", got)
		}
		b.panics = true
		b.view.Shown(true)
		b.hub.Visible(true)
		synctest.Wait()
		if bridge.KindOf(b.lastErr) != bridge.KindInternal || b.shows != 1 {
			t.Errorf("showed %d times, %v", b.shows, b.lastErr)
		}
		b.panics = false
		b.view.Refresh()
		synctest.Wait()
		if b.lastErr != nil || b.shows != 2 {
			t.Errorf("showed %d times, %v", b.shows, b.lastErr)
		}
	})
}

func TestAskDropsWhatNobodyWaitsFor(t *testing.T) {
	in(t, func(ctx context.Context) {
		test.NewTempApp(t)
		hub := live.NewHub(slog.New(slog.DiscardHandler))
		asked, cancel := context.WithCancel(ctx)
		got := 0
		live.Ask(asked, hub, func(context.Context) (int, error) { time.Sleep(time.Second); return 7, nil }, func(n int, _ error) { got = n })
		cancel()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got != 0 {
			t.Error("a page that is gone was changed")
		}
		live.Ask(ctx, hub, func(context.Context) (int, error) { return 7, nil }, func(n int, _ error) { got = n })
		synctest.Wait()
		if got != 7 {
			t.Error("the answer did not come")
		}
	})
}

func TestDebounce(t *testing.T) {
	in(t, func(ctx context.Context) {
		test.NewTempApp(t)
		var calls atomic.Int32 // the clock alone puts nothing in order
		typed := live.Debounce(ctx, live.NewHub(slog.New(slog.DiscardHandler)), 200*time.Millisecond, func() { calls.Add(1) })
		time.Sleep(time.Second)
		synctest.Wait()
		for range 5 {
			typed()
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if calls.Load() != 0 {
			t.Error("did not wait for the last letter")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}

func TestUntil(t *testing.T) {
	in(t, func(ctx context.Context) {
		hub := live.NewHub(slog.New(slog.DiscardHandler))
		ready := false
		done := make(chan error, 1)
		go func() { done <- hub.Until(ctx, func() bool { return ready }) }()
		hub.Changed(bridge.Change{})
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("did not wait")
		}
		ready = true
		hub.Changed(bridge.Change{})
		if err := <-done; err != nil {
			t.Error(err)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := hub.Until(short, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

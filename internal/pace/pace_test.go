package pace_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/pace"
)

func perAPI(every time.Duration, atOnce int) bridge.Limit {
	return bridge.Limit{Per: bridge.LimitAPI, Every: every, AtOnce: atOnce}
}

// calls has calls wait in order, and returns when each got its turn, by name.
type calls struct {
	t     *testing.T
	p     *pace.Pacer
	began time.Time
	wg    sync.WaitGroup
	mu    sync.Mutex
	said  []string
}

func begin(t *testing.T, limits ...bridge.Limit) *calls {
	t.Helper()
	return &calls{t: t, p: pace.New(limits), began: time.Now()}
}

// start makes a call that is in the queue when start returns.
func (c *calls) start(name string, call pace.Call) {
	c.wg.Go(func() {
		err := c.p.Wait(c.t.Context(), call)
		c.mu.Lock()
		defer c.mu.Unlock()
		word := fmt.Sprintf("%s %v", name, time.Since(c.began).Round(time.Millisecond))
		if err != nil {
			word += " " + string(bridge.KindOf(err))
		}
		c.said = append(c.said, word)
	})
	synctest.Wait()
}

func (c *calls) want(want ...string) {
	c.t.Helper()
	c.wg.Wait()
	if diff := cmp.Diff(want, c.said); diff != "" {
		c.t.Error(diff)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(100*time.Millisecond, 2))
		for _, name := range []string{"a", "b", "c", "d"} {
			c.start(name, pace.Call{API: "send", Chat: "x"})
		}
		c.start("other API", pace.Call{API: "look", Chat: "x"})
		c.start("no API", pace.Call{Chat: "x"})
		c.want("a 0s", "b 0s", "other API 0s", "no API 0s", "c 100ms", "d 200ms")
	})
}

// TestTurns: one who comes last to a queue full of a group's calls is next.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(time.Second, 1))
		for _, name := range []string{"g0", "g1", "g2", "g3"} {
			c.start(name, pace.Call{API: "send", Chat: "group"})
		}
		c.start("ann", pace.Call{API: "send", Chat: "ann"})
		c.start("bob", pace.Call{API: "send", Chat: "bob"})
		c.start("ann again", pace.Call{API: "send", Chat: "ann"})
		c.want("g0 0s", "g1 1s", "ann 2s", "bob 3s", "g2 4s", "ann again 5s", "g3 6s")
	})
}

// TestMessages: what one person gets has a limit of its own, and nobody else
// waits for it.
func TestMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, bridge.Limit{Per: bridge.LimitChat, Every: 4 * time.Second, AtOnce: 1, Patience: 8 * time.Second}, perAPI(time.Second, 5))
		for n := range 4 {
			c.start(fmt.Sprintf("ann %d", n), pace.Call{API: "send", Chat: "ann", Message: true})
		}
		c.start("bob", pace.Call{API: "send", Chat: "bob", Message: true})
		c.start("no message", pace.Call{API: "send", Chat: "ann"})
		c.want("ann 0 0s", "ann 3 0s rate_limited", "bob 0s", "no message 0s", "ann 1 4s", "ann 2 8s")
	})
}

// TestHold: what the platform asks for holds for everybody at that API.
func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(100*time.Millisecond, 1))
		c.start("before", pace.Call{API: "send", Chat: "a"})
		c.p.Hold("send", 3*time.Second)
		c.p.Hold("send", time.Second) // the longer one counts
		c.start("b", pace.Call{API: "send", Chat: "b"})
		c.start("c", pace.Call{API: "send", Chat: "c"})
		c.start("other API", pace.Call{API: "look", Chat: "b"})
		c.want("before 0s", "other API 0s", "b 3s", "c 3.1s")

		time.Sleep(time.Second)
		c.p.Hold("send", time.Minute)
		err := c.p.Wait(t.Context(), pace.Call{Op: "x: send", API: "send"})
		if bridge.KindOf(err) != bridge.KindRateLimited || bridge.RetryAfter(err) != time.Minute {
			t.Errorf("with a long pause ahead: %v after %v", err, bridge.RetryAfter(err))
		}
	})
}

// TestHeldWhileWaiting: those who wait already wait longer.
func TestHeldWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(time.Second, 1))
		c.start("a", pace.Call{API: "send"})
		c.start("b", pace.Call{API: "send"})
		c.p.Hold("send", 5*time.Second)
		c.want("a 0s", "b 5s")
	})
}

// TestDeadline: who cannot wait so long hears that at once.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(time.Second, 1))
		c.start("a", pace.Call{API: "send"})
		c.start("b", pace.Call{API: "send"})
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		err := c.p.Wait(ctx, pace.Call{API: "send", Chat: "hurry"})
		if bridge.KindOf(err) != bridge.KindRateLimited || bridge.RetryAfter(err) != 2*time.Second || ctx.Err() != nil {
			t.Errorf("%v after %v", err, bridge.RetryAfter(err))
		}
		c.want("a 0s", "b 1s")
	})
}

// TestHurry: whether a turn comes in time depends on who is called before it, not
// on how many wait.
func TestHurry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(time.Second, 1))
		for _, name := range []string{"g0", "g1", "g2", "g3", "g4"} {
			c.start(name, pace.Call{API: "send", Chat: "group"})
		}
		for _, name := range []string{"ann", "bob", "bob again"} {
			c.start(name, pace.Call{API: "send", Chat: name[:3]})
		}
		// The turns to come: g1 ann bob g2 bob g3 g4, one each second.
		for chat, turn := range map[string]time.Duration{"eve": 4, "ann": 5, "bob": 7, "group": 8} {
			ctx, cancel := context.WithTimeout(t.Context(), turn*time.Second-time.Millisecond)
			err := c.p.Wait(ctx, pace.Call{API: "send", Chat: chat})
			if bridge.RetryAfter(err) != turn*time.Second || ctx.Err() != nil {
				t.Errorf("%s: %v after %v, want %v s", chat, err, bridge.RetryAfter(err), int(turn))
			}
			cancel()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second+time.Millisecond)
		defer cancel()
		if err := c.p.Wait(ctx, pace.Call{API: "send", Chat: "eve"}); err != nil || time.Since(c.began) != 4*time.Second {
			t.Errorf("in time: after %v: %v", time.Since(c.began), err)
		}
		c.want("g0 0s", "g1 1s", "ann 2s", "bob 3s", "g2 5s", "bob again 6s", "g3 7s", "g4 8s")
	})
}

// TestLeave: who gives up takes nobody's turn.
func TestLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(time.Second, 1))
		c.start("a", pace.Call{API: "send"})
		ctx, cancel := context.WithCancel(t.Context())
		var gone error
		c.wg.Go(func() { gone = c.p.Wait(ctx, pace.Call{API: "send", Chat: "gone"}) })
		synctest.Wait()
		c.start("b", pace.Call{API: "send", Chat: "b"})
		cancel()
		synctest.Wait()
		if !errors.Is(gone, context.Canceled) || bridge.KindOf(gone) != bridge.KindCanceled {
			t.Errorf("the one who left: %v", gone)
		}
		c.want("a 0s", "b 1s")
		time.Sleep(10 * time.Second)
		c.start("c", pace.Call{API: "send"}) // the bucket is full again
		c.want("a 0s", "b 1s", "c 11s")
	})
}

// TestCrowd: nobody's limit is forgotten as long as it matters.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New([]bridge.Limit{{Per: bridge.LimitChat, Every: time.Hour, AtOnce: 1, Patience: time.Second}})
		const people = 5_000
		for round := range 2 {
			refused := 0
			for n := range people {
				if err := p.Wait(t.Context(), pace.Call{Chat: fmt.Sprint(n), Message: true}); err != nil {
					refused++
				}
			}
			if refused != round*people {
				t.Errorf("round %d: %d refused", round, refused)
			}
		}
		time.Sleep(2 * time.Hour)
		for n := range people {
			if err := p.Wait(t.Context(), pace.Call{Chat: fmt.Sprint("new", n), Message: true}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestManyAtOnce is for the race detector, and nobody waits for ever.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New([]bridge.Limit{perAPI(time.Millisecond, 3), {Per: bridge.LimitChat, Every: 2 * time.Millisecond, AtOnce: 2}})
		var wg sync.WaitGroup
		for n := range 300 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(50+n)*time.Millisecond)
				defer cancel()
				_ = p.Wait(ctx, pace.Call{API: "send", Chat: fmt.Sprint(n % 7), Message: true}) // in time or not
				if n%50 == 0 {
					p.Hold("send", 5*time.Millisecond)
				}
			})
		}
		wg.Wait()
		if err := p.Wait(t.Context(), pace.Call{API: "send", Chat: "late", Message: true}); err != nil {
			t.Error(err)
		}
	})
}

// TestTooFarAtOnce: who would wait in vain is told at once, and when to come back.
func TestTooFarAtOnce(t *testing.T) {
	t.Parallel()
	patient := perAPI(5*time.Second, 1)
	patient.Patience = 10 * time.Second
	for name, c := range map[string]struct {
		limit  bridge.Limit
		hold   time.Duration
		within time.Duration
		after  time.Duration
	}{
		"the platform's pause is long":        {perAPI(time.Millisecond, 1), 9 * time.Second, time.Hour, 9 * time.Second},
		"the pause outlasts the call":         {perAPI(time.Millisecond, 1), 5 * time.Second, 3 * time.Second, 5 * time.Second},
		"the call ends before its turn comes": {patient, 0, time.Second, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, call := pace.New([]bridge.Limit{c.limit}), pace.Call{API: "send"}
				if err := p.Wait(t.Context(), call); err != nil {
					t.Fatal(err)
				}
				if c.hold > 0 {
					p.Hold("send", c.hold)
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				began := time.Now()
				err := p.Wait(ctx, call)
				if bridge.KindOf(err) != bridge.KindRateLimited || bridge.RetryAfter(err) != c.after || time.Since(began) != 0 {
					t.Errorf("after %s: %v, again after %s", time.Since(began), err, bridge.RetryAfter(err))
				}
			})
		})
	}
}

// TestPauseIsNotForgotten: a pause that the platform asked for outlasts a crowd of
// others.
func TestPauseIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, perAPI(time.Millisecond, 1))
		c.p.Hold("held", 7*time.Second)
		for n := range 2500 {
			if err := c.p.Wait(t.Context(), pace.Call{API: fmt.Sprint(n)}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		if err := c.p.Wait(t.Context(), pace.Call{API: "new"}); err != nil { // which has the quiet ones forgotten
			t.Fatal(err)
		}
		c.start("held", pace.Call{API: "held"})
		c.want("held 7s")
	})
}

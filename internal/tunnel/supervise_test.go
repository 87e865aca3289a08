package tunnel_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/tunnel"
)

// pauses runs sessions that each end with the next trouble of the list, and
// returns how long after the end of one the next began.
func pauses(t *testing.T, lasts time.Duration, troubles []tunnel.Retry, act func(*tunnel.Tunnel)) []time.Duration {
	t.Helper()
	var between []time.Duration
	synctest.Test(t, func(t *testing.T) {
		h, err := tunnel.New(tunnel.Config{Kind: tunnel.KindNgrok, Token: bridge.NewSecret(token)}, http.NotFoundHandler(), slog.New(slog.DiscardHandler), tunnel.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if act != nil {
			go act(h)
		}
		var ended time.Time
		i := 0
		h.Supervise(ctx, func() (*bridge.Error, tunnel.Retry) {
			if i > 0 {
				between = append(between, time.Since(ended))
			}
			if i == len(troubles) {
				cancel()
				return nil, tunnel.RetrySoon
			}
			time.Sleep(lasts)
			ended = time.Now()
			i++
			return &bridge.Error{Kind: bridge.KindUnavailable, Op: "tunnel: x", Code: "other"}, troubles[i-1]
		})
		if s := h.Status(); s.State != tunnel.StateOff {
			t.Errorf("ended %+v", s)
		}
	})
	return between
}

func TestPauses(t *testing.T) {
	t.Parallel()
	const soon, later, now, never = tunnel.RetrySoon, tunnel.RetryLater, tunnel.RetryNow, tunnel.RetryNever
	s, m := time.Second, time.Minute
	for name, c := range map[string]struct {
		lasts    time.Duration
		troubles []tunnel.Retry
		want     []time.Duration
		act      func(*tunnel.Tunnel)
	}{
		"grow":       {0, []tunnel.Retry{soon, soon, soon, soon, soon, soon, soon}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}, nil},
		"later":      {0, []tunnel.Retry{later, later, later, later, later, later, later}, []time.Duration{15 * s, 30 * s, m, 2 * m, 4 * m, 5 * m, 5 * m}, nil},
		"now":        {0, []tunnel.Retry{soon, soon, now, soon}, []time.Duration{s, 2 * s, 0, s}, nil},
		"steady":     {m, []tunnel.Retry{soon, soon, later, later}, []time.Duration{s, s, 15 * s, 15 * s}, nil},
		"not steady": {m - 1, []tunnel.Retry{soon, soon, soon}, []time.Duration{s, 2 * s, 4 * s}, nil},
		"never": {0, []tunnel.Retry{never, soon}, []time.Duration{90 * m, s}, func(h *tunnel.Tunnel) {
			time.Sleep(90 * m)
			h.Reconnect()
		}},
		"asked a moment before": {2 * s, []tunnel.Retry{never, soon}, []time.Duration{0, s}, func(h *tunnel.Tunnel) {
			time.Sleep(s)
			h.Reconnect()
		}},
		"asked": {0, []tunnel.Retry{later, soon}, []time.Duration{3 * s, s}, func(h *tunnel.Tunnel) {
			time.Sleep(3 * s)
			h.Reconnect()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, pauses(t, c.lasts, c.troubles, c.act)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDownStays: what is wrong stays on show while it is tried again.
func TestDownStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []tunnel.Status
		h, err := tunnel.New(tunnel.Config{Kind: tunnel.KindNgrok, Token: bridge.NewSecret(token)}, http.NotFoundHandler(), slog.New(slog.DiscardHandler),
			tunnel.Options{Changed: func(s tunnel.Status) { seen = append(seen, s) }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go h.Supervise(ctx, func() (*bridge.Error, tunnel.Retry) {
			time.Sleep(time.Second)
			return &bridge.Error{Kind: bridge.KindQuota, Op: "tunnel: x", Code: "sessions"}, tunnel.RetryLater
		})
		time.Sleep(16*time.Second + time.Millisecond) // within the second try
		synctest.Wait()
		now := h.Status()
		if code, _, _ := trouble(now.Err); now.State != tunnel.StateStarting || code != "sessions" || !now.Retry.IsZero() {
			t.Errorf("got %+v", now)
		}
		if len(seen) != 3 || seen[0].Err != nil || seen[1].State != tunnel.StateDown || seen[1].Retry.Sub(seen[1].Since) != 15*time.Second {
			t.Errorf("saw %+v", seen)
		}
		cancel()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := h.Status(); s.State != tunnel.StateOff || s.Err != nil {
			t.Errorf("got %+v", s)
		}
	})
}

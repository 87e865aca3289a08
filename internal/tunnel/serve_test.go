package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.ngrok.com/ngrok/v2"

	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

// endpoint is one that the service gave, whose connections are made by the test.
type endpoint struct {
	ngrok.EndpointListener

	pipes *bridgetest.Pipes
	close func() error // what the service does about it
}

func (e endpoint) Accept() (net.Conn, error) { return e.pipes.Accept() }
func (e endpoint) Close() error              { return e.close() }
func (e endpoint) Addr() net.Addr            { return e.pipes.Addr() }

// TestServeLimits: who comes through the tunnel and says only part of a request, or
// too much, is not waited for.
func TestServeLimits(t *testing.T) {
	t.Parallel()
	const post = "POST /hook/b1 HTTP/1.1\r\nHost: x\r\n"
	for name, c := range map[string]struct {
		says   string
		status int
		after  time.Duration
	}{
		"half a header":   {post, 0, 5 * time.Second},
		"half a body":     {post + "Content-Length: 10\r\n\r\nhalf", 200, 10 * time.Second},
		"no next request": {post + "Content-Length: 4\r\n\r\nhalf", 200, 2 * time.Minute},
		"a large header":  {post + "Content-Length: 0\r\nConnection: close\r\nX: " + strings.Repeat("x", 8<<10) + "\r\n\r\n", 200, 0},
		"a header bomb":   {post + "X: " + strings.Repeat("x", 24<<10) + "\r\n\r\n", 431, 0},
		"asterisk":        {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 204, 0}, // net/http would answer this itself
	} {
		synctest.Test(t, func(t *testing.T) {
			h := unopenedTo(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodOptions {
					w.WriteHeader(http.StatusNoContent)
				}
			}))
			pipes := bridgetest.NewPipes()
			ctx, stop := context.WithCancel(t.Context())
			over := make(chan struct{})
			go func() {
				defer close(over)
				h.ServeOn(ctx, t.Context(), endpoint{pipes: pipes, close: pipes.Close})
			}()
			conn := pipes.Dial()
			start := time.Now()
			go func() { _, _ = io.WriteString(conn, c.says) }()
			answer, err := io.ReadAll(conn)
			status := 0
			_, _ = fmt.Sscanf(string(answer), "HTTP/1.1 %d", &status)
			if err != nil || status != c.status || time.Since(start).Truncate(time.Second) != c.after {
				t.Errorf("%s: %d after %v: %v", name, status, time.Since(start), err)
			}
			_ = conn.Close()
			stop()
			<-over
		})
	}
}

// TestServeEnds: a session that is given up is left at once, though the SDK does not
// notice for a while; and at the end of the program the service is asked to take the
// endpoint away, but not waited for.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hangUp bool
		after  time.Duration
	}{"given up": {true, 0}, "the end": {false, 5 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			life, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			mute := make(chan struct{})
			pipes := bridgetest.NewPipes()
			over := make(chan time.Time)
			go func() {
				unopened(t).ServeOn(ctx, life, endpoint{pipes: pipes, close: func() error { <-mute; return nil }})
				over <- time.Now()
			}()
			synctest.Wait()
			start := time.Now()
			if c.hangUp {
				hangUp()
			} else {
				stop()
			}
			if after := (<-over).Sub(start); after != c.after {
				t.Errorf("%s: after %v", name, after)
			}
			stop()
			close(mute)
			_ = pipes.Close()
		})
	}
}

// TestFirstReason: what was found out first about a session is why it ended.
func TestFirstReason(t *testing.T) {
	t.Parallel()
	if got := tunnel.ReasonOf(tunnel.RetryNever, tunnel.RetryNow); got != tunnel.RetryNever {
		t.Errorf("got %d", got)
	}
}

// TestCut: of a session that is online only the connection is given up, once; a
// session without one is begun anew, and at once.
func TestCut(t *testing.T) {
	t.Parallel()
	for name, online := range map[string]bool{"online": true, "connecting": false} {
		h := unopened(t)
		near, far := net.Pipe()
		h.Hold(near)
		if online {
			h.BeOnline(t.Context())
			if goesOn, _ := h.Cut(); !goesOn {
				t.Errorf("%s: the session is given up", name)
			}
			if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%s: the connection is not cut: %v", name, err)
			}
		}
		if goesOn, again := h.Cut(); goesOn || again != tunnel.RetryNow {
			t.Errorf("%s: goes on: %v, again: %d", name, goesOn, again)
		}
		_, _ = near.Close(), far.Close()
	}
}

// TestStopWhileConnecting: that we stop ourselves is no trouble.
func TestStopWhileConnecting(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	edge.Mute(true)
	h := open(t, edge, echo("door"))
	h.awaitState(t, tunnel.StateStarting)
	h.stop()
	for {
		switch s := h.await(t, "off", func(tunnel.Status) bool { return true }); {
		case s.Err != nil:
			t.Errorf("got %+v", s)
			return
		case s.State == tunnel.StateOff:
			return
		}
	}
}

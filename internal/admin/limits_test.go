package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/admin"
	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
)

// serve lets a server answer on connections without a network, until stop is called.
func serve(t *testing.T, s *admin.Server) (dial func() net.Conn, stop func()) {
	t.Helper()
	p := bridgetest.NewPipes()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, p) }()
	return p.Dial, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestPatience: who says only part of a request, or nothing after one, is hung up
// on, and so is who does not read the answer.
func TestPatience(t *testing.T) {
	t.Parallel()
	const whole = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	for name, c := range map[string]struct {
		says  string
		after time.Duration
	}{
		"half a header": {whole, 5 * time.Second},
		"half a body": {
			"POST /api/v1/things/7 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 10\r\n\r\nhalf", 10 * time.Second,
		},
		"no next request": {whole + "\r\n", 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			dial, stop := serve(t, setup(func(o *admin.Options) {
				o.API["POST /api/v1/things/{id}"] = func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }
			}))
			conn := dial()
			start := time.Now()
			go func() { _, _ = io.WriteString(conn, c.says) }()
			_, err := io.Copy(io.Discard, conn)
			if err != nil || time.Since(start) != c.after {
				t.Errorf("%s: after %v: %v", name, time.Since(start), err)
			}
			stop()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		given := make(chan time.Duration, 1)
		dial, stop := serve(t, setup(func(o *admin.Options) {
			o.Metrics = func(_ context.Context, w io.Writer) error {
				start := time.Now()
				_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
				given <- time.Since(start)
				return err
			}
		}))
		_, _ = io.WriteString(dial(), "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "+token+"\r\n\r\n")
		if after := <-given; after != 30*time.Second {
			t.Errorf("an answer that is not read is given up after %v", after)
		}
		stop()
	})
}

// TestLongDiagnostics: gathering them may take longer than any other answer.
func TestLongDiagnostics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, setup(func(o *admin.Options) {
			o.Diagnostics = func(_ context.Context, w io.Writer) error {
				time.Sleep(4 * time.Minute)
				_, err := io.WriteString(w, "PK and so on")
				return err
			}
		}))
		conn := dial()
		_, _ = io.WriteString(conn, "GET /api/v1/diagnostics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\n\r\n")
		if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "PK and so on") {
			t.Errorf("%q, %v", answer, err)
		}
		stop()
	})
}

// TestStop: at the end of the program a request may finish, for two seconds.
func TestStop(t *testing.T) {
	t.Parallel()
	for lasts, want := range map[time.Duration]string{time.Second: "200 OK", time.Hour: ""} {
		synctest.Test(t, func(t *testing.T) {
			dial, stop := serve(t, setup(func(o *admin.Options) {
				o.Status = func(ctx context.Context) (any, error) {
					select {
					case <-time.After(lasts):
					case <-ctx.Done():
					}
					return 7, ctx.Err() //nolint:wrapcheck // only looked at
				}
			}))
			conn := dial()
			_, _ = io.WriteString(conn, "GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "+token+"\r\n\r\n")
			answered := make(chan string)
			go func() {
				answer, _ := io.ReadAll(conn)
				answered <- string(answer)
			}()
			synctest.Wait()
			start := time.Now()
			over := make(chan struct{})
			go func() {
				defer close(over)
				stop()
			}()
			if got := <-answered; !strings.Contains(got, want) || want == "" && got != "" || time.Since(start) > 2*time.Second {
				t.Errorf("after %v: %q", time.Since(start), got)
			}
			<-over
		})
	}
}

// TestOddRequests: an enormous header and a question about everything are refused,
// and no answer is kept or taken for something else by a browser.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]int{
		"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":                                                http.StatusOK,
		"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 24<<10) + "\r\n\r\n":      http.StatusRequestHeaderFieldsTooLarge,
		"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 8<<10) + "\r\n\r\n":       http.StatusOK,
		"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                               http.StatusForbidden,
		"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n":                  http.StatusForbidden,
		"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: nonsense\r\n\r\n":          http.StatusNotImplemented,
		"GET http://evil.example/readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":                             http.StatusForbidden,
		"GET http://127.0.0.1/readyz HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://127.0.0.1\r\n\r\n": http.StatusOK, // the address names the host
	} {
		synctest.Test(t, func(t *testing.T) {
			dial, stop := serve(t, setup(same))
			conn := dial()
			go func() { _, _ = io.WriteString(conn, says) }()
			status := 0
			if _, err := fmt.Fscanf(conn, "HTTP/1.1 %d", &status); err != nil || status != want {
				t.Errorf("%.80q: %d, want %d, %v", says, status, want, err)
			}
			_ = conn.Close()
			stop()
		})
	}
	for _, path := range []string{"/healthz", "/metrics", "/nothing"} {
		for _, header := range []map[string]string{nil, {"Origin": "null"}, bearer("Bearer " + token)} {
			h := ask(setup(same), "GET", path, header).Header()
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s with %v: %v", path, header, h)
			}
		}
	}
}

// TestClientLimits: a program that does not answer is not waited for, and an endless
// answer is not read to its end.
func TestClientLimits(t *testing.T) {
	t.Parallel()
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/long" {
			<-r.Context().Done()
			return
		}
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}))
	defer mute.Close()
	address := mute.Listener.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := admin.Show(ctx, address, bridge.NewSecret(token)); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("it shows: %v, %v", err, ctx.Err())
	}
	if _, answer, err := admin.Ask(ctx, address, bridge.NewSecret(token), http.MethodGet, "/long", nil, nil); err != nil || len(answer) != 32<<20 {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
}

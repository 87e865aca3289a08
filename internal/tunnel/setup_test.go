package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchboard/internal/bridge"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

const (
	token    = "2abCdEfGhIjKlMnOpQrStUvWxYz_4NotARealTokenAtAll"
	domain   = "team.edge.test"
	address  = "https://" + domain
	patience = time.Minute // only ever waited for by a test that fails
)

// TestMain looks for goroutines that outlive the tests. Some of the SDK's do
// for a while: it waits out a pause before it notices that it was closed, and a
// heartbeat its time.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("golang.ngrok.com/ngrok/v2/internal/tunnel/client.(*reconnectingSession).connect"),
		goleak.IgnoreAnyFunction("golang.ngrok.com/muxado/v2.(*Heartbeat).check"),
		goleak.IgnoreAnyFunction("golang.ngrok.com/muxado/v2.(*Heartbeat).requester"))
}

// house is a tunnel that runs against an edge.
type house struct {
	*tunnel.Tunnel
	edge    *tunneltest.Edge
	changes chan tunnel.Status
	log     *record
	stop    func() // ends Run and waits for it
}

// record is a log that can be read while it is written.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

type option func(*tunnel.Config, *tunnel.Options)

func pooling(c *tunnel.Config, _ *tunnel.Options)  { c.Pooling = true }
func noDomain(c *tunnel.Config, _ *tunnel.Options) { c.Domain = "" }

// beats makes a dead connection be noticed soon.
func beats(_ *tunnel.Config, o *tunnel.Options) {
	o.Interval, o.Tolerance = 500*time.Millisecond, 2*time.Second
}

// open starts a tunnel to door.
func open(t *testing.T, edge *tunneltest.Edge, door http.Handler, options ...option) *house {
	t.Helper()
	h := &house{edge: edge, changes: make(chan tunnel.Status, 1000), log: &record{}}
	cfg := tunnel.Config{Kind: tunnel.KindNgrok, Domain: domain, Token: bridge.NewSecret(token)}
	opt := tunnel.Options{
		Server: edge.Addr(), CAs: edge.CAs(), Transport: edge.Transport(),
		Changed:  func(s tunnel.Status) { h.changes <- s },
		Interval: time.Second, Tolerance: patience,
	}
	for _, o := range options {
		o(&cfg, &opt)
	}
	var err error
	h.Tunnel, err = tunnel.New(cfg, door, slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		h.stop()
		if strings.Contains(h.log.String(), token) {
			t.Errorf("the token is in the log: %s", h.log)
		}
	})
	return h
}

// await waits for a status.
func (h *house) await(t *testing.T, what string, match func(tunnel.Status) bool) tunnel.Status {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		select {
		case s := <-h.changes:
			if match(s) {
				return s
			}
		case <-limit.C:
			t.Fatalf("never %s; now %+v; log: %s", what, h.Status(), h.log)
		}
	}
}

func (h *house) awaitState(t *testing.T, want tunnel.State) tunnel.Status {
	t.Helper()
	return h.await(t, string(want), func(s tunnel.Status) bool { return s.State == want })
}

// trouble returns the code of an error and where the service's own stands.
func trouble(err error) (code, ngrok string, kind bridge.Kind) {
	var e *bridge.Error
	if !errors.As(err, &e) {
		return "", "", ""
	}
	return e.Code, e.Args["ngrok"], e.Kind
}

// post sends a request to the public side. It may be called from any goroutine;
// without an answer the status is 0.
func post(t *testing.T, edge *tunneltest.Edge, target, body string) (int, string) {
	t.Helper()
	transport := edge.Transport()
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	answer, err := client.Post(target, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer.StatusCode, string(text)
}

// echo answers with what it was sent, and its name.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, name+" "+r.RemoteAddr+" "+r.Host+" "+string(body))
	})
}

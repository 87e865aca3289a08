package tunnel_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

// summary makes findings comparable: code, and the code of the error.
func summary(t *testing.T, findings []bridge.Finding) []string {
	t.Helper()
	var all []string
	for _, f := range findings {
		if f.OK != (f.Err == nil) {
			t.Errorf("%s: OK is %v, but %v", f.Code, f.OK, f.Err)
		}
		text := f.Code
		if f.Err != nil {
			code, _, _ := trouble(f.Err)
			text += " " + code
			told(t, f.Err)
		}
		all = append(all, text)
	}
	return all
}

// TestProve: our own request comes back through the tunnel.
func TestProve(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), http.NotFoundHandler())
	h.awaitState(t, tunnel.StateOnline)
	if diff := cmp.Diff([]string{"online", "loop", "browser"}, summary(t, h.Prove(t.Context()))); diff != "" {
		t.Error(diff)
	}
}

// TestProveBrowserWarning: the free plan's page is recognised, and only callers
// that look like a browser see it.
func TestProveBrowserWarning(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	edge.WarnBrowsers()
	h := open(t, edge, http.NotFoundHandler())
	h.awaitState(t, tunnel.StateOnline)
	findings := h.Prove(t.Context())
	if diff := cmp.Diff([]string{"online", "loop", "browser page_browser"}, summary(t, findings)); diff != "" {
		t.Error(diff)
	}
	if _, ngrok, _ := trouble(findings[2].Err); ngrok != "ERR_NGROK_6024" {
		t.Errorf("got %q", ngrok)
	}
}

// TestProveOffline: the service no longer knows the endpoint, and we do not
// know that yet.
func TestProveOffline(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	h := open(t, edge, http.NotFoundHandler(), func(_ *tunnel.Config, o *tunnel.Options) {
		o.Transport = tunneltest.New(t).Transport() // another edge, without our endpoint
	})
	h.awaitState(t, tunnel.StateOnline)
	if diff := cmp.Diff([]string{"online", "loop page_offline"}, summary(t, h.Prove(t.Context()))); diff != "" {
		t.Error(diff)
	}
}

// TestProveNotOnline says what is wrong instead of asking.
func TestProveNotOnline(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	edge.Refuse(tunneltest.Refusal{Code: "ERR_NGROK_107", Text: invalidToken})
	h := open(t, edge, http.NotFoundHandler())
	h.awaitState(t, tunnel.StateDown)
	if diff := cmp.Diff([]string{"online token"}, summary(t, h.Prove(t.Context()))); diff != "" {
		t.Error(diff)
	}
	none, err := tunnel.New(tunnel.Config{Kind: tunnel.KindNone}, http.NotFoundHandler(), slog.New(slog.DiscardHandler), tunnel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"online state_off"}, summary(t, none.Prove(t.Context()))); diff != "" {
		t.Error(diff)
	}
}

// TestProvePool: the request is repeated until it is our turn.
func TestProvePool(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	all := []*house{open(t, edge, http.NotFoundHandler(), pooling), open(t, edge, http.NotFoundHandler(), pooling), open(t, edge, http.NotFoundHandler(), pooling)}
	for _, h := range all {
		h.awaitState(t, tunnel.StateOnline)
	}
	for _, h := range all {
		if diff := cmp.Diff([]string{"online", "loop", "browser"}, summary(t, h.Prove(t.Context()))); diff != "" {
			t.Error(diff)
		}
	}
}

// front is a reverse proxy of the admin's own that may be set up wrongly.
func front(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, us http.Handler)) *tunnel.Tunnel {
	t.Helper()
	var us http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, us) }))
	t.Cleanup(server.Close)
	h := ownURL(t, server.URL)
	us = h.Proof()
	return h
}

func ownURL(t *testing.T, address string) *tunnel.Tunnel {
	t.Helper()
	h, err := tunnel.New(tunnel.Config{Kind: tunnel.KindURL, PublicURL: address}, http.NotFoundHandler(), slog.New(slog.DiscardHandler), tunnel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestProveOwnURL: what can be wrong with somebody's own address.
func TestProveOwnURL(t *testing.T) {
	t.Parallel()
	status := func(code int) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		want   string
		answer func(http.ResponseWriter, *http.Request, http.Handler)
	}{
		"right":     {"loop", func(w http.ResponseWriter, r *http.Request, us http.Handler) { us.ServeHTTP(w, r) }},
		"path":      {"loop loop_path", status(http.StatusNotFound)},
		"static":    {"loop loop_path", status(http.StatusMethodNotAllowed)},
		"sign-in":   {"loop loop_guarded", status(http.StatusUnauthorized)},
		"firewall":  {"loop loop_guarded", status(http.StatusForbidden)},
		"no target": {"loop loop_gateway", status(http.StatusBadGateway)},
		"placeholder": {"loop loop_other", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_, _ = io.WriteString(w, "<html>Welcome to nginx!</html>")
		}},
		"redirect": {"loop loop_redirect", func(w http.ResponseWriter, r *http.Request, us http.Handler) {
			if r.URL.Path == "/moved" { // a client that follows would be satisfied
				us.ServeHTTP(w, r)
				return
			}
			http.Redirect(w, r, "/moved", http.StatusPermanentRedirect)
		}},
		"another": {"loop loop_foreign", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			ownURL(t, "https://x.example").Proof().ServeHTTP(w, r)
		}},
		"replayed": {"loop loop_other", func(w http.ResponseWriter, r *http.Request, us http.Handler) {
			// An answer to another nonce, as from a cache.
			r.Body = io.NopCloser(strings.NewReader("0123456789abcdef0123456789abcdef"))
			us.ServeHTTP(&forced{w}, r)
		}},
		"ngrok's page": {"loop page_quota", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusPaymentRequired)
			_, _ = io.WriteString(w, "<html>This ngrok account has reached its HTTP requests limit. ERR_NGROK_727</html>")
		}},
		"endless": {"loop loop_other", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body) // or nobody would notice that the caller leaves
			_, _ = io.WriteString(w, strings.Repeat("x", 128<<10))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
		"cut off": {"loop loop_failed", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Length", "64")
			_, _ = io.WriteString(w, "12")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff([]string{c.want}, summary(t, front(t, c.answer).Prove(t.Context()))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// forced hides the status of a refusal.
type forced struct{ http.ResponseWriter }

func (f *forced) WriteHeader(int) { f.Header().Del("X-Switchboard-Proof") }

// TestProveUnreachable: the public address does not get as far as answering.
func TestProveUnreachable(t *testing.T) {
	t.Parallel()
	selfSigned := httptest.NewTLSServer(http.NotFoundHandler())
	defer selfSigned.Close()
	selfSigned.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, c := range []struct {
		want, address string
		err           error
	}{
		{"loop loop_certificate", selfSigned.URL, nil},
		{"loop loop_failed", closed.URL, nil},
		{"loop loop_dns", "https://bots.example.com", &net.DNSError{Err: "no such host", Name: "bots.example.com", IsNotFound: true}},
		{"loop loop_timeout", "https://bots.example.com", context.DeadlineExceeded},
	} {
		opt := tunnel.Options{}
		if c.err != nil {
			opt.Transport = failing{c.err}
		}
		h, err := tunnel.New(tunnel.Config{Kind: tunnel.KindURL, PublicURL: c.address}, http.NotFoundHandler(), slog.New(slog.DiscardHandler), opt)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{c.want}, summary(t, h.Prove(t.Context()))); diff != "" {
			t.Errorf("%s: %s", c.address, diff)
		}
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestProofRefuses: strangers learn nothing from the self-test.
func TestProofRefuses(t *testing.T) {
	t.Parallel()
	h := ownURL(t, "https://x.example")
	proof := h.Proof()
	for name, r := range map[string]*http.Request{
		"unsigned": httptest.NewRequest(http.MethodPost, tunnel.ProofPath, strings.NewReader("nonce")),
		"empty":    httptest.NewRequest(http.MethodPost, tunnel.ProofPath, http.NoBody),
		"long":     httptest.NewRequest(http.MethodPost, tunnel.ProofPath, strings.NewReader(strings.Repeat("x", 1<<20))),
		"forged":   httptest.NewRequest(http.MethodPost, tunnel.ProofPath, strings.NewReader("nonce")),
		"method":   httptest.NewRequest(http.MethodGet, tunnel.ProofPath, http.NoBody),
		"oversize": httptest.NewRequest(http.MethodPost, tunnel.ProofPath, strings.NewReader(strings.Repeat("x", 33))),
		"reversed": httptest.NewRequest(http.MethodPost, tunnel.ProofPath, strings.NewReader("nonce")),
	} {
		switch name {
		case "forged":
			r.Header.Set("X-Switchboard-Proof", strings.Repeat("00", 32))
		case "oversize": // nothing of ours is that long
			r.Header.Set("X-Switchboard-Proof", h.Signed("ask", strings.Repeat("x", 33)))
		case "reversed": // what we answer with opens nothing
			r.Header.Set("X-Switchboard-Proof", h.Signed("answer", "nonce"))
		}
		w := httptest.NewRecorder()
		proof.ServeHTTP(w, r)
		want := http.StatusUnauthorized
		if name == "method" {
			want = http.StatusMethodNotAllowed
		}
		if w.Code != want || w.Body.Len() != 0 {
			t.Errorf("%s: got %d %q", name, w.Code, w.Body)
		}
	}
}

// TestProveCanceled stops at once.
func TestProveCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := front(t, func(http.ResponseWriter, *http.Request, http.Handler) { cancel() })
	findings := h.Prove(ctx)
	if len(findings) != 1 || findings[0].OK || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("got %+v", findings)
	}
}

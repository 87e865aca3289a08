package tunneltest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Plan is the name of the plan that agents are told of.
const Plan = "Free"

// Refusal is the service's answer to a request it turns down.
type Refusal struct{ Code, Text string }

// text is how the SDK gets a refusal.
func (r Refusal) text() string {
	return strings.ReplaceAll(r.Text, "\n", "\r\n") + "\r\n\r\n" + r.Code + "\r\n"
}

// Edge is the service. It ends with its test.
type Edge struct {
	agents net.Listener
	public *httptest.Server
	proxy  *httputil.ReverseProxy
	wg     sync.WaitGroup

	mu       sync.Mutex
	sessions map[*session]bool
	binds    []*bind  // in the order they came
	turn     int      // of the pool
	auths    []Auth   // all that were made
	asked    []Bind   // all that were made
	refuse   []answer // answers to the next requests, first in first out
	warn     bool
	mute     bool
	count    int
}

type answer struct {
	typ int
	Refusal
}

// bind is an endpoint that is online.
type bind struct {
	Bind
	url, token string
	session    *session
}

// New starts an edge.
func New(tb testing.TB) *Edge {
	tb.Helper()
	e := &Edge{sessions: map[*session]bool{}}
	e.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", r.In.Host, r.In.Host
		},
		Transport: &http.Transport{DialContext: e.dial, DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			page(w, http.StatusBadGateway, "ERR_NGROK_3004", "ngrok gateway error")
		},
	}
	e.public = httptest.NewTLSServer(http.HandlerFunc(e.serve))
	var err error
	var config net.ListenConfig
	if e.agents, err = config.Listen(tb.Context(), "tcp", "127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	e.wg.Go(e.accept)
	tb.Cleanup(func() {
		_ = e.agents.Close()
		e.Drop()
		e.public.Close()
		e.wg.Wait()
	})
	return e
}

// Addr is where agents connect to.
func (e *Edge) Addr() string { return e.agents.Addr().String() }

// CAs vouch for the edge.
func (e *Edge) CAs() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(e.public.Certificate())
	return pool
}

// Transport reaches the public side, whatever the host of a URL.
func (e *Edge) Transport() *http.Transport {
	address := e.public.Listener.Addr().String()
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
		TLSClientConfig:   &tls.Config{RootCAs: e.CAs(), ServerName: "example.com", MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}
}

// Refuse turns down the next times that agents authenticate.
func (e *Edge) Refuse(all ...Refusal) { e.queue(typeAuth, all) }

// RefuseBind turns down the next requests for an endpoint.
func (e *Edge) RefuseBind(all ...Refusal) { e.queue(typeBind, all) }

func (e *Edge) queue(typ int, all []Refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range all {
		e.refuse = append(e.refuse, answer{typ, r})
	}
}

func (e *Edge) refusal(typ int) (Refusal, bool) {
	i := slices.IndexFunc(e.refuse, func(a answer) bool { return a.typ == typ })
	if i < 0 {
		return Refusal{}, false
	}
	r := e.refuse[i].Refusal
	e.refuse = slices.Delete(e.refuse, i, i+1)
	return r, true
}

// WarnBrowsers shows callers that look like a browser a page first, as the free
// plan does.
func (e *Edge) WarnBrowsers() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.warn = true
}

// Drop cuts the connections of all agents.
func (e *Edge) Drop() {
	for _, s := range e.live() {
		_ = s.conn.Close()
	}
}

// Freeze lets the connections of all agents stand, but nothing passes through
// them any more in either direction.
func (e *Edge) Freeze() {
	for _, s := range e.live() {
		s.conn.freeze()
	}
}

// Mute takes connections from now on without ever answering on them, as a network
// that has lost its way out does; or answers again.
func (e *Edge) Mute(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mute = on
}

func (e *Edge) live() []*session {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*session, 0, len(e.sessions))
	for s := range e.sessions {
		all = append(all, s)
	}
	return all
}

// Stop closes the endpoints of a URL, as an administrator can.
func (e *Edge) Stop(address string, r Refusal) error {
	for _, b := range e.at(address) {
		e.remove(b)
		if err := b.session.stop(b, r); err != nil {
			return err
		}
	}
	return nil
}

// Auths returns what agents said when they connected.
func (e *Edge) Auths() []Auth {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.auths)
}

// Binds returns the requests for endpoints that were made.
func (e *Edge) Binds() []Bind {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.asked)
}

// Online counts the endpoints of a URL.
func (e *Edge) Online(address string) int { return len(e.at(address)) }

func (e *Edge) at(address string) []*bind {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*bind
	for _, b := range e.binds {
		if b.url == address {
			all = append(all, b)
		}
	}
	return all
}

func (e *Edge) remove(b *bind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.binds = slices.DeleteFunc(e.binds, func(other *bind) bool { return other == b })
}

// serve is the public side.
func (e *Edge) serve(w http.ResponseWriter, r *http.Request) {
	address := "https://" + r.Host
	pool := e.at(address)
	e.mu.Lock()
	warn := e.warn
	e.mu.Unlock()
	switch {
	case len(pool) == 0:
		page(w, http.StatusNotFound, "ERR_NGROK_3200", "The endpoint is offline.")
	case warn && strings.HasPrefix(r.UserAgent(), "Mozilla/") && r.Header.Get("Ngrok-Skip-Browser-Warning") == "":
		page(w, http.StatusOK, "ERR_NGROK_6024", "You are about to visit a site.")
	default:
		if status := denied(pool[0].Opts.TrafficPolicy, r.URL.Path); status != 0 {
			w.WriteHeader(status)
			return
		}
		e.proxy.ServeHTTP(w, r)
	}
}

func page(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Ngrok-Error-Code", code)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html><body>%s %s</body></html>", text, code)
}

// dial opens a stream to the next agent of the pool.
func (e *Edge) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, _, _ := strings.Cut(address, ":")
	pool := e.at("https://" + host)
	if len(pool) == 0 {
		return nil, net.ErrClosed
	}
	e.mu.Lock()
	b := pool[e.turn%len(pool)]
	e.turn++
	e.mu.Unlock()
	return b.session.open(b)
}

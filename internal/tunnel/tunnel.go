package tunnel

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// Kind says where the public address comes from, the value of tunnel.kind in
// switchboard.yaml.
type Kind string

// The kinds.
const (
	KindNone  Kind = "none"  // no public address
	KindURL   Kind = "url"   // somebody else's reverse proxy or tunnel
	KindNgrok Kind = "ngrok" // our own tunnel through ngrok
)

// FreeRequests is how many HTTP requests a month the free ngrok plan carries.
const FreeRequests = 20000

// Config is what a tunnel needs to know.
type Config struct {
	Kind Kind
	// PublicURL is the address of kind url.
	PublicURL string
	// Domain is the ngrok domain to use; empty takes the one that ngrok assigns.
	Domain string
	// Token is the ngrok authtoken.
	Token bridge.Secret
	// Pooling lets several machines answer under one domain.
	Pooling bool
}

// Options are the settings of a Tunnel; the zero value works.
type Options struct {
	// Paths are let through by ngrok, besides /hook/: a path, or one that ends
	// in "/" for everything below it; a "*" stands for part of a file name.
	Paths []string
	// Changed is told of every change of the status, in order. It must not block.
	Changed func(Status)
	// Count is called once for each request that came through ngrok, to be
	// counted against the plan's monthly allowance.
	Count func()
	// Proxy finds the proxy for a connection, by default the one named by the
	// environment (HTTPS_PROXY, NO_PROXY). HTTP and SOCKS5 proxies work.
	Proxy func(*http.Request) (*url.URL, error)
	// Transport carries the requests of Prove; by default an ordinary one.
	Transport http.RoundTripper
	// Server and CAs are the host:port of a private agent ingress and the
	// certificate authorities it is checked with; by default ngrok's own.
	Server string
	CAs    *x509.CertPool
	// Interval and Tolerance of the heartbeat; a dead connection is noticed
	// within their sum. By default 3 and 4 seconds.
	Interval, Tolerance time.Duration
}

// Tunnel is the way from the internet to the door. Its methods may be called
// from several goroutines at once.
type Tunnel struct {
	cfg    Config
	door   http.Handler
	log    *slog.Logger
	opt    Options
	policy string        // ngrok's traffic policy
	key    []byte        // signs the requests of Prove
	wake   chan struct{} // ends a pause between two tries

	telling sync.Mutex // keeps calls of Options.Changed in order

	mu       sync.Mutex
	status   Status
	line     *line     // the session with ngrok, while there is one
	onlineAt time.Time // when we were online last
	slow     bool      // the service wants the usual, slower heartbeat
}

// New makes a tunnel that leads to door. It checks the settings without using
// the network.
func New(cfg Config, door http.Handler, log *slog.Logger, opt Options) (*Tunnel, error) {
	var err error
	switch cfg.Kind {
	case KindNone:
	case KindURL:
		cfg.PublicURL, err = publicURL(cfg.PublicURL)
	case KindNgrok:
		cfg.Domain, err = domain(cfg.Domain)
		if err == nil && strings.TrimSpace(cfg.Token.Reveal()) == "" {
			err = wrong("no_token", "")
		}
	default:
		err = wrong("kind", string(cfg.Kind))
	}
	if err != nil {
		return nil, err
	}
	policy, err := trafficPolicy(append([]string{hookPrefix}, opt.Paths...))
	if err != nil {
		return nil, err
	}
	if opt.Proxy == nil {
		opt.Proxy = http.ProxyFromEnvironment
	}
	if opt.Interval == 0 || opt.Tolerance == 0 {
		opt.Interval, opt.Tolerance = heartbeat, tolerance
	}
	t := &Tunnel{cfg: cfg, door: door, log: log, opt: opt, policy: policy, key: make([]byte, 32), wake: make(chan struct{}, 1)}
	_, _ = rand.Read(t.key) // it never fails
	t.status = Status{Kind: cfg.Kind, State: StateOff, Since: time.Now()}
	if cfg.Kind == KindURL {
		t.status.State, t.status.URL = StateOnline, cfg.PublicURL
	}
	return t, nil
}

func wrong(code, detail string) error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: opSettings, Code: code, Detail: detail, Args: map[string]string{"value": detail}}
}

func publicURL(text string) (string, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "/")
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", wrong("public_url", text)
	}
	return text, nil
}

// domain accepts a domain with or without https:// before it.
func domain(text string) (string, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	name = strings.TrimSuffix(strings.TrimPrefix(name, "https://"), "/")
	if name == "" {
		return "", nil
	}
	strange := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' }
	if !strings.Contains(name, ".") || strings.ContainsFunc(name, strange) {
		return "", wrong("domain", text)
	}
	return name, nil
}

// Run keeps the tunnel up until ctx ends, then lets running requests finish.
func (t *Tunnel) Run(ctx context.Context) error {
	if t.cfg.Kind != KindNgrok {
		<-ctx.Done()
		return nil
	}
	t.supervise(ctx, t.session)
	return nil
}

// Reconnect renews the connection at once: after the computer slept, after the
// network changed, or when the admin has mended what was wrong. A connection
// that seems to be in use is cut, and the SDK takes the same session up again,
// so the service does not see two claims to one domain.
func (t *Tunnel) Reconnect() {
	t.mu.Lock()
	l, online := t.line, t.status.State == StateOnline
	t.mu.Unlock()
	switch {
	case l == nil:
		select {
		case t.wake <- struct{}{}:
		default: // somebody has asked already
		}
	case !online || !l.dialer.drop():
		l.end(trouble{retry: retryNow})
	}
}

// handler is what answers on the tunnel: the self-test and the door, with each
// request counted.
func (t *Tunnel) handler() http.Handler {
	proof := t.Proof()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t.opt.Count != nil {
			t.opt.Count()
		}
		if r.URL.Path == ProofPath {
			proof.ServeHTTP(w, r)
			return
		}
		t.door.ServeHTTP(w, r)
	})
}

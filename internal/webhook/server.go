package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/lifecycle"
)

// The limits of the door. Callbacks of all three platforms are a few KiB; they
// wait 1 to 5 seconds for the answer.
const (
	maxBody        = 1 << 20
	maxHeader      = 16 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 2 * time.Minute
	stopTimeout    = 5 * time.Second
	refusalsLogged = time.Minute // one journal entry per bot, kind and minute
	proofPrefix    = "/WW_verify_"
	proofSuffix    = ".txt"
)

// Prefix is the path all webhooks live below.
const Prefix = "/hook/"

// ProofPath is where Options.SelfTest answers. No bot can have this name.
const ProofPath = Prefix + "~proof"

// Path returns the path of a bot's webhook.
func Path(bot string) string { return Prefix + bot }

// Bots finds the bot a request is for; false when there is none or it takes no
// webhooks.
type Bots func(id string) (bridge.Bot, bool)

// Accept stores a delivery durably.
type Accept func(ctx context.Context, bot string, d bridge.Delivery) error

// Options are the settings of a Server; the zero value works.
type Options struct {
	// Record takes the journal's entries; nil drops them.
	Record bridge.Record
	// Suspect is told of genuine requests that could not be read; may be nil.
	Suspect func(bot string, d bridge.Delivery)
	// Judged is told what a bot makes of each request that it looked at: nil when
	// it proved where it is from, otherwise why it was refused; may be nil.
	Judged func(bot string, err error)
	// Proof returns the content of a file /WW_verify_….txt by its name, with
	// which WeCom lets the owner of a domain prove it; nil means there are none.
	Proof func(name string) ([]byte, bool)
	// SelfTest answers at ProofPath, so that the house can find out whether its
	// public address leads back to it; nil answers 404.
	SelfTest http.Handler
	// HeaderTimeout, ReadTimeout and IdleTimeout bound how long a caller may take
	// for the header, for a whole request, and between two. Defaults 5 s, 10 s
	// and 2 min.
	HeaderTimeout, ReadTimeout, IdleTimeout time.Duration
	// Waiting is how many connections may be open without a request that was read
	// to its end; of more the one that has taken longest is closed. Default 1024.
	Waiting int
	// Failures is how many requests that prove nothing a caller may send in a
	// minute before it is watched. Default 30.
	Failures int
}

// filled returns the options with the defaults in place.
func (o Options) filled() Options {
	if o.Record == nil {
		o.Record = func(bridge.Entry) {}
	}
	if o.Suspect == nil {
		o.Suspect = func(string, bridge.Delivery) {}
	}
	if o.Judged == nil {
		o.Judged = func(string, error) {}
	}
	if o.Proof == nil {
		o.Proof = func(string) ([]byte, bool) { return nil, false }
	}
	if o.SelfTest == nil {
		o.SelfTest = http.NotFoundHandler()
	}
	for _, t := range []struct {
		at *time.Duration
		d  time.Duration
	}{{&o.HeaderTimeout, headerTimeout}, {&o.ReadTimeout, readTimeout}, {&o.IdleTimeout, idleTimeout}} {
		if *t.at <= 0 {
			*t.at = t.d
		}
	}
	return o
}

// Server is the public listener. It is an http.Handler, so that a tunnel can
// serve it too.
type Server struct {
	bots   Bots
	accept Accept
	log    *slog.Logger
	opt    Options
	guard  *guard

	refused atomic.Int64
	mu      sync.Mutex
	quiet   map[string]*silence // refusals not written down, by bot and kind
}

type silence struct {
	until time.Time
	count int
}

// New makes a server.
func New(bots Bots, accept Accept, log *slog.Logger, opt Options) *Server {
	return &Server{bots: bots, accept: accept, log: log, opt: opt.filled(), guard: newGuard(opt.Failures), quiet: map[string]*silence{}}
}

// Serve answers requests on a listener until ctx ends, then lets the running
// ones finish. It closes the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	waiting := newCrowd(s.opt.Waiting)
	server := &http.Server{
		ConnState: waiting.state, ConnContext: waiting.remember,
		Handler: s, DisableGeneralOptionsHandler: true, ReadHeaderTimeout: s.opt.HeaderTimeout, ReadTimeout: s.opt.ReadTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: s.opt.IdleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- server.Shutdown(limit)
	})
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("webhook: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("webhook: stop: %w", err)
	}
	return nil
}

// Refused returns how many requests were turned away since the start.
func (s *Server) Refused() int64 { return s.refused.Load() }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.contain(r.Context(), w)
	if s.proof(w, r) {
		return
	}
	if r.URL.Path == ProofPath && r.URL.RawPath == "" {
		s.opt.SelfTest.ServeHTTP(w, r)
		return
	}
	id, ok := botOf(r)
	if !ok {
		plain(w, http.StatusNotFound)
		return
	}
	bot, ok := s.bots(id)
	switch {
	case !ok:
		plain(w, http.StatusNotFound)
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET, POST")
		plain(w, http.StatusMethodNotAllowed)
	case compressed(r):
		plain(w, http.StatusUnsupportedMediaType)
	default:
		s.read(w, r, id, bot)
	}
}

// botOf returns the bot a path names. The path has to be written plainly: one
// that means the same after decoding or cleaning is another one.
func botOf(r *http.Request) (string, bool) {
	id, ok := strings.CutPrefix(r.URL.Path, Prefix)
	return id, ok && id != "" && !strings.Contains(id, "/") && r.URL.RawPath == ""
}

// compressed says that a body would have to be unpacked. No platform sends such
// a one, and a small one may be huge inside.
func compressed(r *http.Request) bool {
	kind := strings.TrimSpace(r.Header.Get("Content-Encoding"))
	return kind != "" && !strings.EqualFold(kind, "identity")
}

// proof answers for the files that prove who owns the domain.
func (s *Server) proof(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, proofPrefix)
	if !ok {
		return false
	}
	name, ok = strings.CutSuffix(name, proofSuffix)
	if ok = ok && name != "" && r.URL.RawPath == ""; ok {
		ok = !strings.ContainsFunc(name, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
		})
	}
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	text, ok := s.opt.Proof(r.URL.Path[1:])
	if ok {
		answer(w, bridge.Response{Body: text})
	}
	return ok
}

// read takes the body in and has it looked at.
func (s *Server) read(w http.ResponseWriter, r *http.Request, id string, bot bridge.Bot) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.unreadable(w, r, id, err)
		return
	}
	heard(r.Context())
	d, err := s.inspect(r, id, bot, body)
	switch {
	case errors.Is(err, errWatched):
		tooMany(w)
	case err != nil:
		s.opt.Judged(id, err)
		kind := bridge.KindOf(err)
		s.log.LogAttrs(r.Context(), slog.LevelDebug, "webhook refused", slog.String("bot", id), slog.Any("error", err))
		s.turnAway(w, r, id, kind, status(kind))
	default:
		if !d.Unproven {
			s.opt.Judged(id, nil)
		}
		s.deliver(w, r, id, d)
	}
}

// inspect lets the bot read a request. Who keeps failing waits for its turn, which
// is over when it is known who sent the request: what is genuine does not hold up
// others.
func (s *Server) inspect(r *http.Request, id string, bot bridge.Bot, body []byte) (bridge.Delivery, error) {
	if s.guard.suspects(caller(r.RemoteAddr), id) {
		leave, ok := s.guard.enter(r.Context())
		if !ok {
			return bridge.Delivery{}, errWatched
		}
		defer leave()
	}
	return bot.Receive(r.Context(), bridge.Request{
		Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, Remote: r.RemoteAddr, At: time.Now(),
	})
}

// contain keeps a panic in one request from taking the others along. It is
// deferred.
func (s *Server) contain(ctx context.Context, w http.ResponseWriter) {
	if err := lifecycle.Recovered(recover()); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "a webhook panicked", slog.Any("error", err), slog.String("stack", lifecycle.Stack(err)))
		plain(w, http.StatusInternalServerError)
	}
}

func (s *Server) unreadable(w http.ResponseWriter, r *http.Request, id string, err error) {
	status, kind := http.StatusBadRequest, bridge.KindInvalid
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status, kind = http.StatusRequestEntityTooLarge, bridge.KindTooLarge
	}
	s.turnAway(w, r, id, kind, status)
}

// turnAway refuses a request. A caller who is watched is told to slow down, and
// has to connect anew.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, id string, kind bridge.Kind, status int) {
	s.refuse(r, id, kind)
	from := caller(r.RemoteAddr)
	watched := s.guard.suspects(from, id)
	if kind == bridge.KindUnauthenticated || kind == bridge.KindInvalid || kind == bridge.KindTooLarge {
		s.guard.failed(from, id)
		if watched {
			tooMany(w)
			return
		}
	}
	plain(w, status)
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	w.Header().Set("Connection", "close")
	plain(w, http.StatusTooManyRequests)
}

// deliver stores what is in a request, and only then answers.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, id string, d bridge.Delivery) {
	if err := s.accept(r.Context(), id, d); err != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "storing a delivery failed", slog.String("bot", id), slog.Any("error", err))
		plain(w, http.StatusServiceUnavailable)
		return
	}
	if d.Note != "" {
		s.opt.Record(bridge.Entry{Kind: bridge.EntryIgnored, At: time.Now(), Bot: id, Note: d.Note})
	}
	if d.Suspect {
		s.opt.Suspect(id, d)
	}
	answer(w, d.Response)
}

// refuse counts a request that was turned away and writes at most one entry a
// minute into the journal.
func (s *Server) refuse(r *http.Request, id string, kind bridge.Kind) {
	s.refused.Add(1)
	now := time.Now()
	key := id + " " + string(kind)
	s.mu.Lock()
	q := s.quiet[key]
	if q != nil && now.Before(q.until) {
		q.count++
		s.mu.Unlock()
		return
	}
	note := "from " + host(r.RemoteAddr)
	if q != nil && q.count > 0 {
		note = fmt.Sprintf("%s, and %d more before", note, q.count)
	}
	s.quiet[key] = &silence{until: now.Add(refusalsLogged)}
	s.mu.Unlock()
	s.opt.Record(bridge.Entry{Kind: bridge.EntryRefused, At: now, Bot: id, Error: kind, Note: note})
}

// status is the HTTP answer to a request that a bot refused.
func status(kind bridge.Kind) int {
	switch kind { //nolint:exhaustive // the other kinds are not a caller's fault
	case bridge.KindUnauthenticated:
		return http.StatusUnauthorized
	case bridge.KindForbidden:
		return http.StatusForbidden
	case bridge.KindInvalid:
		return http.StatusBadRequest
	case bridge.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case bridge.KindUnsupported:
		return http.StatusMethodNotAllowed
	default:
		return http.StatusInternalServerError
	}
}

func answer(w http.ResponseWriter, r bridge.Response) {
	kind := r.Type
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Status != 0 {
		w.WriteHeader(r.Status)
	}
	_, _ = w.Write(r.Body) // the caller is gone; it will deliver again
}

func plain(w http.ResponseWriter, status int) {
	answer(w, bridge.Response{Status: status, Body: []byte(http.StatusText(status) + "\n")})
}

func host(remote string) string {
	h, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return h
}

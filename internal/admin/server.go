package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	maxHeader     = 16 << 10
	stopTimeout   = 2 * time.Second
	bundleTimeout = 5 * time.Minute
)

// Options are what the listener shows. Every function but
// those of API is needed.
type Options struct {
	// Token opens what is not for everybody; an empty one opens nothing.
	Token bridge.Secret
	// Loopback says that only names of this machine are right for it.
	Loopback bool
	// Health is shown as JSON at /healthz.
	Health func() any
	// Ready says whether the program can take messages.
	Ready func() bool
	// Metrics writes the metrics in a format of the given type.
	Metrics     func(ctx context.Context, w io.Writer) error
	MetricsType string
	// Status is shown as JSON at /api/v1/status.
	Status func(ctx context.Context) (any, error)
	// Diagnostics writes what is at /api/v1/diagnostics: a zip file, or nothing and
	// an error; KindBlocked when it would give something away.
	Diagnostics func(ctx context.Context, w io.Writer) error
	// Show brings the window to the front; false when there is none.
	Show func() bool
	// API is what else can be asked for with the token, by pattern; it may be nil.
	API map[string]http.HandlerFunc
	Log *slog.Logger
}

// Server answers the admin. Make one with New.
type Server struct {
	opt Options
	mux *http.ServeMux
}

// New makes a server.
func New(opt Options) *Server {
	s := &Server{opt: opt, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { s.json(w, opt.Health()) })
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /metrics", s.locked(s.metrics))
	s.mux.HandleFunc("GET /api/v1/status", s.locked(s.status))
	s.mux.HandleFunc("GET /api/v1/diagnostics", s.locked(s.diagnostics))
	s.mux.HandleFunc("POST /api/v1/show", s.locked(s.show))
	for pattern, handle := range opt.API {
		s.mux.HandleFunc(pattern, s.locked(handle))
	}
	return s
}

// Serve answers requests on a listener until ctx ends. It closes the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, DisableGeneralOptionsHandler: true, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if server.Shutdown(limit) != nil {
			_ = server.Close() // who is still reading has had its time
		}
	})
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	<-stopped
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if s.opt.Loopback && !isHere(r.Host) || isCrossSite(r) {
		http.Error(w, "this address is not for other pages", http.StatusForbidden)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// isHere says that a Host header names this machine.
func isHere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// isCrossSite says that a browser sends a request for a page of somebody else.
// Programs that are no browsers send neither header.
func isCrossSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host)
}

// locked lets only those through who have the token. Comparing takes as long
// for a wrong one as for the right one.
func (s *Server) locked(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		want, got := sha256.Sum256([]byte(s.opt.Token.Reveal())), sha256.Sum256([]byte(strings.TrimSpace(given)))
		if s.opt.Token.Empty() || !strings.EqualFold(kind, "Bearer") || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="switchboard"`)
			http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
			return
		}
		handle(w, r)
	}
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if !s.opt.Ready() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n") // the caller is gone
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", s.opt.MetricsType)
	if err := s.opt.Metrics(r.Context(), w); err != nil {
		s.opt.Log.LogAttrs(r.Context(), slog.LevelDebug, "writing the metrics failed", slog.Any("error", err))
	}
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	state, err := s.opt.Status(r.Context())
	if err != nil {
		s.opt.Log.LogAttrs(r.Context(), slog.LevelError, "reading the state failed", slog.Any("error", err))
		http.Error(w, "the state cannot be read", http.StatusInternalServerError)
		return
	}
	s.json(w, state)
}

// diagnostics may take a while: the log is long.
func (s *Server) diagnostics(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bundleTimeout)) // without it only a small one fits
	out := &late{to: w}
	err := s.opt.Diagnostics(r.Context(), out)
	if err == nil {
		return
	}
	s.opt.Log.LogAttrs(r.Context(), slog.LevelError, "saving the diagnostics failed", slog.Any("error", err))
	status := http.StatusInternalServerError
	if bridge.KindOf(err) == bridge.KindBlocked {
		status = http.StatusConflict
	}
	if !out.begun {
		http.Error(w, "the diagnostics cannot be saved", status)
		return
	}
	panic(http.ErrAbortHandler) // half a file must not look whole
}

// late sends the headers of a file with its first bytes.
type late struct {
	to    http.ResponseWriter
	begun bool
}

// Write implements io.Writer.
func (l *late) Write(text []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.to.Header().Set("Content-Type", "application/zip")
	}
	return l.to.Write(text)
}

func (s *Server) show(w http.ResponseWriter, _ *http.Request) {
	if !s.opt.Show() {
		http.Error(w, "there is no window", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (*Server) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // the caller is gone
}

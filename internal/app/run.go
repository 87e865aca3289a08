package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
)

// Run opens the door and answers until ctx ends: then no more is accepted, what
// runs may finish or is parked, and the journal is stored to the end.
func (a *App) Run(ctx context.Context) error {
	var config net.ListenConfig
	door, err := config.Listen(ctx, "tcp", a.settings.Server.Listen)
	if err != nil {
		return a.closed(a.settings.Server.Listen, err)
	}
	admin, err := config.Listen(ctx, "tcp", a.settings.Server.Admin)
	if err != nil {
		return errors.Join(a.closed(a.settings.Server.Admin, err), door.Close())
	}
	a.mu.Lock()
	a.listen, a.ready = door.Addr().String(), true
	a.mu.Unlock()
	a.log.LogAttrs(ctx, slog.LevelInfo, "the door is open", slog.String("listen", a.listen), slog.String("admin", admin.Addr().String()),
		slog.Int("bots", len(a.bots)), slog.Int("agents", len(a.agents)))

	notes, endNotes := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan error, 1)
	go func() { written <- a.journal.Run(notes) }()

	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return a.door.Serve(inner, door) })
	group.Go(func() error { return a.inbox.Run(inner) })
	group.Go(func() error { return a.serveAdmin(inner, admin) })
	err = group.Wait()
	endNotes()
	return errors.Join(err, <-written)
}

// closed warns of an address we cannot listen on. A window may stay open
// without the server, and has to say so.
func (a *App) closed(address string, err error) error {
	a.health.Raise(health.Warning{Code: health.DoorClosed, Severity: bridge.SeverityError, Detail: address + ": " + err.Error()})
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	return fmt.Errorf("app: listen: %w", err)
}

// serveAdmin answers /healthz and /readyz on loopback.
func (a *App) serveAdmin(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("app: admin: %w", err)
	}
	return nil
}

type report struct {
	Status   string          `json:"status"` // ok or attention
	Version  string          `json:"version"`
	Warnings []reportWarning `json:"warnings"`
}

type reportWarning struct {
	Code     string    `json:"code"`
	Severity string    `json:"severity"`
	Affects  string    `json:"affects,omitempty"`
	Since    time.Time `json:"since"`
}

func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	r := report{Status: "ok", Version: a.opt.Version, Warnings: []reportWarning{}}
	for _, h := range a.health.List() {
		r.Status = "attention"
		r.Warnings = append(r.Warnings, reportWarning{string(h.Code), string(h.Severity), h.Affects, h.Since})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(r) //nolint:errchkjson // the caller is gone
}

func (a *App) readyz(w http.ResponseWriter, _ *http.Request) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if !a.ready {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n")) // the caller is gone
}

package tunnel

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// State says how the tunnel is doing.
type State string

// The states.
const (
	// StateOff: there is none, or it is not running.
	StateOff State = "off"
	// StateStarting: connecting for the first time.
	StateStarting State = "starting"
	// StateOnline: the public address leads to us. Of kind url this is assumed;
	// Prove tells.
	StateOnline State = "online"
	// StateReconnecting: the connection was lost and is being taken up again.
	StateReconnecting State = "reconnecting"
	// StateDown: it does not work; see Err. Retry says whether it is tried again.
	StateDown State = "down"
)

// Status is what there is to know about the tunnel now.
type Status struct {
	Kind  Kind
	State State
	Since time.Time // when this state began
	URL   string    // the public address; empty when none is known
	Plan  string    // the name of the ngrok plan, as the service gives it
	// Err is the trouble there is, always a *bridge.Error; nil while online.
	Err error
	// Retry is when the next try begins; zero when it is under way, or when
	// nothing is tried before Reconnect.
	Retry time.Time
}

// Allowance is how many requests a month the plan carries as far as we know; 0
// means that we do not. Before the plan is known it is taken to be the free one.
func (s Status) Allowance() int {
	if s.Kind == KindNgrok && (s.Plan == "" || strings.EqualFold(s.Plan, "free")) {
		return FreeRequests
	}
	return 0
}

// Status returns the present status.
func (t *Tunnel) Status() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

// change alters the status, and tells of it when it has become another one.
func (t *Tunnel) change(ctx context.Context, alter func(*Status)) {
	t.telling.Lock()
	defer t.telling.Unlock()
	t.mu.Lock()
	old, now := t.status, t.status
	alter(&now)
	if now.State != old.State {
		now.Since = time.Now()
	}
	t.status = now
	if old.State == StateOnline || now.State == StateOnline {
		t.onlineAt = time.Now()
	}
	t.mu.Unlock()
	if now == old {
		return
	}
	level := slog.LevelInfo
	if now.Err != nil {
		level = slog.LevelWarn
	}
	t.log.LogAttrs(ctx, level, "the tunnel has changed",
		slog.String("state", string(now.State)), slog.String("url", now.URL), slog.Any("error", now.Err))
	if t.opt.Changed != nil {
		t.opt.Changed(now)
	}
}

func (t *Tunnel) online(ctx context.Context) {
	t.change(ctx, func(s *Status) { s.State, s.Err, s.Retry = StateOnline, nil, time.Time{} })
}

// connecting is the state while we try: the address stays known once it was.
func (t *Tunnel) connecting(ctx context.Context, err *bridge.Error) {
	t.change(ctx, func(s *Status) {
		s.State, s.Err, s.Retry = StateReconnecting, nil, time.Time{}
		if s.URL == "" {
			s.State = StateStarting
		}
		if err != nil { // a nil pointer would not be a nil error
			s.Err = err
		}
	})
}

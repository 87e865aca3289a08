package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
	"switchboard/internal/lifecycle"
	"switchboard/internal/settings"
	"switchboard/internal/tunnel"
	"switchboard/internal/webhook"
)

// tunnelPatience is how long a check waits for the tunnel to come up.
const tunnelPatience = 20 * time.Second

// openTunnel prepares the way from the internet to the door. Wrong settings are
// a warning: bots that keep a connection of their own need no tunnel.
func (a *App) openTunnel(ctx context.Context) {
	t, err := a.newTunnel(ctx)
	if err != nil {
		a.noTunnel.Store(&err)
		a.health.Raise(health.Warning{Code: health.TunnelDown, Severity: bridge.SeverityError, Err: err})
		a.log.LogAttrs(ctx, slog.LevelError, "the tunnel is not usable", slog.Any("error", err))
		return
	}
	a.tunnel.Store(t)
}

// openTunnelAgain opens and runs a tunnel whose token could not be read at the start.
func (a *App) openTunnelAgain(ctx context.Context) {
	a.openTunnel(ctx)
	t := a.tunnel.Load()
	if t == nil || ctx.Err() != nil {
		return
	}
	a.health.Clear(health.TunnelDown, "")
	a.log.LogAttrs(ctx, slog.LevelInfo, "the tunnel is usable again")
	a.parts.Add(lifecycle.Part{Name: partTunnel, Stage: stageFirst, Run: t.Run})
}

func (a *App) newTunnel(ctx context.Context) (*tunnel.Tunnel, error) {
	s := a.settings.Tunnel
	c := tunnel.Config{Kind: tunnel.Kind(s.Kind), PublicURL: a.settings.Server.PublicURL, Domain: s.Domain, Pooling: s.Pooling}
	switch {
	case c.Kind == tunnel.KindNone && c.PublicURL != "":
		c.Kind = tunnel.KindURL // an address of one's own says enough
	case c.Kind == tunnel.KindNgrok:
		var err error
		if c.Token, err = a.fetch(ctx, settings.TunnelToken); err != nil {
			return nil, err
		}
	}
	opt := a.opt.Tunnel
	opt.Paths, opt.Changed = []string{"/WW_verify_*.txt"}, a.tunnelChanged
	opt.Count = func() { a.ledger.Count(settings.TunnelAccount, "", bridge.MeterRequests) }
	return tunnel.New(c, a.door, a.log, opt)
}

// tunnelChanged keeps the warning true to the tunnel.
func (a *App) tunnelChanged(s tunnel.Status) {
	switch {
	case s.State == tunnel.StateOnline || s.State == tunnel.StateOff:
		a.health.Clear(health.TunnelDown, "")
	case s.Err != nil:
		a.health.Raise(health.Warning{Code: health.TunnelDown, Severity: bridge.SeverityError, Err: s.Err})
	}
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	a.reached()
}

// Reconnect renews the tunnel's connection at once.
func (a *App) Reconnect() {
	if t := a.tunnel.Load(); t != nil {
		t.Reconnect()
	}
}

// publicURL is the address that platforms call, as far as it is known.
func (a *App) publicURL() string {
	if t := a.tunnel.Load(); t != nil {
		return t.Status().URL
	}
	return a.settings.Server.PublicURL
}

// callback is where a platform reaches a bot's webhook now.
func (a *App) callback(bot string) string {
	base := a.publicURL()
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + webhook.Path(bot)
}

// selfTest answers a request that we sent ourselves out into the internet.
func (a *App) selfTest(w http.ResponseWriter, r *http.Request) {
	t := a.tunnel.Load()
	if t == nil {
		http.NotFound(w, r)
		return
	}
	t.Proof().ServeHTTP(w, r)
}

// checkTunnel sends a request of our own through the public address. When the
// house is not running, the door and the tunnel are opened for that long.
func (a *App) checkTunnel(ctx context.Context, lang bridge.Language) []CheckLine {
	const who = "tunnel"
	t := a.tunnel.Load()
	if t == nil {
		return []CheckLine{trouble(lang, who, *a.noTunnel.Load())}
	}
	if t.Status().Kind == tunnel.KindNone {
		return nil
	}
	a.mu.RLock()
	runs := a.runs
	a.mu.RUnlock()
	if !runs {
		l, err := a.opt.Listen(ctx, a.settings.Server.Listen)
		if err != nil {
			return []CheckLine{{Who: who, What: i18n.Text(lang, "warning.door_closed") + " " + err.Error(), Next: i18n.Text(lang, "warning.door_closed.next")}}
		}
		inner, stop := context.WithCancel(ctx)
		var parts sync.WaitGroup
		parts.Go(func() { _ = a.door.Serve(inner, l) })
		parts.Go(func() { _ = t.Run(inner) })
		defer parts.Wait()
		defer stop()
	}
	awaitTunnel(ctx, t)
	return checkLines(lang, who, "finding.tunnel.", t.Prove(ctx), nil)
}

// awaitTunnel waits a while until the tunnel is up or has said why it is not.
func awaitTunnel(ctx context.Context, t *tunnel.Tunnel) {
	ctx, cancel := context.WithTimeout(ctx, tunnelPatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for s := t.Status(); s.State != tunnel.StateOnline && s.Err == nil; s = t.Status() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

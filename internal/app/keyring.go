package app

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/secret"
	"switchboard/internal/settings"
)

const (
	// keyringLook is how often is looked whether the keyring is open by now.
	// Looking asks nobody for anything.
	keyringLook = 10 * time.Second
	// keyringTry is how often a keyring is tried that does not let itself be looked
	// at, as that of macOS, or did not give the secret though it is open. Each try
	// may put a window before the user that asks for a password.
	keyringTry = time.Hour
)

// watchKeyring waits for a keyring that was locked or silent at the start, and
// then opens the bots and the tunnel and sets up the agents that it kept from
// working. It never reads from one that is seen to be locked: that asks the user each time.
func (a *App) watchKeyring(ctx context.Context) error {
	tick := time.NewTicker(keyringLook)
	defer tick.Stop()
	for before, tried := secret.SightLocked, time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		waiting := a.withheld()
		if len(waiting) == 0 {
			continue
		}
		now := a.vault.Load().See(ctx)
		opened := now == secret.SightOpen && before != secret.SightOpen
		before = now
		if opened || now != secret.SightLocked && time.Since(tried) >= keyringTry {
			tried = time.Now()
			a.tryKeyring(ctx, waiting)
		}
	}
}

// withheld lists the warnings about what waits for the keyring.
func (a *App) withheld() []health.Warning {
	return slices.DeleteFunc(a.health.List(), func(w health.Warning) bool {
		_, withheld := secret.Withheld(w.Err)
		return !withheld || w.Code != health.BotBroken && w.Code != health.AgentBroken && w.Code != health.TunnelDown
	})
}

// tryKeyring reads one secret. When the keyring answers, everything that waits for
// it is tried; otherwise nobody is asked more than this once.
func (a *App) tryKeyring(ctx context.Context, waiting []health.Warning) {
	name, _ := secret.Withheld(waiting[0].Err)
	_, err := a.fetch(ctx, name)
	if _, withheld := secret.Withheld(err); withheld || ctx.Err() != nil {
		a.log.LogAttrs(ctx, slog.LevelInfo, "the keyring still does not answer", slog.Any("error", err))
		return
	}
	for _, w := range waiting {
		switch w.Code { //nolint:exhaustive // nothing else waits
		case health.AgentBroken:
			a.setUpAgain(ctx, w.Affects)
		case health.TunnelDown:
			a.openTunnelAgain(ctx)
		default:
			a.openAgain(ctx, w.Affects)
		}
	}
	nudge(a.reviewed)
	nudge(a.naming)
	a.reached()
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
}

// setUpAgain sets up an agent that is broken.
func (a *App) setUpAgain(ctx context.Context, id string) {
	i := slices.IndexFunc(a.settings.Agents, func(s settings.Agent) bool { return s.ID == id })
	if i < 0 {
		return
	}
	state := a.setUp(ctx, a.settings.Agents[i])
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.agents[id]; old == nil || old.agent != nil {
		return // somebody gave it another key meanwhile
	}
	a.agents[id] = state
	if state.agent != nil {
		a.health.Clear(health.AgentBroken, id)
		a.log.LogAttrs(ctx, slog.LevelInfo, "an agent is usable again", slog.String("agent", id))
	}
}

// openAgain opens a bot that is broken, and its own connection if it has one.
func (a *App) openAgain(ctx context.Context, id string) {
	i := slices.IndexFunc(a.settings.Bots, func(s settings.Bot) bool { return s.ID == id })
	if i < 0 {
		return
	}
	a.health.Clear(health.SettingAdvised, id) // raised again if it is still true
	b := a.prepare(ctx, a.settings.Bots[i])
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bots[id] = b
	if b.bot == nil {
		return
	}
	a.health.Clear(health.BotBroken, id)
	a.log.LogAttrs(ctx, slog.LevelInfo, "a bot is usable again", slog.String("bot", id))
	if ctx.Err() == nil {
		a.listenTo(b)
	}
}

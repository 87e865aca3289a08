package app

import (
	"context"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/lifecycle"
)

// hopeless says of the error of a part that starting it again is useless: the
// admin has to repair something here first. What the other side forbids may be
// allowed there, such as an address or a permission, without our being told.
func hopeless(err error) bool {
	switch bridge.KindOf(err) { //nolint:exhaustive // all others may pass
	case bridge.KindCredential, bridge.KindInvalid, bridge.KindUnsupported:
		return true
	default:
		return false
	}
}

// partDied warns of a part that stopped. A door that cannot be opened has a
// warning of its own already.
func (a *App) partDied(part string, err error) {
	a.meter.deaths.Add(1, part)
	if a.health.Standing(health.DoorClosed, part) {
		return
	}
	a.health.Raise(warningOf(part, err))
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
}

func (a *App) partWell(part string) {
	w := warningOf(part, nil)
	if a.health.Clear(w.Code, w.Affects) {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		a.reached()
	}
}

func warningOf(part string, err error) health.Warning {
	if bot, ok := strings.CutPrefix(part, partListen); ok {
		return health.Warning{Code: health.BotDisconnected, Severity: bridge.SeverityError, Affects: bot, Err: err}
	}
	return health.Warning{Code: health.PartFailing, Severity: bridge.SeverityError, Affects: part, Err: err}
}

// listenToBots keeps the connections of the bots that have one of their own.
func (a *App) listenToBots() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.bots {
		a.listenTo(b)
	}
}

// listenTo begins to keep a bot's own connection. The lock is held.
func (a *App) listenTo(b *openBot) {
	listener, ok := b.bot.(bridge.Listener)
	if !ok || !b.mode.Listens || b.leave != nil {
		return
	}
	b.leave = a.parts.Add(lifecycle.Part{Name: partListen + b.ID, Stage: stageFirst, Run: func(ctx context.Context) error {
		return listener.Listen(ctx, func(ctx context.Context, d bridge.Delivery) error { return a.heard(ctx, b.ID, d) })
	}})
}

// heard accepts what came over a bot's own connection.
func (a *App) heard(ctx context.Context, bot string, d bridge.Delivery) error {
	if err := a.accept(ctx, bot, d); err != nil {
		return err
	}
	if d.Note != "" {
		a.record(bridge.Entry{Kind: bridge.EntryIgnored, At: time.Now(), Bot: bot, Note: d.Note})
	}
	if d.Suspect {
		a.suspect(bot, d)
	}
	return nil
}

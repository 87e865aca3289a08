package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/lifecycle"
)

// The stages of stopping: the journal and what else writes down is told last,
// when nothing happens any more that it should hear of.
const (
	stageLast = iota
	stageFirst
)

// The names of the parts; the words for them are in the catalogue under
// "part.<name>". The connection of a bot is a part named after the bot.
const (
	partJournal = "journal"
	partLimits  = "limits"
	partBudgets = "budgets"
	partCatchUp = "catch_up"
	partForget  = "forget"
	partAdmin   = "admin"
	partInbox   = "inbox"
	partDoor    = "door"
	partTunnel  = "tunnel"
	partClock   = "clock"
	partCare    = "care"
	partAlike   = "alike"
	partInputs  = "inputs"
	partFile    = "file"
	partForms   = "forms"
	partKeyring = "keyring"
	partDoubts  = "doubts"
	partWaiting = "waiting"
	partListen  = "listen " // and the bot's id
)

// Run opens the door and answers until ctx ends: then no more is accepted, what
// runs may finish or is parked, and the journal is stored to the end. A part
// that dies is started again while the others go on.
func (a *App) Run(ctx context.Context) error {
	a.mu.Lock()
	a.runs = true
	a.mu.Unlock()
	if !a.opt.Patient {
		if err := a.openEarly(ctx); err != nil {
			return err
		}
	}
	for _, p := range a.longLived() {
		a.parts.Add(p)
	}
	a.listenToBots()
	defer context.AfterFunc(ctx, a.closing)()
	return a.parts.Run(ctx)
}

// longLived lists the parts of the house, the connections of bots aside.
func (a *App) longLived() []lifecycle.Part {
	all := []lifecycle.Part{
		{Name: partJournal, Stage: stageLast, Run: a.journal.Run},
		{Name: partLimits, Stage: stageLast, Run: a.keepLimits},
		{Name: partForget, Stage: stageLast, Run: a.forget.run},
		{Name: partBudgets, Stage: stageLast, Run: a.keepBudgets},
		{Name: partAdmin, Stage: stageLast, Run: a.runAdmin},
		{Name: partInbox, Stage: stageFirst, Run: a.inbox.Run},
		{Name: partDoor, Stage: stageFirst, Run: a.runDoor},
		{Name: partInputs, Stage: stageFirst, Run: a.reviewInputs},
		{Name: partCare, Stage: stageFirst, Run: a.runCare},
		{Name: partClock, Stage: stageFirst, Run: a.watchClock},
		{Name: partFile, Stage: stageFirst, Run: a.watchFile},
		{Name: partCatchUp, Stage: stageFirst, Run: a.catchUp},
		{Name: partDoubts, Stage: stageFirst, Run: a.weighDoubts},
		{Name: partOffices, Stage: stageFirst, Run: a.readDepartments},
		{Name: partForms, Stage: stageFirst, Run: a.watchForms},
	}
	if len(a.withheld()) > 0 {
		all = append(all, lifecycle.Part{Name: partKeyring, Stage: stageFirst, Run: a.watchKeyring})
	}
	if a.approves() {
		all = append(all, lifecycle.Part{Name: partWaiting, Stage: stageFirst, Run: a.watchNewcomers})
	}
	if a.settings.People.AutoLink {
		all = append(all, lifecycle.Part{Name: partAlike, Stage: stageFirst, Run: a.joinAlike})
	}
	if t := a.tunnel.Load(); t != nil {
		all = append(all, lifecycle.Part{Name: partTunnel, Stage: stageFirst, Run: t.Run})
	}
	return all
}

func (a *App) closing() {
	a.mu.Lock()
	a.ready = false
	a.mu.Unlock()
}

// openEarly opens the listeners before any part runs, so that a taken address
// is an error and not a part that keeps dying.
func (a *App) openEarly(ctx context.Context) error {
	for _, p := range []struct{ part, address string }{{partDoor, a.settings.Server.Listen}, {partAdmin, a.settings.Server.Admin}} {
		l, err := a.listenOn(ctx, p.part, p.address)
		if err != nil {
			for _, open := range a.opened {
				err = errors.Join(err, open.Close())
			}
			return err
		}
		a.opened[p.part] = l
	}
	return nil
}

func listenTCP(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address)
}

// listenOn opens a listener, or takes the one that was opened early. One that
// cannot be opened is a warning of its own: a window may stay open without the
// server, and has to say so.
func (a *App) listenOn(ctx context.Context, part, address string) (net.Listener, error) {
	a.mu.Lock()
	l := a.opened[part]
	delete(a.opened, part)
	a.mu.Unlock()
	if l != nil {
		return l, nil
	}
	l, err := a.opt.Listen(ctx, address)
	if err != nil {
		a.health.Raise(health.Warning{Code: health.DoorClosed, Severity: bridge.SeverityError, Affects: part, Detail: address + ": " + err.Error()})
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		return nil, fmt.Errorf("app: listen: %w", err)
	}
	if a.health.Clear(health.DoorClosed, part) {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
	return l, nil
}

// runDoor opens the door and serves it. One that died is opened again at the
// same address, because platforms know it.
func (a *App) runDoor(ctx context.Context) error {
	a.mu.RLock()
	address := a.listen
	a.mu.RUnlock()
	if address == "" {
		address = a.settings.Server.Listen
	}
	l, err := a.listenOn(ctx, partDoor, address)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.listen, a.ready = l.Addr().String(), ctx.Err() == nil
	bots, agents := len(a.bots), len(a.agents)
	a.mu.Unlock()
	a.reached()
	a.log.LogAttrs(ctx, slog.LevelInfo, "the door is open", slog.String("listen", l.Addr().String()), slog.Int("bots", bots), slog.Int("agents", agents))
	return a.door.Serve(ctx, l)
}

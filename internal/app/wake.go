package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	// clockLook is how often the clock is looked at.
	clockLook = 3 * time.Second
	// clockJump is how much longer than that it has to be for us to have slept.
	clockJump = 15 * time.Second
)

// watchClock notices that this computer, or this program, was asleep: the time
// of day went on while nothing ran. It looks at the time of day alone, because
// the monotonic clock stands still meanwhile on some systems only. It goes on looking
// while everything connects anew: a connection that takes long to end would seem to
// be another sleep.
func (a *App) watchClock(ctx context.Context) error {
	var waking sync.WaitGroup
	defer waking.Wait()
	tick := time.NewTicker(clockLook)
	defer tick.Stop()
	last := a.opt.Clock().Round(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := a.opt.Clock().Round(0)
		if asleep := now.Sub(last) - clockLook; asleep > clockJump {
			waking.Go(func() { a.woke(ctx, asleep) })
		}
		last = now
	}
}

// woke renews at once what did not live through the sleep, and looks for what
// became due in it.
func (a *App) woke(ctx context.Context, asleep time.Duration) {
	a.log.LogAttrs(ctx, slog.LevelInfo, "awake again: everything connects anew", slog.Duration("asleep", asleep.Round(time.Second)))
	a.record(bridge.Entry{Kind: bridge.EntryWoke, At: time.Now(), Took: asleep})
	a.callAnew()
	a.Reconnect()
	a.inbox.Stir()
	a.listenAgain(ctx)
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
}

// callAnew has bots and agents use none of the connections they kept.
func (a *App) callAnew() {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, b := range a.bots {
		if r, ok := b.bot.(bridge.Renewer); ok {
			r.Renew()
		}
	}
	for _, g := range a.agents {
		if r, ok := g.agent.(bridge.Renewer); ok {
			r.Renew()
		}
	}
}

// listenAgain ends the connections of the bots and makes new ones.
func (a *App) listenAgain(ctx context.Context) {
	a.playing.Lock() // nobody takes bots away meanwhile
	defer a.playing.Unlock()
	var all sync.WaitGroup
	a.mu.Lock()
	for _, b := range a.bots {
		if leave := b.leave; leave != nil {
			all.Go(func() { a.relisten(ctx, b, leave) })
		}
	}
	a.mu.Unlock()
	all.Wait()
}

func (a *App) relisten(ctx context.Context, b *openBot, leave func() error) {
	if err := leave(); err != nil { // it hangs; what it still delivers is accepted once
		a.log.LogAttrs(ctx, slog.LevelWarn, "an old connection does not end", slog.String("bot", b.ID), slog.Any("error", err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	b.leave = nil
	a.listenTo(b)
}

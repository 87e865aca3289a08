package app

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/health"
)

// hooked finds the bot of a webhook request.
func (a *App) hooked(id string) (bridge.Bot, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b := a.bots[id]
	if b == nil || b.bot == nil || !b.mode.Webhook {
		return nil, false
	}
	return b.bot, true
}

func (a *App) findBot(id string) (bridge.Bot, bridge.Capabilities, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b := a.bots[id]
	if b == nil || b.bot == nil {
		return nil, bridge.Capabilities{}, false
	}
	return b.bot, b.limits, true
}

// agentOf returns the agent that answers for a bot.
func (a *App) agentOf(bot string) string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if b := a.bots[bot]; b != nil {
		return b.Agent
	}
	return ""
}

func (a *App) findAgent(id string) (bridge.Agent, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	g := a.agents[id]
	if g == nil || g.agent == nil {
		return nil, false
	}
	return g.agent, true
}

// accept stores what a webhook delivered. A store that fails is a warning that
// goes away by itself with the next message that is stored.
func (a *App) accept(ctx context.Context, bot string, d bridge.Delivery) error {
	if len(d.Messages)+len(d.Actions) == 0 {
		return nil
	}
	if _, err := a.inbox.Accept(ctx, a.titled(ctx, d)); err != nil {
		w := health.Warning{Code: health.StoreFailing, Severity: bridge.SeverityError, Detail: err.Error()}
		if ctx.Err() == nil && a.health.Raise(w) { // a platform that hung up says nothing about the store
			a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		}
		return err
	}
	a.health.Clear(health.StoreFailing, "")
	a.health.Clear(health.UnreadableTraffic, bot)
	a.mu.Lock()
	if b := a.bots[bot]; b != nil {
		b.last = time.Now()
	}
	a.mu.Unlock()
	return nil
}

// watchForms tells people what becomes of the decisions that answers wait for.
func (a *App) watchForms(ctx context.Context) error {
	return a.engine.WatchForms(ctx, func(ctx context.Context, d bridge.Delivery) error {
		_, err := a.inbox.Accept(ctx, d)
		return err
	})
}

// proof returns a file that proves who owns the domain, which the admin has put
// into the data directory under the name the platform gave it.
func (a *App) proof(name string) ([]byte, bool) {
	const most = 4 << 10
	f, err := os.Open(filepath.Join(a.opt.Data, filepath.Base(name)))
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	return text, err == nil && len(text) <= most
}

func (a *App) suspect(bot string, d bridge.Delivery) {
	w := health.Warning{Code: health.UnreadableTraffic, Severity: bridge.SeverityWarning, Affects: bot, Detail: d.Note, Err: d.Why}
	if a.health.Raise(w) {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

// observe keeps how agents and bots fare, and warns of those that fail.
func (a *App) observe(o engine.Outcome) {
	a.meter.observe(o)
	a.mu.Lock()
	lacks := false
	if g := a.agents[o.Agent]; g != nil {
		g.err = o.Err
		if o.Err == nil {
			g.last, g.latency = time.Now(), o.FirstText
		}
		lacks = g.lacks
	}
	if b := a.bots[o.Bot]; b != nil {
		b.err = o.Err
	}
	a.mu.Unlock()
	code, affects := health.AgentFailing, o.Agent
	if o.Bot != "" {
		code, affects = health.BotFailing, o.Bot
	}
	switch {
	case o.Err == nil:
		a.health.Clear(code, affects)
		if o.Agent != "" && !lacks {
			a.health.Clear(health.InputsMissing, o.Agent)
		}
		return
	case bridge.KindOf(o.Err) == bridge.KindIncomplete:
		a.lacking(o.Agent, o.Err)
		return
	}
	a.health.Raise(health.Warning{Code: code, Severity: bridge.SeverityWarning, Affects: affects, Err: o.Err})
}

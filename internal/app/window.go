package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
	"switchboard/internal/router"
	"switchboard/internal/webhook"
)

// The methods of this file are what the window asks of the house.

// Overview returns the state of the house at this moment.
func (a *App) Overview(ctx context.Context) (bridge.Overview, error) {
	y, m, d := time.Now().Date()
	counts, err := a.store.Counts(ctx, time.Date(y, m, d, 0, 0, 0, 0, time.Local))
	if err != nil {
		return bridge.Overview{}, fmt.Errorf("app: overview: %w", err)
	}
	waiting, err := a.store.Waiting(ctx)
	if err != nil {
		return bridge.Overview{}, fmt.Errorf("app: overview: %w", err)
	}
	o := bridge.Overview{
		Paused: a.inbox.Paused(), PublicURL: a.publicURL(), Version: a.opt.Version, Since: a.since, Demo: a.demo() != nil,
	}
	o.Budgets = a.budgets()
	running := a.inbox.Running()
	a.mu.RLock()
	defer a.mu.RUnlock()
	o.Listen = a.listen
	for _, id := range slices.Sorted(maps.Keys(a.bots)) {
		s := botStatus(a.bots[id], counts[id], o.Paused)
		o.Bots = append(o.Bots, s)
		o.Received, o.Answered, o.Failed = o.Received+s.Received, o.Answered+s.Answered, o.Failed+s.Failed
	}
	for _, id := range slices.Sorted(maps.Keys(a.agents)) {
		g := a.agents[id]
		o.Agents = append(o.Agents, bridge.AgentStatus{
			ID: id, Kind: g.Kind, Version: versionOf(g.agent), Running: running[id], Limit: g.MaxConcurrent, Waiting: max(0, waiting[id]-running[id]),
			LastAnswer: g.last, Latency: g.latency, Err: g.err,
		})
	}
	return o, nil
}

// versionOf is the version of an agent's server, if that is known.
func versionOf(g bridge.Agent) string {
	if v, ok := g.(bridge.Versioned); ok {
		return v.Version()
	}
	return ""
}

func botStatus(b *openBot, s bridge.BotStatus, paused bool) bridge.BotStatus {
	s.ID, s.Platform, s.Mode, s.Agent, s.Err = b.ID, b.Platform, b.mode.ID, b.Agent, b.err
	if b.mode.Webhook {
		s.Callback = webhook.Path(b.ID)
	}
	switch {
	case b.bot == nil:
		s.State = bridge.BotBroken
	case paused:
		s.State = bridge.BotPaused
	case b.err != nil:
		s.State = bridge.BotFailing
	case b.last.IsZero() && s.Received == 0:
		s.State = bridge.BotWaiting
	default:
		s.State = bridge.BotReady
	}
	return s
}

// Notices returns what needs attention, the worst first, in words.
func (a *App) Notices(lang bridge.Language) []bridge.Notice {
	var all []bridge.Notice
	for _, w := range a.health.List() {
		all = append(all, notice(lang, w))
	}
	return all
}

// notice renders a warning for people.
func notice(lang bridge.Language, w health.Warning) bridge.Notice {
	key, affects := "warning."+string(w.Code), w.Affects
	switch w.Code { //nolint:exhaustive // the others are about bots and agents, which are called as the admin calls them
	case health.PartFailing:
		affects = i18n.Text(lang, "part."+w.Affects)
	case health.BudgetShort, health.BudgetSpent:
		account, meter, _ := strings.Cut(w.Affects, " ")
		affects = i18n.Budget(lang, account, bridge.Meter(meter))
	}
	n := bridge.Notice{
		ID: string(w.Code) + " " + w.Affects, Severity: w.Severity, Bot: w.Affects, Since: w.Since, Detail: w.Detail,
		Title: i18n.Text(lang, key, "affects", affects), Next: i18n.Text(lang, key+".next", "affects", affects),
	}
	var known *bridge.Error
	switch text := problemText(lang, w.Err); {
	case w.Err == nil:
	case text != "":
		n.Detail = text
	case !errors.As(w.Err, &known): // nobody has better words for it
		n.Detail = strings.TrimSpace(n.Detail + " " + w.Err.Error())
	default:
		e := i18n.Explain(lang, w.Err)
		n.Detail = strings.TrimSpace(e.What + " " + w.Detail)
		if e.Next != "" {
			n.Next = e.Next
		}
	}
	return n
}

// Talks returns the conversations that match, the latest first.
func (a *App) Talks(ctx context.Context, q bridge.TalkQuery) ([]bridge.TalkRow, error) {
	return a.store.Talks(ctx, q)
}

// Exchanges returns questions of a lane with their answers, oldest first.
func (a *App) Exchanges(ctx context.Context, lane string, before int64, limit int) ([]bridge.Exchange, error) {
	return a.store.Exchanges(ctx, lane, before, limit)
}

// Retry asks the question of a finished job again.
func (a *App) Retry(ctx context.Context, id int64) error {
	j, err := a.store.Job(ctx, id)
	if err != nil {
		return fmt.Errorf("app: retry: %w", err)
	}
	if !j.State.Final() {
		return nil // on its way already
	}
	if j.Message.Text == "" && len(j.Message.Files) == 0 {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: retry", Code: "forgotten"}
	}
	again := j.Message
	again.ID += bridge.MessageID(fmt.Sprintf("/again-%d", time.Now().UnixMilli()))
	again.SentAt = time.Now()
	if _, err := a.inbox.Accept(ctx, bridge.Delivery{Messages: []bridge.Message{again}}); err != nil {
		return fmt.Errorf("app: retry: %w", err)
	}
	p, err := a.store.PersonOf(ctx, router.Identity(again))
	if err == nil {
		err = a.store.Audit(ctx, bridge.Audit{Kind: bridge.AuditAsked, By: atWindow(), Person: p.ID, Note: fmt.Sprintf("message %d", id)})
	}
	if err != nil {
		return fmt.Errorf("app: retry: %w", err)
	}
	return nil
}

// Watch tells what changed until ctx ends.
func (a *App) Watch(ctx context.Context) <-chan bridge.Change { return a.journal.Watch(ctx) }

// Pause stops or resumes answering; accepting goes on.
func (a *App) Pause(_ context.Context, on bool) error {
	a.inbox.Pause(on)
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	return nil
}

// FirstRun says that nothing has been set up yet.
func (a *App) FirstRun() bool { return len(a.settings.Bots) == 0 }

// DataDir is the folder with everything the app stores.
func (a *App) DataDir() string { return a.opt.Data }

// Audits returns entries of the audit, the latest first.
func (a *App) Audits(ctx context.Context, q bridge.AuditQuery) ([]bridge.Audit, error) {
	all, err := a.store.Audits(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("app: audits: %w", err)
	}
	return all, nil
}

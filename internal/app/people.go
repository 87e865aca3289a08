package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/people"
	"switchboard/internal/router"
	"switchboard/internal/settings"
)

const (
	// desk is the queue of the commands that do not wait for their turn. No agent
	// can have this id.
	desk        = "_desk"
	deskWorkers = 4
	// namesAtMost is how many names a notice holds.
	namesAtMost = 5
	// newcomersLook is how often is looked who waits for a decision, whatever was
	// noticed of it: other nodes meet people and decide, too, and a look may fail.
	newcomersLook = time.Minute
)

// newRules reads the routing rules of the settings.
func newRules(s settings.Settings) ([]router.Rule, []router.Mistake) {
	var k router.Known
	for _, a := range s.Agents {
		k.Agents = append(k.Agents, a.ID)
	}
	for _, b := range s.Bots {
		k.Bots = append(k.Bots, b.ID)
	}
	return router.ParseRules(s.Routes, k)
}

// checkRoutes says what is wrong with routing rules of the settings.
func checkRoutes(rules []any, agents, bots []string) []settings.RouteMistake {
	_, mistakes := router.ParseRules(rules, router.Known{Agents: agents, Bots: bots})
	var all []settings.RouteMistake
	for _, m := range mistakes {
		all = append(all, settings.RouteMistake(m))
	}
	return all
}

// routing is how messages are routed, as the settings say.
func (a *App) routing() router.Options {
	bots := map[string]settings.Bot{}
	for _, b := range a.settings.Bots {
		bots[b.ID] = b
	}
	rules, _ := newRules(a.settings) // without mistakes, or they would have been refused
	return router.Options{
		AgentOf: a.agentOf, SessionTTL: a.settings.Engine.SessionTTL, Language: a.language(), Desk: desk, Rules: rules,
		Group:       func(bot string) router.GroupPolicy { return router.GroupPolicy(bots[bot].Group) },
		Departments: a.departments,
		Serves:      func(agent string) bool { _, ok := a.findAgent(agent); return ok },
		Admission:   func(bot string) router.Admission { return router.Admission(bots[bot].Admission) },
		DefaultRole: a.settings.People.DefaultRole,
		Circle:      func(bot string) router.Circle { return router.Circle(bots[bot].Allow) },
		Exempt: func(bot string) bool {
			_, ours := bots[bot]
			return !ours && a.agentOf(bot) == demoAgent
		},
		Allowed: a.settings.People.AllowedAgents,
	}
}

// departments tells where somebody works, as far as a directory says: by id and by
// name.
func (a *App) departments(ctx context.Context, bot string, who bridge.Identity) (m router.Membership) {
	if who.User == "" {
		return m // nobody writes; somebody asks what would be
	}
	if p := a.profiles.Current(ctx, bot, who); p.Department != "" {
		m.Of = router.Departments(p.Department)
	}
	names, unsure := a.offices.Names(ctx, bot, m.Of)
	m.Of, m.Unsure = append(m.Of, names...), unsure
	return m
}

// lookUp asks the directory behind a bot.
func (a *App) lookUp(ctx context.Context, bot string, user bridge.UserID) (bridge.Profile, error) {
	b, _, ok := a.findBot(bot)
	if d, can := b.(bridge.Directory); ok && can {
		defer nudge(a.lookedUp)
		return d.LookUp(ctx, user)
	}
	return bridge.Profile{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: look up"}
}

// linker links the accounts of people who ask for it; nil when the settings
// leave that to the admin.
func (a *App) linker() *people.Linker {
	if !a.settings.People.SelfLink {
		return nil
	}
	return people.NewLinker(a.store, a.store, a.standing)
}

// standing is what a role is worth with every bot: a newcomer's is that of
// newcomers, unless some bot wants them approved.
func (a *App) standing(role bridge.Role) bridge.Role {
	if role != bridge.RoleNew {
		return role
	}
	for _, b := range a.settings.Bots {
		if router.Admission(b.Admission) == router.AdmitApproved || router.Admission(b.Admission) == router.AdmitKnown {
			return role
		}
	}
	return a.settings.People.DefaultRole
}

// Newcomers lists the people who wait for a decision.
func (a *App) Newcomers(ctx context.Context) ([]bridge.Newcomer, error) {
	return a.store.Newcomers(ctx)
}

// Decide gives somebody who waits for it a role and tells them: RoleBlocked
// declines. An error about telling them leaves the role given.
func (a *App) Decide(ctx context.Context, person string, role bridge.Role, by bridge.Actor) error {
	p, err := a.store.Person(ctx, person)
	if err != nil {
		return err
	}
	err = a.engine.Decide(ctx, p, role, by)
	a.showNewcomers(ctx)
	return err
}

// approves says that some bot has newcomers wait for a decision.
func (a *App) approves() bool {
	return slices.ContainsFunc(a.settings.Bots, func(b settings.Bot) bool { return router.Admission(b.Admission) == router.AdmitApproved })
}

// watchNewcomers keeps the notices about newcomers true until ctx ends.
func (a *App) watchNewcomers(ctx context.Context) error {
	tick := time.NewTicker(newcomersLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			a.showNewcomers(ctx)
		}
	}
}

// showNewcomers keeps the notices true to who waits for a decision. One look comes
// after the other: an early one shall not have the last word.
func (a *App) showNewcomers(ctx context.Context) {
	a.noticing.Lock()
	defer a.noticing.Unlock()
	all, err := a.store.Newcomers(ctx)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "looking for newcomers failed", slog.Any("error", err))
		return
	}
	names := map[string][]string{}
	for _, n := range all {
		name := n.Person.Name
		if name == "" {
			name = n.Person.ID
		}
		names[n.Bot] = append(names[n.Bot], name)
	}
	changed := false
	for _, b := range a.settings.Bots {
		waiting := names[b.ID]
		if len(waiting) == 0 || router.Admission(b.Admission) != router.AdmitApproved {
			changed = a.health.Clear(health.ApprovalWaiting, b.ID) || changed
			continue
		}
		if len(waiting) > namesAtMost {
			waiting = append(waiting[:namesAtMost:namesAtMost], "…")
		}
		w := health.Warning{Code: health.ApprovalWaiting, Severity: bridge.SeverityWarning, Affects: b.ID, Detail: strings.Join(waiting, ", ")}
		changed = a.health.Raise(w) || changed
	}
	if changed {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

package app

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"switchboard/internal/agent/echo"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/settings"
	"switchboard/internal/webhook"
)

// demoAgent is the id of the demonstration's agent.
const demoAgent = "demo"

// demo returns the running simulator, or nil.
func (a *App) demo() *simulator.Simulator {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.play
}

// StartDemo starts the simulated platforms and bots on them that the echo agent
// answers for. The same door, inbox and engine serve them as the real ones.
// Their people are linked: each is one person on all platforms.
func (a *App) StartDemo(ctx context.Context) error {
	a.playing.Lock()
	defer a.playing.Unlock()
	if a.demo() != nil {
		return nil
	}
	a.mu.RLock()
	listen := a.listen
	a.mu.RUnlock()
	if listen == "" {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: demo", Detail: "the door is not open yet"}
	}
	sim, err := simulator.Start(ctx, simulator.Options{Log: a.log})
	if err != nil {
		return fmt.Errorf("app: demo: %w", err)
	}
	err = a.linkEmployees(ctx, sim)
	if err == nil {
		err = a.openDemoBots(sim, listen)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("app: demo: %w", err), sim.Close())
	}
	a.mu.Lock()
	a.play = sim
	a.mu.Unlock()
	a.inbox.Serve(demoAgent, 5)
	go func() {
		for range sim.Watch(context.WithoutCancel(ctx)) { // until the simulator is closed
			a.journal.Tell(bridge.Change{Kind: bridge.ChangeBubble})
		}
	}()
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	return nil
}

// linkEmployees makes each simulated employee one person on all platforms.
func (a *App) linkEmployees(ctx context.Context, sim *simulator.Simulator) error {
	for _, e := range sim.Employees() {
		person := ""
		for _, p := range e.Platforms {
			who := sim.Identity(e.ID, p)
			who.Name = e.Name
			if person == "" {
				found, err := a.store.PersonOf(ctx, who)
				if err != nil {
					return fmt.Errorf("app: link: %w", err)
				}
				person = found.ID
				continue
			}
			if err := a.store.Link(ctx, who, person); err != nil {
				return fmt.Errorf("app: link: %w", err)
			}
		}
	}
	return nil
}

func (a *App) openDemoBots(sim *simulator.Simulator, listen string) error {
	bots := map[string]*openBot{}
	for _, config := range sim.Configs() {
		for _, c := range a.opt.Connectors {
			if c.Platform != config.Platform {
				continue
			}
			b := &openBot{Bot: settings.Bot{ID: config.ID, Platform: config.Platform, Mode: config.Mode, Agent: demoAgent}}
			b.mode, _ = c.Mode(config.Mode)
			here := "http://" + listen + webhook.Path(config.ID)
			env := a.env(config.ID, "")
			env.Callback = func() string { return here }
			var err error
			if b.bot, err = c.Open(config, env); err != nil {
				return fmt.Errorf("app: bot %s: %w", config.ID, err)
			}
			b.limits = limitsOf(b.bot, b.mode)
			bots[config.ID] = b
			sim.Attach(config.ID, here)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(a.bots, bots)
	for _, b := range bots {
		a.listenTo(b)
	}
	a.agents[demoAgent] = &openAgentState{Agent: settings.Agent{ID: demoAgent, Kind: kindEcho, MaxConcurrent: 5}, agent: echo.New(a.opt.Echo)}
	return nil
}

// StopDemo takes the simulated platforms and their bots away.
func (a *App) StopDemo(context.Context) error {
	a.playing.Lock()
	defer a.playing.Unlock()
	sim := a.demo()
	if sim == nil {
		return nil
	}
	a.inbox.Serve(demoAgent, 0)
	var all []error
	for _, b := range a.takeDemoBots(sim) {
		if b.leave != nil {
			all = append(all, b.leave())
		}
		all = append(all, b.bot.Close())
	}
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	return errors.Join(append(all, sim.Close())...)
}

// takeDemoBots takes the bots of the demonstration out, and its agent.
func (a *App) takeDemoBots(sim *simulator.Simulator) []*openBot {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.play = nil
	var bots []*openBot
	for _, config := range sim.Configs() {
		if b := a.bots[config.ID]; b != nil {
			bots = append(bots, b)
		}
		delete(a.bots, config.ID)
	}
	delete(a.agents, demoAgent)
	return bots
}

// Employees lists the simulated people; none while the simulator does not run.
func (a *App) Employees() []bridge.Employee {
	if sim := a.demo(); sim != nil {
		return sim.Employees()
	}
	return nil
}

// Say writes a message as a simulated employee.
func (a *App) Say(ctx context.Context, employee string, p bridge.Platform, text string) error {
	sim := a.demo()
	if sim == nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: demo", Detail: "the demonstration is not running"}
	}
	if _, err := sim.Say(ctx, employee, p, text); err != nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: demo", Err: err}
	}
	return nil
}

// Click presses a button below a message, as a simulated employee who sees it.
func (a *App) Click(ctx context.Context, employee, message, button string) error {
	sim := a.demo()
	if sim == nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: demo", Detail: "the demonstration is not running"}
	}
	if err := sim.Click(ctx, employee, bridge.MessageID(message), button); err != nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: demo", Err: err}
	}
	return nil
}

// Disturb makes the simulated platforms fail in the ways of a specification such
// as "duplicate=0.2,busy=0.1,slow=200ms"; an empty one ends all trouble.
func (a *App) Disturb(spec string) error {
	faults, err := simulator.ParseFaults(spec)
	if err != nil {
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "app: demo", Detail: err.Error()}
	}
	sim := a.demo()
	if sim == nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: demo", Detail: "the demonstration is not running"}
	}
	sim.SetFaults(faults)
	return nil
}

// Bubbles returns everything on an employee's screens, oldest first.
func (a *App) Bubbles(employee string) []bridge.Bubble {
	if sim := a.demo(); sim != nil {
		return sim.Bubbles(employee)
	}
	return nil
}

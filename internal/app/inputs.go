package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
	"switchboard/internal/inputs"
	"switchboard/internal/router"
	"switchboard/internal/settings"
)

const (
	// reviewEvery is how often the forms of agents are looked at: their admins
	// change them without telling us.
	reviewEvery = time.Hour
	// formPatience is how long somebody waits to see what an agent asks for.
	formPatience = 10 * time.Second
)

// AgentInputs lists what an agent asks for beside the question. An agent that
// asks for nothing has an empty list.
func (a *App) AgentInputs(ctx context.Context, agent string) ([]bridge.Input, error) {
	g, ok := a.findAgent(agent)
	if !ok {
		return nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: inputs of " + agent}
	}
	d, ok := g.(bridge.Declarer)
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, formPatience)
	defer cancel()
	form, err := d.Inputs(ctx)
	if err != nil {
		return nil, fmt.Errorf("app: inputs of %s: %w", agent, err)
	}
	return form, nil
}

// wants says whether an agent asks for an input. One that does not answer is not
// told anything that is only known of a person.
func (a *App) wants(ctx context.Context, agent, input string) bool {
	form, err := a.AgentInputs(ctx, agent)
	return err == nil && slices.ContainsFunc(form, func(in bridge.Input) bool { return in.Name == input })
}

// botInputs are the values that any agent is told who answers for a bot.
func (a *App) botInputs(bot string) map[string]string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if b := a.bots[bot]; b != nil {
		return b.Inputs
	}
	return nil
}

func (a *App) platformOf(bot string) bridge.Platform {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if b := a.bots[bot]; b != nil {
		return b.Platform
	}
	return ""
}

func (a *App) agentInputs(agent string) map[string]string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if g := a.agents[agent]; g != nil {
		return g.Inputs
	}
	return nil
}

// knownOf is what an agent may be told of somebody who asks in a trial.
func knownOf(platform bridge.Platform, m bridge.RouteTrial, lang bridge.Language) map[string]string {
	return map[string]string{
		bridge.InputUserName: m.Person, bridge.InputPlatform: string(platform), bridge.InputLanguage: string(i18n.Guess(m.Text, lang)),
		bridge.InputDepartment: m.Department, bridge.InputRole: string(m.Role),
	}
}

// inputsOf is what an agent would be told, and where each value comes from. What
// a trial does not say of the person may be known of a real one.
func (a *App) inputsOf(ctx context.Context, m bridge.RouteTrial, to bridge.RouteOutcome) ([]bridge.InputValue, error) {
	form, err := a.AgentInputs(ctx, to.Agent)
	if err != nil {
		return nil, err
	}
	values := a.filled(form, m.Bot, to.Agent, to.Inputs, knownOf(a.platformOf(m.Bot), m, a.language()))
	for i, v := range values {
		if v.From == "" && slices.Contains(bridge.PersonInputs(), v.Input.Name) {
			values[i].From, values[i].Trouble = bridge.InputByPerson, ""
		}
	}
	return values, nil
}

func (a *App) filled(form []bridge.Input, bot, agent string, route, known map[string]string) []bridge.InputValue {
	values := inputs.Fill(form,
		inputs.Layer{From: bridge.InputByRoute, Values: route}, inputs.Layer{From: bridge.InputByBot, Values: a.botInputs(bot)},
		inputs.Layer{From: bridge.InputByAgent, Values: a.agentInputs(agent)}, inputs.Layer{From: bridge.InputByPerson, Values: known})
	for _, name := range unknownNames(form, route) {
		values = append(values, undefined(bridge.InputByRoute, name, route[name]))
	}
	return values
}

func undefined(from bridge.InputSource, name, text string) bridge.InputValue {
	return bridge.InputValue{Input: bridge.Input{Name: name}, From: from, Text: text, Trouble: bridge.InputUndefined}
}

// unknownNames are those that no form asks for.
func unknownNames(form []bridge.Input, values map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.ContainsFunc(form, func(in bridge.Input) bool { return in.Name == name }) {
			names = append(names, name)
		}
	}
	return names
}

// way is one way that a question takes to an agent: by a rule, or because the bot
// has that agent.
type way struct {
	rule, bot string
	agent     string
	values    map[string]string // of the rule
}

// ways lists them all, by the settings of this moment.
func (a *App) ways() []way {
	s := a.stored()
	var all []way
	ended := map[string]bool{} // bots all of whose questions a rule has led away
	rules, _ := newRules(s)
	for _, r := range rules {
		bots := r.Bots
		if len(bots) == 0 {
			bots = botIDs(s)
		}
		to, asks := r.Then.(router.ToAgent)
		for _, bot := range bots {
			if asks && !ended[bot] {
				all = append(all, way{r.Name, bot, to.Agent, to.Inputs})
			}
			ended[bot] = ended[bot] || r.Always()
		}
	}
	for _, b := range s.Bots {
		if !ended[b.ID] {
			all = append(all, way{bot: b.ID, agent: b.Agent})
		}
	}
	return all
}

func botIDs(s settings.Settings) []string {
	var ids []string
	for _, b := range s.Bots {
		ids = append(ids, b.ID)
	}
	return ids
}

// inputMistake is something wrong with what an agent would be told.
type inputMistake struct {
	way

	value bridge.InputValue
}

// inputMistakes says what is wrong on the ways to an agent. What is known of a
// person may always be there; a value of a bot that this agent does not ask for is
// meant for another.
func (a *App) inputMistakes(ctx context.Context, agent string) ([]inputMistake, error) {
	form, err := a.AgentInputs(ctx, agent)
	if err != nil {
		return nil, err
	}
	var all []inputMistake
	seen := map[string]bool{}
	add := func(at way, v bridge.InputValue) {
		m := inputMistake{at, v}
		if text := m.say(bridge.English); !seen[text] {
			seen[text] = true
			all = append(all, m)
		}
	}
	for _, w := range a.ways() {
		if w.agent != agent {
			continue
		}
		for _, v := range a.filled(form, w.bot, agent, w.values, nil) {
			if at, wrong := blame(w, v); wrong {
				add(at, v)
			}
		}
	}
	for _, name := range unknownNames(form, a.agentInputs(agent)) {
		add(way{agent: agent}, undefined(bridge.InputByAgent, name, ""))
	}
	return all, nil
}

// blame says where the mistake in a value is, if it is one.
func blame(w way, v bridge.InputValue) (way, bool) {
	switch {
	case v.Trouble == "", v.From == "" && slices.Contains(bridge.PersonInputs(), v.Input.Name):
		return w, false
	case v.From == bridge.InputByAgent:
		return way{agent: w.agent}, true
	case v.From == bridge.InputByBot:
		return way{bot: w.bot, agent: w.agent}, true
	}
	return w, true
}

// say puts a mistake into words.
func (m inputMistake) say(lang bridge.Language) string {
	where := i18n.Text(lang, "input.at.agent", "agent", m.agent)
	switch {
	case m.rule != "":
		where = i18n.Text(lang, "input.at.rule", "rule", m.rule)
	case m.bot != "":
		where = i18n.Text(lang, "input.at.bot", "bot", m.bot)
	}
	return i18n.Text(lang, "input.mistake", "where", where, "trouble", i18n.InputTrouble(lang, m.value))
}

// reviewInputs keeps the warnings true to what the agents ask for, until ctx ends.
func (a *App) reviewInputs(ctx context.Context) error {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	for {
		for _, id := range a.agentIDs() {
			a.reviewAgent(ctx, id)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-a.reviewed:
		}
	}
}

func (a *App) agentIDs() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Sorted(maps.Keys(a.agents))
}

// reviewAgent warns of what an agent would lack. One that does not say what it
// asks for has warnings of its own.
func (a *App) reviewAgent(ctx context.Context, agent string) {
	mistakes, err := a.inputMistakes(ctx, agent)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelDebug, "the inputs of an agent are not known", slog.String("agent", agent), slog.Any("error", err))
		return
	}
	mistakes = slices.DeleteFunc(mistakes, func(m inputMistake) bool { return !m.value.Input.Required })
	a.mu.Lock()
	g := a.agents[agent]
	had := g != nil && g.lacks
	if g != nil {
		g.lacks = len(mistakes) > 0
	}
	a.mu.Unlock()
	switch {
	case len(mistakes) > 0:
		a.warnOfInputs(agent, mistakes[0].say(a.language()), nil)
	case had && a.health.Clear(health.InputsMissing, agent):
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

// lacking warns of an agent that could not be asked. What only the person can add
// is no matter of the admin's.
func (a *App) lacking(agent string, err error) {
	var e *bridge.Error
	if errors.As(err, &e) && e.Args["by"] == "person" {
		return
	}
	a.warnOfInputs(agent, "", err)
	nudge(a.reviewed)
}

func (a *App) warnOfInputs(agent, detail string, err error) {
	w := health.Warning{Code: health.InputsMissing, Severity: bridge.SeverityWarning, Affects: agent, Detail: detail, Err: err}
	if a.health.Raise(w) {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
	"switchboard/internal/settings"
)

// Routes returns the routing rules that hold, the first one first.
func (a *App) Routes() []bridge.Route {
	var all []bridge.Route
	for _, rule := range a.stored().Routes {
		all = append(all, routeOf(rule))
	}
	return all
}

// RouteChoices returns what routing rules may name.
func (a *App) RouteChoices() bridge.RouteChoices {
	s := a.stored()
	c := bridge.RouteChoices{Roles: []bridge.Role{bridge.RoleMember, bridge.RoleGuest, bridge.RoleAdmin}}
	for _, by := range router.Conditions() {
		c.Conditions = append(c.Conditions, string(by))
	}
	for _, g := range s.Agents {
		c.Agents = append(c.Agents, g.ID)
	}
	for _, b := range s.Bots {
		c.Bots = append(c.Bots, b.ID)
	}
	for _, command := range router.Commands() {
		c.Commands = append(c.Commands, string(command))
	}
	return c
}

// TryRoutes says what would become of a message under some rules; nothing
// happens.
func (a *App) TryRoutes(ctx context.Context, rules []bridge.Route, m bridge.RouteTrial) (bridge.RouteVerdict, error) {
	parsed, mistakes := a.parseRoutes(rules)
	if len(mistakes) > 0 {
		return bridge.RouteVerdict{Mistakes: mistakes}, nil
	}
	opt := a.routing()
	opt.Rules = parsed
	opt.Departments = func(context.Context, string, bridge.Identity) router.Membership { // a name may have a slash
		return router.Membership{Of: slices.Compact(append(router.Departments(m.Department), m.Department))}
	}
	message := bridge.Message{Bot: m.Bot, Text: m.Text, SentAt: m.At, Sender: bridge.Sender{ID: bridge.UserID(m.Person), Name: m.Person}, Chat: bridge.Chat{Kind: bridge.Direct}}
	if m.Chat != "" {
		message.Chat = bridge.Chat{Kind: bridge.Group, ID: m.Chat, Title: m.Chat}
	}
	v := verdictOf(router.New(a.store, opt).Explain(ctx, message, bridge.Person{ID: m.Person, Name: m.Person, Role: m.Role}))
	if v.Then.Kind == bridge.RouteAgent && v.Refused == "" && v.Command == "" {
		v.Inputs, v.NoInputs = a.inputsOf(ctx, m, v.Then)
	}
	return v, nil
}

func verdictOf(e router.Explanation) bridge.RouteVerdict {
	v := bridge.RouteVerdict{Refused: string(e.Refused), Command: string(e.Command), Then: outcome(e.Outcome)}
	for _, t := range e.Tried {
		tried := bridge.RouteTried{Rule: t.Rule, Holds: t.Holds}
		if n := len(t.Reasons); n > 0 {
			last := t.Reasons[n-1]
			tried.By, tried.Got, tried.Want = string(last.Condition), last.Got, last.Want
		}
		v.Tried = append(v.Tried, tried)
	}
	return v
}

func outcome(o router.Outcome) bridge.RouteOutcome {
	switch o := o.(type) {
	case router.ToAgent:
		return bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: o.Agent, Inputs: o.Inputs}
	case router.FixedReply:
		return bridge.RouteOutcome{Kind: bridge.RouteReply, Text: o.Text}
	case router.Refuse:
		return bridge.RouteOutcome{Kind: bridge.RouteRefuse, Text: o.Text}
	case router.ToIntent:
		return bridge.RouteOutcome{Kind: bridge.RouteIntent, Command: string(o.Command)}
	case router.Forward:
		return bridge.RouteOutcome{Kind: bridge.RouteForward, Bot: o.Bot, Chat: o.Chat}
	case router.HandOver:
		return bridge.RouteOutcome{Kind: bridge.RouteHuman, For: o.For, Bot: o.Bot, Chat: o.Chat}
	}
	return bridge.RouteOutcome{}
}

// SaveRoutes writes rules into the settings file and follows them from the next
// message on. One that is as it was stays as it is written.
func (a *App) SaveRoutes(ctx context.Context, rules []bridge.Route) error {
	parsed, mistakes := a.parseRoutes(rules)
	if len(mistakes) > 0 {
		return mistakes[0].Err
	}
	err := a.change(ctx, "routes", func(s *settings.Settings) {
		before := s.Routes
		s.Routes = nil
		for _, r := range rules {
			s.Routes = append(s.Routes, asWritten(r, before))
		}
	})
	if err != nil {
		return err
	}
	a.routes.Follow(parsed)
	nudge(a.reviewed)
	nudge(a.naming)
	return nil
}

// asWritten is a rule of the settings that says the same, or a new one.
func asWritten(r bridge.Route, before []any) any {
	for _, rule := range before {
		if reflect.DeepEqual(routeOf(rule), r) {
			return rule
		}
	}
	return ruleOf(r)
}

func (a *App) parseRoutes(rules []bridge.Route) ([]router.Rule, []bridge.RouteMistake) {
	s := a.stored()
	s.Routes = nil
	for _, r := range rules {
		s.Routes = append(s.Routes, ruleOf(r))
	}
	parsed, mistakes := newRules(s)
	all := make([]bridge.RouteMistake, 0, len(mistakes))
	for _, m := range mistakes {
		all = append(all, bridge.RouteMistake(m))
	}
	return parsed, all
}

// groupID is the id of a group that a rule names by its title, as far as the bot
// heard of it lately; otherwise the name is taken for an id.
func (a *App) groupID(ctx context.Context, bot, name string) string {
	chats, err := a.store.Chats(ctx, bot, time.Now().Add(-groupsKnown), receiversShown)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "groups cannot be found by their titles", slog.String("bot", bot), slog.Any("error", err))
	}
	title := name
	for _, c := range chats {
		switch {
		case c.Kind != bridge.Group:
		case c.ID == name:
			return name
		case c.Title == title && title == name: // the latest of several
			title, name = "", c.ID
		}
	}
	return name
}

// routeOf reads a rule of the settings for an editor. The rule has no mistakes.
func routeOf(rule any) bridge.Route {
	fields, _ := rule.(map[string]any)
	r := bridge.Route{Name: textOf(fields["name"])}
	when, _ := fields["when"].(map[string]any)
	for _, by := range slices.Sorted(maps.Keys(when)) {
		values, several := when[by].([]any)
		if !several {
			values = []any{when[by]}
		}
		c := bridge.RouteCondition{By: by}
		for _, v := range values {
			c.Values = append(c.Values, textOf(v))
		}
		r.When = append(r.When, c)
	}
	for _, kind := range bridge.RouteOutcomeKinds() {
		if value, there := fields[string(kind)]; there {
			r.Then = outcomeOf(kind, value)
		}
	}
	if given, _ := fields["inputs"].(map[string]any); len(given) > 0 {
		r.Then.Inputs = map[string]string{}
		for name, v := range given {
			r.Then.Inputs[name] = strings.TrimSpace(textOf(v))
		}
	}
	return r
}

func outcomeOf(kind bridge.RouteOutcomeKind, value any) bridge.RouteOutcome {
	o := bridge.RouteOutcome{Kind: kind}
	to, _ := value.(map[string]any)
	switch kind {
	case bridge.RouteAgent:
		o.Agent = textOf(value)
	case bridge.RouteReply:
		o.Text = textOf(value)
	case bridge.RouteRefuse:
		if _, plain := value.(bool); !plain {
			o.Text = textOf(value)
		}
	case bridge.RouteIntent:
		o.Command = textOf(value)
	case bridge.RouteForward:
		o.Bot, o.Chat = textOf(to["bot"]), textOf(to["chat"])
	case bridge.RouteHuman:
		o.Bot, o.Chat = textOf(to["bot"]), textOf(to["chat"])
		o.For, _ = time.ParseDuration(textOf(to["for"]))
		if o.For == 0 {
			o.For = router.HandOverFor
		}
	}
	return o
}

// textOf is a text or a number as it is written.
func textOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// ruleOf writes a rule as the settings have it. Several conditions of one kind
// are one with more values; one without a value stays, for its mistake to be told.
func ruleOf(r bridge.Route) any {
	rule := map[string]any{}
	if r.Name != "" {
		rule["name"] = r.Name
	}
	values := map[string][]any{}
	for _, c := range r.When {
		all := values[c.By]
		if all == nil {
			all = []any{}
		}
		for _, v := range c.Values {
			all = append(all, v)
		}
		values[c.By] = all
	}
	when := map[string]any{}
	for by, all := range values {
		when[by] = all
		if len(all) == 1 {
			when[by] = all[0]
		}
	}
	if len(when) > 0 {
		rule["when"] = when
	}
	if r.Then.Kind != "" {
		rule[string(r.Then.Kind)] = valueOf(r.Then)
	}
	if len(r.Then.Inputs) > 0 {
		given := map[string]any{}
		for name, v := range r.Then.Inputs {
			given[name] = v
		}
		rule["inputs"] = given
	}
	return rule
}

func valueOf(o bridge.RouteOutcome) any {
	target := map[string]any{}
	for key, v := range map[string]string{"bot": o.Bot, "chat": o.Chat} {
		if v != "" {
			target[key] = v
		}
	}
	switch o.Kind {
	case bridge.RouteAgent:
		return o.Agent
	case bridge.RouteReply:
		return o.Text
	case bridge.RouteRefuse:
		if o.Text == "" {
			return true
		}
		return o.Text
	case bridge.RouteIntent:
		return o.Command
	case bridge.RouteHuman:
		target["for"] = settings.Span(o.For)
	case bridge.RouteForward:
	}
	return target
}

package router

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

// decision is what becomes of a message, whoever wrote it and wherever.
type decision struct {
	outcome Outcome
	agent   string // whose lane it belongs to
	rule    string
	text    string
	open    bool // no words in the message led to the agent
	unsure  bool // it may be that a rule refuses it
}

// asks says that an agent is asked.
func (d decision) asks() bool {
	_, is := d.outcome.(ToAgent)
	return is
}

// decide asks the rules. A command is decided by what the rules say about bot,
// chat and people, because that is whose conversation it is about.
func (r *Router) decide(f facts) decision {
	for _, rule := range r.rulesFor(f.message.Bot) {
		if _, v := rule.reasons(f); rule.decides(v) {
			return r.concluded(rule, v, f)
		}
	}
	agent := r.opt.AgentOf(f.message.Bot)
	return decision{outcome: ToAgent{Agent: agent}, agent: agent, text: f.message.Text, open: true}
}

// rulesFor are those that may be about a bot.
func (r *Router) rulesFor(bot string) []Rule {
	if r.opt.Exempt(bot) {
		return nil
	}
	return *r.rules.Load()
}

// concluded is the decision by a rule that decides.
func (r *Router) concluded(rule Rule, v verdict, f facts) decision {
	d := decision{outcome: rule.Then, agent: r.opt.AgentOf(f.message.Bot), rule: rule.Name, text: f.message.Text, unsure: v == unsure}
	if to, ok := rule.Then.(ToAgent); ok {
		d.agent, d.open = to.Agent, len(rule.Prefixes)+len(rule.Keywords)+len(rule.Patterns) == 0
	}
	if len(rule.Prefixes) > 0 {
		_, d.text, _ = slashed(f.message)
	}
	return d
}

// asking makes sure that a question goes to the agent in whose lane it is, and
// that this one may be asked.
func (r *Router) asking(route Route, f facts) Route {
	to, asks := route.Outcome.(ToAgent)
	if !asks {
		return route
	}
	if to.Agent != route.Agent { // what the rules say by now is about another
		to = ToAgent{Agent: route.Agent}
	}
	route.Outcome, route.Refused = to, r.permitAgent(f, route.Agent)
	return route
}

// Reconsider decides about a question that a command asks, as if the person had
// written it now: the rules were asked about the command, and no word of a rule is
// about that. Where the question leads to a command again, the agent is meant,
// unless it was asked a second time and the command was what answered it.
func (r *Router) Reconsider(ctx context.Context, m bridge.Message, route Route, command Command) Route {
	f := r.facts(ctx, m, route.Person, CommandNone)
	d := r.decide(f)
	if to, is := d.outcome.(ToIntent); is && (!command.Asks() || to.Command.Asks()) {
		d.outcome = ToAgent{Agent: route.Agent}
	}
	route.Outcome, route.Rule, route.Text = d.outcome, d.rule, d.text
	if d.unsure {
		route.Refused = RefusedUnsure
		return route
	}
	return r.asking(route, f)
}

// facts finds out what rules and permissions are about. The department is looked
// for only when one of them asks for it.
func (r *Router) facts(ctx context.Context, m bridge.Message, p bridge.Person, command Command) facts {
	f := facts{message: m, person: p, role: r.roleWith(m.Bot, p), at: m.SentAt}
	if f.at.IsZero() {
		f.at = time.Now()
	}
	if command == CommandNone {
		f.said = m.Said()
		f.text = fold(f.said)
		word, _, _ := slashed(m)
		f.prefix = fold(word)
	}
	if r.asksDepartment(m.Bot) {
		f.departments = r.opt.Departments(ctx, m.Bot, Identity(m))
	}
	return f
}

func (r *Router) asksDepartment(bot string) bool {
	if r.opt.Departments == nil || r.opt.Exempt(bot) {
		return false
	}
	return len(r.opt.Circle(bot).Departments) > 0 || slices.ContainsFunc(*r.rules.Load(), func(rule Rule) bool {
		return len(rule.Departments) > 0 && (len(rule.Bots) == 0 || slices.Contains(rule.Bots, bot))
	})
}

// Tried is a rule that was asked about a message.
type Tried struct {
	Rule    string
	Holds   bool
	Reasons []Reason // up to the first that does not hold; one that is unsure is the last
}

// Explanation tells what would become of a message, and why.
type Explanation struct {
	// Tried are the rules in order, up to the one that decides. When none of them
	// holds the bot's own agent answers.
	Tried   []Tried
	Outcome Outcome
	Agent   string
	Command Command
	Refused Refusal
	Role    bridge.Role
}

// Explain tells what would become of a message of somebody, without anything
// happening. The person need not have written before.
func (r *Router) Explain(ctx context.Context, m bridge.Message, p bridge.Person) Explanation {
	spec, _ := r.words.parse(m)
	f := r.facts(ctx, m, p, spec.Command)
	e := Explanation{Role: f.role, Agent: r.opt.AgentOf(m.Bot), Command: spec.Command, Refused: r.permit(f)}
	e.Outcome = ToAgent{Agent: e.Agent}
	for _, rule := range r.rulesFor(m.Bot) {
		reasons, v := rule.reasons(f)
		e.Tried = append(e.Tried, Tried{rule.Name, v == holds, reasons})
		if rule.decides(v) {
			d := r.concluded(rule, v, f)
			e.Outcome, e.Agent = d.outcome, d.agent
			if d.unsure && e.Refused == RefusedNot && spec.Command == CommandNone {
				e.Refused = RefusedUnsure
			}
			break
		}
	}
	if _, asks := e.Outcome.(ToAgent); asks && e.Refused == RefusedNot && spec.Command.Asks() {
		e.Refused = r.permitAgent(f, e.Agent)
	}
	return e
}

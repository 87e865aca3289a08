package app

import (
	"net/http"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// What the terminal and other programs see of rules.
type (
	// RouteQuestion is a message that nobody writes.
	RouteQuestion struct {
		Bot    string    `json:"bot"`
		Text   string    `json:"text"`
		Person string    `json:"person,omitempty"` // id or name; empty is a newcomer
		Group  string    `json:"group,omitempty"`  // id or title; empty is a direct chat
		At     time.Time `json:"at,omitzero"`      // now, if it is not said
	}
	// RouteReport tells what would become of it.
	RouteReport struct {
		Role    bridge.Role    `json:"role"`
		Command string         `json:"command,omitempty"`
		Refused string         `json:"refused,omitempty"`
		Outcome string         `json:"outcome"` // agent, reply, refuse, intent, forward or human
		Agent   string         `json:"agent,omitempty"`
		Text    string         `json:"text,omitempty"` // of a reply
		Rule    string         `json:"rule,omitempty"` // the one that decides
		Tried   []RouteAttempt `json:"tried"`
	}
	// RouteAttempt is a rule that was asked.
	RouteAttempt struct {
		Rule    string        `json:"rule"`
		Holds   bool          `json:"holds"`
		Reasons []RouteReason `json:"reasons"`
	}
	// RouteReason is one condition of it.
	RouteReason struct {
		Condition string `json:"condition"`
		Holds     bool   `json:"holds"`
		Unsure    bool   `json:"unsure,omitempty"` // nobody can tell now
		Want      string `json:"want"`
		Got       string `json:"got,omitempty"`
	}
)

// apiExplain tells which rule a message would hit, and why not the ones before it.
// Nothing happens.
func (a *App) apiExplain(r *http.Request) (any, error) {
	q, err := body[RouteQuestion](r)
	if err != nil {
		return nil, err
	}
	a.mu.RLock()
	b := a.bots[q.Bot]
	a.mu.RUnlock()
	if b == nil {
		return nil, aboutPeople(bridge.KindNotFound, "no_bot", "bot", q.Bot)
	}
	m := bridge.Message{Bot: q.Bot, Platform: b.Platform, Text: q.Text, SentAt: q.At, Chat: bridge.Chat{Kind: bridge.Direct}}
	if q.Group != "" {
		m.Chat = bridge.Chat{Kind: bridge.Group, ID: q.Group, Title: q.Group}
	}
	p := bridge.Person{Role: bridge.RoleNew}
	if q.Person != "" {
		row, err := a.named(r.Context(), q.Person)
		if err != nil {
			return nil, err
		}
		p = row.Person
		for _, who := range row.Identities {
			if who.Platform == b.Platform {
				m.Sender = bridge.Sender{ID: who.User, Tenant: who.Tenant, Name: who.Name}
			}
		}
	}
	return routeReport(a.routes.Explain(r.Context(), m, p)), nil
}

func routeReport(e router.Explanation) RouteReport {
	report := RouteReport{Role: e.Role, Command: string(e.Command), Refused: string(e.Refused), Tried: []RouteAttempt{}}
	then := outcome(e.Outcome)
	report.Outcome, report.Agent, report.Text = string(then.Kind), then.Agent, then.Text
	if then.Command != "" {
		report.Command = then.Command
	}
	for _, t := range e.Tried {
		attempt := RouteAttempt{Rule: t.Rule, Holds: t.Holds, Reasons: []RouteReason{}}
		for _, reason := range t.Reasons {
			attempt.Reasons = append(attempt.Reasons, RouteReason{string(reason.Condition), reason.Holds, reason.Unsure, reason.Want, reason.Got})
		}
		if t.Holds {
			report.Rule = t.Rule
		}
		report.Tried = append(report.Tried, attempt)
	}
	return report
}

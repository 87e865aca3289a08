package app

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// UsageReport is what was asked and answered, as the terminal and other programs
// see it. Which of the first fields are there is up to what it is counted by.
type UsageReport struct {
	Person    string         `json:"person,omitempty"`
	Name      string         `json:"name,omitempty"`
	Bot       string         `json:"bot,omitempty"`
	Agent     string         `json:"agent,omitempty"`
	Day       string         `json:"day,omitempty"` // or month
	Questions int            `json:"questions"`
	Answers   int            `json:"answers"`
	Tokens    int            `json:"tokens"`
	Prices    []bridge.Price `json:"prices,omitempty"`
	LastAt    time.Time      `json:"last_at,omitzero"`
}

// PersonUsageReport is what one person asked lately, and may still ask today.
type PersonUsageReport struct {
	ThisMonth    UsageReport `json:"this_month"`
	LastMonth    UsageReport `json:"last_month"`
	PerDay       int         `json:"per_day,omitempty"` // the limit; 0 for none
	Asked        int         `json:"asked_today"`
	TokensPerDay int         `json:"tokens_per_day,omitempty"`
	Tokens       int         `json:"tokens_today"`
	Resets       time.Time   `json:"resets"`
}

// Usage counts what people asked and were answered. The demonstration is not
// among it.
func (a *App) Usage(ctx context.Context, q bridge.UsageQuery) ([]bridge.UsageRow, error) {
	q.NotAgent = demoAgent
	rows, err := a.store.Usage(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("app: usage: %w", err)
	}
	return rows, nil
}

// usageOf is what one person asked this month and the one before, and what is left
// of today.
func (a *App) usageOf(ctx context.Context, p bridge.Person) (bridge.PersonUsage, error) {
	now := time.Now()
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	q := bridge.UsageQuery{Person: p.ID, From: first.AddDate(0, -1, 0).Format(time.DateOnly), By: []bridge.UsageBy{bridge.UsageByMonth}}
	rows, err := a.Usage(ctx, q)
	u := bridge.PersonUsage{Quota: a.limits.left(p, a.standing(p.Role))}
	for _, r := range rows {
		if r.Day == first.Format("2006-01") {
			u.ThisMonth = r
		} else {
			u.LastMonth = r
		}
	}
	return u, err
}

func usageReport(r bridge.UsageRow) UsageReport {
	return UsageReport(r)
}

func personUsage(u bridge.PersonUsage) *PersonUsageReport {
	q := u.Quota
	return &PersonUsageReport{
		usageReport(u.ThisMonth), usageReport(u.LastMonth), q.PerDay, q.Asked, q.TokensPerDay, q.Tokens, q.Resets,
	}
}

// apiUsage counts what was asked: ?by=person,month&from=2026-05-01&to=2026-05-31
// &person=WHO. It is counted by people, and from the first day on, if nothing else
// is said.
func (a *App) apiUsage(r *http.Request) (any, error) {
	of := r.URL.Query()
	q := bridge.UsageQuery{From: of.Get("from"), To: of.Get("to")}
	for _, day := range []string{q.From, q.To} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return nil, aboutPeople(bridge.KindInvalid, "no_day", "value", day)
		}
	}
	for by := range strings.SplitSeq(of.Get("by"), ",") {
		switch by := bridge.UsageBy(strings.TrimSpace(by)); {
		case by == "":
		case slices.Contains(bridge.UsageBys(), by):
			q.By = append(q.By, by)
		default:
			return nil, aboutPeople(bridge.KindInvalid, "usage_by", "value", string(by))
		}
	}
	if len(q.By) == 0 {
		q.By = []bridge.UsageBy{bridge.UsageByPerson}
	}
	if who := of.Get("person"); who != "" {
		row, err := a.named(r.Context(), who)
		if err != nil {
			return nil, err
		}
		q.Person = row.Person.ID
	}
	rows, err := a.Usage(r.Context(), q)
	all := make([]UsageReport, 0, len(rows))
	for _, row := range rows {
		all = append(all, usageReport(row))
	}
	return all, err
}

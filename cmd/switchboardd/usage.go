package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// usage writes what was asked and answered, and what that cost: this month's, if
// nothing else is said.
func (c command) usage(ctx context.Context) int {
	now := time.Now()
	from, known := moment(cmp.Or(c.q.from, now.Format("2006-01")+"-01"), now)
	to, knownTo := moment(c.q.to, now)
	if len(c.args) > 0 || !known || !knownTo || c.q.csv && c.q.json {
		return c.misused()
	}
	q := url.Values{"by": {c.q.by}, "person": {c.q.person}, "from": {from.Format(time.DateOnly)}}
	if !to.IsZero() {
		q.Set("to", to.Format(time.DateOnly))
	}
	var all []app.UsageReport
	if err := c.ask(ctx, http.MethodGet, "/api/v1/usage?"+q.Encode(), nil, &all); err != nil {
		return c.trouble(err)
	}
	switch {
	case c.q.json:
		return c.sayJSON(all)
	case c.q.csv:
		return c.usageTable(all)
	}
	for _, u := range all {
		c.say(c.usageLine(u))
	}
	if len(all) == 0 {
		c.complain(i18n.Text(c.lang, "cli.usage_none"))
	}
	return exitOK
}

// usageLine has the names last, whose width on the screen nobody knows.
func (c command) usageLine(u app.UsageReport) string {
	names := slices.DeleteFunc([]string{u.Day, u.Bot, u.Agent, cmp.Or(u.Name, u.Person)}, func(s string) bool { return s == "" })
	return i18n.Text(c.lang, "cli.usage_line", "questions", fmt.Sprintf("%6d", u.Questions), "answers", fmt.Sprintf("%6d", u.Answers),
		"tokens", fmt.Sprintf("%9d", u.Tokens), "price", prices(u.Prices), "last", shortTime(u.LastAt), "names", cmp.Or(strings.Join(names, "  "), "-"))
}

func prices(all []bridge.Price) string {
	var texts []string
	for _, p := range all {
		texts = append(texts, p.Amount+" "+p.Currency)
	}
	return cmp.Or(strings.Join(texts, " + "), "-")
}

// usageTable has one line a currency: what is not money stands on the first of
// them alone, so that sums are right.
func (c command) usageTable(all []app.UsageReport) int {
	table := csv.NewWriter(c.stdout)
	row := func(cells ...string) {
		for i := range cells {
			cells[i] = app.Harmless(cells[i])
		}
		_ = table.Write(cells) // Flush tells
	}
	row("day", "person", "name", "bot", "agent", "questions", "answers", "tokens", "price", "currency", "last_at")
	for _, u := range all {
		paid := u.Prices
		if len(paid) == 0 {
			paid = []bridge.Price{{Amount: "0"}}
		}
		for n, p := range paid {
			counts := []string{strconv.Itoa(u.Questions), strconv.Itoa(u.Answers), strconv.Itoa(u.Tokens)}
			if n > 0 {
				counts = []string{"0", "0", "0"}
			}
			row(u.Day, u.Person, u.Name, u.Bot, u.Agent, counts[0], counts[1], counts[2], p.Amount, p.Currency, u.LastAt.UTC().Format(time.RFC3339))
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return c.trouble(err)
	}
	return exitOK
}

package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/i18n"
)

// route explains what would become of a message, without anything happening.
func (c command) route(ctx context.Context) int {
	if len(c.args) != 1 || c.args[0] != "explain" || c.q.bot == "" {
		return c.misused()
	}
	q := app.RouteQuestion{Bot: c.q.bot, Text: c.q.text, Person: c.q.person, Group: c.q.group}
	if c.q.at != "" {
		var err error
		if q.At, err = time.ParseInLocation("2006-01-02 15:04", c.q.at, time.Local); err != nil {
			return c.misused()
		}
	}
	var r app.RouteReport
	if err := c.ask(ctx, http.MethodPost, "/api/v1/route/explain", q, &r); err != nil {
		return c.trouble(err)
	}
	if c.q.json {
		return c.sayJSON(r)
	}
	for _, t := range r.Tried {
		c.say(mark(t.Holds) + " " + i18n.Text(c.lang, "cli.route.rule", "rule", t.Rule))
		for _, reason := range t.Reasons {
			sign := mark(reason.Holds)
			if reason.Unsure {
				sign = "?"
			}
			line := "    " + sign + " " + i18n.Text(c.lang, "router.condition."+reason.Condition) + ": " + reason.Want
			if reason.Got != "" && !reason.Holds {
				line += " (" + i18n.Text(c.lang, "cli.route.got", "got", reason.Got) + ")"
			}
			c.say(line)
		}
	}
	c.say("→ " + c.verdict(r))
	return exitOK
}

// verdict says what would happen. Who may not ask hears that before anything else,
// and a command comes before what a rule says.
func (c command) verdict(r app.RouteReport) string {
	role := i18n.Text(c.lang, "people.role."+string(r.Role))
	switch {
	case r.Refused != "":
		return i18n.Text(c.lang, "cli.route.refused", "role", role, "words", i18n.Text(c.lang, "router.refused."+r.Refused))
	case r.Command != "":
		return i18n.Text(c.lang, "cli.route.command", "command", r.Command, "role", role)
	case r.Outcome == "refuse" && r.Text == "":
		r.Text = i18n.Text(c.lang, "router.refused.rule")
	}
	return i18n.Text(c.lang, "cli.route."+r.Outcome, "agent", r.Agent, "text", strings.TrimSpace(r.Text), "role", role)
}

func mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}

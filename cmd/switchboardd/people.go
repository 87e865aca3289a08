package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// query is what the flags of people, route and audit say.
type query struct {
	role, bot, text, person, group, at string
	since, kind, format                string
	from, to, by                       string
	waiting, json, csv, damaged        bool
}

func (q *query) flags(name string, flags *flag.FlagSet) {
	switch name {
	case "people":
		flags.StringVar(&q.role, "role", "", "")
		flags.BoolVar(&q.waiting, "waiting", false, "")
		flags.BoolVar(&q.json, "json", false, "")
	case "route":
		flags.StringVar(&q.bot, "bot", "", "")
		flags.StringVar(&q.text, "text", "", "")
		flags.StringVar(&q.person, "person", "", "")
		flags.StringVar(&q.group, "group", "", "")
		flags.StringVar(&q.at, "at", "", "")
		flags.BoolVar(&q.json, "json", false, "")
	case "usage":
		flags.StringVar(&q.from, "from", "", "")
		flags.StringVar(&q.to, "to", "", "")
		flags.StringVar(&q.by, "by", "", "")
		flags.StringVar(&q.person, "person", "", "")
		flags.BoolVar(&q.csv, "csv", false, "")
		flags.BoolVar(&q.json, "json", false, "")
	case "export":
		flags.StringVar(&q.since, "since", "", "")
		flags.StringVar(&q.bot, "bot", "", "")
		flags.StringVar(&q.person, "person", "", "")
		flags.StringVar(&q.format, "format", "jsonl", "")
		flags.BoolVar(&q.damaged, "damaged", false, "")
	case "audit":
		flags.StringVar(&q.since, "since", "", "")
		flags.StringVar(&q.kind, "kind", "", "")
		flags.StringVar(&q.person, "person", "", "")
		flags.StringVar(&q.format, "format", "csv", "")
	}
}

// errand is one of the things that can be done about people: how many arguments it
// takes, and what it asks the house for.
type errand struct {
	least, most int
	do          func(c command, ctx context.Context) int
}

func errands() map[string]errand {
	change := func(verb string, say func(c command) any) func(c command, ctx context.Context) int {
		return func(c command, ctx context.Context) int { return c.changePerson(ctx, verb, say(c)) }
	}
	none := func(command) any { return struct{}{} }
	return map[string]errand{
		"list":    {1, 2, command.listPeople},
		"show":    {2, 2, command.showPerson},
		"merge":   {3, 3, change("merge", func(c command) any { return map[string]string{"into": c.args[2]} })},
		"apart":   {3, 3, change("apart", func(c command) any { return map[string]string{"from": c.args[2]} })},
		"unlink":  {3, 3, change("unlink", func(c command) any { return map[string]string{"account": c.args[2]} })},
		"rename":  {3, 3, change("rename", func(c command) any { return map[string]string{"name": c.args[2]} })},
		"role":    {3, 3, change("role", func(c command) any { return map[string]string{"role": c.args[2]} })},
		"block":   {2, 2, change("role", func(command) any { return map[string]string{"role": string(bridge.RoleBlocked)} })},
		"approve": {2, 2, change("approve", func(c command) any { return map[string]string{"role": c.q.role} })},
		"decline": {2, 2, change("decline", none)},
		"undo":    {2, 2, command.undo},
		"alike":   {1, 1, command.listAlike},
	}
}

// people tells who there is, and changes it.
func (c command) people(ctx context.Context) int {
	if len(c.args) == 0 {
		return c.misused()
	}
	e, known := errands()[c.args[0]]
	if !known || len(c.args) < e.least || len(c.args) > e.most {
		return c.misused()
	}
	return e.do(c, ctx)
}

// ask asks the running program, or the house itself when none runs.
func (c command) ask(ctx context.Context, method, path string, say, to any) error {
	if err := app.Ask(ctx, c.options(), method, path, say, to); err != nil {
		return fmt.Errorf("switchboardd: %w", err)
	}
	return nil
}

func (c command) listPeople(ctx context.Context) int {
	q := url.Values{"role": {c.q.role}}
	if len(c.args) == 2 {
		q.Set("text", c.args[1])
	}
	if c.q.waiting {
		q.Set("waiting", "1")
	}
	var all []app.PersonReport
	if err := c.ask(ctx, http.MethodGet, "/api/v1/people?"+q.Encode(), nil, &all); err != nil {
		return c.trouble(err)
	}
	if c.q.json {
		return c.sayJSON(all)
	}
	for _, p := range all {
		c.say(c.oneLine(p))
	}
	if len(all) == 0 {
		c.complain(i18n.Text(c.lang, "cli.people.none"))
	}
	return exitOK
}

// listAlike tells who may be one human being.
func (c command) listAlike(ctx context.Context) int {
	var all []app.PairReport
	if err := c.ask(ctx, http.MethodGet, "/api/v1/suggestions", nil, &all); err != nil {
		return c.trouble(err)
	}
	if c.q.json {
		return c.sayJSON(all)
	}
	for _, pair := range all {
		one, other := pair.People[0], pair.People[1]
		c.say(fmt.Sprintf("%s  %s  %s", one.ID, cmp.Or(one.Name, "-"), i18n.Text(c.lang, "cli.people.like."+pair.Because, "name", cmp.Or(other.Name, "-"), "id", other.ID)))
	}
	if len(all) == 0 {
		c.complain(i18n.Text(c.lang, "cli.people.none"))
	}
	return exitOK
}

// oneLine has the name last, whose width on the screen nobody knows.
func (c command) oneLine(p app.PersonReport) string {
	var on []string
	for _, a := range p.Accounts {
		on = append(on, a.Platform)
	}
	line := fmt.Sprintf("%s  %-8s %-24s %s  %s", p.ID, p.Role, strings.Join(on, ","), shortTime(p.LastSeen), cmp.Or(p.Name, "-"))
	if !p.WaitsSince.IsZero() {
		line += "  " + i18n.Text(c.lang, "cli.people.waits", "bot", p.WaitsFor, "since", shortTime(p.WaitsSince))
	}
	return line
}

func shortTime(at time.Time) string {
	if at.IsZero() {
		return strings.Repeat("-", 16)
	}
	return at.Local().Format("2006-01-02 15:04")
}

func (c command) showPerson(ctx context.Context) int {
	var p app.PersonReport
	path := "/api/v1/people/" + url.PathEscape(c.args[1])
	if err := c.ask(ctx, http.MethodGet, path, nil, &p); err != nil {
		return c.trouble(err)
	}
	if c.q.json {
		return c.sayJSON(p)
	}
	c.say(c.oneLine(p))
	for _, a := range p.Accounts {
		parts := []string{a.Platform + ":" + a.User}
		for _, part := range []string{a.Name, a.Department, a.Email, a.Mobile} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		c.say("  " + strings.Join(parts, "  "))
	}
	if u := p.Usage; u != nil {
		c.say("  " + i18n.Text(c.lang, "cli.people.month", "questions", u.ThisMonth.Questions, "tokens", u.ThisMonth.Tokens, "price", prices(u.ThisMonth.Prices),
			"before", u.LastMonth.Questions))
	}
	for _, l := range p.Likely {
		c.say("  " + i18n.Text(c.lang, "cli.people.like."+l.Because, "name", cmp.Or(l.Name, "-"), "id", l.ID))
	}
	for _, e := range p.History {
		c.say(c.entryLine(e))
	}
	return exitOK
}

func (c command) entryLine(e app.AuditReport) string {
	line := fmt.Sprintf("  %6d  %s  %s", e.ID, shortTime(e.At), i18n.Text(c.lang, "audit."+e.Kind))
	if e.Note != "" {
		line += ": " + e.Note
	}
	return line
}

// changePerson has somebody changed and shows them as they are then.
func (c command) changePerson(ctx context.Context, verb string, say any) int {
	var p app.PersonReport
	path := "/api/v1/people/" + url.PathEscape(c.args[1]) + "/" + verb
	if err := c.ask(ctx, http.MethodPost, path, say, &p); err != nil {
		return c.trouble(err)
	}
	if c.q.json {
		return c.sayJSON(p)
	}
	c.say(c.oneLine(p))
	if p.Undo != 0 {
		c.complain(i18n.Text(c.lang, "cli.people.undo", "id", p.Undo))
	}
	return exitOK
}

func (c command) undo(ctx context.Context) int {
	id, err := strconv.ParseInt(c.args[1], 10, 64)
	if err != nil {
		return c.misused()
	}
	var nothing struct{}
	if err := c.ask(ctx, http.MethodPost, fmt.Sprintf("/api/v1/audit/%d/undo", id), struct{}{}, &nothing); err != nil {
		return c.trouble(err)
	}
	c.say(i18n.Text(c.lang, "cli.done"))
	return exitOK
}

func (c command) sayJSON(v any) int {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return c.trouble(err)
	}
	c.say(string(text))
	return exitOK
}

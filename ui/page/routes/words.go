package routes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// find is a word of the router's area of the catalogue, or the key itself.
func (p *Page) find(key, or string) string {
	if text, ok := i18n.Find(p.kit.Words.Lang, "router."+key); ok {
		return text
	}
	return or
}

func (p *Page) condition(by string) string { return p.find("condition."+by, by) }

func (p *Page) outcomeKind(k bridge.RouteOutcomeKind) string {
	return p.find("outcome."+string(k), string(k))
}

// value is one value of a condition in words.
func (p *Page) value(by, v string) string {
	if by == "role" {
		if words, ok := i18n.Find(p.kit.Words.Lang, "people.role."+v); ok {
			return words
		}
	}
	return v
}

// when says in one line when a rule holds.
func (p *Page) when(r bridge.Route) string {
	w := p.kit.Words
	parts := make([]string, 0, len(r.When))
	for _, c := range r.When {
		values := make([]string, 0, len(c.Values))
		for _, v := range c.Values {
			words := p.value(c.By, v)
			if c.By != "regexp" && !plain(c.By, v) {
				words = "“" + words + "”" // or its comma would look like the end of it
			}
			values = append(values, words)
		}
		parts = append(parts, w.T("routes.condition", "name", p.condition(c.By), "values", strings.Join(values, w.T("list.separator"))))
	}
	if len(parts) == 0 {
		return w.T("routes.always")
	}
	return strings.Join(parts, w.T("routes.and"))
}

// then says in one line what becomes of a message.
func (p *Page) then(o bridge.RouteOutcome) string {
	w := p.kit.Words
	what := ""
	switch o.Kind {
	case bridge.RouteAgent:
		what = strings.Join(append([]string{o.Agent}, values(o.Inputs)...), w.T("list.separator"))
	case bridge.RouteReply, bridge.RouteRefuse:
		what = o.Text
	case bridge.RouteForward:
		what = o.Bot + " / " + o.Chat
	case bridge.RouteHuman:
		what = w.T("routes.minutes", "n", int(o.For.Minutes()))
	case bridge.RouteIntent:
		what = p.command(o.Command)
	}
	if strings.TrimSpace(what) == "" {
		return p.outcomeKind(o.Kind)
	}
	return w.T("routes.condition", "name", p.outcomeKind(o.Kind), "values", strings.ReplaceAll(what, "\n", " "))
}

// command is how a command is typed, and what it does as far as we know it.
func (p *Page) command(name string) string {
	words, ok := i18n.Find(p.kit.Words.Lang, "ui.routes.command."+name)
	if !ok || name == "" {
		return "/" + name
	}
	return p.kit.Words.T("routes.command", "command", name, "words", words)
}

// values are inputs as one line has them.
func values(inputs map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		all = append(all, name+" = "+inputs[name])
	}
	return all
}

func (p *Page) name(i int) string {
	if name := p.draft.want[i].Name; name != "" {
		return name
	}
	return fmt.Sprintf("#%d", i+1)
}

// mistake says what is wrong, and where in the rule.
func (p *Page) mistake(m bridge.RouteMistake) string {
	w := p.kit.Words
	what := w.Explanation(m.Err).What
	where := strings.TrimPrefix(m.Path, "when.")
	if where == m.Path {
		where, _, _ = strings.Cut(where, ".")
		where = p.find("outcome."+where, where)
	} else {
		where = p.condition(where)
	}
	if where == "" {
		return what
	}
	return w.T("routes.condition", "name", where, "values", what)
}

// moment reads when a message is tried: empty for now.
func moment(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, true
	}
	if clock, err := time.Parse("15:04", text); err == nil {
		y, m, d := now.Date()
		return time.Date(y, m, d, clock.Hour(), clock.Minute(), 0, 0, now.Location()), true
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, now.Location())
	return at, err == nil
}

package routes

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/widget"
)

// rule is the card of one rule: what it says, or with the open one how to
// change it.
func (p *Page) rule(i int) fyne.CanvasObject {
	inner := widget.Column(8, p.title(i))
	if i == p.open {
		inner.Add(p.form(i))
	} else {
		inner.Add(widget.NewQuiet(p.when(p.draft.want[i])))
		inner.Add(widget.NewParagraph("→ " + p.then(p.draft.want[i].Then)))
	}
	inner.Add(p.wrong[i])
	return widget.NewPanel(inner)
}

func (p *Page) title(i int) fyne.CanvasObject {
	icon := func(res fyne.Resource, on bool, f func()) *fyneui.Button {
		b := fyneui.NewButtonWithIcon("", res, p.tap(f))
		b.Importance = fyneui.LowImportance
		widget.Enable(b, on)
		return b
	}
	move := func(by int) func() {
		return func() {
			to := p.draft.move(i, by)
			switch p.open {
			case i:
				p.open = to
			case to:
				p.open = i
			}
			p.show()
		}
	}
	edit, toggle := theme.DocumentCreateIcon(), i
	if i == p.open {
		edit, toggle = theme.ConfirmIcon(), none
	}
	return widget.StretchRow(2, 0, widget.NewSubheading(p.name(i)).Elastic(),
		icon(theme.MoveUpIcon(), i > 0, move(-1)), icon(theme.MoveDownIcon(), i < len(p.draft.want)-1, move(+1)),
		icon(edit, true, func() {
			p.open = toggle
			p.forget()
			p.show()
		}),
		icon(theme.DeleteIcon(), true, func() {
			p.draft.remove(i)
			p.open = none
			p.show()
		}))
}

// form changes a rule.
func (p *Page) form(i int) fyne.CanvasObject {
	w, r := p.kit.Words, &p.draft.want[i]
	name := p.entry(w.T("routes.name"), r.Name, func(s string) { r.Name = strings.TrimSpace(s) })
	conditions := widget.Column(6)
	for k := range r.When {
		conditions.Add(p.conditionRow(r, k))
	}
	more := fyneui.NewButtonWithIcon(w.T("routes.more"), theme.ContentAddIcon(), p.tap(func() {
		r.When = append(r.When, bridge.RouteCondition{By: "keyword"})
		p.show()
	}))
	more.Importance = fyneui.LowImportance
	return widget.Column(8,
		name, widget.NewCaption(w.T("routes.when")), conditions, widget.Row(0, more),
		widget.NewCaption(w.T("routes.then")), p.outcome(&r.Then))
}

// entry is a line to write in.
func (p *Page) entry(placeholder, text string, set func(string)) *widget.Entry {
	e := widget.NewEntry(placeholder)
	e.SetText(text)
	e.OnChanged = func(s string) {
		set(s)
		p.changed()
	}
	return e
}

// choice is a list to choose from. What is chosen now is in it, even if there is
// no such thing any more.
func (p *Page) choice(all []string, words func(string) string, chosen string, set func(string)) *fyneui.Select {
	if chosen != "" && !slices.Contains(all, chosen) {
		all = append(slices.Clone(all), chosen)
	}
	labels := make([]string, len(all))
	for i, v := range all {
		labels[i] = words(v)
	}
	s := fyneui.NewSelect(labels, nil)
	s.PlaceHolder = p.kit.Words.T("routes.choose")
	if i := slices.Index(all, chosen); i >= 0 {
		s.SetSelectedIndex(i)
	}
	s.OnChanged = func(string) {
		set(all[s.SelectedIndex()])
		p.changed()
	}
	return s
}

func same(s string) string { return s }

// conditionRow changes one condition of a rule.
func (p *Page) conditionRow(r *bridge.Route, k int) fyne.CanvasObject {
	c := &r.When[k]
	kind := p.choice(p.choices.Conditions, p.condition, c.By, func(by string) {
		c.By, c.Values = by, nil
		p.show()
	})
	remove := fyneui.NewButtonWithIcon("", theme.ContentRemoveIcon(), p.tap(func() {
		r.When = slices.Delete(r.When, k, k+1)
		p.show()
	}))
	remove.Importance = fyneui.LowImportance
	return widget.StretchRow(6, 1, widget.Fixed(kind, 150), p.values(c), remove)
}

// values changes what a condition wants: chosen where there is a choice, and
// written otherwise, several with commas between them.
func (p *Page) values(c *bridge.RouteCondition) fyne.CanvasObject {
	one := func(v string) { c.Values = []string{v} }
	first := ""
	if len(c.Values) > 0 {
		first = c.Values[0]
	}
	switch {
	case c.By == "bot" && len(c.Values) < 2:
		return p.choice(p.choices.Bots, same, first, one)
	case c.By == "role" && len(c.Values) < 2:
		roles := make([]string, 0, len(p.choices.Roles))
		for _, r := range p.choices.Roles {
			roles = append(roles, string(r))
		}
		return p.choice(roles, func(v string) string { return p.value("role", v) }, first, one)
	case c.By == "regexp" && len(c.Values) < 2: // a comma is part of it
		return p.entry(p.kit.Words.T("routes.hint.regexp"), first, func(s string) {
			c.Values = nil
			if s != "" {
				c.Values = []string{s}
			}
		})
	}
	text := written(c.By, c.Values)
	line := p.entry(p.kit.Words.T("routes.hint."+c.By), text, func(s string) { c.Values = list(c.By, s) })
	if text == strings.Join(c.Values, ", ") {
		return line
	}
	return widget.Column(2, line, widget.NewCaption(p.kit.Words.T("routes.quotes")).Elastic())
}

// outcome changes what becomes of a message.
func (p *Page) outcome(o *bridge.RouteOutcome) fyne.CanvasObject {
	kinds := make([]string, 0, len(bridge.RouteOutcomeKinds()))
	for _, k := range bridge.RouteOutcomeKinds() {
		if k != bridge.RouteIntent || len(p.choices.Commands) > 0 {
			kinds = append(kinds, string(k))
		}
	}
	kind := p.choice(kinds, func(k string) string { return p.outcomeKind(bridge.RouteOutcomeKind(k)) }, string(o.Kind), func(k string) {
		*o = bridge.RouteOutcome{Kind: bridge.RouteOutcomeKind(k)}
		if o.Kind == bridge.RouteHuman {
			o.For = 30 * time.Minute
		}
		p.show()
	})
	return widget.Column(6, append([]fyne.CanvasObject{kind}, p.outcomeFields(o)...)...)
}

func (p *Page) outcomeFields(o *bridge.RouteOutcome) []fyne.CanvasObject {
	w := p.kit.Words
	text := func(hint string) fyne.CanvasObject {
		e := p.entry(w.T(hint), o.Text, func(s string) { o.Text = s })
		e.MultiLine, e.Wrapping = true, fyne.TextWrapWord
		e.SetMinRowsVisible(3)
		return e
	}
	target := []fyne.CanvasObject{
		p.choice(p.choices.Bots, same, o.Bot, func(v string) { o.Bot = v }),
		p.entry(w.T("routes.hint.target"), o.Chat, func(s string) { o.Chat = strings.TrimSpace(s) }),
	}
	switch o.Kind {
	case bridge.RouteAgent:
		agent := p.choice(p.choices.Agents, same, o.Agent, func(v string) {
			o.Agent, o.Inputs = v, nil
			p.show()
		})
		p.told = widget.Column(6)
		p.showInputs(o)
		return []fyne.CanvasObject{agent, p.told}
	case bridge.RouteReply:
		return []fyne.CanvasObject{text("routes.hint.reply")}
	case bridge.RouteRefuse:
		return []fyne.CanvasObject{text("routes.hint.refuse")}
	case bridge.RouteForward:
		return target
	case bridge.RouteHuman:
		minutes := []string{"10m0s", "30m0s", "1h0m0s", "4h0m0s", "24h0m0s"}
		long := p.choice(minutes, p.long, o.For.String(), func(v string) { o.For, _ = time.ParseDuration(v) })
		return append([]fyne.CanvasObject{long, widget.NewCaption(w.T("routes.human.hint")).Elastic()}, target...)
	case bridge.RouteIntent:
		return []fyne.CanvasObject{p.choice(p.choices.Commands, p.command, o.Command, func(v string) { o.Command = v })}
	}
	return nil
}

func (p *Page) long(text string) string {
	d, _ := time.ParseDuration(text)
	return p.kit.Words.T("routes.minutes", "n", int(d.Minutes()))
}

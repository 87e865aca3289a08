package routes

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/widget"
)

// What the tests look at inside.

var Moment = moment

func (p *Page) Buttons() (save, discard *fyneui.Button) { return p.save, p.discard }

func (p *Page) Draft() []bridge.Route { return p.draft.want }

func (p *Page) Open() int { return p.open }

func (p *Page) Mistakes() (all []int) {
	for i, box := range p.wrong {
		if len(box.Objects) > 0 {
			all = append(all, i)
		}
	}
	return all
}

// Verdict is what stands below the message to try.
func (p *Page) Verdict() string {
	var all []string
	walk(p.trial.result, func(o fyne.CanvasObject) {
		if r, ok := o.(*fyneui.RichText); ok {
			all = append(all, strings.ReplaceAll(r.String(), "\u200b", ""))
		}
	})
	return strings.Join(all, "\n")
}

func (p *Page) Try(m bridge.RouteTrial) {
	p.trial.message = m
	p.trial.try()
}

// TryAs types who writes the message to try.
func (p *Page) TryAs(person string) {
	walk(p.content, func(o fyne.CanvasObject) {
		if e, ok := o.(*widget.Entry); ok && e.PlaceHolder == p.kit.Words.T("routes.try.person.hint") {
			e.SetText(person)
		}
	})
}

func (p *Page) TryAt(text string) {
	p.trial.when = text
	p.trial.try()
}

// Rule returns what stands on the card of a rule.
func (p *Page) Rule(i int) (buttons []*fyneui.Button, entries []*widget.Entry, selects []*fyneui.Select) {
	walk(p.rules.Objects[i], func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *fyneui.Button:
			buttons = append(buttons, o)
		case *widget.Entry:
			entries = append(entries, o)
		case *fyneui.Select:
			selects = append(selects, o)
		}
	})
	return buttons, entries, selects
}

func walk(o fyne.CanvasObject, f func(fyne.CanvasObject)) {
	f(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			walk(child, f)
		}
	case *container.Scroll:
		walk(o.Content, f)
	case *widget.Panel:
		walk(o.Content(), f)
	}
}

// Cards is what stands on the cards of the rules.
func (p *Page) Cards() string {
	var all []string
	walk(p.rules, func(o fyne.CanvasObject) {
		if r, ok := o.(*fyneui.RichText); ok {
			all = append(all, strings.ReplaceAll(r.String(), "\u200b", ""))
		}
	})
	return strings.Join(all, "\n")
}

// List and Written read and write values in one line.
func List(by, text string) []string { return list(by, text) }

func Written(by string, values []string) string { return written(by, values) }

package routes

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// none is the index of no rule.
const none = -1

// Page is the routes page.
type Page struct {
	kit     live.Kit
	backend Backend
	ctx     context.Context //nolint:containedctx // of the page; callbacks of widgets get none
	choices bridge.RouteChoices
	draft   draft
	open    int // the rule that is being edited
	busy    bool
	forms   map[string]form // by agent
	// mistakes are those of the rules as they are now.
	mistakes []bridge.RouteMistake

	content       fyne.CanvasObject
	body          *container.Scroll
	save, discard *fyneui.Button
	state         *widget.Line
	rules         *fyne.Container
	wrong         []*fyne.Container // below each rule
	told          *fyne.Container   // the inputs of the open rule
	trial         *trial
}

// New builds the page. Everything it starts ends with ctx.
func New(ctx context.Context, kit live.Kit, backend Backend) *Page {
	p := &Page{kit: kit, backend: backend, ctx: ctx, open: none, choices: backend.RouteChoices(), draft: newDraft(backend.Routes()), forms: map[string]form{}}
	p.rules = widget.Column(10)
	p.trial = newTrial(p)
	columns := widget.NewGrid(380, 12, widget.Column(12, p.rules, p.fallback()), widget.Column(0, p.trial.card()))
	p.body = container.NewVScroll(widget.Inset(widget.Measure(columns, 1080, false), 4, 24))
	p.content = container.NewBorder(widget.Inset(p.head(), 18, 24), nil, nil, nil, p.body)
	p.show()
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown reads the rules again, unless the admin is changing them.
func (p *Page) Shown(on bool) {
	if on {
		p.Refresh()
	}
}

// Refresh is Shown.
func (p *Page) Refresh() {
	if !p.draft.changed() && !p.busy {
		p.reset()
	}
}

func (p *Page) reset() {
	p.choices, p.draft, p.open = p.backend.RouteChoices(), newDraft(p.backend.Routes()), none
	p.forms = map[string]form{} // somebody may have changed the apps
	p.trial.choose(p.choices)
	p.show()
}

func (p *Page) head() fyne.CanvasObject {
	w := p.kit.Words
	p.state = widget.NewCaption("").Elastic()
	add := fyneui.NewButtonWithIcon(w.T("routes.add"), theme.ContentAddIcon(), p.tap(p.add))
	p.discard = fyneui.NewButton(w.T("routes.discard"), p.tap(p.reset))
	p.save = fyneui.NewButton(w.T("routes.save"), p.tap(p.store))
	return widget.StretchRow(10, 1, widget.NewHeading(w.T("page.routes")), p.state, add, p.discard, p.save)
}

func (p *Page) tap(f func()) func() { return p.kit.Hub.Tap(p.ctx, f) }

// fallback says what happens when no rule holds.
func (p *Page) fallback() fyne.CanvasObject {
	return widget.StretchRow(8, 1, fyneui.NewIcon(theme.NavigateNextIcon()), widget.NewQuiet(p.kit.Words.T("routes.fallback")))
}

func (p *Page) add() {
	r := bridge.Route{When: []bridge.RouteCondition{{By: "keyword"}}, Then: bridge.RouteOutcome{Kind: bridge.RouteReply}}
	if len(p.choices.Agents) > 0 {
		r.Then = bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: p.choices.Agents[0]}
	}
	p.open = p.draft.add(r)
	p.show()
}

// show builds the list anew: there are more rules, fewer, or others.
func (p *Page) show() {
	p.rules.RemoveAll()
	p.wrong = make([]*fyne.Container, len(p.draft.want))
	if len(p.draft.want) == 0 {
		p.rules.Add(p.empty())
	}
	for i := range p.draft.want {
		p.wrong[i] = widget.Column(4)
		p.rules.Add(p.rule(i))
	}
	p.body.Refresh() // cards below move
	p.changed()
}

func (p *Page) empty() fyne.CanvasObject {
	w := p.kit.Words
	return widget.NewPanel(widget.Column(8, widget.NewSubheading(w.T("routes.empty")), widget.NewQuiet(w.T("routes.empty.hint"))))
}

// changed follows a change of a rule.
func (p *Page) changed() {
	p.enable()
	p.trial.try()
}

func (p *Page) enable() {
	w, changed := p.kit.Words, p.draft.changed()
	widget.Enable(p.discard, changed && !p.busy)
	widget.Enable(p.save, changed && !p.busy && len(p.mistakes) == 0)
	p.save.Importance = fyneui.HighImportance
	p.save.Refresh()
	switch {
	case len(p.mistakes) > 0:
		p.state.Set(w.T("routes.wrong"))
	case changed:
		p.state.Set(w.T("routes.changed"))
	default:
		p.state.Set("")
	}
}

// blame shows the mistakes below the rules they are in.
func (p *Page) blame(mistakes []bridge.RouteMistake) {
	p.mistakes = mistakes
	for _, box := range p.wrong {
		box.RemoveAll()
	}
	for _, m := range mistakes {
		if m.Rule < len(p.wrong) {
			p.wrong[m.Rule].Add(widget.StretchRow(8, 1, widget.NewMark(widget.ToneError, ""), widget.NewParagraph(p.mistake(m))))
		}
	}
	p.body.Refresh()
	p.enable()
}

func (p *Page) store() {
	rules := clone(p.draft.want)
	p.busy = true
	p.enable()
	live.Act(p.ctx, p.kit.Hub, func(ctx context.Context) error { return p.backend.SaveRoutes(ctx, rules) }, func(err error) {
		p.busy = false
		if err != nil {
			p.enable()
			p.kit.Shell.Trouble(err)
			return
		}
		p.draft.stored = rules
		if p.draft.changed() { // meanwhile
			p.enable()
		} else {
			p.reset()
		}
		p.kit.Shell.Say(p.kit.Words.T("routes.saved"))
	})
}

package privacy

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// Page is the privacy page.
type Page struct {
	kit     live.Kit
	backend Backend
	ctx     context.Context //nolint:containedctx // of the page; callbacks of widgets get none
	draft   draft
	busy    bool
	wrong   bool // the rules cannot be saved

	content       fyne.CanvasObject
	body          *container.Scroll
	save, discard *fyneui.Button
	state         *widget.Line

	answers, agents, keep *fyneui.Check
	deletes               fyne.CanvasObject
	builtIn               map[string]*fyneui.Check
	own                   *fyne.Container
	trial                 *trial
}

// New builds the page. Everything it starts ends with ctx.
func New(ctx context.Context, kit live.Kit, backend Backend) *Page {
	p := &Page{kit: kit, backend: backend, ctx: ctx, draft: newDraft(backend.Privacy()), builtIn: map[string]*fyneui.Check{}}
	w := kit.Words
	p.trial = newTrial(ctx, kit, func(sample string) ([]bridge.Masked, error) { return backend.PreviewPrivacy(p.draft.rules(), sample) }, p.tried)
	left := widget.Column(12, p.switches(), p.builtIns(), p.owns())
	columns := widget.NewGrid(380, 12, left, widget.Column(0, p.trial.card(w)))
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
	p.draft = newDraft(p.backend.Privacy())
	p.show()
}

func (p *Page) head() fyne.CanvasObject {
	w := p.kit.Words
	p.state = widget.NewCaption("").Elastic()
	p.discard = fyneui.NewButton(w.T("privacy.discard"), p.kit.Hub.Tap(p.ctx, p.reset))
	p.save = fyneui.NewButton(w.T("privacy.save"), p.kit.Hub.Tap(p.ctx, p.store))
	return widget.StretchRow(10, 1, widget.NewHeading(w.T("page.privacy")), p.state, p.discard, p.save)
}

func (p *Page) check(word string, set func(bool)) *fyneui.Check {
	return fyneui.NewCheck(word, func(on bool) {
		set(on)
		p.changed()
	})
}

func (p *Page) switches() fyne.CanvasObject {
	w := p.kit.Words
	p.answers = p.check(w.T("privacy.answers"), func(on bool) { p.draft.want.MaskAnswers = on })
	p.agents = p.check(w.T("privacy.agents"), func(on bool) { p.draft.want.MaskToAgent = on })
	p.keep = p.check(w.T("privacy.keep"), func(on bool) { p.draft.want.StoreContent = on })
	p.deletes = widget.StretchRow(8, 1, widget.NewMark(widget.ToneAttention, ""), widget.NewParagraph(w.T("privacy.deletes")))
	return card(w.T("privacy.what"),
		widget.Column(2, p.answers, hint(w.T("privacy.answers.hint"))),
		widget.Column(2, p.agents, hint(w.T("privacy.agents.hint"))),
		widget.Column(2, p.keep, hint(w.T("privacy.keep.hint")), p.deletes),
	)
}

func (p *Page) builtIns() fyne.CanvasObject {
	w := p.kit.Words
	rows := widget.Column(0)
	for _, rule := range p.backend.MaskRules() {
		p.builtIn[rule] = p.check(ruleWords(w, rule), func(on bool) { p.draft.use(rule, on) })
		rows.Add(widget.NewSplit(p.builtIn[rule], widget.NewCaption(w.T("privacy.example."+rule))))
	}
	return card(w.T("privacy.rules"), rows)
}

func (p *Page) owns() fyne.CanvasObject {
	w := p.kit.Words
	p.own = widget.Column(14)
	add := fyneui.NewButtonWithIcon(w.T("privacy.add"), theme.ContentAddIcon(), p.kit.Hub.Tap(p.ctx, func() {
		p.draft.add()
		p.showOwn()
		p.changed()
	}))
	return card(w.T("privacy.own"), widget.NewQuiet(w.T("privacy.own.hint")), p.own, widget.Row(0, add))
}

func card(title string, content ...fyne.CanvasObject) fyne.CanvasObject {
	inner := widget.Column(10, widget.NewSubheading(title))
	for _, c := range content {
		inner.Add(c)
	}
	return widget.NewPanel(inner)
}

// hint stands below the words of a check, not below its box.
func hint(text string) fyne.CanvasObject {
	return container.NewBorder(nil, nil, widget.Fixed(widget.NewLine(""), 32), nil, widget.NewQuiet(text))
}

func ruleWords(w live.Words, rule string) string {
	if words, ok := i18n.Find(w.Lang, "privacy.rule."+rule); ok {
		return words
	}
	return rule
}

// show brings every part in line with the draft.
func (p *Page) show() {
	want := p.draft.want
	set(p.answers, want.MaskAnswers)
	set(p.agents, want.MaskToAgent)
	set(p.keep, want.StoreContent)
	for rule, check := range p.builtIn {
		set(check, p.draft.uses(rule))
	}
	p.showOwn()
	p.changed()
}

// set is SetChecked without telling.
func set(c *fyneui.Check, on bool) {
	tell := c.OnChanged
	c.OnChanged = nil
	c.SetChecked(on)
	c.OnChanged = tell
}

func (p *Page) showOwn() {
	p.own.RemoveAll()
	for i := range p.draft.want.Custom {
		p.own.Add(p.rule(i))
	}
}

// changed follows a change of the draft.
func (p *Page) changed() {
	widget.Show(p.deletes, p.draft.deletes())
	p.body.Refresh() // cards below move
	p.enable()
	p.trial.try()
}

func (p *Page) enable() {
	w, changed := p.kit.Words, p.draft.changed()
	widget.Enable(p.discard, changed && !p.busy)
	widget.Enable(p.save, changed && !p.busy && !p.wrong)
	p.save.Importance = fyneui.HighImportance
	if p.draft.deletes() {
		p.save.Importance = fyneui.DangerImportance
	}
	p.save.Refresh()
	switch {
	case p.wrong:
		p.state.Set(w.T("privacy.wrong"))
	case changed:
		p.state.Set(w.T("privacy.changed"))
	default:
		p.state.Set("")
	}
}

// tried is told what became of trying the rules.
func (p *Page) tried(err error) {
	p.wrong = err != nil
	p.body.Refresh()
	p.enable()
}

func (p *Page) store() {
	rules := p.draft.rules()
	p.busy = true
	p.enable()
	live.Act(p.ctx, p.kit.Hub, func(ctx context.Context) error { return p.backend.SavePrivacy(ctx, rules) }, func(err error) {
		p.busy = false
		if err != nil {
			p.enable()
			p.kit.Shell.Trouble(err)
			return
		}
		p.draft.stored = rules
		if p.draft.changed() { // meanwhile
			p.changed()
		} else {
			p.reset()
		}
		p.kit.Shell.Say(p.kit.Words.T("privacy.saved"))
	})
}

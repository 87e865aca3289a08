package welcome

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/assets"
	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// Options are the present language and what happens next.
type Options struct {
	Languages  []string
	Language   string
	OnLanguage func(string)
	// OnTry starts the demo; OnDone goes on to the overview.
	OnTry, OnDone func()
}

// Page is the first page a new user sees.
type Page struct {
	kit     live.Kit
	backend Backend
	options Options
	content fyne.CanvasObject

	address, key *widget.Entry
	test, save   *fyneui.Button
	busy         *fyneui.Activity
	findings     *fyne.Container
	offered      *offer // the latest; nil when there was none
}

// New builds the page; what it starts ends with ctx.
func New(ctx context.Context, kit live.Kit, backend Backend, o Options) *Page {
	p := &Page{kit: kit, backend: backend, options: o}
	w := kit.Words
	logo := canvas.NewImageFromResource(fyne.NewStaticResource("app.svg", assets.Icon("app.svg")))
	logo.FillMode = canvas.ImageFillContain
	names := widget.Column(2, widget.NewHeading(w.T("welcome")), widget.NewCaption(w.T("welcome.subtitle")).Elastic())
	top := widget.StretchRow(16, 1, widget.Sized(logo, 56), names, p.languages())
	skip := fyneui.NewButton(w.T("welcome.skip"), kit.Hub.Tap(ctx, o.OnDone))
	skip.Importance = fyneui.LowImportance
	cards := widget.NewGrid(330, 16, p.try(ctx), p.connect(ctx))
	body := widget.Column(20, top, cards, container.NewCenter(skip))
	p.content = container.NewVScroll(widget.Inset(widget.Measure(body, 860, true), 36, 28))
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

func (p *Page) languages() fyne.CanvasObject {
	labels := make([]string, len(p.options.Languages))
	chosen := 0
	for i, l := range p.options.Languages {
		labels[i] = p.kit.Words.T("settings.language." + l)
		if l == p.options.Language {
			chosen = i
		}
	}
	s := widget.NewSegments(labels, nil, func(i int) { p.options.OnLanguage(p.options.Languages[i]) })
	s.Mark(chosen)
	return s
}

func (p *Page) try(ctx context.Context) fyne.CanvasObject {
	w := p.kit.Words
	button := fyneui.NewButtonWithIcon(w.T("welcome.try.button"), theme.MediaPlayIcon(), p.kit.Hub.Tap(ctx, p.options.OnTry))
	button.Importance = fyneui.HighImportance
	points := widget.Column(8)
	for _, key := range []string{"welcome.try.1", "welcome.try.2", "welcome.try.3"} {
		points.Add(widget.StretchRow(8, 1, widget.NewMark(widget.ToneOK, ""), widget.NewParagraph(w.T(key))))
	}
	inner := widget.Column(14, widget.NewSubheading(w.T("welcome.try")), widget.NewQuiet(w.T("welcome.try.hint")), points, widget.Row(0, button))
	return widget.NewPanel(widget.Inset(inner, 8, 8))
}

func (p *Page) connect(ctx context.Context) fyne.CanvasObject {
	w, tap := p.kit.Words, p.kit.Hub.Tap
	p.address = widget.NewEntry("https://api.dify.ai/v1")
	p.address.SetText("https://api.dify.ai/v1")
	p.key = widget.NewSecretEntry("app-…")
	p.address.OnChanged = func(string) { p.changed() }
	p.key.OnChanged = func(string) { p.changed() }
	p.test = fyneui.NewButton(w.T("welcome.test"), tap(ctx, func() { p.check(ctx) }))
	p.save = fyneui.NewButton(w.T("welcome.save"), tap(ctx, func() { p.keep(ctx) }))
	p.busy = fyneui.NewActivity()
	p.busy.Hide()
	p.findings = widget.Column(6)
	p.changed()
	inner := widget.Column(14,
		widget.NewSubheading(w.T("welcome.connect")), widget.NewQuiet(w.T("welcome.connect.hint")),
		widget.Column(4, widget.NewCaption(w.T("welcome.address")), p.address),
		widget.Column(4, widget.NewCaption(w.T("welcome.key")), p.key, widget.NewCaption(w.T("welcome.key.hint")).Elastic()),
		p.findings,
		widget.Row(8, p.test, p.save, widget.Sized(p.busy, 20)),
	)
	return widget.NewPanel(widget.Inset(inner, 8, 8))
}

// given returns the two values without blanks around them.
func (p *Page) given() (string, bridge.Secret) {
	return strings.TrimSpace(p.address.Text), bridge.NewSecret(strings.TrimSpace(p.key.Text))
}

func (p *Page) changed() {
	address, key := p.given()
	widget.Enable(p.test, address != "" && !key.Empty())
	widget.Enable(p.save, address != "" && !key.Empty())
	p.findings.RemoveAll()
}

// work keeps what was typed as it is while it is tried or saved, so that what comes
// of it is about what stands there.
func (p *Page) work(on bool) {
	widget.Show(p.busy, on)
	if on {
		p.busy.Start()
	} else {
		p.busy.Stop()
	}
	for _, d := range []fyne.Disableable{p.address, p.key, p.test, p.save} {
		widget.Enable(d, !on)
	}
}

func (p *Page) check(ctx context.Context) {
	address, key := p.given()
	p.findings.RemoveAll()
	p.work(true)
	live.Ask(ctx, p.kit.Hub, func(ctx context.Context) ([]bridge.Finding, error) { return p.backend.CheckAgent(ctx, address, key) }, p.checked)
}

func (p *Page) checked(findings []bridge.Finding, err error) {
	p.work(false)
	p.findings.RemoveAll()
	if err != nil {
		p.findings.Add(result(widget.ToneError, p.kit.Words.Explain(err)))
	}
	good := err == nil
	for _, f := range findings {
		tone, text := describe(p.kit.Words, f)
		good = good && f.OK
		p.findings.Add(result(tone, text))
	}
	p.save.Importance = fyneui.MediumImportance
	if good {
		p.save.Importance = fyneui.HighImportance
	}
	p.save.Refresh()
}

func (p *Page) keep(ctx context.Context) {
	address, key := p.given()
	p.work(true)
	live.Act(ctx, p.kit.Hub, func(ctx context.Context) error { return p.backend.SaveAgent(ctx, address, key) }, func(err error) {
		p.work(false)
		if p.backend.Keyless(err) {
			p.offer(ctx, err)
			return
		}
		if err != nil {
			p.kit.Shell.Trouble(err)
			return
		}
		p.kit.Shell.Say(p.kit.Words.T("welcome.saved"))
		p.options.OnDone()
	})
}

func result(tone widget.Tone, text string) fyne.CanvasObject {
	return widget.StretchRow(8, 1, widget.NewMark(tone, ""), widget.NewParagraph(text))
}

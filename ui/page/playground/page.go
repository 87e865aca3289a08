package playground

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

// Page is the playground.
type Page struct {
	kit     live.Kit
	backend Backend
	view    *live.View[office]

	content         fyne.CanvasObject
	play, stop      *fyneui.Button
	start           *fyneui.Button
	trouble         *fyneui.Select
	screens         []*screen
	side            *widget.Sides
	stage, closed   *fyne.Container
	cancel          context.CancelFunc // of the demo that plays; nil when none does
	playWhenStarted bool
	demo            func()
}

// office is everything the page shows.
type office struct {
	employees []bridge.Employee
	bubbles   [][]bridge.Bubble
}

// New builds the page; it lives until ctx ends.
func New(ctx context.Context, kit live.Kit, backend Backend) *Page {
	p := &Page{kit: kit, backend: backend}
	p.build(ctx)
	p.view = live.NewView(kit.Hub, live.Kind(bridge.ChangeBubble, bridge.ChangeOverview), p.load, func(o office, _ error) { p.show(ctx, o) })
	kit.Hub.Go(ctx, p.view.Run)
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown says whether the page is in front.
func (p *Page) Shown(on bool) { p.view.Shown(on) }

// Refresh reads everything again at once.
func (p *Page) Refresh() { p.view.Refresh() }

// Demo starts the simulator, if need be, and plays the demo.
func (p *Page) Demo() { p.demo() }

func (p *Page) build(ctx context.Context) {
	w, tap := p.kit.Words, p.kit.Hub.Tap
	p.demo = func() {
		p.playWhenStarted = true
		p.open(ctx)
	}
	p.play = fyneui.NewButtonWithIcon(w.T("playground.play"), theme.MediaPlayIcon(), tap(ctx, func() { p.toggle(ctx) }))
	p.play.Importance = fyneui.HighImportance
	p.stop = fyneui.NewButton(w.T("playground.stop"), tap(ctx, func() { p.shut(ctx) }))
	p.start = fyneui.NewButtonWithIcon(w.T("playground.start"), theme.MediaPlayIcon(), tap(ctx, func() { p.open(ctx) }))
	p.start.Importance = fyneui.HighImportance
	p.stop.Hide()
	p.play.Hide()
	title := widget.NewHeading(w.T("page.playground")).Elastic()
	p.trouble = p.troubles()
	p.trouble.Hide()
	bar := widget.StretchRow(8, 0, title, p.trouble, p.stop, p.play)
	head := widget.Inset(widget.Column(4, bar, widget.NewCaption(w.T("playground.subtitle")).Elastic()), 12, 24)
	inner := widget.Column(12,
		widget.NewSubheading(w.T("playground.closed")), widget.NewQuiet(w.T("playground.closed.hint")), widget.Row(0, p.start))
	p.closed = container.NewCenter(widget.Fixed(widget.NewPanel(widget.Inset(inner, 10, 10)), 460))
	p.stage = container.NewStack()
	p.stage.Hide()
	p.content = container.NewBorder(head, nil, nil, nil, container.NewStack(p.closed, container.New(&edge{}, p.stage)))
}

// edge leaves room left, right and below.
type edge struct{}

// Layout implements fyne.Layout.
func (*edge) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(24, 0))
	objects[0].Resize(size.SubtractWidthHeight(48, 18))
}

// MinSize implements fyne.Layout.
func (*edge) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().AddWidthHeight(48, 18)
}

func (p *Page) open(ctx context.Context) {
	p.start.Disable()
	live.Act(ctx, p.kit.Hub, p.backend.StartDemo, func(err error) {
		p.start.Enable()
		if err != nil {
			p.playWhenStarted = false
			p.kit.Shell.Trouble(err)
		}
		p.view.Refresh()
	})
}

func (p *Page) shut(ctx context.Context) {
	p.halt()
	live.Act(ctx, p.kit.Hub, p.backend.StopDemo, func(err error) {
		if err != nil {
			p.kit.Shell.Trouble(err)
		}
		p.view.Refresh()
	})
}

func (p *Page) load(context.Context) (office, error) {
	o := office{employees: p.backend.Employees()}
	for _, e := range o.employees {
		o.bubbles = append(o.bubbles, p.backend.Bubbles(e.ID))
	}
	return o, nil
}

func (p *Page) show(ctx context.Context, o office) {
	on := len(o.employees) > 0
	widget.Show(p.closed, !on)
	widget.Show(p.stage, on)
	widget.Show(p.play, on)
	widget.Show(p.stop, on)
	widget.Show(p.trouble, on)
	if !on {
		p.trouble.Selected = p.trouble.Options[0] // a simulator starts without any
	}
	if len(o.employees) != len(p.screens) {
		p.seat(ctx, o.employees)
	}
	for i, s := range p.screens {
		s.show(o.bubbles[i])
	}
	if on && p.playWhenStarted {
		p.playWhenStarted = false
		p.toggle(ctx)
	}
}

// seat gives each employee a screen.
func (p *Page) seat(ctx context.Context, employees []bridge.Employee) {
	p.screens = nil
	p.stage.RemoveAll()
	if len(employees) == 0 {
		return
	}
	var names []string
	var roots []fyne.CanvasObject
	for _, e := range employees {
		s := newScreen(ctx, p.kit, p.backend, e)
		p.screens = append(p.screens, s)
		names, roots = append(names, e.Name), append(roots, s.root)
	}
	p.side = widget.NewSides(names, roots, 236)
	p.stage.Add(p.side)
}

// toggle plays the demo, or stops it.
func (p *Page) toggle(ctx context.Context) {
	if p.cancel != nil {
		p.halt()
		return
	}
	w := p.kit.Words
	lines := script(w, p.backend.Employees())
	playing, cancel := context.WithCancel(ctx)
	p.cancel = cancel
	p.play.SetText(w.T("playground.halt"))
	p.play.SetIcon(theme.MediaStopIcon())
	live.Act(ctx, p.kit.Hub, func(context.Context) error {
		return play(playing, p.kit.Hub, p.backend, lines, func(l line) { p.kit.Hub.Do(playing, func() { p.turn(l) }) })
	}, func(err error) {
		if playing.Err() != nil {
			return // it was stopped, and another one may play by now
		}
		p.halt()
		if err != nil {
			p.kit.Shell.Trouble(err)
		}
	})
}

func (p *Page) halt() {
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
	p.play.SetText(p.kit.Words.T("playground.play"))
	p.play.SetIcon(theme.MediaPlayIcon())
}

// turn brings the screen of the next line to the front.
func (p *Page) turn(l line) {
	for i, s := range p.screens {
		if s.employee.ID == l.employee.ID {
			s.use(l.platform)
			p.side.Front(i)
		}
	}
}

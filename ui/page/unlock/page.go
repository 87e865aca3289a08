package unlock

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// tries is how often a wrong passphrase is only that; then there is a way on
// without one.
const tries = 3

// Options say what comes next.
type Options struct {
	// OnOpened is called when the house is open, OnFailed when it does not open for
	// another reason, and OnQuit when nobody wants it any more.
	OnOpened func()
	OnFailed func(error)
	OnQuit   func()
}

// Page asks for the passphrase.
type Page struct {
	kit     live.Kit
	backend Backend
	options Options
	content fyne.CanvasObject

	entry                 *widget.Entry
	unlock, without, quit *fyneui.Button
	busy                  *fyneui.Activity
	words                 *fyne.Container
	said                  string
	wrong                 int
	working               bool
}

// New builds the page; what it starts ends with ctx.
func New(ctx context.Context, kit live.Kit, backend Backend, o Options) *Page {
	p := &Page{kit: kit, backend: backend, options: o, words: widget.Column(6)}
	w, tap := kit.Words, kit.Hub.Tap
	p.entry = widget.NewSecretEntry("")
	p.entry.OnChanged = func(string) { p.enable() }
	p.entry.OnCtrlEnter = tap(ctx, func() { p.try(ctx) })
	// A passphrase is not composed with an input method, so Enter is a person's own.
	p.entry.OnSubmitted = func(string) { p.entry.OnCtrlEnter() }
	p.unlock = fyneui.NewButton(w.T("unlock.button"), p.entry.OnCtrlEnter)
	p.unlock.Importance = fyneui.HighImportance
	p.without = fyneui.NewButton(w.T("unlock.without"), tap(ctx, func() { p.open(ctx, bridge.Secret{}) }))
	p.without.Hide()
	p.quit = fyneui.NewButton(w.T("close.quit"), tap(ctx, o.OnQuit))
	p.busy = fyneui.NewActivity()
	p.busy.Hide()
	p.enable()
	asks := widget.Column(10,
		widget.NewParagraph(w.T("unlock.hint")),
		widget.Column(4, widget.NewCaption(w.T("unlock.passphrase")), p.entry),
		p.words,
	)
	row := widget.Row(8, p.unlock, p.without, p.quit, widget.Sized(p.busy, 20))
	body := widget.Column(16, widget.NewHeading(w.T("unlock")), widget.NewPanel(asks), row)
	p.content = container.NewVScroll(widget.Inset(widget.Measure(body, 480, true), 28, 28))
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Focus is what the cursor belongs in.
func (p *Page) Focus() fyne.Focusable { return p.entry }

// try finds out whether what was typed is the passphrase, which takes a second.
func (p *Page) try(ctx context.Context) {
	passphrase := bridge.NewSecret(p.entry.Text) // as it is: a blank may be a part of it
	if passphrase.Empty() || p.working {
		return
	}
	p.work(true)
	live.Act(ctx, p.kit.Hub, func(ctx context.Context) error { return p.backend.Try(ctx, passphrase) }, func(err error) {
		p.work(false)
		if err != nil {
			p.refused(err)
			return
		}
		p.open(ctx, passphrase)
	})
}

// refused says what is wrong. There is a way on without the passphrase when it was
// wrong several times, and at once when none would help.
func (p *Page) refused(err error) {
	w := p.kit.Words
	p.tell(w.Explain(err))
	p.entry.SetText("")
	if bridge.KindOf(err) == bridge.KindCredential {
		p.wrong++
	}
	if p.wrong >= tries || bridge.KindOf(err) != bridge.KindCredential {
		p.without.Show()
		p.words.Add(widget.NewQuiet(w.T("unlock.without.hint")))
	}
	p.content.Refresh() // to make room
}

// open lets the house open; nothing can be typed or tapped from then on but quit.
func (p *Page) open(ctx context.Context, passphrase bridge.Secret) {
	p.entry.SetText("")
	p.words.RemoveAll()
	p.work(true)
	live.Act(ctx, p.kit.Hub, func(ctx context.Context) error { return p.backend.Open(ctx, passphrase) }, func(err error) {
		if err != nil {
			p.options.OnFailed(err)
			return
		}
		p.options.OnOpened()
	})
}

func (p *Page) tell(text string) {
	p.said = text
	p.words.RemoveAll()
	p.words.Add(widget.StretchRow(8, 1, widget.NewMark(widget.ToneError, ""), widget.NewParagraph(text)))
}

func (p *Page) work(on bool) {
	p.working = on
	widget.Show(p.busy, on)
	if on {
		p.busy.Start()
	} else {
		p.busy.Stop()
	}
	p.enable()
}

func (p *Page) enable() {
	widget.Enable(p.entry, !p.working)
	widget.Enable(p.unlock, !p.working && p.entry.Text != "")
	widget.Enable(p.without, !p.working)
}

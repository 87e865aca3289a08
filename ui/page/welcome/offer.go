package welcome

import (
	"context"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// How many characters a passphrase needs, and how many make it hard to guess.
const shortest, lengthy = 8, 16

// offer is the question whether an encrypted file should take the place of a
// keyring that is not there. Nothing is stored unless somebody says so.
type offer struct {
	kit            live.Kit
	backend        Backend
	popup          *fyneui.PopUp
	first, again   *widget.Entry
	hint           *widget.Mark
	words          *fyne.Container
	create, cancel *fyneui.Button
	busy           *fyneui.Activity
}

// offer names what is missing and asks; when the file is there, what was typed is
// saved. Otherwise it is still there.
func (p *Page) offer(ctx context.Context, cause error) {
	w, tap := p.kit.Words, p.kit.Hub.Tap
	o := &offer{
		kit: p.kit, backend: p.backend, first: widget.NewSecretEntry(""), again: widget.NewSecretEntry(""),
		hint: widget.NewMark(widget.ToneWaiting, ""), words: widget.Column(6), busy: fyneui.NewActivity(),
	}
	agree := tap(ctx, func() { o.agree(ctx, func() { p.keep(ctx) }) })
	o.create = fyneui.NewButton(w.T("welcome.file.make"), agree)
	o.create.Importance = fyneui.HighImportance
	o.cancel = fyneui.NewButton(w.T("welcome.file.cancel"), tap(ctx, o.close))
	for _, e := range []*widget.Entry{o.first, o.again} {
		e.OnChanged = func(string) { o.changed() }
		e.OnCtrlEnter = agree
	}
	o.busy.Hide()
	o.changed()
	body := widget.Column(12,
		widget.NewSubheading(w.T("welcome.file")),
		widget.NewParagraph(w.Explain(cause)),
		widget.NewQuiet(w.T("welcome.file.hint")),
		result(widget.ToneAttention, w.T("welcome.file.lost")),
		widget.Column(4, widget.NewCaption(w.T("welcome.file.passphrase")), o.first),
		widget.Column(4, widget.NewCaption(w.T("welcome.file.again")), o.again),
		o.hint, o.words,
		widget.Row(8, o.create, o.cancel, widget.Sized(o.busy, 20)),
	)
	canvas := fyne.CurrentApp().Driver().CanvasForObject(p.content)
	o.popup = fyneui.NewModalPopUp(widget.Inset(widget.Fixed(body, 440), 16, 20), canvas)
	o.popup.Show()
	canvas.Focus(o.first)
	p.offered = o
}

// fits says whether what was typed twice can be the passphrase, and the word for it.
func (o *offer) fits() (widget.Tone, string, bool) {
	n := utf8.RuneCountInString(o.first.Text)
	switch {
	case n < shortest:
		return widget.ToneWaiting, "welcome.file.short", false
	case o.again.Text != "" && o.again.Text != o.first.Text:
		return widget.ToneAttention, "welcome.file.differ", false
	case n < lengthy:
		return widget.ToneWaiting, "welcome.file.fair", o.again.Text != ""
	default:
		return widget.ToneOK, "welcome.file.good", o.again.Text != ""
	}
}

func (o *offer) changed() {
	tone, key, ok := o.fits()
	o.hint.Set(tone, o.kit.Words.T(key))
	widget.Enable(o.create, ok && !o.busy.Visible())
}

// agree makes the file, which takes a second, and goes on.
func (o *offer) agree(ctx context.Context, then func()) {
	if o.create.Disabled() {
		return
	}
	passphrase := bridge.NewSecret(o.first.Text) // as it is: a blank may be a part of it
	o.work(true)
	live.Act(ctx, o.kit.Hub, func(ctx context.Context) error { return o.backend.KeepInFile(ctx, passphrase) }, func(err error) {
		o.work(false)
		if err != nil {
			o.words.Objects = []fyne.CanvasObject{result(widget.ToneError, o.kit.Words.Explain(err))}
			o.popup.Refresh() // to make room
			return
		}
		o.close()
		then()
	})
}

func (o *offer) work(on bool) {
	widget.Show(o.busy, on)
	if on {
		o.busy.Start()
	} else {
		o.busy.Stop()
	}
	for _, d := range []fyne.Disableable{o.first, o.again, o.cancel} {
		widget.Enable(d, !on)
	}
	o.changed()
}

// close takes the question away, and the passphrase with it.
func (o *offer) close() {
	o.popup.Hide()
	o.first.SetText("")
	o.again.SetText("")
}

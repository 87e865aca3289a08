package overview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// bot is the card of one bot; set changes only what is different.
type bot struct {
	root                      fyne.CanvasObject
	title, mode, counts, last *widget.Line
	mark                      *widget.Mark
	address                   *widget.Line
	copyRow                   fyne.CanvasObject
	trouble                   *trouble
	callback                  string
}

func newBot(kit live.Kit, c botCard) *bot {
	b := &bot{
		title: widget.NewLine("").Bold().Elastic(), mode: widget.NewCaption("").Elastic(),
		counts: widget.NewLine("").Elastic(), last: widget.NewCaption("").Elastic(),
		mark: widget.NewMark(c.tone, c.state), address: widget.NewLine("").Mono().Sized(theme.SizeNameCaptionText).Elastic(),
		trouble: newTrouble(),
	}
	copyButton := fyneui.NewButtonWithIcon(kit.Words.T("copy"), theme.ContentCopyIcon(), func() { kit.Shell.Copy(b.callback) })
	copyButton.Importance = fyneui.LowImportance
	b.copyRow = container.NewVBox(
		widget.NewCaption(kit.Words.T("bot.callback")).Elastic(),
		widget.StretchRow(6, 0, b.address, copyButton),
	)
	names := widget.Column(1, widget.StretchRow(8, 0, b.title, b.mark), b.mode)
	head := widget.StretchRow(10, 1, widget.NewBadge(c.letter, c.platform, 34), names)
	b.root = widget.NewPanel(widget.Column(8, head, widget.Column(2, b.counts, b.last), b.copyRow, b.trouble.root))
	b.set(c)
	return b
}

func (b *bot) set(c botCard) {
	b.title.Set(c.title)
	b.mode.Set(c.mode)
	b.counts.Set(c.counts)
	b.last.Set(c.last)
	b.mark.Set(c.tone, c.state)
	b.address.Set(c.callback)
	b.callback = c.callback
	widget.Show(b.copyRow, c.callback != "")
	b.trouble.set(c.trouble, c.next)
}

// agent is the card of one agent.
type agent struct {
	root          fyne.CanvasObject
	kind          *widget.Line
	running, last *widget.Line
	mark          *widget.Mark
	load          *widget.Meter
	trouble       *trouble
}

func newAgent(c agentCard) *agent {
	a := &agent{
		kind: widget.NewCaption("").Elastic(), running: widget.NewLine("").Elastic(), last: widget.NewCaption("").Elastic(),
		mark: widget.NewMark(c.tone, c.state), load: widget.NewMeter(), trouble: newTrouble(),
	}
	names := widget.Column(1, widget.StretchRow(8, 0, widget.NewLine(c.title).Bold().Elastic(), a.mark), a.kind)
	head := widget.StretchRow(10, 1, widget.NewAvatar(c.title, 34), names)
	a.root = widget.NewPanel(widget.Column(8, head, widget.Column(5, a.running, a.load, a.last), a.trouble.root))
	a.set(c)
	return a
}

func (a *agent) set(c agentCard) {
	a.kind.Set(c.kind)
	a.running.Set(c.running)
	a.last.Set(c.last)
	a.mark.Set(c.tone, c.state)
	a.load.Set(c.load)
	a.trouble.set(c.trouble, c.next)
}

// trouble is what is wrong with something and what to do, or nothing.
type trouble struct {
	root       fyne.CanvasObject
	what, next *widget.Text
}

func newTrouble() *trouble {
	t := &trouble{what: widget.NewText(false), next: widget.NewText(false)}
	t.root = widget.NewTinted(widget.Column(2, t.what, t.next), theme.ColorNameError)
	t.root.Hide()
	return t
}

func (t *trouble) set(what, next string) {
	t.what.Set(what)
	t.next.Set(next)
	widget.Show(t.next, next != "")
	widget.Show(t.root, what != "")
}

// number is one of today's counts.
type number struct {
	root  fyne.CanvasObject
	value *widget.Line
}

func newNumber(label string, color fyne.ThemeColorName) *number {
	n := &number{value: widget.NewHeading("0").Colored(color)}
	n.root = widget.NewPanel(widget.Column(0, n.value, widget.NewCaption(label).Elastic()))
	return n
}

package talks

import (
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// exchange is the card of one question and its answer.
type exchange struct {
	root     fyne.CanvasObject
	kit      live.Kit
	now      card
	where    *widget.Line
	mark     *widget.Mark
	question *widget.Text
	answer   *widget.Text
	block    fyne.CanvasObject
	note     *widget.Mark
	noteText *widget.Text
	noteRow  fyne.CanvasObject
	stepper  *stepper
	retry    *fyneui.Button
	fold     *fyneui.Button
	steps    *fyne.Container
}

func newExchange(kit live.Kit, c card, retry func(id int64, failed func())) *exchange {
	w := kit.Words
	x := &exchange{
		kit: kit, where: widget.NewCaption("").Elastic(), mark: widget.NewMark(c.tone, c.state), question: widget.NewText(false), answer: widget.NewText(true),
		note: widget.NewMark(c.noteTone, ""), noteText: widget.NewText(false), stepper: newStepper(w), steps: widget.Column(3),
	}
	head := widget.StretchRow(10, 1,
		widget.NewBadge(w.Initial(c.platform), c.platform, 30),
		widget.Column(0, widget.NewLine(c.who).Bold().Elastic(), x.where), x.mark)
	x.block = answerBlock(x.answer)
	x.noteRow = widget.StretchRow(8, 1, x.note, x.noteText)
	x.retry = fyneui.NewButtonWithIcon(w.T("talks.retry"), theme.ViewRefreshIcon(), func() {
		x.retry.Disable() // a second click would be a second question; what is asked again has a card of its own
		retry(x.now.id, x.retry.Enable)
	})
	copyButton := fyneui.NewButtonWithIcon("", theme.ContentCopyIcon(), func() { kit.Shell.Copy(x.now.asText(w)) })
	copyButton.Importance = fyneui.LowImportance
	x.fold = fyneui.NewButtonWithIcon(w.T("talks.steps"), theme.MenuDropDownIcon(), x.toggle)
	x.fold.Importance = fyneui.LowImportance
	x.steps.Hide()
	foot := widget.NewSplit(x.stepper.root, widget.Row(4, x.retry, x.fold, copyButton))
	x.root = widget.NewPanel(widget.Column(8, head, x.question, x.block, x.noteRow, foot, x.steps))
	x.set(c)
	return x
}

// answerBlock sets the answer apart from the question.
func answerBlock(answer fyne.CanvasObject) fyne.CanvasObject {
	bar := widget.NewBar(container.New(&stripe{}), theme.ColorNamePrimary)
	return container.NewBorder(nil, nil, bar, nil, widget.Inset(answer, 2, 12))
}

// stripe is three points wide.
type stripe struct{}

// Layout implements fyne.Layout.
func (*stripe) Layout([]fyne.CanvasObject, fyne.Size) {}

// MinSize implements fyne.Layout.
func (*stripe) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(3, 10) }

// set shows an exchange; it says whether anything was different.
func (x *exchange) set(c card) bool {
	if reflect.DeepEqual(x.now, c) {
		return false
	}
	old := x.now
	x.now = c
	x.where.Set(x.kit.Words.Platform(c.platform) + x.kit.Words.T("list.dot") + c.when)
	x.mark.Set(c.tone, c.state)
	x.question.Set(c.question)
	x.answer.Set(c.answer)
	widget.Show(x.block, c.answer != "")
	if c.note != "" {
		x.note.Set(c.noteTone, "")
	}
	x.noteText.Set(c.note)
	widget.Show(x.noteRow, c.note != "")
	x.stepper.set(c.reached, c.failed)
	widget.Show(x.retry, c.retry)
	if !reflect.DeepEqual(old.steps, c.steps) {
		x.fill()
	}
	return true
}

func (x *exchange) fill() {
	x.steps.RemoveAll()
	for _, s := range x.now.steps {
		color := theme.ColorNamePlaceHolder
		if s.trouble {
			color = theme.ColorNameError
		}
		clock := widget.NewLine(s.clock).Mono().Sized(theme.SizeNameCaptionText).Colored(theme.ColorNamePlaceHolder)
		name := widget.NewLine(s.name).Sized(theme.SizeNameCaptionText)
		took := widget.NewCaption(s.took)
		x.steps.Add(widget.StretchRow(12, 2, clock, widget.Fixed(name, 120), widget.NewCaption(s.note).Colored(color).Elastic(), took))
	}
	if x.now.message != "" {
		x.steps.Add(x.idRow())
	}
}

// idRow is the platform's id of the message, to look for it in the platform's
// console or in the log.
func (x *exchange) idRow() fyne.CanvasObject {
	id := x.now.message
	copyButton := fyneui.NewButtonWithIcon("", theme.ContentCopyIcon(), func() { x.kit.Shell.Copy(id) })
	copyButton.Importance = fyneui.LowImportance
	return widget.StretchRow(8, 1, widget.NewCaption(x.kit.Words.T("talks.id")), widget.NewLine(id).Mono().Sized(theme.SizeNameCaptionText).Elastic(), copyButton)
}

// toggle folds the timeline in or out.
func (x *exchange) toggle() {
	if x.steps.Visible() {
		x.steps.Hide()
		x.fold.SetIcon(theme.MenuDropDownIcon())
	} else {
		x.steps.Show()
		x.fold.SetIcon(theme.MenuDropUpIcon())
	}
	x.root.Refresh()
}

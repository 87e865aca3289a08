package widget

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

const choicesGap = 6

// Choice is a button: what it says, and what it stands for.
type Choice struct{ Label, Value string }

// Choices are small buttons beside one another, on as many lines as they need.
type Choices struct {
	// Box is what is shown.
	Box     *fyne.Container
	choices []Choice
	lines   *linesLayout
}

// NewChoices makes an empty list.
func NewChoices() *Choices {
	lines := &linesLayout{}
	return &Choices{Box: container.New(lines), lines: lines}
}

// Set shows these buttons in place of those that were there; false when they are
// the same. Tapped hears what the one that was tapped stands for.
func (c *Choices) Set(choices []Choice, tapped func(value string)) bool {
	if slices.Equal(c.choices, choices) {
		return false
	}
	c.choices = slices.Clone(choices)
	c.Box.RemoveAll()
	for _, choice := range choices {
		c.Box.Add(widget.NewButton(choice.Label, func() { tapped(choice.Value) }))
	}
	return true
}

// Any says whether there is a button.
func (c *Choices) Any() bool { return len(c.choices) > 0 }

// Buttons returns them.
func (c *Choices) Buttons() []*widget.Button {
	var all []*widget.Button
	for _, o := range c.Box.Objects {
		if b, ok := o.(*widget.Button); ok {
			all = append(all, b)
		}
	}
	return all
}

// natural is the width they would like to have: that of one line.
func (c *Choices) natural() float32 {
	width := float32(0)
	for _, o := range c.Box.Objects {
		width += o.MinSize().Width + choicesGap
	}
	return max(0, width-choicesGap)
}

// fit gives them a width, and the height that takes. Words that are wider are cut
// short.
func (c *Choices) fit(width float32) {
	for n, b := range c.Buttons() {
		if text := shorten(c.choices[n].Label, width-2*theme.InnerPadding()); text != b.Text {
			b.SetText(text)
		}
	}
	c.lines.width = width
	c.Box.Resize(fyne.NewSize(width, c.Box.MinSize().Height))
}

// shorten cuts the end off a text that is wider than the room there is.
func shorten(text string, room float32) string {
	fits := func(s string) bool {
		return fyne.MeasureText(s, theme.TextSize(), fyne.TextStyle{Bold: true}).Width <= room
	}
	if fits(text) {
		return text
	}
	runes := []rune(text)
	for n := len(runes) - 1; n > 0; n-- {
		if s := string(runes[:n]) + "…"; fits(s) {
			return s
		}
	}
	return "…"
}

// linesLayout puts objects beside one another, and on a new line what does not fit.
type linesLayout struct{ width float32 }

// place calls put for each object with where it goes, and returns the height.
func (l *linesLayout) place(objects []fyne.CanvasObject, put func(o fyne.CanvasObject, at fyne.Position, size fyne.Size)) float32 {
	at, line := fyne.NewPos(0, 0), float32(0)
	for _, o := range objects {
		size := o.MinSize()
		if l.width > 0 {
			size.Width = min(size.Width, l.width)
		}
		if at.X > 0 && l.width > 0 && at.X+size.Width > l.width {
			at, line = fyne.NewPos(0, at.Y+line+choicesGap), 0
		}
		put(o, at, size)
		at.X += size.Width + choicesGap
		line = max(line, size.Height)
	}
	return at.Y + line
}

// Layout implements fyne.Layout.
func (l *linesLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	l.place(objects, func(o fyne.CanvasObject, at fyne.Position, size fyne.Size) {
		o.Resize(size)
		o.Move(at)
	})
}

// MinSize implements fyne.Layout.
func (l *linesLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, l.place(objects, func(fyne.CanvasObject, fyne.Position, fyne.Size) {}))
}

package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"switchboard/assets"
)

// Tone is how something is doing, shown by shape and by colour.
type Tone string

// The tones; each has an icon of its own shape.
const (
	ToneOK        Tone = "ok"
	ToneWaiting   Tone = "waiting"
	ToneAttention Tone = "attention"
	ToneError     Tone = "error"
	TonePaused    Tone = "paused"
	ToneBusy      Tone = "busy"
)

// Color is the theme's colour of a tone.
func (t Tone) Color() fyne.ThemeColorName {
	switch t {
	case ToneOK:
		return theme.ColorNameSuccess
	case ToneAttention:
		return theme.ColorNameWarning
	case ToneError:
		return theme.ColorNameError
	case ToneBusy:
		return theme.ColorNamePrimary
	case ToneWaiting, TonePaused:
	}
	return theme.ColorNamePlaceHolder
}

// Mark is a small shape with a word: a state nobody has to see colours for.
type Mark struct {
	widget.BaseWidget
	icon *widget.Icon
	word *Line
	row  *fyne.Container
}

// NewMark makes a mark; an empty word leaves the shape alone.
func NewMark(tone Tone, word string) *Mark {
	m := &Mark{icon: widget.NewIcon(nil), word: NewLine("").Sized(theme.SizeNameCaptionText)}
	m.row = Row(5, Sized(m.icon, 11), m.word)
	m.ExtendBaseWidget(m)
	m.Set(tone, word)
	return m
}

// Set changes shape, colour and word.
func (m *Mark) Set(tone Tone, word string) {
	m.icon.SetResource(Icon("state-"+string(tone)+".svg", tone.Color()))
	m.word.SetColor(tone.Color())
	m.word.Set(word)
	if word == "" {
		m.word.Hide()
	} else {
		m.word.Show()
	}
	m.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (m *Mark) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(m.row) }

// Icon returns one of our icons in a colour of the theme.
func Icon(name string, color fyne.ThemeColorName) fyne.Resource {
	return theme.NewColoredResource(fyne.NewStaticResource(name, assets.Icon(name)), color)
}

// Sized gives something a fixed square size.
func Sized(o fyne.CanvasObject, side float32) fyne.CanvasObject {
	return container.New(&fixedLayout{width: side, height: side}, o)
}

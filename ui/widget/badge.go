package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
)

// Badge is a letter on a coloured ground: the mark of a platform or a person.
type Badge struct {
	widget.BaseWidget
	letter      string
	fill, ink   func() color.Color
	size        float32
	radiusShare float32
}

// NewBadge makes the mark of a platform.
func NewBadge(letter string, p bridge.Platform, size float32) *Badge {
	return newBadge(letter, Tint(p), func() color.Color { return color.White }, size, 0.28)
}

// NewAvatar makes the round mark of a person or a group, from its name.
func NewAvatar(name string, size float32) *Badge {
	b := newBadge("", nil, nil, size, 0.5)
	b.paint(name)
	return b
}

// NewNumber makes the round mark of a step.
func NewNumber(n string, size float32) *Badge {
	accent := Themed(theme.ColorNamePrimary)
	return newBadge(n, Mix(accent, Themed(theme.ColorNameOverlayBackground), 0.18), accent, size, 0.5)
}

func newBadge(letter string, fill, ink func() color.Color, size, radius float32) *Badge {
	b := &Badge{letter: letter, fill: fill, ink: ink, size: size, radiusShare: radius}
	b.ExtendBaseWidget(b)
	return b
}

// SetPlatform turns the badge into the mark of another platform.
func (b *Badge) SetPlatform(letter string, p bridge.Platform) {
	b.letter, b.fill = letter, Tint(p)
	b.Refresh()
}

// SetName turns an avatar into that of another name.
func (b *Badge) SetName(name string) {
	b.paint(name)
	b.Refresh()
}

// paint picks one of the theme's accent colours, always the same for a name.
func (b *Badge) paint(name string) {
	accents := []fyne.ThemeColorName{theme.ColorNamePrimary, theme.ColorNameSuccess, theme.ColorNameWarning, theme.ColorNameError}
	sum := 0
	b.letter = "?"
	for i, r := range name {
		if i == 0 {
			b.letter = string(r)
		}
		sum += int(r)
	}
	accent := Themed(accents[sum%len(accents)])
	b.fill = Mix(accent, Themed(theme.ColorNameOverlayBackground), 0.18)
	b.ink = accent
}

// MinSize implements fyne.CanvasObject.
func (b *Badge) MinSize() fyne.Size { return fyne.NewSquareSize(b.size) }

// CreateRenderer implements fyne.Widget.
func (b *Badge) CreateRenderer() fyne.WidgetRenderer {
	r := &badgeRenderer{badge: b, ground: canvas.NewRectangle(color.Transparent), text: canvas.NewText("", color.White)}
	r.text.TextStyle.Bold = true
	r.text.Alignment = fyne.TextAlignCenter
	r.paint()
	return r
}

type badgeRenderer struct {
	badge  *Badge
	ground *canvas.Rectangle
	text   *canvas.Text
}

// Destroy implements fyne.WidgetRenderer.
func (*badgeRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *badgeRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(r.badge.size) }

// Objects implements fyne.WidgetRenderer.
func (r *badgeRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.ground, r.text} }

// Layout implements fyne.WidgetRenderer.
func (r *badgeRenderer) Layout(size fyne.Size) {
	side := r.badge.size
	at := fyne.NewPos((size.Width-side)/2, (size.Height-side)/2)
	r.ground.Resize(fyne.NewSquareSize(side))
	r.ground.Move(at)
	h := r.text.MinSize().Height
	r.text.Resize(fyne.NewSize(side, h))
	r.text.Move(at.AddXY(0, (side-h)/2))
}

func (r *badgeRenderer) paint() {
	r.ground.FillColor, r.ground.CornerRadius = r.badge.fill(), r.badge.size*r.badge.radiusShare
	r.text.Text, r.text.Color, r.text.TextSize = r.badge.letter, r.badge.ink(), r.badge.size*0.52
}

// Refresh implements fyne.WidgetRenderer.
func (r *badgeRenderer) Refresh() {
	r.paint()
	r.Layout(r.badge.Size())
	r.ground.Refresh()
	r.text.Refresh()
}

// NewChip makes a platform's badge with its name beside it.
func NewChip(letter, name string, p bridge.Platform) fyne.CanvasObject {
	text := NewLine(name).Sized(theme.SizeNameCaptionText)
	return Row(6, NewBadge(letter, p, 18), text)
}

// NewTag makes a small word on a ground of its own colour, for a state.
func NewTag(text string, name fyne.ThemeColorName) fyne.CanvasObject {
	line := NewLine(text).Sized(theme.SizeNameCaptionText).Colored(name)
	return container.NewCenter(NewPill(line, Mix(Themed(name), Themed(theme.ColorNameOverlayBackground), 0.14)))
}

package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Panel is a rounded surface with something on it.
type Panel struct {
	widget.BaseWidget
	content fyne.CanvasObject
	fill    func() color.Color
	stroke  func() color.Color
	radius  float32
}

// NewPanel makes a card: the surface colour, a thin border and room inside.
func NewPanel(content fyne.CanvasObject) *Panel {
	p := &Panel{content: Inset(content, 14, 16), fill: Themed(theme.ColorNameOverlayBackground), stroke: Themed(theme.ColorNameSeparator), radius: 10}
	p.ExtendBaseWidget(p)
	return p
}

// NewFrame makes a card without room inside, for content with parts of its own.
func NewFrame(content fyne.CanvasObject) *Panel {
	p := NewPanel(content)
	p.content = container.New(layout.NewCustomPaddedLayout(1, 8, 1, 1), content)
	return p
}

// NewBar makes a flat surface without border or rounding.
func NewBar(content fyne.CanvasObject, name fyne.ThemeColorName) *Panel {
	p := &Panel{content: content, fill: Themed(name), stroke: func() color.Color { return color.Transparent }}
	p.ExtendBaseWidget(p)
	return p
}

// NewPill makes a small rounded surface in a colour of its own.
func NewPill(content fyne.CanvasObject, fill func() color.Color) *Panel {
	p := &Panel{content: Inset(content, 2, 9), fill: fill, stroke: func() color.Color { return color.Transparent }, radius: 11}
	p.ExtendBaseWidget(p)
	return p
}

// NewToast makes a short sentence that floats over the page, in the colours of
// the page turned around; a long one is wrapped.
func NewToast(tone Tone, text string) *Panel {
	const widest = 520
	var words fyne.CanvasObject = NewLine(text).Colored(theme.ColorNameBackground)
	if words.MinSize().Width > widest {
		words = Fixed(Tight(wrapped(text, theme.ColorNameBackground)), widest)
	}
	ground := Mix(Themed(theme.ColorNameForeground), Themed(theme.ColorNameBackground), 0.92)
	p := &Panel{content: Inset(Row(10, NewMark(tone, ""), words), 10, 16), fill: ground, stroke: func() color.Color { return color.Transparent }, radius: 8}
	p.ExtendBaseWidget(p)
	return p
}

// NewTinted makes a card with a coloured ground and border, for a notice.
func NewTinted(content fyne.CanvasObject, name fyne.ThemeColorName) *Panel {
	p := NewPanel(content)
	p.fill = Mix(Themed(name), Themed(theme.ColorNameOverlayBackground), 0.10)
	p.stroke = Mix(Themed(name), Themed(theme.ColorNameOverlayBackground), 0.45)
	return p
}

// CreateRenderer implements fyne.Widget.
func (p *Panel) CreateRenderer() fyne.WidgetRenderer {
	ground := canvas.NewRectangle(color.Transparent)
	ground.CornerRadius = p.radius
	r := &panelRenderer{panel: p, ground: ground}
	r.paint()
	return r
}

type panelRenderer struct {
	panel  *Panel
	ground *canvas.Rectangle
}

// Destroy implements fyne.WidgetRenderer.
func (*panelRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *panelRenderer) MinSize() fyne.Size { return r.panel.content.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *panelRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.panel.content}
}

// Layout implements fyne.WidgetRenderer.
func (r *panelRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.panel.content.Resize(size)
}

func (r *panelRenderer) paint() {
	r.ground.FillColor, r.ground.StrokeColor = r.panel.fill(), r.panel.stroke()
	r.ground.StrokeWidth = 0
	if _, _, _, a := r.ground.StrokeColor.RGBA(); a > 0 {
		r.ground.StrokeWidth = 1
	}
}

// Refresh implements fyne.WidgetRenderer.
func (r *panelRenderer) Refresh() {
	r.paint()
	r.ground.Refresh()
	r.panel.content.Refresh()
}

// Inset leaves room around something: above and below, left and right.
func Inset(o fyne.CanvasObject, vertical, horizontal float32) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(vertical, vertical, horizontal, horizontal), o)
}

// Column stacks things with a gap of its own.
func Column(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(gap), objects...)
}

// Row puts things side by side, each centred in height, with a gap of its own.
func Row(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&rowLayout{gap: gap, stretch: -1}, objects...)
}

// StretchRow is Row, but the object of that index takes all the room there is.
func StretchRow(gap float32, stretch int, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&rowLayout{gap: gap, stretch: stretch}, objects...)
}

// rowLayout centres everything vertically, unlike the toolkit's HBox.
type rowLayout struct {
	gap     float32
	stretch int
}

// Layout implements fyne.Layout.
func (l *rowLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	extra := size.Width - l.MinSize(objects).Width
	x := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		s := o.MinSize()
		if i == l.stretch {
			s.Width += extra
		}
		o.Resize(s)
		o.Move(fyne.NewPos(x, (size.Height-s.Height)/2))
		x += s.Width + l.gap
	}
}

// MinSize implements fyne.Layout.
func (l *rowLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		s.Width += m.Width
		s.Height = max(s.Height, m.Height)
		shown++
	}
	if shown > 1 {
		s.Width += float32(shown-1) * l.gap
	}
	return s
}

// Fixed gives something a fixed width, and its own height.
func Fixed(o fyne.CanvasObject, width float32) fyne.CanvasObject {
	return container.New(&fixedLayout{width: width}, o)
}

type fixedLayout struct{ width, height float32 }

// Layout implements fyne.Layout.
func (*fixedLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
	}
}

// MinSize implements fyne.Layout.
func (l *fixedLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(l.width, l.height)
	if l.height > 0 {
		return s
	}
	for _, o := range objects {
		s.Height = max(s.Height, o.MinSize().Height)
	}
	return s
}

// Measure keeps something readable: no wider than width, centred when wished.
func Measure(o fyne.CanvasObject, width float32, center bool) fyne.CanvasObject {
	return container.New(&measureLayout{width: width, center: center}, o)
}

type measureLayout struct {
	width  float32
	center bool
}

// Layout implements fyne.Layout.
func (l *measureLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	w := min(size.Width, l.width)
	x := float32(0)
	if l.center {
		x = (size.Width - w) / 2
	}
	for _, o := range objects {
		o.Resize(fyne.NewSize(w, size.Height))
		o.Move(fyne.NewPos(x, 0))
	}
}

// MinSize implements fyne.Layout.
func (*measureLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

// Content is what stands on the panel.
func (p *Panel) Content() fyne.CanvasObject { return p.content }

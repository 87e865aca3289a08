package widget

import (
	"image/color"
	"sort"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Line is one line of text without the padding of a label. When there is not
// enough room it ends with an ellipsis.
type Line struct {
	widget.BaseWidget
	text    string
	color   fyne.ThemeColorName
	size    fyne.ThemeSizeName
	style   fyne.TextStyle
	elastic bool // may be made shorter than its text
}

// NewLine makes a line in the normal size and colour.
func NewLine(text string) *Line {
	l := &Line{text: text, color: theme.ColorNameForeground, size: theme.SizeNameText}
	l.ExtendBaseWidget(l)
	return l
}

// NewCaption makes a small line in the quiet colour.
func NewCaption(text string) *Line {
	return NewLine(text).Sized(theme.SizeNameCaptionText).Colored(theme.ColorNamePlaceHolder)
}

// NewHeading makes the title of a page.
func NewHeading(text string) *Line { return NewLine(text).Sized(theme.SizeNameHeadingText).Bold() }

// NewSubheading makes the title of a panel.
func NewSubheading(text string) *Line {
	return NewLine(text).Sized(theme.SizeNameSubHeadingText).Bold()
}

// Colored sets the colour.
func (l *Line) Colored(name fyne.ThemeColorName) *Line { l.color = name; return l }

// Sized sets the size.
func (l *Line) Sized(name fyne.ThemeSizeName) *Line { l.size = name; return l }

// Bold makes the text bold.
func (l *Line) Bold() *Line { l.style.Bold = true; return l }

// Mono sets the text in the face for ids and addresses.
func (l *Line) Mono() *Line { l.style.Monospace = true; return l }

// Elastic lets the line become as short as it must.
func (l *Line) Elastic() *Line { l.elastic = true; return l }

// Set changes the text.
func (l *Line) Set(text string) {
	if l.text != text {
		l.text = text
		l.Refresh()
	}
}

// SetColor changes the colour.
func (l *Line) SetColor(name fyne.ThemeColorName) {
	if l.color != name {
		l.color = name
		l.Refresh()
	}
}

// Text returns the whole text, also what does not fit.
func (l *Line) Text() string { return l.text }

func (l *Line) painted() string {
	if strings.ContainsFunc(l.text, chinese) {
		return l.text
	}
	return straight(l.text)
}

// CreateRenderer implements fyne.Widget.
func (l *Line) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{line: l, text: canvas.NewText("", color.Black)}
	r.Refresh()
	return r
}

type lineRenderer struct {
	line *Line
	text *canvas.Text
}

// Destroy implements fyne.WidgetRenderer.
func (*lineRenderer) Destroy() {}

// Objects implements fyne.WidgetRenderer.
func (r *lineRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.text} }

// MinSize implements fyne.WidgetRenderer.
func (r *lineRenderer) MinSize() fyne.Size {
	full := fyne.MeasureText(r.line.painted(), r.text.TextSize, r.line.style)
	if full.Height == 0 {
		full.Height = fyne.MeasureText("国", r.text.TextSize, r.line.style).Height
	}
	if r.line.elastic {
		full.Width = min(full.Width, 3*r.text.TextSize)
	}
	return full
}

// Layout implements fyne.WidgetRenderer.
func (r *lineRenderer) Layout(size fyne.Size) {
	r.text.Text = fit(r.line.painted(), size.Width, r.text.TextSize, r.line.style)
	r.text.Resize(fyne.NewSize(size.Width, r.MinSize().Height))
	r.text.Move(fyne.NewPos(0, (size.Height-r.MinSize().Height)/2))
}

// Refresh implements fyne.WidgetRenderer.
func (r *lineRenderer) Refresh() {
	th := r.line.Theme()
	r.text.Color = th.Color(r.line.color, fyne.CurrentApp().Settings().ThemeVariant())
	r.text.TextSize = th.Size(r.line.size)
	r.text.TextStyle = r.line.style
	r.Layout(r.line.Size())
	r.text.Refresh()
}

// fit shortens a text to a width, with an ellipsis.
func fit(text string, width, size float32, style fyne.TextStyle) string {
	if width <= 0 || fyne.MeasureText(text, size, style).Width <= width+0.5 {
		return text
	}
	runes := []rune(text)
	cut := sort.Search(len(runes), func(n int) bool {
		return fyne.MeasureText(string(runes[:n+1])+"…", size, style).Width > width
	})
	return string(runes[:cut]) + "…"
}

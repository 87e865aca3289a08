package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Meter is a thin bar that is filled as far as something is used.
type Meter struct {
	widget.BaseWidget
	share float64
}

// NewMeter makes an empty meter.
func NewMeter() *Meter {
	m := &Meter{}
	m.ExtendBaseWidget(m)
	return m
}

// Set fills the meter to a share between 0 and 1.
func (m *Meter) Set(share float64) {
	if m.share != share {
		m.share = share
		m.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (m *Meter) CreateRenderer() fyne.WidgetRenderer {
	r := &meterRenderer{meter: m, track: canvas.NewRectangle(color.Transparent), fill: canvas.NewRectangle(color.Transparent)}
	r.track.CornerRadius, r.fill.CornerRadius = meterHeight/2, meterHeight/2
	r.paint()
	return r
}

const meterHeight = 5

type meterRenderer struct {
	meter       *Meter
	track, fill *canvas.Rectangle
}

// Destroy implements fyne.WidgetRenderer.
func (*meterRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (*meterRenderer) MinSize() fyne.Size { return fyne.NewSize(60, meterHeight) }

// Objects implements fyne.WidgetRenderer.
func (r *meterRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.fill}
}

// Layout implements fyne.WidgetRenderer.
func (r *meterRenderer) Layout(size fyne.Size) {
	r.track.Resize(size)
	r.fill.Resize(fyne.NewSize(size.Width*float32(r.meter.share), size.Height))
}

func (r *meterRenderer) paint() {
	r.track.FillColor = theme.Color(theme.ColorNameSeparator)
	r.fill.FillColor = theme.Color(theme.ColorNamePrimary)
}

// Refresh implements fyne.WidgetRenderer.
func (r *meterRenderer) Refresh() {
	r.paint()
	r.Layout(r.meter.Size())
	r.track.Refresh()
	r.fill.Refresh()
}

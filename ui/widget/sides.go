package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Sides shows things side by side where there is room, and otherwise one of
// them at a time with names to choose from.
type Sides struct {
	widget.BaseWidget
	names  *Segments
	sides  []fyne.CanvasObject
	narrow float32
	front  int
}

// NewSides makes it; narrow is the least width of one side.
func NewSides(names []string, sides []fyne.CanvasObject, narrow float32) *Sides {
	s := &Sides{sides: sides, narrow: narrow}
	s.names = NewSegments(names, nil, func(i int) {
		s.front = i
		s.Refresh()
	})
	s.names.Mark(0)
	s.ExtendBaseWidget(s)
	return s
}

// Front brings one to the front where only one can be seen.
func (s *Sides) Front(i int) { s.names.Pick(i) }

// CreateRenderer implements fyne.Widget.
func (s *Sides) CreateRenderer() fyne.WidgetRenderer { return &sidesRenderer{s} }

type sidesRenderer struct{ *Sides }

const sidesGap = 12

// Destroy implements fyne.WidgetRenderer.
func (*sidesRenderer) Destroy() {}

// Objects implements fyne.WidgetRenderer.
func (r *sidesRenderer) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{r.names}, r.sides...)
}

// MinSize implements fyne.WidgetRenderer.
func (r *sidesRenderer) MinSize() fyne.Size { return fyne.NewSize(r.narrow, 200) }

// Layout implements fyne.WidgetRenderer.
func (r *sidesRenderer) Layout(size fyne.Size) {
	n := float32(len(r.sides))
	each := (size.Width - sidesGap*(n-1)) / n
	if each >= r.narrow {
		r.names.Hide()
		for i, o := range r.sides {
			o.Show()
			o.Resize(fyne.NewSize(each, size.Height))
			o.Move(fyne.NewPos(float32(i)*(each+sidesGap), 0))
		}
		return
	}
	r.names.Show()
	top := r.names.MinSize()
	r.names.Resize(top)
	r.names.Move(fyne.NewPos(0, 0))
	for i, o := range r.sides {
		if i != r.front {
			o.Hide()
			continue
		}
		o.Show()
		o.Resize(fyne.NewSize(size.Width, size.Height-top.Height-sidesGap))
		o.Move(fyne.NewPos(0, top.Height+sidesGap))
	}
}

// Refresh implements fyne.WidgetRenderer.
func (r *sidesRenderer) Refresh() {
	r.Layout(r.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

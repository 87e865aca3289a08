package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// NewGrid lays cards out in as many equal columns as there is room for, each
// at least cell wide; the cards of a row are equally tall.
func NewGrid(cell, gap float32, cards ...fyne.CanvasObject) *fyne.Container {
	return container.New(&gridLayout{cell: cell, gap: gap, width: cell}, cards...)
}

type gridLayout struct {
	cell, gap float32
	width     float32 // of the last layout: the height depends on it
}

func (l *gridLayout) columns(objects int) int {
	return max(1, min(objects, int((l.width+l.gap)/(l.cell+l.gap))))
}

// Layout implements fyne.Layout.
func (l *gridLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	if len(objects) == 0 {
		return
	}
	n := l.columns(len(objects))
	w := (size.Width - l.gap*float32(n-1)) / float32(n)
	y := float32(0)
	for first := 0; first < len(objects); first += n {
		row := objects[first:min(first+n, len(objects))]
		h := float32(0)
		for _, o := range row {
			if o.Size().Width != w {
				o.Resize(fyne.NewSize(w, o.MinSize().Height)) // wrapped text learns its height here
			}
			h = max(h, o.MinSize().Height)
		}
		for i, o := range row {
			o.Resize(fyne.NewSize(w, h))
			o.Move(fyne.NewPos(float32(i)*(w+l.gap), y))
		}
		y += h + l.gap
	}
}

// MinSize implements fyne.Layout.
func (l *gridLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(min(l.cell, 200), 0)
	n := l.columns(len(objects))
	for first := 0; first < len(objects); first += n {
		h := float32(0)
		for _, o := range objects[first:min(first+n, len(objects))] {
			h = max(h, o.MinSize().Height)
		}
		s.Height += h
		if first > 0 {
			s.Height += l.gap
		}
	}
	return s
}

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

// NewSplit puts something left and something right on one line, or one below
// the other where there is no room for that.
func NewSplit(left, right fyne.CanvasObject) *fyne.Container {
	return container.New(&splitLayout{}, left, right)
}

// NewFlow is NewSplit, but what has to go below stands on the left there.
func NewFlow(left, right fyne.CanvasObject) *fyne.Container {
	return container.New(&splitLayout{flow: true}, left, right)
}

type splitLayout struct {
	width float32
	flow  bool
}

const splitGap = 6

func (l *splitLayout) fits(objects []fyne.CanvasObject) bool {
	return l.width == 0 || objects[0].MinSize().Width+objects[1].MinSize().Width+2*splitGap <= l.width
}

// Layout implements fyne.Layout.
func (l *splitLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	left, right := objects[0].MinSize(), objects[1].MinSize()
	objects[0].Resize(left)
	objects[1].Resize(right)
	if l.fits(objects) {
		objects[0].Move(fyne.NewPos(0, (size.Height-left.Height)/2))
		objects[1].Move(fyne.NewPos(size.Width-right.Width, (size.Height-right.Height)/2))
		return
	}
	objects[0].Move(fyne.NewPos(0, 0))
	below := fyne.NewPos(size.Width-right.Width, left.Height+splitGap)
	if l.flow {
		below.X = 0
	}
	objects[1].Move(below)
}

// MinSize implements fyne.Layout.
func (l *splitLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	left, right := objects[0].MinSize(), objects[1].MinSize()
	s := fyne.NewSize(max(left.Width, right.Width), max(left.Height, right.Height))
	if !l.fits(objects) {
		s.Height = left.Height + splitGap + right.Height
	}
	return s
}

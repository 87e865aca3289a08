package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// What the tests look at inside.

func Fit(text string, width, size float32) string { return fit(text, width, size, fyne.TextStyle{}) }

func (t *Tail) Pill() *widget.Button { return t.pill }

func (t *Tail) ScrollTo(y float32) { t.scroll.ScrollToOffset(fyne.NewPos(0, y)); t.scrolled() }

func (t *Tail) Offset() float32 { return t.scroll.Offset.Y }

func (t *Text) Rich() *widget.RichText { return t.rich }

func (s *Segments) Tiles() []*Tile { return s.tiles }

func (s *Sides) Chooser() fyne.CanvasObject { return s.names }

func (b *Badge) Letter() string { return b.letter }

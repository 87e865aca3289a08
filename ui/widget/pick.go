package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Tile is something to click that looks like nothing until the pointer is on
// it or it is chosen.
type Tile struct {
	widget.BaseWidget
	content fyne.CanvasObject
	onTap   func()
	chosen  bool
	hovered bool
	focused bool
	ground  func() color.Color // when chosen
	radius  float32
}

// NewTile makes a tile around something.
func NewTile(content fyne.CanvasObject, onTap func()) *Tile {
	t := &Tile{content: content, onTap: onTap, radius: 8}
	t.ground = Mix(Themed(theme.ColorNamePrimary), Themed(theme.ColorNameHeaderBackground), 0.16)
	t.ExtendBaseWidget(t)
	return t
}

// Choose marks the tile as the chosen one.
func (t *Tile) Choose(on bool) {
	if t.chosen != on {
		t.chosen = on
		t.Refresh()
	}
}

// Chosen says whether the tile is the chosen one.
func (t *Tile) Chosen() bool { return t.chosen }

// Tapped implements fyne.Tappable.
func (t *Tile) Tapped(*fyne.PointEvent) {
	if t.onTap != nil {
		t.onTap()
	}
}

// FocusGained implements fyne.Focusable: tiles are reached with Tab as buttons are.
func (t *Tile) FocusGained() { t.focus(true) }

// FocusLost implements fyne.Focusable.
func (t *Tile) FocusLost() { t.focus(false) }

// TypedRune implements fyne.Focusable.
func (*Tile) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (t *Tile) TypedKey(key *fyne.KeyEvent) {
	if key.Name == fyne.KeySpace || key.Name == fyne.KeyReturn || key.Name == fyne.KeyEnter {
		t.Tapped(nil)
		return
	}
	passOn(t, key)
}

func (t *Tile) focus(on bool) {
	t.focused = on
	t.Refresh()
}

// MouseIn implements desktop.Hoverable.
func (t *Tile) MouseIn(*desktop.MouseEvent) { t.hover(true) }

// MouseMoved implements desktop.Hoverable.
func (*Tile) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (t *Tile) MouseOut() { t.hover(false) }

// Cursor implements desktop.Cursorable.
func (*Tile) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (t *Tile) hover(on bool) {
	t.hovered = on
	t.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (t *Tile) CreateRenderer() fyne.WidgetRenderer {
	r := &tileRenderer{tile: t, ground: canvas.NewRectangle(color.Transparent)}
	r.ground.CornerRadius = t.radius
	r.paint()
	return r
}

type tileRenderer struct {
	tile   *Tile
	ground *canvas.Rectangle
}

// Destroy implements fyne.WidgetRenderer.
func (*tileRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *tileRenderer) MinSize() fyne.Size { return r.tile.content.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.tile.content}
}

// Layout implements fyne.WidgetRenderer.
func (r *tileRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.tile.content.Resize(size)
}

func (r *tileRenderer) paint() {
	r.ground.FillColor = color.Transparent
	switch {
	case r.tile.chosen:
		r.ground.FillColor = r.tile.ground()
	case r.tile.hovered:
		r.ground.FillColor = theme.Color(theme.ColorNameHover)
	}
	r.ground.StrokeWidth = 0
	if r.tile.focused {
		r.ground.StrokeWidth, r.ground.StrokeColor = 2, theme.Color(theme.ColorNamePrimary)
	}
}

// Refresh implements fyne.WidgetRenderer.
func (r *tileRenderer) Refresh() {
	r.paint()
	r.ground.Refresh()
	r.tile.content.Refresh()
}

// Segments is a row of choices of which one is taken.
type Segments struct {
	widget.BaseWidget
	tiles  []*Tile
	lines  []*Line
	box    fyne.CanvasObject
	onPick func(int)
	picked int
}

// NewSegments makes a row of choices; decorate may put something before each
// label, such as a badge, which makes the row smaller; it may be nil.
func NewSegments(labels []string, decorate func(int) fyne.CanvasObject, onPick func(int)) *Segments {
	s := &Segments{onPick: onPick, picked: -1}
	row := Row(2)
	pad := float32(12)
	if decorate != nil {
		pad = 8
	}
	for i, label := range labels {
		line := NewLine(label)
		content := Row(6, line)
		if decorate != nil {
			line.Sized(theme.SizeNameCaptionText)
			content = Row(5, decorate(i), line)
		}
		tile := NewTile(Inset(content, 4, pad), func() { s.Pick(i) })
		tile.ground = Themed(theme.ColorNameOverlayBackground)
		tile.radius = 6
		s.tiles, s.lines = append(s.tiles, tile), append(s.lines, line)
		row.Add(tile)
	}
	ground := NewBar(Inset(row, 2, 2), theme.ColorNameHeaderBackground)
	ground.radius = 8
	ground.stroke = Themed(theme.ColorNameSeparator)
	s.box = ground
	s.ExtendBaseWidget(s)
	return s
}

// Pick takes a choice and tells about it.
func (s *Segments) Pick(i int) {
	if s.Mark(i) && s.onPick != nil {
		s.onPick(i)
	}
}

// Mark takes a choice without telling; it says whether that changed anything.
func (s *Segments) Mark(i int) bool {
	if i == s.picked || i < 0 || i >= len(s.tiles) {
		return false
	}
	s.picked = i
	for n, t := range s.tiles {
		t.Choose(n == i)
		ink := theme.ColorNamePlaceHolder
		if n == i {
			ink = theme.ColorNameForeground
		}
		s.lines[n].SetColor(ink)
	}
	return true
}

// Label writes something else on a choice.
func (s *Segments) Label(i int, text string) {
	if s.lines[i].Text() != text {
		s.lines[i].Set(text)
		s.Refresh()
	}
}

// Labels returns what is written on the choices.
func (s *Segments) Labels() []string {
	var all []string
	for _, l := range s.lines {
		all = append(all, l.Text())
	}
	return all
}

// Picked returns the index of the choice.
func (s *Segments) Picked() int { return s.picked }

// CreateRenderer implements fyne.Widget.
func (s *Segments) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.box) }

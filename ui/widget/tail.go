package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Tail is a scroll whose newest line is at the bottom. It follows as lines
// arrive, until the reader scrolls up; then a button counts what is new.
type Tail struct {
	widget.BaseWidget
	scroll    *container.Scroll
	pill      *widget.Button
	root      *fyne.Container
	label     func(n int) string
	following bool
	unread    int
}

// NewTail makes a tail; label is the text of the button for n new lines.
func NewTail(content fyne.CanvasObject, label func(n int) string) *Tail {
	t := &Tail{label: label, following: true}
	t.scroll = container.NewVScroll(container.New(&growLayout{tail: t}, content))
	t.pill = widget.NewButton("", t.Latest)
	t.pill.Importance = widget.HighImportance
	t.pill.Hide()
	t.scroll.OnScrolled = func(fyne.Position) { t.scrolled() }
	t.root = container.New(&tailLayout{tail: t}, t.scroll, t.pill)
	t.ExtendBaseWidget(t)
	return t
}

// Grew tells that content changed and that n lines of it are new.
func (t *Tail) Grew(n int) {
	t.scroll.Content.Refresh()
	t.scroll.Refresh()
	if t.following {
		t.bottom()
		return
	}
	t.unread += n
	t.count()
}

// Latest scrolls to the newest line and follows again.
func (t *Tail) Latest() {
	t.following = true
	t.bottom()
}

// Keep adds older lines above without moving what is being read: call it with
// the function that adds them.
func (t *Tail) Keep(add func()) {
	before := t.scroll.Content.MinSize().Height
	add()
	t.scroll.Content.Refresh()
	t.scroll.Refresh()
	grown := t.scroll.Content.MinSize().Height - before
	t.scroll.ScrollToOffset(t.scroll.Offset.AddXY(0, grown))
}

// Following says whether the newest line is in view.
func (t *Tail) Following() bool { return t.following }

func (t *Tail) bottom() {
	t.unread = 0
	t.scroll.ScrollToBottom()
	t.count()
}

func (t *Tail) scrolled() {
	const near = 24
	t.following = t.scroll.Offset.Y+t.scroll.Size().Height >= t.scroll.Content.MinSize().Height-near
	if t.following {
		t.unread = 0
	}
	t.count()
}

func (t *Tail) count() {
	if t.following || t.unread == 0 {
		t.pill.Hide()
		return
	}
	t.pill.SetText(t.label(t.unread))
	t.pill.Show()
	t.root.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (t *Tail) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.root) }

type tailLayout struct{ tail *Tail }

// Layout implements fyne.Layout.
func (l *tailLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	resized := objects[0].Size() != size
	objects[0].Resize(size)
	if resized && l.tail.following {
		l.tail.scroll.ScrollToBottom()
	}
	pill := objects[1].MinSize()
	objects[1].Resize(pill)
	objects[1].Move(fyne.NewPos((size.Width-pill.Width)/2, size.Height-pill.Height-12))
}

// MinSize implements fyne.Layout.
func (*tailLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(80, 80) }

// growLayout notices when wrapped text turns out taller than expected, which
// the toolkit finds out one frame later.
type growLayout struct {
	tail   *Tail
	height float32
}

// Layout implements fyne.Layout.
func (l *growLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
	}
	if l.height != size.Height {
		l.height = size.Height
		if l.tail.following && l.tail.scroll != nil {
			l.tail.scroll.ScrollToBottom()
		}
	}
}

// MinSize implements fyne.Layout.
func (*growLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

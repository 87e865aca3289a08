package widget

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Entry is the toolkit's entry that leaves the window's keys to the window:
// Ctrl+1, Ctrl+F, F5 and Esc work also while somebody is typing.
//
// Nothing here is ever sent on Enter: while Chinese is being composed, Enter
// belongs to the input method and reaches us all the same.
type Entry struct {
	widget.Entry
	// OnCtrlEnter is the key to send.
	OnCtrlEnter func()
}

// NewEntry makes an entry of one line.
func NewEntry(placeholder string) *Entry {
	e := &Entry{}
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(placeholder)
	return e
}

// NewSecretEntry makes an entry whose text is masked, with a way to reveal it.
func NewSecretEntry(placeholder string) *Entry {
	e := NewEntry(placeholder)
	e.Password = true
	return e
}

// NewSearch makes an entry that looks like a search box.
func NewSearch(placeholder string) *Entry {
	e := NewEntry(placeholder)
	e.Icon = theme.SearchIcon()
	return e
}

// TypedShortcut implements fyne.Shortcutable.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	custom, ok := s.(*desktop.CustomShortcut)
	if !ok {
		e.Entry.TypedShortcut(s)
		return
	}
	enter := custom.KeyName == fyne.KeyReturn || custom.KeyName == fyne.KeyEnter
	switch {
	case enter && e.OnCtrlEnter != nil:
		e.OnCtrlEnter()
	case owned(custom):
		e.Entry.TypedShortcut(s)
	default:
		if c, ok := fyne.CurrentApp().Driver().CanvasForObject(e).(fyne.Shortcutable); ok {
			c.TypedShortcut(s)
		}
	}
}

// owned says that the entry itself knows the keys: moving by words.
func owned(s *desktop.CustomShortcut) bool {
	return slices.Contains([]fyne.KeyName{
		fyne.KeyLeft, fyne.KeyRight, fyne.KeyUp, fyne.KeyDown, fyne.KeyHome, fyne.KeyEnd, fyne.KeyBackspace, fyne.KeyDelete,
	}, s.KeyName)
}

// TypedKey implements fyne.Focusable.
func (e *Entry) TypedKey(key *fyne.KeyEvent) {
	if key.Name != fyne.KeyEscape && key.Name != fyne.KeyF5 {
		e.Entry.TypedKey(key)
		return
	}
	passOn(e, key)
}

// passOn gives a key to the window: the toolkit keeps them from it while
// something has the focus.
func passOn(from fyne.CanvasObject, key *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(from); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(key)
	}
}

// Composer is a box to write a message in, and the button to send it.
type Composer struct {
	widget.BaseWidget
	Entry  *Entry
	Button *widget.Button
	root   *fyne.Container
	send   func(string)
}

// NewComposer makes a composer; send is called with a text that is not blank.
// The hint stands beside the button and says which keys send.
func NewComposer(placeholder, hint, button string, send func(string)) *Composer {
	c := &Composer{Entry: NewEntry(placeholder), send: send}
	c.Entry.MultiLine = true
	c.Entry.Wrapping = fyne.TextWrapWord
	c.Entry.SetMinRowsVisible(2)
	c.Entry.OnCtrlEnter = c.submit
	c.Button = widget.NewButtonWithIcon(button, Icon("send.svg", theme.ColorNameForegroundOnPrimary), c.submit)
	c.Button.Importance = widget.HighImportance
	c.root = container.New(&composerLayout{}, c.Entry, NewCaption(hint), c.Button)
	c.ExtendBaseWidget(c)
	return c
}

func (c *Composer) submit() {
	text := c.Entry.Text
	if blank(text) || c.Button.Disabled() {
		return
	}
	c.Entry.SetText("")
	c.send(text)
}

// Enable says whether anything can be sent now.
func (c *Composer) Enable(on bool) {
	if on {
		c.Button.Enable()
	} else {
		c.Button.Disable()
	}
}

// CreateRenderer implements fyne.Widget.
func (c *Composer) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.root) }

// composerLayout puts button and hint beside the entry where there is room, and
// otherwise below it.
type composerLayout struct{ width float32 }

const (
	composerWide = 360
	composerGap  = 6
)

// Layout implements fyne.Layout.
func (l *composerLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	entry, hint, button := objects[0], objects[1], objects[2]
	hint.Resize(hint.MinSize())
	button.Resize(button.MinSize())
	entry.Move(fyne.NewPos(0, 0))
	b, h := button.MinSize(), hint.MinSize()
	if size.Width < composerWide {
		row := max(b.Height, h.Height)
		entry.Resize(fyne.NewSize(size.Width, size.Height-row-composerGap))
		top := size.Height - row
		hint.Move(fyne.NewPos(0, top+(row-h.Height)/2))
		button.Move(fyne.NewPos(size.Width-b.Width, top+(row-b.Height)/2))
		return
	}
	side := max(b.Width, h.Width)
	left := size.Width - side
	entry.Resize(fyne.NewSize(left-2*composerGap, size.Height))
	button.Move(fyne.NewPos(left, 0))
	button.Resize(fyne.NewSize(side, b.Height))
	hint.Move(fyne.NewPos(left+(side-h.Width)/2, b.Height+composerGap/2))
}

// MinSize implements fyne.Layout.
func (l *composerLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	e, h, b := objects[0].MinSize(), objects[1].MinSize(), objects[2].MinSize()
	if l.width >= composerWide {
		return fyne.NewSize(e.Width, max(e.Height, b.Height+composerGap/2+h.Height))
	}
	return fyne.NewSize(max(e.Width, h.Width+composerGap+b.Width), e.Height+composerGap+max(h.Height, b.Height))
}

func blank(s string) bool {
	for _, r := range s {
		if r != ' ' && r != '\n' && r != '\t' && r != '\r' && r != '　' {
			return false
		}
	}
	return true
}

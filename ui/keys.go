package ui

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"switchboard/ui/live"
)

// keys makes the window's keys work. Entries pass them on, so they work while
// somebody types, too.
func (w *Window) keys() {
	c := w.win.Canvas()
	for i, name := range pageNames() {
		key := fyne.KeyName(strconv.Itoa(i + 1)) // fyne.Key1 and so on
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { w.visit(name) })
	}
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { w.search() })
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter} {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { w.submit() })
	}
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if do := map[fyne.KeyName]func(){fyne.KeyF5: w.refresh, fyne.KeyEscape: w.escape}[e.Name]; do != nil {
			do()
		}
	})
}

func (w *Window) search() {
	if w.frame == nil {
		return
	}
	w.visit(live.PageTalks)
	w.win.Canvas().Focus(w.talks.Search())
}

// submit sends where nothing has the cursor that would.
func (w *Window) submit() {
	if w.frame != nil && w.front == live.PageSend && w.win.Canvas().Overlays().Top() == nil {
		w.send.Submit()
	}
}

func (w *Window) refresh() {
	if p := w.pages[w.front]; p != nil {
		p.Refresh()
	}
}

// escape takes away what is in the way: a dialog, a search, the cursor.
func (w *Window) escape() {
	c := w.win.Canvas()
	switch {
	case c.Overlays().Top() != nil:
		c.Overlays().Top().Hide()
	case w.frame != nil && w.front == live.PageTalks && w.talks.Search().Text != "":
		w.talks.Search().SetText("")
	default:
		c.Unfocus()
	}
}

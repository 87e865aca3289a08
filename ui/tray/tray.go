package tray

import (
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/systray"

	"switchboard/assets"
	"switchboard/ui/live"
)

// Host is the toolkit's tray; desktop.App has it.
type Host interface {
	SetSystemTrayMenu(menu *fyne.Menu)
	SetSystemTrayIcon(icon fyne.Resource)
}

// Actions are what the menu can do.
type Actions struct {
	Open  func()
	Pause func(on bool)
	Quit  func()
}

// Tray is the icon and its menu.
type Tray struct {
	host    Host
	actions Actions
	label   func(name, tooltip string)
	menu    *fyne.Menu // always the same one: the toolkit shows it once more when the tray is ready
	words   live.Words
	shown   *Picture
	icon    State
}

// New makes a tray on a host. Nothing is shown before Show.
func New(host Host, actions Actions) *Tray {
	return &Tray{host: host, actions: actions, menu: fyne.NewMenu(""), label: label}
}

func label(name, tooltip string) {
	if runtime.GOOS == "linux" { // elsewhere it would be written beside the icon
		systray.SetTitle(name)
	}
	systray.SetTooltip(tooltip)
}

// OnTap makes a click on the icon open the window. The toolkit has a way of its
// own, but it shows the window behind our back. On macOS a click opens the menu,
// as everywhere there.
func (*Tray) OnTap(open func()) {
	if runtime.GOOS != "darwin" {
		systray.SetOnTapped(open)
	}
}

// Show brings the tray up to date; it touches the desktop only when something
// is different. It is called on the window's goroutine.
func (t *Tray) Show(w live.Words, p Picture) {
	if t.shown != nil && equal(*t.shown, p) && t.words == w {
		return
	}
	t.shown, t.words = &p, w
	t.menu.Label, t.menu.Items = w.T("app"), t.items(p)
	t.host.SetSystemTrayMenu(t.menu)
	if t.icon != p.State {
		t.icon = p.State
		name := "tray-" + string(p.State) + ".svg"
		t.host.SetSystemTrayIcon(fyne.NewStaticResource(name, assets.Icon(name)))
	}
	t.label(w.T("app"), p.Tooltip(w))
}

func (t *Tray) items(p Picture) []*fyne.MenuItem {
	w := t.words
	var items []*fyne.MenuItem
	for _, line := range p.Lines {
		item := fyne.NewMenuItem(line, nil)
		item.Disabled = true
		items = append(items, item)
	}
	pause := fyne.NewMenuItem(w.T("pause"), func() { t.actions.Pause(true) })
	if p.Paused {
		pause = fyne.NewMenuItem(w.T("resume"), func() { t.actions.Pause(false) })
	}
	quit := fyne.NewMenuItem(w.T("quit"), t.actions.Quit)
	quit.IsQuit = true
	return append(items, fyne.NewMenuItemSeparator(), fyne.NewMenuItem(w.T("tray.open"), t.actions.Open), pause, fyne.NewMenuItemSeparator(), quit)
}

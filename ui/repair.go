package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"switchboard/assets"
	"switchboard/ui/live"
	"switchboard/ui/page/repair"
	"switchboard/ui/theme"
)

// The size of the window in which a start is repaired.
const repairWidth, repairHeight = 760, 620

// ShowRepair shows why the house does not open, and the ways out. When one of
// them has led out, opened is called on the window's goroutine; it shows the next
// window, and this one closes.
func ShowRepair(ctx context.Context, app fyne.App, backend repair.Backend, cause error, data string, o Options, opened func()) fyne.Window {
	ctx, stop := context.WithCancel(ctx)
	w, kit := before(ctx, app, o)
	end := w.hub.Tap(ctx, func() {
		stop()
		app.Quit()
	})
	page := repair.New(ctx, kit, backend, repair.Options{
		Cause: cause, Data: data, OnQuit: end, Save: w.save,
		OnOpened: func() {
			opened()
			stop()
			w.win.Close()
		},
	})
	w.present(page.Content(), repairWidth, repairHeight, end)
	return w.win
}

// before makes a window that is there before the house is open, and what its page
// is built with.
func before(ctx context.Context, app fyne.App, o Options) (*Window, live.Kit) {
	o = o.filled()
	words := live.Words{Lang: language(choice(app.Preferences(), prefLanguage, languages()), o.Locale)}
	speak(words.Lang)
	app.Settings().SetTheme(theme.New(theme.Mode(choice(app.Preferences(), prefLook, looks()))))
	app.SetIcon(fyne.NewStaticResource("app.svg", assets.Icon("app.svg")))
	win := app.NewWindow(words.T("app"))
	win.SetPadded(false)
	hub := live.NewHubOn(o.Log, o.Run)
	hub.Visible(true)
	w := &Window{app: app, win: win, options: o, hub: hub, words: words, toasts: newToasts(ctx, hub)}
	return w, live.Kit{Hub: hub, Words: words, Shell: &shell{w}, Now: o.Now}
}

// present shows such a window; closing it ends the app.
func (w *Window) present(content fyne.CanvasObject, width, height float32, end func()) {
	w.setContent(content)
	w.win.SetCloseIntercept(end)
	w.win.Resize(fyne.NewSize(width, height))
	w.win.CenterOnScreen()
	w.win.Show()
}

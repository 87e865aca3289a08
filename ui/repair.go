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
	o = o.filled()
	ctx, stop := context.WithCancel(ctx)
	words := live.Words{Lang: language(choice(app.Preferences(), prefLanguage, languages()), o.Locale)}
	speak(words.Lang)
	app.Settings().SetTheme(theme.New(theme.Mode(choice(app.Preferences(), prefLook, looks()))))
	app.SetIcon(fyne.NewStaticResource("app.svg", assets.Icon("app.svg")))
	win := app.NewWindow(words.T("app"))
	win.SetPadded(false)
	hub := live.NewHubOn(o.Log, o.Run)
	hub.Visible(true)
	w := &Window{app: app, win: win, options: o, hub: hub, words: words, toasts: newToasts(ctx, hub)}
	end := hub.Tap(ctx, func() {
		stop()
		app.Quit()
	})
	page := repair.New(ctx, live.Kit{Hub: hub, Words: words, Shell: &shell{w}, Now: o.Now}, backend, repair.Options{
		Cause: cause, Data: data, OnQuit: end,
		OnOpened: func() {
			opened()
			stop()
			win.Close()
		},
	})
	w.setContent(page.Content())
	win.SetCloseIntercept(end)
	win.Resize(fyne.NewSize(repairWidth, repairHeight))
	win.CenterOnScreen()
	win.Show()
	return win
}

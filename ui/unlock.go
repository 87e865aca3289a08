package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"switchboard/ui/page/unlock"
)

// The size of the window that asks for the passphrase.
const unlockWidth, unlockHeight = 560, 400

// ShowUnlock asks for the passphrase of the encrypted file with the secrets, while
// the house waits for it. When the house is open, opened is called on the window's
// goroutine, or failed when it does not open; either shows the next window, and
// this one closes.
func ShowUnlock(ctx context.Context, app fyne.App, backend unlock.Backend, o Options, opened func(), failed func(error)) fyne.Window {
	ctx, stop := context.WithCancel(ctx)
	w, kit := before(ctx, app, o)
	end := w.hub.Tap(ctx, func() {
		stop()
		app.Quit()
	})
	away := func() {
		stop()
		w.win.Close()
	}
	page := unlock.New(ctx, kit, backend, unlock.Options{
		OnQuit: end,
		OnOpened: func() {
			opened()
			away()
		},
		OnFailed: func(err error) {
			failed(err)
			away()
		},
	})
	w.present(page.Content(), unlockWidth, unlockHeight, end)
	w.win.Canvas().Focus(page.Focus())
	return w.win
}

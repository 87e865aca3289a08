package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// closing is what happens when the window is closed. With a tray it hides, and
// says so once; without one it would be lost, so it asks.
func (w *Window) closing(ctx context.Context) {
	switch {
	case !w.options.TrayHost:
		w.askToQuit(ctx, "close.no_tray")
	case !w.app.Preferences().Bool(prefTold):
		w.tell(ctx)
	default:
		w.hide()
	}
}

// tell says once that closing does not end the app.
func (w *Window) tell(ctx context.Context) {
	w.ask("close.told", "close.hide", "close.quit", func(hide bool) {
		w.app.Preferences().SetBool(prefTold, true)
		if hide {
			w.hide()
			return
		}
		w.quit(ctx)
	})
}

func (w *Window) askToQuit(_ context.Context, key string) {
	w.ask(key, "close.stay", "close.quit", func(stay bool) {
		if !stay {
			w.end()
		}
	})
}

// ask puts a question with two answers; yes is the harmless one. Neither of
// them is taken by Enter. A question that stands there already makes room.
func (w *Window) ask(key, yes, no string, then func(bool)) {
	t := w.words.T
	var popup *fyneui.PopUp
	answer := func(word string, value bool) *fyneui.Button {
		return fyneui.NewButton(t(word), func() {
			popup.Hide()
			then(value)
		})
	}
	harmless := answer(yes, true)
	harmless.Importance = fyneui.HighImportance
	buttons := container.NewHBox(layout.NewSpacer(), answer(no, false), harmless)
	text := widget.Fixed(widget.NewParagraph(t(key)), 400)
	if w.asked != nil {
		w.asked.Hide()
	}
	popup = fyneui.NewModalPopUp(widget.Inset(widget.Column(12, widget.NewSubheading(t(key+".title")), text, buttons), 16, 20), w.win.Canvas())
	w.asked = popup
	popup.Show()
}

// quitPatience is how long a database that does not answer may keep somebody from
// quitting.
const quitPatience = 3 * time.Second

// quit ends the app; when answers are on their way it asks first.
func (w *Window) quit(ctx context.Context) {
	overview := func(ctx context.Context) (bridge.Overview, error) {
		ctx, cancel := context.WithTimeout(ctx, quitPatience)
		defer cancel()
		return w.backend.Overview(ctx)
	}
	live.Ask(ctx, w.hub, overview, func(o bridge.Overview, err error) {
		busy := 0
		for _, a := range o.Agents {
			busy += a.Running
		}
		if err != nil || busy == 0 {
			w.end()
			return
		}
		w.show()
		w.askToQuit(ctx, "close.busy")
	})
}

func (w *Window) end() {
	w.remember()
	w.stop()
	w.app.Quit()
}

// pause stops or resumes answering.
func (w *Window) pause(ctx context.Context, on bool) {
	live.Act(ctx, w.hub, func(ctx context.Context) error { return w.backend.Pause(ctx, on) }, func(err error) {
		if err != nil {
			(&shell{w}).Trouble(err)
		}
	})
}

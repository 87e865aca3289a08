package ui_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

// waiting is a house that takes any passphrase and opens, or does not.
type waiting struct{ fail error }

func (waiting) Try(context.Context, bridge.Secret) error    { return nil }
func (w waiting) Open(context.Context, bridge.Secret) error { return w.fail }

// TestUnlockGivesWay: the next window, or the one that says what is wrong, is there
// before this one goes. The cursor is in the entry from the beginning.
func TestUnlockGivesWay(t *testing.T) {
	for _, fails := range []error{nil, errors.New("no room")} {
		synctest.Test(t, func(t *testing.T) {
			app := test.NewTempApp(t)
			ctx, cancel := context.WithCancel(t.Context())
			there := func(w fyne.Window) bool { return slices.Contains(app.Driver().AllWindows(), w) }
			var win fyne.Window
			var came []string
			arrived := func(what string) {
				if there(win) {
					came = append(came, what)
				}
			}
			run := new(uitest.Queue).Do
			win = ui.ShowUnlock(ctx, app, waiting{fails}, ui.Options{Locale: "zh_CN.UTF-8", Run: run},
				func() { arrived("opened") }, func(err error) { arrived(err.Error()) })
			entry, ok := win.Canvas().Focused().(*widget.Entry)
			if !ok {
				t.Fatalf("the cursor is in %T", win.Canvas().Focused())
			}
			run(func() {
				test.Type(entry, "correct horse")
				entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
			})
			synctest.Wait()
			want := "opened"
			if fails != nil {
				want = fails.Error()
			}
			if !slices.Equal(came, []string{want}) || there(win) {
				t.Errorf("%v: %q; the window is still there: %v", fails, came, there(win))
			}
			cancel()
			synctest.Wait()
		})
	}
}

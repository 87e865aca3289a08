package ui_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui"
	"switchboard/ui/uitest"
)

// shut is a house that opens when it is asked a second time.
type shut struct{ asked int }

func (*shut) Words(_ bridge.Language, err error) string { return err.Error() }
func (*shut) Repairable(error) bool                     { return false }
func (*shut) Backups() ([]bridge.Backup, error)         { return nil, nil }
func (*shut) Restore(context.Context, string) error     { return nil }
func (*shut) Salvage(context.Context, string) (bridge.Salvaged, error) {
	return bridge.Salvaged{}, nil
}

func (*shut) DiagnoseTrouble(context.Context, string, error) error { return nil }

func (*shut) StartFresh(context.Context) error { return nil }
func (s *shut) Open(context.Context) error     { s.asked++; return nil }

// TestRepairGivesWay: when the house is open, the next window is there before this
// one goes.
func TestRepairGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, house := test.NewTempApp(t), &shut{}
		ctx, cancel := context.WithCancel(t.Context())
		opened := false
		there := func(w fyne.Window) bool { return slices.Contains(app.Driver().AllWindows(), w) }
		var win fyne.Window
		run := new(uitest.Queue).Do
		win = ui.ShowRepair(ctx, app, house, errors.New("no room"), "/data", ui.Options{Locale: "en", Run: run}, func() {
			opened = there(win)
		})
		again, ok := uitest.Find(win.Content(), func(b *fyneui.Button) bool { return b.Text == "Try again" })
		if !ok {
			t.Fatal("nothing to try again")
		}
		run(func() { test.Tap(again) })
		synctest.Wait()
		if house.asked != 1 || !opened || there(win) {
			t.Errorf("asked %d times; the window was there: %v, is there: %v", house.asked, opened, there(win))
		}
		cancel()
		synctest.Wait()
	})
}

// TestDiagnostics saves them in the data folder and shows it; when that fails it
// says why.
func TestDiagnostics(t *testing.T) {
	for _, fails := range []error{nil, &bridge.Error{Kind: bridge.KindBlocked, Op: "logs: bundle", Code: "found"}} {
		house := busy()
		house.Folder, house.Fail = t.TempDir(), fails
		setup(t, house, ui.Options{Locale: "en"}, nil, func(b *bundle) {
			b.do(func() { b.Diagnose(t.Context()) })
			want := "Saved in the data folder: switchboard-diagnostics-"
			if fails != nil {
				want = "The diagnostics were not saved"
			}
			if got := b.Toast(); !strings.HasPrefix(got, want) {
				t.Errorf("it says %q", got)
			}
		})
		files, err := filepath.Glob(filepath.Join(house.Folder, "*.zip"))
		if err != nil || (len(files) == 1) != (fails == nil) {
			t.Errorf("%v: it left %v, %v", fails, files, err)
		}
	}
}

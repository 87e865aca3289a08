package repair_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/page/repair"
	"switchboard/ui/uitest"
)

var (
	errDamaged  = errors.New("damaged")
	errSettings = errors.New("settings")
)

// broken is a house that does not open until it was repaired.
type broken struct {
	backups []bridge.Backup
	refuse  error // of Restore
	cause   error // of Open
	did     []string
}

func (*broken) Words(lang bridge.Language, err error) string {
	return string(lang) + ": it is " + err.Error() + "\nline 2"
}
func (*broken) Repairable(err error) bool           { return errors.Is(err, errDamaged) }
func (b *broken) Backups() ([]bridge.Backup, error) { return b.backups, nil }

func (b *broken) Restore(_ context.Context, file string) error {
	b.did = append(b.did, "restore "+file)
	if b.refuse == nil {
		b.cause = nil
	}
	return b.refuse
}

func (b *broken) Salvage(_ context.Context, file string) (bridge.Salvaged, error) {
	b.did = append(b.did, "salvage "+file)
	return bridge.Salvaged{Rows: 12, Gaps: 3}, b.refuse
}

func (b *broken) DiagnoseTrouble(_ context.Context, file string, cause error) error {
	b.did = append(b.did, "diagnose "+file+": "+cause.Error())
	return b.refuse
}

func (b *broken) StartFresh(context.Context) error {
	b.did, b.cause = append(b.did, "fresh"), nil
	return nil
}

func (b *broken) Open(context.Context) error {
	b.did = append(b.did, "open")
	return b.cause
}

func two() []bridge.Backup {
	at := time.Date(2026, 11, 25, 3, 30, 0, 0, time.Local)
	return []bridge.Backup{{Path: "/b/new.db", At: at, Size: 12e6}, {Path: "/b/old.db", At: at.AddDate(0, 0, -1), Size: 11e6}}
}

// bundle is a page before somebody.
type bundle struct {
	*testing.T
	page           *repair.Page
	shell          *uitest.Shell
	do             func(func()) // acts, and waits for what follows
	opened, leaves int
	// saveTo is where files go, and suggested the name of the last one.
	saveTo, suggested string
}

func setup(t *testing.T, lang bridge.Language, house *broken, f func(b *bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		kit, shell := uitest.NewKit(t, lang, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		b := &bundle{T: t, shell: shell, do: func(act func()) {
			kit.Hub.Do(ctx, act)
			synctest.Wait()
		}}
		b.page = repair.New(ctx, kit, house, repair.Options{
			Cause: house.cause, Data: "/data", OnOpened: func() { b.opened++ }, OnQuit: func() { b.leaves++ },
			Save: func(name string, picked func(string)) {
				if b.suggested = name; b.saveTo != "" {
					picked(b.saveTo)
				}
			},
		})
		uitest.Show(t, b.page.Content(), 760, 900)
		f(b)
		cancel()
		synctest.Wait()
	})
}

func (b *bundle) find(text string) (*fyneui.Button, bool) {
	return uitest.Find(b.page.Content(), func(o *fyneui.Button) bool { return o.Text == text })
}

func (b *bundle) tap(text string) {
	b.Helper()
	button, ok := b.find(text)
	if !ok {
		b.Fatalf("there is no %s", text)
	}
	b.do(func() { test.Tap(button) })
}

// reads says whether the page shows all words.
func (b *bundle) reads(words ...string) {
	b.Helper()
	var all []string
	for _, o := range test.LaidOutObjects(b.page.Content()) {
		switch o := o.(type) {
		case *fyneui.RichText:
			all = append(all, o.String())
		case interface{ Text() string }:
			all = append(all, o.Text())
		case fyne.Widget:
		}
	}
	text := strings.ReplaceAll(strings.Join(all, "|"), "\u200a", "") // where Chinese may break
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.Errorf("%q is not in %q", w, text)
		}
	}
}

// TestRestore asks before it does anything, names what is lost, and goes on when
// the house is open.
func TestRestore(t *testing.T) {
	house := &broken{backups: two(), cause: errDamaged}
	setup(t, bridge.English, house, func(b *bundle) {
		b.reads("cannot start", "en: it is damaged", "line 2", "Everything up to that moment")
		pick, ok := uitest.Find(b.page.Content(), func(*fyneui.RadioGroup) bool { return true })
		if !ok || len(pick.Options) != 2 || pick.Selected != "2026-11-25 03:30:00 · 12.0 MB" {
			t.Fatalf("the choice is %+v", pick)
		}
		pick.SetSelected(pick.Options[1])
		b.tap("Restore…")
		b.reads("Restore this backup?", "at 2026-11-24 03:30", "is not deleted")
		b.tap("Go back")
		if len(house.did) != 0 {
			t.Errorf("did %v", house.did)
		}
		b.tap("Restore…") // the latest is chosen again
		b.reads("at 2026-11-25 03:30")
		b.tap("Restore")
		if diff := cmp.Diff([]string{"restore /b/new.db", "open"}, house.did); diff != "" || b.opened != 1 {
			t.Errorf("opened %d times: %s", b.opened, diff)
		}
	})
}

// TestRestoreFails comes back with what is wrong now.
func TestRestoreFails(t *testing.T) {
	house := &broken{backups: two(), cause: errDamaged, refuse: errSettings}
	setup(t, bridge.English, house, func(b *bundle) {
		b.tap("Restore…")
		b.tap("Restore")
		b.reads("settings", "Switchboard cannot start")
		if b.opened != 0 || slices.Contains(house.did, "open") {
			t.Errorf("opened %d times, did %v", b.opened, house.did)
		}
	})
}

func TestStartFresh(t *testing.T) {
	house := &broken{cause: errDamaged}
	setup(t, bridge.Chinese, house, func(b *bundle) {
		b.reads("zh-CN: it is damaged", "还没有备份")
		b.tap("重新开始…")
		b.reads("不会删除")
		b.tap("重新开始")
		if diff := cmp.Diff([]string{"fresh", "open"}, house.did); diff != "" || b.opened != 1 {
			t.Errorf("opened %d times: %s", b.opened, diff)
		}
	})
}

// TestTryAgain is all there is for a trouble that a backup does not help against.
func TestTryAgain(t *testing.T) {
	house := &broken{backups: two(), cause: errSettings}
	setup(t, bridge.English, house, func(b *bundle) {
		for _, no := range []string{"Restore…", "Start fresh…"} {
			if _, ok := b.find(no); ok {
				t.Errorf("it offers %s", no)
			}
		}
		b.tap("Try again")
		b.reads("it is settings")
		house.cause = nil
		b.tap("Try again")
		b.tap("Open the data folder")
		if b.opened != 1 || !slices.Equal(b.shell.Opened, []string{"/data"}) {
			t.Errorf("opened %d times, %v", b.opened, b.shell.Opened)
		}
		house.cause = errDamaged
	})
	setup(t, bridge.English, house, func(b *bundle) {
		b.tap("Quit")
		if b.leaves != 1 || b.opened != 0 {
			t.Errorf("left %d times, opened %d times", b.leaves, b.opened)
		}
	})
}

// TestTakeAlong writes what can be read where somebody says; it leads out of nothing,
// so that the other ways stay.
func TestTakeAlong(t *testing.T) {
	house := &broken{backups: two(), cause: errDamaged}
	setup(t, bridge.English, house, func(b *bundle) {
		b.reads("Take along what can be read", "The database is not changed")
		b.tap("Export…") // and nothing is chosen
		if len(house.did) != 0 || !strings.HasPrefix(b.suggested, "switchboard-2") || !strings.HasSuffix(b.suggested, ".csv") {
			t.Errorf("did %v, suggested %q", house.did, b.suggested)
		}
		b.saveTo = "/out/talks.csv"
		b.tap("Export…")
		if diff := cmp.Diff([]string{"12 questions are in talks.csv; in 3 places nothing could be read."}, b.shell.Said); diff != "" {
			t.Error(diff)
		}
		house.refuse = errSettings
		b.tap("Export…")
		if len(b.shell.Troubles) != 1 || !slices.Equal(b.shell.Opened, []string{"/out"}) || b.opened != 0 {
			t.Errorf("troubles %v, opened %v", b.shell.Troubles, b.shell.Opened)
		}
		if diff := cmp.Diff([]string{"salvage /out/talks.csv", "salvage /out/talks.csv"}, house.did); diff != "" {
			t.Error(diff)
		}
		b.tap("Start fresh…")
		b.reads("Start with an empty database?")
	})
}

// TestDiagnostics are there whatever the trouble is.
func TestDiagnostics(t *testing.T) {
	for _, cause := range []error{errDamaged, errSettings} {
		house := &broken{cause: cause}
		setup(t, bridge.English, house, func(b *bundle) {
			b.saveTo = "/out/help.zip"
			b.tap("Save diagnostics…")
			if diff := cmp.Diff([]string{"diagnose /out/help.zip: " + cause.Error()}, house.did); diff != "" || !strings.HasPrefix(b.suggested, "switchboard-diagnostics-") {
				t.Errorf("suggested %q: %s", b.suggested, diff)
			}
			if len(b.shell.Said) != 1 || !strings.Contains(b.shell.Said[0], "help.zip") || !slices.Equal(b.shell.Opened, []string{"/out"}) || b.opened != 0 {
				t.Errorf("said %q, opened %v", b.shell.Said, b.shell.Opened)
			}
		})
	}
}

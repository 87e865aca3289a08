package ui_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui"
	"switchboard/ui/live"
	"switchboard/ui/uitest"
)

// desk is an app with a tray; it remembers whether it was quit.
type desk struct {
	fyne.App
	menu *fyne.Menu
	icon string
	quit bool
}

func (d *desk) SetSystemTrayMenu(m *fyne.Menu)    { d.menu = m }
func (d *desk) SetSystemTrayIcon(r fyne.Resource) { d.icon = r.Name() }
func (*desk) SetSystemTrayWindow(fyne.Window)     {}
func (d *desk) Quit()                             { d.quit = true }

var _ desktop.App = (*desk)(nil)

// bundle is a window on a desk.
type bundle struct {
	*ui.Window
	app   *desk
	house *uitest.House
	do    func(func())
	close func()
}

func setup(t *testing.T, house *uitest.House, o ui.Options, prefs map[string]string, f func(b *bundle)) {
	t.Helper()
	setupOf(t, house, house, o, prefs, f)
}

// setupOf is setup with something that stands before the house.
func setupOf(t *testing.T, house *uitest.House, backend ui.Backend, o ui.Options, prefs map[string]string, f func(b *bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		app := &desk{App: test.NewTempApp(t)}
		for key, value := range prefs {
			app.Preferences().SetString(key, value)
		}
		o.Run = new(uitest.Queue).Do
		var w *ui.Window
		o.Run(func() { // its views may already have something to show while it is made
			w = ui.New(ctx, app, backend, o)
			w.Start(ctx)
		})
		time.Sleep(time.Second)
		synctest.Wait()
		f(&bundle{w, app, house, func(act func()) {
			o.Run(act)
			time.Sleep(time.Second)
			synctest.Wait()
		}, func() { w.Close(ctx) }})
		cancel()
		synctest.Wait()
	})
}

func busy() *uitest.House { return uitest.NewHouse(bridge.English, time.Now()) }

func TestWindowShowsTheHouse(t *testing.T) {
	setup(t, busy(), ui.Options{TrayHost: true, Locale: "en_US.UTF-8"}, nil, func(b *bundle) {
		got := []string{b.Fyne().Title(), b.FrontPage(), b.StatusText(), b.NoticeText(), b.PauseButton(), b.app.icon}
		want := []string{"Switchboard", live.PageOverview, "Answering · 3 channels", "Needs attention: 2 →", "Pause answering", "tray-error.svg"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLanguageChangesAtOnce(t *testing.T) {
	setup(t, busy(), ui.Options{TrayHost: true, Locale: "zh_CN.UTF-8"}, map[string]string{"language": "en", "page": live.PageSettings}, func(b *bundle) {
		if b.Fyne().Title() != "Switchboard" {
			t.Fatalf("title %q: the choice was forgotten", b.Fyne().Title())
		}
		b.do(func() { b.pick(t, "中文") })
		if b.Fyne().Title() != "总机" || b.FrontPage() != live.PageSettings || b.StatusText() != "正在回答 · 3 个渠道" {
			t.Errorf("title %q, page %q, status %q", b.Fyne().Title(), b.FrontPage(), b.StatusText())
		}
		time.Sleep(time.Minute) // the tray follows at its next turn
		synctest.Wait()
		if b.app.menu.Items[len(b.app.menu.Items)-1].Label != "退出" {
			t.Error("the tray speaks English")
		}
		if got := b.app.Preferences().String("language"); got != "zh-CN" {
			t.Errorf("remembers %q", got)
		}
	})
}

func TestLanguageFollowsTheSystem(t *testing.T) {
	setup(t, busy(), ui.Options{Locale: "zh_CN.UTF-8"}, map[string]string{"language": "nonsense"}, func(b *bundle) {
		if b.Fyne().Title() != "总机" {
			t.Errorf("title %q", b.Fyne().Title())
		}
	})
}

func TestPageIsRemembered(t *testing.T) {
	setup(t, busy(), ui.Options{}, map[string]string{"page": live.PageTalks}, func(b *bundle) {
		if b.FrontPage() != live.PageTalks {
			t.Errorf("page %q", b.FrontPage())
		}
		b.do(func() { b.Visit(live.PagePlayground) })
		if got := b.app.Preferences().String("page"); got != live.PagePlayground {
			t.Errorf("remembers %q", got)
		}
		b.do(func() { b.Visit("nonsense") })
		if b.FrontPage() != live.PagePlayground {
			t.Error("went to a page that does not exist")
		}
	})
}

func TestSearchAndEscape(t *testing.T) {
	setup(t, busy(), ui.Options{}, nil, func(b *bundle) {
		b.do(b.Search)
		if b.FrontPage() != live.PageTalks || b.Fyne().Canvas().Focused() != b.SearchEntry() {
			t.Error("Ctrl+F does not lead to the search")
		}
		b.do(func() { test.Type(b.SearchEntry(), "vpn") })
		escape := func() { b.SearchEntry().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape}) }
		b.do(escape)
		if b.SearchEntry().Text != "" {
			t.Error("Esc does not clear the search")
		}
		b.do(escape)
		if b.Fyne().Canvas().Focused() != nil {
			t.Error("Esc does not leave the search")
		}
	})
}

func TestPause(t *testing.T) {
	setup(t, busy(), ui.Options{TrayHost: true, Locale: "en"}, nil, func(b *bundle) {
		b.do(b.TapPause)
		if b.PauseButton() != "Resume answering" || b.app.icon != "tray-paused.svg" {
			t.Errorf("button %q, icon %q", b.PauseButton(), b.app.icon)
		}
		b.do(b.menuItem(t, "Resume answering"))
		if b.PauseButton() != "Pause answering" {
			t.Errorf("button %q", b.PauseButton())
		}
	})
}

func TestCloseTellsOnceThenHides(t *testing.T) {
	setup(t, busy(), ui.Options{TrayHost: true, Locale: "en"}, nil, func(b *bundle) {
		b.do(b.close)
		b.do(func() { b.answer(t, "Fine, close it") })
		if b.app.quit || !b.app.Preferences().Bool("told_about_tray") {
			t.Error("quit, or would tell again")
		}
		b.do(b.menuItem(t, "Open Switchboard"))
		b.do(b.close)
		if b.Fyne().Canvas().Overlays().Top() != nil {
			t.Error("told twice")
		}
	})
}

func TestCloseWithoutTrayAsks(t *testing.T) {
	setup(t, busy(), ui.Options{Locale: "en"}, nil, func(b *bundle) {
		b.do(b.close)
		b.do(func() { b.answer(t, "Keep running") })
		if b.app.quit {
			t.Fatal("quit although it should keep running")
		}
		b.do(b.close)
		b.do(func() { b.answer(t, "Quit") })
		if !b.app.quit {
			t.Error("did not quit")
		}
	})
}

func TestClosingTwiceAsksOnce(t *testing.T) {
	setup(t, busy(), ui.Options{Locale: "en"}, nil, func(b *bundle) {
		b.do(b.close)
		b.do(b.close)
		b.do(func() { b.answer(t, "Keep running") })
		if b.Fyne().Canvas().Overlays().Top() != nil {
			t.Error("what was answered is asked again")
		}
	})
}

// stuckHouse does not tell how it stands once it is stuck.
type stuckHouse struct {
	*uitest.House
	stuck atomic.Bool
}

func (h *stuckHouse) Overview(ctx context.Context) (bridge.Overview, error) {
	if h.stuck.Load() {
		<-ctx.Done()
		return bridge.Overview{}, ctx.Err()
	}
	return h.House.Overview(ctx)
}

func TestQuitWhileTheDatabaseIsStuck(t *testing.T) {
	house := &stuckHouse{House: busy()}
	setupOf(t, house.House, house, ui.Options{TrayHost: true, Locale: "en"}, nil, func(b *bundle) {
		house.stuck.Store(true)
		b.do(b.menuItem(t, "Quit"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if !b.app.quit {
			t.Error("cannot be quit")
		}
	})
}

func TestQuitAsksWhileAnswering(t *testing.T) {
	house := busy() // three answers are being written
	setup(t, house, ui.Options{TrayHost: true, Locale: "en"}, nil, func(b *bundle) {
		b.do(b.menuItem(t, "Quit"))
		if b.app.quit {
			t.Fatal("quit without a word")
		}
		b.do(func() { b.answer(t, "Quit") })
		if !b.app.quit {
			t.Error("did not quit")
		}
	})
	setup(t, uitest.NewEmptyHouse(time.Now()), ui.Options{TrayHost: true, Locale: "en"}, nil, func(b *bundle) {
		b.do(b.menuItem(t, "Quit"))
		if !b.app.quit {
			t.Error("asked although nothing is going on")
		}
	})
}

func TestFirstRunLeadsToThePlayground(t *testing.T) {
	house := uitest.NewEmptyHouse(time.Now())
	house.First = true
	setup(t, house, ui.Options{Locale: "en"}, nil, func(b *bundle) {
		if !b.Welcoming() {
			t.Fatal("no welcome")
		}
		b.do(func() { b.tap(t, "Play the demo") })
		time.Sleep(time.Minute)
		synctest.Wait()
		if b.Welcoming() || b.FrontPage() != live.PagePlayground || len(house.Said()) != 4 {
			t.Errorf("page %q, said %q", b.FrontPage(), house.Said())
		}
	})
}

func TestWelcomeIsShownOnce(t *testing.T) {
	house := uitest.NewEmptyHouse(time.Now())
	house.First = true
	setup(t, house, ui.Options{Locale: "en"}, nil, func(b *bundle) {
		b.do(b.Search) // keys do nothing yet
		b.do(func() { b.tap(t, "Not now") })
		if b.Welcoming() || !b.app.Preferences().Bool("welcomed") {
			t.Error("would welcome again")
		}
	})
}

func TestToast(t *testing.T) {
	setup(t, busy(), ui.Options{Locale: "en"}, nil, func(b *bundle) {
		b.do(func() { b.Shell().Copy("https://x.example/hook/a") })
		b.do(func() {
			if b.Toast() != "Copied" || b.app.Clipboard().Content() != "https://x.example/hook/a" {
				t.Errorf("toast %q", b.Toast())
			}
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if b.Toast() != "" {
			t.Error("the toast stays")
		}
		b.do(func() { b.Shell().Trouble(errors.New("sql: secret detail")) })
		if b.Toast() == "" || strings.Contains(b.Toast(), "secret") {
			t.Errorf("toast %q", b.Toast())
		}
	})
}

// TestEveryWordExists looks for the keys the window asks for.
func TestEveryWordExists(t *testing.T) {
	t.Parallel()
	asked := regexp.MustCompile(`\b(?:T|t)\("([a-z_.0-9]+)"[,)]`)
	n := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range asked.FindAllStringSubmatch(string(source), -1) {
			n++
			for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
				if _, ok := i18n.Find(lang, "ui."+m[1]); !ok {
					t.Errorf("%s: no words in %s for %q", path, lang, m[1])
				}
			}
		}
		return nil
	})
	if err != nil || n < 80 {
		t.Errorf("found %d keys, %v", n, err)
	}
}

// tap taps the button of a name, on the window or in a dialog.
func (b *bundle) tap(t *testing.T, name string) {
	t.Helper()
	button, ok := uitest.Find(b.Fyne().Content(), func(o *fyneui.Button) bool { return o.Text == name })
	if !ok {
		t.Fatalf("no button %q", name)
	}
	test.Tap(button)
}

func (b *bundle) answer(t *testing.T, name string) {
	t.Helper()
	top := b.Fyne().Canvas().Overlays().Top()
	if top == nil {
		t.Fatal("nothing was asked")
	}
	button, ok := uitest.Find(top, func(o *fyneui.Button) bool { return o.Text == name })
	if !ok {
		t.Fatalf("no answer %q", name)
	}
	test.Tap(button)
}

func (b *bundle) menuItem(t *testing.T, label string) func() {
	t.Helper()
	for _, i := range b.app.menu.Items {
		if i.Label == label {
			return i.Action
		}
	}
	t.Fatalf("no %q in the tray", label)
	return nil
}

// pick takes one of a row of choices by its word.
func (b *bundle) pick(t *testing.T, word string) {
	t.Helper()
	for _, o := range test.LaidOutObjects(b.Fyne().Content()) {
		if tile, ok := o.(fyne.Tappable); ok {
			if w, ok := o.(fyne.Widget); ok && w.Visible() && says(w, word) {
				tile.Tapped(nil)
				return
			}
		}
	}
	t.Fatalf("no choice %q", word)
}

func says(w fyne.Widget, word string) bool {
	_, ok := uitest.Find(w, func(l interface {
		fyne.CanvasObject
		Text() string
	},
	) bool {
		return l.Text() == word
	})
	return ok
}

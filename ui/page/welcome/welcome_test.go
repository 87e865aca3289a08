package welcome_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/welcome"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

func office(t *testing.T, house *uitest.House, f func(p *welcome.Page, shell *uitest.Shell, did *[]string, do func(func()))) {
	t.Helper()
	officeOf(t, house, f)
}

func officeOf(t *testing.T, house welcome.Backend, f func(p *welcome.Page, shell *uitest.Shell, did *[]string, do func(func()))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		kit, shell := uitest.NewKit(t, bridge.English, time.Now())
		var did []string
		p := welcome.New(ctx, kit, house, welcome.Options{
			Languages: []string{"auto", "zh-CN", "en"}, Language: "en", OnLanguage: func(l string) { did = append(did, l) },
			OnTry: func() { did = append(did, "try") }, OnDone: func() { did = append(did, "done") },
		})
		uitest.Show(t, p.Content(), 900, 640)
		f(p, shell, &did, func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		})
		cancel()
		synctest.Wait()
	})
}

func TestConnect(t *testing.T) {
	house := uitest.NewEmptyHouse(time.Now())
	office(t, house, func(p *welcome.Page, shell *uitest.Shell, did *[]string, do func(func())) {
		address, key, check, save := p.Parts()
		if !check.Disabled() || !save.Disabled() || !key.Password {
			t.Error("nothing was typed yet, or the key can be seen")
		}
		do(func() { test.Type(key, " bad ") })
		do(func() { test.Tap(check) })
		if p.Findings() != 2 || save.Importance == fyneui.HighImportance {
			t.Errorf("%d findings", p.Findings())
		}
		do(func() { key.SetText(" good\n") })
		if p.Findings() != 0 {
			t.Error("the findings are of another key")
		}
		do(func() { test.Tap(check) })
		if p.Findings() != 2 || save.Importance != fyneui.HighImportance {
			t.Errorf("%d findings, the next step does not stand out", p.Findings())
		}
		do(func() { address.SetText(" https://dify.example/v1 ") })
		do(func() { test.Tap(save) })
		if house.Saved() != "https://dify.example/v1" || len(*did) != 1 || (*did)[0] != "done" || len(shell.Said) != 1 {
			t.Errorf("saved %q, did %q", house.Saved(), *did)
		}
	})
}

// slowHouse takes a few seconds to check.
type slowHouse struct{ *uitest.House }

func (h *slowHouse) CheckAgent(ctx context.Context, baseURL string, key bridge.Secret) ([]bridge.Finding, error) {
	time.Sleep(3 * time.Second)
	return h.House.CheckAgent(ctx, baseURL, key)
}

// TestTypedWhileChecking: what is found is about the key that stands there.
func TestTypedWhileChecking(t *testing.T) {
	house := uitest.NewEmptyHouse(time.Now())
	officeOf(t, &slowHouse{house}, func(p *welcome.Page, _ *uitest.Shell, did *[]string, do func(func())) {
		_, key, check, save := p.Parts()
		do(func() { test.Type(key, "good") })
		do(func() { test.Tap(check) })
		do(func() {
			test.Type(key, "!")
			test.Tap(save)
		})
		for range 3 {
			do(func() {})
		}
		if key.Text != "good" || len(*did) != 0 || p.Findings() != 2 || save.Importance != fyneui.HighImportance {
			t.Errorf("the key %q has %d findings, did %q", key.Text, p.Findings(), *did)
		}
		do(func() { test.Type(key, "!") })
		if key.Text == "good" || p.Findings() != 0 || check.Disabled() {
			t.Errorf("nothing can be typed after the check: %q", key.Text)
		}
	})
}

func TestConnectFails(t *testing.T) {
	house := uitest.NewEmptyHouse(time.Now())
	house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
	office(t, house, func(p *welcome.Page, shell *uitest.Shell, did *[]string, do func(func())) {
		_, key, check, save := p.Parts()
		do(func() { key.SetText("x") })
		do(func() { test.Tap(check) })
		if p.Findings() != 1 || check.Disabled() {
			t.Errorf("%d findings; the button stays off: %v", p.Findings(), check.Disabled())
		}
		do(func() { test.Tap(save) })
		if len(*did) != 0 || len(shell.Troubles) != 1 {
			t.Errorf("did %q, troubles %v", *did, shell.Troubles)
		}
	})
}

func TestTryAndSkip(t *testing.T) {
	office(t, uitest.NewEmptyHouse(time.Now()), func(p *welcome.Page, _ *uitest.Shell, did *[]string, do func(func())) {
		for _, name := range []string{"Play the demo", "Not now"} {
			do(func() {
				b, ok := uitest.Find(p.Content(), func(b *fyneui.Button) bool { return b.Text == name })
				if !ok {
					t.Fatalf("no %q", name)
				}
				test.Tap(b)
			})
		}
		if len(*did) != 2 || (*did)[0] != "try" || (*did)[1] != "done" {
			t.Errorf("did %q", *did)
		}
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	if tone, text := welcome.Describe(w, bridge.Finding{Code: "unheard_of", OK: true}); tone != widget.ToneOK || text != "Check: unheard_of" {
		t.Errorf("got %s %q", tone, text)
	}
	if tone, text := welcome.Describe(w, bridge.Finding{Code: "unheard_of", Err: errors.New("secret detail")}); tone != widget.ToneError || text == "Check: unheard_of" || text == "secret detail" {
		t.Errorf("got %s %q", tone, text)
	}
}

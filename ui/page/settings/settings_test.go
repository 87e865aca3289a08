package settings_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/page/settings"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

func TestPage(t *testing.T) {
	kit, shell := uitest.NewKit(t, bridge.English, time.Now())
	var changed []string
	p := settings.New(kit, uitest.NewEmptyHouse(time.Now()), settings.Options{
		Languages: []string{"auto", "zh-CN", "en"}, Looks: []string{"system", "light", "dark"}, Language: "en", Look: "system",
		OnLanguage: func(s string) { changed = append(changed, s) }, OnLook: func(s string) { changed = append(changed, s) },
		OnDiagnostics: func() { changed = append(changed, "diagnostics") }, Version: "1.2.3",
	})
	uitest.Show(t, p.Content(), 800, 900)
	var pickers []*widget.Segments
	for _, want := range []int{2, 0} { // English, system
		s, ok := uitest.Find(p.Content(), func(s *widget.Segments) bool {
			for _, old := range pickers {
				if old == s {
					return false
				}
			}
			return true
		})
		if !ok || s.Picked() != want {
			t.Fatalf("picked %v, want %d", s, want)
		}
		pickers = append(pickers, s)
	}
	pickers[0].Pick(1)
	pickers[1].Pick(2)
	save, ok := uitest.Find(p.Content(), func(b *fyneui.Button) bool { return b.Text == "Save diagnostics" })
	if !ok {
		t.Fatal("no way to save diagnostics")
	}
	test.Tap(save)
	if diff := cmp.Diff([]string{"zh-CN", "dark", "diagnostics"}, changed); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"Copy", "Open"} {
		b, ok := uitest.Find(p.Content(), func(b *fyneui.Button) bool { return b.Text == name })
		if !ok {
			t.Fatalf("no %s", name)
		}
		test.Tap(b)
	}
	folder := []string{"/home/lin/.local/share/switchboard"}
	if diff := cmp.Diff([][]string{folder, folder}, [][]string{shell.Copied, shell.Opened}); diff != "" {
		t.Error(diff)
	}
	if _, ok := uitest.Find(p.Content(), func(l *widget.Line) bool { return l.Text() == "Switchboard 1.2.3" }); !ok {
		t.Error("does not tell its version")
	}
}

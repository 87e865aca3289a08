package privacy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/page/privacy"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

// desk is the page in a window.
type desk struct {
	*testing.T
	page  *privacy.Page
	house *uitest.House
	shell *uitest.Shell
	do    func(func()) // acts, and waits until everything is quiet
}

func atDesk(t *testing.T, f func(d *desk)) {
	t.Helper()
	atDeskOf(t, func(house *uitest.House) privacy.Backend { return house }, f)
}

// atDeskOf is atDesk with something that stands before the house.
func atDeskOf(t *testing.T, before func(*uitest.House) privacy.Backend, f func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := &desk{T: t, house: uitest.NewHouse(bridge.English, time.Now())}
		kit, shell := uitest.NewKit(t, bridge.English, time.Now())
		d.shell = shell
		d.page = privacy.New(ctx, kit, before(d.house))
		d.do = func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		uitest.Show(t, d.page.Content(), 900, 1200)
		d.do(func() { d.page.Shown(true) })
		f(d)
		cancel()
		synctest.Wait()
	})
}

func (d *desk) entry(placeholder string) *widget.Entry {
	d.Helper()
	var last *widget.Entry
	for _, o := range test.LaidOutObjects(d.page.Content()) {
		if e, ok := o.(*widget.Entry); ok && e.PlaceHolder == placeholder {
			last = e
		}
	}
	if last == nil {
		d.Fatalf("no entry for %s", placeholder)
	}
	return last
}

func (d *desk) button(text string, icon fyne.Resource) *fyneui.Button {
	d.Helper()
	b, ok := uitest.Find(d.page.Content(), func(b *fyneui.Button) bool {
		return b.Text == text && (icon == nil || b.Icon != nil && b.Icon.Name() == icon.Name())
	})
	if !ok {
		d.Fatalf("no button %q", text)
	}
	return b
}

func TestShowsWhatHolds(t *testing.T) {
	atDesk(t, func(d *desk) {
		answers, agents, keep := d.page.Switches()
		save, discard := d.page.Buttons()
		if !answers.Checked || agents.Checked || !keep.Checked || d.page.BuiltIn("passport").Checked || !d.page.BuiltIn("mobile").Checked || d.page.Own() != 1 {
			d.Error("not what is stored")
		}
		if !save.Disabled() || !discard.Disabled() || d.page.Deletes() {
			d.Error("there is something to save")
		}
		if got := d.page.Result(); !strings.Contains(got, "138＊＊＊＊5678") || strings.Contains(got, "13812345678") {
			d.Errorf("the sample becomes %q", got)
		}
		if got := d.page.Found(); got != "Mobile number: 1" {
			d.Errorf("found %q", got)
		}
	})
}

// TestSave changes everything there is, and finds it stored.
func TestSave(t *testing.T) {
	atDesk(t, func(d *desk) {
		answers, agents, keep := d.page.Switches()
		save, discard := d.page.Buttons()
		d.do(func() { test.Tap(answers) })
		d.do(func() { test.Tap(agents) })
		d.do(func() { test.Tap(d.page.BuiltIn("mobile")) })
		d.do(func() { test.Tap(d.page.BuiltIn("passport")) })
		d.do(func() { test.Tap(d.button("Add a rule", nil)) })
		if d.page.Own() != 2 || save.Disabled() {
			d.Fatal("no second rule")
		}
		d.do(func() { test.Type(d.entry("Name"), "room") })
		d.do(func() { test.Type(d.entry(`Pattern, for example EMP\d{6}`), `R-\d{4}`) })
		d.do(func() { d.page.Sample().SetText("13812345678 R-2041") })
		if got := d.page.Result(); got != "13812345678 ＊＊＊" || d.page.Found() != "room: 1" {
			d.Errorf("the sample becomes %q, found %q", got, d.page.Found())
		}
		if d.page.Deletes() || save.Importance != fyneui.HighImportance {
			d.Error("it warns of deleting")
		}
		d.do(func() { test.Tap(keep) })
		if !d.page.Deletes() || save.Importance != fyneui.DangerImportance {
			d.Error("it does not warn of deleting")
		}
		d.do(func() { test.Tap(save) })
		want := bridge.Privacy{
			MaskToAgent: true, Off: []string{"mobile"},
			Custom: []bridge.MaskRule{{Name: "工号", Pattern: `EMP\d{6}`, Mask: "3+2"}, {Name: "room", Pattern: `R-\d{4}`}},
		}
		if diff := cmp.Diff(want, d.house.Privacy()); diff != "" || len(d.shell.Said) != 1 {
			d.Error(diff, d.shell.Said)
		}
		if !save.Disabled() || !discard.Disabled() || d.page.Deletes() {
			d.Error("there is still something to save")
		}
	})
}

// slowHouse takes a few seconds to save.
type slowHouse struct{ *uitest.House }

func (h slowHouse) SavePrivacy(ctx context.Context, p bridge.Privacy) error {
	time.Sleep(3 * time.Second)
	return h.House.SavePrivacy(ctx, p)
}

func TestChangedWhileSaving(t *testing.T) {
	atDeskOf(t, func(house *uitest.House) privacy.Backend { return slowHouse{house} }, func(d *desk) {
		answers, agents, _ := d.page.Switches()
		save, _ := d.page.Buttons()
		before := answers.Checked
		d.do(func() { test.Tap(agents) })
		d.do(func() { test.Tap(save) })
		d.do(func() { test.Tap(answers) })
		for range 3 {
			d.do(func() {})
		}
		if answers.Checked == before || save.Disabled() || d.house.Privacy().MaskAnswers != before || len(d.shell.Said) != 1 {
			d.Errorf("the switch is %v, before %v; saved %v", answers.Checked, before, d.house.Privacy())
		}
	})
}

// TestDiscard goes back to what is stored.
func TestDiscard(t *testing.T) {
	atDesk(t, func(d *desk) {
		before := d.house.Privacy()
		answers, _, _ := d.page.Switches()
		save, discard := d.page.Buttons()
		d.do(func() { test.Tap(answers) })
		d.do(func() { test.Type(d.entry("Name"), "x") })
		d.do(func() { d.page.Shown(true) })
		if answers.Checked {
			d.Error("coming back loses what was not saved")
		}
		d.do(func() { test.Tap(discard) })
		if !answers.Checked || d.entry("Name").Text != "工号" || !save.Disabled() {
			d.Error("not discarded")
		}
		if diff := cmp.Diff(before, d.house.Privacy()); diff != "" {
			d.Error(diff)
		}
	})
}

// TestWrongRule: what cannot be saved is said at once, and cannot be saved.
func TestWrongRule(t *testing.T) {
	atDesk(t, func(d *desk) {
		save, discard := d.page.Buttons()
		d.do(func() { d.entry(`Pattern, for example EMP\d{6}`).SetText("(") })
		if !d.page.Wrong() || !save.Disabled() || discard.Disabled() {
			d.Error("a wrong pattern can be saved, or cannot be taken back")
		}
		d.do(func() { d.entry(`Pattern, for example EMP\d{6}`).SetText("(a)") })
		if d.page.Wrong() || save.Disabled() {
			d.Error("a right one cannot be saved")
		}
	})
}

func TestSaveFails(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.house.Fail = errors.New("no room")
		answers, _, _ := d.page.Switches()
		save, _ := d.page.Buttons()
		d.do(func() { test.Tap(answers) })
		d.do(func() { test.Tap(save) })
		if len(d.shell.Troubles) != 1 || answers.Checked || save.Disabled() {
			d.Error("what could not be saved is lost, or cannot be tried again")
		}
	})
}

package people_test

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

// tapIn taps the only button of the suggestions that says something.
func (d *desk) tapIn(word string) {
	d.Helper()
	d.do(func() {
		var hits []*fyneui.Button
		uitest.Find(d.AlikeBody(), func(b *fyneui.Button) bool {
			if b.Text == word {
				hits = append(hits, b)
			}
			return false
		})
		if len(hits) != 1 {
			d.Fatalf("%d buttons %q", len(hits), word)
		}
		test.Tap(hits[0])
	})
}

// reading is everything that stands on the page of suggestions.
func (d *desk) reading() string {
	var all []string
	uitest.Find(d.AlikeBody(), func(l *widget.Line) bool {
		all = append(all, l.Text())
		return false
	})
	uitest.Find(d.AlikeBody(), func(t *fyneui.RichText) bool {
		all = append(all, t.String())
		return false
	})
	return strings.Join(all, "\n")
}

func (d *desk) reads(want ...string) {
	d.Helper()
	for _, w := range want {
		if text := d.reading(); !strings.Contains(text, w) {
			d.Errorf("does not say %q:\n%s", w, text)
		}
	}
}

func (d *desk) counts(n string) {
	d.Helper()
	want := []string{"All", "Suggestions (" + n + ")"}
	if diff := cmp.Diff([2][]string{want, want}, d.Tabs()); diff != "" {
		d.Error(diff)
	}
}

// TestTellApart: two people stand side by side with what is equal; who is not one
// person is remembered, and that can be taken back.
func TestTellApart(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		d.counts("1")
		d.do(func() { d.Suggestions(true) })
		if d.InFront() != "suggestions" {
			d.Errorf("%s is in front", d.InFront())
		}
		d.reads("The same e-mail address in both directories", "Lin Wen", "Wen L.", "lin.wen@example.com", "Lin.Wen@example.com", "HR · 13800138000")
		d.tapIn("Not the same person")
		d.counts("0")
		d.reads("No suggestions", "A suggestion needs two people who both wrote", "Decided lately", "Lin Wen and Wen L. are two people", "in this window")
		d.tapIn("Undo")
		d.counts("1")
		if strings.Contains(d.reading(), "Decided lately") || strings.Contains(d.reading(), "No suggestions") {
			d.Error(d.reading())
		}
		d.did("apart p_01kb200 p_01kb202", "undo 900")
		d.do(func() { d.Suggestions(false) })
		if d.InFront() != "list" {
			d.Errorf("%s is in front", d.InFront())
		}
	})
}

// TestMergeAlike: who stays can be chosen, what would happen is told first, and a
// change elsewhere does not sweep it away.
func TestMergeAlike(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		d.do(func() { d.Suggestions(true) })
		d.tapIn("Merge…")
		d.reads("Wen L. becomes Lin Wen. The name stays, the role is \"Administrator\"")
		d.did()
		d.tapIn("Cancel")
		d.tapIn("Merge…")
		d.do(func() {
			stays, ok := uitest.Find(d.AlikeBody(), func(*widget.Segments) bool { return true })
			if !ok || len(stays.Labels()) != 2 || stays.Labels()[0] == stays.Labels()[1] {
				d.Fatal("no choice of who stays")
			}
			stays.Pick(1)
		})
		d.reads("Lin Wen becomes Wen L.. The name stays, the role is \"Member\"")
		if err := d.house.GiveRole(d.Context(), "p_01kb200", bridge.RoleGuest); err != nil {
			d.Fatal(err)
		}
		d.do(d.Refresh)
		d.tapIn("Merge")
		d.did("role p_01kb200 guest", "merge p_01kb200 into p_01kb202")
		d.reads("Lin Wen became part of Wen L.")
		d.counts("0")
	})
}

// TestTellApartInTheList: the same can be said where one of them is looked at.
func TestTellApartInTheList(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		d.tap("Not the same person")
		d.did("apart p_01kb200 p_01kb202")
		d.counts("0")
		if d.Chosen() != "Lin Wen" || len(d.shell.Said) != 1 {
			d.Errorf("chosen %q, said %q", d.Chosen(), d.shell.Said)
		}
	})
}

// TestRevealAlike: a click on one of two shows them in the list, whatever was
// searched for.
func TestRevealAlike(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		d.do(func() { d.Search().SetText("Zhao") })
		d.do(func() { d.Filter(5) })
		d.do(func() { d.Suggestions(true) })
		d.do(func() {
			n := 0
			side, ok := uitest.Find(d.AlikeBody(), func(*widget.Tile) bool { n++; return n == 2 })
			if !ok {
				d.Fatal("no second side")
			}
			test.Tap(side)
		})
		if d.InFront() != "list" || d.Chosen() != "Wen L." || len(d.Names()) != 6 {
			d.Errorf("%s is in front, chosen %q of %q", d.InFront(), d.Chosen(), d.Names())
		}
	})
}

// TestAlikeTrouble: what fails is told, and what there was to decide is still there.
func TestAlikeTrouble(t *testing.T) {
	house := busy()
	atDesk(t, house, func(d *desk) {
		d.do(func() { d.Suggestions(true) })
		house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
		d.tapIn("Not the same person")
		if len(d.shell.Troubles) == 0 || len(d.shell.Said) != 0 {
			d.Errorf("troubles %v, said %q", d.shell.Troubles, d.shell.Said)
		}
		house.Fail = nil
		d.do(d.Refresh)
		d.tapIn("Merge…")
		house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
		d.tapIn("Merge")
		d.tapIn("Cancel") // while nothing can be read
		d.tapIn("Merge…")
		d.tapIn("Cancel")
		house.Fail = nil
		d.do(d.Refresh)
		d.tapIn("Not the same person")
		d.counts("0")
	})
}

// TestManyAlike: those that are not shown are counted.
func TestManyAlike(t *testing.T) {
	house := busy()
	house.Alike = 25
	atDesk(t, house, func(d *desk) {
		d.do(func() { d.Suggestions(true) })
		d.counts("25")
		d.reads("24 more after these")
	})
}

func TestNobodyAlikeYet(t *testing.T) {
	atDesk(t, uitest.NewEmptyHouse(at()), func(d *desk) {
		d.do(func() { d.Suggestions(true) })
		if d.InFront() != "nobody" {
			d.Errorf("%s is in front", d.InFront())
		}
	})
}

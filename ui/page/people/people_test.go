package people_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/people"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

func at() time.Time { return time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC) }

// desk is the page in a window.
type desk struct {
	*testing.T
	*people.Page
	house *uitest.House
	shell *uitest.Shell
	do    func(func()) // acts, and waits until everything is quiet
}

func atDesk(t *testing.T, house *uitest.House, f func(d *desk)) {
	t.Helper()
	atDeskOf(t, house, house, f)
}

// atDeskOf is atDesk with something that stands before the house.
func atDeskOf(t *testing.T, house *uitest.House, backend people.Backend, f func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := &desk{T: t, house: house}
		kit, shell := uitest.NewKit(t, bridge.English, at())
		d.shell = shell
		d.Page = people.New(ctx, kit, backend)
		d.do = func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		uitest.Show(t, d.Content(), 900, 1400)
		d.do(func() { d.Shown(true) })
		f(d)
		cancel()
		synctest.Wait()
	})
}

func busy() *uitest.House { return uitest.NewHouse(bridge.English, at()) }

// tap taps the first button that says something, below the chosen person.
func (d *desk) tap(word string) {
	d.Helper()
	d.do(func() {
		button, ok := uitest.Find(d.Body(), func(b *fyneui.Button) bool { return b.Text == word })
		if !ok {
			d.Fatalf("there is no button %q", word)
		}
		test.Tap(button)
	})
}

func (d *desk) offers(word string) bool {
	_, ok := uitest.Find(d.Body(), func(b *fyneui.Button) bool { return b.Text == word })
	return ok
}

func (d *desk) says(text string) bool {
	_, ok := uitest.Find(d.Body(), func(l *widget.Line) bool { return l.Text() == text })
	return ok
}

func (d *desk) did(want ...string) {
	d.Helper()
	if diff := cmp.Diff(want, d.house.Acts()); diff != "" {
		d.Error(diff)
	}
}

func TestListAndSearch(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		if diff := cmp.Diff([]string{"Lin Wen", "Chen Yue", "Wen L.", "Zhao Lei", "Priya Nair", "Sam Okafor"}, d.Names()); diff != "" {
			d.Error(diff)
		}
		if d.Chosen() != "Lin Wen" {
			d.Errorf("chosen %q", d.Chosen())
		}
		d.do(func() { d.Search().SetText("Zhao") })
		if diff := cmp.Diff([]string{"Zhao Lei"}, d.Names()); diff != "" {
			d.Error(diff)
		}
		d.do(func() { d.Search().SetText("nobody") })
		if !d.NoHitsVisible() || d.EmptyVisible() {
			d.Error("a search without hits does not say so")
		}
		d.do(func() { d.Search().SetText("") })
		for i, want := range map[int][]string{1: {"Chen Yue"}, 2: {"Lin Wen"}, 5: {"Sam Okafor"}} {
			d.do(func() { d.Filter(i) })
			if diff := cmp.Diff(want, d.Names()); diff != "" {
				d.Errorf("filter %d: %s", i, diff)
			}
		}
	})
}

func TestAccountsCanBeCopiedAndUnlinked(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		for _, want := range []string{"lin.wen@example.com", "HR · 13800138000", "ou_005f0c2a9d", "Role changed: Member → Administrator · in this window"} {
			if !d.says(want) {
				d.Errorf("does not say %q", want)
			}
		}
		var copies []*fyneui.Button
		uitest.Find(d.Body(), func(b *fyneui.Button) bool {
			if b.Text == "" {
				copies = append(copies, b)
			}
			return false
		})
		d.do(func() {
			for _, b := range copies {
				test.Tap(b)
			}
		})
		if diff := cmp.Diff([]string{"p_01kb200", "ou_005f0c2a9d", "ou_015f0c2a9d"}, d.shell.Copied); diff != "" {
			d.Error(diff)
		}
		d.tap("Unlink")
		d.tap("Undo")
		d.did("unlink ou_005f0c2a9d", "undo 7")
		d.do(func() { d.Select(4) })
		if d.Chosen() != "Priya Nair" || d.offers("Unlink") || d.offers("Undo") {
			d.Error("offers to unlink the only account, or to undo nothing")
		}
	})
}

func TestMergeShowsWhatWouldHappen(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		d.tap("This is the same person as …")
		if n := len(d.MergeHits()); n != 5 {
			d.Errorf("%d people to merge with, want all but the person", n)
		}
		d.do(func() { d.MergeSearch().SetText("Wen") })
		if n := len(d.MergeHits()); n != 1 {
			d.Fatalf("%d hits, want 1", n)
		}
		d.do(func() { test.Tap(d.MergeHits()[0].(fyne.Tappable)) }) //nolint:forcetypeassert,errcheck // or the test fails
		d.did()
		d.tap("Cancel")
		if d.Merging() {
			d.Error("still merging")
		}
		d.tap("Look at it")
		d.tap("Merge")
		d.did("merge p_01kb202 into p_01kb200")
		if d.Chosen() != "Lin Wen" || len(d.Names()) != 5 || d.Merging() || len(d.shell.Said) != 1 {
			d.Errorf("chosen %q, names %q, said %q", d.Chosen(), d.Names(), d.shell.Said)
		}
	})
}

func TestDecisionAboutANewcomer(t *testing.T) {
	for word, role := range map[string]string{"Approve": "member", "Decline": "blocked"} {
		atDesk(t, busy(), func(d *desk) {
			if d.offers(word) {
				d.Error("somebody who does not wait can be approved")
			}
			d.do(func() { d.Select(1) })
			d.tap(word)
			d.did("role p_01kb201 " + role)
			if d.offers(word) || d.Chosen() != "Chen Yue" {
				d.Error("still waits, or somebody else is shown")
			}
		})
	}
}

func TestRoleAndName(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		d.do(func() {
			pick, ok := uitest.Find(d.Body(), func(*widget.Segments) bool { return true })
			if !ok || pick.Picked() != 0 {
				d.Fatal("no choice of roles, or a wrong one taken")
			}
			pick.Pick(2)
		})
		d.do(func() { d.NameEntry().SetText("  ") })
		d.tap("Rename") // to nothing
		d.do(func() { d.NameEntry().SetText(" Wen Lin ") })
		if err := d.house.GiveRole(d.Context(), "p_01kb200", bridge.RoleMember); err != nil { // somebody else did
			d.Fatal(err)
		}
		d.do(d.Refresh)
		if d.NameEntry().Text != " Wen Lin " {
			d.Error("what is being typed was swept away")
		}
		d.tap("Rename")
		d.did("role p_01kb200 guest", "role p_01kb200 member", "rename p_01kb200 Wen Lin")
		if d.Names()[0] != "Wen Lin" || d.Chosen() != "Wen Lin" {
			d.Errorf("names %q", d.Names())
		}
	})
}

func TestTroubleIsTold(t *testing.T) {
	house := busy()
	atDesk(t, house, func(d *desk) {
		house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
		d.tap("Unlink")
		if len(d.shell.Troubles) == 0 || len(d.shell.Said) != 0 {
			d.Errorf("troubles %v, said %q", d.shell.Troubles, d.shell.Said)
		}
	})
}

// poorHouse takes a while to give a role, and gives nobody another name.
type poorHouse struct{ *uitest.House }

func (h *poorHouse) GiveRole(ctx context.Context, person string, role bridge.Role) error {
	time.Sleep(3 * time.Second)
	return h.House.GiveRole(ctx, person, role)
}

func (*poorHouse) RenamePerson(context.Context, string, string) error {
	return &bridge.Error{Kind: bridge.KindUnavailable}
}

func TestNameStaysWhenItCannotBeSaved(t *testing.T) {
	house := busy()
	atDeskOf(t, house, &poorHouse{house}, func(d *desk) {
		d.do(func() { d.NameEntry().SetText("Wen Lin") })
		d.tap("Rename")
		if len(d.shell.Troubles) != 1 || d.NameEntry().Text != "Wen Lin" {
			d.Errorf("troubles %v, the name that was typed is %q now", d.shell.Troubles, d.NameEntry().Text)
		}
		d.do(func() { d.Select(1) })
		if d.NameEntry().Text != "Chen Yue" {
			d.Errorf("somebody else is called %q", d.NameEntry().Text)
		}
	})
}

// TestSomebodyElseIsChosenMeanwhile: whoever looks at another person by the time
// something is done goes on looking at them.
func TestSomebodyElseIsChosenMeanwhile(t *testing.T) {
	house := busy()
	atDeskOf(t, house, &poorHouse{house}, func(d *desk) {
		d.do(func() { d.Select(1) })
		d.tap("Approve")
		d.do(func() { d.Select(3) })
		for range 3 {
			d.do(func() {})
		}
		d.did("role p_01kb201 member")
		if d.Chosen() != "Zhao Lei" || len(d.shell.Said) != 1 {
			d.Errorf("shows %q, said %q", d.Chosen(), d.shell.Said)
		}
		d.do(func() { d.Select(1) })
		if d.offers("Approve") {
			d.Error("who was approved can be approved")
		}
	})
}

func TestSomebodyWhoIsGone(t *testing.T) {
	house := busy()
	atDesk(t, house, func(d *desk) {
		if err := house.MergePeople(t.Context(), "p_01kb200", "p_01kb201"); err != nil {
			d.Fatal(err)
		}
		d.do(d.Refresh)
		if !d.NobodyChosen() || len(d.shell.Troubles) != 0 {
			d.Errorf("shows somebody who is gone; troubles %v", d.shell.Troubles)
		}
	})
}

func TestNobodyYet(t *testing.T) {
	atDesk(t, uitest.NewEmptyHouse(at()), func(d *desk) {
		if !d.EmptyVisible() {
			d.Error("an empty page does not say what to do")
		}
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.Chinese}
	r := bridge.PersonRow{Person: bridge.Person{Name: " ", Role: bridge.RoleGuest}, Identities: []bridge.Identity{{Platform: "a"}, {Platform: "a"}, {Platform: "b"}}}
	name, below, platforms, marked := people.DescribeRow(w, at(), r).Look()
	if name != "未命名" || below != "访客" || len(platforms) != 2 || marked {
		t.Errorf("got %q %q %v %v", name, below, platforms, marked)
	}
	r.Identities[0].User = "ou_7"
	if name, _, _, _ := people.DescribeRow(w, at(), r).Look(); name != "ou_7" {
		t.Errorf("got %q", name)
	}
	r.WaitsSince = at()
	if _, below, _, marked := people.DescribeRow(w, at(), r).Look(); below != "等待批准" || !marked {
		t.Errorf("got %q %v", below, marked)
	}
	for _, k := range bridge.AuditKinds() {
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			what, _ := people.DescribeAudit(live.Words{Lang: lang}, at(), bridge.Audit{Kind: k, Note: "guest to member"}).Parts()
			if what == "" || what == "audit."+string(k) {
				t.Errorf("%s %s: %q", lang, k, what)
			}
		}
	}
}

// TestWhatAMergeDoes: the role that is told is the one that there is afterwards, and
// what it means for who waits.
func TestWhatAMergeDoes(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	row := func(name string, role bridge.Role, waits bool) bridge.PersonRow {
		r := bridge.PersonRow{Person: bridge.Person{Name: name, Role: role}}
		if waits {
			r.WaitsSince = at()
		}
		return r
	}
	for _, c := range []struct {
		from, into         bridge.Role
		fromWaits, intoToo bool
		role, then         string
	}{
		{bridge.RoleMember, bridge.RoleGuest, false, false, "Guest", ""},
		{bridge.RoleMember, bridge.RoleNew, false, false, "Member", ""},
		{bridge.RoleNew, bridge.RoleNew, true, true, "New", "Both go on waiting for your decision, as one person."},
		{bridge.RoleNew, bridge.RoleNew, true, false, "New", "Both go on waiting for your decision, as one person."},
		{bridge.RoleNew, bridge.RoleMember, true, false, "Member", "Who waits for your decision will be admitted by this (role “Member”), and told so."},
		{bridge.RoleGuest, bridge.RoleNew, false, true, "Guest", "Who waits for your decision will be admitted by this (role “Guest”), and told so."},
		{bridge.RoleNew, bridge.RoleBlocked, true, false, "Blocked", "Who waits for your decision will be blocked by this."},
	} {
		got := people.Outcome(w, row("A", c.from, c.fromWaits), row("B", c.into, c.intoToo))
		if !strings.Contains(got[0], "A becomes B. The name stays, the role is “"+c.role+"”") || strings.Join(got[1:], "") != c.then {
			t.Errorf("%s into %s: %q", c.from, c.into, got)
		}
	}
}

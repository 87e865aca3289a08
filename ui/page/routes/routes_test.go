package routes_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/page/routes"
	"switchboard/ui/uitest"
)

// desk is the page in a window.
type desk struct {
	*testing.T
	page  *routes.Page
	house *uitest.House
	shell *uitest.Shell
	do    func(func()) // acts, and waits until everything is quiet
}

func atDesk(t *testing.T, rules []bridge.Route, f func(d *desk)) {
	t.Helper()
	atDeskOf(t, rules, func(house *uitest.House) routes.Backend { return house }, f)
}

// atDeskOf is atDesk with something that stands before the house.
func atDeskOf(t *testing.T, rules []bridge.Route, before func(*uitest.House) routes.Backend, f func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := &desk{T: t, house: uitest.NewHouse(bridge.English, time.Now())}
		d.house.SetRoutes(rules)
		kit, shell := uitest.NewKit(t, bridge.English, time.Now())
		d.shell = shell
		d.page = routes.New(ctx, kit, before(d.house))
		d.do = func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		uitest.Show(t, d.page.Content(), 900, 1600)
		d.do(func() { d.page.Shown(true) })
		f(d)
		cancel()
		synctest.Wait()
	})
}

func hr() bridge.Route {
	return bridge.Route{
		Name: "hr", When: []bridge.RouteCondition{{By: "keyword", Values: []string{"leave", "salary"}}},
		Then: bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: "hr"},
	}
}

func guests() bridge.Route {
	return bridge.Route{
		Name: "guests", When: []bridge.RouteCondition{{By: "role", Values: []string{"guest"}}},
		Then: bridge.RouteOutcome{Kind: bridge.RouteReply, Text: "Hello"},
	}
}

// The buttons on the card of a rule, in order.
const (
	up = iota
	down
	edit
	remove
)

func (d *desk) tap(rule, button int) {
	d.Helper()
	d.do(func() {
		buttons, _, _ := d.page.Rule(rule)
		test.Tap(buttons[button])
	})
}

func TestTry(t *testing.T) {
	atDesk(t, []bridge.Route{hr(), guests()}, func(d *desk) {
		for _, c := range []struct {
			text string
			role bridge.Role
			want string
		}{
			{"my leave", bridge.RoleMember, "Ask an agent: hr\n\"hr\" fits. Keyword: leave, salary\n" +
				"the app asks for Company (company), and nobody gives it a value.\nCountry (country): nothing\nShort answers (brief): nothing\nDepartment (department): who asks"},
			{"hello", bridge.RoleGuest, "Fixed answer: Hello\n\"hr\" does not fit. Keyword would have to be: leave, salary\n\"guests\" fits. Role: guest"},
			{"hello", bridge.RoleMember, "Ask an agent: helpdesk\n\"hr\" does not fit. Keyword would have to be: leave, salary\n\"guests\" does not fit. Role would have to be: guest\nNo rule fits: the channel's own agent answers."},
		} {
			d.do(func() { d.page.Try(bridge.RouteTrial{Bot: "feishu-office", Text: c.text, Role: c.role}) })
			if diff := cmp.Diff(c.want, d.page.Verdict()); diff != "" {
				d.Error(diff)
			}
		}
		d.do(func() { d.page.TryAt("tomorrow") })
		if got := d.page.Verdict(); !strings.Contains(got, "20:30") {
			d.Errorf("a wrong time says %q", got)
		}
		save, discard := d.page.Buttons()
		if !save.Disabled() || !discard.Disabled() {
			d.Error("trying is a change")
		}
	})
}

// TestEdit makes a rule from nothing, moves it up, and finds it stored.
func TestEdit(t *testing.T) {
	atDesk(t, []bridge.Route{hr()}, func(d *desk) {
		save, _ := d.page.Buttons()
		add, ok := uitest.Find(d.page.Content(), func(b *fyneui.Button) bool { return b.Text == "New rule" })
		if !ok {
			d.Fatal("no way to add a rule")
		}
		d.do(func() { test.Tap(add) })
		if d.page.Open() != 1 || !save.Disabled() || !cmp.Equal(d.page.Mistakes(), []int{1}) {
			d.Fatalf("open %d, mistakes %v: a rule without a word can be saved: %v", d.page.Open(), d.page.Mistakes(), !save.Disabled())
		}
		d.do(func() {
			_, entries, _ := d.page.Rule(1)
			entries[0].SetText(" money ")
			entries[1].SetText("invoice，发票, bill")
		})
		if len(d.page.Mistakes()) > 0 || save.Disabled() {
			d.Error("the mistake stays")
		}
		d.do(func() {
			_, _, selects := d.page.Rule(1)
			selects[1].SetSelected("Hand over to a human")
		})
		d.do(func() {
			_, _, selects := d.page.Rule(1)
			selects[1+1].SetSelected("10 minutes")
		})
		d.tap(1, up)
		if d.page.Open() != 0 {
			d.Error("the rule closes when it moves")
		}
		d.tap(0, edit)
		d.do(func() { test.Tap(save) })
		want := []bridge.Route{{
			Name: "money", When: []bridge.RouteCondition{{By: "keyword", Values: []string{"invoice", "发票", "bill"}}},
			Then: bridge.RouteOutcome{Kind: bridge.RouteHuman, For: 10 * time.Minute},
		}, hr()}
		if diff := cmp.Diff(want, d.house.Routes()); diff != "" || len(d.shell.Said) != 1 || !save.Disabled() {
			d.Error(diff, d.shell.Said)
		}
	})
}

// TestCommandForOne: one person's messages are taken for a command, which is told
// in words.
func TestCommandForOne(t *testing.T) {
	rule := bridge.Route{Name: "one", When: []bridge.RouteCondition{{By: "person", Values: []string{"Li"}}}, Then: bridge.RouteOutcome{Kind: bridge.RouteReply}}
	atDesk(t, []bridge.Route{rule}, func(d *desk) {
		d.tap(0, edit)
		choose := func(n int, word string) {
			d.do(func() {
				_, _, selects := d.page.Rule(0)
				selects[n].SetSelected(word)
			})
		}
		choose(1, "As a command")
		_, _, selects := d.page.Rule(0)
		if diff := cmp.Diff([]string{"/help (what one can do)", "/new (start a new conversation)", "/oncall"}, selects[2].Options); diff != "" {
			d.Fatal(diff)
		}
		choose(2, "/new (start a new conversation)")
		if diff := cmp.Diff(bridge.RouteOutcome{Kind: bridge.RouteIntent, Command: "new"}, d.page.Draft()[0].Then); diff != "" {
			d.Error(diff)
		}
		for person, want := range map[string]string{"Li": "/new (start a new conversation)\n\"one\" fits. Person: Li", "": "\"one\" does not fit. Person would have to be: Li"} {
			d.do(func() { d.page.TryAs(person) })
			if got := d.page.Verdict(); !strings.Contains(got, want) {
				d.Errorf("verdict for %q: %q", person, got)
			}
		}
	})
}

// TestConditions changes what a rule asks for.
func TestConditions(t *testing.T) {
	atDesk(t, []bridge.Route{hr()}, func(d *desk) {
		d.tap(0, edit)
		d.do(func() { // add a condition
			buttons, _, _ := d.page.Rule(0)
			test.Tap(buttons[len(buttons)-1])
		})
		d.do(func() {
			_, _, selects := d.page.Rule(0)
			selects[1].SetSelected("Role")
		})
		d.do(func() {
			_, _, selects := d.page.Rule(0)
			selects[2].SetSelected("guest")
		})
		want := []bridge.RouteCondition{{By: "keyword", Values: []string{"leave", "salary"}}, {By: "role", Values: []string{"guest"}}}
		if diff := cmp.Diff(want, d.page.Draft()[0].When); diff != "" {
			d.Fatal(diff)
		}
		d.do(func() { // take the first one away
			buttons, _, _ := d.page.Rule(0)
			test.Tap(buttons[remove+1])
		})
		if diff := cmp.Diff(want[1:], d.page.Draft()[0].When); diff != "" {
			d.Error(diff)
		}
	})
}

func TestRemoveAndDiscard(t *testing.T) {
	atDesk(t, []bridge.Route{hr(), guests()}, func(d *desk) {
		save, discard := d.page.Buttons()
		d.tap(0, remove)
		d.do(func() { d.page.Shown(true) })
		if diff := cmp.Diff([]bridge.Route{guests()}, d.page.Draft()); diff != "" || save.Disabled() {
			d.Fatal(diff)
		}
		d.do(func() { test.Tap(discard) })
		if diff := cmp.Diff([]bridge.Route{hr(), guests()}, d.page.Draft()); diff != "" || !save.Disabled() {
			d.Error(diff)
		}
		d.tap(1, up)
		d.tap(0, down)
		if !save.Disabled() {
			d.Error("up and down again is a change")
		}
	})
}

func TestSaveFails(t *testing.T) {
	atDesk(t, []bridge.Route{hr(), guests()}, func(d *desk) {
		save, _ := d.page.Buttons()
		d.tap(0, remove)
		d.house.Fail = errors.New("no room")
		d.do(func() { test.Tap(save) })
		if len(d.shell.Troubles) != 1 || save.Disabled() || len(d.page.Draft()) != 1 {
			d.Error("what could not be saved is lost, or cannot be tried again")
		}
	})
}

// slowHouse takes a few seconds to save, and to say what an agent asks for; the
// first time it cannot.
type slowHouse struct {
	*uitest.House
	asked atomic.Int32
}

func (h *slowHouse) AgentInputs(ctx context.Context, agent string) ([]bridge.Input, error) {
	time.Sleep(3 * time.Second)
	if h.asked.Add(1) == 1 {
		return nil, &bridge.Error{Kind: bridge.KindUnavailable}
	}
	return h.House.AgentInputs(ctx, agent)
}

func (h *slowHouse) SaveRoutes(ctx context.Context, rules []bridge.Route) error {
	time.Sleep(3 * time.Second)
	return h.House.SaveRoutes(ctx, rules)
}

// TestFormComesLate: a form that comes while somebody writes does not take the line
// away from under the cursor, and one that could not be had is asked for again.
func TestFormComesLate(t *testing.T) {
	atDeskOf(t, []bridge.Route{hr()}, func(house *uitest.House) routes.Backend { return &slowHouse{House: house} }, func(d *desk) {
		d.tap(0, edit)
		_, writing, _ := d.page.Rule(0)
		d.do(func() { writing[0].SetText("leave") })
		for range 3 {
			d.do(func() {})
		}
		if _, now, _ := d.page.Rule(0); now[0] != writing[0] || len(now) != 2 {
			t.Errorf("%d lines; another one stands in the place of the one in which somebody writes: %v", len(now), now[0] != writing[0])
		}
		d.tap(0, edit)
		d.tap(0, edit)
		for range 3 {
			d.do(func() {})
		}
		if _, now, _ := d.page.Rule(0); len(now) != 4 {
			t.Errorf("%d lines, want those of the form too", len(now))
		}
	})
}

func TestWrittenWhileSaving(t *testing.T) {
	atDeskOf(t, []bridge.Route{hr()}, func(house *uitest.House) routes.Backend { return &slowHouse{House: house} }, func(d *desk) {
		save, _ := d.page.Buttons()
		d.tap(0, edit)
		_, writing, _ := d.page.Rule(0)
		d.do(func() { writing[0].SetText("first") })
		d.do(func() { test.Tap(save) })
		d.do(func() { writing[0].SetText("second") })
		for range 3 {
			d.do(func() {})
		}
		if name := d.page.Draft()[0].Name; name != "second" || d.house.Routes()[0].Name != "first" || save.Disabled() {
			t.Errorf("the draft is %q, saved is %q", name, d.house.Routes()[0].Name)
		}
	})
}

// TestMistakesAtAWrongTime: a rule that was put right can be saved, whatever stands
// where the time of the trial belongs.
func TestMistakesAtAWrongTime(t *testing.T) {
	atDesk(t, []bridge.Route{hr()}, func(d *desk) {
		save, _ := d.page.Buttons()
		d.tap(0, edit)
		_, entries, _ := d.page.Rule(0)
		d.do(func() { entries[1].SetText("") })
		if len(d.page.Mistakes()) != 1 || !save.Disabled() {
			t.Fatal("a rule without words can be saved")
		}
		d.do(func() { d.page.TryAt("25:99") })
		d.do(func() { entries[1].SetText("holiday") })
		if len(d.page.Mistakes()) != 0 || save.Disabled() || !strings.Contains(d.page.Verdict(), "time") {
			t.Errorf("mistakes %v, cannot be saved: %v, verdict %q", d.page.Mistakes(), save.Disabled(), d.page.Verdict())
		}
	})
}

func TestEmpty(t *testing.T) {
	atDesk(t, nil, func(d *desk) {
		save, discard := d.page.Buttons()
		if !save.Disabled() || !discard.Disabled() || !strings.Contains(d.page.Verdict(), "No rule fits") {
			d.Errorf("the verdict is %q", d.page.Verdict())
		}
	})
}

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, " 20:30 ": time.Date(2026, 5, 1, 20, 30, 0, 0, time.UTC), "2026-12-24 08:05": time.Date(2026, 12, 24, 8, 5, 0, 0, time.UTC),
	} {
		if got, ok := routes.Moment(text, now); !ok || !got.Equal(want) {
			t.Errorf("%q is %v", text, got)
		}
	}
	if _, ok := routes.Moment("25:00", now); ok {
		t.Error("25:00 is a time")
	}
}

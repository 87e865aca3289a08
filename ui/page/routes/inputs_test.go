package routes_test

import (
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// TestInputs fills the form of an agent: each variable has a field that fits it,
// and what is empty is not part of the rule.
func TestInputs(t *testing.T) {
	atDesk(t, []bridge.Route{hr()}, func(d *desk) {
		d.tap(0, edit)
		verdict := func() string {
			d.do(func() { d.page.Try(bridge.RouteTrial{Bot: "feishu-office", Text: "my leave", Department: "Sales"}) })
			return d.page.Verdict()
		}
		if got := verdict(); !strings.Contains(got, "the app asks for Company (company), and nobody gives it a value.") {
			d.Errorf("verdict %q", got)
		}
		_, entries, selects := d.page.Rule(0)
		if len(entries) != 4 || len(selects) != 5 { // name, words, company, department; condition, outcome, agent, country, brief
			d.Fatalf("%d entries, %d selects", len(entries), len(selects))
		}
		if diff := cmp.Diff([]string{"Not set here", "China", "Germany"}, selects[3].Options); diff != "" {
			d.Error(diff)
		}
		d.do(func() {
			entries[2].SetText(" Acme ")
			selects[3].SetSelected("Germany")
			selects[4].SetSelected("Yes")
		})
		want := map[string]string{"company": "Acme", "country": "Germany", "brief": "true"}
		if diff := cmp.Diff(want, d.page.Draft()[0].Then.Inputs); diff != "" {
			d.Error(diff)
		}
		for _, line := range []string{"Company (company): Acme (this rule)", "Department (department): Sales (who asks)"} {
			if got := verdict(); !strings.Contains(got, line) {
				d.Errorf("no %q in %q", line, got)
			}
		}
		d.do(func() {
			entries[2].SetText("")
			selects[3].SetSelected("Not set here")
			selects[4].SetSelected("Not set here")
		})
		save, _ := d.page.Buttons()
		if d.page.Draft()[0].Then.Inputs != nil || !save.Disabled() {
			d.Error("what was taken back is a change")
		}
	})
}

// TestStrayInput: a value that the app does not ask for can be taken away, also
// while nobody knows what it asks for.
func TestStrayInput(t *testing.T) {
	for _, fail := range []error{nil, errors.New("no way there")} {
		rule := hr()
		rule.Then.Inputs = map[string]string{"town": "Rome"}
		atDesk(t, []bridge.Route{rule}, func(d *desk) {
			d.house.Fail = fail
			d.tap(0, edit)
			if diff := cmp.Diff([]bridge.Route{rule}, d.page.Draft()); diff != "" {
				d.Fatal(diff)
			}
			d.do(func() {
				buttons, _, _ := d.page.Rule(0)
				test.Tap(buttons[len(buttons)-1])
			})
			if d.page.Draft()[0].Then.Inputs != nil {
				d.Errorf("%+v stays", d.page.Draft()[0].Then)
			}
			if diff := cmp.Diff(map[string]string{"town": "Rome"}, rule.Then.Inputs); diff != "" {
				d.Errorf("what is stored changed: %s", diff)
			}
		})
	}
}

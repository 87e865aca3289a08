package routes_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/page/routes"
)

func TestList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by, text string
		want     []string
	}{
		{"keyword", "invoice，发票、 bill,,", []string{"invoice", "发票", "bill"}},
		{"keyword", " ", nil},
		{"keyword", `"a, b", c`, []string{"a, b", "c"}},
		{"keyword", "“报销，发票”、发票", []string{"报销，发票", "发票"}},
		{"keyword", "”报销，发票“", []string{"报销，发票"}},
		{"keyword", "＂报销、发票＂ , x", []string{"报销、发票", "x"}},
		{"keyword", `"say ""hi"", you"`, []string{`say "hi", you`}},
		{"keyword", `say "hi, you"`, []string{`say "hi`, `you"`}}, // as it always was
		{"keyword", `"half, done`, []string{`"half`, "done"}},
		{"keyword", `"a" b, c`, []string{`"a" b`, "c"}},
		{"keyword", `"", a`, []string{"a"}},
		{"hours", "Sat,Sun 10:00-16:00, Mon-Fri 09:00-18:00", []string{"Sat,Sun 10:00-16:00", "Mon-Fri 09:00-18:00"}},
		{"outside_hours", "周一到五，周日 9：00～18：00、周六 9:00-12:00", []string{"周一到五，周日 9：00～18：00", "周六 9:00-12:00"}},
		{"hours", "Mon", []string{"Mon"}},
		{"keyword", "Sat,Sun 10:00-16:00", []string{"Sat", "Sun 10:00-16:00"}},
	} {
		if diff := cmp.Diff(c.want, routes.List(c.by, c.text)); diff != "" {
			t.Errorf("%s %q: %s", c.by, c.text, diff)
		}
	}
	for want, values := range map[string][]string{
		"a, b c":             {"a", "b c"},
		`a, "b, c"`:          {"a", "b, c"},
		`"""a"""`:            {`"a"`},
		"":                   nil,
		`6" pipe, "““x””，y"`: {`6" pipe`, "“x”，y"},
	} {
		if got := routes.Written("keyword", values); got != want {
			t.Errorf("%q is written %s, want %s", values, got, want)
		}
	}
	if got := routes.Written("hours", []string{"Sat,Sun 10:00-16:00", "Mon 09:00-10:00"}); got != "Sat,Sun 10:00-16:00, Mon 09:00-10:00" {
		t.Errorf("hours are written %s", got)
	}
}

// TestListIsReadAsWritten: whatever values there are, nothing of them is lost.
func TestListIsReadAsWritten(t *testing.T) {
	t.Parallel()
	const letters = `ab ,，、"“”＂:：报`
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var values []string
		for range 1 + r.IntN(3) {
			v := ""
			for range 1 + r.IntN(6) {
				all := []rune(letters)
				v += string(all[r.IntN(len(all))])
			}
			if v = strings.TrimSpace(v); v != "" {
				values = append(values, v)
			}
		}
		for _, by := range []string{"keyword", "hours"} {
			text := routes.Written(by, values)
			if diff := cmp.Diff(values, routes.List(by, text)); diff != "" {
				t.Fatalf("%s %q written %s: %s", by, values, text, diff)
			}
		}
	}
}

// TestCommasSurvive: a value with a comma is still one after another was added.
func TestCommasSurvive(t *testing.T) {
	rule := bridge.Route{
		Name: "money", When: []bridge.RouteCondition{
			{By: "keyword", Values: []string{"报销，发票", "bills, receipts", "a、b", "plain"}}, {By: "hours", Values: []string{"Sat,Sun 10:00-16:00"}},
		},
		Then: bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: "hr"},
	}
	atDesk(t, []bridge.Route{rule}, func(d *desk) {
		if got := d.page.Cards(); !strings.Contains(got, "“bills, receipts”") || !strings.Contains(got, ", plain ") || strings.Contains(got, "“Sat") {
			d.Errorf("shown %s", got)
		}
		d.tap(0, edit)
		d.do(func() {
			_, entries, _ := d.page.Rule(0)
			entries[1].SetText(entries[1].Text + "，new")
			entries[2].SetText(entries[2].Text + "; ")
			entries[2].SetText(strings.TrimSuffix(entries[2].Text, "; ") + "，周一 09:00-12:00")
		})
		d.do(func() {
			save, _ := d.page.Buttons()
			test.Tap(save)
		})
		want := rule
		want.When = []bridge.RouteCondition{
			{By: "keyword", Values: []string{"报销，发票", "bills, receipts", "a、b", "plain", "new"}},
			{By: "hours", Values: []string{"Sat,Sun 10:00-16:00", "周一 09:00-12:00"}},
		}
		if diff := cmp.Diff([]bridge.Route{want}, d.house.Routes()); diff != "" {
			d.Error(diff)
		}
	})
}

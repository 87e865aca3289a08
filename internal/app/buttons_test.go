package app_test

import (
	"slices"
	"strings"
	"testing"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// seen are the bot's messages on the screens of an employee, in a group or not.
func (d *desk) seen(employee string) []bridge.Bubble {
	return slices.DeleteFunc(d.Bubbles(employee), func(b bridge.Bubble) bool { return !b.FromBot })
}

// presses clicks on the newest message that has such a button.
func (d *desk) presses(employee, button string) {
	d.Helper()
	for _, b := range slices.Backward(d.seen(employee)) {
		if slices.Contains(b.Buttons, button) {
			if err := d.Click(d.ctx, employee, bridge.MessageID(b.ID), button); err != nil {
				d.Fatal(err)
			}
			return
		}
	}
	d.Fatalf("%s sees no button %q: %+v", employee, button, d.seen(employee))
}

// newest waits until the newest message of the bot's is as wanted.
func (d *desk) newest(employee string, wanted func(b bridge.Bubble) bool) {
	d.Helper()
	until(d, func() bool {
		all := d.seen(employee)
		return len(all) > 0 && wanted(all[len(all)-1])
	})
}

func shows(text string, buttons ...string) func(bridge.Bubble) bool {
	return func(b bridge.Bubble) bool {
		return strings.Contains(b.Text, text) && slices.Equal(b.Buttons, buttons) && !b.Growing
	}
}

// TestButtons: a growing answer is stopped by its button, what is thought of one
// reaches the app and shows, a suggestion is asked, and nobody else in a group
// can click.
func TestButtons(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	defer close(hold)
	d := newDesk(t, difytest.App{
		Parameters: `{"suggested_questions_after_answer":{"enabled":true}}`, Suggested: []string{"Why so?"},
		Answer: func(q difytest.Question) difytest.Answer {
			if q.Query != "long" {
				return difytest.Answer{Text: "Dify heard " + q.Query}
			}
			return difytest.Answer{Parts: func(yield func(string) bool) {
				if yield("a beginning ") {
					<-hold
				}
			}}
		},
	})
	ask := func(text, group string) {
		t.Helper()
		if _, err := d.Write(d.ctx, simulator.Line{Employee: "li", Platform: d.on, Text: text, Group: group, Mention: true}); err != nil {
			t.Fatal(err)
		}
	}
	ask("long", "")
	d.newest("li", func(b bridge.Bubble) bool {
		return b.Growing && strings.Contains(b.Text, "a beginning") && slices.Equal(b.Buttons, []string{"Stop"})
	})
	if err := d.Click(d.ctx, "zhang", bridge.MessageID(d.seen("li")[0].ID), "Stop"); err == nil {
		t.Error("somebody clicks on what they do not see")
	}
	d.presses("li", "Stop")
	d.newest("li", shows("(stopped)", "🔄 Try again"))

	ask("hello", "")
	below := []string{"Why so?", "👍", "👎", "🔄 Another answer"}
	d.newest("li", shows("Dify heard hello", below...))
	d.presses("li", "👍")
	d.newest("li", shows("Dify heard hello", "Why so?", "👍 ✓", "👎", "🔄 Another answer"))
	d.presses("li", "👎")
	d.newest("li", shows("Dify heard hello", "Why so?", "👍", "👎 ✓", "🔄 Another answer"))
	d.presses("li", "👎 ✓")
	d.newest("li", shows("Dify heard hello", below...))
	d.presses("li", "Why so?")
	d.newest("li", shows("> Why so?\n\nDify heard Why so?", below...))
	d.presses("li", "🔄 Another answer")
	until(t, func() bool { return len(d.seen("li")) == 4 && d.idle() })
	rated := ""
	for _, r := range d.dify.Rated() {
		rated += r.Rating + " "
	}
	if rated != "like dislike  " {
		t.Errorf("rated %q", rated)
	}

	ask("team", "team")
	d.newest("li", shows("Dify heard team", below...))
	d.presses("zhang", "👍")
	d.newest("zhang", shows("for the person who asked"))
	d.presses("zhang", "Why so?")
	until(t, d.idle)
	d.presses("li", "👍")
	until(t, func() bool { return len(d.dify.Rated()) == 4 })
	var asked []string
	for _, q := range d.dify.Asked() {
		asked = append(asked, q.Query)
	}
	if got := strings.Join(asked, ", "); got != "long, hello, Why so?, Why so?, team" {
		t.Errorf("asked %q", got)
	}
	if v := d.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// TestDecisionByButton: a click on a choice lets the answer go on; then the choices
// are gone.
func TestDecisionByButton(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Mode: "advanced-chat", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Text: "Three days in May. ", Form: "Please review: {{#$output.comment#}}", After: map[string]string{"approve": "Approved: ", "reject": "Rejected: "}}
	}})
	if _, err := d.Say(d.ctx, "li", d.on, "I want a holiday"); err != nil {
		t.Fatal(err)
	}
	d.newest("li", shows("Please review: looks fine", "Approve", "Reject"))
	d.presses("li", "Reject")
	d.newest("li", func(b bridge.Bubble) bool {
		return strings.Contains(b.Text, "> Reject\n\nThree days in May. Rejected: looks fine") && !b.Growing
	})
	until(t, func() bool {
		form := d.seen("li")[0]
		return len(form.Buttons) == 0 && strings.Contains(form.Text, "Please review")
	})
	if v := d.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

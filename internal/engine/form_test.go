package engine_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/router"
)

// clerk is an agent whose answers to "apply" wait for a decision.
type clerk struct {
	bridge.Agent
	filled []string
	err    error
	before bool // somebody has decided before
	cut    int  // how often the connection breaks after the decision
	slow   time.Duration
	long   time.Duration // how long it goes on after its first words
	breaks bool          // the connection does, before these
}

func (c *clerk) Fill(ctx context.Context, conv bridge.Conversation, r bridge.Run, token, choice string, values map[string]bridge.FormValue) iter.Seq2[bridge.Event, error] {
	return func(yield func(bridge.Event, error) bool) {
		if c.err != nil {
			yield(nil, c.err)
			return
		}
		if c.before && !yield(bridge.Decided{}, nil) {
			return
		}
		select {
		case <-time.After(c.slow):
		case <-ctx.Done():
		}
		c.filled = append(c.filled, fmt.Sprintf("%s %s %s %v", r.Run, token, choice, written(values)))
		if c.cut > 0 {
			c.cut--
			c.before = true
			yield(nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: "test"})
			return
		}
		if !yield(bridge.Started{Conversation: conv, Run: r}, nil) {
			return
		}
		if c.breaks {
			yield(nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: "test"})
			return
		}
		if !yield(bridge.TextAdded{Text: "Before. Decided: " + choice}, nil) {
			return
		}
		select {
		case <-time.After(c.long):
			yield(bridge.Ended{}, nil)
		case <-ctx.Done():
			yield(nil, ctx.Err())
		}
	}
}

// written are values as they are easy to compare: texts, or the ids of files.
func written(values map[string]bridge.FormValue) map[string]string {
	all := map[string]string{}
	for name, v := range values {
		all[name] = v.Text
		for _, f := range v.Files {
			all[name] += f.ID + ";"
		}
		if v.List {
			all[name] = "[" + all[name] + "]"
		}
	}
	return all
}

func withClerk(t *testing.T, form bridge.Form, test func(h *house, c *clerk)) {
	t.Helper()
	inHouse(t, func(h *house) {
		c := &clerk{}
		h.agentOf = func(a bridge.Agent) bridge.Agent { c.Agent = a; return c }
		plain := h.agents["help"].Answer
		h.agents["help"].Answer = func(n int, q bridge.Question) []any {
			if q.Text != "apply" {
				return plain(n, q)
			}
			run := bridge.Run{Task: "t", Run: fmt.Sprintf("r%d", n)}
			return []any{bridge.Started{Conversation: bridge.Conversation{ID: "c1"}, Run: run}, bridge.TextAdded{Text: "Before."}, bridge.Paused{Form: form}}
		}
		h.open()
		test(h, c)
	})
}

func leave() bridge.Form {
	return bridge.Form{
		Token: "token", Text: "Three days off?", Fields: []bridge.FormField{{Name: "comment", Default: "fine"}},
		Choices: []bridge.FormChoice{{ID: "yes", Title: "Approve"}, {ID: "no", Title: "Reject"}},
	}
}

// TestForm: a decision is made by number or in words, with a comment or without,
// once.
func TestForm(t *testing.T) {
	t.Parallel()
	withClerk(t, leave(), func(h *house, c *clerk) {
		h.want("one", "li", "apply", "Before.", "Three days off?", "1. Approve\n2. Reject", "write comment", "fine")
		h.want("one", "li", "/help", "/new")
		h.want("one", "li", "2 too short", "Decided: no")
		h.want("one", "li", "1", "help: 1") // nothing waits any more
		h.say("one", "li", "apply")
		h.want("one", "li", "something else", "help: something else")
		h.want("one", "li", "1", "help: 1") // not about the form
		h.want("one", "li", "approve", "Decided: yes")
		want := "r1 token no map[comment:too short], r3 token yes map[comment:fine]"
		if got := strings.Join(c.filled, ", "); got != want {
			t.Errorf("filled in %q, want %q", got, want)
		}
	})
}

// TestFormOfAnotherAgent: where a rule led elsewhere, the decision goes there, too,
// from whichever platform it is made; what is none goes where it always went.
func TestFormOfAnotherAgent(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		c := &clerk{}
		h.agentOf = func(a bridge.Agent) bridge.Agent { c.Agent = a; return c }
		plain := h.agents["hr"].Answer
		h.agents["hr"].Answer = func(n int, q bridge.Question) []any {
			if !strings.HasPrefix(q.Text, "holidays") {
				return plain(n, q)
			}
			return []any{bridge.Started{Conversation: bridge.Conversation{ID: "c1"}, Run: bridge.Run{Run: fmt.Sprintf("r%d", n)}}, bridge.Paused{Form: leave()}}
		}
		h.route.Rules = []router.Rule{
			{Name: "hr", Keywords: []string{"holidays", "leave"}, Then: router.ToAgent{Agent: "hr"}},
			{Name: "no", Keywords: []string{"reject"}, Roles: []bridge.Role{bridge.RoleGuest}, Then: router.Refuse{Text: "No guests."}},
		}
		h.open()
		for _, bot := range []string{"one", "two"} {
			h.want(bot, "li", "holidays", "Three days off?", "1. Approve")
			h.want(bot, "li", "APPROVE\nsee you", "Decided: yes")
			h.want(bot, "li", "approve", "help: approve") // nothing waits any more
			h.want(bot, "li", "holidays", "1. Approve")
			h.want(bot, "li", "2 too short", "Decided: no")
			h.want(bot, "li", "2 too short", "help: 2 too short")
			h.want(bot, "li", "holidays", "1. Approve")
			h.want(bot, "li", "leave?", "hr: leave?")
			h.want(bot, "li", "1 more", "help: 1 more") // not about the form, which is not the last answer
			h.want(bot, "li", "hello", "help: hello")
			h.want(bot, "li", "1", "help: 1")
			h.want(bot, "li", "approved, thanks", "help: approved, thanks")
			h.want(bot, "li", " approve ", "Decided: yes")
		}
		h.hear(h.inGroup("one", "li", "holidays"))
		h.want("one", "li", "approve", "help: approve") // another chat
		if got := h.hear(h.inGroup("one", "li", "approve")); !strings.Contains(got, "Decided: yes") {
			h.Errorf("in a group li reads %q", got)
		}
		h.want("one", "li", "holidays", "1. Approve")
		h.role("one", "li", bridge.RoleGuest)
		h.want("one", "li", "reject", "No guests.")
		want := strings.Repeat("yes map[comment:see you] no map[comment:too short] yes map[comment:fine] ", 2) + "yes map[comment:fine] "
		got := ""
		for _, f := range c.filled {
			got += f[strings.Index(f, "token")+len("token "):] + " "
		}
		if got != want {
			h.Errorf("filled in %q", got)
		}
	})
}

// TestFormRefused: what the agent does not take is said, and a form that is gone
// is forgotten while one that was filled in wrongly waits.
func TestFormRefused(t *testing.T) {
	t.Parallel()
	withClerk(t, leave(), func(h *house, c *clerk) {
		h.say("one", "li", "apply")
		c.err = &bridge.Error{Kind: bridge.KindInvalid, Op: "test"}
		h.want("one", "li", "approve", "did not accept")
		c.err = &bridge.Error{Kind: bridge.KindExpired, Op: "test"}
		h.want("one", "li", "approve", "decided already")
		c.err = nil
		h.want("one", "li", "approve", "help: approve")
	})
}

// TestFormDecidedBefore: whoever decides second reads so, and what came of the first
// decision. A second attempt at one's own is no second decision.
func TestFormDecidedBefore(t *testing.T) {
	t.Parallel()
	withClerk(t, leave(), func(h *house, c *clerk) {
		h.say("one", "li", "apply")
		c.before = true
		h.want("one", "li", "approve", "was decided before", "Decided: yes")
		h.say("one", "li", "apply")
		c.before, c.cut = false, 1
		if got := h.say("one", "li", "approve"); strings.Contains(got, "before.") || !strings.Contains(got, "Decided: yes") || len(c.filled) != 3 {
			t.Errorf("li reads %q after %q", got, c.filled)
		}
	})
}

// TestFormOfOthers: in a group the asker decides, or an admin.
func TestFormOfOthers(t *testing.T) {
	t.Parallel()
	withClerk(t, leave(), func(h *house, c *clerk) {
		h.hear(h.inGroup("one", "li", "apply"))
		if got := h.hear(h.inGroup("one", "zhang", "1")); !strings.Contains(got, "Only the person who asked") || len(c.filled) > 0 {
			t.Errorf("zhang reads %q", got)
		}
		h.role("one", "alex", bridge.RoleAdmin)
		if got := h.hear(h.inGroup("one", "alex", "approve")); !strings.Contains(got, "Decided: yes") || strings.Contains(got, "decided on") {
			t.Errorf("alex reads %q", got)
		}
	})
}

// TestFormInTime: after its time a form is gone.
func TestFormInTime(t *testing.T) {
	t.Parallel()
	form := leave()
	form.Expires = time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)
	withClerk(t, form, func(h *house, c *clerk) {
		h.want("one", "li", "apply", "Until ")
		time.Sleep(time.Hour)
		h.want("one", "li", "1", "the time for it is over")
		if len(c.filled) > 0 {
			t.Errorf("filled in %q", c.filled)
		}
	})
}

// TestFormFields: several fields go by name, and a value has to be an option.
func TestFormFields(t *testing.T) {
	t.Parallel()
	form := leave()
	form.Fields = []bridge.FormField{{Name: "kind", Options: []string{"paid", "unpaid"}}, {Name: "note"}}
	withClerk(t, form, func(h *house, c *clerk) {
		h.want("one", "li", "apply", "kind: one of paid, unpaid", "Fields: kind, note")
		h.want("one", "li", "1", "choose kind from: paid, unpaid")
		h.want("one", "li", "approve\nkind：paid\nnote: see you", "Decided: yes")
		if len(c.filled) != 1 || c.filled[0] != "r1 token yes map[kind:paid note:see you]" {
			t.Errorf("filled in %q", c.filled)
		}
	})
}

// TestFormElsewhere: a form without a token, or for an agent that cannot be told,
// is shown, and nothing is a decision about it.
func TestFormElsewhere(t *testing.T) {
	t.Parallel()
	form := leave()
	form.Token = ""
	withClerk(t, form, func(h *house, _ *clerk) {
		h.want("one", "li", "apply", "Three days off?", "cannot be made in this chat")
		h.want("one", "li", "1", "help: 1")
	})
}

// TestDecisionOfAnOlderTalk: who decides about something from before /new hears what
// comes of it, and goes on with what is talked about now. What is hidden now is not
// what was hidden then.
func TestDecisionOfAnOlderTalk(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Privacy = func() engine.Privacy { return engine.Privacy{Filter: filter(h.T), ToAgent: true} }
		c := &clerk{}
		h.agentOf = func(a bridge.Agent) bridge.Agent { c.Agent = a; return c }
		form := leave()
		form.Choices[0].ID = "[MOBILE_1]"
		h.applies(form)
		h.open()
		h.say("one", "li", "my number is "+mobile)
		h.say("one", "li", "apply")
		h.say("one", "li", "/new")
		h.want("one", "li", "it is 15800001111 now", "15800001111", "(1 in help-3)")
		h.want("one", "li", "approve", "Decided: [MOBILE_1]")
		h.want("one", "li", "and now?", "(2 in help-3)")
	})
}

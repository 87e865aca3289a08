package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/router"
)

// TestRulesHoldForAgain: what a rule keeps from the agent does not reach it by way
// of a command that asks again, or of a number.
func TestRulesHoldForAgain(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{
			{Name: "no", Keywords: []string{"salary"}, Then: router.Refuse{Text: "Not here."}},
			{Name: "fixed", Keywords: []string{"wifi"}, Then: router.FixedReply{Text: "On the wall."}},
			{Name: "invoice", Keywords: []string{"invoice"}, Then: router.Forward{Bot: "three", Chat: "accounting"}},
			{Name: "guests", Roles: []bridge.Role{bridge.RoleGuest}, Then: router.Refuse{Text: "No guests."}},
		}
		h.open()
		h.want("one", "zhang", "my salary?", "Not here.")
		for _, text := range []string{"/again", "/retry"} {
			if got := h.say("one", "zhang", text); strings.Contains(got, "salary") {
				h.Errorf("%s after a refusal: %q", text, got)
			}
		}
		time.Sleep(11 * time.Minute)
		h.want("one", "zhang", "/again", "Not here.")
		h.want("one", "zhang", "wifi?", "On the wall.")
		h.want("one", "zhang", "/重新回答", "On the wall.")
		h.want("one", "zhang", "an invoice", "passed your message on")
		h.want("one", "zhang", "/again", "passed your message on")
		if got := h.chats["three"].Shown(); len(got) != 2 || !strings.Contains(got[1].Text, "an invoice") {
			h.Errorf("forwarded %+v", got)
		}
		h.role("one", "eve", bridge.RoleGuest)
		h.want("one", "eve", "hello", "No guests.")
		if got := h.say("one", "eve", "/again"); got != "" {
			h.Errorf("a guest reads %q", got)
		}
		if n := len(h.agents["help"].Questions()); n != 0 {
			h.Errorf("the agent was asked %d times", n)
		}
	})
	inHouse(t, func(h *house) { // nor what only became forbidden
		rules := []router.Rule{{Name: "old", Keywords: []string{"leave"}, Then: router.ToAgent{Agent: "help", Inputs: map[string]string{"country": "China"}}}}
		h.route.Rules = rules
		h.route.Allowed = map[bridge.Role][]string{bridge.RoleGuest: {"hr"}}
		h.open()
		h.want("one", "zhang", "leave?", "help: leave?")
		h.want("one", "zhang", "/again", "help: leave? (2 in help-1)")
		for _, q := range h.agents["help"].Questions() {
			if q.Inputs["country"] != "China" {
				h.Errorf("asked with %v", q.Inputs)
			}
		}
		h.role("one", "zhang", bridge.RoleGuest)
		h.want("one", "zhang", "/again", "not available to you")
	})
}

// TestPickedByRules: a number stands for a question, and the rules are about that.
func TestPickedByRules(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agentOf = func(a bridge.Agent) bridge.Agent {
			return &host{Agent: a, next: []string{"wifi?", "a human please", "more"}}
		}
		h.route.Rules = []router.Rule{
			{Name: "fixed", Keywords: []string{"wifi"}, Then: router.FixedReply{Text: "On the wall."}},
			{Name: "human", Keywords: []string{"human"}, Then: router.HandOver{For: time.Minute}},
			{Name: "hr", Keywords: []string{"leave"}, Then: router.ToAgent{Agent: "hr"}},
		}
		h.open()
		h.want("one", "zhang", "hello", "help: hello", "1. wifi?", "3. more")
		h.want("one", "zhang", "1", "On the wall.")
		h.want("one", "zhang", "hello", "2. a human please")
		h.want("one", "zhang", "2", "called a colleague")
		time.Sleep(time.Minute)
		h.want("one", "zhang", "leave?", "hr: leave?", "3. more")
		h.want("one", "zhang", "３", "hr: more (2 in hr-1)") // picked from what hr proposed
		h.want("one", "zhang", "7", "hr: 7 (3 in hr-1)")
		h.want("one", "zhang", "hello", "help: hello")
	})
}

// TestCommandsAboutTheLastAnswer are about it whichever agent gave it: rules may
// have led elsewhere, and a command has none of the words that did.
func TestCommandsAboutTheLastAnswer(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		j := &judged{}
		h.agentOf = func(a bridge.Agent) bridge.Agent { j.Agent = a; return j }
		h.route.Rules = []router.Rule{{Name: "hr", Keywords: []string{"leave"}, Then: router.ToAgent{Agent: "hr"}}}
		h.open()
		h.want("one", "zhang", "hello", "help: hello")
		h.want("one", "zhang", "leave?", "hr: leave?")
		h.want("one", "zhang", "/lang en", "English")
		h.want("one", "zhang", "/good", "was helpful")
		h.want("one", "zhang", "/again", "hr: leave?")
		h.want("one", "zhang", "/bad", "not helpful")
		h.want("one", "zhang", "hello", "help: hello")
		h.want("one", "zhang", "/good", "was helpful")
		h.want("one", "li", "/again", "no question to ask again")
		if got := strings.Join(j.told, ", "); got != "hr-1/t1 good, hr-1/t2 bad, help-1/t2 good" {
			h.Errorf("told %q", got)
		}
		for _, text := range []string{"@Bot leave?", "@Bot hello"} { // in a group it is one's own last question
			user := map[bool]string{true: "zhang", false: "li"}[strings.Contains(text, "leave")]
			h.hear(h.inGroup("one", user, text))
		}
		if got := h.hear(h.inGroup("one", "zhang", "@Bot /again")); !strings.Contains(got, "hr: @Bot leave?") {
			h.Errorf("zhang reads %q", got)
		}
		if got := h.hear(h.inGroup("one", "li", "@Bot /again")); !strings.Contains(got, "help: @Bot hello") {
			h.Errorf("li reads %q", got)
		}
	})
	inHouse(t, func(h *house) { // a failed question has no session yet
		h.route.Rules = []router.Rule{{Name: "hr", Keywords: []string{"leave"}, Then: router.ToAgent{Agent: "hr"}}}
		fine := h.agents["hr"].Answer
		h.agents["hr"].Answer = func(int, bridge.Question) []any { return []any{&bridge.Error{Kind: bridge.KindAgentFailed}} }
		h.open()
		h.want("one", "zhang", "leave?", "had a problem")
		h.agents["hr"].Answer = fine
		h.want("one", "zhang", "/retry", "hr: leave?")
	})
}

// TestNewInAGroup starts afresh with the agents of rules, too.
func TestNewInAGroup(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{{Name: "hr", Keywords: []string{"leave"}, Then: router.ToAgent{Agent: "hr"}}}
		h.open()
		for range 2 {
			for _, text := range []string{"leave?", "hello"} {
				if got := h.hear(h.inGroup("one", "zhang", text)); !strings.Contains(got, "(1 in ") {
					h.Errorf("%q goes on with %q", text, got)
				}
			}
			h.hear(h.inGroup("one", "li", "@Bot /new"))
		}
	})
}

// TestVoice: rules hear what was said, and a colleague reads it.
func TestVoice(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{
			{Name: "fixed", Keywords: []string{"wifi"}, Then: router.FixedReply{Text: "On the wall."}},
			{Name: "invoice", Keywords: []string{"发票"}, Then: router.Forward{Bot: "three", Chat: "accounting"}},
			{Name: "guests", Roles: []bridge.Role{bridge.RoleGuest}, Then: router.Forward{Bot: "three", Chat: "accounting"}},
		}
		h.open()
		said := func(user, text string, files ...bridge.File) string {
			m := h.message("one", user, text)
			m.Files = files
			return h.hear(m)
		}
		if got := said("zhang", "", bridge.File{Kind: bridge.FileAudio, Text: "What is the WiFi?"}); got != "On the wall." {
			h.Errorf("read %q", got)
		}
		if got := said("zhang", "", bridge.File{Kind: bridge.FileAudio, Text: "我要开发票"}); !strings.Contains(got, "已转达") {
			h.Errorf("read %q", got)
		}
		h.role("one", "eve", bridge.RoleGuest)
		said("eve", "", bridge.File{Kind: bridge.FileImage}, bridge.File{Kind: bridge.FileOther})
		said("eve", "look", bridge.File{Kind: bridge.FileVideo})
		shown := h.chats["three"].Shown()
		for n, want := range []string{
			"zhang（one）发来消息：\n\n我要开发票", "eve (one) wrote:\n\n(a picture, a file came with it; please look in the other chat)",
			"eve (one) wrote:\n\nlook\n\n(a video came with it; please look in the other chat)",
		} {
			if len(shown) != 3 || shown[n].Text != want {
				h.Errorf("forwarded %+v", shown)
			}
		}
	})
}

// TestRuleLeadsToCommand: the words that led to a command are no argument of it,
// unless they can be.
func TestRuleLeadsToCommand(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		ask := engine.Intent{
			Spec: router.Spec{Command: "duty"},
			Handle: func(_ context.Context, v engine.Visit) (engine.Answer, error) {
				m := v.Message
				m.Text = "duty: " + v.Argument
				return engine.Answer{Ask: &m}, nil
			},
		}
		h.opt.Intents, h.route.Commands = []engine.Intent{ask}, []router.Spec{ask.Spec}
		h.route.Allowed = map[bridge.Role][]string{bridge.RoleGuest: {"hr"}}
		h.route.Rules = []router.Rule{
			{Name: "link", Keywords: []string{"connect"}, Then: router.ToIntent{Command: router.CommandLink}},
			{Name: "lang", Keywords: []string{"english"}, Then: router.ToIntent{Command: router.CommandLang}},
			{Name: "again", Keywords: []string{"once more"}, Then: router.ToIntent{Command: router.CommandAgain}},
			{Name: "duty", Keywords: []string{"duty"}, Then: router.ToIntent{Command: "duty"}},
		}
		h.open()
		h.want("one", "zhang", "connect my accounts", "Your code is")
		h.want("one", "zhang", "English", "I will speak English")
		h.want("one", "zhang", "hello", "help: hello")
		h.want("one", "zhang", "once more", "help: hello (2 in")
		h.want("one", "zhang", "who is on duty", "help: duty: who is on duty")
		h.role("one", "eve", bridge.RoleGuest)
		h.want("one", "eve", "who is on duty", "not available to you")
	})
}

package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// TestAgainAsNow: what is asked again is decided as if it had been written where and
// when that was wanted, with the words that were heard.
func TestAgainAsNow(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{
			{Name: "two", Bots: []string{"two"}, Keywords: []string{"salary"}, Then: router.Refuse{Text: "Not here."}},
			{Name: "fixed", Keywords: []string{"wifi"}, Then: router.FixedReply{Text: "On the wall."}},
			{Name: "hr", Prefixes: []string{"hr"}, Then: router.ToAgent{Agent: "hr"}},
		}
		h.open()
		if err := h.store.Merge(h.Context(), h.person("two", "zhang").ID, h.person("one", "zhang").ID, bridge.Actor{}); err != nil {
			h.Fatal(err)
		}
		h.want("one", "zhang", "my salary?", "help: my salary?")
		h.want("two", "zhang", "/again", "Not here.")
		m := h.message("one", "zhang", "")
		m.Files = []bridge.File{{Kind: bridge.FileAudio, Text: "where is the wifi"}}
		h.hear(m)
		h.want("one", "zhang", "/again", "On the wall.")
		m = h.message("one", "zhang", "")
		m.Files = []bridge.File{{Kind: bridge.FileAudio, Text: "how are you"}}
		h.hear(m)
		h.want("one", "zhang", "/again", "help: how are you (3 in")
		h.want("one", "zhang", "/hr leave", "hr: leave (1 in")
		h.want("one", "zhang", "/again", "hr: leave (2 in")
		if got := strings.Join(h.notes(bridge.EntryRouted), "; "); strings.Count(got, "rule fixed") != 2 || strings.Count(got, "rule two") != 1 || strings.Count(got, "rule hr") != 2 {
			h.Errorf("noted %s", got)
		}
	})
}

// TestAgainACommand: a question that a rule took for a command is that command again,
// and one that asked again is put to the agent rather than going round in circles.
func TestAgainACommand(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{
			{Name: "lang", Keywords: []string{"english"}, Then: router.ToIntent{Command: router.CommandLang}},
			{Name: "again", Keywords: []string{"once more"}, Then: router.ToIntent{Command: router.CommandAgain}},
		}
		h.open()
		h.want("one", "zhang", "English", "I will speak English")
		h.want("one", "zhang", "/again", "I will speak English")
		h.want("one", "zhang", "hello", "help: hello")
		h.want("one", "zhang", "once more", "help: hello (2 in")
		h.want("one", "zhang", "/again", "help: once more (3 in")
	})
}

// TestAgainOfOneself: in a group that shares a talk it is one's own last question.
func TestAgainOfOneself(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		h.hear(h.inGroup("one", "zhang", "hello"))
		for _, command := range []string{"/again", "/retry"} {
			if got := h.hear(h.inGroup("one", "li", command)); !strings.Contains(got, "no question") && !strings.Contains(got, "nothing to") && !strings.Contains(got, "no unanswered") {
				h.Errorf("%s: li reads %q", command, got)
			}
		}
		h.hear(h.inGroup("one", "li", "what?"))
		if got := h.hear(h.inGroup("one", "zhang", "/again")); !strings.Contains(got, "help: hello") {
			h.Errorf("zhang reads %q", got)
		}
	})
}

// TestAgainAfterClicks: a suggestion that was clicked is a question, and a decision is
// none; a click on another try of what was answered since finds nothing to do.
func TestAgainAfterClicks(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, _ *butler) {
		h.say("one", "li", "what?")
		h.click("Why so?")
		h.want("one", "li", "/again", "help: Why so?")
		h.click("👍")
		h.want("one", "li", "/again", "help: Why so?")
		if got := h.do(press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: bridge.DoRetry, bridge.ValueJob: "1"})); strings.Contains(got, "help:") || got == "" {
			t.Errorf("li reads %q", got)
		}
		if got := h.asked(); !slices.Equal(got, []string{"what?", "Why so?", "Why so?", "Why so?"}) {
			t.Errorf("asked %q", got)
		}
	})
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"2", "by whom?"} }, func(h *house, _ *butler) {
		h.say("one", "li", "how many?")
		h.click("2") // is no number to pick with
		h.say("one", "li", "/again")
		if got := h.asked(); !slices.Equal(got, []string{"how many?", "2", "2"}) {
			t.Errorf("asked %q", got)
		}
	})
	withButtons(t, func(h *house, _ *butler) { h.applies(leave()) }, func(h *house, _ *butler) {
		h.say("one", "li", "apply")
		h.click("Reject")
		h.want("one", "li", "/again", "Three days off?")
		if got := h.asked(); !slices.Equal(got, []string{"apply", "apply"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// TestThumbsInAHurry: whoever changes their mind at once is heard every time.
func TestThumbsInAHurry(t *testing.T) {
	t.Parallel()
	withButtons(t, nil, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		good, bad := h.button("👍").Value, h.button("👎").Value
		h.do(press(h.message("one", "li", ""), good), press(h.message("one", "li", ""), bad), press(h.message("one", "li", ""), good))
		if got := strings.Join(b.judged.told, ", "); !strings.HasSuffix(got, "bad, help-1/t1 good") {
			t.Errorf("told %q", got)
		}
	})
}

// TestAgainElsewhere: another bot cannot fetch the files of a question, and asks
// without them.
func TestAgainElsewhere(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		kept := &shelf{files: map[string]string{"f1": "a picture"}}
		h.botOf = func(b bridge.Bot) bridge.Bot {
			s, _ := b.(bridge.Streamer)
			return keeper{b, s, kept}
		}
		h.agentOf = func(a bridge.Agent) bridge.Agent { return &eyes{Agent: a, h: h} }
		h.open()
		if err := h.store.Merge(h.Context(), h.person("two", "zhang").ID, h.person("one", "zhang").ID, bridge.Actor{}); err != nil {
			h.Fatal(err)
		}
		m := h.message("one", "zhang", "what is this?")
		m.Files = []bridge.File{{Kind: bridge.FileImage, ID: "f1"}}
		h.hear(m)
		h.want("one", "zhang", "/again", "help: what is this?")
		h.want("two", "zhang", "/again", "help: what is this?")
		var files []int
		for _, q := range h.agents["help"].Questions() {
			files = append(files, len(q.Files))
		}
		if !slices.Equal(files, []int{1, 1, 0}) {
			h.Errorf("asked with %v files", files)
		}
	})
}

// TestNumbersAfterOpening: that somebody opened the chat again changes nothing about
// what a number stands for, when nothing was shown to them because of it.
func TestNumbersAfterOpening(t *testing.T) {
	t.Parallel()
	withHost(t, func(h *house, _ *host) {
		h.say("one", "li", "what?")
		enter := press(h.message("one", "li", ""), nil)
		enter.Kind = bridge.ActionEntered
		h.do(enter)
		h.say("one", "li", "1")
		if got := h.asked(); !slices.Equal(got, []string{"what?", "Why so?"}) {
			t.Errorf("asked %q", got)
		}
	})
	withClerk(t, leave(), func(h *house, c *clerk) {
		h.say("one", "li", "apply")
		enter := press(h.message("one", "li", ""), nil)
		enter.Kind = bridge.ActionEntered
		h.do(enter)
		h.want("one", "li", "1", "Decided: yes")
		if len(c.filled) != 1 {
			t.Errorf("filled in %q", c.filled)
		}
	})
}

// TestMenuAfterARule: an item of the menu is about the last answer, like the word that
// it stands for.
func TestMenuAfterARule(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, _ *butler) {
		h.route.Rules = []router.Rule{{Name: "hr", Keywords: []string{"leave"}, Then: router.ToAgent{Agent: "hr"}}}
	}, func(h *house, b *butler) {
		h.say("one", "li", "hello")
		h.want("one", "li", "leave?", "hr: leave?")
		for _, key := range []string{bridge.DoAgain, bridge.DoGood} {
			a := press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: key})
			a.Kind = bridge.ActionMenu
			if got := h.do(a); key == bridge.DoAgain && !strings.Contains(got, "hr: leave? (2 in") {
				t.Errorf("%s: %q", key, got)
			}
		}
		if got := strings.Join(b.judged.told, ", "); got != "hr-1/t2 good" {
			t.Errorf("told %q", got)
		}
		time.Sleep(time.Minute)
	})
}

// TestAgainOfTheForgotten: another try of an answer whose question was forgotten
// says that there is none.
func TestAgainOfTheForgotten(t *testing.T) {
	t.Parallel()
	withButtons(t, nil, func(h *house, _ *butler) {
		h.say("one", "li", "what?")
		time.Sleep(5 * 24 * time.Hour)
		first := time.Now()
		h.click("🔄")
		if _, err := h.store.Forget(h.Context(), first, time.Time{}); err != nil {
			t.Fatal(err)
		}
		second := map[string]string{bridge.ValueDo: bridge.DoAgain, bridge.ValueJob: "2"}
		if got := h.do(press(h.message("one", "li", ""), second)); !strings.Contains(got, "no question") {
			t.Errorf("li reads %q", got)
		}
		if got := h.asked(); len(got) != 2 {
			t.Errorf("asked %q", got)
		}
	})
}

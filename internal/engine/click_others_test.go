package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// TestClicksOfOthers: in a group only who asked may click, but for an admin who
// stops or decides; others are told so once.
func TestClicksOfOthers(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, b *butler) {
		b.host.next = []string{"Why so?"}
		h.applies(leave())
	}, func(h *house, b *butler) {
		h.hear(h.inGroup("one", "li", "what?"))
		buttons := map[string]map[string]string{}
		for _, label := range []string{"Why so?", "👍", "👎", "🔄"} {
			buttons[label] = h.button(label).Value
		}
		by := func(user, label string) string {
			h.Helper()
			return h.do(press(h.inGroup("one", user, ""), buttons[label]))
		}
		by("li", "👍")
		by("li", "Why so?")
		h.hear(h.inGroup("one", "li", "apply"))
		buttons["Approve"] = h.button("Approve").Value
		if got := by("zhang", "👍"); got != "These buttons are for the person who asked." {
			t.Errorf("zhang reads %q", got)
		}
		for _, label := range []string{"Why so?", "👎", "🔄", "Approve"} {
			if got := by("zhang", label); got != "" {
				t.Errorf("zhang reads %q", got)
			}
		}
		h.role("one", "alex", bridge.RoleAdmin)
		if got := by("alex", "Why so?"); got == "" || len(h.asked()) != 3 {
			t.Errorf("alex reads %q", got)
		}
		if got := by("alex", "Approve"); !strings.Contains(got, "> Approve\n\nBefore. Decided: yes") {
			t.Errorf("alex reads %q", got)
		}
		h.role("one", "bob", bridge.RoleBlocked)
		if got := by("bob", "👍"); !strings.Contains(got, "may not answer you") {
			t.Errorf("bob reads %q", got)
		}
		if got := h.asked(); !slices.Equal(got, []string{"what?", "Why so?", "apply"}) || len(b.judged.told) != 1 {
			t.Errorf("asked %q, told %q", got, b.judged.told)
		}
	})
}

// TestStopOfOthers: a stranger does not stop an answer, an admin does.
func TestStopOfOthers(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, _ *butler) {
		h.agents["help"].Answer = func(int, bridge.Question) []any { return []any{bridge.TextAdded{Text: "a"}, time.Hour, bridge.Ended{}} }
	}, func(h *house, _ *butler) {
		h.accept(h.inGroup("one", "li", "long"))
		time.Sleep(time.Second)
		stop := map[string]string{bridge.ValueDo: bridge.DoStop, bridge.ValueJob: "1"}
		if got := h.do(press(h.inGroup("one", "zhang", ""), stop)); !strings.Contains(got, "for the person who asked") || !h.chats["one"].Shown()[0].Growing {
			t.Errorf("zhang reads %q", got)
		}
		h.role("one", "alex", bridge.RoleAdmin)
		if got := h.do(press(h.inGroup("one", "alex", ""), stop)); got != "" || h.chats["one"].Shown()[0].Growing {
			t.Errorf("alex reads %q", got)
		}
	})
}

// TestForeignClicks: whatever a click names, it is about its own bot and chat;
// everything else is noted and nothing more.
func TestForeignClicks(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, b *butler) {
		h.say("one", "li", "mine")               // job 1
		h.hear(h.inGroup("one", "li", "ours"))   // job 2
		h.say("two", "li", "mine, from the bus") // job 3
		asked := len(h.asked())
		value := func(do, job string) map[string]string {
			return map[string]string{bridge.ValueDo: do, bridge.ValueJob: job, bridge.ValueNumber: "1", bridge.ValueText: "Why so?"}
		}
		direct := func(do, job string) bridge.Action { return press(h.message("one", "zhang", ""), value(do, job)) }
		group := func(do, job string) bridge.Action { return press(h.inGroup("one", "li", ""), value(do, job)) }
		reaction := func(v map[string]string) bridge.Action {
			a := press(h.message("one", "li", ""), v)
			a.Kind = bridge.ActionReaction
			return a
		}
		menu := func(key string) bridge.Action {
			a := press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: key})
			a.Kind = bridge.ActionMenu
			return a
		}
		for n, a := range []bridge.Action{
			direct(bridge.DoGood, "1"), direct(bridge.DoAsk, "1"), direct(bridge.DoStop, "1"), direct(bridge.DoAgain, "2"), // another person's
			group(bridge.DoGood, "1"), group(bridge.DoAsk, "1"), // of the same person, but another chat
			press(h.message("one", "li", ""), value(bridge.DoGood, "3")), // another bot's
			press(h.message("one", "li", ""), value(bridge.DoGood, "999")), press(h.message("one", "li", ""), value(bridge.DoGood, "-1")),
			press(h.message("one", "li", ""), value(bridge.DoGood, "x")), press(h.message("one", "li", ""), value("dance", "1")),
			press(h.message("one", "li", ""), nil), reaction(nil), reaction(map[string]string{bridge.ValueDo: bridge.DoGood}),
			press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: bridge.DoAsk, bridge.ValueText: "Why so?"}),
			menu("weather"), menu(bridge.DoAsk), menu(""),
		} {
			if got := h.do(a); got != "" || len(h.asked()) != asked || len(b.judged.told) != 0 {
				t.Errorf("%d: shown %q, asked %q, told %q", n, got, h.asked(), b.judged.told)
			}
			if got := h.notes(bridge.EntryIgnored); len(got) != n+1 {
				t.Fatalf("%d: noted %q", n, got)
			}
		}
	})
}

// TestMenu: what a menu item is called is done.
func TestMenu(t *testing.T) {
	t.Parallel()
	withButtons(t, nil, func(h *house, _ *butler) {
		h.say("one", "li", "今天天气怎么样")
		choose := func(key string) string {
			a := press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: key})
			a.Kind = bridge.ActionMenu
			return h.do(a)
		}
		if got := choose("help"); !strings.Contains(got, "/new") || !strings.Contains(got, "新对话") {
			t.Errorf("help: %q", got)
		}
		if got := choose("new"); !strings.Contains(got, "新的对话") {
			t.Errorf("new: %q", got)
		}
		if got := choose("stop"); !strings.Contains(got, "没有") {
			t.Errorf("stop: %q", got)
		}
		h.want("one", "li", "again", "(1 in help-2)")
	})
}

// TestForgottenAnswer: when nothing is known of an answer any more its buttons say
// so once; when only its content is gone it can still be rated.
func TestForgottenAnswer(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		thumb, ask := h.button("👍").Value, h.button("Why").Value
		time.Sleep(24 * time.Hour)
		if _, err := h.store.Forget(h.Context(), time.Now(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := h.do(press(h.message("one", "li", ""), thumb)); !strings.Contains(got, "was helpful") || len(b.judged.told) != 1 {
			t.Errorf("shown %q", got)
		}
		if got := h.do(press(h.message("one", "li", ""), ask)); !strings.Contains(got, "help: Why so?") {
			t.Errorf("shown %q", got)
		}
		time.Sleep(20 * 24 * time.Hour)
		if _, err := h.store.Forget(h.Context(), time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := h.do(press(h.message("one", "li", ""), ask)); !strings.Contains(got, "too old for its buttons") {
			t.Errorf("shown %q", got)
		}
		if got := h.do(press(h.message("one", "li", ""), thumb)); got != "" {
			t.Errorf("said again: %q", got)
		}
		if len(h.asked()) != 2 || len(b.judged.told) != 1 {
			t.Errorf("asked %q, told %q", h.asked(), b.judged.told)
		}
	})
}

// TestClickWhileDown: what was clicked before a crash is done after it, once.
func TestClickWhileDown(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		h.inbox.Pause(true)
		if got := h.do(press(h.message("one", "li", ""), h.button("Why").Value), press(h.message("one", "li", ""), h.button("👍").Value)); got != "" {
			t.Errorf("shown %q", got)
		}
		// One run took the job, did what it stands for and died before it could say so.
		jobs, err := h.store.Claim(h.Context(), "local", "help", 1, time.Minute)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		ctx, die := context.WithCancel(h.Context())
		h.chats["one"].Fail = func(call string, n int) error {
			if call == "finish" && n == 2 {
				die()
			}
			return nil
		}
		h.engine.Handle(ctx, jobs[0])
		if _, err := h.store.Rescue(h.Context(), "local"); err != nil {
			t.Fatal(err)
		}
		h.inbox.Pause(false)
		time.Sleep(2 * time.Minute)
		texts := h.chats["one"].Texts()
		if len(texts) != 2 || !strings.Contains(texts[1], "> Why so?\n\nhelp: Why so?") {
			t.Errorf("shown %q", texts)
		}
		if got := labels(h.chats["one"].Shown()[0].Buttons); !strings.Contains(got, "👍 ✓") || len(b.judged.told) != 1 {
			t.Errorf("told %q, buttons %s", b.judged.told, got)
		}
	})
}

// TestMutedClicks: where a human answers, what asks the agent stays silent, and a
// rating counts.
func TestMutedClicks(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		if err := h.store.Mute(h.Context(), "one/direct-li", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.click("Why")
		h.click("🔄")
		h.click("👍")
		if len(h.asked()) != 1 || len(b.judged.told) != 1 {
			t.Errorf("asked %q, told %q", h.asked(), b.judged.told)
		}
	})
}

// TestLateClicks: what was clicked long before we were back is not answered by
// surprise, and a rating is still one.
func TestLateClicks(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		late := func(label string) string {
			a := press(h.message("one", "li", ""), h.button(label).Value)
			a.At = time.Now().Add(-3 * time.Hour)
			return h.do(a)
		}
		if got := late("Why"); !strings.Contains(got, "I was offline") {
			t.Errorf("shown %q", got)
		}
		if got := late("👍"); got != "" || len(b.judged.told) != 1 {
			t.Errorf("shown %q, told %q", got, b.judged.told)
		}
	})
}

package engine_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/reply"
)

// butler is an agent that can do everything beside answering.
type butler struct {
	bridge.Agent
	host   host
	clerk  clerk
	judged judged
	stops  []bridge.Run
}

func (b *butler) Suggest(ctx context.Context, c bridge.Conversation, r bridge.Run) ([]string, error) {
	return b.host.Suggest(ctx, c, r)
}

func (b *butler) Greet(ctx context.Context) (bridge.Greeting, error) { return b.host.Greet(ctx) }

func (b *butler) Fill(ctx context.Context, c bridge.Conversation, r bridge.Run, token, choice string, values map[string]bridge.FormValue) iter.Seq2[bridge.Event, error] {
	return b.clerk.Fill(ctx, c, r, token, choice, values)
}

func (b *butler) Feedback(ctx context.Context, c bridge.Conversation, r bridge.Run, rating bridge.Rating) error {
	return b.judged.Feedback(ctx, c, r, rating)
}

func (b *butler) Stop(_ context.Context, _ bridge.Conversation, r bridge.Run) error {
	b.stops = append(b.stops, r)
	return nil
}

// withButtons is a house whose bots show up to ten buttons, unless prepare says
// otherwise.
func withButtons(t *testing.T, prepare func(h *house, b *butler), test func(h *house, b *butler)) {
	t.Helper()
	inHouse(t, func(h *house) {
		b := &butler{}
		h.limits = func(c *bridge.Capabilities) { c.Buttons, c.MaxButtons = true, 10 }
		h.agentOf = func(a bridge.Agent) bridge.Agent { b.Agent = a; return b }
		if prepare != nil {
			prepare(h, b)
		}
		h.open()
		test(h, b)
	})
}

// last is the message that the first bot showed last.
func (h *house) last() (shown struct {
	Text    string
	Buttons []bridge.Button
},
) {
	h.Helper()
	all := h.chats["one"].Shown()
	if len(all) == 0 {
		h.Fatal("nothing is shown")
	}
	shown.Text, shown.Buttons = all[len(all)-1].Text, all[len(all)-1].Buttons
	return shown
}

func labels(buttons []bridge.Button) string {
	var all []string
	for _, b := range buttons {
		all = append(all, b.Text)
	}
	return strings.Join(all, " | ")
}

// button finds a button by the start of its words.
func (h *house) button(label string) bridge.Button {
	h.Helper()
	for _, shown := range slices.Backward(h.chats["one"].Shown()) {
		for _, b := range shown.Buttons {
			if strings.HasPrefix(b.Text, label) {
				return b
			}
		}
	}
	h.Fatalf("no button %q", label)
	return bridge.Button{}
}

// press makes the click of somebody on a button, in their direct chat unless a
// group's message says where.
func press(where bridge.Message, value map[string]string) bridge.Action {
	return bridge.Action{
		ID: "click-" + string(where.ID), Bot: where.Bot, Platform: where.Platform, Kind: bridge.ActionButton, Chat: where.Chat, Sender: where.Sender,
		At: time.Now(), Value: maps.Clone(value), Address: where.Address,
	}
}

// do accepts actions and returns what is shown after that.
func (h *house) do(actions ...bridge.Action) string {
	h.Helper()
	bot := actions[0].Bot
	before := len(h.chats[bot].Texts())
	if _, err := h.inbox.Accept(h.Context(), bridge.Delivery{Actions: actions}); err != nil {
		h.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	synctest.Wait()
	return strings.Join(h.chats[bot].Texts()[before:], " | ")
}

// click has Li click in their direct chat.
func (h *house) click(label string) string {
	h.Helper()
	return h.do(press(h.message("one", "li", ""), h.button(label).Value))
}

// notes are the notes of entries of a kind.
func (h *house) notes(kind bridge.EntryKind) []string {
	h.Helper()
	var all []string
	for job := int64(0); job < 60; job++ {
		entries, err := h.store.Entries(h.Context(), job)
		if err != nil {
			h.Fatal(err)
		}
		for _, e := range entries {
			if e.Kind == kind {
				all = append(all, e.Note)
			}
		}
	}
	return all
}

// TestButtonsBelow an answer are what one might ask next, what one thinks of it,
// and another answer; there are never more than fit.
func TestButtonsBelow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limits        func(*bridge.Capabilities)
		next          []string
		text, buttons string
	}{
		"all":           {nil, []string{"Why\nso?", "When?"}, "", "Why so? | When? | 👍 | 👎 | 🔄 Another answer"},
		"three at most": {nil, []string{"1?", "2?", "3?", "4?"}, "", "1? | 2? | 3? | 👍 | 👎 | 🔄 Another answer"},
		"a long one":    {nil, []string{"Why so?", strings.Repeat("long ", 13)}, "(send the number):\n1. Why so?\n2. long", "👍 | 👎 | 🔄 Another answer"},
		"a command":     {nil, []string{"/unlink"}, "(send the number):\n1. /unlink", "👍 | 👎 | 🔄 Another answer"},
		"few":           {func(c *bridge.Capabilities) { c.MaxButtons = 3 }, []string{"Why so?", "When?"}, "", "Why so? | When? | 🔄 Another answer"},
		"two":           {func(c *bridge.Capabilities) { c.MaxButtons = 2 }, []string{"Why so?", "1?", "2?"}, "1. Why so?", "👍 | 👎"},
		"none":          {func(c *bridge.Capabilities) { c.Buttons, c.MaxButtons = false, 0 }, []string{"Why so?"}, "1. Why so?", ""},
		"apart":         {func(c *bridge.Capabilities) { c.ButtonsApart = true }, []string{"Why so?"}, "", "Why so?"},
		"apart, none":   {func(c *bridge.Capabilities) { c.ButtonsApart = true }, nil, "", ""},
		"rated":         {func(c *bridge.Capabilities) { c.Ratings = true }, nil, "", "🔄 Another answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withButtons(t, func(h *house, b *butler) {
				b.host.next = c.next
				if plain := h.limits; c.limits != nil {
					h.limits = func(all *bridge.Capabilities) { plain(all); c.limits(all) }
				}
			}, func(h *house, _ *butler) {
				h.want("one", "li", "what?", "help: what?", c.text)
				if got := h.last(); labels(got.Buttons) != c.buttons || c.text == "" && strings.Contains(got.Text, "next") {
					t.Errorf("%q with %s", got.Text, labels(got.Buttons))
				}
			})
		})
	}
}

// TestSuggestionClicked: it is asked as if it had been written, once, and the
// answer repeats it; a number picks from buttons, too.
func TestSuggestionClicked(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?", "Since when?"} }, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		value := h.button("Since").Value
		m := h.message("one", "li", "")
		if got := h.do(press(m, value), press(m, value)); !strings.Contains(got, "> Since when?\n\nhelp: Since when?") {
			t.Errorf("shown %q", got)
		}
		h.do(press(m, value)) // delivered again
		h.say("one", "li", "1")
		h.say("one", "li", "/again")
		h.click("🔄")
		if got, want := h.asked(), []string{"what?", "Since when?", "Why so?", "Why so?", "Why so?"}; !slices.Equal(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
		// Twice while the first is being answered.
		slow := h.agents["help"].Answer
		h.agents["help"].Answer = func(n int, q bridge.Question) []any { return append([]any{4 * time.Second}, slow(n, q)...) }
		h.do(press(h.message("one", "li", ""), value), press(h.message("one", "li", ""), value), press(h.message("one", "li", ""), value))
		if got := h.asked(); len(got) != 6 {
			t.Errorf("asked %q", got)
		}
		time.Sleep(time.Minute)
		h.do(press(h.message("one", "li", ""), value)) // once more, meaning it
		if got := h.asked(); len(got) != 7 {
			t.Errorf("asked %q", got)
		}
	})
}

// TestSuggestionOfBefore: what belongs to an earlier conversation is not asked in
// another, and that is said once.
func TestSuggestionOfBefore(t *testing.T) {
	t.Parallel()
	withButtons(t, func(_ *house, b *butler) { b.host.next = []string{"Why so?"} }, func(h *house, b *butler) {
		h.say("one", "li", "what?")
		h.say("one", "li", "/new")
		if got := h.click("Why so?"); !strings.Contains(got, "an earlier conversation") {
			t.Errorf("shown %q", got)
		}
		if got := h.click("🔄"); got != "" {
			t.Errorf("said again: %q", got)
		}
		h.click("👎") // is about that answer, whatever came after
		if got := h.asked(); len(got) != 1 || len(b.judged.told) != 1 {
			t.Errorf("asked %q, told %q", got, b.judged.told)
		}
	})
}

// TestGreetingButtons: the questions of a greeting are buttons as well.
func TestGreetingButtons(t *testing.T) {
	t.Parallel()
	greet := bridge.Greeting{Text: "Welcome!", Questions: []string{"What can you do?"}}
	withButtons(t, func(_ *house, b *butler) { b.host.greet = greet }, func(h *house, b *butler) {
		enter := press(h.message("one", "li", ""), nil)
		enter.Kind = bridge.ActionEntered
		if got := h.do(enter); got != "Welcome!" || labels(h.last().Buttons) != "What can you do?" {
			t.Errorf("shown %q", got)
		}
		h.click("What")
		h.want("one", "li", "/new", "Welcome!")
		h.click("What")
		if got := h.asked(); !slices.Equal(got, []string{"What can you do?", "What can you do?"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// TestThumbs rate the answer they stand below, can be changed and taken back, and
// show what was chosen.
func TestThumbs(t *testing.T) {
	t.Parallel()
	withButtons(t, nil, func(h *house, b *butler) {
		h.say("one", "li", "first")
		first := h.button("👎").Value
		h.say("one", "li", "second")
		shown := func() string {
			h.Helper()
			all := h.chats["one"].Shown()
			return labels(all[0].Buttons) + " / " + labels(all[1].Buttons)
		}
		for _, step := range []struct {
			value map[string]string
			want  string
		}{
			{first, "👍 | 👎 ✓ | 🔄 Another answer / 👍 | 👎 | 🔄 Another answer"},
			{first, "👍 | 👎 ✓ | 🔄 Another answer / 👍 | 👎 | 🔄 Another answer"},
			{h.button("👍").Value, "👍 | 👎 ✓ | 🔄 Another answer / 👍 ✓ | 👎 | 🔄 Another answer"},
			{h.button("👎").Value, "👍 | 👎 ✓ | 🔄 Another answer / 👍 | 👎 ✓ | 🔄 Another answer"},
		} {
			if got := h.do(press(h.message("one", "li", ""), step.value)); got != "" {
				t.Errorf("said %q", got)
			}
			if got := shown(); got != step.want {
				t.Errorf("shown %s, want %s", got, step.want)
			}
		}
		h.click("👎 ✓")
		if got := shown(); !strings.HasSuffix(got, "/ 👍 | 👎 | 🔄 Another answer") {
			t.Errorf("shown %s", got)
		}
		h.want("one", "li", "/good", "was helpful")
		if got := shown(); !strings.HasSuffix(got, "/ 👍 ✓ | 👎 | 🔄 Another answer") {
			t.Errorf("shown %s", got)
		}
		want := "help-1/t1 bad, help-1/t1 bad, help-1/t2 good, help-1/t2 bad, help-1/t2 , help-1/t2 good"
		if got := strings.Join(b.judged.told, ", "); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// TestThumbsInWords: where the card cannot be shown again there is a sentence, and
// a rating that the platform shows itself gets none.
func TestThumbsInWords(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, _ *butler) { h.opt.Pace = func(string) reply.Pace { return reply.PaceOff } }, func(h *house, b *butler) {
		h.say("one", "li", "how?")
		if got := h.click("👍"); !strings.Contains(got, "was helpful") || strings.Contains(got, "/unrate") {
			t.Errorf("said %q", got)
		}
		rate := press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: bridge.DoBad, bridge.ValueJob: "1"})
		rate.Kind = bridge.ActionReaction
		if got := h.do(rate); got != "" {
			t.Errorf("said %q", got)
		}
		b.judged.err = &bridge.Error{Kind: bridge.KindNotFound, Op: "test"}
		again := rate
		again.ID += "x"
		if got := h.do(again); got != "" {
			t.Errorf("said %q", got)
		}
		if got := h.click("👍"); !strings.Contains(got, "cannot be rated") {
			t.Errorf("said %q", got)
		}
		if got := strings.Join(b.judged.told, ", "); got != "help-1/t1 good, help-1/t1 bad" {
			t.Errorf("told %q", got)
		}
	})
}

// TestAgainClicked asks what that answer was about, not the last question.
func TestAgainClicked(t *testing.T) {
	t.Parallel()
	withButtons(t, nil, func(h *house, _ *butler) {
		h.say("one", "li", "first")
		first := h.button("🔄").Value
		h.say("one", "li", "second")
		h.do(press(h.message("one", "li", ""), first))
		h.click("🔄") // of the answer to that
		if got := h.asked(); !slices.Equal(got, []string{"first", "second", "first", "first"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// TestRetryClicked: below an apology and below an answer that broke off.
func TestRetryClicked(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, _ *butler) {
		plain := h.agents["help"].Answer
		h.agents["help"].Answer = func(n int, q bridge.Question) []any {
			switch n {
			case 1:
				return []any{&bridge.Error{Kind: bridge.KindAgentFailed, Op: "test"}}
			case 2:
				return append(plain(n, q)[:2], &bridge.Error{Kind: bridge.KindAgentFailed, Op: "test"})
			}
			return plain(n, q)
		}
	}, func(h *house, _ *butler) {
		h.want("one", "li", "what?", "a problem with this question")
		apology := h.button("🔄 Try again").Value
		if got := h.click("🔄 Try again"); !strings.Contains(got, "help: what?") || !strings.Contains(got, "interrupted here") || labels(h.last().Buttons) != "🔄 Try again" {
			t.Errorf("shown %q with %s", got, labels(h.last().Buttons))
		}
		if got := h.click("🔄 Try again"); !strings.Contains(got, "help: what?") || strings.Contains(got, "interrupted") {
			t.Errorf("shown %q", got)
		}
		h.say("one", "li", "next")
		delete(apology, bridge.ValueNumber)
		h.do(press(h.message("one", "li", ""), apology))
		if got := h.asked(); !slices.Equal(got, []string{"what?", "what?", "what?", "next", "what?"}) {
			t.Errorf("asked %q", got)
		}
	})
}

// TestStopClicked ends the answer that the button stands below, while others wait
// for their turn, and says nothing else.
func TestStopClicked(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, _ *butler) {
		plain := h.agents["help"].Answer
		h.agents["help"].Answer = func(n int, q bridge.Question) []any {
			if q.Text != "long" {
				return plain(n, q)
			}
			run := bridge.Run{Task: "t"}
			return []any{bridge.Started{Conversation: bridge.Conversation{ID: "c"}, Run: run}, bridge.TextAdded{Text: "a beginning"}, time.Hour, bridge.Ended{}}
		}
	}, func(h *house, b *butler) {
		h.accept(h.message("one", "li", "long"))
		time.Sleep(time.Second)
		grows := h.chats["one"].Shown()[0]
		if grows.To.Stop != "Stop" || grows.To.Job != "1" || !grows.Growing {
			t.Errorf("shown %+v", grows)
		}
		stop := map[string]string{bridge.ValueDo: bridge.DoStop, bridge.ValueJob: grows.To.Job}
		h.want("one", "zhang", "other", "help: other")
		if got := h.do(press(h.message("one", "li", ""), stop)); got != "" {
			t.Errorf("said %q", got)
		}
		if got := h.chats["one"].Shown()[0]; got.Growing || !strings.Contains(got.Text, "a beginning") || !strings.Contains(got.Text, "(stopped)") || labels(got.Buttons) != "🔄 Try again" {
			t.Errorf("shown %+v", got)
		}
		if len(b.stops) != 1 {
			t.Errorf("the agent was told %d times", len(b.stops))
		}
		if got := h.do(press(h.message("one", "li", ""), stop)); got != "" { // too late is no trouble
			t.Errorf("said %q", got)
		}
	})
}

// TestFormClicked: a choice decides, once; its buttons go away and the answer says
// what was decided.
func TestFormClicked(t *testing.T) {
	t.Parallel()
	withButtons(t, func(h *house, _ *butler) { h.applies(leave()) }, func(h *house, b *butler) {
		h.want("one", "li", "apply", "Three days off?", "1. Approve\n2. Reject", "otherwise: fine")
		if got := labels(h.last().Buttons); got != "Approve | Reject" {
			t.Errorf("buttons %s", got)
		}
		value := h.button("Reject").Value
		m := press(h.message("one", "li", ""), value)
		second := press(h.message("one", "li", ""), value)
		if got := h.do(m, second); !strings.Contains(got, "> Reject\n\nBefore. Decided: no") || strings.Contains(got, "already") {
			t.Errorf("shown %q", got)
		}
		if form := h.chats["one"].Shown()[0]; len(form.Buttons) != 0 || !strings.Contains(form.Text, "Three days off?") {
			t.Errorf("the form is %+v", form)
		}
		time.Sleep(time.Hour)
		if got := h.do(press(h.message("one", "li", ""), value)); !strings.Contains(got, "decided already") {
			t.Errorf("shown %q", got)
		}
		if got := strings.Join(b.clerk.filled, ", "); got != "r1 token no map[comment:fine]" {
			t.Errorf("filled in %q", got)
		}
	})
}

// applies has the agent help answer "apply" with a form.
func (h *house) applies(form bridge.Form) {
	plain := h.agents["help"].Answer
	h.agents["help"].Answer = func(n int, q bridge.Question) []any {
		if q.Text != "apply" {
			return plain(n, q)
		}
		run := bridge.Run{Task: "t", Run: fmt.Sprintf("r%d", n)}
		return []any{bridge.Started{Conversation: bridge.Conversation{ID: "c1"}, Run: run}, bridge.TextAdded{Text: "Before."}, bridge.Paused{Form: form}}
	}
}

// TestFormButtons: a form is clickable when there is nothing else to say, and
// then its words do not explain how to write.
func TestFormButtons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*bridge.Form)
		text    string
		buttons string
	}{
		"no fields":     {func(f *bridge.Form) { f.Fields = nil }, "", "Approve | Reject"},
		"a default":     {func(*bridge.Form) {}, "1. Approve", "Approve | Reject"},
		"no default":    {func(f *bridge.Form) { f.Fields[0].Default = "" }, "1. Approve", ""},
		"a wrong value": {func(f *bridge.Form) { f.Fields[0].Options = []string{"a"} }, "1. Approve", ""},
		"many choices": {func(f *bridge.Form) {
			for range 9 {
				f.Choices = append(f.Choices, f.Choices[0])
			}
		}, "11. Approve", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withButtons(t, func(h *house, _ *butler) {
				form := leave()
				c.change(&form)
				h.applies(form)
			}, func(h *house, _ *butler) {
				h.want("one", "li", "apply", "Three days off?", c.text)
				if got := h.last(); labels(got.Buttons) != c.buttons || c.text == "" && strings.Contains(got.Text, "1.") {
					t.Errorf("%q with %s", got.Text, labels(got.Buttons))
				}
				h.want("one", "li", "approve\na", "Decided: yes") // writing it works all the same
				if form := h.chats["one"].Shown()[0]; len(form.Buttons) != 0 {
					t.Errorf("the form still has %s", labels(form.Buttons))
				}
			})
		})
	}
}

package router_test

import (
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// TestLastAgent: a command about the last answer, and the number of something
// that was proposed, belong where the last question was put.
func TestLastAgent(t *testing.T) {
	t.Parallel()
	rules, mistakes := parse(t, "[{when: {keyword: [leave, '3']}, agent: hr}, {when: {role: guest}, agent: hr}]")
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r, p := setupWith(router.Options{Rules: rules, Desk: "desk"})
	p.asked = map[string][]bridge.Exchange{}
	asked := func(id int64, m bridge.Message) {
		j := job(t, r, m)
		j.ID = id
		p.asked[j.Lane] = append(p.asked[j.Lane], bridge.Exchange{Job: j})
	}
	where := func(text, want string) {
		t.Helper()
		for _, m := range []bridge.Message{direct("one", "zhang", text), group("zhang")} {
			m.Text = text
			if got := job(t, r, m); got.Queue != want {
				t.Errorf("%q in a %s is put to %s", text, m.Chat.Kind, got.Queue)
			}
		}
	}
	ask := func(id int64, text string) {
		for _, m := range []bridge.Message{direct("one", "zhang", text), group("zhang")} {
			m.Text = text
			asked(id, m)
		}
	}
	where("/again", "help")
	ask(1, "leave?")
	for _, text := range []string{"/again", "/retry", "/good", "/bad", "/unrate", "2", " ４。"} {
		where(text, "hr")
	}
	for _, text := range []string{"/new", "/lang en", "22", "hello"} {
		where(text, "help")
	}
	ask(2, "/bot")
	other := group("li")
	asked(3, other)
	where("/again", "hr")
	ask(4, "hello")
	where("/again", "help")
	where("1", "help")
	where("3", "hr") // the words of a rule
	if got := job(t, r, bridge.Message{Bot: "bot-three", Text: "1"}); got.Queue != "hr" {
		t.Errorf("put to %s", got.Queue)
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"1": 1, " ９） ": 9, "3、": 3, "2.": 2, "0": 0, "12": 0, "1 a": 0, "": 0, "一": 0, "1。。": 0} {
		if got, ok := router.Pick(text); got != want || ok != (want > 0) {
			t.Errorf("%q picks %d", text, got)
		}
	}
}

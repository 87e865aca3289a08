package dify_test

import (
	"fmt"
	"strings"
	"testing"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

// TestTitles: a new conversation gets a title where the settings say so, and an
// answer does not depend on it.
func TestTitles(t *testing.T) {
	t.Parallel()
	const name = "POST /v1/conversations/" + conversation + "/name"
	done := jsonAnswer(200, `{"id":"x"}`)
	for what, c := range map[string]struct {
		mode, title, id string
		off             bool
		answer          answer
		want            string
	}{
		"new":             {mode: "chat", title: "Li", answer: done, want: "Li"},
		"a flow":          {mode: "advanced-chat", title: "Li", answer: done, want: "Li"},
		"too long":        {mode: "chat", title: strings.Repeat("李", 200), answer: done, want: strings.Repeat("李", 100)},
		"refused":         {mode: "chat", title: "Li", answer: jsonAnswer(500, `{"code":"x","message":"x"}`), want: "Li"},
		"no title":        {mode: "chat", answer: done},
		"off":             {mode: "chat", title: "Li", off: true, answer: done},
		"an old one":      {mode: "chat", title: "Li", id: conversation, answer: done},
		"no conversation": {mode: "completion", title: "Li", answer: done},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newFake(c.mode, map[string][]answer{pathOf(c.mode): {good()}, "/v1/parameters": {jsonAnswer(200, `{}`)}, "/v1/conversations/" + conversation + "/name": {c.answer}})
			a := open(t, dify.Config{Transport: f, Titles: !c.off})
			h := ask(t.Context(), a, bridge.Question{Title: c.title, Conversation: bridge.Conversation{ID: c.id, User: "u1"}})
			if n, _ := count[bridge.Ended](h); n != 1 || h.err != nil {
				t.Errorf("heard %s", h)
			}
			var named []string
			for _, r := range f.requests() {
				if r.method+" "+r.path == name {
					named = append(named, fmt.Sprint(r.body["name"], " of ", r.body["user"]))
				}
			}
			want := ""
			if c.want != "" {
				want = c.want + " of u1"
			}
			if got := strings.Join(named, ", "); got != want {
				t.Errorf("named %q instead of %q", got, want)
			}
		})
	}
}

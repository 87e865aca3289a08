package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

const takesQuery = `{"user_input_form":[{"paragraph":{"variable":"query"}}]}`

// TestKindsOfApp: every kind of app is asked in its own way, on every platform.
func TestKindsOfApp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mode, parameters, variable string }{
		{"chat", "{}", ""},
		{"agent-chat", "{}", ""},
		{"advanced-chat", "{}", ""},
		{"workflow", `{"user_input_form":[{"text-input":{"variable":"tone"}},{"paragraph":{"variable":"question","required":true}}]}`, "question"},
		{"completion", `{"user_input_form":[{"paragraph":{"variable":"about","required":true}}]}`, "about"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, difytest.App{Mode: c.mode, Parameters: c.parameters, Answer: func(q difytest.Question) difytest.Answer {
				heard := q.Query
				if c.variable != "" {
					heard = fmt.Sprint(q.Inputs[c.variable])
				}
				return difytest.Answer{Parts: slices.Values([]string{"<think>hm", "m</think>", "\n\nYou said ", heard})}
			}})
			for _, platform := range d.Employees()[0].Platforms {
				d.on = platform
				if got := d.says("hello", nil, 1); got[0] != "You said hello" {
					t.Errorf("%s: %q", platform, got)
				}
			}
			if asked := d.dify.Asked(); len(asked) != 3 || asked[0].Mode != "streaming" {
				t.Errorf("asked %+v", asked)
			}
		})
	}
}

// TestToolStatus: while an agent or a flow uses a tool, it is told which.
func TestToolStatus(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"agent-chat", "advanced-chat"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			on := make(chan struct{})
			d := newDesk(t, difytest.App{Mode: mode, Answer: func(difytest.Question) difytest.Answer {
				return difytest.Answer{
					Tools: []difytest.Tool{{Name: "current_time", English: "Current Time", Chinese: "获取当前时间", Heard: "noon"}},
					Parts: func(yield func(string) bool) { <-on; yield("It is noon.") },
				}
			}})
			if _, err := d.Write(d.ctx, simulator.Line{Employee: "li", Platform: d.on, Text: "what time is it?"}); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool { return slices.Contains(d.fromBot(), "Working with Current Time…") })
			close(on)
			until(t, func() bool { return slices.Equal(d.fromBot(), []string{"It is noon."}) && d.idle() })
		})
	}
}

// TestSources: the first three documents stand below an answer.
func TestSources(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Text: "Yes.", Sources: []string{"Handbook", "Rules", "Handbook", "Plan", "Draft"}}
	}})
	if got := d.says("may I?", nil, 1)[0]; !strings.HasPrefix(got, "Yes.") || !strings.HasSuffix(got, "\n1. Handbook\n2. Rules\n3. Plan") {
		t.Errorf("shown %q", got)
	}
}

// TestModeration: what an app takes back is not left on any screen.
func TestModeration(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"chat", "advanced-chat"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, difytest.App{Mode: mode, Answer: func(q difytest.Question) difytest.Answer {
				if q.Query == "bad" {
					return difytest.Answer{Blocked: "I do not talk about that."}
				}
				return difytest.Answer{Text: "The password is x", Replaced: "I may not say."}
			}})
			for question, want := range map[string]string{"bad": "I do not talk about that.", "password?": "I may not say."} {
				if got := d.says(question, nil, 1); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %q", question, got)
				}
			}
		})
	}
}

// TestCutAnswers: an answer whose connection breaks goes on in the same message: a
// run is taken up, anything else is asked once more.
func TestCutAnswers(t *testing.T) {
	t.Parallel()
	for mode, questions := range map[string]int{"advanced-chat": 1, "workflow": 1, "chat": 2, "completion": 2} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cut := 1
			d := newDesk(t, difytest.App{
				Mode: mode, Parameters: takesQuery,
				Answer: func(difytest.Question) difytest.Answer {
					a := difytest.Answer{Cut: cut, Parts: slices.Values([]string{"one ", "two"})}
					cut = 0
					return a
				},
			})
			if got := d.says("count", nil, 1); len(got) != 1 || got[0] != "one two" {
				t.Errorf("shown %q", got)
			}
			if asked := d.dify.Asked(); len(asked) != questions {
				t.Errorf("asked %d times instead of %d", len(asked), questions)
			}
		})
	}
}

// TestCutTwice: a chat that breaks again is closed with what is there.
func TestCutTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Cut: 1, Parts: slices.Values([]string{"one ", "two"})}
	}})
	if got := d.says("count", nil, 1); len(got) != 1 || !strings.HasPrefix(got[0], "one\n") || !strings.Contains(got[0], "interrupted") {
		t.Errorf("shown %q", got)
	}
	if asked := d.dify.Asked(); len(asked) != 2 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestLostConversation: a conversation the server has forgotten is begun anew, once,
// and the person is told.
func TestLostConversation(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"chat", "agent-chat", "advanced-chat"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, difytest.App{Mode: mode})
			d.says("one", nil, 1)
			d.dify.Lose()
			if got := d.says("two", nil, 1); len(got) != 1 || got[0] != "(The earlier conversation is no longer available, so this is a fresh start.)\n\nDify heard two" {
				t.Errorf("shown %q", got)
			}
			if got := d.says("three", nil, 1); got[0] != "Dify heard three" {
				t.Errorf("shown %q", got)
			}
			asked := d.dify.Asked()
			if len(asked) != 3 || asked[0].Conversation == asked[1].Conversation || asked[1].Conversation != asked[2].Conversation {
				t.Errorf("asked %+v", asked)
			}
		})
	}
}

// TestStopsOnServer: /stop ends the answer on the server, too, and what is there
// stays: on the screen, and in the conversation, so that one can go on from it.
func TestStopsOnServer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"chat", "agent-chat", "advanced-chat", "workflow", "completion"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			on := make(chan struct{})
			ended := make(chan bool, 1)
			d := newDesk(t, difytest.App{
				Mode: mode, Parameters: takesQuery,
				Answer: func(difytest.Question) difytest.Answer {
					return difytest.Answer{Parts: func(yield func(string) bool) {
						yield("one ")
						<-on
						ended <- yield("two ") && yield("three")
					}}
				},
			})
			if _, err := d.Write(d.ctx, simulator.Line{Employee: "li", Platform: d.on, Text: "count"}); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool {
				return slices.ContainsFunc(d.fromBot(), func(s string) bool { return strings.HasPrefix(s, "one") })
			})
			d.says("/stop", nil, 1)
			close(on)
			if <-ended {
				t.Error("the answer went on")
			}
			kept := d.dify.Kept(d.dify.Asked()[0].User)
			if mode != "advanced-chat" && mode != "workflow" && kept["count"] != "one " { // a flow that is stopped has no end
				t.Errorf("kept %q", kept)
			}
			if got := d.fromBot()[0]; !strings.HasPrefix(got, "one") || strings.Contains(got, "three") {
				t.Errorf("shown %q", got)
			}
		})
	}
}

// TestAgentTrouble: whatever goes wrong at the agent, the person reads a sentence,
// and never what the server said.
func TestAgentTrouble(t *testing.T) {
	t.Parallel()
	secret := "upstream 10.0.0.7 said no"
	fails := func(f difytest.Fault, text string) func(difytest.Question) difytest.Answer {
		return func(difytest.Question) difytest.Answer { return difytest.Answer{Text: text, Fault: &f} }
	}
	refuses := func(status int, code, message string) func(difytest.Question) *difytest.Refusal {
		return func(difytest.Question) *difytest.Refusal {
			return &difytest.Refusal{Status: status, Code: code, Message: message}
		}
	}
	for name, c := range map[string]struct {
		app  difytest.App
		want string
	}{
		"the model fails":              {difytest.App{Answer: fails(difytest.Fault{Message: secret}, "")}, "had a problem with this question"},
		"it fails in a flow":           {difytest.App{Mode: "advanced-chat", Answer: fails(difytest.Fault{Message: secret}, "")}, "had a problem with this question"},
		"it fails in a workflow":       {difytest.App{Mode: "workflow", Answer: fails(difytest.Fault{Message: secret}, "")}, "had a problem with this question"},
		"it fails in the middle":       {difytest.App{Answer: fails(difytest.Fault{Message: secret}, "Half of it")}, "Half of\n\n⚠️ The answer was interrupted here"},
		"a flow fails in the middle":   {difytest.App{Mode: "advanced-chat", Answer: fails(difytest.Fault{Message: secret}, "Half of it")}, "Half of\n\n⚠️ The answer was interrupted here"},
		"the model has its limit":      {difytest.App{Answer: fails(difytest.Fault{Message: secret, Limited: true}, "")}, "many people are asking right now"},
		"the plan is used up":          {difytest.App{Refuse: refuses(http.StatusTooManyRequests, "rate_limit_error", secret)}, "used up its allowance"},
		"the app is not set up":        {difytest.App{Refuse: refuses(http.StatusBadRequest, "provider_not_initialize", secret)}, "had a problem with this question"},
		"the server is broken":         {difytest.App{Refuse: refuses(http.StatusInternalServerError, "internal_server_error", secret)}, "cannot be reached right now"},
		"a variable is missing":        {difytest.App{Parameters: `{"user_input_form":[{"text-input":{"variable":"city","required":true}}]}`}, "cannot answer without this: city"},
		"it is missing in a flow":      {difytest.App{Mode: "advanced-chat", Parameters: `{"user_input_form":[{"text-input":{"variable":"city","required":true}}]}`}, "cannot answer without this: city"},
		"a flow has no place left":     {difytest.App{Mode: "advanced-chat", Most: 1}, "many people are asking right now"},
		"the key was taken away":       {difytest.App{Key: "app-other"}, "not set up correctly"},
		"the service was switched off": {difytest.App{Refuse: refuses(http.StatusForbidden, "forbidden", secret)}, "not set up correctly"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, c.app)
			if got := d.says("hello", nil, 1); len(got) != 1 || !strings.Contains(got[0], c.want) || strings.Contains(got[0], "10.0.0.7") {
				t.Errorf("shown %q", got)
			}
		})
	}
}

// TestSeveralServers: apps on several servers are asked side by side, each with its
// own limit.
func TestSeveralServers(t *testing.T) {
	t.Parallel()
	on := make(chan struct{})
	slow := difytest.New(t, difytest.App{Answer: func(q difytest.Question) difytest.Answer {
		return difytest.Answer{Parts: func(yield func(string) bool) { <-on; yield("slow " + q.Query) }}
	}})
	words := func(who string) func(difytest.Question) difytest.Answer {
		return func(q difytest.Question) difytest.Answer { return difytest.Answer{Text: who + " " + q.Query} }
	}
	quick := difytest.New(t, difytest.App{Key: "app-hr", Answer: words("hr")}, difytest.App{Key: "app-it", Mode: "workflow", Parameters: takesQuery, Answer: func(q difytest.Question) difytest.Answer {
		return difytest.Answer{Text: fmt.Sprint("it ", q.Inputs["query"])}
	}})
	s := onBots(t, fmt.Sprintf(`language: en
agents:
  - {id: help, kind: dify, base_url: %q, max_concurrent: 1}
  - {id: hr, kind: dify, base_url: %q}
  - {id: it, kind: dify, base_url: "%s/v1"}
routes:
  - {when: {prefix: hr}, agent: hr}
  - {when: {prefix: it}, agent: it}
`, slow.URL, quick.URL, quick.URL), "agent: help", asUsual)
	d := &desk{T: t, Simulator: s.sim, ctx: s.ctx, app: s.App, dify: quick, on: s.platforms()[2]}
	for _, platform := range s.platforms()[:2] {
		if _, err := d.Write(d.ctx, simulator.Line{Employee: "li", Platform: platform, Text: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, func() bool { return len(slow.Asked()) == 1 })
	for question, want := range map[string]string{"/hr holidays": "hr holidays", "/it printer": "it printer"} {
		if _, err := d.Write(d.ctx, simulator.Line{Employee: "li", Platform: d.on, Text: question}); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return slices.Contains(d.fromBot(), want) })
	}
	if asked := slow.Asked(); len(asked) != 1 {
		t.Errorf("asked %d at once", len(asked))
	}
	close(on)
	until(t, func() bool { return d.idle() })
	if asked := slow.Asked(); len(asked) != 2 {
		t.Errorf("asked %+v", asked)
	}
}

// TestVersionShown: what is checked tells the app's name, its kind and the version
// of the server.
func TestVersionShown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Name: "Handbook", Mode: "agent-chat"})
	what := "The app “Handbook” is of type agent-chat, on Dify 1.16.0."
	if lines := d.app.Check(d.ctx, bridge.English); !slices.ContainsFunc(lines, func(l app.CheckLine) bool { return l.Who == "help" && l.OK && l.What == what }) {
		t.Errorf("checked %+v", lines)
	}
	if o, err := d.app.Overview(d.ctx); err != nil || o.Agents[0].Version != "1.16.0" {
		t.Errorf("the overview shows %+v, %v", o.Agents, err)
	}
}

// TestConversationNames: a new conversation is named after the person where the
// admin wants that, once, and otherwise keeps the server's own name.
func TestConversationNames(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string][]string{"": {"New conversation"}, ", name_conversations: true": {"李娜"}} {
		dify := difytest.New(t)
		a, ctx, sim := onSimulator(t, fmt.Sprintf("language: en\nagents: [{id: help, kind: dify, base_url: %q%s}]\n", dify.URL, setting))
		d := &desk{T: t, Simulator: sim, ctx: ctx, app: a, dify: dify, on: sim.Employees()[0].Platforms[0]}
		d.says("one", nil, 1)
		user := dify.Asked()[0].User
		if got := dify.Names(user); !slices.Equal(got, want) {
			t.Errorf("%q: named %q", setting, got)
		}
		dify.Rename(user, "chosen in Dify")
		d.says("two", nil, 1)
		if got := dify.Names(user); !slices.Equal(got, []string{"chosen in Dify"}) {
			t.Errorf("%q: named %q again", setting, got)
		}
	}
}

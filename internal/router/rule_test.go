package router_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/router"
)

func known() router.Known {
	return router.Known{
		Agents: []string{"help", "hr"}, Bots: []string{"bot-one", "bot-two"},
		Commands: []router.Spec{{Command: "oncall", Words: []string{"oncall"}}},
	}
}

func parse(t *testing.T, text string) ([]router.Rule, []router.Mistake) {
	t.Helper()
	var list any
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return router.ParseRules(list, known())
}

// asked is a message with everything a rule may ask about.
func asked(change func(m *bridge.Message, p *bridge.Person)) (bridge.Message, bridge.Person) {
	m := direct("one", "zhang", "hello")
	m.SentAt = time.Date(2026, 11, 25, 10, 0, 0, 0, time.FixedZone("", 8*3600)) // a Wednesday in Shanghai
	p := bridge.Person{ID: "p1", Name: "张伟", Role: bridge.RoleMember}
	change(&m, &p)
	return m, p
}

func says(text string) func(*bridge.Message, *bridge.Person) {
	return func(m *bridge.Message, _ *bridge.Person) { m.Text = text }
}

func at(clock string) func(*bridge.Message, *bridge.Person) {
	return func(m *bridge.Message, _ *bridge.Person) {
		m.SentAt, _ = time.Parse("2006-01-02 15:04 -0700", clock+" +0800")
	}
}

// TestConditions asks each condition about messages it holds for and others.
func TestConditions(t *testing.T) {
	t.Parallel()
	type change = func(*bridge.Message, *bridge.Person)
	nothing := func(*bridge.Message, *bridge.Person) {}
	for _, c := range []struct {
		when    string
		holds   []change
		holdNot []change
	}{
		{"{}", []change{nothing}, nil},
		{"{bot: bot-one}", []change{nothing}, []change{func(m *bridge.Message, _ *bridge.Person) { m.Bot = "bot-two" }}},
		{"{bot: [bot-two, bot-one]}", []change{nothing, func(m *bridge.Message, _ *bridge.Person) { m.Bot = "bot-two" }}, nil},
		{"{chat: [room, Sales]}", []change{
			func(m *bridge.Message, _ *bridge.Person) { m.Chat.ID = "room" },
			func(m *bridge.Message, _ *bridge.Person) { m.Chat.Title = "Sales" },
		}, []change{nothing}},
		{"{person: [p1, 李雷, zhang9]}", []change{
			nothing,
			func(_ *bridge.Message, p *bridge.Person) { p.ID, p.Name = "p2", "李雷" },
			func(m *bridge.Message, p *bridge.Person) { p.ID, m.Sender.ID = "p2", "zhang9" },
		}, []change{func(_ *bridge.Message, p *bridge.Person) { p.ID = "p2" }}},
		{"{role: [guest, admin]}", []change{
			func(_ *bridge.Message, p *bridge.Person) { p.Role = bridge.RoleGuest },
			func(_ *bridge.Message, p *bridge.Person) { p.Role = bridge.RoleAdmin },
		}, []change{nothing}},
		{"{department: [HR, 财务]}", []change{
			func(m *bridge.Message, _ *bridge.Person) { m.Sender.ID = "HR" },
			func(m *bridge.Message, _ *bridge.Person) { m.Sender.ID = "Company/HR" },
			func(m *bridge.Message, _ *bridge.Person) { m.Sender.ID = "销售、财务" },
		}, []change{nothing, func(m *bridge.Message, _ *bridge.Person) { m.Sender.ID = "CHRO" }, func(m *bridge.Message, _ *bridge.Person) { m.Sender.ID = "" }}},
		{"{prefix: [hr, /人事]}", []change{says("/hr leave"), says("／HR\nleave"), says(" /人事 请假"), says("/hr")}, []change{
			says("hr leave"), says("/hrx leave"), says("what is /hr"), says("/help"), nothing,
		}},
		{"{keyword: [salary, 工资, hr, 'C++']}", []change{
			says("My SALARY?"), says("我的工资呢"), says("ask HR."), says("ｈｒ"), says("问hr的事"), says("why C++?"), says("three hr"),
		}, []change{says("three"), says("salaryman"), says("chr"), says(""), says("工 资"), says("hrx and xhr")}},
		{"{regexp: '^报销|\\d{4}元'}", []change{says("报销流程"), says("一共1234元")}, []change{says("我要报销"), says("123元"), says("/new")}},
		{"{hours: 'Mon-Fri 09:00-18:00 Asia/Shanghai'}", []change{
			at("2026-11-25 09:00"), at("2026-11-27 17:59"),
		}, []change{at("2026-11-25 08:59"), at("2026-11-25 18:00"), at("2026-11-28 12:00")}},
		{"{outside_hours: ['Mon-Fri 09:00-12:00 Asia/Shanghai', 'Mon-Fri 13:00-18:00 Asia/Shanghai']}", []change{
			at("2026-11-25 12:30"), at("2026-11-29 10:00"), at("2026-11-25 23:00"),
		}, []change{at("2026-11-25 10:00"), at("2026-11-25 14:00")}},
		{"{hours: 'Fri,Sun 22:00-06:00 Asia/Shanghai'}", []change{
			at("2026-11-27 22:00"), at("2026-11-28 05:59"), at("2026-11-29 23:00"), at("2026-11-30 03:00"),
		}, []change{at("2026-11-28 06:00"), at("2026-11-28 23:00"), at("2026-11-27 05:00")}},
		{"{hours: '周一到五，周日 9：00～18:00 Asia/Shanghai'}", []change{
			at("2026-11-25 09:00"), at("2026-11-27 17:59"), at("2026-11-29 12:00"),
		}, []change{at("2026-11-28 12:00"), at("2026-11-25 18:00")}},
		{"{hours: 'Sat-Mon 00:00-24:00 Asia/Shanghai'}", []change{at("2026-11-28 00:00"), at("2026-11-30 23:59")}, []change{at("2026-12-01 00:00")}},
		{"{bot: bot-one, keyword: salary, role: member}", []change{says("salary")}, []change{
			nothing, func(m *bridge.Message, p *bridge.Person) { m.Text, p.Role = "salary", bridge.RoleGuest },
		}},
	} {
		t.Run(c.when, func(t *testing.T) {
			t.Parallel()
			rules, mistakes := parse(t, "[{name: rule, when: "+c.when+", agent: hr}]")
			if len(mistakes) > 0 {
				t.Fatal(mistakes)
			}
			r, _ := setupWith(router.Options{Rules: rules, Departments: func(_ context.Context, _ string, who bridge.Identity) router.Membership {
				return router.Membership{Of: router.Departments(string(who.User))}
			}})
			for n, change := range append(c.holds, c.holdNot...) {
				m, p := asked(change)
				e := r.Explain(t.Context(), m, p)
				if len(e.Tried) != 1 {
					t.Fatal(e)
				}
				if holds := n < len(c.holds); e.Tried[0].Holds != holds || (e.Agent == "hr") != holds {
					t.Errorf("%q by %s in %s at %s: %+v", m.Text, m.Sender.ID, m.Chat.ID, m.SentAt, e)
				}
			}
		})
	}
}

func TestFirstRuleDecides(t *testing.T) {
	t.Parallel()
	rules, mistakes := parse(t, `
- {name: vip, when: {person: p1, keyword: salary}, agent: hr}
- {name: private, when: {keyword: salary}, refuse: "Ask HR."}
- {name: night, when: {outside_hours: "Mon-Fri 09:00-18:00 Asia/Shanghai"}, reply: "Tomorrow."}
- {when: {keyword: human}, human: {for: 45m, bot: bot-two, chat: desk}}
- {when: {keyword: invoice}, forward: {bot: bot-two, chat: desk}}
- {when: {keyword: duty}, intent: oncall}
- {when: {keyword: robot}, human: true}
- {when: {keyword: forbidden}, refuse: true}
`)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r, _ := setupWith(router.Options{Rules: rules})
	for text, want := range map[string]struct {
		rule    string
		outcome router.Outcome
	}{
		"salary":    {"vip", router.ToAgent{Agent: "hr"}},
		"human":     {"#4", router.HandOver{For: 45 * time.Minute, Bot: "bot-two", Chat: "desk"}},
		"invoice":   {"#5", router.Forward{Bot: "bot-two", Chat: "desk"}},
		"duty":      {"#6", router.ToIntent{Command: "oncall"}},
		"robot":     {"#7", router.HandOver{For: 30 * time.Minute}},
		"forbidden": {"#8", router.Refuse{}},
		"hello":     {"", router.ToAgent{Agent: "help"}},
	} {
		m, p := asked(says(text))
		e := r.Explain(t.Context(), m, p)
		if diff := cmp.Diff(want.outcome, e.Outcome); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		if last := e.Tried[len(e.Tried)-1]; want.rule != "" && (last.Rule != want.rule || !last.Holds) || want.rule == "" && last.Holds {
			t.Errorf("%s: tried %+v", text, e.Tried)
		}
	}
	m, p := asked(says("salary"))
	p.ID, p.Role = "p2", bridge.RoleGuest
	e := r.Explain(t.Context(), m, p)
	want := []router.Tried{
		{Rule: "vip", Reasons: []router.Reason{{Condition: router.ByPerson, Got: "p2", Want: "p1"}}},
		{Rule: "private", Holds: true, Reasons: []router.Reason{{Condition: router.ByKeyword, Holds: true, Want: "salary"}}},
	}
	if diff := cmp.Diff(want, e.Tried); diff != "" || e.Outcome != (router.Refuse{Text: "Ask HR."}) {
		t.Error(diff, e.Outcome)
	}
	if e.Role != bridge.RoleGuest {
		t.Error(e.Role)
	}
}

// TestRulesDecideTheLane: a rule that asks another agent puts the message in
// that agent's lane, and the agent does not see the prefix.
func TestRulesDecideTheLane(t *testing.T) {
	t.Parallel()
	rules, _ := parse(t, `
- {name: hr, when: {prefix: hr}, agent: hr}
- {when: {role: guest}, reply: "Hello guest."}
- {when: {keyword: [retry, new]}, agent: hr}
- {when: {regexp: new}, agent: hr}
`)
	r, p := setupWith(router.Options{Rules: rules})
	plain, hr := job(t, r, direct("one", "zhang", "leave?")), job(t, r, direct("one", "zhang", "/hr leave?"))
	if plain.Queue != "help" || hr.Queue != "hr" || plain.Lane == hr.Lane {
		t.Errorf("places %+v %+v", plain, hr)
	}
	got, err := r.Route(t.Context(), hr)
	if err != nil || got.Agent != "hr" || got.Text != "leave?" || got.Rule != "hr" || got.Session.Agent != "hr" {
		t.Errorf("route %+v %v", got, err)
	}
	hr.Queue = "help" // accepted before there was the rule
	if got, err := r.Route(t.Context(), hr); err != nil || got.Agent != "help" || !cmp.Equal(got.Outcome, router.Outcome(router.ToAgent{Agent: "help"})) {
		t.Errorf("route %+v %v", got, err)
	}
	for _, text := range []string{"/new", "/retry"} { // no word of a rule is about commands
		if got := route(t, r, direct("one", "zhang", text)); got.Command == router.CommandNone || got.Agent != "help" {
			t.Errorf("route %+v", got)
		}
	}
	p.role = bridge.RoleGuest
	if got := route(t, r, direct("one", "zhang", "leave?")); got.Outcome != (router.FixedReply{Text: "Hello guest."}) {
		t.Errorf("route %+v", got)
	}
}

// TestInputs go to the agent of the rule that decides, and to no other.
func TestInputs(t *testing.T) {
	t.Parallel()
	rules, mistakes := parse(t, "[{when: {keyword: leave}, agent: hr, inputs: {country: China, days: 30, half: 0.5, brief: true, note: , tone: ' '}}]")
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	p := newPeople()
	r := router.New(p, router.Options{AgentOf: func(string) string { return "help" }, Rules: rules})
	want := map[string]string{"country": "China", "days": "30", "half": "0.5", "brief": "true", "note": "", "tone": ""}
	m := direct("one", "zhang", "my leave")
	if diff := cmp.Diff(router.Outcome(router.ToAgent{Agent: "hr", Inputs: want}), route(t, r, m).Outcome); diff != "" {
		t.Error(diff)
	}
	j := bridge.Job{Message: m, Lane: "l", Queue: "help"} // accepted before there was the rule
	if got, err := r.Route(t.Context(), j); err != nil || !cmp.Equal(got.Outcome, router.Outcome(router.ToAgent{Agent: "help"})) {
		t.Errorf("%+v, %v", got.Outcome, err)
	}
}

func TestMistakesInRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"hello":                                                              "0  want a list of rules",
		"[x]":                                                                "0  want a mapping",
		"[{agent: hr}, {}]":                                                  "1  want one of agent",
		"[{agent: nobody}]":                                                  "0 agent “nobody” is not one of help, hr",
		"[{agent: [help, hr]}]":                                              "0 agent want one agent",
		"[{agent: hr, reply: x}]":                                            "0 reply a rule has one outcome",
		"[{agnet: hr}]":                                                      "0 agnet unknown; known are agent, forward",
		"[{when: x, agent: hr}]":                                             "0 when want a mapping",
		"[{when: {bot: b}, agent: hr}]":                                      "0 when.bot “b” is not one of",
		"[{when: {role: blocked}, agent: hr}]":                               "0 when.role “blocked” is not one of",
		"[{when: {regexp: '('}, agent: hr}]":                                 "0 when.regexp this pattern cannot be read: error parsing regexp",
		"[{when: {keyword: []}, agent: hr}]":                                 "0 when.keyword want at least one",
		"[{when: {keyword: ''}, agent: hr}]":                                 "0 when.keyword want a text",
		"[{when: {keyword: [{}]}, agent: hr}]":                               "0 when.keyword want a text",
		"[{when: {prefix: help}, agent: hr}]":                                "0 when.prefix “help” is a command already",
		"[{when: {prefix: oncall}, agent: hr}]":                              "0 when.prefix “oncall” is a command",
		"[{when: {prefix: 'a b'}, agent: hr}]":                               "0 when.prefix want a single word",
		"[{when: {hours: 'Mon'}, agent: hr}]":                                "0 when.hours “Mon",
		"[{when: {hours: 'Mon-Xyz 09:00-10:00'}, agent: hr}]":                "0 when.hours “Mon-Xyz 09:00-10:00” is no time. Write",
		"[{when: {hours: 'Mon 9-10'}, agent: hr}]":                           "0 when.hours “Mon",
		"[{when: {hours: 'Mon 09:00-09:00'}, agent: hr}]":                    "0 when.hours “Mon",
		"[{when: {hours: 'Mon 09:00-10:00 Mars/Base'}, agent: hr}]":          "0 when.hours “Mon",
		"[{when: {outside_hours: 'Mon 09:00-25:00'}, agent: hr}]":            "0 when.outside_hours “Mon",
		"[{refuse: false}]":                                                  "0 refuse want true or a text",
		"[{intent: nothing}]":                                                "0 intent there is no command “nothing”",
		"[{forward: {bot: bot-one}}]":                                        "0 forward want bot and chat",
		"[{forward: {bot: b, chat: c}}]":                                     "0 forward.bot “b” is not one of",
		"[{human: {chat: c}}]":                                               "0 human want bot and chat",
		"[{human: {for: soon}}]":                                             "0 human.for want a time",
		"[{human: {for: -5m}}]":                                              "0 human.for want a time",
		"[{reply: x, inputs: {a: b}}]":                                       "0 inputs only a rule with an agent",
		"[{agent: hr, inputs: [a]}]":                                         "0 inputs want a mapping",
		"[{agent: hr, inputs: {a: [b]}}]":                                    "0 inputs.a want a text",
		"[{human: 3}]":                                                       "0 human want a mapping",
		"[{when: {regexp: '" + strings.Repeat("a", 1001) + "'}, agent: hr}]": "0 when.regexp longer than",
	} {
		_, mistakes := parse(t, text)
		found := false
		for _, m := range mistakes {
			found = found || strings.HasPrefix(fmt.Sprintf("%d %s %s", m.Rule, m.Path, i18n.Explain(bridge.English, m.Err)), want)
		}
		if !found {
			t.Errorf("%s: %v, want %q", text, mistakes, want)
		}
	}
	if rules, mistakes := router.ParseRules(nil, known()); rules != nil || mistakes != nil {
		t.Error(rules, mistakes)
	}
}

func TestHoursAreWrittenAsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mon-fri 09:00-18:00 Asia/Shanghai": "Mon,Tue,Wed,Thu,Fri 09:00-18:00 Asia/Shanghai",
		"Sat,sunday 22:30-06:00 UTC":        "Sun,Sat 22:30-06:00 UTC",
		"Fri-Mon 00:00-24:00 UTC":           "Sun,Mon,Fri,Sat 00:00-24:00 UTC",
		"周一至周五 09:00-18:00 UTC":             "Mon,Tue,Wed,Thu,Fri 09:00-18:00 UTC",
		"星期六、礼拜天 9:00 - 12:00 UTC":          "Sun,Sat 09:00-12:00 UTC",
		"工作日 8：30至24:00 UTC":                "Mon,Tue,Wed,Thu,Fri 08:30-24:00 UTC",
		"周末, 三 10:00—16:00 UTC":             "Sun,Wed,Sat 10:00-16:00 UTC",
		"每天 00:00-01:00 Etc/GMT-8":          "Sun,Mon,Tue,Wed,Thu,Fri,Sat 00:00-01:00 Etc/GMT-8",
	} {
		h, err := router.ParseHours(text)
		if err != nil || h.String() != want {
			t.Errorf("%s: %s %v", text, h, err)
		}
		if again, err := router.ParseHours(h.String()); err != nil || again.String() != want {
			t.Errorf("%s: %v %v", want, again, err)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add("- {name: x, when: {prefix: hr, hours: 'Mon-Fri 09:00-18:00 UTC'}, agent: hr}", "/hr x")
	f.Add("[{human: {for: 3m, bot: bot-one, chat: c}, when: {regexp: '(a+)+$', keyword: [a]}}]", "aaaaaaaaaaaa!")
	f.Fuzz(func(t *testing.T, text, message string) {
		var list any
		if yaml.Unmarshal([]byte(text), &list) != nil {
			t.Skip()
		}
		rules, mistakes := router.ParseRules(list, known())
		if len(mistakes) > 0 {
			return
		}
		r, _ := setupWith(router.Options{Rules: rules})
		m := direct("one", "zhang", message)
		e := r.Explain(t.Context(), m, bridge.Person{ID: "p1"})
		if e.Outcome == nil {
			t.Errorf("%+v", e)
		}
		route(t, r, m)
	})
}

func TestEveryConditionHasWords(t *testing.T) {
	t.Parallel()
	for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
		for _, c := range router.Conditions() {
			if _, ok := i18n.Find(lang, "router.condition."+string(c)); !ok {
				t.Errorf("%s: no words for %s", lang, c)
			}
		}
		for _, refusal := range router.Refusals() {
			if _, ok := i18n.Find(lang, "router.refused."+string(refusal)); !ok {
				t.Errorf("%s: no words for %s", lang, refusal)
			}
		}
	}
}

// TestAlways: only a bot is no condition on a message to it.
func TestAlways(t *testing.T) {
	t.Parallel()
	for _, r := range []router.Rule{{Name: "all"}, {Bots: []string{"x"}}} {
		if !r.Always() {
			t.Errorf("%+v lets something past", r)
		}
	}
	some := []string{"x"}
	for _, r := range []router.Rule{
		{Chats: some},
		{People: some},
		{Roles: []bridge.Role{bridge.RoleGuest}},
		{Departments: some},
		{Prefixes: some},
		{Keywords: some},
		{Patterns: []*regexp.Regexp{regexp.MustCompile("x")}},
		{Hours: []router.Hours{{}}},
		{Outside: []router.Hours{{}}},
	} {
		if r.Always() {
			t.Errorf("%+v holds for everything", r)
		}
	}
}

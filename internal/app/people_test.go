package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"switchboard/internal/agent/echo"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// street is a house with bots on all simulated platforms.
type street struct {
	*testing.T
	*app.App

	ctx context.Context //nolint:containedctx // of the test
	sim *simulator.Simulator
}

// onBots is onSimulator whose bots have more settings, such as "admission: open".
func onBots(t *testing.T, rest, bots string, change func(*app.Options)) *street {
	t.Helper()
	return onSim(t, simulator.Options{}, rest, bots, change)
}

// onSim is onBots with other platforms.
func onSim(t *testing.T, opt simulator.Options, rest, bots string, change func(*app.Options)) *street {
	t.Helper()
	sim, err := simulator.Start(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	text := rest + channels(t, sim.Configs())
	for _, c := range sim.Configs() { // such as "<feishu>" and "<feishu team>"
		text = strings.ReplaceAll(text, "<"+string(c.Platform)+">", c.ID)
		text = strings.ReplaceAll(text, "<"+string(c.Platform)+" team>", sim.Chat("team", c.Platform))
	}
	if bots != "" {
		text = strings.ReplaceAll(text, ", settings: {", ", "+bots+", settings: {")
	}
	a, ctx := houseWith(t, t.TempDir(), text, change)
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
	}
	return &street{t, a, ctx, sim}
}

func asUsual(*app.Options) {}

// platforms are all there are.
func (s *street) platforms() []bridge.Platform { return s.sim.Employees()[0].Platforms }

// bot is the one on a platform.
func (s *street) bot(p bridge.Platform) string {
	s.Helper()
	for _, c := range s.sim.Configs() {
		if c.Platform == p {
			return c.ID
		}
	}
	s.Fatal("no bot on", p)
	return ""
}

// shown are the complete texts of the bot in somebody's direct chat.
func (s *street) shown(employee string, p bridge.Platform) []string {
	return s.shownIn("", employee, p)
}

// shownIn are those in a group, or in the direct chat, on somebody's screen.
func (s *street) shownIn(group, employee string, p bridge.Platform) []string {
	title := map[string]string{"team": "产品组", "lunch": "午饭群"}[group]
	var all []string
	for _, b := range s.sim.Bubbles(employee) {
		if b.Platform == p && b.FromBot && !b.Growing && b.Chat == title {
			all = append(all, b.Text)
		}
	}
	return all
}

// reads says something and waits for the answer, in which the parts have to be.
func (s *street) reads(employee string, p bridge.Platform, text string, parts ...string) {
	s.Helper()
	s.line(simulator.Line{Employee: employee, Platform: p, Text: text}, parts...)
}

func (s *street) line(l simulator.Line, parts ...string) {
	s.Helper()
	shown := func() []string { return s.shownIn(l.Group, l.Employee, l.Platform) }
	before := len(shown())
	if _, err := s.sim.Write(s.ctx, l); err != nil {
		s.Fatal(err)
	}
	until(s.T, func() bool { return len(shown()) > before })
	got := shown()[before]
	for _, part := range parts {
		if !strings.Contains(got, part) {
			s.Errorf("%s on %s says %q and reads %q, want %q", l.Employee, l.Platform, l.Text, got, part)
		}
	}
}

// ignored says something to which there is no answer.
func (s *street) ignored(employee string, p bridge.Platform, text string) {
	s.Helper()
	before := len(s.shown(employee, p))
	if _, err := s.sim.Say(s.ctx, employee, p, text); err != nil {
		s.Fatal(err)
	}
	until(s.T, func() bool { return s.settled(text) })
	if got := s.shown(employee, p)[before:]; len(got) > 0 {
		s.Errorf("%s on %s says %q and reads %q", employee, p, text, got)
	}
}

// settled says whether the last message of some talk is over.
func (s *street) settled(text string) bool {
	s.Helper()
	rows, err := s.Talks(s.ctx, bridge.TalkQuery{Limit: 50})
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range rows {
		if r.LastText == text {
			return r.State.Final()
		}
	}
	return false
}

// clean wants no complaint of a platform.
func (s *street) clean() {
	s.Helper()
	if v := s.sim.Violations(); len(v) > 0 {
		s.Error(v)
	}
}

const echoAgent = "agents: [{id: help, kind: echo}]\n"

// waiting returns the notices about people who wait.
func (s *street) waiting() []string {
	var all []string
	for _, n := range s.Notices(bridge.English) {
		if strings.HasPrefix(n.ID, "approval_waiting ") {
			all = append(all, n.Bot+": "+n.Detail)
		}
	}
	return all
}

// newcomer finds who waits by name.
func (s *street) newcomer(bot, name string) bridge.Newcomer {
	s.Helper()
	all, err := s.Newcomers(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	for _, n := range all {
		if n.Person.Name == name && n.Bot == bot {
			return n
		}
	}
	s.Fatalf("%s does not wait at %s: %+v", name, bot, all)
	return bridge.Newcomer{}
}

// TestApproval: on every platform newcomers wait until the admin has decided,
// politely and once, and are told.
func TestApproval(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "admission: approval", asUsual)
	for _, p := range s.platforms() {
		bot := s.bot(p)
		s.reads("li", p, "你好", "管理员先批准")
		s.ignored("li", p, "still there?")
		s.reads("alex", p, "hello", "approve you first")
		if got := s.waiting(); len(got) != 1 || got[0] != bot+": 李娜, Alex Chen" {
			t.Errorf("%s: notices %q", p, got)
		}
		before := len(s.shown("li", p))
		if err := s.GiveRole(s.ctx, s.newcomer(bot, "李娜").Person.ID, bridge.RoleMember); err != nil { // as the window does
			t.Fatal(err)
		}
		until(t, func() bool { return len(s.shown("li", p)) > before })
		if got := s.shown("li", p)[before]; !strings.Contains(got, "approved you") {
			t.Errorf("%s: told %q", p, got)
		}
		s.reads("li", p, "and now?", "and now?")
		s.reads("zhang", p, "你好", "管理员先批准")
		li, err := s.People(s.ctx, bridge.PeopleQuery{Text: "李娜", Role: bridge.RoleMember, Limit: 1})
		if err != nil || len(li) != 1 {
			t.Fatal(li, err)
		}
		if err := s.MergePeople(s.ctx, s.newcomer(bot, "张伟").Person.ID, li[0].Person.ID); err != nil {
			t.Fatal(err)
		}
		if got := s.waiting(); len(got) != 1 || got[0] != bot+": Alex Chen" {
			t.Errorf("%s: notices %q after a merge", p, got)
		}
		if err := s.Decide(s.ctx, s.newcomer(bot, "Alex Chen").Person.ID, bridge.RoleBlocked, bridge.Actor{Where: "window"}); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return strings.Contains(strings.Join(s.shown("alex", p), "\n"), "not to admit you") })
		s.reads("alex", p, "why?", "may not answer you")
		if got := s.waiting(); len(got) != 0 {
			t.Errorf("%s: notices %q", p, got)
		}
	}
	s.clean()
}

// TestNewcomersAreShownAfterARestart: a notice about people who wait stands until
// it is decided about them.
func TestNewcomersAreShownAfterARestart(t *testing.T) { //nolint:tparallel // what follows the first start comes after it
	t.Parallel()
	data := t.TempDir()
	sim, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	text := strings.ReplaceAll(echoAgent+channels(t, sim.Configs()), ", settings: {", ", admission: approval, settings: {")
	t.Run("before", func(t *testing.T) { //nolint:paralleltest // see above
		a, ctx := house(t, data, text)
		o, err := a.Overview(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range sim.Configs() {
			sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
		}
		s := &street{t, a, ctx, sim}
		s.reads("zhang", s.platforms()[0], "你好", "批准")
	})
	a, ctx := house(t, data, text)
	if got := (&street{t, a, ctx, sim}).waiting(); len(got) != 1 || !strings.HasSuffix(got[0], ": 张伟") {
		t.Errorf("notices %q", got)
	}
}

// TestClosed: a closed bot answers those whom the admin has let in, and nobody
// else; who is blocked is not answered by an open one either.
func TestClosed(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "admission: closed", asUsual)
	for _, p := range s.platforms() {
		s.reads("zhang", p, "hello", "only answer people")
		s.ignored("zhang", p, "please")
		if got := s.waiting(); len(got) != 0 {
			t.Errorf("somebody waits: %q", got)
		}
	}
	s.clean()
}

// TestAllowedAgents: guests may use commands, and ask only the agents that are
// theirs.
func TestAllowedAgents(t *testing.T) {
	t.Parallel()
	s := onBots(t, "agents: [{id: help, kind: echo}, {id: hr, kind: echo}]\npeople: {default_role: guest, allowed_agents: {guest: [hr]}}\n", "agent: help", asUsual)
	for _, p := range s.platforms() {
		s.reads("zhang", p, "hello", "not available to you")
		s.ignored("zhang", p, "hello again")
		s.reads("zhang", p, "/me", "guest")
	}
	s.clean()
}

// TestAllow: a bot that is for a chat answers there and nowhere else.
func TestAllow(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "allow: {chats: [产品组]}", asUsual)
	for _, p := range s.platforms() {
		s.reads("li", p, "hello", "other departments or chats")
		s.ignored("li", p, "please")
		if p == "wecom" {
			continue // a self-built app hears no group
		}
		s.line(simulator.Line{Employee: "alex", Platform: p, Text: "at lunch", Group: "lunch", Mention: true}, "other departments or chats")
		if p == "dingtalk" { // Feishu's messages carry no title
			s.line(simulator.Line{Employee: "li", Platform: p, Text: "in the team", Group: "team", Mention: true}, "**in the team**")
		}
	}
	s.clean()
}

// TestGroupPolicy: members of a group share a conversation unless the bot says
// otherwise.
func TestGroupPolicy(t *testing.T) {
	t.Parallel()
	for policy, number := range map[string]int{"shared": 2, "member": 1} {
		s := onBots(t, echoAgent, "group: "+policy, asUsual)
		for _, p := range []bridge.Platform{"feishu", "dingtalk"} {
			s.line(simulator.Line{Employee: "li", Platform: p, Text: "hello from li", Group: "team", Mention: true}, "question 1 ")
			s.line(simulator.Line{Employee: "alex", Platform: p, Text: "hello from alex", Group: "team", Mention: true}, fmt.Sprintf("question %d ", number))
		}
		s.clean()
	}
}

// TestBesideABusyLane: while an answer grows, /help is answered and /stop stops
// it; the next question waits for its turn all the same.
func TestBesideABusyLane(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "", func(o *app.Options) { o.Echo = echo.Options{Delay: 50 * time.Millisecond} })
	for _, p := range s.platforms() {
		for _, text := range []string{"tell me much !long 20000", "and then?"} {
			if _, err := s.sim.Say(s.ctx, "zhang", p, text); err != nil {
				t.Fatal(err)
			}
		}
		until(t, func() bool {
			o, err := s.Overview(s.ctx)
			return err == nil && o.Agents[0].Running == 1
		})
		began := time.Now()
		s.reads("zhang", p, "/help", "/stop")
		if got := strings.Join(s.shown("zhang", p), "\n"); strings.Contains(got, "and then?") {
			t.Errorf("%s: the second question did not wait: %q", p, got)
		}
		until(t, func() bool { return time.Since(began) > 200*time.Millisecond }) // nobody means what began just now
		if _, err := s.sim.Say(s.ctx, "zhang", p, "／停止"); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool {
			all := strings.Join(s.shown("zhang", p), "\n")
			return strings.Contains(all, "stopped)") && strings.Contains(all, "and then?")
		})
	}
	s.clean()
}

const someRoutes = `routes:
  - {name: personnel, when: {prefix: hr}, agent: help}
  - {when: {keyword: salary, role: member}, refuse: true}
  - {when: {keyword: [opening hours, 几点开门]}, reply: "Nine to five."}
  - {when: {keyword: invoice}, forward: {bot: <feishu>, chat: "<feishu team>"}}
  - {when: {keyword: human}, human: {for: 1h, bot: <dingtalk>, chat: "<dingtalk team>"}}
  - {when: {regexp: "^whoami$"}, intent: me}
`

// TestRoutes: on every platform rules lead to another agent, a fixed reply, a
// refusal, another chat, a human and a command; the first that holds decides, and
// the rest goes to the bot's own agent.
func TestRoutes(t *testing.T) {
	t.Parallel()
	agents := fmt.Sprintf("agents: [{id: chat, kind: echo}, {id: help, kind: dify, base_url: %q}]\n", server(t).URL)
	s := onBots(t, agents+someRoutes, "agent: chat", asUsual)
	team := func(p bridge.Platform) string { return strings.Join(s.shownIn("team", "zhang", p), "\n") }
	for n, p := range s.platforms() {
		s.reads("li", p, "hello", "**hello**")
		s.reads("li", p, "／HR how much salary?", "Dify heard how much salary?")
		s.reads("li", p, "my Salary please", "I may not answer this")
		s.ignored("li", p, "salary, then")
		s.reads("li", p, "几点开门？", "Nine to five.")
		s.reads("li", p, "WHOAMI", "**WHOAMI**")
		s.reads("li", p, "whoami", "member")
		s.reads("li", p, fmt.Sprintf("an invoice %d", n), "passed your message on")
		if got := team("feishu"); !strings.Contains(got, fmt.Sprintf("an invoice %d", n)) || !strings.Contains(got, "李娜") {
			t.Errorf("%s: forwarded %q", p, got)
		}
		s.reads("li", p, fmt.Sprintf("a human %d, please", n), "called a colleague", "/bot")
		if got := team("dingtalk"); !strings.Contains(got, fmt.Sprintf("a human %d", n)) || !strings.Contains(got, "60 minutes") {
			t.Errorf("%s: handed over %q", p, got)
		}
		s.ignored("li", p, "are you there?")
		s.reads("li", p, "/bot", "back")
		s.reads("li", p, "once more", "**once more**")
	}
	s.clean()
}

// TestHandOverEnds: agents come back by themselves.
func TestHandOverEnds(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent+"routes: [{when: {keyword: human}, human: {for: 1s}}]\n", "", asUsual)
	p := s.platforms()[0]
	s.reads("li", p, "a human", "called a colleague")
	s.ignored("li", p, "hello")
	until(t, func() bool {
		before := len(s.shown("li", p))
		if _, err := s.sim.Say(s.ctx, "li", p, "and now"); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return s.settled("and now") })
		return len(s.shown("li", p)) > before
	})
}

// TestDepartments: where it matters, the directory is asked before the first
// message is placed.
func TestDepartments(t *testing.T) {
	t.Parallel()
	agents := fmt.Sprintf("agents: [{id: chat, kind: echo}, {id: help, kind: dify, base_url: %q}]\n", server(t).URL)
	s := onBots(t, agents+"routes: [{when: {department: [1, od-demo], keyword: leave}, agent: help}]\n", "agent: chat", asUsual)
	for _, p := range s.platforms() {
		s.reads("li", p, "how much leave?", "Dify heard")
		s.reads("li", p, "and else?", "**and else?**")
	}
	s.clean()
	for departments, answer := range map[string]string{"[1, od-demo]": "**hello**", "[7, od-other]": "other departments or chats"} {
		s := onBots(t, echoAgent, "allow: {departments: "+departments+"}", asUsual)
		for _, p := range s.platforms() {
			s.reads("alex", p, "hello", answer)
		}
		s.clean()
	}
}

// TestWhoSomebodyIs: names and addresses come from the directory, on Feishu and
// WeCom too, whose messages carry no name; what the admin had asked again is in
// the history.
func TestWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "", asUsual)
	for _, p := range s.platforms() {
		s.reads("zhang", p, "!fail", "problem")
	}
	rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "张伟"})
	if err != nil || len(rows) != len(s.platforms()) {
		t.Fatalf("%d people, %v", len(rows), err)
	}
	for _, row := range rows {
		card, err := s.PersonCard(s.ctx, row.Person.ID)
		if err != nil || card.Person.Role != bridge.RoleNew || len(card.Accounts) != 1 || card.Accounts[0].Profile.Name != "张伟" {
			t.Fatalf("%+v %v", card, err)
		}
		if got := card.Accounts[0]; (got.Identity.Platform == "wecom") != (got.Profile.Email == "") {
			t.Errorf("%+v", got)
		}
	}
	talks, err := s.Talks(s.ctx, bridge.TalkQuery{Limit: 1})
	if err != nil || len(talks) != 1 {
		t.Fatal(talks, err)
	}
	var all []bridge.Exchange
	until(t, func() bool { // it is shown a moment before it is settled
		all, err = s.Exchanges(s.ctx, talks[0].Lane, 0, 1)
		return err == nil && len(all) == 1 && all[0].Job.State.Final()
	})
	if err := s.Retry(s.ctx, all[0].Job.ID); err != nil {
		t.Fatal(err)
	}
	card, err := s.PersonCard(s.ctx, talks[0].Person)
	if err != nil || len(card.History) != 1 || card.History[0].Kind != bridge.AuditAsked || card.History[0].By != (bridge.Actor{Where: "window"}) {
		t.Errorf("history %+v, %v", card.History, err)
	}
}

// TestOverTheLimit: whoever asks too often is told when they may ask again, once,
// and it is in the audit.
func TestOverTheLimit(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent+"limits: {per_person_per_day: 1}\n", "", asUsual)
	for _, p := range s.platforms() {
		s.reads("li", p, "first", "**first**")
		s.reads("li", p, "second", "limit of 1 questions", "00:00")
		s.ignored("li", p, "third")
	}
	rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "李娜"})
	if err != nil || len(rows) != len(s.platforms()) {
		t.Fatalf("%d people, %v", len(rows), err)
	}
	for _, row := range rows {
		card, err := s.PersonCard(s.ctx, row.Person.ID)
		if err != nil || len(card.History) != 1 || card.History[0].Kind != bridge.AuditRefused || card.History[0].Note != "limit day" {
			t.Errorf("history %+v, %v", card.History, err)
		}
	}
}

// TestGuestsAskLess: people of a role have limits of their own, and the others
// those of everybody.
func TestGuestsAskLess(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent+"people: {default_role: guest}\nlimits: {per_person_per_day: 100, roles: {guest: {per_person_per_day: 2}}}\n", "", asUsual)
	for _, p := range s.platforms() {
		s.reads("li", p, "first", "**first**")
		s.reads("li", p, "second", "**second**")
		s.reads("li", p, "third", "limit of 2 questions", "00:00")
	}
	rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "李娜"})
	if err != nil || len(rows) != len(s.platforms()) {
		t.Fatalf("%d people, %v", len(rows), err)
	}
	for _, row := range rows {
		if err := s.Decide(s.ctx, row.Person.ID, bridge.RoleMember, bridge.Actor{Where: "window"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range s.platforms() {
		s.reads("li", p, "fourth", "**fourth**")
	}
}

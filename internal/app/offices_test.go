package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestDepartmentNames: where the directory knows names, they may stand in place of
// ids, and mean whoever is below a department, too. What means nobody is told.
func TestDepartmentNames(t *testing.T) {
	t.Parallel()
	s := onBots(t, "agents: [{id: help, kind: echo}, {id: hr, kind: echo}]\nroutes: [{when: {department: 招聘组}, reply: recruiters}, {when: {department: 法务}, agent: hr}]\n",
		"agent: help, allow: {departments: [人事部, 销售部, 财务部]}", asUsual)
	for _, p := range s.platforms() {
		s.reads("li", p, "hello", "**hello**")     // is in it
		s.reads("alex", p, "hello", "recruiters")  // is in a part of it
		s.reads("zhang", p, "你好", "我只为特定的部门或群聊服务") // is not
	}
	s.clean()
	var told []string
	for _, line := range s.Check(s.ctx, bridge.English) {
		if !line.OK {
			told = append(told, line.Who+": "+line.What+" "+line.Next)
		}
	}
	all := strings.Join(told, "\n")
	for _, p := range s.platforms() {
		for _, want := range []string{": 2 departments are called “销售部”", ": The directory knows no department “财务部”"} {
			if !strings.Contains(all, s.bot(p)+want) {
				t.Errorf("%s: no %q in\n%s", p, want, all)
			}
		}
	}
	if len(told) != 7 || !strings.Contains(all, "routes: The directory knows no department “法务”") || !strings.Contains(all, "产品部") || !strings.Contains(all, "od-demo-6 (产品部)") {
		t.Errorf("told\n%s", all)
	}
}

// TestDepartmentsWithheld: without the right to read names only ids mean anybody,
// which is told with the right that is missing.
func TestDepartmentsWithheld(t *testing.T) {
	t.Parallel()
	sim, err := simulator.Start(t.Context(), simulator.Options{Withhold: []string{"contact:department.base:readonly", "qyapi_get_department_list"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	for allow, want := range map[string]int{"[人事部]": 2, "[od-demo-3, 3]": 0} {
		text := echoAgent + strings.ReplaceAll(channels(t, sim.Configs()), ", settings: {", ", allow: {departments: "+allow+"}, settings: {")
		a, ctx := house(t, t.TempDir(), text)
		var told []string
		for _, line := range a.Check(ctx, bridge.English) {
			if strings.Contains(line.What, "names of departments") && strings.Contains(line.Next, "write the ids") {
				told = append(told, line.What+" "+line.Next)
			}
		}
		if all := strings.Join(told, "\n"); len(told) != want || want > 0 && !strings.Contains(all, "contact:department.base:readonly") {
			t.Errorf("%s: told\n%s", allow, all)
		}
	}
}

// TestWithoutDepartments: to customer service nobody writes who has a department. A
// rule that is for other bots, too, is for those.
func TestWithoutDepartments(t *testing.T) { //nolint:paralleltest // sets the environment
	sim, err := simulator.Start(t.Context(), simulator.Options{Platforms: []bridge.Platform{"feishu", "wecom"}, Service: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	all := sim.Configs()
	desk := slices.IndexFunc(all, func(c bridge.Config) bool { return c.Mode == "kf" })
	const none = ": The people who write to this bot have no departments, so none of them is meant by "
	for name, c := range map[string]struct {
		bots          []bridge.Config
		routes, allow string
		want          []string
	}{
		"a rule":            {all[desk : desk+1], "[{when: {department: [人事部, '3']}, refuse: true}]", "", []string{none + "“人事部, 3”."}},
		"a rule for others": {all, "[{when: {department: [人事部, od-demo-3]}, refuse: true}]", "", nil},
		"a rule for it":     {all, "[{when: {department: 人事部, bot: " + all[desk].ID + "}, refuse: true}]", "", []string{none + "“人事部”."}},
		"whom it is for":    {all, "[]", "allow: {departments: ['3']}, ", []string{none + "“3”."}},
		"none":              {all, "[{when: {keyword: x}, refuse: true}]", "", nil},
	} {
		text := echoAgent + "routes: " + c.routes + "\n" + strings.Replace(channels(t, c.bots), "mode: kf, ", "mode: kf, "+c.allow, 1)
		a, ctx := house(t, t.TempDir(), text)
		for n, want := range c.want {
			c.want[n] = all[desk].ID + want
		}
		var told []string
		for _, line := range a.Check(ctx, bridge.English) {
			if strings.Contains(line.What, "departments") && !line.OK && line.Next != "" {
				told = append(told, line.Who+": "+line.What)
			}
		}
		if !slices.Equal(told, c.want) {
			t.Errorf("%s: told %q, want %q", name, told, c.want)
		}
		for _, n := range a.Notices(bridge.English) { // nothing is amiss that could be mended by reading again
			if strings.HasPrefix(n.ID, "departments_unread ") {
				t.Errorf("%s: notice %+v", name, n)
			}
		}
	}
}

// TestDepartmentsOfABrokenBot: a bot that is not open has that trouble, and no other.
func TestDepartmentsOfABrokenBot(t *testing.T) {
	t.Parallel()
	text := echoAgent + "bots: [{id: f, platform: feishu, mode: webhook, agent: help, allow: {departments: [人事部]}, settings: {app_id: cli_1}}]\n"
	a, ctx := house(t, t.TempDir(), text)
	lines := a.Check(ctx, bridge.English)
	if n := slices.IndexFunc(lines, func(l app.CheckLine) bool { return l.Who == "f" && !l.OK }); n < 0 || strings.Contains(fmt.Sprint(lines), "人事部") {
		t.Errorf("told %+v", lines)
	}
	for _, n := range a.Notices(bridge.English) {
		if strings.HasPrefix(n.ID, "departments_unread ") {
			t.Errorf("notice %+v", n)
		}
	}
}

// TestDepartmentsUnread: as long as the names of departments are not known, nobody
// gets around a rule that refuses one, and the admin is told what to do.
func TestDepartmentsUnread(t *testing.T) {
	t.Parallel()
	withhold := simulator.Options{Withhold: []string{"contact:department.base:readonly", "qyapi_get_department_list"}}
	s := onSim(t, withhold, echoAgent+"routes: [{when: {department: 招聘组, keyword: salary}, refuse: not for you}]\n", "", asUsual)
	blind := func() []bridge.Notice {
		return slices.DeleteFunc(s.Notices(bridge.English), func(n bridge.Notice) bool { return !strings.HasPrefix(n.ID, "departments_unread ") })
	}
	for _, p := range s.platforms() {
		ofAlex, ofLi := "not for you", "**my salary?**"
		if p != "wecom" {
			ofAlex, ofLi = "cannot tell right now", "your department, or the name of this group"
		}
		s.reads("alex", p, "my salary?", ofAlex)
		s.reads("li", p, "my salary?", ofLi)
		s.reads("li", p, "hello", "**hello**")
	}
	until(t, func() bool { return len(blind()) == 2 })
	for _, n := range blind() {
		if !strings.Contains(n.Title, n.Bot) || !strings.Contains(n.Detail, "招聘组") || n.Next == "" {
			t.Errorf("notice %+v", n)
		}
	}
	for _, line := range s.Check(s.ctx, bridge.English) { // has its own line about it
		if strings.Contains(line.What, "cannot be read for") {
			t.Errorf("twice: %+v", line)
		}
	}
	s.sim.Grant("qyapi_get_department_list")
	s.Check(s.ctx, bridge.English) // reads them, too
	if got := blind(); len(got) != 1 || got[0].Bot != s.bot("feishu") {
		t.Errorf("notices %+v", got)
	}
	s.reads("li", "dingtalk", "and my salary?", "**and my salary?**")
	rule := bridge.Route{When: []bridge.RouteCondition{{By: "department", Values: []string{"3", "od-demo-3"}}, {By: "keyword", Values: []string{"salary"}}}}
	rule.Then = bridge.RouteOutcome{Kind: bridge.RouteRefuse, Text: "not for you"}
	if err := s.SaveRoutes(s.ctx, []bridge.Route{rule}); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(blind()) == 0 })
	for _, p := range s.platforms() {
		s.reads("li", p, "what salary?", "not for you")
		s.reads("zhang", p, "what salary?", "**what salary?**")
	}
	s.clean()
}

// TestDingTalkFile: what stands in the file of an employee on DingTalk is known of
// them, as far as the app may read it; somebody without an address is found by the
// number that Feishu has of them, too.
func TestDingTalkFile(t *testing.T) {
	t.Parallel()
	for withheld, want := range map[string]bridge.Profile{
		"":                 {Name: "李娜", Email: "li@demo.example", Mobile: "13800138001", Department: "1,3"},
		"fieldEmail":       {Name: "李娜", Mobile: "13800138001", Department: "1,3"},
		"fieldMobile":      {Name: "李娜", Email: "li@demo.example", Department: "1,3"},
		"qyapi_get_member": {},
	} {
		s := onSim(t, simulator.Options{Withhold: []string{withheld}}, echoAgent, "", asUsual)
		s.reads("li", "dingtalk", "hello", "**hello**")
		s.reads("li", "feishu", "hello", "**hello**")
		rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "staff-li"})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%q: %+v, %v", withheld, rows, err)
		}
		card, err := s.PersonCard(s.ctx, rows[0].Person.ID)
		if err != nil || len(card.Accounts) != 1 {
			t.Fatal(card, err)
		}
		got := card.Accounts[0].Profile
		if got.Avatar = ""; got != want {
			t.Errorf("without %q: %+v", withheld, got)
		}
		if likely := len(card.Likely) == 1; likely != (withheld != "qyapi_get_member") {
			t.Errorf("without %q: likely %+v", withheld, card.Likely)
		}
		s.clean()
	}
}

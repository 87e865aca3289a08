package app_test

import (
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestGroupsByName: groups are called by their names in lists and rules, also where
// the platform does not say the name with a message. What is not known by its name is
// told with the ids there are.
func TestGroupsByName(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent+"routes: [{when: {chat: 产品组, keyword: wifi}, reply: on the wall}, {when: {chat: 茶水间}, refuse: true}]\n", "allow: {chats: [产品组, 会议室]}", asUsual)
	hears := func(p bridge.Platform, group, text, answer string) {
		s.line(simulator.Line{Employee: "li", Platform: p, Group: group, Text: text, Mention: true}, answer)
	}
	var told string
	check := func() {
		told = ""
		for _, line := range s.Check(s.ctx, bridge.English) {
			if strings.Contains(line.What, "No group called") && line.OK {
				told += line.Who + ": " + line.What + " " + line.Next + "\n"
			}
		}
	}
	if check(); !strings.Contains(told, "feishu: No group called “产品组”") || !strings.Contains(told, "then this check names") {
		t.Errorf("told\n%s", told)
	}
	for _, p := range s.platforms() {
		if p == "wecom" { // has no groups
			continue
		}
		hears(p, "team", "hello", "hello")
		hears(p, "team", "wifi", "on the wall")
		hears(p, "lunch", "你好", "我只为特定的部门或群聊服务")
	}
	if check(); strings.Contains(told, "产品组”") || !strings.Contains(told, "feishu: No group called “会议室”") || strings.Count(told, "routes: No group called “茶水间”") != 1 ||
		!strings.Contains(told, "产品组 (oc_") || strings.Contains(told, "wecom:") {
		t.Errorf("told\n%s", told)
	}
	s.clean()
}

// TestGroupNamesWithheld: without the right to see names nobody gets in by one, nor
// around one, and check says which right is missing and which ids there are.
func TestGroupNamesWithheld(t *testing.T) {
	t.Parallel()
	for bots, answer := range map[string]string{"allow: {chats: [产品组]}": "暂时查不到", "group: shared": "暂时查不到"} {
		s := onSim(t, simulator.Options{Withhold: []string{"im:chat:read"}}, echoAgent+"routes: [{when: {chat: 午饭群}, refuse: true}]\n", bots, asUsual)
		s.line(simulator.Line{Employee: "li", Platform: "feishu", Group: "team", Text: "你好", Mention: true}, answer)
		var told string
		for _, line := range s.Check(s.ctx, bridge.English) {
			if !line.OK {
				told += line.Who + ": " + line.What + " " + line.Next + "\n"
			}
		}
		if !strings.Contains(told, "no message is known to be from “") || !strings.Contains(told, "im:chat:readonly") || !strings.Contains(told, "(oc_") {
			t.Errorf("%s: told\n%s", bots, told)
		}
		s.clean()
	}
}

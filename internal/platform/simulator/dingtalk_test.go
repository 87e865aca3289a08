package simulator_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// ask writes to the robot and returns where the answer goes.
func (b *bench) ask(l simulator.Line) (id bridge.MessageID, webhook, conversation string) {
	b.t.Helper()
	l.Platform = "dingtalk"
	id, err := b.Write(b.t.Context(), l)
	if err != nil {
		b.t.Fatal(err)
	}
	got := b.delivered()
	var push struct{ SessionWebhook, ConversationID string }
	if err := json.Unmarshal(got[len(got)-1].body, &push); err != nil {
		b.t.Fatal(err)
	}
	return id, push.SessionWebhook, push.ConversationID
}

func (b *bench) session(webhook string, body any) result {
	b.t.Helper()
	r, err := b.try(webhook, http.MethodPost, nil, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func dingMarkdown(text string) map[string]any {
	return map[string]any{"msgtype": "markdown", "markdown": map[string]string{"title": "t", "text": text}}
}

// TestDingSession answers through the session webhook.
func TestDingSession(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	id, webhook, _ := b.ask(simulator.Line{Employee: "li", Text: "q"})
	untitled := map[string]any{"msgtype": "markdown", "markdown": map[string]string{"text": "x"}}
	for _, c := range []struct {
		name string
		body any
		want int
	}{
		{"good", dingMarkdown("one"), 0},
		{"a text", map[string]any{"msgtype": "text", "text": map[string]string{"content": "two"}}, 0},
		{"no title", untitled, 40035},
		{"unknown field", map[string]any{"msgtype": "text", "text": map[string]string{"content": "x"}, "x": 1}, 40035},
		{"another type", map[string]any{"msgtype": "image"}, 40035},
		{"empty", dingMarkdown(""), 40035},
		{"too long", dingMarkdown(strings.Repeat("x", 20001)), 460101},
	} {
		if r := b.session(webhook, c.body); r.code() != c.want || r.status != http.StatusOK {
			t.Errorf("%s: %s, want %d", c.name, r.body, c.want)
		}
	}
	if r := b.session(webhook+"x", dingMarkdown("x")); r.code() != 300001 {
		t.Errorf("no such session: %s", r.body)
	}
	trace, _ := b.Trace(id)
	if len(trace.Answers) != 2 || trace.Answers[0].Text != "one" || trace.Answers[1].Text != "two" {
		t.Errorf("trace %+v", trace)
	}
	b.noViolations()
	for spec, want := range map[string]int{"busy=1x": -1, "limit=1x": 130101, "quota=1x": 90020, "left=1x": 300001, "dissolved=1x": 0} {
		b.faults(spec)
		if r := b.session(webhook, dingMarkdown("x")); r.code() != want {
			t.Errorf("%s: %s, want %d", spec, r.body, want)
		}
	}
	b.faults("")
	if err := b.Advance(t.Context(), 90*time.Minute+time.Second); err != nil {
		t.Fatal(err)
	}
	if r := b.session(webhook, dingMarkdown("x")); r.code() != 300001 {
		t.Errorf("after ninety minutes: %s", r.body)
	}
}

// TestDingGroup answers into a group.
func TestDingGroup(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	_, webhook, conversation := b.ask(simulator.Line{Employee: "li", Group: "team", Mention: true, Text: "q"})
	at := dingMarkdown("@staff-li one")
	at["at"] = map[string]any{"atUserIds": []string{"staff-li"}}
	if r := b.session(webhook, at); r.code() != 0 {
		t.Error(r.body)
	}
	b.noViolations()
	at["markdown"] = map[string]string{"title": "t", "text": "two"}
	if r := b.session(webhook, at); r.code() != 0 || len(b.Violations()) != 1 {
		t.Errorf("a mention beside the text: %s, %q", r.body, b.Violations())
	}
	want := []string{"q", "*@staff-li one", "*two"}
	for _, e := range b.Employees() {
		if diff := cmp.Diff(want, b.lines(e.ID)); diff != "" {
			t.Errorf("%s: %s", e.ID, diff)
		}
	}
	send := func(group string) result {
		return b.call("dingtalk", http.MethodPost, "/v1.0/robot/groupMessages/send", map[string]string{"x-acs-dingtalk-access-token": b.token("dingtalk")},
			map[string]any{"robotCode": b.bots["dingtalk"].Settings["robot_code"], "openConversationId": group, "msgKey": "sampleMarkdown", "msgParam": `{"title":"t","text":"three"}`})
	}
	if r := send(conversation); r.status != 200 || r.text("processQueryKey") == "" || len(b.lines("zhang")) != 4 {
		t.Errorf("the robot API: %s", r.body)
	}
	if r := send("cid"); r.code() != "invalid.openConversationId" {
		t.Errorf("no group: %s", r.body)
	}
	b.faults("dissolved=1")
	if r := send(conversation); r.code() != "group.disbanded" {
		t.Errorf("a dissolved group: %s", r.body)
	}
	if r := b.session(webhook, dingMarkdown("x")); r.code() != 400013 {
		t.Errorf("a dissolved group's session: %s", r.body)
	}
	if len(b.lines("li")) != 4 {
		t.Errorf("shown: %q", b.lines("li"))
	}
}

// TestDingRules breaks every rule of the robot API once.
func TestDingRules(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	send := func(token string, change map[string]any) result {
		body := map[string]any{
			"robotCode": b.bots["dingtalk"].Settings["robot_code"], "userIds": []string{"staff-li"}, "msgKey": "sampleMarkdown", "msgParam": `{"title":"t","text":"x"}`,
		}
		maps.Copy(body, change)
		return b.call("dingtalk", http.MethodPost, "/v1.0/robot/oToMessages/batchSend", map[string]string{"x-acs-dingtalk-access-token": token}, body)
	}
	good := b.token("dingtalk")
	for name, c := range map[string]struct {
		change map[string]any
		want   any
	}{
		"good":          {nil, nil},
		"unknown field": {map[string]any{"x": 1}, "invalidParameter.body"},
		"another robot": {map[string]any{"robotCode": "x"}, "invalidParameter.robotCode.auth"},
		"nobody":        {map[string]any{"userIds": []string{}}, "miss.param.userIds"},
		"too many":      {map[string]any{"userIds": make([]string, 21)}, "invalidParameter.userIds.overMax"},
		"another kind":  {map[string]any{"msgKey": "markdown"}, "invalidParameter.msgKey.invalid"},
		"no title":      {map[string]any{"msgParam": `{"text":"x"}`}, "miss.param.title"},
		"no text":       {map[string]any{"msgParam": `{"title":"x"}`}, "invalidParameter.msgParam.invalid"},
		"not JSON":      {map[string]any{"msgParam": `x`}, "invalidParameter.msgParam.invalid"},
		"too long":      {map[string]any{"msgParam": `{"title":"t","text":"` + strings.Repeat("x", 15000) + `"}`}, "invalidParameter.msgParam.tooLong"},
	} {
		if r := send(good, c.change); r.code() != c.want || (r.status == 200) != (c.want == nil) {
			t.Errorf("%s: %d %s, want %v", name, r.status, r.body, c.want)
		}
	}
	if r := send("x", nil); r.code() != "InvalidAuthentication" || r.status != 400 {
		t.Errorf("no token: %s", r.body)
	}
	if r := send(good, map[string]any{"userIds": []string{"staff-li", "staff-x"}}); toJSON(t, r.at("invalidStaffIdList")) != `["staff-x"]` {
		t.Errorf("somebody unknown: %s", r.body)
	}
	if got := b.lines("li"); len(got) != 2 {
		t.Errorf("shown: %q", got)
	}
	if r := b.call("dingtalk", http.MethodPost, "/v1.0/oauth2/accessToken", nil, map[string]string{"appKey": "x", "appSecret": "x"}); r.code() != "invalidClientIdOrSecret" || r.status != 400 {
		t.Errorf("a wrong secret: %s", r.body)
	}
	old := b.bots["dingtalk"].Settings["oapi_url"] + "/topapi/v2/user/get?access_token="
	for _, c := range []struct {
		token, user string
		want        int
	}{{good, "staff-alex", 0}, {good, "x", 60121}, {"x", "staff-alex", 40014}} {
		if r := b.session(old+c.token, map[string]string{"userid": c.user, "language": "zh_CN"}); r.code() != c.want || c.want == 0 && r.text("result.name") != "Alex Chen" {
			t.Errorf("%+v: %s", c, r.body)
		}
	}
}

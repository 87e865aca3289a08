package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/platform/simulator"
)

// chatOf returns the id of the chat that a message was written in.
func (l *lark) chatOf(line simulator.Line) string {
	l.t.Helper()
	line.Platform = feishu
	if _, err := l.Write(l.t.Context(), line); err != nil {
		l.t.Fatal(err)
	}
	all := l.delivered()
	event, _ := l.feishuEvent(all[len(all)-1])["event"].(map[string]any)
	message, _ := event["message"].(map[string]any)
	chat, _ := message["chat_id"].(string)
	return chat
}

func list(chat string, change map[string]string) string {
	query := url.Values{"container_id_type": {"chat"}, "container_id": {chat}}
	for name, value := range change {
		query.Set(name, value)
	}
	return "im/v1/messages?" + query.Encode()
}

func items(r result) []any {
	all, _ := r.at("data.items").([]any)
	return all
}

// TestFeishuHistory lists a chat, whether its messages were delivered or not.
func TestFeishuHistory(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{HearAll: true})
	chat := l.chatOf(simulator.Line{Employee: "li", Text: "delivered"})
	for n := range 60 {
		if _, err := l.Write(t.Context(), simulator.Line{Employee: "li", Platform: feishu, Text: fmt.Sprint(n), Lost: true}); err != nil {
			t.Fatal(err)
		}
	}
	l.send("li", "text", `{"text":"an answer"}`, "")
	if n := len(l.delivered()); n != 1 {
		t.Errorf("%d were delivered", n)
	}
	token := ""
	for _, want := range []int{50, 12} {
		page := l.good(http.MethodGet, list(chat, map[string]string{"page_size": "50", "page_token": token}), nil)
		n := len(items(page))
		token = page.text("data.page_token")
		if n != want || page.at("data.has_more") != (token != "") || page.at("data.has_more") != (want == 50) {
			t.Errorf("%d on a page: %s", n, page.body)
		}
	}
	first := l.good(http.MethodGet, list(chat, map[string]string{"page_size": "1"}), nil).body
	for _, want := range []string{`"sender_type":"user"`, `"id":"` + l.user("li") + `"`, `"msg_type":"text"`, `"content":"{\"text\":\"delivered\"}"`} {
		if !strings.Contains(first, want) {
			t.Errorf("the first is %s, without %s", first, want)
		}
	}
	last := l.good(http.MethodGet, list(chat, map[string]string{"page_size": "1", "sort_type": "ByCreateTimeDesc"}), nil).body
	if !strings.Contains(last, `"sender_type":"app"`) || !strings.Contains(last, `"id_type":"app_id"`) {
		t.Errorf("the last is %s", last)
	}
	if err := l.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	since := strconv.FormatInt(time.Now().Add(30*time.Minute).Unix(), 10)
	if r := l.good(http.MethodGet, list(chat, map[string]string{"start_time": since}), nil); len(items(r)) != 0 {
		t.Errorf("later: %s", r.body)
	}
	if r := l.good(http.MethodGet, list(chat, map[string]string{"end_time": since}), nil); len(items(r)) != 20 {
		t.Errorf("before that: %s", r.body)
	}
	group := l.chatOf(simulator.Line{Employee: "li", Group: "team", Mention: true, Text: "lunch?"})
	if r := l.good(http.MethodGet, list(group, nil), nil); len(items(r)) != 1 || !strings.Contains(r.body, `"key":"@_user_1"`) || !strings.Contains(r.body, `"mentions":[{"id":"ou_`) {
		t.Errorf("the mention is %s", r.body)
	}
	l.noViolations()
}

// TestFeishuHistoryRules breaks every rule of listing once.
func TestFeishuHistoryRules(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	chat := l.chatOf(simulator.Line{Employee: "li", Text: "one"})
	group := l.chatOf(simulator.Line{Employee: "li", Group: "team", Mention: true, Text: "two"})
	l.chatOf(simulator.Line{Employee: "li", Text: "three"})
	token := l.good(http.MethodGet, list(chat, map[string]string{"page_size": "1"}), nil).text("data.page_token")
	for name, c := range map[string]struct {
		path string
		code any
	}{
		"no kind":         {"im/v1/messages?container_id=" + chat, 230001},
		"topic":           {list(chat, map[string]string{"container_id_type": "thread"}), 230001},
		"no chat":         {list("", nil), 230001},
		"not a chat":      {list(l.user("li"), nil), 230001},
		"foreign chat":    {list("oc_elsewhere", nil), 230002},
		"group":           {list(group, nil), 230027},
		"milliseconds":    {list(chat, map[string]string{"start_time": "1608594809000"}), 230001},
		"no time":         {list(chat, map[string]string{"end_time": "yesterday"}), 230001},
		"no order":        {list(chat, map[string]string{"sort_type": "asc"}), 230001},
		"too many":        {list(chat, map[string]string{"page_size": "51"}), 230001},
		"none":            {list(chat, map[string]string{"page_size": "0"}), 230001},
		"no page":         {list(chat, map[string]string{"page_token": "x"}), 230001},
		"another's page":  {list(group, map[string]string{"page_token": token}), 230001},
		"order in midway": {list(chat, map[string]string{"page_token": token, "sort_type": "ByCreateTimeDesc"}), 230001},
	} {
		if r := l.do(http.MethodGet, c.path, nil); r.code() != c.code || r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	l.noViolations()
	l.do(http.MethodGet, list(chat, map[string]string{"since": "1608594809"}), nil)
	if len(l.Violations()) != 1 {
		t.Errorf("violations %q", l.Violations())
	}
	l.token = "t-none"
	if r := l.do(http.MethodGet, list(chat, nil), nil); r.code() != 99991663 {
		t.Errorf("without a token: %s", r.body)
	}
}

// TestFeishuWithheld: without the permission nothing is listed, and the answer
// says which it is.
func TestFeishuWithheld(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{Withhold: []string{"im:message:readonly"}})
	chat := l.chatOf(simulator.Line{Employee: "li", Text: "one"})
	r := l.do(http.MethodGet, list(chat, nil), nil)
	if violations, _ := r.at("error.permission_violations").([]any); r.code() != 99991672 || len(violations) != 3 {
		t.Errorf("the answer is %s", r.body)
	}
	scopes := l.good(http.MethodGet, "application/v6/scopes", nil)
	if strings.Count(scopes.body, `"grant_status":2`) != 1 || !strings.Contains(scopes.body, `{"grant_status":2,"scope_name":"im:message:readonly"}`) {
		t.Errorf("the scopes are %s", scopes.body)
	}
}

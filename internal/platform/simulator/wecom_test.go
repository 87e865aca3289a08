package simulator_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/platform/simulator"
)

// wecomBody is a good message, changed.
func wecomBody(change map[string]any) map[string]any {
	body := map[string]any{"touser": "User-li", "msgtype": "text", "agentid": 1000002, "text": map[string]string{"content": "x"}}
	maps.Copy(body, change)
	return body
}

func (b *bench) wecomSend(body any) result {
	b.t.Helper()
	return b.call("wecom", http.MethodPost, "/cgi-bin/message/send?access_token="+b.token("wecom"), nil, body)
}

// TestWecomRules breaks every rule of the app's calls once.
func TestWecomRules(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for name, c := range map[string]struct {
		body any
		want int
	}{
		"good":             {wecomBody(nil), 0},
		"markdown":         {wecomBody(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": "**x**"}}), 0},
		"a name in lower":  {wecomBody(map[string]any{"touser": "user-li"}), 0},
		"not JSON":         {"x", 40058},
		"unknown field":    {wecomBody(map[string]any{"to": "x"}), 40058},
		"another type":     {wecomBody(map[string]any{"msgtype": "markdown_v2"}), 40008},
		"type and no body": {wecomBody(map[string]any{"msgtype": "markdown"}), 40008},
		"another agent":    {wecomBody(map[string]any{"agentid": 1}), 301002},
		"empty":            {wecomBody(map[string]any{"text": map[string]string{"content": ""}}), 44004},
		"nobody":           {wecomBody(map[string]any{"touser": "staff-li"}), 81013},
		"a long interval":  {wecomBody(map[string]any{"duplicate_check_interval": 4*3600 + 1}), 40058},
	} {
		r := b.wecomSend(c.body)
		if r.code() != c.want || r.status != http.StatusOK || c.want != 0 && !strings.Contains(r.text("errmsg"), "from ip: ") {
			t.Errorf("%s: %s, want %d", name, r.body, c.want)
		}
	}
	b.noViolations()
	secret, corp := b.bots["wecom"].Secrets["secret"].Reveal(), b.bots["wecom"].Settings["corp_id"]
	for path, want := range map[string]int{
		"/cgi-bin/gettoken?corpid=x&corpsecret=" + secret:               40013,
		"/cgi-bin/gettoken?corpid=" + corp + "&corpsecret=x":            40001,
		"/cgi-bin/agent/get?agentid=1000002":                            41001,
		"/cgi-bin/agent/get?agentid=1000002&access_token=x":             42001,
		"/cgi-bin/agent/get?agentid=1&access_token=" + b.token("wecom"): 40056,
		"/cgi-bin/user/get?userid=x&access_token=" + b.token("wecom"):   60111,
		"/cgi-bin/user/get?userid=x&access_token=":                      41001,
	} {
		if r := b.call("wecom", http.MethodGet, path, nil, nil); r.code() != want {
			t.Errorf("%s: %s, want %d", path, r.body, want)
		}
	}
	if r := b.call("wecom", http.MethodGet, "/cgi-bin/user/get?userid=User-alex&access_token="+b.token("wecom"), nil, nil); r.text("name") != "Alex Chen" || r.at("mobile") != nil {
		t.Errorf("a member is %s", r.body)
	}
}

// TestWecomCuts shows what the platform does without a word.
func TestWecomCuts(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	long := strings.Repeat("字", 683) // 2049 bytes
	if r := b.wecomSend(wecomBody(map[string]any{"text": map[string]string{"content": long}})); r.code() != 0 || len(b.Violations()) != 1 {
		t.Errorf("%s, %q", r.body, b.Violations())
	}
	if got := b.lines("li"); len(got) != 1 || got[0] != "*"+long[:2046] {
		t.Errorf("shown: %q", got)
	}
	paced := setup(t, simulator.Options{Paced: true})
	for n := range 31 {
		if r := paced.wecomSend(wecomBody(map[string]any{"text": map[string]string{"content": fmt.Sprint(n)}})); r.code() != 0 {
			t.Error(r.body)
		}
	}
	if got := paced.lines("li"); len(got) != 30 || len(paced.Violations()) != 1 {
		t.Errorf("%d shown, %q", len(got), paced.Violations())
	}
	if err := paced.Advance(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if r := paced.wecomSend(wecomBody(nil)); r.code() != 0 || len(paced.lines("li")) != 31 {
		t.Errorf("a minute later: %s, %d shown", r.body, len(paced.lines("li")))
	}
}

// TestWecomOnce sends the same content within the duplicate check's interval
// and after it.
func TestWecomOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for _, step := range []struct {
		change map[string]any
		age    time.Duration
		shown  int
	}{
		{map[string]any{"enable_duplicate_check": 1, "duplicate_check_interval": 120}, 0, 1},
		{map[string]any{"enable_duplicate_check": 1, "duplicate_check_interval": 120}, 119 * time.Second, 1},
		{map[string]any{"enable_duplicate_check": 1, "duplicate_check_interval": 120}, 120 * time.Second, 2},
		{map[string]any{"enable_duplicate_check": 1}, 29 * time.Minute, 2},
		{map[string]any{"enable_duplicate_check": 1}, 30 * time.Minute, 3},
		{map[string]any{"enable_duplicate_check": 1, "touser": "User-alex"}, 0, 3},
		{map[string]any{"enable_duplicate_check": 1, "text": map[string]string{"content": "y"}}, 0, 4},
		{nil, 0, 5}, // nobody asked for a check
	} {
		if err := b.Advance(t.Context(), step.age); err != nil {
			t.Fatal(err)
		}
		if r := b.wecomSend(wecomBody(step.change)); r.code() != 0 {
			t.Fatal(r.body)
		}
		if got := b.lines("li"); len(got) != step.shown {
			t.Errorf("%v after %s: shown %q", step.change, step.age, got)
		}
	}
}

// TestWecomRecall takes a message back.
func TestWecomRecall(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	id := b.wecomSend(wecomBody(nil)).text("msgid")
	path := "/cgi-bin/message/recall?access_token=" + b.token("wecom")
	if r := b.call("wecom", http.MethodPost, path, nil, map[string]string{"msgid": id}); r.code() != 0 {
		t.Error(r.body)
	}
	if got := b.lines("li"); len(got) != 0 {
		t.Errorf("shown: %q", got)
	}
	if r := b.call("wecom", http.MethodPost, path, nil, map[string]string{"msgid": "x"}); r.code() != 40058 {
		t.Error(r.body)
	}
}

// TestWecomTrace finds answers by what they say, because they name no question.
func TestWecomTrace(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	b.wecomSend(wecomBody(map[string]any{"text": map[string]string{"content": "before: q1"}}))
	id, err := b.Say(t.Context(), "li", "wecom", "q1")
	if err != nil {
		t.Fatal(err)
	}
	later, err := b.Say(t.Context(), "li", "wecom", "q12")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"to q1", "to q2", "to q12, after q1", "to q1 again, before q12"} {
		b.wecomSend(wecomBody(map[string]any{"text": map[string]string{"content": text}}))
	}
	b.wecomSend(wecomBody(map[string]any{"touser": "User-alex", "text": map[string]string{"content": "q1 for somebody else"}}))
	trace, _ := b.Trace(id)
	var got []string
	for n, a := range trace.Answers {
		got = append(got, a.Text)
		if n > 0 && a.Order <= trace.Answers[n-1].Order {
			t.Errorf("order %d after %d", a.Order, trace.Answers[n-1].Order)
		}
	}
	if diff := cmp.Diff([]string{"to q1", "to q1 again, before q12"}, got); diff != "" {
		t.Error(diff)
	}
	if trace, _ := b.Trace(later); len(trace.Answers) != 1 || trace.Answers[0].Text != "to q12, after q1" {
		t.Errorf("the later question: %+v", trace)
	}
	if _, ok := b.Trace("x"); ok {
		t.Error("what was never said has a trace")
	}
	if got := b.Calls(); got["wecom message/send"] != 6 || got["wecom gettoken"] != 6 {
		t.Errorf("calls %v", got)
	}
}

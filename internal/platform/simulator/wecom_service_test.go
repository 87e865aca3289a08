package simulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// atDesk is a simulator with customer service.
func atDesk(t *testing.T) *bench {
	t.Helper()
	b := setup(t, simulator.Options{Platforms: []bridge.Platform{"wecom"}, Service: true})
	if c := b.bots["wecom"]; c.Mode != "kf" || c.Settings["open_kfid"] == "" {
		t.Fatalf("the bot is %+v", c)
	}
	return b
}

// desk calls an API of customer service.
func (b *bench) desk(api string, body map[string]any) result {
	b.t.Helper()
	return b.call("wecom", http.MethodPost, "/cgi-bin/kf/"+api+"?access_token="+b.token("wecom"), nil, body)
}

// read lists what was written.
func (b *bench) read(change map[string]any) (r result, items []map[string]any) {
	b.t.Helper()
	body := map[string]any{"open_kfid": b.bots["wecom"].Settings["open_kfid"], "limit": 100}
	maps.Copy(body, change)
	r = b.desk("sync_msg", body)
	var all struct {
		Items []map[string]any `json:"msg_list"`
	}
	if err := json.Unmarshal([]byte(r.body), &all); err != nil {
		b.t.Fatal(err)
	}
	return r, all.Items
}

func (b *bench) write(l simulator.Line) bridge.MessageID {
	b.t.Helper()
	l.Employee, l.Platform, l.Service = "li", "wecom", true
	id, err := b.Write(b.t.Context(), l)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// tell answers the customer who wrote.
func (b *bench) tell(to any, change map[string]any) any {
	b.t.Helper()
	body := map[string]any{"touser": to, "open_kfid": b.bots["wecom"].Settings["open_kfid"], "msgtype": "text", "text": map[string]any{"content": "x"}}
	maps.Copy(body, change)
	return b.desk("send_msg", body).code()
}

// TestServiceRings: the callback carries nothing; what was written is listed from a
// cursor on, also what nobody was told of, for three days.
func TestServiceRings(t *testing.T) {
	t.Parallel()
	b := atDesk(t)
	first := b.write(simulator.Line{Text: "one <secret>"})
	b.write(simulator.Line{Text: "two", Lost: true})
	b.write(simulator.Line{File: &simulator.File{Kind: bridge.FileOther, Name: "a.txt", Data: []byte("content")}})
	if got := b.delivered(); len(got) != 2 || strings.Contains(string(got[0].body), "secret") || got[0].query["msg_signature"] == nil {
		t.Errorf("delivered %d", len(got))
	}
	if trace, ok := b.Trace(first); !ok || trace.Accepted != 1 || trace.Text != "one <secret>" {
		t.Errorf("trace %+v", trace)
	}
	r, items := b.read(map[string]any{"limit": 2})
	if len(items) != 2 || items[0]["msgid"] != string(first) || items[0]["origin"] != 3.0 || r.at("has_more") != 1.0 {
		t.Fatalf("listed %s", r.body)
	}
	r, items = b.read(map[string]any{"cursor": r.text("next_cursor")})
	if len(items) != 1 || items[0]["msgtype"] != "file" || r.at("has_more") != 0.0 {
		t.Fatalf("listed %s", r.body)
	}
	file, _ := items[0]["file"].(map[string]any)
	get := fmt.Sprintf("/cgi-bin/media/get?media_id=%v&access_token=%s", file["media_id"], b.token("wecom"))
	if got := b.call("wecom", http.MethodGet, get, nil, nil); got.body != "content" || !strings.Contains(got.header.Get("Content-Disposition"), "a.txt") {
		t.Errorf("fetched %q", got.body)
	}
	if _, items = b.read(map[string]any{"cursor": r.text("next_cursor")}); len(items) != 0 {
		t.Errorf("listed again: %v", items)
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   int
	}{
		"another account": {map[string]any{"open_kfid": "wkX"}, 95004},
		"another cursor":  {map[string]any{"cursor": "cursor-9"}, 40058},
		"another ticket":  {map[string]any{"token": "x"}, 40058},
		"too many":        {map[string]any{"limit": 1001}, 40058},
		"unknown field":   {map[string]any{"since": 1}, 40058},
	} {
		if r, _ := b.read(c.change); r.code() != c.want {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	if err := b.Advance(t.Context(), 73*time.Hour); err != nil {
		t.Fatal(err)
	}
	if r, items := b.read(nil); len(items) != 0 || r.code() != 0 {
		t.Errorf("after three days: %s", r.body)
	}
	if err := b.Verify(t.Context(), b.bots["wecom"].ID); err == nil {
		t.Error("a callback that answers nothing passes as checked")
	}
	b.noViolations()
}

// TestServiceRules: five messages, two days, an id once, and nothing while a member
// of staff answers.
func TestServiceRules(t *testing.T) {
	t.Parallel()
	b := atDesk(t)
	b.write(simulator.Line{Text: "hi"})
	_, items := b.read(nil)
	to := items[0]["external_userid"]
	for name, c := range map[string]struct {
		change map[string]any
		want   int
	}{
		"nobody":        {map[string]any{"touser": "wmX"}, 40003},
		"empty":         {map[string]any{"text": map[string]any{"content": ""}}, 44004},
		"too long":      {map[string]any{"text": map[string]any{"content": strings.Repeat("x", 2049)}}, 45002},
		"no file":       {map[string]any{"msgtype": "image", "image": map[string]any{"media_id": "x"}}, 40007},
		"a long id":     {map[string]any{"msgid": strings.Repeat("x", 33)}, 40058},
		"an odd id":     {map[string]any{"msgid": "a.b"}, 40058},
		"unknown field": {map[string]any{"agentid": 1}, 40058},
	} {
		if got := b.tell(to, c.change); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if first, second := b.tell(to, map[string]any{"msgid": "one"}), b.tell(to, map[string]any{"msgid": "one"}); first != 0 || second != 40058 {
		t.Errorf("the same id: %v, %v", first, second)
	}
	for range 4 {
		if got := b.tell(to, nil); got != 0 {
			t.Errorf("within five: %v", got)
		}
	}
	if got := b.tell(to, nil); got != 95001 {
		t.Errorf("the sixth: %v", got)
	}
	b.write(simulator.Line{Text: "more"})
	if err := b.TakeOver(t.Context(), "li", true); err != nil {
		t.Fatal(err)
	}
	if got := b.tell(to, nil); got != 95018 {
		t.Errorf("with a human: %v", got)
	}
	if err := b.TakeOver(t.Context(), "li", false); err != nil {
		t.Fatal(err)
	}
	if got := b.tell(to, nil); got != 0 {
		t.Errorf("afterwards: %v", got)
	}
	if err := b.Advance(t.Context(), 49*time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := b.tell(to, nil); got != 95002 {
		t.Errorf("two days later: %v", got)
	}
	if got := len(b.lines("li")); got != 2+6 {
		t.Errorf("%d lines on the screen", got)
	}
}

// TestServiceGreets: who opens the chat may be greeted once, in time, and not if
// they have just written.
func TestServiceGreets(t *testing.T) {
	t.Parallel()
	b := atDesk(t)
	enter := func() (code any) {
		t.Helper()
		if err := b.Enter(t.Context(), "li"); err != nil {
			t.Fatal(err)
		}
		_, items := b.read(nil)
		event, _ := items[len(items)-1]["event"].(map[string]any)
		if event["event_type"] != "enter_session" {
			t.Fatalf("the event is %v", event)
		}
		return event["welcome_code"]
	}
	greet := func(code any) any {
		return b.desk("send_msg_on_event", map[string]any{"code": code, "msgtype": "text", "text": map[string]any{"content": "welcome"}}).code()
	}
	code := enter()
	if first, second := greet(code), greet(code); first != 0 || second != 40058 {
		t.Errorf("greeted with %v, then %v", first, second)
	}
	late := enter()
	if err := b.Advance(t.Context(), 21*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := greet(late); got != 40058 {
		t.Errorf("late: %v", got)
	}
	b.write(simulator.Line{Text: "hi"})
	if code := enter(); code != nil {
		t.Errorf("a code for somebody who has just written: %v", code)
	}
}

// TestServiceIsAnExtra: without being asked for there is no customer service, and
// nobody writes to it elsewhere.
func TestServiceIsAnExtra(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for _, l := range []simulator.Line{
		{Employee: "li", Platform: "wecom", Text: "x", Service: true}, {Employee: "li", Platform: "feishu", Text: "x", Service: true},
	} {
		if _, err := b.Write(t.Context(), l); err == nil {
			t.Errorf("%+v was written", l)
		}
	}
	if n := len(b.Configs()); n != 3 {
		t.Errorf("%d bots", n)
	}
}

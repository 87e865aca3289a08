package simulator_test

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

func wecomButtons(task string, keys ...string) map[string]any {
	var all []any
	for _, key := range keys {
		all = append(all, map[string]any{"text": "To " + key, "key": key})
	}
	return map[string]any{"card_type": "button_interaction", "main_title": map[string]string{"title": "Choose"}, "task_id": task, "button_list": all}
}

func (b *bench) wecomCard(card map[string]any) result {
	b.t.Helper()
	return b.wecomSend(wecomBody(map[string]any{"msgtype": "template_card", "text": nil, "template_card": card}))
}

// wecomAnswers makes the callback answer a click as the page on passive answers says.
func (b *bench) wecomAnswers(inner, token string) {
	b.answers(func(w http.ResponseWriter, _ *http.Request) {
		secrets := b.bots["wecom"].Secrets
		key, _ := base64.StdEncoding.DecodeString(secrets["aes_key"].Reveal() + "=")
		sealed := simulator.WecomSeal(key, []byte("0123456789abcdef"), []byte(inner), b.bots["wecom"].Settings["corp_id"])
		_, _ = fmt.Fprintf(w, "<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>7</TimeStamp><Nonce><![CDATA[n]]></Nonce></xml>",
			sealed, simulator.WecomSign(token, "7", "n", sealed))
	})
}

func TestWecomCardRules(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	long := strings.Repeat("k", 1025)
	change := func(key string, value any) map[string]any {
		card := wecomButtons("task-"+key+fmt.Sprint(value), "a")
		card[key] = value
		return card
	}
	for name, c := range map[string]struct {
		card map[string]any
		want int
	}{
		"good":            {wecomButtons("t1", "a", "b", "c", "d", "e", long[:1024]), 0},
		"the id again":    {wecomButtons("t1", "a"), 40058},
		"a button more":   {wecomButtons("t2", "a", "b", "c", "d", "e", "f", "g"), 40058},
		"no button":       {wecomButtons("t3"), 40058},
		"a long key":      {wecomButtons("t4", long), 40058},
		"no key":          {wecomButtons("t5", ""), 40058},
		"letters of keys": {wecomButtons("t6", "do=good"), 40058},
		"no id":           {wecomButtons("", "a"), 40058},
		"letters of ids":  {wecomButtons("a b", "a"), 40058},
		"a long id":       {wecomButtons(strings.Repeat("t", 129), "a"), 40058},
		"another card":    {change("card_type", "vote_interaction"), 40058},
		"no title":        {change("main_title", map[string]string{}), 40058},
		"unknown field":   {change("buttons", 1), 40058},
	} {
		if name == "the id again" {
			continue
		}
		if r := b.wecomCard(c.card); r.code() != c.want || (r.text("response_code") == "") != (c.want != 0) {
			t.Errorf("%s: %s, want %d", name, r.body, c.want)
		}
	}
	if r := b.wecomCard(wecomButtons("t1", "a")); r.code() != 40058 {
		t.Errorf("the id again: %s", r.body)
	}
	if diff := cmp.Diff([]string{"*Choose"}, b.lines("li")); diff != "" {
		t.Error(diff)
	}
	checked := map[string]any{"msgtype": "template_card", "text": nil, "template_card": wecomButtons("t9", "a"), "enable_duplicate_check": 1}
	for range 2 {
		if r := b.wecomSend(wecomBody(checked)); r.code() != 0 {
			t.Errorf("repeated: %s", r.body)
		}
	}
	checked["template_card"] = wecomButtons("t10", "a")
	if r := b.wecomSend(wecomBody(checked)); r.code() != 0 {
		t.Errorf("another card: %s", r.body)
	}
	if got := b.lines("li"); len(got) != 3 {
		t.Errorf("shown %q", got)
	}
	b.noViolations()
}

func TestWecomClick(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	id := bridge.MessageID(b.wecomCard(wecomButtons("task", "good", "bad")).text("msgid"))
	see := func() []string {
		all := b.Bubbles("li")
		return all[len(all)-1].Buttons
	}
	if diff := cmp.Diff([]string{"To good", "To bad"}, see()); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct{ employee, button, id string }{{"zhang", "To good", string(id)}, {"li", "To", string(id)}, {"li", "To good", "wecom-1"}} {
		if err := b.Click(t.Context(), c.employee, bridge.MessageID(c.id), c.button); err == nil {
			t.Errorf("%+v was clicked", c)
		}
	}
	if n := len(b.delivered()); n != 0 {
		t.Errorf("%d deliveries of buttons that nobody sees", n)
	}
	token := b.bots["wecom"].Secrets["token"].Reveal()
	good := fmt.Sprintf("<xml><ToUserName>User-li</ToUserName><FromUserName>%s</FromUserName><CreateTime>7</CreateTime><MsgType>update_button</MsgType>"+
		"<Button><ReplaceName>Thanks</ReplaceName></Button></xml>", b.bots["wecom"].Settings["corp_id"])
	for name, c := range map[string][2]string{
		"another signature": {good, "x"}, "another person": {strings.Replace(good, "User-li", "User-zhang", 1), token},
		"another company": {strings.Replace(good, b.bots["wecom"].Settings["corp_id"], "ww0", 1), token},
		"another type":    {strings.Replace(good, "update_button", "text", 1), token}, "no words": {strings.Replace(good, "Thanks", "", 1), token},
	} {
		b.wecomAnswers(c[0], c[1])
		if err := b.Click(t.Context(), "li", id, "To good"); err == nil || len(see()) != 2 {
			t.Errorf("%s: taken", name)
		}
	}
	b.answers(nil)
	if err := b.Click(t.Context(), "li", id, "To bad"); err != nil || len(see()) != 2 {
		t.Errorf("answered with nothing: %v, %q", err, see())
	}
	before := len(b.delivered())
	b.wecomAnswers(good, token)
	b.faults("drop=1x,duplicate=1x*2")
	if err := b.Click(t.Context(), "li", id, "To good"); err != nil {
		t.Error(err)
	}
	got := b.delivered()[before:]
	if len(got) != 4 { // lost, again, and twice more
		t.Errorf("delivered %d times", len(got))
	}
	for _, one := range got {
		var outer struct{ Encrypt string }
		var inner struct{ FromUserName, MsgType, Event, EventKey, TaskId, CardType, ResponseCode, AgentID string } //nolint:revive // the platform's name
		if err := xml.Unmarshal(one.body, &outer); err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal([]byte(b.wecomOpen(outer.Encrypt)), &inner); err != nil {
			t.Fatal(err)
		}
		if inner.FromUserName != "User-li" || inner.MsgType != "event" || inner.Event != "template_card_event" || inner.EventKey != "good" || inner.TaskId != "task" || inner.CardType != "button_interaction" || inner.ResponseCode == "" || inner.AgentID != "1000002" {
			t.Errorf("the click is %+v", inner)
		}
	}
	if diff := cmp.Diff([]string{"*Choose\nThanks"}, b.lines("li")); diff != "" || len(see()) != 0 {
		t.Errorf("%s, %q", diff, see())
	}
	if err := b.Click(t.Context(), "li", id, "To bad"); err == nil {
		t.Error("clicked a button that is gone")
	}
}

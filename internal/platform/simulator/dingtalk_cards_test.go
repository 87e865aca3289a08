package simulator_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// dingCards is a bench whose DingTalk bot has a card template.
func dingCards(t *testing.T) *bench {
	t.Helper()
	opt := everyday
	opt.DingCards = true
	return setup(t, opt)
}

func (b *bench) card(method, path string, body any) result {
	b.t.Helper()
	return b.call("dingtalk", method, "/v1.0/card/"+path, map[string]string{"x-acs-dingtalk-access-token": b.token("dingtalk")}, body)
}

func (b *bench) dingCard(track string, change map[string]any) map[string]any {
	c := b.bots["dingtalk"].Settings
	body := map[string]any{
		"cardTemplateId": c["card_template_id"], "outTrackId": track, "callbackType": "STREAM", "userIdType": 1,
		"cardData":    map[string]any{"cardParamMap": map[string]string{"content": "", "buttons": `[{"text":"Yes","value":"v1"},{"text":"No","value":"v2"}]`}},
		"openSpaceId": "dtv1.card//IM_ROBOT.staff-li", "imRobotOpenSpaceModel": map[string]any{"supportForward": true},
		"imRobotOpenDeliverModel": map[string]string{"spaceType": "IM_ROBOT", "robotCode": c["robot_code"]},
	}
	maps.Copy(body, change)
	return body
}

func frame(track, id, content string, end bool) map[string]any {
	return map[string]any{"outTrackId": track, "guid": id, "key": "content", "content": content, "isFull": true, "isFinalize": end, "isError": false}
}

func TestDingCards(t *testing.T) {
	t.Parallel()
	b := dingCards(t)
	const show = "instances/createAndDeliver"
	for name, c := range map[string]struct {
		change map[string]any
		want   any
	}{
		"another template": {map[string]any{"cardTemplateId": "x"}, "param.templateNotExist"},
		"no id":            {map[string]any{"outTrackId": ""}, "param.outTrackIdEmpty"},
		"unknown field":    {map[string]any{"x": 1}, "param.body"},
		"no such route":    {map[string]any{"callbackType": "HTTP", "callbackRouteKey": "x"}, "param.callbackRouteKey"},
		"no callback":      {map[string]any{"callbackType": ""}, "param.callbackRouteKey"},
		"forwarding":       {map[string]any{"imRobotOpenSpaceModel": map[string]any{}}, "param.supportForwardEmpty"},
		"a conversation":   {map[string]any{"openSpaceId": "dtv1.card//IM_ROBOT.cid-li"}, nil},
	} {
		r := b.card(http.MethodPost, show, b.dingCard("track-"+name, c.change))
		if r.code() != c.want || c.want == nil && toJSON(t, r.at("result.deliverResults")) != `[{"errorMsg":"spaceId is illegal","success":false}]` {
			t.Errorf("%s: %s, want %v", name, r.body, c.want)
		}
	}
	if n := len(b.lines("li")); n != 0 {
		t.Errorf("%d cards are shown", n)
	}
	for range 2 { // the second one changes nothing
		if r := b.card(http.MethodPost, show, b.dingCard("t", nil)); r.at("success") != true {
			t.Fatal(r.body)
		}
	}
	for _, c := range []struct {
		frame map[string]any
		want  any
		shown string
	}{
		{frame("t", "1", "One", false), nil, "*…One"},
		{frame("t", "1", "Other", false), nil, "*…One"},
		{frame("t", "2", " ", false), "param.stream.contentEmpty", "*…One"},
		{frame("t", "", "x", false), "param.stream.guidEmpty", "*…One"},
		{frame("x", "3", "x", false), "param.stream.outTrackId", "*…One"},
		{frame("t", "4", "One two", true), nil, "*One two"},
		{frame("t", "5", "three", false), "param.stream.finalized", "*One two"},
	} {
		if r := b.card(http.MethodPut, "streaming", c.frame); r.code() != c.want {
			t.Errorf("%v: %s, want %v", c.frame, r.body, c.want)
		}
		if diff := cmp.Diff([]string{c.shown}, b.lines("li")); diff != "" {
			t.Errorf("%v: %s", c.frame, diff)
		}
	}
	see := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, b.Bubbles("li")[0].Buttons); diff != "" {
			t.Error(diff)
		}
	}
	see("Yes", "No")
	byKey := map[string]bool{"updateCardDataByKey": true, "updatePrivateDataByKey": true}
	update := func(track string, list string, options any) result {
		return b.card(http.MethodPut, "instances", map[string]any{"outTrackId": track, "cardData": map[string]any{"cardParamMap": map[string]string{"buttons": list}}, "cardUpdateOptions": options})
	}
	if r := update("t", `[{"text":"Other","value":"v"}]`, byKey); r.at("success") != true || update("x", "[]", byKey).status != 400 {
		t.Error(r.body)
	}
	see("Other")
	b.noViolations()
	update("t", "x", byKey)
	update("t", "[]", map[string]bool{"updateCardDataByKey": false, "updatePrivateDataByKey": false})
	if got := b.Violations(); len(got) != 2 {
		t.Errorf("violations %q", got)
	}
	b.faults("gone=1x")
	if r := update("t", "[]", byKey); r.status != 400 {
		t.Errorf("a card that is gone: %s", r.body)
	}
}

func TestDingClick(t *testing.T) {
	t.Parallel()
	b := dingCards(t)
	register := func(url string, force bool) result {
		return b.card(http.MethodPost, "callbacks/register", map[string]any{"callbackRouteKey": "route", "callbackUrl": url, "apiSecret": "s3", "forceUpdate": force})
	}
	hook := b.hooks["demo-dingtalk"]
	if r := register("http://127.0.0.1:1/", false); r.at("success") != true {
		t.Fatal(r.body)
	}
	if r := register(hook, false); r.code() != "param.callbackRouteKeyExist" {
		t.Error(r.body)
	}
	if r := register(hook, true); r.at("success") != true {
		t.Fatal(r.body)
	}
	click := func(employee, id, button string) error {
		return b.Click(t.Context(), employee, bridge.MessageID(id), button)
	}
	carrier := func(r result) string {
		list, _ := r.at("result.deliverResults").([]any)
		first, _ := list[0].(map[string]any)
		id, _ := first["carrierId"].(string)
		return id
	}
	deaf := carrier(b.card(http.MethodPost, "instances/createAndDeliver", b.dingCard("stream", nil)))
	id := carrier(b.card(http.MethodPost, "instances/createAndDeliver", b.dingCard("t", map[string]any{"callbackType": "HTTP", "callbackRouteKey": "route"})))
	for name, err := range map[string]error{"the stream's": click("li", deaf, "Yes"), "somebody else": click("zhang", id, "Yes"), "no such button": click("li", id, "Maybe")} {
		if err == nil {
			t.Errorf("%s: clicked", name)
		}
	}
	if n := len(b.delivered()); n != 0 {
		t.Errorf("%d deliveries", n)
	}
	b.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"msgtype":"empty"}`)) })
	if err := click("li", id, "Yes"); err == nil {
		t.Error("answered like a message, and taken")
	}
	b.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"cardData":{"cardParamMap":{"buttons":"[]"}},"userPrivateData":{"cardParamMap":{}},"cardUpdateOptions":{"updateCardDataByKey":true,"updatePrivateDataByKey":true}}`))
	})
	b.faults("duplicate=1x")
	if err := click("li", id, "Yes"); err != nil {
		t.Error(err)
	}
	got := b.delivered()
	if len(got) != 3 || len(b.Bubbles("li")[1].Buttons) != 0 {
		t.Errorf("%d deliveries, people see %q", len(got), b.Bubbles("li")[1].Buttons)
	}
	var body struct{ Type, OutTrackID, CorpID, UserID, SpaceID, SpaceType, Content string }
	if err := json.Unmarshal(got[1].body, &body); err != nil || body.Type != "actionCallback" || body.OutTrackID != "t" || body.UserID != "staff-li" || body.SpaceID != "staff-li" || body.SpaceType != "IM_ROBOT" ||
		body.Content != `{"cardPrivateData":{"actionIds":["1"],"params":{"value":"v1"}}}` {
		t.Errorf("%v: the click is %s", err, got[1].body)
	}
	stamp := got[1].header.Get("x-ddpaas-signature-timestamp")
	if got[1].header.Get("x-ddpaas-signature") != simulator.DingClickSign(stamp, "s3") {
		t.Error("the click is not signed with the secret that was registered")
	}
	if err := click("li", id, "Yes"); err == nil {
		t.Error("clicked a button that is gone")
	}
}

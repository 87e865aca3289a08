package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

const feishu bridge.Platform = "feishu"

// lark is a caller of the Feishu server with a token.
type lark struct {
	*bench

	token string
}

func newLark(t *testing.T, opt simulator.Options) *lark {
	t.Helper()
	l := &lark{bench: setup(t, opt)}
	l.renew()
	return l
}

func (l *lark) renew() {
	l.t.Helper()
	c := l.bots[feishu]
	r := l.call(feishu, http.MethodPost, "/open-apis/auth/v3/tenant_access_token/internal", nil, map[string]string{
		"app_id": c.Settings["app_id"], "app_secret": c.Secrets["app_secret"].Reveal(),
	})
	if l.token = r.text("tenant_access_token"); l.token == "" || r.code() != 0 || r.at("expire") == nil {
		l.t.Fatalf("no token: %s", r.body)
	}
}

func (l *lark) do(method, path string, body any) result {
	l.t.Helper()
	return l.call(feishu, method, "/open-apis/"+path, map[string]string{"Authorization": "Bearer " + l.token}, body)
}

// good is do for calls that have to succeed.
func (l *lark) good(method, path string, body any) result {
	l.t.Helper()
	r := l.do(method, path, body)
	if r.code() != 0 || r.status != http.StatusOK {
		l.t.Fatalf("%s %s: %s", method, path, r.body)
	}
	return r
}

func (l *lark) user(employee string) string { return string(l.Identity(employee, feishu).User) }

// send is a create to an employee.
func (l *lark) send(employee, kind, content, uuid string) result {
	l.t.Helper()
	return l.do(http.MethodPost, "im/v1/messages?receive_id_type=open_id", map[string]string{
		"receive_id": l.user(employee), "msg_type": kind, "content": content, "uuid": uuid,
	})
}

// TestFeishuMessageRules breaks every rule of sending once.
func TestFeishuMessageRules(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	const create = "im/v1/messages?receive_id_type=open_id"
	text := `{"text":"x"}`
	body := func(change map[string]any) map[string]any {
		b := map[string]any{"receive_id": l.user("li"), "msg_type": "text", "content": text}
		for key, value := range change {
			b[key] = value
		}
		return b
	}
	foreign := "ou_" + strings.Repeat("0", 32)
	for _, c := range []struct {
		name, path string
		body       any
		want       int
	}{
		{"good", create, body(nil), 0},
		{"unknown field", create, body(map[string]any{"message": 1}), 99992402},
		{"not JSON", create, "receive_id=x", 99992402},
		{"no kind of id", "im/v1/messages", body(nil), 99992402},
		{"another app's id", create, body(map[string]any{"receive_id": foreign}), 99992361},
		{"no id", create, body(map[string]any{"receive_id": "li"}), 99992351},
		{"a union id", "im/v1/messages?receive_id_type=union_id", body(map[string]any{"receive_id": l.user("li")}), 99992351},
		{"not in the chat", "im/v1/messages?receive_id_type=chat_id", body(map[string]any{"receive_id": "oc_1"}), 230002},
		{"no chat", "im/v1/messages?receive_id_type=chat_id", body(map[string]any{"receive_id": "1"}), 230034},
		{"a type", create, body(map[string]any{"msg_type": "markdown"}), 230001},
		{"content as an object", create, body(map[string]any{"content": map[string]string{"text": "x"}}), 99992402},
		{"content not JSON", create, body(map[string]any{"content": "x"}), 230001},
		{"no text", create, body(map[string]any{"content": `{"text":""}`}), 230001},
		{"a long uuid", create, body(map[string]any{"uuid": strings.Repeat("u", 51)}), 99992402},
		{"a long text", create, body(map[string]any{"content": toJSON(t, map[string]string{"text": strings.Repeat("x", 150<<10)})}), 230025},
		{"a post", create, body(map[string]any{"msg_type": "post", "content": `{"zh_cn":{"content":[[{"tag":"md","text":"**x**"}]]}}`}), 0},
		{"a post without a language", create, body(map[string]any{"msg_type": "post", "content": `{"content":[[{"tag":"md","text":"x"}]]}`}), 230001},
		{"md beside others", create, body(map[string]any{"msg_type": "post", "content": `{"zh_cn":{"content":[[{"tag":"md","text":"x"},{"tag":"hr"}]]}}`}), 230001},
		{"an unknown tag", create, body(map[string]any{"msg_type": "post", "content": `{"zh_cn":{"content":[[{"tag":"h1","text":"x"}]]}}`}), 230001},
		{"a long post", create, body(map[string]any{"msg_type": "post", "content": `{"zh_cn":{"content":[[{"tag":"md","text":"` + strings.Repeat("x", 30<<10) + `"}]]}}`}), 230025},
		{"no entity", create, body(map[string]any{"msg_type": "interactive", "content": `{"type":"card","data":{"card_id":"1"}}`}), 230099},
		{"no such message", "im/v1/messages/om_1/reply", map[string]any{"msg_type": "text", "content": text}, 99992354},
	} {
		if r := l.do(http.MethodPost, c.path, c.body); r.code() != c.want {
			t.Errorf("%s: %s, want %d", c.name, r.body, c.want)
		}
	}
	l.noViolations()
	entity, _ := l.shown("zhang", card(nil))
	if r := l.send("zhang", "interactive", `{"type":"card","data":{"card_id":"`+entity+`"}}`, ""); r.code() != 230099 || len(l.Violations()) != 1 {
		t.Errorf("an entity was sent twice: %s, %q", r.body, l.Violations())
	}
	if r := l.do(http.MethodGet, "im/v1/nothing", nil); r.status != http.StatusNotFound || len(l.Violations()) != 2 {
		t.Errorf("an unknown API: %d, %q", r.status, l.Violations())
	}
}

// TestFeishuOnce sends under the same uuid within an hour and after it.
func TestFeishuOnce(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	first, again := l.send("li", "text", `{"text":"x"}`, "u"), l.send("li", "text", `{"text":"y"}`, "u")
	if first.text("data.message_id") == "" || first.text("data.message_id") != again.text("data.message_id") {
		t.Errorf("%s and %s", first.body, again.body)
	}
	if err := l.Advance(t.Context(), time.Hour+time.Second); err != nil {
		t.Fatal(err)
	}
	if later := l.send("li", "text", `{"text":"z"}`, "u"); later.text("data.message_id") == first.text("data.message_id") {
		t.Error("a uuid is recognised after an hour")
	}
	if got := l.lines("li"); !cmp.Equal(got, []string{"*x", "*z"}) {
		t.Errorf("shown: %q", got)
	}
}

// TestFeishuPatch replaces a card that was sent as JSON, and recalls it.
func TestFeishuPatch(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	asked, err := l.Say(t.Context(), "li", feishu, "hello")
	if err != nil {
		t.Fatal(err)
	}
	v1 := func(multi bool, text string) string {
		return toJSON(t, map[string]any{"config": map[string]any{"update_multi": multi, "wide_screen_mode": true}, "elements": []any{map[string]any{"tag": "markdown", "content": text}}})
	}
	id := l.good(http.MethodPost, "im/v1/messages/"+string(asked)+"/reply", map[string]any{"msg_type": "interactive", "content": v1(true, "one")}).text("data.message_id")
	alone := l.send("li", "interactive", v1(false, "alone"), "").text("data.message_id")
	text := l.send("li", "text", `{"text":"x"}`, "").text("data.message_id")
	for _, c := range []struct {
		name, id, content string
		want              int
	}{
		{"good", id, v1(true, "two"), 0},
		{"not for all any more", id, v1(false, "three"), 230001},
		{"was not for all", alone, v1(true, "three"), 230001},
		{"a text", text, v1(true, "three"), 230001},
		{"the person's own", string(asked), v1(true, "three"), 230071},
		{"no such", "om_1", v1(true, "three"), 99992354},
		{"not JSON", id, "three", 230099},
		{"too large", id, v1(true, strings.Repeat("x", 30<<10)), 230025},
		{"a bad card", id, toJSON(t, card(elements(map[string]any{"tag": "note"}))), 230099},
	} {
		if r := l.do(http.MethodPatch, "im/v1/messages/"+c.id, map[string]string{"content": c.content}); r.code() != c.want {
			t.Errorf("%s: %s, want %d", c.name, r.body, c.want)
		}
	}
	if trace, _ := l.Trace(asked); len(trace.Answers) != 1 || trace.Answers[0].Text != "two" || trace.Answers[0].Updates != 1 {
		t.Errorf("trace %+v", trace)
	}
	if r := l.good(http.MethodGet, "im/v1/messages/"+id, nil); !strings.Contains(r.body, `"parent_id":"`+string(asked)+`"`) {
		t.Errorf("the reply is %s", r.body)
	}
	l.good(http.MethodDelete, "im/v1/messages/"+id, nil)
	for _, r := range []result{
		l.do(http.MethodDelete, "im/v1/messages/"+id, nil),
		l.do(http.MethodPatch, "im/v1/messages/"+id, map[string]string{"content": v1(true, "x")}),
		l.do(http.MethodPost, "im/v1/messages/"+id+"/reply", map[string]string{"msg_type": "text", "content": `{"text":"x"}`}),
	} {
		if r.code() != 230011 {
			t.Errorf("after the recall: %s", r.body)
		}
	}
	if trace, _ := l.Trace(asked); len(trace.Answers) != 0 {
		t.Errorf("what was recalled shows: %+v", trace)
	}
	if r := l.do(http.MethodDelete, "im/v1/messages/"+string(asked), nil); r.code() != 230026 {
		t.Errorf("somebody else's message: %s", r.body)
	}
	if err := l.Advance(t.Context(), 14*24*time.Hour+time.Second); err != nil {
		t.Fatal(err)
	}
	l.renew()
	if r := l.do(http.MethodPatch, "im/v1/messages/"+alone, map[string]string{"content": v1(true, "x")}); r.code() != 230031 {
		t.Errorf("after two weeks: %s", r.body)
	}
}

// TestFeishuPeople asks for what the checks of a bot need.
func TestFeishuPeople(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	if r := l.good(http.MethodGet, "bot/v3/info", nil); !strings.HasPrefix(r.text("bot.open_id"), "ou_") || r.at("bot.activate_status") != 2.0 {
		t.Errorf("the bot is %s", r.body)
	}
	if r := l.good(http.MethodGet, "application/v6/scopes", nil); !strings.Contains(r.body, "cardkit:card:write") {
		t.Errorf("the scopes are %s", r.body)
	}
	r := l.good(http.MethodGet, "contact/v3/users/"+l.user("alex")+"?user_id_type=open_id", nil)
	if r.text("data.user.name") != "Alex Chen" || !strings.HasPrefix(r.text("data.user.union_id"), "on_") {
		t.Errorf("the person is %s", r.body)
	}
	if r := l.do(http.MethodGet, "contact/v3/users/x?user_id_type=open_id", nil); r.code() != 99992351 {
		t.Errorf("nobody is %s", r.body)
	}
	asked, err := l.Say(t.Context(), "li", feishu, "hello")
	if err != nil {
		t.Fatal(err)
	}
	mood := "im/v1/messages/" + string(asked) + "/reactions"
	id := l.good(http.MethodPost, mood, map[string]any{"reaction_type": map[string]string{"emoji_type": "Typing"}}).text("data.reaction_id")
	l.good(http.MethodDelete, mood+"/"+id, nil)
	if r := l.do(http.MethodDelete, mood+"/"+id, nil); r.code() != 231008 {
		t.Errorf("a reaction is taken back twice: %s", r.body)
	}
}

// TestFeishuTokens plays the life of tokens and secrets.
func TestFeishuTokens(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	const path = "/open-apis/auth/v3/tenant_access_token/internal"
	secret := l.bots[feishu].Secrets["app_secret"].Reveal()
	for name, c := range map[string]struct {
		body map[string]string
		want int
	}{
		"a wrong secret": {map[string]string{"app_id": l.bots[feishu].Settings["app_id"], "app_secret": "x"}, 10015},
		"another app":    {map[string]string{"app_id": "cli_x", "app_secret": secret}, 10014},
		"nothing":        {map[string]string{}, 10003},
	} {
		if r := l.call(feishu, http.MethodPost, path, nil, c.body); r.code() != c.want {
			t.Errorf("%s: %s, want %d", name, r.body, c.want)
		}
	}
	for header, want := range map[string]int{"": 99991661, "Basic x": 99991671, "Bearer x": 99991671, "Bearer t-x": 99991663} {
		if r := l.call(feishu, http.MethodGet, "/open-apis/bot/v3/info", map[string]string{"Authorization": header}, nil); r.code() != want || r.status != 400 {
			t.Errorf("%q: %s, want %d", header, r.body, want)
		}
	}
	old := l.token
	if l.renew(); l.token != old {
		t.Error("a young token is not given again")
	}
	if err := l.Advance(t.Context(), 91*time.Minute); err != nil {
		t.Fatal(err)
	}
	if l.renew(); l.token == old {
		t.Error("a token near its end is given again")
	}
	fresh := l.token
	l.token = old
	l.good(http.MethodGet, "bot/v3/info", nil) // both work
	if err := l.Advance(t.Context(), 30*time.Minute); err != nil {
		t.Fatal(err)
	}
	if r := l.do(http.MethodGet, "bot/v3/info", nil); r.code() != 99991663 {
		t.Errorf("after two hours: %s", r.body)
	}
	l.token = fresh
	l.good(http.MethodGet, "bot/v3/info", nil)
}

// TestFeishuGroup answers into a group, as a reply and as a message of its own.
func TestFeishuGroup(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	asked, err := l.Write(t.Context(), simulator.Line{Employee: "li", Platform: feishu, Group: "team", Mention: true, Text: "lunch?"})
	if err != nil {
		t.Fatal(err)
	}
	event, _ := l.feishuEvent(l.delivered()[0])["event"].(map[string]any)
	chat, _ := event["message"].(map[string]any)["chat_id"].(string)
	reply := l.good(http.MethodPost, "im/v1/messages/"+string(asked)+"/reply", map[string]string{"msg_type": "text", "content": `{"text":"yes"}`})
	if reply.text("data.chat_id") != chat || reply.text("data.parent_id") != string(asked) || reply.text("data.root_id") != string(asked) {
		t.Errorf("the reply is %s", reply.body)
	}
	create := func() result {
		return l.do(http.MethodPost, "im/v1/messages?receive_id_type=chat_id", map[string]string{"receive_id": chat, "msg_type": "text", "content": `{"text":"now"}`})
	}
	if r := create(); r.code() != 0 {
		t.Error(r.body)
	}
	for _, e := range l.Employees() {
		if diff := cmp.Diff([]string{"lunch?", "*yes", "*now"}, l.lines(e.ID)); diff != "" {
			t.Errorf("%s: %s", e.ID, diff)
		}
	}
	if trace, _ := l.Trace(asked); len(trace.Answers) != 1 || trace.Answers[0].Text != "yes" {
		t.Errorf("trace %+v", trace)
	}
	if r := l.do(http.MethodGet, "im/v1/messages/"+string(asked), nil); r.code() != 230027 {
		t.Errorf("reading in a group: %s", r.body)
	}
	if r := l.good(http.MethodGet, "im/v1/chats/"+chat, nil); r.text("data.name") != "产品组" || r.text("data.chat_mode") != "group" {
		t.Errorf("the chat is %s", r.body)
	}
	l.faults("dissolved=1,left=1")
	if r := create(); r.code() != 232009 {
		t.Errorf("a dissolved group: %s", r.body)
	}
	l.noViolations()
}

// TestFeishuPaced keeps the platform's limits a second.
func TestFeishuPaced(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{Paced: true})
	entity, _ := l.shown("zhang", card(nil))
	refused, begin := map[string]int{}, time.Now()
	for n := range 11 {
		if l.send("li", "text", `{"text":"x"}`, "").code() == 230020 {
			refused["messages"]++
		}
		if l.stream(entity, fmt.Sprint(n), n+1).code() == 230020 {
			refused["card"]++
		}
	}
	if len(l.lines("li"))+refused["messages"] != 11 {
		t.Errorf("%d shown, refused %v", len(l.lines("li")), refused)
	}
	want := map[string]int{"messages": 6, "card": 1}
	if took := time.Since(begin); took < time.Second && !cmp.Equal(refused, want) { // a slow machine keeps to the limits by itself
		t.Errorf("refused %v within %s", refused, took)
	}
}

// TestFeishuFiles sends files both ways.
func TestFeishuFiles(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	png := []byte("\x89PNG\r\n\x1a\n and more")
	id, err := l.Write(t.Context(), simulator.Line{Employee: "li", Platform: feishu, File: &simulator.File{Kind: bridge.FileImage, Data: png}})
	if err != nil {
		t.Fatal(err)
	}
	event, _ := l.feishuEvent(l.delivered()[0])["event"].(map[string]any)
	message, _ := event["message"].(map[string]any)
	var content struct {
		Key string `json:"image_key"`
	}
	if err := json.Unmarshal([]byte(fmt.Sprint(message["content"])), &content); err != nil || message["message_type"] != "image" || content.Key == "" {
		t.Fatalf("the message is %v", message)
	}
	for path, want := range map[string]any{
		string(id) + "/resources/" + content.Key + "?type=image": nil,
		string(id) + "/resources/" + content.Key + "?type=file":  234003,
		string(id) + "/resources/" + content.Key:                 234001,
		"om_1/resources/" + content.Key + "?type=image":          234003,
	} {
		if r := l.do(http.MethodGet, "im/v1/messages/"+path, nil); r.code() != want || want == nil && r.body != string(png) {
			t.Errorf("%s: %q, want %v", path, r.body, want)
		}
	}
	upload := func(path, part string, data []byte, fields map[string]string) result {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for key, value := range fields {
			_ = form.WriteField(key, value)
		}
		file, err := form.CreateFormFile(part, "x")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.Write(data)
		_ = form.Close()
		return l.call(feishu, http.MethodPost, "/open-apis/im/v1/"+path, map[string]string{"Authorization": "Bearer " + l.token, "Content-Type": form.FormDataContentType()}, body.String())
	}
	image := upload("images", "image", png, map[string]string{"image_type": "message"})
	pdf := upload("files", "file", []byte("%PDF"), map[string]string{"file_type": "pdf", "file_name": "a.pdf"})
	for _, c := range []struct {
		got  result
		want int
	}{
		{image, 0},
		{pdf, 0},
		{upload("images", "image", []byte("text"), map[string]string{"image_type": "message"}), 234011},
		{upload("images", "image", nil, map[string]string{"image_type": "message"}), 234010},
		{upload("images", "image", make([]byte, 10<<20+1), map[string]string{"image_type": "message"}), 234006},
		{upload("images", "picture", png, map[string]string{"image_type": "message"}), 234001},
		{upload("files", "file", png, map[string]string{"file_type": "png", "file_name": "a.png"}), 234001},
		{l.send("li", "image", `{"image_key":"`+image.text("data.image_key")+`"}`, ""), 0},
		{l.send("li", "file", `{"file_key":"`+pdf.text("data.file_key")+`"}`, ""), 0},
		{l.send("li", "image", `{"image_key":"`+content.Key+`"}`, ""), 230017}, // not the bot's own
		{l.send("li", "file", `{"file_key":"`+image.text("data.image_key")+`"}`, ""), 230017},
	} {
		if c.got.code() != c.want {
			t.Errorf("%s, want %d", c.got.body, c.want)
		}
	}
	if got := l.lines("li"); len(got) != 3 || got[2] != "*📎 a.pdf" {
		t.Errorf("shown: %q", got)
	}
}

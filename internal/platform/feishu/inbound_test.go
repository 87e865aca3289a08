package feishu_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

var update = flag.Bool("update", false, "write the golden files anew")

func goldenBodies(tb testing.TB) []string {
	tb.Helper()
	names, err := filepath.Glob("testdata/webhook/*.json")
	if err != nil || len(names) == 0 {
		tb.Fatalf("no bodies: %v", err)
	}
	return names
}

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// golden compares with a stored file, or stores it.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, name)), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestInbound reads bodies of every type.
func TestInbound(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for _, name := range goldenBodies(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			t.Parallel()
			d, err := bot.Receive(t.Context(), genuine(string(readFile(t, name))))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(name, ".json")+".golden", struct {
				Messages []bridge.Message `json:",omitempty"`
				Actions  []bridge.Action  `json:",omitempty"`
				Note     string           `json:",omitempty"`
				Suspect  bool             `json:",omitempty"`
			}{d.Messages, d.Actions, d.Note, d.Suspect})
		})
	}
}

func receive(t *testing.T, bot bridge.Bot, body string) bridge.Delivery {
	t.Helper()
	d, err := bot.Receive(t.Context(), genuine(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return d
}

func receiveOne(t *testing.T, bot bridge.Bot, body string) bridge.Message {
	t.Helper()
	d := receive(t, bot, body)
	if len(d.Messages) != 1 {
		t.Fatalf("%s: got %+v", body, d)
	}
	return d.Messages[0]
}

// inGroup is a text in a group that mentions some.
func inGroup(text string, mentions ...string) string {
	body := strings.Replace(said("text", `{"text":"`+text+`"}`), `"p2p"`, `"group"`, 1)
	return strings.Replace(body, `"message_type"`, `"mentions":[`+strings.Join(mentions, ",")+`],"message_type"`, 1)
}

func mentionOf(key, id, kind, name string) string {
	if kind != "" {
		kind = `"mentioned_type":"` + kind + `",`
	}
	return `{"key":"` + key + `","id":{"open_id":"` + id + `","user_id":null,"union_id":""},` + kind + `"name":"` + name + `"}`
}

// TestMentions: once the bot knows its own id, it listens to that alone; before,
// it takes the first mention of a bot for its own.
func TestMentions(t *testing.T) {
	t.Parallel()
	us, person, robot, untyped := mentionOf("@_user_1", botID, "bot", "Bot"), mentionOf("@_user_2", "ou_2", "user", "Ann"),
		mentionOf("@_user_3", "ou_3", "bot", "Other"), mentionOf("@_user_1", botID, "", "Bot")
	tenth := mentionOf("@_user_10", "ou_10", "user", "Ten")
	everybody := `{"key":"@_all","id":{"open_id":"","user_id":"","union_id":""},"name":"所有人"}`
	for name, c := range map[string]struct {
		body            string
		knowing, before string // the text; empty: not for us
	}{
		"us":                {inGroup("@_user_1 hello", us), "hello", "hello"},
		"us in the middle":  {inGroup("say @_user_1 hello", us), "say hello", "say hello"},
		"us at the end":     {inGroup("hello @_user_1", us), "hello", "hello"},
		"us and a person":   {inGroup("@_user_1 ask @_user_2 too", us, person), "ask @Ann too", "ask @Ann too"},
		"without a type":    {inGroup("@_user_1 hello", untyped), "hello", "hello"},
		"many":              {inGroup("@_user_1 @_user_10 x", us, tenth), "@Ten x", "@Ten x"},
		"a person":          {inGroup("@_user_2 hello", person), "", ""},
		"nobody":            {inGroup("hello"), "", ""},
		"everybody":         {inGroup("@_all hello", everybody), "", ""},
		"everybody and us":  {inGroup("@_all @_user_1 hello", everybody, us), "@all hello", "@all hello"},
		"another bot":       {inGroup("@_user_3 hello", robot), "", "hello"},
		"another bot first": {inGroup("@_user_3 @_user_1 hello", robot, us), "@Other hello", "@Bot hello"},
		"direct, us":        {strings.Replace(inGroup("@_user_1 hello", us), `"group"`, `"p2p"`, 1), "hello", "hello"},
		"direct, all":       {strings.Replace(inGroup("@_all hello"), `"group"`, `"p2p"`, 1), "@all hello", "@all hello"},
		"of a new kind":     {strings.Replace(inGroup("hello"), `"group"`, `"topic_group"`, 1), "", ""},
	} {
		f := newFake(t)
		bot := f.bot(t, nil, bridge.Env{})
		for _, want := range []string{c.before, c.knowing} {
			d := receive(t, bot, c.body)
			switch {
			case want == "" && (len(d.Messages) > 0 || !strings.Contains(d.Note, "mention") || d.Suspect):
				t.Errorf("%s: got %+v", name, d)
			case want != "" && (len(d.Messages) != 1 || d.Messages[0].Text != want):
				t.Errorf("%s: got %+v, want %q", name, d, want)
			}
			if _, err := bot.Check(t.Context()); err != nil { // which asks who we are
				t.Fatal(err)
			}
		}
	}
}

// TestSelfIsLearntOnTheWay: the first answer to a group finds out the bot's own
// id, once; who is never in a group never asks.
func TestSelfIsLearntOnTheWay(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	send := func() {
		t.Helper()
		if _, err := bot.Send(t.Context(), direct(), bridge.Text{Text: "hi"}); err != nil {
			t.Fatal(err)
		}
	}
	other := inGroup("@_user_3 hello", mentionOf("@_user_3", "ou_3", "bot", "Other"))
	receiveOne(t, bot, hello())
	send()
	if f.count(pathBot) != 0 {
		t.Error("asked without a need")
	}
	receiveOne(t, bot, other)
	send()
	if d := receive(t, bot, other); len(d.Messages) != 0 {
		t.Error("the bot does not know itself")
	}
	send()
	if n := f.count(pathBot); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestSenders: people only, and no machine answers another.
func TestSenders(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	with := func(from, to string) string { return strings.Replace(hello(), from, to, 1) }
	for name, c := range map[string]struct{ body, note string }{
		"a bot":         {with(`"sender_type":"user"`, `"sender_type":"bot"`), "a message of a bot"},
		"an app":        {with(`"sender_type":"user"`, `"sender_type":"app"`), "a message of a app"},
		"nobody":        {with(`"open_id":"ou_1"`, `"open_id":""`), ""},
		"without ids":   {with(`"union_id":"on_1","user_id":"","open_id":"ou_1"`, ``), "without a sender"},
		"without chat":  {with(`"chat_id":"oc_1"`, `"chat_id":""`), "without an id or a chat"},
		"without an id": {with(`"message_id":"om_1"`, `"message_id":""`), "without an id or a chat"},
	} {
		d := receive(t, bot, c.body)
		if name == "nobody" {
			if d.Messages[0].Sender.ID != "on_1" {
				t.Errorf("%s: got %+v", name, d)
			}
			continue
		}
		if len(d.Messages) != 0 || !strings.Contains(d.Note, c.note) {
			t.Errorf("%s: got %+v", name, d)
		}
	}
	m := receiveOne(t, bot, with(`"sender_type":"user","tenant_key":"tk1"`, `"sender_type":"user"`))
	if m.Sender.Tenant != "tk1" {
		t.Errorf("tenant %q", m.Sender.Tenant)
	}
	m = receiveOne(t, bot, with(`"sender_type":"user","tenant_key":"tk1"`, `"sender_type":"user","tenant_key":"tk2"`))
	if m.Sender.Tenant != "tk2" {
		t.Errorf("a guest's tenant %q", m.Sender.Tenant)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	want := time.UnixMilli(1760000000123)
	for field, at := range map[string]time.Time{
		`"create_time":"1760000000123"`:    want,
		`"create_time":1760000000123`:      want,
		`"create_time":"1760000000123999"`: want, // microseconds
		`"create_time":"1760000000"`:       arrived(),
		`"create_time":"yesterday"`:        arrived(),
		`"create_time":null`:               arrived(),
		`"create_time":{}`:                 arrived(),
	} {
		body := strings.Replace(hello(), `"create_time":"1760000000123"`, field, 1)
		if got := receiveOne(t, bot, body).SentAt; !got.Equal(at) {
			t.Errorf("%s: got %v, want %v", field, got, at)
		}
	}
}

// TestContents that the golden bodies do not show.
func TestContents(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for name, c := range map[string]struct {
		kind, content, text, note string
		suspect                   bool
	}{
		"link":              {"text", `{"text":"see [x](https://x.y)"}`, "see [x](https://x.y)", "", false},
		"control marks":     {"text", `{"text":"a\u0000\r\nb\tc"}`, "a\nb\tc", "", false},
		"blank":             {"text", `{"text":" \n"}`, "", "an empty message", false},
		"recalled":          {"text", ``, "", "recalled", false},
		"not JSON":          {"text", `hi`, "", "not JSON", true},
		"a list":            {"text", `[]`, "", "an empty message", false},
		"text is a number":  {"text", `{"text":7}`, "", "an empty message", false},
		"in a language":     {"post", `{"zh_cn":{"title":"t","content":[[{"tag":"text","text":"x"}]]}}`, "**t**\nx", "", false},
		"second content":    {"post", `{"content_v2":{"content":[[{"tag":"text","text":"x"}]]}}`, "x", "", false},
		"empty post":        {"post", `{"title":"","content":[]}`, "", "an empty message", false},
		"odd post":          {"post", `{"title":"t","content":{"a":1}}`, "**t**", "", false},
		"unknown tag":       {"post", `{"content":[[{"tag":"new","text":"x"},{"tag":"text","text":"y"}]]}`, "y", "", false},
		"card":              {"interactive", `{"title":"t","elements":[[{"tag":"text","text":"x"},{"tag":"a","href":"https://x.y","text":"z"}]]}`, "**t**\nx[z](https://x.y)", "", false},
		"image without key": {"image", `{}`, "", "without a key", true},
		"sticker":           {"sticker", `{"file_key":"f"}`, "", "unsupported message type sticker", false},
		"folder":            {"folder", `{"file_key":"f"}`, "", "unsupported message type folder", false},
		"forwarded":         {"merge_forward", `{"content":"Merged and Forwarded Message"}`, "", "unsupported message type merge_forward", false},
		"system":            {"system", `{"template":"x"}`, "", "unsupported message type system", false},
		"share":             {"share_user", `{"user_id":"ou_9"}`, "", "unsupported message type share_user", false},
		"nasty type":        {`a\nb`, `{}`, "", "unsupported message type ab", false},
		"no type":           {"", `{}`, "", "without a type", true},
		"place":             {"location", `{"name":"人民广场","longitude":"121.47","latitude":"31.23"}`, "📍 人民广场 (31.23, 121.47)", "", false},
		"place only":        {"location", `{"name":"人民广场"}`, "📍 人民广场", "", false},
		"position only":     {"location", `{"longitude":121.47,"latitude":31.23}`, "📍 31.23, 121.47", "", false},
		"nowhere":           {"location", `{}`, "", "an empty message", false},
	} {
		d := receive(t, bot, said(c.kind, c.content))
		if c.text != "" {
			if len(d.Messages) != 1 || d.Messages[0].Text != c.text {
				t.Errorf("%s: got %+v, want %q", name, d, c.text)
			}
			continue
		}
		if len(d.Messages) != 0 || !strings.Contains(d.Note, c.note) || d.Suspect != c.suspect {
			t.Errorf("%s: got %+v, want %q", name, d, c.note)
		}
	}
}

// TestActionsWithoutData are accepted but reported.
func TestActionsWithoutData(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for _, kind := range []string{"card.action.trigger", "im.chat.member.bot.added_v1", "im.chat.member.bot.deleted_v1", "application.bot.menu_v6", "im.chat.access_event.bot_p2p_chat_entered_v1"} {
		for _, body := range []string{`{}`, `[]`, `null`} {
			if d := receive(t, bot, event(kind, body)); !d.Suspect || len(d.Actions) > 0 {
				t.Errorf("%s %s: got %+v", kind, body, d)
			}
		}
	}
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	opener, _ := f.bot(t, nil, bridge.Env{}).(bridge.FileOpener)
	for id, want := range map[string]string{"img_1": "content", "a/b": "content", "json": `{"code":7}`} {
		body, err := opener.OpenFile(t.Context(), bridge.File{Kind: bridge.FileImage, ID: id, Message: "om_1"})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil || string(data) != want {
			t.Errorf("%s: got %q, %v", id, data, err)
		}
	}
	body, err := opener.OpenFile(t.Context(), bridge.File{Kind: bridge.FileAudio, ID: "file_1", Message: "om_1"})
	if err != nil || body.Close() != nil {
		t.Error(err)
	}
	calls := f.took()
	if last := calls[len(calls)-1].Path; last != "/open-apis/im/v1/messages/om_1/resources/file_1?type=file" {
		t.Errorf("called %s", last)
	}
	for id, want := range map[string]bridge.Kind{
		"234003": bridge.KindNotFound, "234004": bridge.KindForbidden, "234037": bridge.KindTooLarge, "234043": bridge.KindUnsupported,
		"230110": bridge.KindNotFound, "99991672": bridge.KindForbidden,
	} {
		_, err := opener.OpenFile(t.Context(), bridge.File{ID: id, Message: "om_1"})
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != want || e.Uncertain {
			t.Errorf("%s: got %v, want %s", id, err, want)
		}
	}
	for _, file := range []bridge.File{{}, {ID: "x"}, {Message: "om_1"}} {
		if _, err := opener.OpenFile(t.Context(), file); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("%+v: got %v", file, err)
		}
	}
	f.mu.Lock()
	f.token = "another"
	f.mu.Unlock()
	if body, err := opener.OpenFile(t.Context(), bridge.File{ID: "img_1", Message: "om_1"}); err != nil || body.Close() != nil {
		t.Errorf("after the token ended: %v", err)
	}
}

// resource hands out a file, or its id as a status.
func (f *fake) resource(w http.ResponseWriter, r *http.Request) {
	f.calls = append(f.calls, call{r.Method, r.URL.Path + "?" + r.URL.RawQuery, nil})
	_, key, _ := strings.Cut(r.URL.Path, "/resources/")
	w.Header().Set("Content-Type", "application/octet-stream")
	status, err := strconv.Atoi(key)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+f.token:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":99991663,"msg":"x"}`)
	case key == "json":
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Disposition", `attachment; filename="a.json"`)
		_, _ = io.WriteString(w, `{"code":7}`)
	case err == nil:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"code":%d,"msg":"x"}`, status)
	default:
		_, _ = io.WriteString(w, "content")
	}
}

// message plays the API of messages.
func (f *fake) message(r *http.Request, rest string, body []byte) answer {
	id, what, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	switch path := r.Method + " " + what; {
	case r.Method == http.MethodGet && rest == "":
		return f.list(r.URL.Query())
	case r.Method == http.MethodPost && rest == "":
		kind := r.URL.Query().Get("receive_id_type")
		return f.post(body, kind, "")
	case path == "POST reply" && strings.HasPrefix(id, "om_gone"):
		return bad(230011, "The message was withdrawn")
	case path == "POST reply":
		return f.post(body, "", id)
	}
	i := slices.IndexFunc(f.messages, func(m *fakeMessage) bool { return m.id == id })
	switch {
	case i < 0:
		return bad(230001, "invalid message id")
	case f.messages[i].recalled:
		return bad(230011, "The message was withdrawn")
	case r.Method == http.MethodDelete:
		f.messages[i].recalled = true
		return ok(`{}`)
	case r.Method == http.MethodPatch:
		var in struct {
			Content string `json:"content"`
		}
		if !strict(body, &in) || f.messages[i].kind != "interactive" {
			return bad(230001, "not a card")
		}
		if wrong := checkCard(in.Content); wrong != "" {
			return bad(230099, "Failed to create card content, ext=ErrCode: "+wrong+"; ErrMsg: x")
		}
		f.messages[i].content = in.Content
		return ok(`{}`)
	default:
		return answer{http.StatusNotFound, "404 page not found"}
	}
}

func (f *fake) post(body []byte, idType, replyTo string) answer {
	var in struct {
		ReceiveID string `json:"receive_id"`
		MsgType   string `json:"msg_type"`
		Content   string `json:"content"`
		UUID      string `json:"uuid"`
	}
	prefix := map[string]string{"chat_id": "oc_", "open_id": "ou_", "union_id": "on_", "user_id": "", "email": ""}[idType]
	switch {
	case !strict(body, &in) || len(in.UUID) > 50 || !json.Valid([]byte(in.Content)) || (in.ReceiveID == "") != (replyTo != ""):
		return bad(230001, "Your request contains an invalid request parameter")
	case replyTo == "" && !strings.HasPrefix(in.ReceiveID, prefix):
		return bad(230034, "The receive_id is invalid")
	case len(body) > 150_000 || in.MsgType != "text" && len(in.Content) > 30_000:
		return bad(230025, "The length of the message content reaches its limit")
	}
	if m := f.uuids[in.UUID]; m != nil && in.UUID != "" {
		return ok(`{"message_id":%q}`, m.id)
	}
	to := in.ReceiveID
	if to == "" {
		to = "reply " + replyTo
	}
	m := &fakeMessage{id: fmt.Sprintf("om_new%d", len(f.messages)+1), to: to, kind: in.MsgType, content: in.Content}
	if wrong := f.check(m); wrong != "" {
		return bad(230099, "Failed to create card content, ext=ErrCode: "+wrong+"; ErrMsg: x")
	}
	f.messages = append(f.messages, m)
	f.uuids[in.UUID] = m
	return ok(`{"message_id":%q,"chat_id":"oc_1"}`, m.id)
}

// check looks at the content of a message; it returns a code inside a code.
func (f *fake) check(m *fakeMessage) string {
	var content map[string]any
	if json.Unmarshal([]byte(m.content), &content) != nil {
		return "200621"
	}
	want := map[string]string{"text": "text", "post": "zh_cn", "image": "image_key", "file": "file_key", "audio": "file_key", "share_chat": "chat_id"}[m.kind]
	if m.kind != "interactive" {
		if content[want] == nil {
			return "200621"
		}
		return ""
	}
	if content["type"] != "card" {
		return checkCard(m.content)
	}
	data, _ := content["data"].(map[string]any)
	id, _ := data["card_id"].(string)
	m.card = f.cards[id]
	if m.card == nil || m.card.sent {
		return "200740"
	}
	m.card.sent = true
	return ""
}

func upload(path string, body []byte) answer {
	var in map[string]string
	switch {
	case json.Unmarshal(body, &in) != nil:
		return bad(234001, "Invalid request param.")
	case path == pathImages && (in["image_type"] != "message" || in["image"] == ""):
		return bad(234001, "Invalid request param.")
	case path == pathImages:
		return ok(`{"image_key":"img_v3_new"}`)
	case in["file_name"] == "" || in["file"] == "" || !slices.Contains([]string{"opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"}, in["file_type"]):
		return bad(234001, "Invalid request param.")
	default:
		return ok(`{"file_key":"file_%s"}`, in["file_type"])
	}
}

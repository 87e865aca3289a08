package feishu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/platform/feishu"
)

// TestAbilities: what the capabilities say is what the bot can do.
func TestAbilities(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	c := feishu.Connector().Modes[0].Capabilities
	_, streams := bot.(bridge.Streamer)
	_, files := bot.(bridge.FileOpener)
	_, directory := bot.(bridge.Directory)
	_, recalls := bot.(bridge.Recaller)
	_, backfills := bot.(bridge.Backfiller)
	_, listens := bot.(bridge.Listener)
	got := []bool{streams, files, directory, recalls, backfills, listens, c.MaxDraft > 0}
	if want := []bool{c.Stream, c.Files, c.Directory, c.Recall, c.Backfill, feishu.Connector().Modes[0].Listens, c.Stream}; !slices.Equal(got, want) {
		t.Errorf("can %v, says %v", got, want)
	}
}

// TestReceiveStaysHome: a webhook has seconds to be answered, so nobody is asked.
func TestReceiveStaysHome(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	receiveOne(t, bot, hello())
	receiveOne(t, bot, inGroup("@_user_1 hello", mentionOf("@_user_1", "ou_9", "bot", "Bot")))
	if _, err := bot.Receive(t.Context(), request("garbage")); bridge.KindOf(err) != bridge.KindUnauthenticated {
		t.Errorf("got %v", err)
	}
	if calls := f.took(); len(calls) > 0 {
		t.Errorf("called %v", calls)
	}
	for range 2 {
		if err := bot.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
}

// TestWords wants a text for everything the connector shows, in both languages.
func TestWords(t *testing.T) {
	t.Parallel()
	c := feishu.Connector()
	keys := []string{"feishu.blocked"}
	for _, field := range c.Form {
		keys = append(keys, "field.feishu."+field.Key, "field.feishu."+field.Key+".hint")
	}
	for _, step := range c.Setup {
		keys = append(keys, "setup.feishu."+step.Key)
		for _, check := range step.Checks {
			keys = append(keys, "finding.feishu."+check, "finding.feishu."+check+".next")
		}
		for _, fill := range step.Fill {
			if !slices.ContainsFunc(c.Form, func(f bridge.Field) bool { return f.Key == fill }) {
				t.Errorf("step %s fills in %q, which is no field", step.Key, fill)
			}
		}
	}
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		for _, key := range keys {
			if text, ok := i18n.Find(lang, key); !ok || text == "" {
				t.Errorf("%s has no text for %s", lang, key)
			}
		}
	}
}

// TestExplain: what an admin can put right is said in words.
func TestExplain(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"code":99991401,"msg":"ip 203.0.113.7 is denied"}`: {"203.0.113.7", "IP 白名单"},
		`{"code":99991672,"msg":"Access denied","error":{"permission_violations":[{"type":"action_scope_required","subject":"im:message"}]}}`: {"im:message", "/app/cli_x/auth?q=im%3Amessage"},
		`{"code":99991403,"msg":"This month's API call quota has been exceeded"}`:                                                             {"管理后台", "权益数据"},
		`{"code":230013,"msg":"Bot has NO availability to this user."}`:                                                                       {"可用范围"},
	} {
		f := newFake(t)
		f.script(pathCreate, answer{400, body})
		_, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Text{Text: "hi"})
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			e := i18n.Explain(lang, err)
			for _, word := range want {
				if !strings.Contains(e.String(), word) || strings.Contains(e.String(), "{") {
					t.Errorf("%s: %s: %s", lang, body, e)
				}
			}
		}
	}
}

// TestConfig refuses what cannot work, and says which field it is.
func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		changes map[string]string
		field   string
	}{
		{map[string]string{"app_id": ""}, "app_id"},
		{map[string]string{"app_id": "cli x"}, "app_id"},
		{map[string]string{"app_secret": ""}, "app_secret"},
		{map[string]string{"app_secret": "a\nb"}, "app_secret"},
		{map[string]string{"encrypt_key": "", "verification_token": ""}, "verification_token"},
		{map[string]string{"encrypt_key": " ", "verification_token": "\n"}, "verification_token"},
		{map[string]string{"encrypt_key": "a\nb"}, "encrypt_key"},
		{map[string]string{"base_url": "http://open.feishu.cn"}, "base_url"},
		{map[string]string{"base_url": "open.feishu.cn"}, "base_url"},
		{map[string]string{"base_url": "https://"}, "base_url"},
		{map[string]string{"base_url": "https://u:p@open.feishu.cn"}, "base_url"},
		{map[string]string{"base_url": "https://open.feishu.cn/?a=b"}, "base_url"},
		{map[string]string{"encrypt_key": ""}, ""},
		{map[string]string{"verification_token": ""}, ""},
		{map[string]string{"app_id": " cli_x ", "app_secret": " s\n"}, ""},
		{map[string]string{"base_url": "https://open.larksuite.com/"}, ""},
		{map[string]string{"base_url": "http://127.0.0.1:1"}, ""},
		{map[string]string{"base_url": "http://localhost:1"}, ""},
		{map[string]string{"base_url": ""}, ""},
	} {
		all := map[string]string{"app_id": appID, "app_secret": secret, "encrypt_key": encryptKey, "verification_token": verifyWith}
		for key, value := range c.changes {
			all[key] = value
		}
		_, err := feishu.Connector().Open(config(all), bridge.Env{})
		var e *bridge.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.field != "" && (!errors.As(err, &e) || e.Kind != bridge.KindInvalid || e.Args["field"] != c.field):
			t.Errorf("%+v: got %v", c, err)
		}
	}
	for _, mode := range []bridge.ModeID{"longconn", "sendonly", "x"} {
		if _, err := feishu.Connector().Open(bridge.Config{Mode: mode}, bridge.Env{}); bridge.KindOf(err) != bridge.KindUnsupported {
			t.Errorf("mode %s: got %v", mode, err)
		}
	}
}

const (
	pathToken  = "/open-apis/auth/v3/tenant_access_token/internal"
	pathBot    = "/open-apis/bot/v3/info"
	pathScopes = "/open-apis/application/v6/scopes"
	pathCreate = "/open-apis/im/v1/messages"
	pathReply  = "/open-apis/im/v1/messages/om_1/reply"
	pathCards  = "/open-apis/cardkit/v1/cards"
	pathImages = "/open-apis/im/v1/images"
	pathFiles  = "/open-apis/im/v1/files"
	pathUser   = "/open-apis/contact/v3/users/ou_1"
)

// direct and grouped are addresses as Receive makes them.
func direct() bridge.Address {
	return bridge.Address{Bot: "fs", Chat: "oc_1", Kind: bridge.Direct, User: "ou_1", ReplyTo: "om_1", Key: "k-0"}
}

func grouped() bridge.Address {
	a := direct()
	a.Kind = bridge.Group
	return a
}

// call is one request the fake took, without its secrets.
type call struct {
	Method, Path string
	Body         json.RawMessage `json:",omitempty"`
}

type answer struct {
	status int
	body   string
}

// fakeMessage is a message on somebody's screen.
type fakeMessage struct {
	id, to, kind, content string
	card                  *fakeCard
	recalled              bool
}

// fakeCard is a card that can grow.
type fakeCard struct {
	Text, Notice string
	Streaming    bool
	Summary      string
	Raw          string // after it was replaced as a whole
	sequence     int
	sent         bool
}

// fake is Feishu, as strict as its pages.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	token    string // valid now
	tokens   int    // handed out
	life     int    // of a token, seconds
	calls    []call
	scripted map[string][]answer // by path: these come first
	after    map[string]int      // by path: so many answers are lost after the deed
	header   http.Header         // of scripted answers
	messages []*fakeMessage
	uuids    map[string]*fakeMessage
	cards    map[string]*fakeCard
	scopes   map[string]int
	status   int // of the bot
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{
		life: 7200, status: 2, scripted: map[string][]answer{}, after: map[string]int{}, uuids: map[string]*fakeMessage{}, cards: map[string]*fakeCard{}, header: http.Header{},
		scopes: map[string]int{"im:message:send_as_bot": 1, "im:message.p2p_msg:readonly": 1, "im:message.group_at_msg:readonly": 1, "cardkit:card:write": 1},
	}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.SetKeepAlivesEnabled(false) // lets synctest see an idle client
	f.Start()
	t.Cleanup(f.Close)
	return f
}

// bot opens a bot that speaks to the fake.
func (f *fake) bot(tb testing.TB, changes map[string]string, env bridge.Env) bridge.Bot {
	tb.Helper()
	all := map[string]string{"base_url": f.URL}
	for key, value := range changes {
		all[key] = value
	}
	return openWith(tb, all, env)
}

// script makes the next calls of a path fail in a certain way.
func (f *fake) script(path string, answers ...answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scripted[path] = append(f.scripted[path], answers...)
}

// lose cuts the connection after the next calls of a path took effect.
func (f *fake) lose(path string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after[path] = n
}

func (f *fake) took(paths ...string) []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var calls []call
	for _, c := range f.calls {
		if len(paths) == 0 || slices.Contains(paths, c.Path) {
			calls = append(calls, c)
		}
	}
	return calls
}

func (f *fake) count(path string) int { return len(f.took(path)) }

// screen returns what can be seen.
func (f *fake) screen() []fakeMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	var seen []fakeMessage
	for _, m := range f.messages {
		if !m.recalled {
			seen = append(seen, *m)
		}
	}
	return seen
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Contains(r.URL.Path, "/resources/") && len(f.scripted[r.URL.Path]) == 0 {
		f.resource(w, r)
		return
	}
	body := f.read(r)
	f.calls = append(f.calls, call{r.Method, r.URL.Path, body})
	got := f.answer(r, body)
	if f.after[r.URL.Path]--; f.after[r.URL.Path] >= 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if strings.HasPrefix(got.body, "http") {
		w.Header().Set("Location", got.body)
	}
	for name, values := range f.header {
		w.Header()[name] = values
	}
	w.WriteHeader(got.status)
	_, _ = io.WriteString(w, got.body)
}

// read reads a body; of a form it tells what is in it.
func (*fake) read(r *http.Request) json.RawMessage {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		body, _ := io.ReadAll(r.Body)
		return body
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return nil
	}
	got := map[string]string{}
	for name, values := range r.MultipartForm.Value {
		got[name] = values[0]
	}
	for name, files := range r.MultipartForm.File {
		file, err := files[0].Open()
		if err != nil {
			return nil
		}
		data, _ := io.ReadAll(file)
		got[name] = files[0].Filename + ": " + string(data)
	}
	body, _ := json.Marshal(got)
	return body
}

func ok(format string, args ...any) answer {
	return answer{http.StatusOK, `{"code":0,"msg":"success","data":` + fmt.Sprintf(format, args...) + `}`}
}

func bad(code int, words string) answer {
	return answer{http.StatusBadRequest, fmt.Sprintf(`{"code":%d,"msg":%q,"error":{"log_id":"2026LOG"}}`, code, words)}
}

func strict(body []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	return dec.Decode(into) == nil
}

func (f *fake) answer(r *http.Request, body []byte) answer {
	if script := f.scripted[r.URL.Path]; len(script) > 0 {
		f.scripted[r.URL.Path] = script[1:]
		return script[0]
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	path := r.Method + " " + r.URL.Path
	if path == "POST "+pathToken {
		return f.newToken(body)
	}
	if !bearer || token != f.token {
		return bad(99991663, "Invalid access token for authorization "+token)
	}
	if rest, is := strings.CutPrefix(r.URL.Path, pathCards); is {
		return f.cardkit(r.Method, rest, body)
	}
	if rest, is := strings.CutPrefix(r.URL.Path, pathCreate); is {
		return f.message(r, rest, body)
	}
	switch path {
	case "GET " + pathBot:
		return answer{200, fmt.Sprintf(`{"code":0,"msg":"ok","bot":{"activate_status":%d,"app_name":"x","open_id":%q}}`, f.status, botID)}
	case "GET " + pathScopes:
		var list []string
		for name, granted := range f.scopes {
			list = append(list, fmt.Sprintf(`{"scope_name":%q,"grant_status":%d}`, name, granted))
		}
		return ok(`{"scopes":[%s]}`, strings.Join(list, ","))
	case "POST " + pathImages, "POST " + pathFiles:
		return upload(r.URL.Path, body)
	case "GET " + pathUser:
		if r.URL.Query().Get("user_id_type") != "open_id" {
			return bad(99992351, "id not exist")
		}
		return ok(`{"user":{"name":"小飞","mobile":"+8613800138000","enterprise_email":"f@example.com","avatar":{"avatar_240":"https://a.example/240"}}}`)
	default:
		return answer{http.StatusNotFound, "404 page not found"}
	}
}

func (f *fake) newToken(body []byte) answer {
	var in struct {
		AppID     string `json:"app_id"`
		AppSecret string `json:"app_secret"`
	}
	switch {
	case !strict(body, &in) || in.AppID == "":
		return bad(10003, "invalid param")
	case in.AppID != appID || in.AppSecret != secret:
		return bad(10014, "app secret invalid")
	}
	f.tokens++
	f.token = fmt.Sprintf("t-%d", f.tokens)
	return answer{200, fmt.Sprintf(`{"code":0,"msg":"ok","tenant_access_token":%q,"expire":%d}`, f.token, f.life)}
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
	m := &fakeMessage{id: fmt.Sprintf("om_new%d", len(f.messages)+1), to: first(in.ReceiveID, "reply "+replyTo), kind: in.MsgType, content: in.Content}
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

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

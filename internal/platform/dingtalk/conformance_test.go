package dingtalk_test

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
	"switchboard/internal/platform/dingtalk"
)

// TestAbilities: what the capabilities say is what the bot can do, with and
// without a card template.
func TestAbilities(t *testing.T) {
	t.Parallel()
	for id, settings := range map[string]map[string]string{"plain": nil, "card": {"card_template_id": template}} {
		bot := openBot(t, settings)
		c := dingtalk.Connector().Modes[0].Capabilities
		if capable, ok := bot.(bridge.Capable); ok {
			c = capable.Capabilities()
		}
		_, streams := bot.(bridge.Streamer)
		_, files := bot.(bridge.FileOpener)
		_, directory := bot.(bridge.Directory)
		_, recalls := bot.(bridge.Recaller)
		_, backfills := bot.(bridge.Backfiller)
		got := []bool{streams, files, directory, recalls, backfills, c.MaxDraft > 0}
		if want := []bool{c.Stream, c.Files, c.Directory, c.Recall, c.Backfill, c.Stream}; !slices.Equal(got, want) {
			t.Errorf("%s: can %v, says %v", id, got, want)
		}
	}
}

// TestReceiveStaysHome: a webhook has seconds to be answered, so nobody is asked.
func TestReceiveStaysHome(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	receiveOne(t, bot, hello)
	if _, err := bot.Receive(t.Context(), request("garbage", "1", "2", arrived())); bridge.KindOf(err) != bridge.KindUnauthenticated {
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

// TestSameWords wants both catalogues to have the same keys of this platform.
func TestSameWords(t *testing.T) {
	t.Parallel()
	ours := func(lang bridge.Language) []string {
		return slices.DeleteFunc(i18n.Keys(lang), func(key string) bool { return !strings.Contains(key, "dingtalk") })
	}
	zh, en := ours(bridge.Chinese), ours(bridge.English)
	if !slices.Equal(zh, en) || len(zh) < 50 {
		t.Errorf("the languages differ:\n%v\n%v", zh, en)
	}
}

// TestWords wants a text for everything the connector shows, in both languages.
func TestWords(t *testing.T) {
	t.Parallel()
	c := dingtalk.Connector()
	keys := []string{"dingtalk.title", "dingtalk.preview"}
	for _, field := range c.Form {
		keys = append(keys, "field.dingtalk."+field.Key, "field.dingtalk."+field.Key+".hint")
	}
	for _, step := range c.Setup {
		keys = append(keys, "setup.dingtalk."+step.Key)
		for _, check := range step.Checks {
			keys = append(keys, "finding.dingtalk."+check, "finding.dingtalk."+check+".next")
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
	f := newFake(t)
	f.script(pathUser, answer{403, `{"code":"Forbidden.AccessDenied.IpNotInWhiteList","message":"request ip=203.0.113.7"}`})
	_, err := send(t, f.bot(t, nil, bridge.Env{}), f.to(bridge.Direct, noWebhook))
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		e := i18n.Explain(lang, err)
		if !strings.Contains(e.What, "203.0.113.7") || !strings.Contains(e.Next, "服务器出口IP") || strings.Contains(e.String(), "{") {
			t.Errorf("%s: %s", lang, e)
		}
	}
}

// TestConfig refuses what cannot work, and says which field it is.
func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value, field string }{
		{"client_id", "", "client_id"},
		{"client_id", "123456789", "client_id"},                            // the AgentId
		{"client_id", "0f4cd9a8-1111-2222-3333-444455556666", "client_id"}, // the App ID
		{"client_id", "ding abc", "client_id"},
		{"client_secret", "", "client_secret"},
		{"client_secret", "a\nb", "client_secret"},
		{"robot_code", "a b", "robot_code"},
		{"card_template_id", "a\tb", "card_template_id"},
		{"base_url", "http://api.dingtalk.com", "base_url"}, // without TLS
		{"base_url", "api.dingtalk.com", "base_url"},
		{"base_url", "https://", "base_url"},
		{"base_url", "https://user:pw@api.dingtalk.com", "base_url"},
		{"oapi_url", "ftp://x", "oapi_url"},
		{"oapi_url", "https://x/?a=b", "oapi_url"},
		{"base_url", "http://127.0.0.1:1", ""},
		{"base_url", "http://localhost:1/", ""},
		{"base_url", "https://api.dingtalk.io", ""},
		{"client_id", " demo-dingtalk ", ""},
		{"card_content_key", "", ""},
	} {
		settings := map[string]string{"client_id": clientID}
		secrets := map[string]bridge.Secret{"client_secret": bridge.NewSecret(secret)}
		if c.key == "client_secret" {
			secrets[c.key] = bridge.NewSecret(c.value)
		} else {
			settings[c.key] = c.value
		}
		_, err := dingtalk.Connector().Open(bridge.Config{ID: "dt", Settings: settings, Secrets: secrets}, bridge.Env{})
		var e *bridge.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.field != "" && (!errors.As(err, &e) || e.Kind != bridge.KindInvalid || e.Args["field"] != c.field):
			t.Errorf("%+v: got %v", c, err)
		}
	}
	for _, mode := range []bridge.ModeID{"stream", "sendonly", "x"} {
		if _, err := dingtalk.Connector().Open(bridge.Config{Mode: mode}, bridge.Env{}); bridge.KindOf(err) != bridge.KindUnsupported {
			t.Errorf("mode %s: got %v", mode, err)
		}
	}
}

const (
	pathToken  = "/v1.0/oauth2/accessToken"
	pathUser   = "/v1.0/robot/oToMessages/batchSend"
	pathGroup  = "/v1.0/robot/groupMessages/send"
	pathCard   = "/v1.0/card/instances"
	pathShow   = "/v1.0/card/instances/createAndDeliver"
	pathStream = "/v1.0/card/streaming"
	pathFile   = "/v1.0/robot/messageFiles/download"
	pathHook   = "/robot/sendBySession"
	pathUpload = "/media/upload"
	pathPerson = "/topapi/v2/user/get"

	session  = "c610ee93e4d96899d9236bd4bea185dd"
	template = "11111111-2222-3333-4444-555555555555.schema"
)

// call is one request the fake took, without its secrets.
type call struct {
	Path string
	Body json.RawMessage
}

type answer struct {
	status int
	body   string
}

// fakeCard is a card on somebody's screen.
type fakeCard struct {
	space, text string
	final       bool
	guids       []string
}

// fake is DingTalk, as strict as its pages.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	token    string // valid now
	tokens   int    // handed out
	life     int    // of a token, seconds
	calls    []call
	scripted map[string][]answer // by path: these come first
	cards    map[string]*fakeCard
	// slowToken holds up a request for a token, once.
	slowToken func()
	late      int // streaming calls that do not know a new card yet
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{life: 7200, scripted: map[string][]answer{}, cards: map[string]*fakeCard{}}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.SetKeepAlivesEnabled(false) // lets synctest see an idle client
	f.Start()
	t.Cleanup(f.Close)
	return f
}

// bot opens a bot that speaks to the fake.
func (f *fake) bot(tb testing.TB, settings map[string]string, env bridge.Env) bridge.Bot {
	tb.Helper()
	all := map[string]string{"base_url": f.URL, "oapi_url": f.URL}
	for key, value := range settings {
		all[key] = value
	}
	return openWith(tb, all, secret, env)
}

// script makes the next calls of a path fail in a certain way.
func (f *fake) script(path string, answers ...answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scripted[path] = append(f.scripted[path], answers...)
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

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, ok := strings.CutPrefix(r.URL.Path, "/file/"); ok && r.Method == http.MethodGet {
		code, _ := strconv.Atoi(status)
		w.Header().Set("Location", f.URL+"/file/200")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "content")
		return
	}
	if r.URL.Path == pathUpload {
		f.keep(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !json.Valid(body) {
		http.Error(w, `{"code":"invalidParameter.body"}`, http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call{r.URL.Path, body})
	if slow := f.slowToken; slow != nil && r.URL.Path == pathToken {
		f.slowToken = nil
		slow()
	}
	got := f.answer(r, body)
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(got.body, "http") {
		w.Header().Set("Location", got.body)
	}
	w.WriteHeader(got.status)
	_, _ = io.WriteString(w, got.body)
}

func (f *fake) answer(r *http.Request, body []byte) answer {
	if script := f.scripted[r.URL.Path]; len(script) > 0 {
		f.scripted[r.URL.Path] = script[1:]
		return script[0]
	}
	token := r.Header.Get("x-acs-dingtalk-access-token")
	switch path := r.Method + " " + r.URL.Path; {
	case path == "POST "+pathHook:
		return f.hook(r.URL.Query().Get("session"), token, body)
	case path == "POST "+pathToken:
		return f.newToken(body)
	case path == "POST "+pathPerson:
		return f.person(r.URL.Query().Get("access_token"), token, body)
	case token == "" || token != f.token:
		return bad("InvalidAuthentication")
	case path == "POST "+pathUser, path == "POST "+pathGroup:
		return f.robot(r.URL.Path, body)
	case path == "POST "+pathShow, path == "POST "+pathCard:
		return f.makeCard(body, r.URL.Path == pathShow)
	case path == "PUT "+pathStream:
		return f.streamCard(body)
	case path == "POST "+pathFile:
		var in struct{ DownloadCode, RobotCode string }
		if !strict(body, &in) || in.RobotCode != clientID || in.DownloadCode != "code1" {
			return bad("invalidParameter.robotCode.downloadCode")
		}
		return answer{http.StatusOK, `{"downloadUrl":"` + f.URL + `/file/200?sig=x"}`}
	default:
		return answer{http.StatusNotFound, `{"code":"InvalidAction.NotFound","message":"no such api"}`}
	}
}

func bad(code string) answer {
	return answer{http.StatusBadRequest, fmt.Sprintf(`{"code":%q,"message":"said so","requestid":"REQ-1"}`, code)}
}

func strict(body []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	return dec.Decode(into) == nil
}

func (f *fake) newToken(body []byte) answer {
	var in struct{ AppKey, AppSecret string }
	if !strict(body, &in) || in.AppKey != clientID || in.AppSecret != secret {
		return bad("invalidClientIdOrSecret")
	}
	f.tokens++
	f.token = fmt.Sprintf("token-%d", f.tokens)
	return answer{http.StatusOK, fmt.Sprintf(`{"accessToken":%q,"expireIn":%d}`, f.token, f.life)}
}

func (*fake) hook(sessionID, token string, body []byte) answer {
	var in struct {
		Msgtype  string
		Text     *struct{ Content string }
		Markdown *struct{ Title, Text string }
		At       *struct {
			AtUserIDs []string
			IsAtAll   bool
		}
		ActionCard, FeedCard, Link json.RawMessage
	}
	old := func(code int, words string) answer {
		return answer{http.StatusOK, fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, code, words)}
	}
	switch {
	case sessionID != session:
		return old(300001, "session 不存在")
	case token != "":
		return old(40035, "a token where none belongs")
	case !strict(body, &in):
		return old(40035, "unknown field")
	case len(body) > 20_000:
		return old(460101, "message too long, exceed 20000 bytes")
	case in.Msgtype == "text" && (in.Text == nil || in.Text.Content == ""),
		in.Msgtype == "markdown" && (in.Markdown == nil || in.Markdown.Title == "" || in.Markdown.Text == ""),
		in.Msgtype == "actionCard" && in.ActionCard == nil, in.Msgtype == "feedCard" && in.FeedCard == nil:
		return old(40035, "missing field")
	case !slices.Contains([]string{"text", "markdown", "actionCard", "feedCard", "link"}, in.Msgtype):
		return old(400105, "unsupported type")
	}
	if in.At != nil && in.Msgtype != "actionCard" {
		for _, id := range in.At.AtUserIDs {
			if !strings.Contains(string(body), "@"+id) {
				return old(40035, "mentions somebody whom the text does not name")
			}
		}
	}
	return old(0, "ok")
}

func (*fake) robot(path string, body []byte) answer {
	var in struct {
		RobotCode, OpenConversationID, MsgKey, MsgParam string
		UserIDs                                         []string `json:"userIds"`
	}
	var param map[string]string
	switch {
	case !strict(body, &in):
		return bad("invalidParameter.body")
	case in.RobotCode != clientID:
		return bad("invalidParameter.robotCode.auth")
	case path == pathUser && len(in.UserIDs) == 0:
		return bad("miss.param.userIds")
	case len(in.UserIDs) > 20:
		return bad("invalidParameter.userIds.overMax")
	case path == pathGroup && (in.OpenConversationID == "" || len(in.UserIDs) > 0):
		return bad("invalid.openConversationId")
	case len(in.MsgParam) > 15_000:
		return bad("invalidParameter.msgParam.tooLong")
	case !strings.HasPrefix(in.MsgKey, "sample") || json.Unmarshal([]byte(in.MsgParam), &param) != nil:
		return bad("invalidParameter.msgKey")
	}
	if slices.Contains(in.UserIDs, "gone") {
		return answer{http.StatusOK, `{"processQueryKey":"q1","invalidStaffIdList":["gone"],"flowControlledStaffIdList":[]}`}
	}
	if slices.Contains(in.UserIDs, "busy") {
		return answer{http.StatusOK, `{"processQueryKey":"q1","invalidStaffIdList":[],"flowControlledStaffIdList":["busy"]}`}
	}
	return answer{http.StatusOK, `{"processQueryKey":"q1","invalidStaffIdList":[],"flowControlledStaffIdList":[]}`}
}

// keep takes a file.
func (f *fake) keep(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, header, err := r.FormFile("media")
	query := r.URL.Query()
	switch {
	case query.Get("access_token") != f.token || f.token == "":
		_, _ = io.WriteString(w, `{"errcode":40014,"errmsg":"no token"}`)
	case err != nil || !slices.Contains([]string{"image", "voice", "file"}, query.Get("type")):
		_, _ = io.WriteString(w, `{"errcode":40004,"errmsg":"wrong type"}`)
	default:
		data, _ := io.ReadAll(file)
		f.calls = append(f.calls, call{pathUpload, json.RawMessage(fmt.Sprintf("%q", query.Get("type")+" "+header.Filename+" "+string(data)))})
		_, _ = fmt.Fprintf(w, `{"errcode":0,"errmsg":"ok","media_id":"@lA-%s","type":%q,"created_at":1}`, query.Get("type"), query.Get("type"))
	}
}

func (f *fake) person(token, header string, body []byte) answer {
	var in struct{ Userid, Language string }
	switch {
	case token == "" || token != f.token || header != "":
		return answer{http.StatusOK, `{"errcode":40014,"errmsg":"不合法的access_token ` + token + `"}`}
	case !strict(body, &in) || in.Userid != "u1":
		return answer{http.StatusOK, `{"errcode":60121,"errmsg":"找不到该用户","request_id":"x"}`}
	default:
		return answer{http.StatusOK, `{"errcode":0,"errmsg":"ok","result":{"userid":"u1","name":"小钉","mobile":"13800138000","org_email":"d@example.com","dept_id_list":[1]}}`}
	}
}

// to is an address as Receive makes it.
func (f *fake) to(kind bridge.ChatKind, mutate func(data map[string]any, a *bridge.Address)) bridge.Address {
	data := map[string]any{
		"sessionWebhook": f.URL + pathHook + "?session=" + session, "openConversationId": "cid1=", "senderStaffId": "u1",
	}
	a := bridge.Address{Bot: "dt", Chat: "cid1=", Kind: kind, User: "u1", Name: "小钉", Key: "k-0"}
	if mutate != nil {
		mutate(data, &a)
	}
	a.Data, _ = json.Marshal(data)
	return a
}

func noWebhook(data map[string]any, _ *bridge.Address) { delete(data, "sessionWebhook") }

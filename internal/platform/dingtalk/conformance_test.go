package dingtalk_test

import (
	"bytes"
	"cmp"
	"encoding/json"
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
	"switchboard/internal/platform/platformtest"
)

// TestConformance: the robot is a bot like any other, whichever way it answers.
func TestConformance(t *testing.T) {
	t.Parallel()
	platformtest.Run(t, platformtest.Kit{
		Connector: dingtalk.Connector(), Words: []string{"dingtalk.title", "dingtalk.preview", "dingtalk.choose"},
		Accounts: []platformtest.Account{robot(), sessionWebhook(), card(), clickableCard()},
		Bad: []platformtest.Value{
			{Key: "client_id", Value: "123456789"},                            // the AgentId
			{Key: "client_id", Value: "0f4cd9a8-1111-2222-3333-444455556666"}, // the App ID
			{Key: "client_id", Value: "ding abc"},
			{Key: "client_secret", Value: "a\nb"},
			{Key: "robot_code", Value: "a b"},
			{Key: "card_template_id", Value: "a\tb"},
			{Key: "card_buttons_key", Value: "a b"},
			{Key: "base_url", Value: "http://api.dingtalk.com"}, // without TLS
			{Key: "base_url", Value: "api.dingtalk.com"},
			{Key: "base_url", Value: "https://"},
			{Key: "base_url", Value: "https://user:pw@api.dingtalk.com"},
			{Key: "oapi_url", Value: "ftp://x"},
			{Key: "oapi_url", Value: "https://x/?a=b"},
		},
		Good: []platformtest.Value{
			{Key: "base_url", Value: "http://127.0.0.1:1"},
			{Key: "base_url", Value: "http://localhost:1/"},
			{Key: "base_url", Value: "https://api.dingtalk.io"},
			{Key: "client_id", Value: "demo-dingtalk"},
			{Key: "card_content_key", Value: ""},
		},
	})
}

// robot answers by the robot API.
func robot() platformtest.Account {
	return platformtest.Account{
		Name: "robot", Config: config(nil, secret), URLs: map[string]string{"base_url": "", "oapi_url": ""},
		Fake:   func(tb testing.TB) platformtest.Fake { tb.Helper(); return stage{newFake(tb)} },
		To:     func(url string) bridge.Address { return address(url, bridge.Direct, noWebhook) },
		Hidden: []string{"token-1"}, Refused: []platformtest.Value{{Key: "client_secret", Value: "a-wrong-client-secret"}},
		Failures: failures(
			failure{400, `{"code":"invalidClientIdOrSecret"}`, bridge.KindCredential, false},
			failure{403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied"}`, bridge.KindForbidden, false},
			failure{403, `{"code":"Forbidden.AccessDenied.QpsLimitForApi"}`, bridge.KindRateLimited, false},
			failure{403, `{"code":"Forbidden.AccessDenied.ApiCountLimitForOrg"}`, bridge.KindQuota, false},
			failure{400, `{"code":"invalidParameter.userIds.overMax"}`, bridge.KindInvalid, false},
			failure{400, `{"code":"resource.not.found"}`, bridge.KindNotFound, false},
			failure{400, `{"code":"invalidParameter.msgParam.tooLong"}`, bridge.KindTooLarge, false},
			failure{400, `{"code":"contain.unsafe.url"}`, bridge.KindBlocked, false},
			failure{200, `{"processQueryKey":"q","invalidStaffIdList":["u1"]}`, bridge.KindNotFound, false},
			failure{200, `{"processQueryKey":"q","flowControlledStaffIdList":["u1"]}`, bridge.KindRateLimited, false},
			failure{503, `{"code":"serviceBusy"}`, bridge.KindUnavailable, false},
			failure{504, `{"code":"timeout"}`, bridge.KindUnavailable, true},
		),
		Quote: func(words string) platformtest.Answer {
			return platformtest.Answer{Status: 400, Body: `{"code":"x","message":"` + words + `"}`}
		},
		Webhook: push(), Known: "u1", Unknown: "u2", Kept: bridge.File{ID: "code1"}, Gone: bridge.File{ID: "code2"},
	}
}

// sessionWebhook answers to the address that came with the message.
func sessionWebhook() platformtest.Account {
	a := robot()
	a.Name, a.Hidden, a.Refused = "session webhook", []string{session}, nil // no token is needed
	a.To = func(url string) bridge.Address { return address(url, bridge.Direct, nil) }
	a.Failures = failures(
		failure{200, `{"errcode":130101,"errmsg":"send too fast"}`, bridge.KindRateLimited, false},
		failure{200, `{"errcode":90020,"errmsg":"x"}`, bridge.KindQuota, false},
		failure{200, `{"errcode":-1,"errmsg":"busy"}`, bridge.KindUnavailable, false},
		failure{200, `{"errcode":15,"errmsg":"timeout"}`, bridge.KindUnavailable, true},
		failure{200, `{"errcode":400013,"errmsg":"x"}`, bridge.KindNotFound, false},
		failure{200, `{"errcode":400102,"errmsg":"x"}`, bridge.KindForbidden, false},
		failure{200, `{"errcode":40035,"errmsg":"x"}`, bridge.KindInvalid, false},
		failure{200, `{"errcode":460101,"errmsg":"x"}`, bridge.KindTooLarge, false},
		failure{200, `{"errcode":430102,"errmsg":"x"}`, bridge.KindBlocked, false},
		failure{200, `{"errcode":424242,"errmsg":"x"}`, bridge.KindInternal, false},
		failure{200, `{}`, bridge.KindUnavailable, true},
	)
	a.Quote = func(words string) platformtest.Answer {
		return platformtest.Answer{Status: 200, Body: `{"errcode":40035,"errmsg":"` + words + `"}`}
	}
	return a
}

// card answers in cards that grow.
func card() platformtest.Account {
	a := robot()
	a.Name, a.Config, a.SameDraft = "card", config(map[string]string{"card_template_id": template}, secret), true
	return a
}

// clickableCard has a list of buttons in its template.
func clickableCard() platformtest.Account {
	a := card()
	a.Name, a.Config = "card with buttons", config(clicks(), secret)
	return a
}

// clicks are the settings of a bot whose cards can be clicked.
func clicks() map[string]string {
	return map[string]string{"card_template_id": template, "card_buttons_key": "buttons"}
}

type failure struct {
	status    int
	body      string
	kind      bridge.Kind
	uncertain bool
}

// failures adds what may come instead of DingTalk's answer.
func failures(own ...failure) []platformtest.Failure {
	var all []platformtest.Failure
	for _, f := range append(
		own, failure{200, "<html>busy</html>", bridge.KindRateLimited, false}, failure{403, `{"status":1111,"wait":5}`, bridge.KindRateLimited, false},
		failure{502, "<html>bad gateway</html>", bridge.KindUnavailable, true}, failure{404, "<html>not here</html>", bridge.KindInvalid, false},
	) {
		all = append(all, platformtest.Failure{
			Name: fmt.Sprint(f.status, " ", f.body), Answer: platformtest.Answer{Status: f.status, Body: f.body}, Kind: f.kind, Uncertain: f.uncertain,
		})
	}
	return all
}

// stage is the fake as the suite sees it.
type stage struct{ fake *fake }

// URL implements platformtest.Fake.
func (s stage) URL() string { return s.fake.URL }

// Calls implements platformtest.Fake.
func (s stage) Calls() int { return len(s.fake.took()) }

// Answer implements platformtest.Fake.
func (s stage) Answer(a platformtest.Answer) {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	s.fake.next = &answer{a.Status, a.Body}
}

// Shown implements platformtest.Fake.
func (s stage) Shown() []platformtest.Shown {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	var all []platformtest.Shown
	for _, c := range s.fake.shown {
		if c.text != "" {
			all = append(all, platformtest.Shown{Text: c.text, Growing: !c.final})
		}
	}
	return all
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

const (
	pathToken  = "/v1.0/oauth2/accessToken"
	pathUser   = "/v1.0/robot/oToMessages/batchSend"
	pathGroup  = "/v1.0/robot/groupMessages/send"
	pathCard   = "/v1.0/card/instances"
	pathShow   = "/v1.0/card/instances/createAndDeliver"
	pathStream = "/v1.0/card/streaming"
	pathRoute  = "/v1.0/card/callbacks/register"
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
	status int // 0 breaks the connection
	body   string
}

// fakeCard is a card, or any other message, on somebody's screen.
type fakeCard struct {
	space, text string
	final       bool
	guids       []string

	track   string
	clicks  bool // come by webhook
	buttons string
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
	next     *answer             // to the next call that shows something
	cards    map[string]*fakeCard
	shown    []*fakeCard // messages too
	// slowToken holds up a request for a token, once.
	slowToken func()
	late      int // streaming calls that do not know a new card yet
	// routes are the secrets of the registered callbacks, by their keys.
	routes map[string]string
}

func newFake(tb testing.TB) *fake {
	tb.Helper()
	f := &fake{life: 7200, scripted: map[string][]answer{}, cards: map[string]*fakeCard{}, routes: map[string]string{}}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.SetKeepAlivesEnabled(false) // lets synctest see an idle client
	f.Start()
	tb.Cleanup(f.Close)
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
	if got.status == 0 {
		panic(http.ErrAbortHandler)
	}
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
	if next := f.next; next != nil && slices.Contains([]string{pathHook, pathUser, pathGroup, pathShow, pathStream}, r.URL.Path) {
		f.next = nil
		return *next
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
	case path == "PUT "+pathCard:
		return f.updateCard(body)
	case path == "POST "+pathRoute:
		return f.route(body)
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

func (f *fake) hook(sessionID, token string, body []byte) answer {
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
	text := string(in.ActionCard) + string(in.FeedCard)
	if in.Text != nil {
		text = in.Text.Content
	} else if in.Markdown != nil {
		text = in.Markdown.Text
	}
	f.shown = append(f.shown, &fakeCard{text: text, final: true})
	return old(0, "ok")
}

func (f *fake) robot(path string, body []byte) answer {
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
	text := cmp.Or(param["content"], param["text"], in.MsgParam)
	f.shown = append(f.shown, &fakeCard{text: text, final: true})
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
		return answer{http.StatusOK, `{"errcode":0,"errmsg":"ok","result":{"userid":"u1","name":"小钉","mobile":"13800138000","org_email":"d@example.com","dept_id_list":[1,7]}}`}
	}
}

// to is an address as Receive makes it.
func (f *fake) to(kind bridge.ChatKind, mutate func(data map[string]any, a *bridge.Address)) bridge.Address {
	return address(f.URL, kind, mutate)
}

func address(url string, kind bridge.ChatKind, mutate func(data map[string]any, a *bridge.Address)) bridge.Address {
	data := map[string]any{
		"sessionWebhook": url + pathHook + "?session=" + session, "openConversationId": "cid1=", "senderStaffId": "u1",
	}
	a := bridge.Address{Bot: "dt", Chat: "cid1=", Kind: kind, User: "u1", Name: "小钉", Key: "k-0"}
	if mutate != nil {
		mutate(data, &a)
	}
	a.Data, _ = json.Marshal(data)
	return a
}

func noWebhook(data map[string]any, _ *bridge.Address) { delete(data, "sessionWebhook") }

package wecom_test

import (
	"bytes"
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
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/platform/platformtest"
	"switchboard/internal/platform/wecom"
)

// TestConformance: the self-built app and the account of customer service are bots
// like any others.
func TestConformance(t *testing.T) {
	t.Parallel()
	account := func(name, format string) platformtest.Account {
		c := configWith(map[string]string{"format": format})
		return platformtest.Account{
			Name: name, Config: c, URLs: map[string]string{"base_url": ""},
			Fake:   func(tb testing.TB) platformtest.Fake { tb.Helper(); return stage{newFake(tb)} },
			To:     func(string) bridge.Address { return to("ZhangSan", "") },
			Hidden: []string{"token-1/+==", "token-1%2F%2B%3D%3D"}, Refused: []platformtest.Value{{Key: "secret", Value: "wrong-secret-that-is-quoted"}},
			Failures: failures(), Quote: func(words string) platformtest.Answer { return platformtest.Answer(says(40058, words)) },
			Webhook: callback(), Known: "ZhangSan", Unknown: "Nobody", Kept: bridge.File{ID: "MEDIA-1"}, Gone: bridge.File{ID: "MEDIA-2"},
		}
	}
	platformtest.Run(t, platformtest.Kit{
		Connector: wecom.Connector(), Words: []string{"wecom.image", "wecom.choose"},
		Accounts: []platformtest.Account{account("app", "markdown"), account("plain app", "text"), serviceAccount()},
		Bad: []platformtest.Value{
			{Key: "corp_id", Value: "1000002"}, // the AgentId
			{Key: "corp_id", Value: secret},
			{Key: "corp_id", Value: "ww 123"},
			{Key: "corp_id", Value: "企业ID：ww123"},
			{Key: "agent_id", Value: corpID},
			{Key: "agent_id", Value: "-1"},
			{Key: "agent_id", Value: "1.0"},
			{Key: "agent_id", Value: "99999999999999999999"},
			{Key: "open_kfid", Value: "kfc123456789"}, // of the link
			{Key: "open_kfid", Value: "1000002"},
			{Key: "open_kfid", Value: "wk 1"},
			{Key: "secret", Value: "a b"},
			{Key: "secret", Value: aesKey},
			{Key: "token", Value: aesKey},
			{Key: "token", Value: "with-a-dash"},
			{Key: "token", Value: strings.Repeat("x", 33)},
			{Key: "aes_key", Value: secret}, // as long, but with other characters
			{Key: "aes_key", Value: aesKey[1:]},
			{Key: "aes_key", Value: aesKey + "="},
			{Key: "format", Value: "html"},
			{Key: "base_url", Value: "http://qyapi.weixin.qq.com"}, // without TLS
			{Key: "base_url", Value: "qyapi.weixin.qq.com"},
			{Key: "base_url", Value: "https://user:pw@qyapi.weixin.qq.com"},
			{Key: "base_url", Value: "https://qyapi.weixin.qq.com/?a=b"},
		},
		Good: []platformtest.Value{
			{Key: "base_url", Value: "http://127.0.0.1:1"},
			{Key: "base_url", Value: "https://wecom.example.com/sub/"},
			{Key: "format", Value: "text"},
			{Key: "open_kfid", Value: "wk"},
		},
	})
}

// failures are answers to a send, each inside the HTTP status it comes with.
func failures() []platformtest.Failure {
	code := func(code int, kind bridge.Kind) platformtest.Failure {
		return platformtest.Failure{Name: strconv.Itoa(code), Answer: platformtest.Answer(says(code, "words")), Kind: kind, Uncertain: code == -1}
	}
	other := func(name string, status int, body string, kind bridge.Kind, uncertain bool) platformtest.Failure {
		return platformtest.Failure{Name: name, Answer: platformtest.Answer{Status: status, Body: body}, Kind: kind, Uncertain: uncertain}
	}
	return []platformtest.Failure{
		code(-1, bridge.KindUnavailable), code(40056, bridge.KindCredential), code(60020, bridge.KindForbidden), code(44004, bridge.KindInvalid),
		code(81013, bridge.KindNotFound), code(45002, bridge.KindTooLarge), code(45009, bridge.KindRateLimited), code(45033, bridge.KindRateLimited),
		code(85004, bridge.KindQuota), code(987654, bridge.KindInternal),
		other("a page to log in", 200, "<html>", bridge.KindUnavailable, true), other("half an answer", 200, `{"errcode":`, bridge.KindUnavailable, true),
		other("another form", 200, `{"errcode":0,"msgid":7}`, bridge.KindUnavailable, true), other("gateway", 502, "bad gateway", bridge.KindUnavailable, true),
		other("too fast", 429, "slow down", bridge.KindRateLimited, false), other("another server", 404, "not found", bridge.KindInvalid, false),
		other("refused by name", 200, `{"errcode":0,"errmsg":"ok","invaliduser":"zhangsan"}`, bridge.KindNotFound, false),
	}
}

// callback makes the requests of WeCom's callback.
func callback() *platformtest.Webhook {
	return &platformtest.Webhook{
		Sealed: true,
		Message: func(id, text string) []byte {
			return []byte(inner("<MsgType>text</MsgType><Content><![CDATA[" + text + "]]></Content><MsgId>" + id + "</MsgId>"))
		},
		Sign: func(tb testing.TB, payload []byte, at time.Time) bridge.Request {
			tb.Helper()
			return genuineAt(tb, string(payload), at)
		},
		Forged: forgeries,
		Handshakes: func(tb testing.TB) []platformtest.Handshake {
			tb.Helper()
			echo := encrypt(tb, aesKey, random16, "7139691598513686239", corpID)
			return []platformtest.Handshake{{Name: "echo", Request: get(query(signature(token, stamp, nonce, echo), stamp, nonce), echo), Want: "7139691598513686239"}}
		},
	}
}

// stage is the fake as the suite sees it.
type stage struct{ fake *fakeWeCom }

// URL implements platformtest.Fake.
func (s stage) URL() string { return s.fake.URL }

// Calls implements platformtest.Fake.
func (s stage) Calls() int {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	return len(s.fake.calls)
}

// Answer implements platformtest.Fake.
func (s stage) Answer(a platformtest.Answer) { s.fake.script(callSend, scripted(a)) }

// Shown implements platformtest.Fake.
func (s stage) Shown() []platformtest.Shown {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	var all []platformtest.Shown
	for _, m := range s.fake.screen {
		if !slices.Contains(s.fake.recalled, m.ID) {
			all = append(all, platformtest.Shown{Text: m.Text})
		}
	}
	return all
}

// Click implements platformtest.Clicker.
func (s stage) Click(tb testing.TB, words string, at time.Time) (bridge.Request, bool) {
	tb.Helper()
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	for _, card := range slices.Backward(s.fake.cards) {
		for _, b := range card.Buttons {
			if b.Text == words && card.chosen == "" {
				s.fake.clicked = card
				return genuineAt(tb, cardEvent(card.user, card.TaskID, b.Key, at), at), true
			}
		}
	}
	return bridge.Request{}, false
}

// Clicked implements platformtest.Clicker.
func (s stage) Clicked(tb testing.TB, r bridge.Response) bool {
	tb.Helper()
	to, name := openAnswer(tb, r)
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	s.fake.clicked.chosen = name
	return name != "" && to == s.fake.clicked.user
}

// TestExplain: what an admin can put right is said in words, with the address
// to copy.
func TestExplain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.trusted = false
	bot := f.bot(t, nil, bridge.Env{})
	_, err := say(t, bot, "k", "hi")
	findings, checkErr := bot.Check(t.Context())
	if checkErr != nil || len(findings) != 2 {
		t.Fatalf("%v, %v", findings, checkErr)
	}
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		e := i18n.Explain(lang, err)
		if !strings.Contains(e.What, "203.0.113.7") || !strings.Contains(e.Next, "企业可信IP") || strings.Contains(e.String(), "{") {
			t.Errorf("%s: %s", lang, e)
		}
		if text := i18n.Text(lang, "finding.wecom.ip.next", "ip", findings[1].Args["ip"]); !strings.Contains(text, "203.0.113.7") {
			t.Errorf("%s: %s", lang, text)
		}
	}
	_, err = bot.Send(t.Context(), to("Gone", "k"), bridge.Text{Text: "hi"})
	if bridge.KindOf(err) != bridge.KindForbidden {
		t.Errorf("got %v", err)
	}
	f.set(func(f *fakeWeCom) { f.trusted = true })
	_, err = bot.Send(t.Context(), to("Gone", "k"), bridge.Text{Text: "hi"})
	if e := i18n.Explain(bridge.Chinese, err); !strings.Contains(e.Next, "可见范围") {
		t.Errorf("got %s", e)
	}
}

// The calls, as the pages spell them.
const (
	callToken  = "/cgi-bin/gettoken"
	callSend   = "/cgi-bin/message/send"
	callRecall = "/cgi-bin/message/recall"
	callApp    = "/cgi-bin/agent/get"
	callUser   = "/cgi-bin/user/get"
	callFile   = "/cgi-bin/media/get"
)

// shown is a message on a member's screen.
type shown struct{ ID, User, Type, Text string }

// fakeCard is a card with buttons. Every name is one that page 90236 knows.
type fakeCard struct {
	Type  string `json:"card_type"`
	Title struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
	} `json:"main_title"`
	TaskID  string `json:"task_id"`
	Buttons []struct {
		Text  string `json:"text"`
		Style int    `json:"style"`
		Type  int    `json:"type"`
		URL   string `json:"url"`
		Key   string `json:"key"`
	} `json:"button_list"`

	user   string
	chosen string // the button that took the place of the others
}

// wrong says what is wrong with a card.
func (c fakeCard) wrong() string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-@"
	switch {
	case c.Type != "button_interaction" || c.Title.Title == "":
		return "card_type or main_title"
	case c.TaskID == "" || len(c.TaskID) > 128 || strings.Trim(c.TaskID, letters) != "":
		return "task_id"
	case len(c.Buttons) == 0 || len(c.Buttons) > 6:
		return "button_list"
	}
	for _, b := range c.Buttons {
		if b.Text == "" || b.Key == "" || len(b.Key) > 1024 || strings.Trim(b.Key, letters) != "" {
			return "a button"
		}
	}
	return ""
}

func (c fakeCard) text() string {
	text := c.Title.Title
	for _, b := range c.Buttons {
		text += " [" + b.Text + "]"
	}
	return text
}

// scripted is an answer that comes before all rules.
type scripted struct {
	Status int // 0 breaks the connection
	Header http.Header
	Body   string
}

// fakeWeCom is WeCom, as strict as its pages.
type fakeWeCom struct {
	*httptest.Server
	tb testing.TB

	mu       sync.Mutex
	made     time.Time
	offset   time.Duration // its clock is ahead of the real one
	tokens   []string      // handed out; the last one is valid
	expires  int           // of a token, seconds
	trusted  bool
	closed   int
	calls    []string
	scripts  map[string][]scripted
	screen   []shown
	bodies   []json.RawMessage
	cards    []*fakeCard
	clicked  *fakeCard
	checked  map[string]time.Time   // contents sent with the duplicate check, and until when
	got      map[string][]time.Time // by member
	recalled []string
	onToken  func() // while a token is asked for
	desk     desk   // of customer service
	files    map[string]kept
}

func newFake(tb testing.TB) *fakeWeCom {
	tb.Helper()
	f := &fakeWeCom{
		tb: tb, made: time.Now(), expires: 7200, trusted: true,
		scripts: map[string][]scripted{}, checked: map[string]time.Time{}, got: map[string][]time.Time{}, files: map[string]kept{},
		desk: newDesk(),
	}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.SetKeepAlivesEnabled(false) // an idle connection would hold up the clock of synctest
	f.Start()
	tb.Cleanup(f.Close)
	return f
}

// bot opens a bot that speaks to the fake.
func (f *fakeWeCom) bot(tb testing.TB, changed map[string]string, env bridge.Env) bridge.Bot {
	tb.Helper()
	all := map[string]string{"base_url": f.URL}
	for key, value := range changed {
		all[key] = value
	}
	return openWith(tb, all, env)
}

// sleep lets time pass, on both sides, inside a synctest bubble.
func (f *fakeWeCom) sleep(d time.Duration) {
	time.Sleep(d)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offset += d
}

func (f *fakeWeCom) script(call string, answers ...scripted) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scripts[call] = append(f.scripts[call], answers...)
}

func says(code int, words string) scripted {
	return scripted{Status: http.StatusOK, Body: fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, code, words)}
}

func (f *fakeWeCom) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (f *fakeWeCom) shown() []shown {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.screen)
}

func (f *fakeWeCom) set(change func(*fakeWeCom)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeWeCom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.tb.Errorf("reading a body: %v", err)
	}
	f.mu.Lock()
	f.calls = append(f.calls, r.URL.Path)
	onToken := f.onToken
	if r.URL.Path != callToken {
		onToken = nil
	}
	f.mu.Unlock()
	if onToken != nil {
		onToken()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.answer(r, body)
	if got.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for key, values := range got.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(got.Status)
	if _, err := io.WriteString(w, got.Body); err != nil && r.Context().Err() == nil {
		f.tb.Errorf("answering: %v", err)
	}
}

func (f *fakeWeCom) answer(r *http.Request, body []byte) scripted {
	if script := f.scripts[r.URL.Path]; len(script) > 0 {
		f.scripts[r.URL.Path] = script[1:]
		return script[0]
	}
	method := map[string]string{callSend: http.MethodPost, callRecall: http.MethodPost}[r.URL.Path]
	if method == "" {
		method = http.MethodGet
	}
	if r.URL.Path == callUpload || strings.HasPrefix(r.URL.Path, "/cgi-bin/kf/") {
		method = http.MethodPost
	}
	q := r.URL.Query()
	token := q.Get("access_token")
	switch {
	case r.Method != method:
		return says(43001, "require "+method+" method")
	case r.URL.Path == callToken:
		return f.newToken(q.Get("corpid"), q.Get("corpsecret"))
	case token == "":
		return says(41001, "access_token missing")
	case len(f.tokens) == 0 || token != f.tokens[len(f.tokens)-1]:
		return says(40014, "invalid access_token "+token+", hint: [1], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=40014")
	case !f.trusted:
		return says(60020, "not allow to access from your ip, hint: [1700000000222], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=60020")
	}
	switch r.URL.Path {
	case callSend:
		return f.send(body)
	case callRecall:
		var in struct{ MsgID string }
		if !strict(body, &in) || !strings.HasPrefix(in.MsgID, "msg-") {
			return says(40058, "not allow to recall")
		}
		f.recalled = append(f.recalled, in.MsgID)
		return says(0, "ok")
	case callApp:
		if q.Get("agentid") != agentID {
			return says(301002, "not allow operate another agent with this accesstoken")
		}
		return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","agentid":%s,"name":"Help","close":%d,"allow_userinfos":{"user":[]}}`, agentID, f.closed)}
	case callUser:
		if q.Get("userid") != "ZhangSan" {
			return says(60111, "userid not found")
		}
		return scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","userid":"ZhangSan","name":"张三","department":[1]}`}
	case callUpload:
		return f.keep(q.Get("type"), r.Header.Get("Content-Type"), body)
	case callFetch, callAnswer, callWelcome, callCustomers, callAccounts, callTalk:
		return f.serve(r.URL.Path, body)
	case callFile:
		if q.Get("media_id") != "MEDIA-1" {
			return says(40007, "invalid media_id")
		}
		return scripted{Status: 200, Body: "content", Header: http.Header{"Content-Type": {"image/png"}, "Content-Disposition": {`attachment; filename="图.png"`}}}
	default:
		return scripted{Status: http.StatusNotFound, Body: "404 page not found"}
	}
}

func (f *fakeWeCom) newToken(corp, key string) scripted {
	switch {
	case corp != corpID:
		return says(40013, "invalid corpid "+corp)
	case key != secret:
		return says(40001, "invalid credential "+key)
	case len(f.tokens) == 0:
		f.tokens = append(f.tokens, "token-1/+==")
	}
	return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","access_token":%q,"expires_in":%d}`, f.tokens[len(f.tokens)-1], f.expires)}
}

// rotate makes the tokens so far invalid.
func (f *fakeWeCom) rotate() {
	f.set(func(f *fakeWeCom) { f.tokens = append(f.tokens, fmt.Sprintf("token-%d", len(f.tokens)+1)) })
}

// strict reads JSON and refuses fields that no page knows.
func strict(body []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	return dec.Decode(into) == nil
}

func (f *fakeWeCom) send(body []byte) scripted {
	var in struct {
		ToUser             string
		MsgType            string
		AgentID            int64
		Check              int `json:"enable_duplicate_check"`
		Interval           int `json:"duplicate_check_interval"`
		Text               *struct{ Content string }
		Markdown           *struct{ Content string }
		Card               *fakeCard `json:"template_card"`
		News               json.RawMessage
		TextCard           json.RawMessage
		Image, Voice, File *fakeMedia
		Safe, IDs          int
	}
	f.bodies = append(f.bodies, body)
	content, now := "", time.Now().Add(f.offset)
	switch {
	case !strict(body, &in):
		return says(47001, "data format error")
	case strconv.FormatInt(in.AgentID, 10) != agentID:
		return says(301002, "not allow operate another agent with this accesstoken")
	case in.ToUser == "" || strings.HasPrefix(in.ToUser, "@") || strings.Contains(in.ToUser, "|"):
		f.tb.Errorf("sent to %q", in.ToUser)
		return says(82001, "no receiver")
	case in.MsgType == "text" && in.Text != nil:
		content = in.Text.Content
	case in.MsgType == "markdown" && in.Markdown != nil:
		content = in.Markdown.Content
	case in.MsgType == "news" && in.News != nil:
		content = string(in.News)
	case in.MsgType == "template_card" && in.Card != nil && len(f.scripts["card"]) > 0:
		first := f.scripts["card"][0]
		delete(f.scripts, "card")
		return first
	case in.MsgType == "template_card" && in.Card != nil:
		if words := in.Card.wrong(); words != "" {
			return says(40058, words)
		}
		content = in.Card.text()
	case f.file(in.MsgType, in.Image, in.Voice, in.File) != "":
		content = f.file(in.MsgType, in.Image, in.Voice, in.File)
	default:
		return says(40008, "invalid message type")
	}
	switch {
	case content == noFile:
		return says(40007, "invalid media_id")
	case content == "":
		return says(44004, "empty content")
	case in.ToUser == "Nobody":
		return says(81013, "user & party & tag all invalid")
	case in.ToUser == "Gone":
		return scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","invaliduser":"other|gone","msgid":"msg-x"}`}
	case in.ToUser == "Unlicensed":
		return scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","unlicenseduser":"unlicensed","msgid":"msg-x"}`}
	case in.Check == 1 && (in.Interval <= 0 || in.Interval > 4*3600):
		return says(40058, "invalid interval")
	}
	if len(content) > 2048 && in.Card == nil { // the real one says nothing
		f.tb.Errorf("%d bytes: cut off silently", len(content))
		content = content[:2048]
	}
	id := "msg-" + strconv.Itoa(len(f.bodies))
	same := strings.ToLower(in.ToUser) + in.MsgType + content
	if in.Card != nil {
		same += in.Card.TaskID
	}
	if in.Check == 1 {
		// What is sent without the check is not kept: the less helpful of the two
		// readings of the page.
		seen := now.Before(f.checked[same])
		f.checked[same] = now.Add(time.Duration(in.Interval) * time.Second)
		if seen {
			return scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","msgid":"` + id + `"}`}
		}
	}
	f.got[in.ToUser] = slices.DeleteFunc(append(f.got[in.ToUser], now), func(at time.Time) bool { return now.Sub(at) > time.Minute })
	if len(f.got[in.ToUser]) > 30 { // the real one says nothing
		f.tb.Errorf("%d messages a minute to one member: dropped silently", len(f.got[in.ToUser]))
	}
	if in.Card != nil {
		if slices.ContainsFunc(f.cards, func(c *fakeCard) bool { return c.TaskID == in.Card.TaskID }) {
			return says(40058, "task_id is there already")
		}
		in.Card.user = in.ToUser
		f.cards = append(f.cards, in.Card)
	}
	f.screen = append(f.screen, shown{id, in.ToUser, in.MsgType, content})
	return scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","invaliduser":"","msgid":"` + id + `"}`}
}

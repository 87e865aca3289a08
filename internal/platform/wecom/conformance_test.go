package wecom_test

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
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/platform/wecom"
)

// TestAbilities: what the capabilities say is what the bot can do.
func TestAbilities(t *testing.T) {
	t.Parallel()
	for _, mode := range wecom.Connector().Modes {
		bot, c := openWith(t, nil, bridge.Env{}), mode.Capabilities
		_, streams := bot.(bridge.Streamer)
		_, listens := bot.(bridge.Listener)
		_, files := bot.(bridge.FileOpener)
		_, directory := bot.(bridge.Directory)
		_, recalls := bot.(bridge.Recaller)
		_, backfills := bot.(bridge.Backfiller)
		got := []bool{streams, listens, files, directory, recalls, backfills}
		if want := []bool{c.Stream, mode.Listens, c.Files, c.Directory, c.Recall, c.Backfill}; !slices.Equal(got, want) {
			t.Errorf("%s: can %v, says %v", mode.ID, got, want)
		}
	}
}

// TestReceiveStaysHome: a webhook has seconds to be answered, so nobody is asked.
func TestReceiveStaysHome(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	if d, err := bot.Receive(t.Context(), genuine(t, inner(hello))); err != nil || len(d.Messages) != 1 {
		t.Errorf("%v, %+v", err, d)
	}
	if len(f.calls) != 0 {
		t.Errorf("called %v", f.calls)
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
		return slices.DeleteFunc(i18n.Keys(lang), func(key string) bool { return !strings.Contains(key, "wecom") })
	}
	zh, en := ours(bridge.Chinese), ours(bridge.English)
	if !slices.Equal(zh, en) || len(zh) < 50 {
		t.Errorf("the languages differ:\n%v\n%v", zh, en)
	}
}

// TestWords wants a text for everything the connector shows, in both languages.
func TestWords(t *testing.T) {
	t.Parallel()
	c := wecom.Connector()
	keys := []string{"wecom.image"}
	for _, field := range c.Form {
		keys = append(keys, "field.wecom."+field.Key, "field.wecom."+field.Key+".hint")
	}
	for _, step := range c.Setup {
		keys = append(keys, "setup.wecom."+step.Key)
		for _, check := range step.Checks {
			keys = append(keys, "finding.wecom."+check, "finding.wecom."+check+".next")
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
	for _, f := range c.Form {
		if f.Required && !slices.ContainsFunc(c.Setup, func(s bridge.Step) bool { return slices.Contains(s.Fill, f.Key) }) {
			t.Errorf("no step fills in %s", f.Key)
		}
	}
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

// TestConfig refuses what cannot work, and says which field it is.
func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value, field string }{
		{"corp_id", "", "corp_id"},
		{"corp_id", "1000002", "corp_id"}, // the AgentId
		{"corp_id", secret, "corp_id"},
		{"corp_id", "ww 123", "corp_id"},
		{"corp_id", "企业ID：ww123", "corp_id"},
		{"agent_id", "", "agent_id"},
		{"agent_id", corpID, "agent_id"},
		{"agent_id", "-1", "agent_id"},
		{"agent_id", "1.0", "agent_id"},
		{"agent_id", "99999999999999999999", "agent_id"},
		{"secret", "", "secret"},
		{"secret", "a b", "secret"},
		{"secret", aesKey, "secret"},
		{"token", "", "token"},
		{"token", aesKey, "token"},
		{"token", "with-a-dash", "token"},
		{"token", strings.Repeat("x", 33), "token"},
		{"aes_key", "", "aes_key"},
		{"aes_key", secret, "aes_key"}, // as long, but with other characters
		{"aes_key", aesKey[1:], "aes_key"},
		{"aes_key", aesKey + "=", "aes_key"},
		{"format", "html", "format"},
		{"base_url", "http://qyapi.weixin.qq.com", "base_url"}, // without TLS
		{"base_url", "qyapi.weixin.qq.com", "base_url"},
		{"base_url", "https://user:pw@qyapi.weixin.qq.com", "base_url"},
		{"base_url", "https://qyapi.weixin.qq.com/?a=b", "base_url"},
		{"base_url", "http://127.0.0.1:1", ""},
		{"base_url", "https://wecom.example.com/sub/", ""},
		{"corp_id", " ww0123456789abcdef ", ""},
		{"secret", "\n" + secret + "\n", ""},
		{"format", "text", ""},
	} {
		_, err := wecom.Connector().Open(configWith(map[string]string{c.key: c.value}), bridge.Env{})
		var e *bridge.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.field != "" && (!errors.As(err, &e) || e.Kind != bridge.KindInvalid || e.Args["field"] != c.field):
			t.Errorf("%+v: got %v", c, err)
		case err != nil && c.value != "" && len(c.value) > 20 && strings.Contains(err.Error(), c.value):
			t.Errorf("%+v: the error tells the value: %v", c, err)
		}
	}
	for _, mode := range []bridge.ModeID{"aibot", "kf", "sendonly", "x"} {
		bad := configWith(nil)
		bad.Mode = mode
		if _, err := wecom.Connector().Open(bad, bridge.Env{}); bridge.KindOf(err) != bridge.KindUnsupported {
			t.Errorf("mode %s: got %v", mode, err)
		}
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

// scripted is an answer that comes before all rules.
type scripted struct {
	status int
	body   string
	header http.Header
}

// fakeWeCom is WeCom, as strict as its pages.
type fakeWeCom struct {
	*httptest.Server
	tb testing.TB

	mu       sync.Mutex
	offset   time.Duration // its clock is ahead of the real one
	tokens   []string      // handed out; the last one is valid
	expires  int           // of a token, seconds
	trusted  bool
	closed   int
	calls    []string
	scripts  map[string][]scripted
	screen   []shown
	bodies   []json.RawMessage
	checked  map[string]time.Time   // contents sent with the duplicate check, and until when
	got      map[string][]time.Time // by member
	recalled []string
	onToken  func() // while a token is asked for
}

func newFake(tb testing.TB) *fakeWeCom {
	tb.Helper()
	f := &fakeWeCom{
		tb: tb, expires: 7200, trusted: true,
		scripts: map[string][]scripted{}, checked: map[string]time.Time{}, got: map[string][]time.Time{},
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
	return scripted{status: http.StatusOK, body: fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, code, words)}
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
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for key, values := range got.header {
		w.Header()[key] = values
	}
	w.WriteHeader(got.status)
	if _, err := io.WriteString(w, got.body); err != nil && r.Context().Err() == nil {
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
		return scripted{status: 200, body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","agentid":%s,"name":"Help","close":%d,"allow_userinfos":{"user":[]}}`, agentID, f.closed)}
	case callUser:
		if q.Get("userid") != "ZhangSan" {
			return says(60111, "userid not found")
		}
		return scripted{status: 200, body: `{"errcode":0,"errmsg":"ok","userid":"ZhangSan","name":"张三","department":[1]}`}
	case callFile:
		if q.Get("media_id") != "MEDIA-1" {
			return says(40007, "invalid media_id")
		}
		return scripted{status: 200, body: "content", header: http.Header{"Content-Type": {"image/png"}, "Content-Disposition": {`attachment; filename="图.png"`}}}
	default:
		return scripted{status: http.StatusNotFound, body: "404 page not found"}
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
	return scripted{status: 200, body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","access_token":%q,"expires_in":%d}`, f.tokens[len(f.tokens)-1], f.expires)}
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
		ToUser    string
		MsgType   string
		AgentID   int64
		Check     int `json:"enable_duplicate_check"`
		Interval  int `json:"duplicate_check_interval"`
		Text      *struct{ Content string }
		Markdown  *struct{ Content string }
		News      json.RawMessage
		TextCard  json.RawMessage
		Safe, IDs int
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
	default:
		return says(40008, "invalid message type")
	}
	switch {
	case content == "":
		return says(44004, "empty content")
	case in.ToUser == "Nobody":
		return says(81013, "user & party & tag all invalid")
	case in.ToUser == "Gone":
		return scripted{status: 200, body: `{"errcode":0,"errmsg":"ok","invaliduser":"other|gone","msgid":"msg-x"}`}
	case in.ToUser == "Unlicensed":
		return scripted{status: 200, body: `{"errcode":0,"errmsg":"ok","unlicenseduser":"unlicensed","msgid":"msg-x"}`}
	case in.Check == 1 && (in.Interval <= 0 || in.Interval > 4*3600):
		return says(40058, "invalid interval")
	}
	if len(content) > 2048 { // the real one says nothing
		f.tb.Errorf("%d bytes: cut off silently", len(content))
		content = content[:2048]
	}
	id := "msg-" + strconv.Itoa(len(f.bodies))
	same := strings.ToLower(in.ToUser) + in.MsgType + content
	if in.Check == 1 {
		// What is sent without the check is not kept: the less helpful of the two
		// readings of the page.
		seen := now.Before(f.checked[same])
		f.checked[same] = now.Add(time.Duration(in.Interval) * time.Second)
		if seen {
			return scripted{status: 200, body: `{"errcode":0,"errmsg":"ok","msgid":"` + id + `"}`}
		}
	}
	f.got[in.ToUser] = slices.DeleteFunc(append(f.got[in.ToUser], now), func(at time.Time) bool { return now.Sub(at) > time.Minute })
	if len(f.got[in.ToUser]) > 30 { // the real one says nothing
		f.tb.Errorf("%d messages a minute to one member: dropped silently", len(f.got[in.ToUser]))
	}
	f.screen = append(f.screen, shown{id, in.ToUser, in.MsgType, content})
	return scripted{status: 200, body: `{"errcode":0,"errmsg":"ok","invaliduser":"","msgid":"` + id + `"}`}
}

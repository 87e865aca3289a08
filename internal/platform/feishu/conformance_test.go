package feishu_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/feishu"
	"switchboard/internal/platform/platformtest"
)

// TestConformance checks the whole contract, with an encrypt key and with both
// secrets. Without an encrypt key only the token in the body tells who it is
// from, so nothing unreadable can be genuine; see TestWithoutEncryptKey.
func TestConformance(t *testing.T) {
	t.Parallel()
	platformtest.Run(t, platformtest.Kit{
		Connector: feishu.Connector(),
		Accounts:  []platformtest.Account{account("webhook", verifyWith), account("key only", "")},
		Bad: []platformtest.Value{
			{Key: "app_id", Value: "two words"},
			{Key: "app_secret", Value: "two\nlines"},
			{Key: "encrypt_key", Value: "two\nlines"},
			{Key: "verification_token", Value: "two\nlines"},
			{Key: "base_url", Value: "http://open.feishu.cn"},
			{Key: "base_url", Value: "open.feishu.cn"},
			{Key: "base_url", Value: "https://u:p@open.feishu.cn"},
		},
		Good: []platformtest.Value{
			{Key: "base_url", Value: "https://open.larksuite.com/"},
			{Key: "base_url", Value: "http://localhost:1"},
			{Key: "base_url", Value: ""},
			{Key: "encrypt_key", Value: "a key with blanks"},
		},
		Words: []string{"feishu.blocked", "feishu.clicked"},
	})
}

func account(name, verify string) platformtest.Account {
	values := map[string]string{"app_id": appID, "app_secret": secret, "encrypt_key": encryptKey}
	if verify != "" {
		values["verification_token"] = verify
	}
	code := func(status, n int) platformtest.Answer {
		return platformtest.Answer{Status: status, Body: bad(n, "x").body}
	}
	return platformtest.Account{
		Name: name, Config: config(values), URLs: map[string]string{"base_url": ""},
		Fake:    func(tb testing.TB) platformtest.Fake { tb.Helper(); return stage{newFake(tb)} },
		To:      func(string) bridge.Address { return direct() },
		Hidden:  []string{"t-1"},
		Refused: []platformtest.Value{{Key: "app_secret", Value: "another-secret"}},
		Failures: []platformtest.Failure{
			{Name: "too fast", Answer: code(429, 99991400), Kind: bridge.KindRateLimited},
			{Name: "too fast for one chat", Answer: code(400, 230020), Kind: bridge.KindRateLimited},
			{Name: "still sending", Answer: code(400, 230049), Kind: bridge.KindRateLimited, Uncertain: true},
			{Name: "month", Answer: code(429, 99991403), Kind: bridge.KindQuota},
			{Name: "scope", Answer: code(400, 99991672), Kind: bridge.KindForbidden},
			{Name: "outside", Answer: code(400, 230013), Kind: bridge.KindForbidden},
			{Name: "dissolved", Answer: code(400, 232009), Kind: bridge.KindNotFound},
			{Name: "too long", Answer: code(400, 230025), Kind: bridge.KindTooLarge},
			{Name: "wrong", Answer: code(400, 230001), Kind: bridge.KindInvalid},
			{Name: "broken", Answer: platformtest.Answer{}, Kind: bridge.KindUnavailable, Uncertain: true},
			{Name: "gateway", Answer: platformtest.Answer{Status: 502, Body: "<html>"}, Kind: bridge.KindUnavailable, Uncertain: true},
			{Name: "hotel", Answer: platformtest.Answer{Status: 200, Body: "<html>"}, Kind: bridge.KindUnavailable, Uncertain: true},
		},
		Quote: func(words string) platformtest.Answer {
			return platformtest.Answer{Status: 400, Body: `{"code":230001,"msg":` + quote(words) + `}`}
		},
		Webhook: &platformtest.Webhook{
			Message: func(id, text string) []byte { return []byte(saidRaw(id, text)) },
			Sign: func(_ testing.TB, payload []byte, at time.Time) bridge.Request {
				r := genuine(string(payload))
				r.At = at
				return r
			},
			Forged: func(testing.TB) []platformtest.Forgery { return forgeries(verify) },
			Handshakes: func(testing.TB) []platformtest.Handshake {
				check := `{"challenge":"c1","token":"` + verifyWith + `","type":"url_verification"}`
				return []platformtest.Handshake{
					{Name: "not signed", Request: request(envelope(encrypt(encryptKey, []byte(check)))), Want: `{"challenge":"c1"}`},
					{Name: "signed", Request: genuine(check), Want: `{"challenge":"c1"}`},
				}
			},
			Sealed: true,
		},
		Known: "ou_1", Unknown: "ou_9",
		Kept: bridge.File{Kind: bridge.FileImage, ID: "img_1", Message: "om_1"}, Gone: bridge.File{Kind: bridge.FileOther, ID: "234003", Message: "om_1"},
	}
}

// quote makes a JSON string and leaves bytes as they are that are no UTF-8.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// saidRaw is a text in a direct chat, written byte by byte.
func saidRaw(id, text string) string {
	return strings.NewReplacer(`"om_1"`, quote("om_"+id), `"ev_1"`, quote("ev_"+id), quote(`{"text":"hi"}`), quote(`{"text":`+quote(text)+`}`)).Replace(hello())
}

// stage is the fake for the suite.
type stage struct{ *fake }

// URL implements platformtest.Fake.
func (s stage) URL() string { return s.fake.URL }

// Calls implements platformtest.Fake.
func (s stage) Calls() int { return len(s.took()) }

// Answer implements platformtest.Fake.
func (s stage) Answer(a platformtest.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = &a
}

// Shown implements platformtest.Fake.
func (s stage) Shown() []platformtest.Shown {
	var seen []platformtest.Shown
	for _, m := range s.screen() {
		s.mu.Lock()
		if m.card == nil {
			seen = append(seen, platformtest.Shown{Text: words(m.content)})
		} else {
			text := cmp.Or(words(m.card.Raw), strings.TrimSpace(m.card.Text+"\n\n"+m.card.Notice))
			seen = append(seen, platformtest.Shown{Text: text, Growing: m.card.Streaming})
		}
		s.mu.Unlock()
	}
	return seen
}

// words are all the texts in the content of a message.
func words(content string) string {
	var found []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if key != "summary" {
					walk(v[key])
				}
			}
		}
	}
	var v any
	if json.Unmarshal([]byte(content), &v) == nil {
		walk(v)
	}
	return strings.Join(found, " ")
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

// fake is Feishu, as strict as its pages.
type fake struct {
	*httptest.Server
	mu           sync.Mutex
	token        string // valid now
	tokens, life int    // handed out, and how many seconds each is good for
	calls        []call
	scripted     map[string][]answer // by path: these come first
	lost         bool                // the answer to the next send is lost after the deed
	header       http.Header         // of scripted answers
	messages     []*fakeMessage
	history      []kept
	uuids        map[string]*fakeMessage
	cards        map[string]*fakeCard
	scopes       map[string]int
	clicks       int
	status       int                  // of the bot
	next         *platformtest.Answer // to whatever shows or changes something
}

func newFake(tb testing.TB) *fake {
	tb.Helper()
	f := &fake{
		life: 7200, status: 2, scripted: map[string][]answer{}, uuids: map[string]*fakeMessage{}, cards: map[string]*fakeCard{}, header: http.Header{},
		scopes: map[string]int{"im:message:send_as_bot": 1, "im:message.p2p_msg:readonly": 1, "im:message.group_at_msg:readonly": 1, "cardkit:card:write": 1},
	}
	f.open(tb)
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

// loseSend cuts the connection after the next send took effect.
func (f *fake) loseSend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = true
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
	if f.interrupted(w, r) {
		return
	}
	got := f.answer(r, body)
	if f.lost && r.URL.Path == pathCreate {
		f.lost = false
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

// interrupted answers in place of the fake, if the suite wants that.
func (f *fake) interrupted(w http.ResponseWriter, r *http.Request) bool {
	shows := r.Method != http.MethodGet && (strings.HasPrefix(r.URL.Path, pathCreate) || strings.HasPrefix(r.URL.Path, pathCards+"/"))
	if f.next == nil || !shows {
		return false
	}
	a := *f.next
	f.next = nil
	if a.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
	return true
}

// read reads a body; of a form it tells what is in it.
func (*fake) read(r *http.Request) json.RawMessage {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		body, _ := io.ReadAll(r.Body)
		return body
	}
	if err := r.ParseMultipartForm(64 << 20); err != nil {
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
		const excerpt = 100
		data, _ := io.ReadAll(io.LimitReader(file, excerpt))
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
	case "GET /open-apis/contact/v3/users/ou_9":
		return bad(41050, "no user authority error")
	case "GET " + pathUser:
		if r.URL.Query().Get("user_id_type") != "open_id" {
			return bad(99992351, "id not exist")
		}
		return ok(`{"user":{"name":"小飞","mobile":"+8613800138000","enterprise_email":"f@example.com","department_ids":["od-1","od-7"],"avatar":{"avatar_240":"https://a.example/240"}}}`)
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

// cardkit plays the API of growing cards.
func (f *fake) cardkit(method, rest string, body []byte) answer {
	if rest == "" {
		return f.newCard(body)
	}
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	card := f.cards[parts[0]]
	if card == nil {
		return bad(200740, "card entity not found")
	}
	var in struct {
		Sequence int             `json:"sequence"`
		Content  string          `json:"content"`
		Settings string          `json:"settings"`
		Type     string          `json:"type"`
		Elements string          `json:"elements"`
		Card     json.RawMessage `json:"card"`
	}
	if !strict(body, &in) || in.Sequence <= 0 || in.Sequence > 1<<31-1 {
		return bad(10002, "param invalid")
	}
	if in.Sequence <= card.sequence {
		return bad(300317, fmt.Sprintf("sequence number compare failed, %d is not above %d", in.Sequence, card.sequence))
	}
	got := card.change(method+" "+strings.Join(parts[1:], "/"), in.Content, in.Settings, in.Type, in.Elements, in.Card)
	if got.status == http.StatusOK {
		card.sequence = in.Sequence
	}
	return got
}

func (f *fake) newCard(body []byte) answer {
	var in struct{ Type, Data string }
	if !strict(body, &in) || in.Type != "card_json" {
		return bad(10002, "param invalid")
	}
	if wrong := checkCard(in.Data); wrong != "" {
		return bad(200220, "generate failed "+wrong)
	}
	var c fakeCardJSON
	strict([]byte(in.Data), &c)
	id := fmt.Sprintf("735%d", len(f.cards)+1)
	f.cards[id] = &fakeCard{Streaming: c.Config.StreamingMode, Text: *c.Body.Elements[0].Content, stop: in.Data}
	return ok(`{"card_id":%q}`, id)
}

func (c *fakeCard) change(path, content, settings, how, elements string, whole json.RawMessage) answer {
	switch path {
	case "PUT elements/answer/content":
		switch {
		case content == "":
			return bad(99992402, "field validation failed")
		case !c.Streaming:
			return bad(300309, "card streaming mode is closed")
		case checkMarkdown(content) != "" || len(content) > 30_000:
			return bad(200860, "card content exceeds limit")
		}
		c.Text = content
	case "PATCH settings":
		var in struct {
			Config struct {
				StreamingMode *bool  `json:"streaming_mode"`
				Summary       *label `json:"summary"`
			} `json:"config"`
		}
		if !strict([]byte(settings), &in) || in.Config.StreamingMode == nil {
			return bad(10002, "param invalid")
		}
		c.Streaming = *in.Config.StreamingMode
		if in.Config.Summary != nil {
			c.Summary = in.Config.Summary.Content
		}
	case "POST elements":
		var in []element
		if !strict([]byte(elements), &in) || how != "append" || len(in) != 1 || in[0].ElementID != "notice" {
			return bad(10002, "param invalid")
		}
		if c.Notice != "" {
			return bad(300301, "element id is duplicate")
		}
		c.Notice = *in[0].Content
	case "DELETE elements/stop":
		return c.unstop()
	case "PUT ":
		var in struct{ Type, Data string }
		if !strict(whole, &in) || in.Type != "card_json" || checkCard(in.Data) != "" {
			return bad(200621, "parse card json err")
		}
		c.Raw, c.stop = in.Data, ""
	default:
		return answer{http.StatusNotFound, "404 page not found"}
	}
	return ok(`{}`)
}

package dingtalk_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/platform/dingtalk"
	"switchboard/internal/platform/platformtest"
)

const (
	clientID = "dingabcdefgh12345678"
	secret   = "client-secret-for-test"
)

// arrived is when the requests of these tests arrive.
func arrived() time.Time { return time.UnixMilli(1695199270000) }

// openBot opens a bot with some settings changed.
func openBot(tb testing.TB, settings map[string]string) bridge.Bot {
	tb.Helper()
	return openWith(tb, settings, secret, bridge.Env{})
}

func openWith(tb testing.TB, settings map[string]string, clientSecret string, env bridge.Env) bridge.Bot {
	tb.Helper()
	bot, err := dingtalk.Connector().Open(config(settings, clientSecret), env)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := bot.Close(); err != nil {
			tb.Error(err)
		}
	})
	return bot
}

func config(settings map[string]string, clientSecret string) bridge.Config {
	all := map[string]string{"client_id": clientID}
	maps.Copy(all, settings)
	return bridge.Config{
		ID: "dt", Platform: "dingtalk", Mode: "webhook", Settings: all,
		Secrets: map[string]bridge.Secret{"client_secret": bridge.NewSecret(clientSecret)},
	}
}

// mac is written out here, so that a mistake in the bot is not made twice.
func mac(key, data string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(data))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func request(body, timestamp, signature string, at time.Time) bridge.Request {
	h := http.Header{}
	h.Set("Content-Type", "application/json; charset=utf-8")
	if timestamp != "" {
		h.Set("timestamp", timestamp)
	}
	if signature != "" {
		h.Set("sign", signature)
	}
	return bridge.Request{Method: http.MethodPost, Header: h, Body: []byte(body), At: at}
}

// genuine is a request as DingTalk signs it.
func genuine(body string) bridge.Request {
	ts := strconv.FormatInt(arrived().UnixMilli(), 10)
	return request(body, ts, mac(secret, ts+"\n"+secret), arrived())
}

const hello = `{"msgtype":"text","msgId":"m1","conversationType":"1","conversationId":"cid1","senderStaffId":"u1","text":{"content":"hi"}}`

// push makes the requests of a robot.
func push() *platformtest.Webhook {
	sign := func(key string, payload []byte, at time.Time) bridge.Request {
		ts := strconv.FormatInt(at.UnixMilli(), 10)
		return request(string(payload), ts, mac(key, ts+"\n"+key), at)
	}
	late := func(key string) bridge.Request {
		req := sign(key, []byte(hello), arrived().Add(-2*time.Hour))
		req.At = arrived()
		return req
	}
	return &platformtest.Webhook{
		Fresh: time.Hour,
		Message: func(id, text string) []byte {
			return []byte(`{"msgtype":"text","msgId":"` + id + `","conversationType":"1","conversationId":"cid1=","senderStaffId":"u1","text":{"content":"` + text + `"}}`)
		},
		Sign: func(_ testing.TB, payload []byte, at time.Time) bridge.Request { return sign(secret, payload, at) },
		Forged: func(testing.TB) []platformtest.Forgery {
			other := strings.Replace(hello, `"msgId"`, `"robotCode":"dingother","msgId"`, 1)
			return []platformtest.Forgery{
				{Name: "another secret", Request: sign("x", []byte(hello), arrived()), Want: bridge.KindUnauthenticated, Doubt: "client_secret"},
				{Name: "no signature", Request: request(hello, strconv.FormatInt(arrived().UnixMilli(), 10), "", arrived()), Want: bridge.KindUnauthenticated},
				{Name: "another robot", Request: genuine(other), Want: bridge.KindForbidden, Doubt: "robot_code"},
				{Name: "another secret, for nobody", Request: sign("x", []byte(`{"msgtype":"text","text":{"content":"x"}}`), arrived()), Want: bridge.KindUnauthenticated},
				{Name: "another secret, and long", Request: sign("x", []byte(hello+strings.Repeat(" ", 64<<10)), arrived()), Want: bridge.KindUnauthenticated},
				{Name: "half a signature", Request: request(hello, strconv.FormatInt(arrived().UnixMilli(), 10), "HCbG3xNE3vzhO+u7qCUL1g==", arrived()), Want: bridge.KindUnauthenticated},
				{Name: "another secret, and old", Request: late("x"), Want: bridge.KindUnauthenticated},
			}
		},
		Handshakes: func(testing.TB) []platformtest.Handshake {
			return []platformtest.Handshake{{Name: "the console's probe", Request: request("", "", "", arrived())}}
		},
	}
}

// TestSignatureVectors takes signatures that others computed.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	unescape := func(s string) string {
		plain, err := url.QueryUnescape(s)
		if err != nil {
			t.Fatal(err)
		}
		return plain
	}
	for _, c := range []struct{ timestamp, secret, sign string }{
		{"1577262236757", "this is a secret", "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="},
		{"1577262236757", "this is secret", "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="},
		{"1700000000000", "SEC1234567890abcdef", "RqBq3E1RTBDv3n2QBCh4adZ2WHk9mVklyUoDBLxarjI="},
		{"1582163555000", "SECb90923e19e58b466481e9e7b7a5b4f108a4531abde590ad3967fb29f0eae5c68", unescape("BQKsG%2BQOCl%2BbYJOLc6pxDHxjVquzlZPWgvRzeN2J5zY%3D")},
		{"1684493546276", "client-secret-for-test", "nwBJQmaBLv9+5/sSS/66jcFc1/kGY5wo38L88LOGfRU="},
	} {
		ms, err := strconv.ParseInt(c.timestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		bot := openWith(t, nil, c.secret, bridge.Env{})
		d, err := bot.Receive(t.Context(), request(hello, c.timestamp, c.sign, time.UnixMilli(ms)))
		if err != nil || len(d.Messages) != 1 {
			t.Errorf("%s: %v, %d messages", c.secret, err, len(d.Messages))
		}
		d, err = bot.Receive(t.Context(), request(hello, c.timestamp, strings.ToLower(c.sign), time.UnixMilli(ms)))
		if bridge.KindOf(err) != bridge.KindUnauthenticated || len(d.Messages) != 0 {
			t.Errorf("%s: a changed signature gives %v", c.secret, err)
		}
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	now := arrived().UnixMilli()
	good := func(ms int64) (string, string) {
		ts := strconv.FormatInt(ms, 10)
		return ts, mac(secret, ts+"\n"+secret)
	}
	hour := time.Hour.Milliseconds()
	for name, c := range map[string]struct {
		timestamp, sign string
		good            bool
	}{
		"an hour old":           {good: true},
		"an hour ahead":         {good: true},
		"more than an hour old": {},
		"more than hour ahead":  {},
		"seconds":               {},
		"no headers":            {},
		"no sign":               {timestamp: strconv.FormatInt(now, 10)},
		"no timestamp":          {sign: mac(secret, "\n"+secret)},
		"key and data swapped":  {strconv.FormatInt(now, 10), mac(strconv.FormatInt(now, 10)+"\n"+secret, secret), false},
		"no line break":         {strconv.FormatInt(now, 10), mac(secret, strconv.FormatInt(now, 10)+secret), false},
		"card signature":        {strconv.FormatInt(now, 10), mac(secret, strconv.FormatInt(now, 10)), false},
		"another secret":        {strconv.FormatInt(now, 10), mac("x", strconv.FormatInt(now, 10)+"\nx"), false},
		"query form":            {strconv.FormatInt(now, 10), url.QueryEscape(mac(secret, strconv.FormatInt(now, 10)+"\n"+secret)), false},
		"sign of another time":  {strconv.FormatInt(now+1, 10), mac(secret, strconv.FormatInt(now, 10)+"\n"+secret), false},
		"plus sign":             {fmt.Sprintf("+%d", now), mac(secret, fmt.Sprintf("+%d\n%s", now, secret)), false},
		"blank":                 {fmt.Sprintf(" %d", now), mac(secret, fmt.Sprintf(" %d\n%s", now, secret)), false},
		"negative":              {"-1", mac(secret, "-1\n"+secret), false},
		"not a number":          {"now", mac(secret, "now\n"+secret), false},
		"fraction":              {fmt.Sprintf("%d.0", now), mac(secret, fmt.Sprintf("%d.0\n%s", now, secret)), false},
		"too big":               {"99999999999999999999", mac(secret, "99999999999999999999\n"+secret), false},
		"biggest":               {"9223372036854775807", mac(secret, "9223372036854775807\n"+secret), false},
	} {
		switch name {
		case "an hour old":
			c.timestamp, c.sign = good(now - hour)
		case "an hour ahead":
			c.timestamp, c.sign = good(now + hour)
		case "more than an hour old":
			c.timestamp, c.sign = good(now - hour - 1)
		case "more than hour ahead":
			c.timestamp, c.sign = good(now + hour + 1)
		case "seconds":
			c.timestamp, c.sign = good(now / 1000)
		}
		d, err := bot.Receive(t.Context(), request(hello, c.timestamp, c.sign, arrived()))
		if c.good {
			if err != nil || len(d.Messages) != 1 {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		if bridge.KindOf(err) != bridge.KindUnauthenticated || len(d.Messages) != 0 {
			t.Errorf("%s: got %v, want %s", name, err, bridge.KindUnauthenticated)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells the secret", name)
		}
	}
}

// TestClock: a message that is signed rightly and seems to be old says that the
// clock is wrong.
func TestClock(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for _, off := range []time.Duration{-time.Hour - time.Second, time.Hour + time.Second} {
		req := genuine(hello)
		req.At = req.At.Add(off)
		_, err := bot.Receive(t.Context(), req)
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != bridge.KindUnauthenticated || !e.Likely || e.Args["field"] != "" {
			t.Errorf("off by %s: %+v", off, err)
		}
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			if words := i18n.Explain(lang, err); words.What == i18n.Explain(lang, &bridge.Error{Kind: e.Kind}).What || words.Next == "" {
				t.Errorf("%s: %s", lang, words)
			}
		}
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for _, body := range []string{"", " \r\n"} {
		d, err := bot.Receive(t.Context(), request(body, "", "", arrived()))
		if err != nil || len(d.Messages)+len(d.Actions) != 0 || d.Response.Status > 200 || d.Note != "" || d.Suspect || !d.Unproven {
			t.Errorf("the console's probe %q is answered with %+v, %v", body, d, err)
		}
	}
	for _, body := range []string{"{}", hello} {
		if _, err := bot.Receive(t.Context(), request(body, "", "", arrived())); bridge.KindOf(err) != bridge.KindUnauthenticated {
			t.Errorf("an unsigned %s: got %v", body, err)
		}
	}
	get := request("", "", "", arrived())
	get.Method = http.MethodGet
	if _, err := bot.Receive(t.Context(), get); bridge.KindOf(err) != bridge.KindUnauthenticated {
		t.Errorf("an unsigned GET: got %v", err)
	}
	get = genuine(hello)
	get.Method = http.MethodGet
	if _, err := bot.Receive(t.Context(), get); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("a signed GET: got %v", err)
	}
}

func TestAddressee(t *testing.T) {
	t.Parallel()
	with := func(extra string) string { return strings.TrimSuffix(hello, "}") + "," + extra + "}" }
	for _, c := range []struct {
		settings map[string]string
		extra    string
		want     bridge.Kind
	}{
		{nil, `"robotCode":"` + clientID + `"`, ""},
		{nil, `"robotCode":"dingother"`, bridge.KindForbidden},
		{nil, `"robotCode":""`, ""},
		{nil, `"chatbotCorpId":"dingany"`, ""},
		{map[string]string{"robot_code": "dingrobot"}, `"robotCode":"dingrobot"`, ""},
		{map[string]string{"robot_code": "dingrobot"}, `"robotCode":"dingother"`, bridge.KindForbidden},
		{map[string]string{"corp_id": "dingcorp"}, `"chatbotCorpId":"dingcorp"`, ""},
		{map[string]string{"corp_id": "dingcorp"}, `"chatbotCorpId":"dingother"`, bridge.KindForbidden},
	} {
		d, err := openBot(t, c.settings).Receive(t.Context(), genuine(with(c.extra)))
		if bridge.KindOf(err) != c.want || (len(d.Messages) == 1) != (c.want == "") {
			t.Errorf("%v %s: got %v, want %q", c.settings, c.extra, err, c.want)
		}
	}
}

// TestUnreadable: what is genuine but of no use to us is answered with success,
// or it would be delivered again; what we ought to understand is suspect.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	with := func(from, to string) string { return strings.Replace(hello, from, to, 1) }
	for name, c := range map[string]struct {
		body    string
		suspect bool
		note    string
	}{
		"not JSON":          {`{"msgtype":`, true, "not JSON"},
		"the page's sample": {`{"msgtype":"text" "content":"x"}`, true, "not JSON"},
		"a list":            {`[]`, true, "without an id"},
		"null":              {`null`, true, "without an id"},
		"no id":             {with(`"msgId":"m1",`, ""), true, "without an id"},
		"no sender":         {with(`"senderStaffId":"u1",`, ""), true, "without a sender"},
		"no type":           {with(`"msgtype":"text",`, ""), true, "without a type"},
		"empty text":        {with(`"hi"`, `" \n"`), false, "empty"},
		"no text":           {with(`,"text":{"content":"hi"}`, ""), false, "empty"},
		"unknown type":      {with(`"text"`, `"chatRecord"`), false, "chatRecord"},
		"nasty type":        {with(`"text"`, `"a\nb<c>"`), false, "abc"},
		"declared unknown":  {with(`"text","msgId":"m1"`, `"unknownMsgType","msgId":"m1","content":{"unknownMsgType":"locate"}`), false, "locate"},
		"picture lost":      {with(`"text"`, `"picture"`), true, "download code"},
		"not mentioned":     {with(`"conversationType":"1"`, `"conversationType":"2","isInAtList":false`), false, "mention"},
		"quota text":        {with(`,"text":{"content":"hi"}`, `,"errorCode":"20001","errorMessage":"x"`), true, "quota"},
		"quota number":      {with(`,"text":{"content":"hi"}`, `,"errorCode":20001`), true, "quota"},
		"quota short":       {with(`,"text":{"content":"hi"}`, `,"errCode":20001,"errMsg":"x"`), true, "quota"},
		"quota alone":       {`{"errCode":"20001"}`, true, "quota"},
		"another code":      {`{"errorCode":7}`, true, "code 7"},
	} {
		d, err := bot.Receive(t.Context(), genuine(c.body))
		if err != nil || len(d.Messages) != 0 || d.Suspect != c.suspect || !strings.Contains(d.Note, c.note) || d.Note == "" {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
		if d.Response.Status > 200 || string(d.Response.Body) != `{"msgtype":"empty"}` {
			t.Errorf("%s: answered with %d %s", name, d.Response.Status, d.Response.Body)
		}
		if strings.ContainsAny(d.Note, "\n<>") {
			t.Errorf("%s: the note %q holds foreign marks", name, d.Note)
		}
	}
	for _, body := range []string{with(`,"text"`, `,"errorCode":0,"text"`), with(`,"text"`, `,"errorCode":"","text"`)} {
		if d, err := bot.Receive(t.Context(), genuine(body)); err != nil || len(d.Messages) != 1 {
			t.Errorf("%s: got %+v, %v", body, d, err)
		}
	}
}

// FuzzReceive throws genuine requests with any body at the bot.
func FuzzReceive(f *testing.F) {
	for _, name := range goldenBodies(f) {
		f.Add(readFile(f, name), true)
	}
	f.Add([]byte(`{"msgtype":"text","msgId":1,"text":"x","content":[{}],"atUsers":{},"quoteMessage":[]}`), true)
	f.Add([]byte("{\"msgtype\":\"text\",\"msgId\":\"\xff\",\"senderId\":\"\\u0000\",\"text\":{\"content\":\"\\ud800\xc3(\"}}"), true)
	f.Add([]byte(strings.Replace(hello, `"msgId"`, `"sessionWebhook":"https://oApi.dingtAlk.Com/robot/sendBySession#0","msgId"`, 1)), true)
	f.Add([]byte(hello), false)
	bot := openBot(f, nil)
	f.Fuzz(func(t *testing.T, body []byte, isSigned bool) {
		req := genuine(string(body))
		if !isSigned {
			req.Header.Del("sign")
		}
		d, err := bot.Receive(t.Context(), req)
		if err != nil {
			checkRefusal(t, err, d, isSigned)
			return
		}
		if !isSigned && len(strings.TrimSpace(string(body))) > 0 {
			t.Fatal("an unsigned request was taken")
		}
		if d.Suspect && d.Note == "" || d.Note != "" && len(d.Messages) > 0 || len(d.Messages) > 1 {
			t.Fatalf("an odd delivery: %+v", d)
		}
		for _, m := range d.Messages {
			checkMessage(t, m)
		}
	})
}

func checkRefusal(t *testing.T, err error, d bridge.Delivery, isSigned bool) {
	t.Helper()
	var e *bridge.Error
	if !errors.As(err, &e) || len(d.Messages) > 0 {
		t.Fatalf("%v with %+v", err, d)
	}
	if want := bridge.KindUnauthenticated; !isSigned && e.Kind != want || isSigned && e.Kind != bridge.KindForbidden {
		t.Fatalf("got %v", err)
	}
}

func checkMessage(t *testing.T, m bridge.Message) {
	t.Helper()
	official := regexp.MustCompile(`"sessionWebhook":"(?i:https://oapi\.dingtalk\.com(:443)?)/robot/sendBySession["?#]`)
	if m.ID == "" || m.Sender.ID == "" || m.Chat.ID == "" || m.Chat.Kind == "" || m.SentAt.IsZero() || len(m.Address.Data) == 0 {
		t.Fatalf("something is missing: %+v", m)
	}
	if m.Text == "" && len(m.Files) == 0 && m.Quote == "" {
		t.Fatalf("nothing to answer: %+v", m)
	}
	shown := string(m.ID) + m.Text + m.Quote + m.Sender.Name + m.Chat.Title + m.Chat.ID + string(m.Sender.ID)
	for _, file := range m.Files {
		shown += file.ID + file.Name + file.Text
		if file.ID == "" || file.Duration < 0 {
			t.Fatalf("a file that nobody can fetch: %+v", file)
		}
	}
	if !utf8.ValidString(shown) || strings.ContainsRune(shown, 0) {
		t.Fatalf("not fit to be stored: %q", shown)
	}
	if strings.Contains(string(m.Address.Data), "sessionWebhook") && !official.Match(m.Address.Data) {
		t.Fatalf("a foreign webhook: %s", m.Address.Data)
	}
}

// TestClicks reads clicks on cards.
func TestClicks(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), "https://one.example.com/hook/dt"
	bot := clickBot(t, f, &address)
	_, err := bot.Send(t.Context(), f.to(bridge.Direct, nil), choice("good"))
	must(t, err)
	at, value := arrived(), "sb:do=a%3Db&job=7"
	body := func(change map[string]any) map[string]any {
		all := map[string]any{
			"type": "actionCallback", "outTrackId": "card-1", "corpId": "corp-1", "userId": "u2", "content": content(t, map[string]any{"value": value}),
		}
		maps.Copy(all, change)
		return all
	}
	group := map[string]any{"spaceId": "cid1=", "spaceType": "im_group"}
	for name, c := range map[string]struct {
		change map[string]any
		chat   bridge.Chat
		value  map[string]string
	}{
		"as documented":     {nil, bridge.Chat{ID: "u2", Kind: bridge.Direct}, map[string]string{"do": "a=b", "job": "7"}},
		"in a group":        {group, bridge.Chat{ID: "cid1=", Kind: bridge.Group}, map[string]string{"do": "a=b", "job": "7"}},
		"an object":         {map[string]any{"content": json.RawMessage(content(t, map[string]any{"value": "x"}))}, bridge.Chat{ID: "u2", Kind: bridge.Direct}, map[string]string{"value": "x"}},
		"under value":       {map[string]any{"content": "", "value": `{"cardPrivateData":{"actionIds":["1"]},"params":{"value":"sb:do=x"}}`}, bridge.Chat{ID: "u2", Kind: bridge.Direct}, map[string]string{"do": "x"}},
		"no parameter":      {map[string]any{"content": content(t, map[string]any{"like": true})}, bridge.Chat{ID: "u2", Kind: bridge.Direct}, map[string]string{"value": "1"}},
		"nothing in it":     {map[string]any{"content": content(t, map[string]any{"value": "sb:"})}, bridge.Chat{ID: "u2", Kind: bridge.Direct}, map[string]string{}},
		"not the way of it": {map[string]any{"content": content(t, map[string]any{"value": "sb:a&=&%3"})}, bridge.Chat{ID: "u2", Kind: bridge.Direct}, map[string]string{"": ""}},
	} {
		d, err := bot.Receive(t.Context(), f.clickOn(t, body(c.change), at))
		if err != nil || len(d.Actions) != 1 || d.Note != "" {
			t.Errorf("%s: %v, %+v", name, err, d)
			continue
		}
		a := d.Actions[0]
		if diff := cmp.Diff(c.value, a.Value); diff != "" || a.Chat != c.chat || a.Sender.ID != "u2" || a.Sender.Tenant != "corp-1" || !a.At.Equal(at) || a.Address.Chat != c.chat.ID {
			t.Errorf("%s: %s, %+v", name, diff, a)
		}
	}
	for name, change := range map[string]map[string]any{
		"no card": {"outTrackId": ""}, "nobody": {"userId": nil}, "another kind of id": {"userIdType": 2}, "a group without a name": {"spaceType": "IM_GROUP"},
		"no content": {"content": nil}, "no button": {"content": `{"cardPrivateData":{"actionIds":[]}}`}, "not JSON": {"content": "{"},
	} {
		d, err := bot.Receive(t.Context(), f.clickOn(t, body(change), at))
		if err != nil || !d.Suspect || d.Note == "" || len(d.Actions) != 0 || len(d.Response.Body) == 0 {
			t.Errorf("%s: %v, %+v", name, err, d)
		}
	}
	ids := map[string]bool{}
	for _, req := range []bridge.Request{
		f.clickOn(t, body(nil), at), f.clickOn(t, body(nil), at), f.clickOn(t, body(nil), at.Add(time.Millisecond)), f.clickOn(t, body(map[string]any{"userId": "u3"}), at),
		f.clickOn(t, body(map[string]any{"outTrackId": "card-2"}), at), f.clickOn(t, body(map[string]any{"content": content(t, map[string]any{"value": "x"})}), at),
	} {
		d, err := bot.Receive(t.Context(), req)
		must(t, err)
		ids[d.Actions[0].ID] = true
	}
	if len(ids) != 5 {
		t.Errorf("ids %v", ids)
	}
}

// TestForgedClicks: a click is taken from who knows the secret of the cards, and
// lately.
func TestForgedClicks(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	settings := clicks()
	settings["corp_id"] = "corp-1"
	bot := f.bot(t, settings, bridge.Env{Callback: func() string { return "https://one.example.com/hook/dt" }})
	_, err := bot.Send(t.Context(), f.to(bridge.Direct, nil), choice("good"))
	must(t, err)
	body := map[string]any{"outTrackId": "card-1", "corpId": "corp-1", "userId": "u2", "content": content(t, map[string]any{"value": "x"})}
	good := func() bridge.Request { return f.clickOn(t, body, arrived()) }
	if d, err := bot.Receive(t.Context(), good()); err != nil || len(d.Actions) != 1 || !d.Unproven {
		t.Fatalf("%v, %+v", err, d)
	}
	theirs := maps.Clone(body)
	theirs["corpId"] = "corp-2"
	other := newFake(t)
	beside := config(settings, secret)
	beside.ID, beside.Settings["base_url"], beside.Settings["oapi_url"] = "dt2", other.URL, other.URL
	neighbour, err := dingtalk.Connector().Open(beside, bridge.Env{Callback: func() string { return "https://one.example.com/hook/dt2" }})
	must(t, err)
	_, err = neighbour.Send(t.Context(), f.to(bridge.Direct, nil), choice("good"))
	must(t, err)
	must(t, neighbour.Close())
	for name, c := range map[string]struct {
		req  bridge.Request
		want bridge.Kind
	}{
		"another secret":   {clickRequest(string(good().Body), "x", "1695199270000", arrived()), bridge.KindUnauthenticated},
		"the app's secret": {clickRequest(string(good().Body), secret, "1695199270000", arrived()), bridge.KindUnauthenticated},
		"another bot's":    {other.clickOn(t, body, arrived()), bridge.KindUnauthenticated},
		"no secret":        {clickRequest(string(good().Body), "", "1695199270000", arrived()), bridge.KindUnauthenticated},
		"old":              {f.clickOn(t, body, arrived().Add(-time.Hour-time.Second)), bridge.KindUnauthenticated},
		"another company":  {f.clickOn(t, theirs, arrived()), bridge.KindForbidden},
	} {
		c.req.At = arrived()
		if d, err := bot.Receive(t.Context(), c.req); bridge.KindOf(err) != c.want || len(d.Actions) != 0 {
			t.Errorf("%s: %v, %+v", name, err, d)
		}
	}
	got := good()
	got.Method = http.MethodGet
	if _, err := bot.Receive(t.Context(), got); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("a GET request: %v", err)
	}
	signedAsRobot := genuine(string(good().Body))
	signedAsRobot.Header.Set("X-Ddpaas-Signature", signedAsRobot.Header.Get("sign"))
	signedAsRobot.Header.Set("X-Ddpaas-Signature-Timestamp", signedAsRobot.Header.Get("timestamp"))
	if _, err := bot.Receive(t.Context(), signedAsRobot); bridge.KindOf(err) != bridge.KindUnauthenticated {
		t.Errorf("signed like a message: %v", err)
	}
}

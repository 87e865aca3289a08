package dingtalk_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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

// TestInbound reads recorded bodies of every type.
func TestInbound(t *testing.T) {
	t.Parallel()
	bot := openBot(t, map[string]string{"robot_code": "dingrobot"})
	for _, name := range goldenBodies(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			t.Parallel()
			d, err := bot.Receive(t.Context(), genuine(string(readFile(t, name))))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(name, ".json")+".golden", struct {
				Messages []bridge.Message
				Note     string `json:",omitempty"`
				Suspect  bool   `json:",omitempty"`
			}{d.Messages, d.Note, d.Suspect})
		})
	}
}

func receiveOne(t *testing.T, bot bridge.Bot, body string) bridge.Message {
	t.Helper()
	d, err := bot.Receive(t.Context(), genuine(body))
	if err != nil || len(d.Messages) != 1 {
		t.Fatalf("%s: got %+v, %v", body, d, err)
	}
	return d.Messages[0]
}

// TestTextPlaces: the pages and the traffic put the text in different places.
func TestTextPlaces(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for content, want := range map[string]string{
		`"text":{"content":" hi "}`:                         "hi",
		`"text":{"content":"hi"},"content":{"content":"x"}`: "hi",
		`"content":{"content":"hi"}`:                        "hi",
		`"content":"hi"`:                                    "hi",
		`"text":"hi"`:                                       "hi",
		`"text":{"content":42}`:                             "42",
		`"text":{"content":"` + "a\xff" + `b"}`:             "a\uFFFDb",
		`"text":{"content":"a\u0000\r\nb\tc"}`:              "a\nb\tc",
		`"text":{"content":"\u3000你好\u2005"}`:               "你好",
	} {
		body := strings.Replace(hello, `"text":{"content":"hi"}`, content, 1)
		if got := receiveOne(t, bot, body).Text; got != want {
			t.Errorf("%s: got %q, want %q", content, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	want := time.UnixMilli(1695199269062)
	for field, at := range map[string]time.Time{
		`"createAt":1695199269062`:      want,
		`"createAt":"1695199269062"`:    want,
		`"createAt":1.695199269062E12`:  want,
		`"createAt":1695199269`:         arrived(), // seconds
		`"createAt":"yesterday"`:        arrived(),
		`"createAt":null`:               arrived(),
		`"createAt":1e300`:              arrived(),
		`"createAt":{"ms":1}`:           arrived(),
		`"createAt":-1`:                 arrived(),
		`"createAt":99999999999999999`:  arrived(),
		`"createdAt":"1695199269062"`:   arrived(), // another name
		`"createAt":"  1695199269062 "`: want,
	} {
		if got := receiveOne(t, bot, strings.Replace(hello, `"msgId"`, field+`,"msgId"`, 1)).SentAt; !got.Equal(at) {
			t.Errorf("%s: got %v, want %v", field, got, at)
		}
	}
}

// TestMentioned: only a clear "no" keeps a group message from the bot.
func TestMentioned(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	group := strings.Replace(hello, `"conversationType":"1"`, `"conversationType":"2"`, 1)
	for field, want := range map[string]int{
		``:                    1,
		`"isInAtList":true,`:  1,
		`"isInAtList":false,`: 0,
		`"isInAtList":false,"chatbotUserId":"r","atUsers":[{"dingtalkId":"x"},{"dingtalkId":"r"}],`: 1,
		`"isInAtList":false,"chatbotUserId":"r","atUsers":[{"dingtalkId":"x"}],`:                    0,
		`"isInAtList":false,"atUsers":[{}],`:                                                        0,
	} {
		d, err := bot.Receive(t.Context(), genuine(strings.Replace(group, `"msgId"`, field+`"msgId"`, 1)))
		if err != nil || len(d.Messages) != want {
			t.Errorf("%s: got %d messages, %v", field, len(d.Messages), err)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	for field, want := range map[string]string{
		`"text":{"content":"hi","isReplyMsg":true,"repliedMsg":{"msgType":"text","content":{"text":"before"}}}`:                                                      "before",
		`"text":{"content":"hi","repliedMsg":{"content":"before"}}`:                                                                                                  "before",
		`"text":{"content":"hi","repliedMsg":{"msgType":"richText","content":{"richText":[{"msgType":"text","content":"be"},{"msgType":"emoji"},{"text":"fore"}]}}}`: "before",
		`"text":{"content":"hi"},"quoteMessage":{"msgtype":"text","text":{"content":"before"}}`:                                                                      "before",
		`"text":{"content":"hi","repliedMsg":{"msgType":"picture","content":{"downloadCode":"x"}}}`:                                                                  "",
		`"text":{"content":"hi","repliedMsg":7}`:                                                                                                                     "",
		`"text":{"content":"","repliedMsg":{"content":{"text":"before"}}}`:                                                                                           "before",
	} {
		if got := receiveOne(t, bot, strings.Replace(hello, `"text":{"content":"hi"}`, field, 1)).Quote; got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
}

// TestForeignWebhook: the body is not signed, so the address in it could be
// anybody's. A message with a wrong one is still answered, by the robot API.
func TestForeignWebhook(t *testing.T) {
	t.Parallel()
	official, local := openBot(t, nil), openBot(t, map[string]string{"oapi_url": "http://127.0.0.1:8080"})
	private, closed := openBot(t, map[string]string{"oapi_url": "https://ding.example.com:8443"}), openBot(t, map[string]string{"oapi_url": "https://127.0.0.1:8443"})
	for _, c := range []struct {
		bot     bridge.Bot
		webhook string
		want    bool
	}{
		{official, "https://oapi.dingtalk.com/robot/sendBySession?session=abc", true},
		{official, "https://OAPI.dingtalk.com/robot/sendBySession?session=abc", true},
		{official, "https://oapi.dingtalk.com:443/robot/sendBySession?session=abc", true},
		{local, "https://oapi.dingtalk.com/robot/sendBySession?session=abc", true},
		{local, "http://127.0.0.1:8080/robot/sendBySession?session=abc", true},
		{private, "https://ding.example.com:8443/robot/sendBySession?session=abc", true},
		{official, "http://oapi.dingtalk.com/robot/sendBySession?session=abc", false},
		{official, "http://127.0.0.1:8080/robot/sendBySession?session=abc", false},
		{official, "http://169.254.169.254/robot/sendBySession", false},
		{official, "https://evil.example.com/robot/sendBySession?session=abc", false},
		{official, "https://oapi.dingtalk.com.evil.example.com/robot/sendBySession", false},
		{official, "https://oapi.dingtalk.com@evil.example.com/robot/sendBySession", false},
		{official, "https://evil.example.com#@oapi.dingtalk.com/robot/sendBySession", false},
		{official, "https://user@oapi.dingtalk.com/robot/sendBySession?session=abc", false},
		{official, "https://oapi.dingtalk.com:8443/robot/sendBySession?session=abc", false},
		{official, "https://oapi.dingtalk.com./robot/sendBySession?session=abc", false},
		{official, "https://oapi.dingtalk.com/robot/send?access_token=abc", false},
		{official, "https://oapi.dingtalk.com/robot/../robot/sendBySession", false},
		{official, "https://oapi.dingtalk.com/robot/sendBySession/", false},
		{official, "https://oapi.dingtalk.com/robot%2FsendBySession", false},
		{official, "//oapi.dingtalk.com/robot/sendBySession", false},
		{official, "ftp://oapi.dingtalk.com/robot/sendBySession", false},
		{official, "file:///robot/sendBySession", false},
		{official, `https://oapi.dingtalk.com\\@evil.example.com/robot/sendBySession`, false},
		{official, "https:oapi.dingtalk.com/robot/sendBySession", false},
		{official, "", false},
		{local, "http://127.0.0.1:8081/robot/sendBySession?session=abc", false},
		{local, "http://127.0.0.1/robot/sendBySession?session=abc", false},
		{local, "http://localhost:8080/robot/sendBySession?session=abc", false},
		{private, "http://ding.example.com:8443/robot/sendBySession?session=abc", false},
		{closed, "http://127.0.0.1:8443/robot/sendBySession?session=abc", false},
		{closed, "https://127.0.0.1:8443/robot/sendBySession?session=abc", true},
		{private, "https://ding.example.com/robot/sendBySession?session=abc", false},
	} {
		m := receiveOne(t, c.bot, strings.Replace(hello, `"msgId"`, `"sessionWebhookExpiredTime":1695204671648,"sessionWebhook":"`+c.webhook+`","msgId"`, 1))
		if got := strings.Contains(string(m.Address.Data), "sessionWebhook"); got != c.want {
			t.Errorf("%q: kept is %v, want %v", c.webhook, got, c.want)
		}
		if !m.Address.Expires.IsZero() != c.want {
			t.Errorf("%q: expires %v", c.webhook, m.Address.Expires)
		}
	}
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	opener, ok := f.bot(t, nil, bridge.Env{}).(bridge.FileOpener)
	if !ok {
		t.Fatal("not a FileOpener")
	}
	body, err := opener.OpenFile(t.Context(), bridge.File{ID: "code1"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil || string(data) != "content" || body.Close() != nil {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := opener.OpenFile(t.Context(), bridge.File{ID: "old"}); bridge.KindOf(err) != bridge.KindExpired {
		t.Errorf("got %v", err)
	}
	for link, want := range map[string]bridge.Kind{
		f.URL + "/file/403": bridge.KindExpired, f.URL + "/file/404": bridge.KindExpired, f.URL + "/file/503": bridge.KindUnavailable,
		f.URL + "/file/302":  bridge.KindInvalid,
		"file:///etc/passwd": bridge.KindInvalid, "": bridge.KindUnavailable,
		"http://10.0.0.1/x?sig=s3cret": bridge.KindForbidden, "http://169.254.169.254/latest/": bridge.KindForbidden,
		"http://[fd00::1]/": bridge.KindForbidden, "http://[::ffff:192.168.0.1]/": bridge.KindForbidden, "http://0.0.0.0/": bridge.KindForbidden,
	} {
		f.script(pathFile, answer{200, `{"downloadUrl":"` + link + `"}`})
		_, err := opener.OpenFile(t.Context(), bridge.File{ID: "code1"})
		if bridge.KindOf(err) != want || strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("%q: got %v, want %s", link, err, want)
		}
	}
}

// updateCard plays the update of a card's variables.
func (f *fake) updateCard(body []byte) answer {
	var in struct {
		OutTrackID        string
		CardData          struct{ CardParamMap map[string]string }
		CardUpdateOptions struct{ UpdateCardDataByKey, UpdatePrivateDataByKey bool }
	}
	if !strict(body, &in) {
		return bad("param.body")
	}
	card := f.cards[in.OutTrackID]
	if card == nil {
		return bad("param.stream.outTrackId")
	}
	if !in.CardUpdateOptions.UpdateCardDataByKey { // what is not named is gone
		card.text, card.buttons = "", ""
	}
	for key, value := range in.CardData.CardParamMap {
		switch key {
		case "content":
			card.text = value
		case "buttons":
			card.buttons = value
		}
	}
	return answer{http.StatusOK, `{"success":true,"result":true}`}
}

// route plays the registration of a callback.
func (f *fake) route(body []byte) answer {
	var in struct {
		CallbackRouteKey, CallbackURL, APISecret string
		ForceUpdate                              bool
	}
	switch {
	case !strict(body, &in) || in.CallbackRouteKey == "" || in.APISecret == "" || !strings.HasPrefix(in.CallbackURL, "https://"):
		return bad("param.body")
	case f.routes[in.CallbackRouteKey] != "" && !in.ForceUpdate:
		return answer{http.StatusInternalServerError, `{"code":"param.callbackRouteKeyExist"}`}
	}
	f.routes[in.CallbackRouteKey] = in.APISecret
	return answer{http.StatusOK, `{"success":true,"result":{"callbackUrl":"` + in.CallbackURL + `","apiSecret":"` + in.APISecret + `"}}`}
}

// button finds a button that somebody sees: its value and its card.
func (f *fake) button(words string) (value string, card *fakeCard) {
	for _, c := range slices.Backward(f.shown) {
		var all []struct{ Text, Value string }
		_ = json.Unmarshal([]byte(c.buttons), &all)
		for _, b := range all {
			if b.Text == words && c.clicks {
				return b.Value, c
			}
		}
	}
	return "", nil
}

// Click implements platformtest.Clicker.
func (s stage) Click(tb testing.TB, words string, at time.Time) (bridge.Request, bool) {
	tb.Helper()
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	value, card := s.fake.button(words)
	if card == nil {
		return bridge.Request{}, false
	}
	kind, space, _ := strings.Cut(strings.TrimPrefix(card.space, "dtv1.card//"), ".")
	return s.fake.clickOn(tb, map[string]any{
		"type": "actionCallback", "outTrackId": card.track, "corpId": "corp-1", "userId": "u1", "userIdType": 1, "spaceId": space, "spaceType": kind,
		"extension": "{}", "content": content(tb, map[string]any{"value": value}),
	}, at), true
}

// content is what was clicked, as JSON inside JSON.
func content(tb testing.TB, params map[string]any) string {
	tb.Helper()
	data, err := json.Marshal(map[string]any{"cardPrivateData": map[string]any{"actionIds": []string{"1"}, "params": params}})
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// clickOn signs a click with the secret that was registered.
func (f *fake) clickOn(tb testing.TB, body any, at time.Time) bridge.Request {
	tb.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	secret := ""
	for _, known := range f.routes {
		secret = known
	}
	return clickRequest(string(data), secret, strconv.FormatInt(at.UnixMilli(), 10), at)
}

func clickRequest(body, secret, stamp string, at time.Time) bridge.Request {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp))
	return bridge.Request{
		Method: http.MethodPost, At: at, Body: []byte(body), Query: url.Values{},
		Header: http.Header{
			"X-Ddpaas-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}, "X-Ddpaas-Signature-Timestamp": {stamp},
			"Content-Type": {"application/json"},
		},
	}
}

// Clicked implements platformtest.Clicker.
func (stage) Clicked(tb testing.TB, r bridge.Response) bool {
	tb.Helper()
	var in struct {
		CardData, UserPrivateData struct{ CardParamMap map[string]string }
		CardUpdateOptions         struct{ UpdateCardDataByKey, UpdatePrivateDataByKey bool }
	}
	return strict(r.Body, &in) && r.Status == 0 && r.Type == "application/json" && in.CardUpdateOptions.UpdateCardDataByKey
}

// FuzzClick throws clicks with any body at the bot.
func FuzzClick(f *testing.F) {
	for _, body := range []string{
		`{"outTrackId":"c","corpId":"x","userId":"u","spaceType":"IM_GROUP","spaceId":"cid1=","content":"{\"cardPrivateData\":{\"actionIds\":[\"1\"],\"params\":{\"value\":\"sb:do=good&job=7\"}}}"}`,
		`{"outTrackId":7,"userId":true,"userIdType":1,"value":"{\"params\":{\"value\":\"x\"}}"}`, `{"outTrackId":"c","userId":"u","actionData":{"cardPrivateData":{"actionIds":[1]}}}`,
		`{"outTrackId":"c","userId":"u","content":"{\"params\":{\"value\":\"sb:%3D=%&%26\"}}"}`, "[", "", "{}",
	} {
		f.Add(body)
	}
	fake := newFake(f)
	bot := fake.bot(f, clicks(), bridge.Env{Callback: func() string { return "https://one.example.com/hook/dt" }})
	if _, err := bot.Send(f.Context(), fake.to(bridge.Direct, nil), choice("good")); err != nil {
		f.Fatal(err)
	}
	good := fake.clickOn(f, nil, arrived())
	f.Fuzz(func(t *testing.T, body string) {
		req := good
		req.Body = []byte(body)
		d, err := bot.Receive(t.Context(), req)
		if err != nil || len(d.Messages) != 0 || len(d.Actions) > 1 {
			t.Fatalf("%v, %+v", err, d)
		}
		if strings.TrimSpace(body) != "" && (len(d.Actions) == 0) != (d.Note != "") {
			t.Errorf("an odd delivery: %+v", d)
		}
		for _, a := range d.Actions {
			whole := fmt.Sprintf("%+v", a)
			if a.ID == "" || a.Sender.ID == "" || a.Chat.ID == "" || a.Value == nil || !utf8.ValidString(whole) || strings.ContainsRune(whole, 0) {
				t.Errorf("incomplete, or unfit for a database: %q", whole)
			}
		}
	})
}

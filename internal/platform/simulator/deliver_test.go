package simulator_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// everyday is short enough for tests that fail on purpose.
var everyday = simulator.Options{RetryPause: time.Millisecond}

// text finds what a person wrote in a delivery, and checks that it is signed.
func (b *bench) text(c callback) string {
	b.t.Helper()
	switch c.bot {
	case "demo-feishu":
		event, _ := b.feishuEvent(c)["event"].(map[string]any)
		message, _ := event["message"].(map[string]any)
		var content struct{ Text string }
		if err := json.Unmarshal([]byte(fmt.Sprint(message["content"])), &content); err != nil {
			b.t.Error(err)
		}
		return content.Text
	case "demo-wecom":
		return b.wecomMessage(c).Content
	default:
		var m struct{ Text struct{ Content string } }
		if err := json.Unmarshal(c.body, &m); err != nil {
			b.t.Error(err)
		}
		secret := b.bots["dingtalk"].Secrets["client_secret"].Reveal()
		if c.header.Get("Sign") != simulator.DingSign(c.header.Get("Timestamp"), secret) {
			b.t.Errorf("%s is not signed", c.body)
		}
		return m.Text.Content
	}
}

// feishuEvent checks the signature of an event and decrypts it.
func (b *bench) feishuEvent(c callback) map[string]any {
	b.t.Helper()
	key := b.bots[feishu].Secrets["encrypt_key"].Reveal()
	plain := c.body
	if key != "" {
		want := simulator.FeishuSign(c.header.Get("X-Lark-Request-Timestamp"), c.header.Get("X-Lark-Request-Nonce"), key, c.body)
		if got := c.header.Get("X-Lark-Signature"); got != want {
			b.t.Errorf("signed %q, want %q", got, want)
		}
		var sealed struct{ Encrypt string }
		if err := json.Unmarshal(c.body, &sealed); err != nil {
			b.t.Fatal(err)
		}
		plain = []byte(feishuOpen(b.t, sealed.Encrypt, key))
	}
	var e map[string]any
	if err := json.Unmarshal(plain, &e); err != nil {
		b.t.Fatal(err)
	}
	return e
}

// wecomInner is the decrypted message of WeCom.
type wecomInner struct{ ToUserName, FromUserName, MsgType, Content, MsgId, AgentID string } //nolint:revive // the platform's name

func (b *bench) wecomMessage(c callback) (inner wecomInner) {
	b.t.Helper()
	var outer struct{ ToUserName, Encrypt string }
	if err := xml.Unmarshal(c.body, &outer); err != nil {
		b.t.Fatal(err)
	}
	token := b.bots["wecom"].Secrets["token"].Reveal()
	if want := simulator.WecomSign(token, c.query["timestamp"][0], c.query["nonce"][0], outer.Encrypt); c.query["msg_signature"][0] != want {
		b.t.Errorf("signed %q, want %q", c.query["msg_signature"], want)
	}
	if err := xml.Unmarshal([]byte(b.wecomOpen(outer.Encrypt)), &inner); err != nil {
		b.t.Fatal(err)
	}
	return inner
}

// TestSigned looks at one message of each platform as a receiver does.
func TestSigned(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for _, p := range []bridge.Platform{feishu, "wecom", "dingtalk"} {
		id, err := b.Say(t.Context(), "zhang", p, "你好 ]]> <b>")
		if err != nil {
			t.Fatal(err)
		}
		got := b.delivered()
		last := got[len(got)-1]
		if text := b.text(last); text != "你好 ]]> <b>" || last.method != http.MethodPost {
			t.Errorf("%s delivers %q", p, text)
		}
		if last.bot == "demo-feishu" && strings.Contains(string(last.body), "zhang") {
			t.Errorf("not encrypted: %s", last.body)
		}
		if trace, ok := b.Trace(id); !ok || trace.Tries != 1 || trace.Accepted != 1 || trace.Employee != "zhang" || trace.Platform != p {
			t.Errorf("%s: trace %+v", p, trace)
		}
	}
	if n := b.Accepted(); n != 3 {
		t.Errorf("%d accepted", n)
	}
	plain := setup(t, simulator.Options{PlainFeishu: true})
	if _, err := plain.Say(t.Context(), "zhang", feishu, "open"); err != nil || len(plain.bots[feishu].Secrets["encrypt_key"].Reveal()) != 0 {
		t.Fatal(err)
	}
	if got := plain.delivered()[0]; plain.text(got) != "open" || got.header.Get("X-Lark-Signature") != "" {
		t.Errorf("an event without a key: %s", got.body)
	}
}

// TestVerify plays the check of an address, and callbacks that do it wrong.
func TestVerify(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	challenge := func(body []byte) string {
		var sealed struct{ Encrypt string }
		var asked struct{ Challenge, Token, Type string }
		_ = json.Unmarshal(body, &sealed)
		_ = json.Unmarshal([]byte(feishuOpen(t, sealed.Encrypt, b.bots[feishu].Secrets["encrypt_key"].Reveal())), &asked)
		if asked.Type != "url_verification" || asked.Token != b.bots[feishu].Secrets["verification_token"].Reveal() {
			t.Errorf("the challenge is %+v", asked)
		}
		return asked.Challenge
	}
	last := func() callback { got := b.delivered(); return got[len(got)-1] }
	for _, c := range []struct {
		bot  string
		does func(w http.ResponseWriter, r *http.Request)
		good bool
	}{
		{"demo-feishu", func(w http.ResponseWriter, _ *http.Request) {
			if last().header.Get("X-Lark-Signature") != "" {
				t.Error("the challenge is signed")
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"challenge": challenge(last().body)})
		}, true},
		{"demo-feishu", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"challenge":"x"}`)) }, false},
		{"demo-feishu", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(challenge(last().body))) }, false},
		{"demo-feishu", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(map[string]string{"challenge": challenge(last().body)})
		}, false},
		{"demo-wecom", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(b.wecomOpen(r.URL.Query().Get("echostr"))))
		}, true},
		{"demo-wecom", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(b.wecomOpen(r.URL.Query().Get("echostr")) + "\n"))
		}, false},
		{"demo-wecom", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Query().Get("echostr"))) }, false},
		{"demo-dingtalk", func(_ http.ResponseWriter, _ *http.Request) {
			if c := last(); len(c.body) != 0 || c.header.Get("Sign") != "" {
				t.Errorf("the probe is %q", c.body)
			}
		}, true},
		{"demo-dingtalk", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, false},
		{"nobody", nil, false},
	} {
		b.answers(c.does)
		if err := b.Verify(t.Context(), c.bot); (err == nil) != c.good {
			t.Errorf("%s: %v", c.bot, err)
		}
	}
}

// wecomOpen decrypts the way a receiver does.
func (b *bench) wecomOpen(sealed string) string {
	b.t.Helper()
	key, err := base64.StdEncoding.DecodeString(b.bots["wecom"].Secrets["aes_key"].Reveal() + "=")
	if err != nil {
		b.t.Fatal(err)
	}
	plain := wecomPlain(b.t, key, sealed)
	corp := b.bots["wecom"].Settings["corp_id"]
	if !strings.HasSuffix(plain, corp) {
		b.t.Errorf("not for %s", corp)
	}
	return strings.TrimSuffix(plain[20:], corp)
}

// TestNotAccepted delivers again as often as the platform does.
func TestNotAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for p, tries := range map[bridge.Platform]int{feishu: 5, "wecom": 3, "dingtalk": 3} {
		b.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		id, err := b.Say(t.Context(), "li", p, "x")
		if trace, _ := b.Trace(id); err == nil || trace.Tries != tries || trace.Accepted != 0 {
			t.Errorf("%s: %v, %+v", p, err, trace)
		}
		b.answers(nil)
		if err := b.Redeliver(t.Context(), id); err != nil {
			t.Error(err)
		}
		if trace, _ := b.Trace(id); trace.Accepted != 1 {
			t.Errorf("%s: %+v", p, trace)
		}
	}
	b.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("success")) })
	if _, err := b.Say(t.Context(), "li", "wecom", "x"); err == nil {
		t.Error("WeCom takes a text for an answer of the bot's")
	}
	if _, err := b.Say(t.Context(), "li", feishu, "x"); err != nil {
		t.Errorf("Feishu looks at the text of an answer: %v", err)
	}
	for _, l := range []simulator.Line{{Employee: "nobody", Platform: feishu}, {Employee: "li", Platform: "matrix"}, {Employee: "li", Platform: feishu, Group: "x"}} {
		if _, err := b.Write(t.Context(), l); err == nil {
			t.Errorf("%+v is delivered", l)
		}
	}
	if err := b.Redeliver(t.Context(), "x"); err == nil {
		t.Error("what was never said is delivered")
	}
}

// TestSchedule makes the pauses of the platforms pass.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for p, pauses := range map[bridge.Platform][]time.Duration{
		feishu:     {15 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour},
		"wecom":    {5 * time.Second, 5 * time.Second},
		"dingtalk": {10 * time.Second, 30 * time.Second},
	} {
		b := setup(t, simulator.Options{Scheduled: true})
		b.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		id, err := b.Say(t.Context(), "li", p, "x")
		if err != nil {
			t.Fatal(err)
		}
		for n, pause := range pauses {
			for _, step := range []struct {
				by    time.Duration
				tries int
			}{{pause - time.Second, n + 1}, {time.Second, n + 2}} {
				if err := b.Advance(t.Context(), step.by); err != nil {
					t.Fatal(err)
				}
				if trace, _ := b.Trace(id); trace.Tries != step.tries {
					t.Errorf("%s: %d tries after pause %d and %s, want %d", p, trace.Tries, n, step.by, step.tries)
				}
			}
		}
		if n := b.Pending(); n != 0 {
			t.Errorf("%s: %d are still to come", p, n)
		}
	}
	b := setup(t, simulator.Options{Scheduled: true})
	b.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	one, _ := b.Say(t.Context(), "li", feishu, "one")
	if err := b.Advance(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	two, _ := b.Say(t.Context(), "li", feishu, "two")
	b.answers(nil)
	if err := b.Advance(t.Context(), 24*time.Hour); err != nil || b.Pending() != 0 {
		t.Error(err)
	}
	for _, id := range []bridge.MessageID{one, two} {
		if trace, _ := b.Trace(id); trace.Tries != 2 || trace.Accepted != 1 {
			t.Errorf("%+v", trace)
		}
	}
	var order []string
	for _, c := range b.delivered() {
		order = append(order, b.text(c))
	}
	if diff := cmp.Diff([]string{"one", "two", "one", "two"}, order); diff != "" {
		t.Error(diff)
	}
}

// TestDeadline gives the callback as long as the platform does.
func TestDeadline(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{Scheduled: true})
	b.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	begin := time.Now()
	if _, err := b.Say(t.Context(), "li", feishu, "x"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 3*time.Second || b.Pending() != 1 {
		t.Errorf("given up after %s, %d to come", took, b.Pending())
	}
	begin = time.Now()
	if err := b.Verify(t.Context(), "demo-wecom"); err == nil || time.Since(begin) < time.Second {
		t.Errorf("an address that never answers: %v after %s", err, time.Since(begin))
	}
}

// TestFaultDuplicate delivers what was accepted again.
func TestFaultDuplicate(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	b.faults("duplicate=1*3")
	id, err := b.Say(t.Context(), "li", feishu, "x")
	if trace, _ := b.Trace(id); err != nil || trace.Tries != 4 || trace.Accepted != 4 {
		t.Errorf("%v, %+v", err, trace)
	}
	ids := map[any]int{}
	for _, c := range b.delivered() {
		event, _ := b.feishuEvent(c)["event"].(map[string]any)
		message, _ := event["message"].(map[string]any)
		ids[message["message_id"]]++
	}
	if len(ids) != 1 || ids[string(id)] != 4 {
		t.Errorf("delivered %v", ids)
	}
}

// TestFaultDrop delivers again what was accepted without the platform knowing.
func TestFaultDrop(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	b.answers(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	b.faults("drop=1x")
	id, err := b.Say(t.Context(), "li", "dingtalk", "x")
	if trace, _ := b.Trace(id); err != nil || trace.Tries != 2 || trace.Accepted != 1 {
		t.Errorf("%v, %+v", err, trace)
	}
}

// TestFaultReorder lets a message overtake another.
func TestFaultReorder(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	b.faults("reorder=1x@1h")
	for _, l := range []simulator.Line{{Platform: feishu, Text: "one"}, {Platform: "wecom", Text: "elsewhere"}, {Platform: feishu, Text: "two"}} {
		l.Employee = "li"
		if _, err := b.Write(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	// The second lets the first go.
	tick, late := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for len(b.delivered()) < 3 {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the first message is held for ever")
		}
	}
	var order []string
	for _, c := range b.delivered() {
		order = append(order, b.text(c))
	}
	if diff := cmp.Diff([]string{"elsewhere", "two", "one"}, order); diff != "" {
		t.Error(diff)
	}
	b.faults("reorder=1x@1h")
	id, err := b.Say(t.Context(), "li", "dingtalk", "alone")
	if trace, _ := b.Trace(id); err != nil || trace.Tries != 0 {
		t.Errorf("%v, %+v", err, trace)
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if trace, _ := b.Trace(id); trace.Accepted != 1 {
		t.Errorf("after the flush %+v", trace)
	}
	b.faults("reorder=1x@1h") // Close does not wait for it
	if _, err := b.Say(t.Context(), "li", "dingtalk", "never"); err != nil {
		t.Error(err)
	}
}

// TestFaultDelay delivers later.
func TestFaultDelay(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	b.faults("delay=1x@30ms")
	begin := time.Now()
	if _, err := b.Say(t.Context(), "li", feishu, "x"); err != nil || time.Since(begin) < 30*time.Millisecond {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
	b.faults("delay=1x@1h")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := b.Say(ctx, "li", feishu, "x"); err == nil {
		t.Error("the caller waits for ever")
	}
}

// TestGroups writes into groups, with and without an @.
func TestGroups(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for _, c := range []struct {
		platform bridge.Platform
		mention  bool
		want     string // what the bot gets
	}{
		{feishu, true, "@_user_1 lunch?"},
		{feishu, false, ""},
		{"dingtalk", true, " lunch?"},
		{"dingtalk", false, ""},
		{"wecom", true, ""}, // a self-built app hears no group
		{"wecom", false, ""},
	} {
		before := len(b.delivered())
		id, err := b.Write(t.Context(), simulator.Line{Employee: "alex", Platform: c.platform, Group: "team", Mention: c.mention, Text: "lunch?"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range b.delivered()[before:] {
			got = append(got, b.text(d))
		}
		if want := slices.DeleteFunc([]string{c.want}, func(s string) bool { return s == "" }); !slices.Equal(got, want) {
			t.Errorf("%s, mentioned %v: delivered %q, want %q", c.platform, c.mention, got, want)
		}
		if trace, ok := b.Trace(id); !ok || trace.Group != "team" || trace.Tries != len(got) {
			t.Errorf("trace %+v", trace)
		}
	}
	for _, e := range b.Employees() {
		all := b.Bubbles(e.ID)
		if len(all) != 6 || all[0].Chat != "产品组" || all[0].From != "Alex Chen" || all[0].FromBot {
			t.Errorf("%s sees %+v", e.ID, all)
		}
	}
	everything := setup(t, simulator.Options{HearAll: true})
	if _, err := everything.Write(t.Context(), simulator.Line{Employee: "li", Platform: feishu, Group: "team", Text: "x"}); err != nil || len(everything.delivered()) != 1 {
		t.Errorf("with the right to hear all: %v", err)
	}
}

// TestGroupEvents compares the events of a direct chat and a group with files.
func TestGroupEvents(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	for _, c := range []struct {
		name string
		line simulator.Line
	}{
		{"feishu_direct", simulator.Line{Platform: feishu}},
		{"feishu_group", simulator.Line{Platform: feishu, Group: "team", Mention: true}},
		{"dingtalk_direct", simulator.Line{Platform: "dingtalk"}},
		{"dingtalk_group", simulator.Line{Platform: "dingtalk", Group: "team", Mention: true}},
		{"wecom_direct", simulator.Line{Platform: "wecom"}},
	} {
		c.line.Employee, c.line.Text = "li", "你好"
		if _, err := b.Write(t.Context(), c.line); err != nil {
			t.Fatal(err)
		}
		got := b.delivered()
		last, plain := got[len(got)-1], any(nil)
		switch c.line.Platform {
		case feishu:
			plain = b.feishuEvent(last)
		case "wecom":
			plain = b.wecomMessage(last)
		default:
			if err := json.Unmarshal(last.body, &plain); err != nil {
				t.Fatal(err)
			}
		}
		indented, err := json.MarshalIndent(plain, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, c.name, b.steady(string(indented)))
	}
}

// steady takes out what differs from run to run.
func (b *bench) steady(text string) string {
	text = strings.ReplaceAll(text, b.bots[feishu].Secrets["verification_token"].Reveal(), "TOKEN")
	text = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "HOST")
	text = regexp.MustCompile(`session=[A-Z2-7]+`).ReplaceAllString(text, "session=RANDOM")
	text = regexp.MustCompile(`(om_|ev_|msg)\d{16}`).ReplaceAllString(text, "${1}NUMBER")
	text = regexp.MustCompile(`"\d{16}"`).ReplaceAllString(text, `"NUMBER"`)
	return regexp.MustCompile(`\d\.?\d{12}(e\+12)?`).ReplaceAllString(text, "TIME")
}

// deadline is a transport that notes how long an answer is waited for.
type deadline struct{ within *time.Duration }

func (d deadline) RoundTrip(r *http.Request) (*http.Response, error) {
	until, _ := r.Context().Deadline()
	*d.within = time.Until(until)
	return http.DefaultTransport.RoundTrip(r)
}

// TestPatience: on a busy machine a platform can be made to wait longer.
func TestPatience(t *testing.T) {
	t.Parallel()
	for patience, most := range map[time.Duration]time.Duration{0: 3 * time.Second, time.Hour: time.Hour} {
		var within time.Duration
		b := setup(t, simulator.Options{Patience: patience, Transport: deadline{&within}})
		if _, err := b.Say(t.Context(), "li", feishu, "hello"); err != nil || within > most || within < most/2 {
			t.Errorf("with the patience %v an answer is waited for %v, %v", patience, within, err)
		}
	}
}

package simulator_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

func TestParseFaults(t *testing.T) {
	t.Parallel()
	got, err := simulator.ParseFaults(" seed=7, duplicate=0.2*3,busy=0.1,limit=0.05@2s,slow=200ms,,feishu:gone=1x,reorder=0.5@300ms,expire=1 ")
	if err != nil {
		t.Fatal(err)
	}
	want := simulator.Faults{Seed: 7, Troubles: []simulator.Trouble{
		{Fault: simulator.FaultDuplicate, Chance: 0.2, Copies: 3},
		{Fault: simulator.FaultBusy, Chance: 0.1},
		{Fault: simulator.FaultLimit, Chance: 0.05, For: 2 * time.Second},
		{Fault: simulator.FaultSlow, Chance: 1, For: 200 * time.Millisecond},
		{Fault: simulator.FaultGone, Platform: "feishu", Next: 1},
		{Fault: simulator.FaultReorder, Chance: 0.5, For: 300 * time.Millisecond},
		{Fault: simulator.FaultExpire, Chance: 1},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, err := simulator.ParseFaults(got.String()); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("%s is read as %+v, %v", got, again, err)
	}
	if none, err := simulator.ParseFaults(""); err != nil || !reflect.DeepEqual(none, simulator.Faults{}) {
		t.Errorf("nothing is %+v, %v", none, err)
	}
	if got := (simulator.Faults{Refuse: 2, Break: 1}).String(); got != "busy=2x,break=1x" {
		t.Errorf("the short fields are %q", got)
	}
	for _, bad := range []string{
		"busy", "busy=", "busy=2", "busy=-0.1", "busy=NaN", "busy=x", "busy=0x", "busy=1.5x", "duplicate=0.1*0", "duplicate=0.1*x",
		"slow=0.5", "slow=0s", "delay=0.1@x", "limit=0.1@-2s", "storm=1", "matrix:busy=1", "seed=x", "seed=-1", "=1",
	} {
		if f, err := simulator.ParseFaults(bad); err == nil {
			t.Errorf("%q is %+v", bad, f)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("seed=7,duplicate=0.2*3,slow=200ms,feishu:gone=1x,limit=0.5@2s")
	f.Fuzz(func(t *testing.T, spec string) {
		got, err := simulator.ParseFaults(spec)
		if err != nil {
			return
		}
		again, err := simulator.ParseFaults(got.String())
		if err != nil || again.String() != got.String() {
			t.Errorf("%q is %s, then %s, %v", spec, got, again, err)
		}
	})
}

// faults switches faults on by their short form.
func (b *bench) faults(spec string) {
	b.t.Helper()
	f, err := simulator.ParseFaults(spec)
	if err != nil {
		b.t.Fatal(err)
	}
	b.SetFaults(f)
}

// show lets the bot of a platform show a text, as simply as the platform can.
func (b *bench) show(p bridge.Platform, text string) (result, error) {
	b.t.Helper()
	switch p {
	case feishu:
		return b.try(b.bots[p].Settings["base_url"]+"/open-apis/im/v1/messages?receive_id_type=open_id", http.MethodPost,
			map[string]string{"Authorization": "Bearer " + b.token(p)},
			map[string]string{"receive_id": string(b.Identity("li", p).User), "msg_type": "text", "content": toJSON(b.t, map[string]string{"text": text})})
	case "wecom":
		return b.try(b.bots[p].Settings["base_url"]+"/cgi-bin/message/send?access_token="+b.token(p), http.MethodPost, nil,
			map[string]any{"touser": b.Identity("li", p).User, "msgtype": "text", "agentid": 1000002, "text": map[string]string{"content": text}})
	default:
		return b.try(b.bots[p].Settings["base_url"]+"/v1.0/robot/oToMessages/batchSend", http.MethodPost,
			map[string]string{"x-acs-dingtalk-access-token": b.token(p)},
			map[string]any{"robotCode": b.bots[p].Settings["robot_code"], "userIds": []string{string(b.Identity("li", p).User)}, "msgKey": "sampleText", "msgParam": toJSON(b.t, map[string]string{"content": text})})
	}
}

// token asks for a token; it is empty when there is none to be had.
func (b *bench) token(p bridge.Platform) string {
	b.t.Helper()
	c := b.bots[p]
	switch p {
	case feishu:
		return b.call(p, http.MethodPost, "/open-apis/auth/v3/tenant_access_token/internal", nil,
			map[string]string{"app_id": c.Settings["app_id"], "app_secret": c.Secrets["app_secret"].Reveal()}).text("tenant_access_token")
	case "wecom":
		return b.call(p, http.MethodGet, "/cgi-bin/gettoken?corpid="+c.Settings["corp_id"]+"&corpsecret="+c.Secrets["secret"].Reveal(), nil, nil).text("access_token")
	default:
		return b.call(p, http.MethodPost, "/v1.0/oauth2/accessToken", nil,
			map[string]string{"appKey": c.Settings["client_id"], "appSecret": c.Secrets["client_secret"].Reveal()}).text("accessToken")
	}
}

// TestFaultAnswers switches each trouble of the servers on, for each platform.
func TestFaultAnswers(t *testing.T) {
	t.Parallel()
	const denied = "Forbidden.AccessDenied."
	for _, c := range []struct {
		p      bridge.Platform
		spec   string
		status int
		code   any
		header string
		shown  bool
	}{
		{feishu, "busy=1x", 429, 99991400, "", false},
		{feishu, "limit=1x", 400, 230020, "", false},
		{feishu, "limit=1x@2500ms", 429, 99991400, "X-Ogw-Ratelimit-Reset: 3", false},
		{feishu, "quota=1x", 429, 99991403, "", false},
		{feishu, "left=1x", 400, 230029, "", false},
		{feishu, "fail=1", 502, nil, "", false},
		{feishu, "wecom:busy=1", 200, 0, "", true},
		{"wecom", "busy=1x", 200, -1, "", false},
		{"wecom", "limit=1x", 200, 45033, "", false},
		{"wecom", "limit=1x@1m", 200, 45009, "", false},
		{"wecom", "limit=1x@1s", 200, 45033, "", false},
		{"wecom", "left=1x", 200, 81013, "", false},
		{"wecom", "quota=1x", 200, 0, "", true},
		{"dingtalk", "busy=1x", 503, "serviceBusy", "", false},
		{"dingtalk", "limit=1x", 403, denied + "QpsLimitForAppkeyAndApi", "", false},
		{"dingtalk", "quota=1x", 403, denied + "ApiCountLimitForOrg", "", false},
		{"dingtalk", "limit=1x@5s", 403, denied + "QpsLimitForAppkeyAndApi", "", false},
		{"dingtalk", "limit=1x@5m", 403, nil, "", false},
		{"dingtalk", "left=1x", 200, nil, "", false},
	} {
		t.Run(string(c.p)+" "+c.spec, func(t *testing.T) {
			t.Parallel()
			b := setup(t, simulator.Options{})
			if strings.HasPrefix(c.spec, "fail") {
				t.Cleanup(func() { b.SetFaults(simulator.Faults{}) })
				b.faults(string(c.p) + ":" + c.spec)
				if r := b.call(c.p, http.MethodPost, "/open-apis/im/v1/messages", nil, nil); r.status != c.status || r.header.Get("Content-Type") != "text/html" {
					t.Errorf("a gateway's page is %d %s", r.status, r.body)
				}
				return
			}
			b.faults(c.spec)
			r, err := b.show(c.p, "x")
			if err != nil || r.status != c.status || r.code() != c.code {
				t.Errorf("answer %d %s, %v", r.status, r.body, err)
			}
			if name, value, _ := strings.Cut(c.header, ": "); r.header.Get(name) != value {
				t.Errorf("%s is %q", name, r.header.Get(name))
			}
			if c.header == "" && (r.header.Get("Retry-After") != "" || r.header.Get("X-Ogw-Ratelimit-Reset") != "") {
				t.Errorf("the answer says when: %v", r.header)
			}
			if shown := len(b.lines("li")) == 1; shown != c.shown {
				t.Errorf("shown: %v", b.lines("li"))
			}
			if r, err := b.show(c.p, "y"); err != nil || r.status != 200 || len(b.lines("li")) == 0 {
				t.Errorf("after the trouble: %s, %v", r.body, err)
			}
		})
	}
}

// TestFaultShapes looks into two answers that have no code of their own.
func TestFaultShapes(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	b.faults("limit=1x@4m30s,left=1x")
	if r, err := b.show("dingtalk", "x"); err != nil || r.at("status") != 1111.0 || r.at("wait") != 5.0 {
		t.Errorf("a ban is %s, %v", r.body, err)
	}
	want := toJSON(t, []any{string(b.Identity("li", "dingtalk").User)})
	if r, err := b.show("dingtalk", "x"); err != nil || toJSON(t, r.at("invalidStaffIdList")) != want {
		t.Errorf("somebody who left is %s, %v", r.body, err)
	}
}

// TestFaultConnections loses calls before and after they had their effect.
func TestFaultConnections(t *testing.T) {
	t.Parallel()
	for _, p := range []bridge.Platform{feishu, "wecom", "dingtalk"} {
		b := setup(t, simulator.Options{})
		for n, spec := range []string{"break=1x", "reset=1x"} {
			if spec == "reset=1x" {
				b.faults("")
				token := b.token(p) // the token's call is not to be the one that is lost
				b.faults(spec)
				address := b.bots[p].Settings["base_url"] + map[bridge.Platform]string{
					feishu: "/open-apis/im/v1/messages", "wecom": "/cgi-bin/message/send?access_token=" + token, "dingtalk": "/v1.0/robot/oToMessages/batchSend",
				}[p]
				if _, err := b.try(address, http.MethodPost, nil, "{}"); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%s %s: %v", p, spec, err)
				}
			} else {
				b.faults(spec)
				if _, err := b.show(p, "x"); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%s %s: %v", p, spec, err)
				}
			}
			if got := b.lines("li"); len(got) != 1 {
				t.Errorf("%s, step %d: shown %q", p, n, got)
			}
		}
	}
}

// TestFaultTokens ends tokens and refuses secrets.
func TestFaultTokens(t *testing.T) {
	t.Parallel()
	stale := map[bridge.Platform]any{feishu: 99991663, "wecom": 42001, "dingtalk": "InvalidAuthentication"}
	for p, want := range stale {
		b := setup(t, simulator.Options{})
		l := &lark{bench: b, token: b.token(p)}
		use := func() result {
			switch p {
			case feishu:
				return l.do(http.MethodGet, "bot/v3/info", nil)
			case "wecom":
				return b.call(p, http.MethodGet, "/cgi-bin/agent/get?agentid=1000002&access_token="+l.token, nil, nil)
			default:
				return b.call(p, http.MethodPost, "/v1.0/robot/groupMessages/send", map[string]string{"x-acs-dingtalk-access-token": l.token}, map[string]string{})
			}
		}
		if r := use(); r.code() == want {
			t.Errorf("%s: a good token is %s", p, r.body)
		}
		b.faults("expire=1x")
		if r := use(); r.code() != want {
			t.Errorf("%s: an expired token is %s", p, r.body)
		}
		if l.token = b.token(p); use().code() == want {
			t.Errorf("%s: a new token is refused", p)
		}
		b.SetFaults(simulator.Faults{Expire: true})
		if r := use(); r.code() != want {
			t.Errorf("%s: a token that was ended is %s", p, r.body)
		}
		l.token = b.token(p)
		b.faults("secret=1")
		if r := use(); r.code() != want || b.token(p) != "" {
			t.Errorf("%s: with a refused secret: %s", p, r.body)
		}
		b.SetFaults(simulator.Faults{})
		if b.token(p) == "" {
			t.Errorf("%s: the secret stays refused", p)
		}
	}
}

// TestFaultCards makes cards vanish.
func TestFaultCards(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	entity, _ := l.shown("li", card(nil))
	message := l.send("li", "interactive", toJSON(t, card(nil)), "").text("data.message_id")
	l.faults("gone=2x")
	if r := l.stream(entity, "x", 1); r.code() != 200740 {
		t.Errorf("the entity: %s", r.body)
	}
	if r := l.do(http.MethodPatch, "im/v1/messages/"+message, map[string]string{"content": toJSON(t, card(nil))}); r.code() != 230110 {
		t.Errorf("the message: %s", r.body)
	}
	if r := l.stream(entity, "x", 1); r.code() != 0 {
		t.Errorf("after the trouble: %s", r.body)
	}
}

// TestFaultSlow answers later.
func TestFaultSlow(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	b.faults("dingtalk:slow=1x@30ms")
	begin := time.Now()
	if b.token("dingtalk") == "" || time.Since(begin) < 30*time.Millisecond {
		t.Errorf("took %s", time.Since(begin))
	}
}

// TestSeed throws the same dice: what strikes depends on the seed and on the
// number of the occasion.
func TestSeed(t *testing.T) {
	t.Parallel()
	run := func(seed int) (pattern string) {
		b := setup(t, simulator.Options{})
		b.faults(fmt.Sprintf("seed=%d,wecom:busy=0.5,limit=0.1", seed))
		for n := range 64 {
			if n%2 == 0 { // other platforms change nothing
				if _, err := b.show("dingtalk", "x"); err != nil {
					t.Fatal(err)
				}
			}
			r, err := b.show("wecom", "x")
			if err != nil {
				t.Fatal(err)
			}
			pattern += fmt.Sprint(r.code(), " ")
		}
		return pattern
	}
	one, again, two := run(1), run(1), run(2)
	if one != again {
		t.Errorf("the same seed: %s and %s", one, again)
	}
	if one == two {
		t.Error("another seed makes no difference")
	}
	if n := strings.Count(one, "-1 "); n < 20 || n > 44 {
		t.Errorf("a chance of a half struck %d times of 64", n)
	}
}

package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// lock is a lamp whose bot does not fit the platform: a request that begins with the
// name of a kind of error and a setting is refused as one that looks genuine, and "stranger" as
// one that does not.
type lock struct {
	*lamp

	mu     sync.Mutex
	trials int
	says   func(ctx context.Context) ([]bridge.Finding, error) // in a trial
	call   func(ctx context.Context) bridge.Delivery           // what the request "call" carries
}

// locked is its bot.
type locked struct {
	bridge.Streamer
	bridge.Bot
	lock *lock
}

func (b locked) Receive(ctx context.Context, r bridge.Request) (bridge.Delivery, error) {
	words := strings.Fields(string(r.Body))
	switch {
	case len(words) == 0:
		return bridge.Delivery{Unproven: true}, nil
	case words[0] == "call":
		return b.lock.call(ctx), nil
	case words[0] == "stranger":
		return bridge.Delivery{}, &bridge.Error{Kind: bridge.KindUnauthenticated, Op: "lamp: receive"}
	case len(words) == 2:
		return bridge.Delivery{}, &bridge.Error{Kind: bridge.Kind(words[0]), Op: "lamp: receive", Likely: true, Args: map[string]string{"field": words[1]}}
	}
	return b.Bot.Receive(ctx, r)
}

func (b locked) Check(ctx context.Context) ([]bridge.Finding, error) {
	b.lock.mu.Lock()
	defer b.lock.mu.Unlock()
	b.lock.trials++
	return b.lock.says(ctx)
}

func (l *lock) tried() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trials
}

// shut starts the program with a lock. A trial tells of its setting "secret", and of
// none else.
func shut(t *testing.T) (*life, *lock) {
	t.Helper()
	l := &lock{lamp: newLamp(), says: func(context.Context) ([]bridge.Finding, error) { return nil, nil }}
	c := l.connector()
	open := c.Open
	c.Setup = []bridge.Step{{Key: "a", Fill: []string{"id", "secret"}, Checks: []string{"credential"}}, {Key: "b", Fill: []string{"token"}}}
	c.Open = func(config bridge.Config, env bridge.Env) (bridge.Bot, error) {
		bot, err := open(config, env)
		streamer, _ := bot.(bridge.Streamer)
		return locked{streamer, bot, l}, err
	}
	return begin(t, t.TempDir(), oneBot, l.lamp, func(o *app.Options) { o.Connectors = []bridge.Connector{c} }), l
}

// send makes requests to the bot, with a pause after each.
func (r *life) send(t *testing.T, body string, times int, pause time.Duration) {
	t.Helper()
	for range times {
		r.request(t, r.door, "POST", "/hook/one", []byte(body))
		rest(pause)
	}
}

// doubted is how bad the warning about refused requests is; empty without one.
func (r *life) doubted() bridge.Severity {
	for _, n := range r.Notices(bridge.English) {
		if strings.HasPrefix(n.ID, "requests_refused") {
			return n.Severity
		}
	}
	return ""
}

const (
	wrongToken  = "unauthenticated token"
	wrongSecret = "unauthenticated secret"
	wrongID     = "forbidden id"
)

// TestRequestsRefused: three refused requests that look genuine are a warning, which
// the first accepted one ends. Others are not counted and prove nothing.
func TestRequestsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := shut(t)
		r.send(t, "stranger", 20, time.Second)
		r.send(t, wrongToken, 2, time.Second)
		if r.doubted() != "" {
			t.Error("two are enough, or strangers")
		}
		r.send(t, "", 1, time.Second)
		r.send(t, wrongToken, 1, time.Second)
		if r.doubted() != bridge.SeverityWarning {
			t.Errorf("%q after three", r.doubted())
		}
		if _, text := r.ask(t, r.admin, "GET", "/healthz", nil, nil); !strings.Contains(text, `"requests_refused"`) {
			t.Errorf("/healthz is %s", text)
		}
		r.send(t, "", 1, time.Second)
		r.send(t, "stranger", 1, time.Hour)
		if r.doubted() == "" {
			t.Error("the warning ends by itself")
		}
		r.deliver(t, "m1", "hello")
		if r.doubted() != "" || l.tried() != 0 {
			t.Errorf("%q after one was accepted, %d trials", r.doubted(), l.tried())
		}
	})
}

// TestRequestsRefusedLongAgo: what is a day old does not count any more.
func TestRequestsRefusedLongAgo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := shut(t)
		r.send(t, wrongToken, 2, time.Second)
		rest(24 * time.Hour)
		r.send(t, wrongToken, 2, time.Second)
		if r.doubted() != "" {
			t.Error("requests of yesterday count")
		}
		r.send(t, wrongToken, 1, time.Second)
		if r.doubted() == "" {
			t.Error("three requests do not count")
		}
	})
}

// TestRequestsRefusedOnce: where the settings have been seen to fit, strangers are
// more likely than a change: the requests have to go on for an hour.
func TestRequestsRefusedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := shut(t)
		for n := range 3 {
			r.deliver(t, fmt.Sprint(n), "hello")
			r.send(t, wrongToken, 11, 5*time.Minute)
			if r.doubted() != "" {
				t.Fatal("strangers raise a warning within an hour")
			}
		}
		r.send(t, wrongToken, 2, 5*time.Minute)
		if r.doubted() != bridge.SeverityWarning {
			t.Errorf("%q after an hour", r.doubted())
		}
	})
}

// TestRequestsTried: where the setting can be tried, it is, once: only one that is
// refused there is a warning.
func TestRequestsTried(t *testing.T) {
	t.Parallel()
	found := func(ok ...bool) func(context.Context) ([]bridge.Finding, error) {
		return func(context.Context) ([]bridge.Finding, error) {
			all := []bridge.Finding{{Code: "other"}}
			for _, ok := range ok {
				all = append(all, bridge.Finding{Code: "credential", OK: ok})
			}
			return all, nil
		}
	}
	for name, c := range map[string]struct {
		says   func(context.Context) ([]bridge.Finding, error)
		want   bridge.Severity
		trials int // in an hour
	}{
		"right":        {found(true), "", 1},
		"wrong":        {found(false), bridge.SeverityError, 1},
		"in part":      {found(true, false), bridge.SeverityError, 1},
		"not found":    {found(), "", 6},
		"out of reach": {func(context.Context) ([]bridge.Finding, error) { return nil, errors.New("no route") }, "", 6},
		"silent":       {func(ctx context.Context) ([]bridge.Finding, error) { <-ctx.Done(); return nil, ctx.Err() }, "", 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, l := shut(t)
				l.says = c.says
				r.send(t, wrongSecret, 2, time.Second)
				if l.tried() != 0 {
					t.Error("tried too early")
				}
				r.send(t, wrongSecret, 6, 10*time.Minute)
				if r.doubted() != c.want || l.tried() != c.trials {
					t.Errorf("%q, %d trials", r.doubted(), l.tried())
				}
				r.deliver(t, "m1", "hello")
				if r.doubted() != "" {
					t.Error("the warning outlasts a request that is accepted")
				}
			})
		})
	}
}

// TestRequestsTriedAgain: a setting that was right may be changed on the other side.
func TestRequestsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := shut(t)
		l.says = func(context.Context) ([]bridge.Finding, error) {
			return []bridge.Finding{{Code: "credential", OK: l.trials < 3}}, nil
		}
		r.send(t, wrongSecret, 11, time.Hour)
		if r.doubted() != "" || l.tried() != 2 {
			t.Errorf("%q, %d trials", r.doubted(), l.tried())
		}
		r.send(t, wrongSecret, 4, time.Hour)
		if r.doubted() == "" || l.tried() != 3 {
			t.Errorf("%q, %d trials", r.doubted(), l.tried())
		}
	})
}

// TestRequestsAcceptedMeanwhile: a request that is accepted while the bot is tried
// settles the matter.
func TestRequestsAcceptedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := shut(t)
		l.says = func(ctx context.Context) ([]bridge.Finding, error) {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Second):
			}
			return []bridge.Finding{{Code: "credential"}}, nil
		}
		r.send(t, wrongSecret, 3, time.Second)
		r.deliver(t, "m1", "hello")
		rest(time.Minute)
		if r.doubted() != "" || l.tried() != 1 {
			t.Errorf("%q, %d trials", r.doubted(), l.tried())
		}
	})
}

// TestRequestsForSomebodyElse: who signs as it should be is no stranger. There is
// nothing to try.
func TestRequestsForSomebodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := shut(t)
		r.send(t, wrongToken, 3, time.Second)
		if r.doubted() != bridge.SeverityWarning {
			t.Errorf("%q", r.doubted())
		}
		r.send(t, wrongID, 2, 10*time.Minute)
		if r.doubted() != bridge.SeverityError || l.tried() != 0 {
			t.Errorf("%q, %d trials", r.doubted(), l.tried())
		}
	})
}

// TestWrongKeys: with a wrong key for what arrives, each platform's bot says after
// three messages which field to compare on which page; with the right one all is
// well.
func TestWrongKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on    bridge.Platform
		wrong map[string]string
		code  string
		words []string
	}{
		{"feishu", map[string]string{"encrypt_key": "that of another app"}, "requests_refused", []string{"Encrypt Key", "加密策略", "/encrypt_key"}},
		{"feishu", map[string]string{"verification_token": "that of another app"}, "requests_refused", []string{"Verification Token", "加密策略", "/verification_token"}},
		{"wecom", map[string]string{"token": "another"}, "requests_refused", []string{"Token", "设置API接收", "/token"}},
		{"wecom", map[string]string{"aes_key": otherAESKey}, "unreadable_traffic", []string{"EncodingAESKey", "设置API接收", "/aes_key"}},
		{"wecom", map[string]string{"token": "another", "aes_key": otherAESKey}, "requests_refused", []string{"EncodingAESKey", "设置API接收", "/token", "/aes_key"}},
		{"dingtalk", map[string]string{"client_secret": "that of another app"}, "requests_refused", []string{"Client Secret", "凭证与基础信息", "/client_secret"}},
	} {
		t.Run(fmt.Sprint(c.on, c.wrong), func(t *testing.T) {
			t.Parallel()
			bot := ""
			a, ctx, sim := impatient(t, []bridge.Platform{c.on}, func(config bridge.Config) {
				bot = config.ID
				for key, value := range c.wrong {
					config.Secrets[key] = bridge.NewSecret(value)
				}
			})
			for n := range 3 {
				_, _ = sim.Say(ctx, "li", c.on, say(n)) // refused as often as it is delivered
			}
			for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
				until(t, func() bool { return warned(a, lang, c.code, bot) != "" })
				for _, w := range c.words {
					if text := warned(a, lang, c.code, bot); !strings.Contains(text, w) {
						t.Errorf("%s lacks %q: %s", lang, w, text)
					}
				}
			}
			if n := sim.Calls()["dingtalk accessToken"]; n > 1 {
				t.Errorf("the secret was tried %d times", n)
			}
		})
	}
}

// impatient starts the program on simulated platforms that deliver again at once,
// with the settings of each bot changed.
func impatient(t *testing.T, platforms []bridge.Platform, change func(bridge.Config)) (*app.App, context.Context, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), simulator.Options{Platforms: platforms, RetryPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	configs := sim.Configs()
	for _, c := range configs {
		change(c)
	}
	a, ctx := house(t, t.TempDir(), "language: en\nagents: [{id: help, kind: echo}]\n"+channels(t, configs))
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs {
		sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
	}
	return a, ctx, sim
}

const otherAESKey = "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws"

// warned is the next step of a warning about a bot.
func warned(a *app.App, lang bridge.Language, code, bot string) string {
	for _, n := range a.Notices(lang) {
		if n.ID == code+" "+bot {
			return n.Next
		}
	}
	return ""
}

// TestProbes: whoever tries the addresses of the bots, with whatever they find in
// the documentation of the platforms, is no trouble with the settings of a bot that
// takes messages; and where the platform can be asked it is, once.
func TestProbes(t *testing.T) {
	t.Parallel()
	a, ctx, sim := impatient(t, nil, func(bridge.Config) {})
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	probe := func(bot, query, body string, header map[string]string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+o.Listen+"/hook/"+bot+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range header {
			req.Header.Set(key, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Fatalf("%s takes %s", bot, body)
		}
	}
	for _, c := range sim.Configs() {
		if c.Platform != "dingtalk" { // which is asked instead
			if _, err := sim.Say(ctx, "li", c.Platform, "hello"); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool { return taken(ctx, t, a, c.ID) })
		}
	}
	now := fmt.Sprint(time.Now().UnixMilli())
	for range 10 {
		for _, c := range sim.Configs() {
			probe(c.ID, "", "{}", nil)
			probe(c.ID, "?msg_signature="+strings.Repeat("ab", 20)+"&timestamp=1&nonce=2", "<xml><ToUserName>"+c.Settings["corp_id"]+"</ToUserName><Encrypt>"+strings.Repeat("A", 64)+"</Encrypt></xml>", nil)
			probe(c.ID, "", `{"encrypt":"`+strings.Repeat("A", 64)+`"}`, map[string]string{
				"X-Lark-Signature": strings.Repeat("ab", 32), "X-Lark-Request-Timestamp": "1", "X-Lark-Request-Nonce": "2",
			})
			probe(c.ID, "", `{"msgtype":"text","msgId":"1","conversationId":"2","senderId":"3","robotCode":"`+c.Settings["client_id"]+`"}`, map[string]string{
				"timestamp": now, "sign": strings.Repeat("A", 43) + "=",
			})
		}
	}
	until(t, func() bool { return sim.Calls()["dingtalk accessToken"] > 0 })
	for _, n := range a.Notices(bridge.English) {
		t.Errorf("strangers raise %+v", n)
	}
	if n := sim.Calls()["dingtalk accessToken"]; n != 1 {
		t.Errorf("DingTalk was asked %d times", n)
	}
}

// taken says that a bot has received something.
func taken(ctx context.Context, t *testing.T, a *app.App, bot string) bool {
	t.Helper()
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range o.Bots {
		if b.ID == bot {
			return b.Received > 0
		}
	}
	return false
}

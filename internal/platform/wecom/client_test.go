package wecom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

func to(user, key string) bridge.Address {
	return bridge.Address{Bot: "wc", Chat: user, Kind: bridge.Direct, User: bridge.UserID(user), Key: key}
}

func say(t *testing.T, bot bridge.Bot, key, text string) (bridge.MessageID, error) {
	t.Helper()
	return bot.Send(t.Context(), to("ZhangSan", key), bridge.Text{Text: text})
}

func TestTokenIsSharedAndKept(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if id, err := say(t, bot, "k"+strconv.Itoa(i), "hi"); err != nil || !strings.HasPrefix(string(id), "msg-") {
				t.Errorf("got %q, %v", id, err)
			}
		})
	}
	group.Wait()
	if f.count(callToken) != 1 || f.count(callSend) != 8 || len(f.shown()) != 8 {
		t.Errorf("%d tokens, %d sends, %d shown", f.count(callToken), f.count(callSend), len(f.shown()))
	}
}

// TestTokenGivenUp: one who stops waiting does not take the token from the others.
func TestTokenGivenUp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	asked, gate := make(chan struct{}), make(chan struct{})
	f.onToken = func() { close(asked); <-gate }
	bot := f.bot(t, nil, bridge.Env{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := bot.Send(ctx, to("ZhangSan", "k"), bridge.Text{Text: "hi"}); bridge.KindOf(err) != bridge.KindCanceled {
		t.Errorf("got %v", err)
	}
	close(gate)
	if _, err := say(t, bot, "k", "hi"); err != nil {
		t.Error(err)
	}
	if n := f.count(callToken); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

func TestTokenIsRenewedEarly(t *testing.T) {
	t.Parallel()
	for life, steps := range map[int][]struct {
		pause time.Duration
		want  int
	}{
		7200: {{0, 1}, {6890 * time.Second, 1}, {20 * time.Second, 2}, {time.Minute, 2}},
		0:    {{0, 1}, {6890 * time.Second, 1}, {20 * time.Second, 2}},
		60:   {{0, 1}, {25 * time.Second, 1}, {10 * time.Second, 2}},
	} {
		f := newFake(t)
		f.expires = life
		synctest.Test(t, func(t *testing.T) {
			bot := f.bot(t, nil, bridge.Env{})
			for i, step := range steps {
				f.sleep(step.pause)
				if _, err := say(t, bot, strconv.Itoa(i), "hi"); err != nil {
					t.Fatal(err)
				}
				if got := f.count(callToken); got != step.want {
					t.Errorf("life %d, step %d: %d tokens, want %d", life, i, got, step.want)
				}
			}
		})
	}
}

// TestStaleToken: WeCom may end a token early; it is replaced once and no more.
func TestStaleToken(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for i, spoil := range []func(){func() {}, f.rotate, func() { f.script(callSend, says(42001, "access_token expired")) }, func() { f.script(callSend, says(41001, "missing")) }} {
		spoil()
		if _, err := say(t, bot, strconv.Itoa(i), "hi"); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if got, want := f.count(callToken), i+1; got != want {
			t.Errorf("%d: %d tokens, want %d", i, got, want)
		}
	}
	stale := says(40014, "invalid access_token")
	f.script(callSend, stale, stale, stale)
	sends := f.count(callSend)
	_, err := say(t, bot, "x", "hi")
	if kind := bridge.KindOf(err); kind != bridge.KindCredential || f.count(callSend) != sends+2 {
		t.Errorf("%v after %d sends", err, f.count(callSend)-sends)
	}
}

// TestRefusedSecret: WeCom shuts out those who insist.
func TestRefusedSecret(t *testing.T) {
	t.Parallel()
	for code, words := range map[int]string{40001: "invalid credential", 40013: "invalid corpid", 40091: "secret is invalid"} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			bot := f.bot(t, nil, bridge.Env{})
			f.script(callToken, says(code, words))
			for range 5 {
				_, err := say(t, bot, "k", "hi")
				var e *bridge.Error
				if !errors.As(err, &e) || e.Kind != bridge.KindCredential || e.Code != strconv.Itoa(code) || e.Uncertain {
					t.Errorf("got %v", err)
				}
			}
			f.sleep(59 * time.Second)
			if _, err := say(t, bot, "k", "hi"); err == nil || f.count(callToken) != 1 {
				t.Errorf("%v after %d tries within a minute", err, f.count(callToken))
			}
			f.sleep(5 * time.Minute)
			if _, err := say(t, bot, "k", "hi"); err != nil || f.count(callToken) != 2 {
				t.Errorf("later: %v, %d tries", err, f.count(callToken))
			}
		})
	}
}

// TestBlockedToken: a limit is waited out; a passing trouble is not remembered.
func TestBlockedToken(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		f.script(callToken, says(-1, "system busy"), says(45009, "api freq out of limit"))
		for i, want := range []struct {
			kind   bridge.Kind
			tokens int
		}{{bridge.KindUnavailable, 1}, {bridge.KindRateLimited, 2}, {bridge.KindRateLimited, 2}} {
			if _, err := say(t, bot, "k", "hi"); bridge.KindOf(err) != want.kind || f.count(callToken) != want.tokens {
				t.Errorf("%d: %v, %d tokens", i, err, f.count(callToken))
			}
		}
		f.sleep(61 * time.Second)
		if _, err := say(t, bot, "k", "hi"); err != nil {
			t.Error(err)
		}
	})
}

// TestFailures is every code an admin can meet, inside an HTTP 200.
func TestFailures(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for kind, codes := range map[bridge.Kind][]int{
		bridge.KindUnavailable: {-1},
		bridge.KindCredential:  {40001, 40013, 40056, 40091},
		bridge.KindForbidden:   {43009, 48002, 48006, 48009, 60011, 60020, 80001, 85005, 93004, 93008, 95003, 301002},
		bridge.KindInvalid:     {40008, 40058, 44004, 82001},
		bridge.KindNotFound:    {40003, 60111, 81013, 93006},
		bridge.KindExpired:     {40007},
		bridge.KindTooLarge:    {45002},
		bridge.KindRateLimited: {45009, 45033},
		bridge.KindQuota:       {85004},
		bridge.KindInternal:    {987654},
	} {
		for _, code := range codes {
			f.script(callSend, says(code, "words"))
			its := bot
			if kind == bridge.KindRateLimited { // everybody after it would have to wait
				its = f.bot(t, nil, bridge.Env{})
			}
			_, err := its.Send(t.Context(), to("u"+strconv.Itoa(code), "k"), bridge.Text{Text: "hi"})
			var e *bridge.Error
			switch {
			case !errors.As(err, &e) || e.Kind != kind || e.Code != strconv.Itoa(code) || e.Op != "wecom: send message":
				t.Errorf("%d: %v", code, err)
			case e.Uncertain != (code == -1):
				t.Errorf("%d: uncertain %v", code, e.Uncertain)
			case (kind == bridge.KindRateLimited) != (e.RetryAfter > 0):
				t.Errorf("%d: retry after %v", code, e.RetryAfter)
			}
		}
	}
	if n := f.count(callToken); n != 3 {
		t.Errorf("%d tokens for 3 bots", n)
	}
}

// TestForeignAnswers come from gateways, captive portals and wrong addresses.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	elsewhere := http.Header{"Location": {f.URL + "/elsewhere"}}
	for i, c := range []struct {
		answer    scripted
		kind      bridge.Kind
		uncertain bool
	}{
		{scripted{Status: 200, Body: "<html>log in</html>"}, bridge.KindUnavailable, true},
		{scripted{Status: 200, Body: ""}, bridge.KindUnavailable, true},
		{scripted{Status: 200, Body: "{}"}, bridge.KindUnavailable, true},
		{scripted{Status: 200, Body: "[]"}, bridge.KindUnavailable, true},
		{scripted{Status: 200, Body: `{"errcode":0,"msgid":7}`}, bridge.KindUnavailable, true},
		{scripted{Status: 200, Body: `{"errcode":"x"}`}, bridge.KindUnavailable, true},
		{scripted{Status: 502, Body: "bad gateway"}, bridge.KindUnavailable, true},
		{scripted{Status: 503, Body: `{"errcode":45033,"errmsg":"busy"}`}, bridge.KindRateLimited, false},
		{scripted{Status: 429, Body: "slow down"}, bridge.KindRateLimited, false},
		{scripted{Status: 404, Body: "not found"}, bridge.KindInvalid, false},
		{scripted{Status: 302, Body: "", Header: elsewhere}, bridge.KindInvalid, false},
	} {
		f.script(callSend, c.answer)
		_, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), to("u"+strconv.Itoa(i), "k"), bridge.Text{Text: "hi"})
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != c.kind || e.Uncertain != c.uncertain {
			t.Errorf("%d: %v, %+v", i, err, e)
		}
	}
	if f.count("/elsewhere") != 0 {
		t.Error("followed a redirect with the token")
	}
}

// TestNetwork: what was sent and not answered may have arrived.
func TestNetwork(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	if _, err := say(t, bot, "k0", "hi"); err != nil {
		t.Fatal(err)
	}
	hang := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == callToken {
			_, _ = io.WriteString(w, `{"errcode":0,"access_token":"tok-in-the-address","expires_in":7200}`)
			return
		}
		panic(http.ErrAbortHandler) // the connection is dropped
	}))
	bot = openWith(t, map[string]string{"base_url": hang.URL}, bridge.Env{})
	_, err := say(t, bot, "k", "hi")
	var e *bridge.Error
	if !errors.As(err, &e) || e.Kind != bridge.KindUnavailable || !e.Uncertain {
		t.Errorf("dropped: %v", err)
	}
	hang.Close()
	_, err = say(t, bot, "k", "hi")
	if !errors.As(err, &e) || e.Kind != bridge.KindUnavailable || e.Uncertain {
		t.Errorf("refused: %v", err)
	}
	for _, word := range []string{"tok-in-the-address", secret, "access_token"} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, e), word) {
			t.Errorf("the error tells %q: %v", word, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bot.Send(ctx, to("ZhangSan", "k"), bridge.Text{Text: "hi"}); bridge.KindOf(err) != bridge.KindCanceled {
		t.Errorf("canceled: %v", err)
	}
}

// TestSilence: a call without an answer ends after ten seconds.
func TestSilence(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gate }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(gate) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	bot := openWith(t, map[string]string{"base_url": server.URL}, bridge.Env{})
	if _, err := bot.Send(ctx, to("ZhangSan", "k"), bridge.Text{Text: "hi"}); bridge.KindOf(err) != bridge.KindUnavailable {
		t.Errorf("got %v", err)
	}
}

// TestSecretsStayHome looks for the secret and the token in everything that is
// printed, though WeCom likes to quote them.
func TestSecretsStayHome(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var log strings.Builder
	var mu sync.Mutex
	logger := slog.New(slog.NewJSONHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	bot := f.bot(t, nil, bridge.Env{Log: logger})
	var all []error
	_, err := say(t, bot, "k", "hi")
	all = append(all, err)
	f.script(callSend, says(40058, "bad call /cgi-bin/message/send?access_token=token-1%2F%2B%3D%3D or token-1/+=="))
	_, err = say(t, bot, "k1", "hi")
	all = append(all, err)
	bad := f.bot(t, map[string]string{"secret": "wrong-secret-that-is-quoted"}, bridge.Env{Log: logger})
	_, err = say(t, bad, "k", "hi")
	all = append(all, err)
	_, err = bad.Check(t.Context())
	all = append(all, err)
	f.Close()
	_, err = say(t, bot, "k2", "hi")
	all = append(all, err)
	mu.Lock()
	defer mu.Unlock()
	printed := log.String()
	for _, err := range all {
		var e *bridge.Error
		errors.As(err, &e)
		printed += fmt.Sprintf("%v %+v %#v\n", err, e, e)
	}
	for _, word := range []string{"token-1/+==", "token-1%2F", secret, "wrong-secret", aesKey, "access_token=t"} {
		if strings.Contains(printed, word) {
			t.Errorf("%q shows in %s", word, printed)
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// TestCheck finds what is wrong, and disturbs nobody.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  func(*fakeWeCom)
		setting map[string]string
		want    []string // codes; "!" before one that is not right
		ip      string
	}{
		{name: "right", want: []string{"credential", "ip", "agent"}},
		{name: "secret", setting: map[string]string{"secret": "another"}, want: []string{"!credential"}},
		{name: "company", setting: map[string]string{"corp_id": "ww0000000000000000"}, want: []string{"!credential"}},
		{name: "ip", change: func(f *fakeWeCom) { f.trusted = false }, want: []string{"credential", "!ip"}, ip: "203.0.113.7"},
		{name: "agent", setting: map[string]string{"agent_id": "1000003"}, want: []string{"credential", "ip", "!agent"}},
		{name: "closed", change: func(f *fakeWeCom) { f.closed = 1 }, want: []string{"credential", "ip", "!agent"}},
	} {
		f := newFake(t)
		if c.change != nil {
			f.set(c.change)
		}
		findings, err := f.bot(t, c.setting, bridge.Env{}).Check(t.Context())
		var got []string
		for _, finding := range findings {
			code := finding.Code
			if !finding.OK {
				code = "!" + code
			}
			if finding.OK != (finding.Err == nil) || finding.Args["ip"] != c.ip && !finding.OK {
				t.Errorf("%s: %+v", c.name, finding)
			}
			got = append(got, code)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if f.count(callSend) != 0 {
			t.Errorf("%s: sent something", c.name)
		}
	}
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	f.script(callToken, scripted{Status: 502, Body: "x"})
	if findings, err := bot.Check(t.Context()); bridge.KindOf(err) != bridge.KindUnavailable || findings != nil {
		t.Errorf("unreachable: %v, %v", findings, err)
	}
	f.script(callApp, says(-1, "busy"))
	if findings, err := bot.Check(t.Context()); bridge.KindOf(err) != bridge.KindUnavailable || findings != nil {
		t.Errorf("busy: %v, %v", findings, err)
	}
}

// TestAddressIsFound in the words of every error, whatever they look like.
func TestAddressIsFound(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for words, want := range map[string]string{
		"not allow, hint: [1], from ip: 9.30.0.138, more info at https://x": "9.30.0.138",
		"from ip: 2001:db8::1, more":                                        "2001:db8::1",
		"from ip:9.30.0.138":                                                "9.30.0.138",
		"from ip: 9.30.0.138 more":                                          "9.30.0.138",
		"from ip: unknown, more":                                            "?",
		"from ip: ":                                                         "?",
		"nothing":                                                           "?",
	} {
		f.script(callApp, says(60020, words))
		findings, err := bot.Check(t.Context())
		if err != nil || len(findings) != 2 || findings[1].Args["ip"] != want || bridge.KindOf(findings[1].Err) != bridge.KindForbidden {
			t.Errorf("%q: %v, %+v", words, err, findings)
		}
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	directory, ok := newFake(t).bot(t, nil, bridge.Env{}).(bridge.Directory)
	if !ok {
		t.Fatal("cannot look up")
	}
	if p, err := directory.LookUp(t.Context(), "ZhangSan"); err != nil || p.Name != "张三" || p.Email != "" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := directory.LookUp(t.Context(), "Nobody"); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("got %v", err)
	}
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	opener, ok := f.bot(t, nil, bridge.Env{}).(bridge.FileOpener)
	if !ok {
		t.Fatal("cannot open files")
	}
	read := func() (string, error) {
		body, err := opener.OpenFile(t.Context(), bridge.File{ID: "MEDIA-1"})
		if err != nil {
			return "", err
		}
		data, err := io.ReadAll(body)
		return string(data), errors.Join(err, body.Close())
	}
	if got, err := read(); err != nil || got != "content" {
		t.Errorf("%q, %v", got, err)
	}
	f.rotate()
	if got, err := read(); err != nil || got != "content" || f.count(callToken) != 2 {
		t.Errorf("after the token ended: %q, %v, %d tokens", got, err, f.count(callToken))
	}
	named := http.Header{"Content-Type": {"application/json"}, "Content-Disposition": {"attachment; filename=a.json"}}
	f.script(callFile, scripted{Status: 200, Body: `{"errcode":0}`, Header: named})
	if got, err := read(); err != nil || got != `{"errcode":0}` {
		t.Errorf("a file that is JSON: %q, %v", got, err)
	}
	for _, c := range []struct {
		answer scripted
		want   bridge.Kind
	}{
		{says(40007, "invalid media_id"), bridge.KindExpired},
		{says(60020, "x"), bridge.KindForbidden},
		{says(0, "ok"), bridge.KindUnavailable},
		{scripted{Status: 200, Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}}, bridge.KindUnavailable},
		{scripted{Status: 500, Body: "x", Header: http.Header{"Content-Type": {"image/png"}}}, bridge.KindUnavailable},
	} {
		f.script(callFile, c.answer)
		_, err := read()
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != c.want || e.Uncertain {
			t.Errorf("%+v: %v", c.answer, err)
		}
	}
}

// TestCount: each call is counted, but for the token.
func TestCount(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var mu sync.Mutex
	got := map[string]int{}
	bot := f.bot(t, nil, bridge.Env{Count: func(api string) {
		mu.Lock()
		defer mu.Unlock()
		got[api]++
	}})
	for i := range 3 {
		if _, err := say(t, bot, strconv.Itoa(i), "hi"); err != nil {
			t.Error(err)
		}
	}
	f.rotate() // the refused call and its repetition count both
	if _, err := bot.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if want := map[string]int{"message/send": 3, "agent/get": 2}; !mapsEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func mapsEqual(a, b map[string]int) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

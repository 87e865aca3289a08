package feishu_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

func send(t *testing.T, bot bridge.Bot, to bridge.Address) (bridge.MessageID, error) {
	t.Helper()
	return bot.Send(t.Context(), to, bridge.Text{Text: "hi"})
}

func TestTokenIsSharedAndKept(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			to := bridge.Address{Chat: fmt.Sprintf("oc_%d", n), Key: "k"}
			if id, err := bot.Send(t.Context(), to.WithKey(to.Chat), bridge.Text{Text: "hi"}); err != nil || id == "" {
				t.Errorf("got %q, %v", id, err)
			}
		})
	}
	group.Wait()
	if f.count(pathToken) != 1 || f.count(pathCreate) != 8 {
		t.Errorf("%d tokens for %d sends", f.count(pathToken), f.count(pathCreate))
	}
}

// TestTokenIsRenewedEarly: with less than half an hour left the platform gives a
// new one, so that is when to ask.
func TestTokenIsRenewedEarly(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		for _, step := range []struct {
			pause time.Duration
			want  int
		}{{0, 1}, {99 * time.Minute, 1}, {2 * time.Minute, 2}, {time.Minute, 2}} {
			time.Sleep(step.pause)
			if _, err := send(t, bot, direct().WithKey("")); err != nil {
				t.Fatal(err)
			}
			if got := f.count(pathToken); got != step.want {
				t.Errorf("after %v more: %d tokens, want %d", step.pause, got, step.want)
			}
		}
	})
}

// TestRefusedTokenIsReplacedOnce: a token may end early, as when the secret was
// changed.
func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for _, code := range []int{99991661, 99991663, 99991664, 99991671} {
		f := newFake(t)
		bot := f.bot(t, nil, bridge.Env{})
		stale := bad(code, "Invalid access token for authorization")
		f.script(pathCreate, stale)
		if id, err := send(t, bot, direct()); err != nil || id == "" {
			t.Errorf("%d: got %q, %v", code, id, err)
		}
		if f.count(pathToken) != 2 || f.count(pathCreate) != 2 {
			t.Errorf("%d: %d tokens for %d sends", code, f.count(pathToken), f.count(pathCreate))
		}
		f.script(pathCreate, stale, stale, stale)
		if _, err := send(t, bot, direct().WithKey("2")); bridge.KindOf(err) != bridge.KindCredential {
			t.Errorf("%d: got %v", code, err)
		}
		if f.count(pathToken) != 3 || f.count(pathCreate) != 4 {
			t.Errorf("%d: %d tokens for %d sends", code, f.count(pathToken), f.count(pathCreate))
		}
	}
}

// TestWrongSecret: it is not tried in a loop, but not given up for ever either.
func TestWrongSecret(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, map[string]string{"app_secret": "wrong"}, bridge.Env{})
		for _, step := range []struct {
			pause time.Duration
			want  int
		}{{0, 1}, {0, 1}, {59 * time.Second, 1}, {2 * time.Second, 2}} {
			time.Sleep(step.pause)
			_, err := send(t, bot, direct())
			var e *bridge.Error
			if !errors.As(err, &e) || e.Kind != bridge.KindCredential || e.Code != "10014" {
				t.Errorf("got %v", err)
			}
			if got := f.count(pathToken); got != step.want {
				t.Errorf("after %v more: %d log-ins, want %d", step.pause, got, step.want)
			}
		}
		if f.count(pathCreate) != 0 {
			t.Error("a call without a token")
		}
	})
}

// TestErrors translates what the platform may say to a send.
func TestErrors(t *testing.T) {
	t.Parallel()
	code := func(n int) string { return fmt.Sprintf(`{"code":%d,"msg":"x"}`, n) }
	link := "/app/cli_x/auth"
	for _, c := range []struct {
		status int
		body   string
		want   bridge.Error
	}{
		{400, `{"code":99991672,"msg":"Access denied. One of the following scopes is required: [im:message]","error":{"permission_violations":[{"type":"action_scope_required","subject":"im:message"},{"type":"action_scope_required","subject":"im:message:send_as_bot"}]}}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"scope": "im:message, im:message:send_as_bot", "link": link + "?q=im%3Amessage%2Cim%3Amessage%3Asend_as_bot&op_from=openapi&token_type=tenant"}}},
		{400, code(99991672), bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"scope": "?", "link": link}}},
		{400, code(230027), bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"scope": "?", "link": link}}},
		{400, `{"code":99991401,"msg":"ip 203.0.113.7 is denied by app setting"}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"ip": "203.0.113.7"}}},
		{400, code(99991401), bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"ip": "?"}}},
		{429, code(99991400), bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Second}},
		{400, code(99991400), bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Second}},
		{200, code(230020), bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Second}},
		{400, code(230049), bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Second, Uncertain: true}},
		{429, code(99991403), bridge.Error{Kind: bridge.KindQuota}},
		{400, code(230002), bridge.Error{Kind: bridge.KindForbidden}},
		{400, code(230006), bridge.Error{Kind: bridge.KindForbidden}},
		{400, code(230013), bridge.Error{Kind: bridge.KindForbidden}},
		{400, code(230035), bridge.Error{Kind: bridge.KindForbidden}},
		{400, code(232009), bridge.Error{Kind: bridge.KindNotFound}},
		{400, code(230029), bridge.Error{Kind: bridge.KindNotFound}},
		{400, code(230025), bridge.Error{Kind: bridge.KindTooLarge}},
		{400, code(230001), bridge.Error{Kind: bridge.KindInvalid}},
		{400, code(99992361), bridge.Error{Kind: bridge.KindInvalid}},
		{400, code(99992402), bridge.Error{Kind: bridge.KindInvalid}},
		{400, code(424242), bridge.Error{Kind: bridge.KindInvalid}},
		{200, code(42), bridge.Error{Kind: bridge.KindInternal}},
		{500, code(42), bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{500, code(0), bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{401, code(42), bridge.Error{Kind: bridge.KindCredential}},
		{403, code(42), bridge.Error{Kind: bridge.KindForbidden}},
		{200, `{}`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{200, `{"code":0,"data":[]}`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{200, `<html>welcome to the hotel</html>`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{502, `<html>bad gateway</html>`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{404, `404 page not found`, bridge.Error{Kind: bridge.KindInvalid}},
		{403, `<html>log in first</html>`, bridge.Error{Kind: bridge.KindInvalid}},
		{413, `<html>too large</html>`, bridge.Error{Kind: bridge.KindTooLarge}},
		{429, `<html>slow down</html>`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Second}},
	} {
		f := newFake(t)
		f.script(pathCreate, answer{c.status, c.body})
		_, err := send(t, f.bot(t, nil, bridge.Env{}), direct())
		if link := c.want.Args["link"]; link != "" {
			c.want.Args["link"] = f.URL + link
		}
		compare(t, fmt.Sprintf("%d %s", c.status, c.body), err, c.want)
		if f.count(pathCreate) != 1 {
			t.Errorf("%s: sent %d times", c.body, f.count(pathCreate))
		}
	}
}

// compare checks what the caller decides by.
func compare(t *testing.T, name string, err error, want bridge.Error) {
	t.Helper()
	var e *bridge.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: got %v", name, err)
		return
	}
	got := bridge.Error{Kind: e.Kind, RetryAfter: e.RetryAfter, Uncertain: e.Uncertain, Args: e.Args}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	if !strings.HasPrefix(e.Op, "feishu: ") {
		t.Errorf("%s: op %q", name, e.Op)
	}
}

// TestCardErrors reads the code inside the words.
func TestCardErrors(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]bridge.Kind{
		"Failed to create card content, ext=ErrCode: 200860; ErrMsg: over the limit": bridge.KindTooLarge,
		"ErrCode: 200621": bridge.KindInvalid,
		"ErrCode: x":      bridge.KindInvalid,
		"x":               bridge.KindInvalid,
	} {
		f := newFake(t)
		f.script(pathCreate, bad(230099, words))
		_, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Native{Type: "interactive", JSON: []byte(`{"a":1}`)})
		compare(t, words, err, bridge.Error{Kind: want})
	}
}

// TestRetryAfter reads how long to wait from either header.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"x-ogw-ratelimit-reset", "7", 7 * time.Second},
		{"Retry-After", "3", 3 * time.Second},
		{"x-ogw-ratelimit-reset", "0", time.Second},
		{"x-ogw-ratelimit-reset", "soon", time.Second},
		{"x-ogw-ratelimit-reset", "99999999", time.Hour},
	} {
		f := newFake(t)
		f.header.Set(c.name, c.value)
		f.script(pathCreate, answer{429, `{"code":99991400,"msg":"request trigger frequency limit"}`}, answer{429, `{"code":99991403,"msg":"quota"}`})
		_, err := send(t, f.bot(t, nil, bridge.Env{}), direct())
		compare(t, c.value, err, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: c.want})
		_, err = send(t, f.bot(t, nil, bridge.Env{}), direct())
		compare(t, "quota", err, bridge.Error{Kind: bridge.KindQuota})
	}
}

func TestLostConnections(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(func() { close(release); slow.Close() })
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, c := range map[string]struct {
		server *httptest.Server
		want   bridge.Error
	}{
		// The first call asks for a token, which shows nothing to anybody.
		"no answer in time": {slow, bridge.Error{Kind: bridge.KindUnavailable}},
		"nobody there":      {closed, bridge.Error{Kind: bridge.KindUnavailable}},
	} {
		bot := openBot(t, map[string]string{"base_url": c.server.URL})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := bot.Send(ctx, direct(), bridge.Text{Text: "hi"})
		cancel()
		compare(t, name, err, c.want)
	}
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	f.loseSend()
	_, err := send(t, bot, direct())
	compare(t, "after it took effect", err, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true})
	if len(f.screen()) != 1 {
		t.Error("it did not take effect")
	}
	f.Close()
	_, err = send(t, bot, direct().WithKey("2"))
	compare(t, "before it took effect", err, bridge.Error{Kind: bridge.KindUnavailable})
}

// TestRedirectsAreNotFollowed: they would take the token along.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	inner := newFake(t)
	for _, path := range []string{pathToken, pathCreate} {
		f := newFake(t)
		f.script(path, answer{http.StatusTemporaryRedirect, inner.URL + "/secret"})
		if _, err := send(t, f.bot(t, nil, bridge.Env{}), direct()); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if n := len(inner.took()); n != 0 {
		t.Errorf("%d calls were led astray", n)
	}
}

// TestSecretsStayInside: nothing that opens a door shows in an error or a log,
// not even when the other side repeats it.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var log bytes.Buffer
	bot := f.bot(t, nil, bridge.Env{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	words := strings.Repeat("x", 380) + secret + " t-1 " + encryptKey + verifyWith
	f.script(pathCreate, bad(230099, words), bad(230099, secret+" t-1"), bad(230099, words), bad(7, words), answer{502, words})
	var all strings.Builder
	for _, c := range []bridge.Content{bridge.Markdown{Text: "# x"}, bridge.Text{Text: "x"}, bridge.Text{Text: "x"}} {
		_, err := bot.Send(t.Context(), direct(), c)
		if err == nil {
			t.Error("no error")
		}
		fmt.Fprintf(&all, "%v %+v\n", err, err)
	}
	if log.Len() == 0 {
		t.Error("a refused card is not noted")
	}
	for _, word := range []string{"t-1", secret, encryptKey, verifyWith} {
		if strings.Contains(all.String()+log.String(), word) {
			t.Errorf("%s shows in:\n%s\n%s", word, &all, &log)
		}
	}
	if !strings.Contains(all.String(), "2026LOG") {
		t.Errorf("the id that support asks for is missing: %s", &all)
	}
}

// TestBudget: what Feishu counts is counted, and nothing else.
func TestBudget(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var mu sync.Mutex
	var counted []string
	bot := f.bot(t, nil, bridge.Env{Count: func(api string) {
		mu.Lock()
		defer mu.Unlock()
		counted = append(counted, api)
	}})
	f.script(pathCreate, bad(230020, "x"), answer{200, `{"code":230022,"msg":"x"}`})
	for n := range 3 {
		_, _ = send(t, bot, direct().WithKey(fmt.Sprint(n)))
	}
	directory, _ := bot.(bridge.Directory)
	if _, err := directory.LookUp(t.Context(), "ou_1"); err != nil {
		t.Error(err)
	}
	if _, err := bot.Check(t.Context()); err != nil {
		t.Error(err)
	}
	create := "/open-apis/im/v1/messages"
	if want := []string{create, create, create, pathBot, pathScopes}; !slices.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const bot, scope, card = "bot", "scope", "card"
	for name, c := range map[string]struct {
		change func(f *fake)
		want   map[string]bridge.Kind // of what is not OK
		scopes string
	}{
		"all is well": {func(*fake) {}, nil, ""},
		"older scopes": {func(f *fake) {
			f.scopes = map[string]int{"im:message": 1, "im:message.p2p_msg": 1, "im:message.group_msg": 1, "cardkit:card:write": 1}
		}, nil, ""},
		"nothing granted":  {func(f *fake) { clear(f.scopes) }, map[string]bridge.Kind{scope: bridge.KindForbidden, card: bridge.KindForbidden}, "im:message:send_as_bot, im:message.p2p_msg:readonly, im:message.group_at_msg:readonly"},
		"waiting":          {func(f *fake) { f.scopes["im:message:send_as_bot"] = 2 }, map[string]bridge.Kind{scope: bridge.KindForbidden}, "im:message:send_as_bot"},
		"no growing cards": {func(f *fake) { delete(f.scopes, "cardkit:card:write") }, map[string]bridge.Kind{card: bridge.KindForbidden}, "cardkit:card:write"},
		"not enabled":      {func(f *fake) { f.status = 4 }, map[string]bridge.Kind{bot: bridge.KindForbidden}, ""},
		"no bot":           {func(f *fake) { f.script(pathBot, bad(10024, "app has no bot")) }, map[string]bridge.Kind{bot: bridge.KindInvalid}, ""},
		"not published":    {func(f *fake) { f.script(pathScopes, bad(212100, "not installed")) }, map[string]bridge.Kind{bot: bridge.KindForbidden}, ""},
		"unknown":          {func(f *fake) { f.script(pathScopes, bad(7, "x")) }, map[string]bridge.Kind{scope: bridge.KindInvalid}, "?"},
	} {
		f := newFake(t)
		c.change(f)
		findings, err := f.bot(t, nil, bridge.Env{}).Check(t.Context())
		for code := range c.want {
			if !slices.ContainsFunc(findings, func(f bridge.Finding) bool { return f.Code == code }) {
				t.Errorf("%s: %s is not among %+v", name, code, findings)
			}
		}
		if err != nil || len(findings) < 2 || findings[0].Code != "credential" || !findings[0].OK {
			t.Errorf("%s: %+v, %v", name, findings, err)
		}
		for _, found := range findings {
			if found.OK != (found.Err == nil) || bridge.KindOf(found.Err) != c.want[found.Code] {
				t.Errorf("%s: %s is %v, %v", name, found.Code, found.OK, found.Err)
			}
			if !found.OK && c.scopes != "" && len(c.want) == 1 && found.Args["scope"] != c.scopes {
				t.Errorf("%s: %v", name, found.Args)
			}
			if !found.OK && found.Code == scope && name == "nothing granted" && found.Args["scope"] != c.scopes {
				t.Errorf("%s: %v", name, found.Args)
			}
		}
		if len(f.screen()) > 0 {
			t.Errorf("%s: somebody saw it", name)
		}
	}
	f := newFake(t)
	findings, err := f.bot(t, map[string]string{"app_secret": "wrong"}, bridge.Env{}).Check(t.Context())
	if err != nil || len(findings) != 1 || findings[0].OK || bridge.KindOf(findings[0].Err) != bridge.KindCredential {
		t.Errorf("wrong secret: %+v, %v", findings, err)
	}
	for _, path := range []string{pathToken, pathBot, pathScopes} {
		f := newFake(t)
		f.script(path, answer{503, "busy"})
		if findings, err := f.bot(t, nil, bridge.Env{}).Check(t.Context()); bridge.KindOf(err) != bridge.KindUnavailable || findings != nil {
			t.Errorf("%s: %+v, %v", path, findings, err)
		}
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	directory, _ := f.bot(t, nil, bridge.Env{}).(bridge.Directory)
	p, err := directory.LookUp(t.Context(), "ou_1")
	want := bridge.Profile{Name: "小飞", Email: "f@example.com", Mobile: "+8613800138000", Department: "od-1,od-7", Avatar: "https://a.example/240"}
	if err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	f.script(pathUser, bad(41050, "no user authority"), ok(`{"user":{}}`))
	if _, err := directory.LookUp(t.Context(), "ou_1"); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("out of range: %v", err)
	}
	if p, err := directory.LookUp(t.Context(), "ou_1"); err != nil || p != (bridge.Profile{}) {
		t.Errorf("without the right to read fields: %+v, %v", p, err)
	}
	if _, err := directory.LookUp(t.Context(), ""); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("nobody: %v", err)
	}
}

func TestRecall(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	id, err := send(t, bot, direct())
	if err != nil {
		t.Fatal(err)
	}
	recaller, _ := bot.(bridge.Recaller)
	if err := recaller.Recall(t.Context(), id, direct()); err != nil || len(f.screen()) != 0 {
		t.Errorf("%v, %+v", err, f.screen())
	}
	if err := recaller.Recall(t.Context(), id, direct()); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("twice: %v", err)
	}
	f.script("/open-apis/im/v1/messages/"+string(id), bad(230009, "too old"))
	if err := recaller.Recall(t.Context(), id, direct()); bridge.KindOf(err) != bridge.KindExpired {
		t.Errorf("too late: %v", err)
	}
	if err := recaller.Recall(t.Context(), "", direct()); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("nothing: %v", err)
	}
}

// TestExplain: what an admin can put right is said in words.
func TestExplain(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"code":99991401,"msg":"ip 203.0.113.7 is denied"}`: {"203.0.113.7", "IP 白名单"},
		`{"code":99991672,"msg":"Access denied","error":{"permission_violations":[{"type":"action_scope_required","subject":"im:message"}]}}`: {"im:message", "/app/cli_x/auth?q=im%3Amessage"},
		`{"code":99991403,"msg":"This month's API call quota has been exceeded"}`:                                                             {"管理后台", "权益数据"},
		`{"code":230013,"msg":"Bot has NO availability to this user."}`:                                                                       {"可用范围"},
	} {
		f := newFake(t)
		f.script(pathCreate, answer{400, body})
		_, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Text{Text: "hi"})
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			e := i18n.Explain(lang, err)
			for _, word := range want {
				if !strings.Contains(e.String(), word) || strings.Contains(e.String(), "{") {
					t.Errorf("%s: %s: %s", lang, body, e)
				}
			}
		}
	}
}

// TestGivenUp: who stops waiting is not kept.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		must(t, d.Update(t.Context(), "one"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.Update(ctx, "two"); bridge.KindOf(err) != bridge.KindCanceled {
			t.Errorf("got %v", err)
		}
		must(t, d.Update(t.Context(), "three"))
	})
}

// TestPatchedDraftLostSend: what is shown after an update whose answer was lost is
// what was written last, and not what that update said.
func TestPatchedDraftLostSend(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, d bridge.Draft) error{
		"finish": func(ctx context.Context, d bridge.Draft) error {
			_, err := d.Finish(ctx, bridge.Markdown{Text: "two"})
			return err
		},
		"card": func(ctx context.Context, d bridge.Draft) error {
			_, err := d.Finish(ctx, bridge.Card{Text: "two", Buttons: []bridge.Button{{Text: "b"}}})
			return err
		},
		"update": func(ctx context.Context, d bridge.Draft) error { return d.Update(ctx, "two") },
		"the same": func(ctx context.Context, d bridge.Draft) error {
			_ = d.Update(ctx, "two")
			_, err := d.Finish(ctx, bridge.Markdown{Text: "two"})
			return err
		},
		"fail": func(ctx context.Context, d bridge.Draft) error { return d.Fail(ctx, "two") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			synctest.Test(t, func(t *testing.T) {
				f.script(pathCards, bad(99991672, "Access denied"))
				d := begin(t, streamer(t, f), direct())
				f.loseSend()
				if err := d.Update(t.Context(), "one"); bridge.KindOf(err) != bridge.KindUnavailable {
					t.Errorf("got %v", err)
				}
				must(t, end(t.Context(), d))
				if seen := f.screen(); len(seen) != 1 || !strings.Contains(seen[0].content, "two") {
					t.Errorf("%+v", seen)
				}
			})
		})
	}
}

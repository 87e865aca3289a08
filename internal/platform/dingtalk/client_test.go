package dingtalk_test

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
	for range 8 {
		group.Go(func() {
			if id, err := bot.Send(t.Context(), f.to(bridge.Direct, noWebhook), bridge.Text{Text: "hi"}); err != nil || id != "q1" {
				t.Errorf("got %q, %v", id, err)
			}
		})
	}
	group.Wait()
	if f.count(pathToken) != 1 || f.count(pathUser) != 8 {
		t.Errorf("%d tokens for %d sends", f.count(pathToken), f.count(pathUser))
	}
}

// TestTokenGivenUp: one who stops waiting does not take the token from the others.
func TestTokenGivenUp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	asked, gate := make(chan struct{}), make(chan struct{})
	f.slowToken = func() { close(asked); <-gate }
	bot := f.bot(t, nil, bridge.Env{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := bot.Send(ctx, f.to(bridge.Direct, noWebhook), bridge.Text{Text: "hi"})
	if bridge.KindOf(err) != bridge.KindCanceled {
		t.Errorf("got %v", err)
	}
	close(gate)
	if _, err := send(t, bot, f.to(bridge.Direct, noWebhook)); err != nil {
		t.Error(err)
	}
	if n := f.count(pathToken); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

func TestTokenIsRenewedEarly(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		for _, step := range []struct {
			pause time.Duration
			want  int
		}{{0, 1}, {6890 * time.Second, 1}, {20 * time.Second, 2}, {time.Minute, 2}} {
			time.Sleep(step.pause)
			if _, err := send(t, bot, f.to(bridge.Direct, noWebhook)); err != nil {
				t.Fatal(err)
			}
			if got := f.count(pathToken); got != step.want {
				t.Errorf("after %v more: %d tokens, want %d", step.pause, got, step.want)
			}
		}
	})
}

// TestTokenWithoutEnd: a token of unknown life is kept for the usual time.
func TestTokenWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, life := range []int{0, -1, 1 << 40} {
		f := newFake(t)
		f.life = life
		bot := f.bot(t, nil, bridge.Env{})
		for range 2 {
			if _, err := send(t, bot, f.to(bridge.Direct, noWebhook)); err != nil {
				t.Error(err)
			}
		}
		if n := f.count(pathToken); n != 1 {
			t.Errorf("life %d: %d tokens", life, n)
		}
	}
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized} {
		f := newFake(t)
		bot := f.bot(t, nil, bridge.Env{})
		stale := answer{status, `{"code":"InvalidAuthentication","message":"不合法的access_token"}`}
		f.script(pathUser, stale)
		if id, err := send(t, bot, f.to(bridge.Direct, noWebhook)); err != nil || id != "q1" {
			t.Errorf("%d: got %q, %v", status, id, err)
		}
		if f.count(pathToken) != 2 || f.count(pathUser) != 2 {
			t.Errorf("%d: %d tokens for %d sends", status, f.count(pathToken), f.count(pathUser))
		}
		f.script(pathUser, stale, stale, stale)
		if _, err := send(t, bot, f.to(bridge.Direct, noWebhook)); bridge.KindOf(err) != bridge.KindCredential {
			t.Errorf("%d: got %v", status, err)
		}
		if f.count(pathToken) != 3 || f.count(pathUser) != 4 {
			t.Errorf("%d: %d tokens for %d sends", status, f.count(pathToken), f.count(pathUser))
		}
	}
}

// TestWrongSecret: it is not tried in a loop, but not given up for ever either.
func TestWrongSecret(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := openWith(t, map[string]string{"base_url": f.URL, "oapi_url": f.URL}, "wrong", bridge.Env{})
		for _, step := range []struct {
			pause time.Duration
			want  int
		}{{0, 1}, {0, 1}, {59 * time.Second, 1}, {2 * time.Second, 2}, {time.Second, 2}} {
			time.Sleep(step.pause)
			_, err := send(t, bot, f.to(bridge.Direct, noWebhook))
			var e *bridge.Error
			if !errors.As(err, &e) || e.Kind != bridge.KindCredential || e.Code != "invalidClientIdOrSecret" {
				t.Errorf("got %v", err)
			}
			if got := f.count(pathToken); got != step.want {
				t.Errorf("after %v more: %d log-ins, want %d", step.pause, got, step.want)
			}
		}
		if f.count(pathUser) != 0 {
			t.Error("a call without a token")
		}
	})
}

// TestTokenTroublePasses: a token that could not be fetched is tried again.
func TestTokenTroublePasses(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	f.script(pathToken, answer{503, `{"code":"serviceBusy"}`}, answer{200, `{}`})
	for range 2 {
		if _, err := send(t, bot, f.to(bridge.Direct, noWebhook)); bridge.KindOf(err) != bridge.KindUnavailable {
			t.Errorf("got %v", err)
		}
	}
	if _, err := send(t, bot, f.to(bridge.Direct, noWebhook)); err != nil {
		t.Error(err)
	}
}

// TestErrors translates what the robot API may say.
func TestErrors(t *testing.T) {
	t.Parallel()
	const denied = "Forbidden.AccessDenied."
	for _, c := range []struct {
		status int
		body   string
		want   bridge.Error
	}{
		{403, `{"code":"` + denied + `AccessTokenPermissionDenied","message":"no","accessdenieddetail":{"requiredScopes":["qyapi_robot_sendmsg"]}}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"scope": "qyapi_robot_sendmsg"}}},
		{403, `{"code":"` + denied + `AccessTokenPermissionDenied","accessDeniedDetail":{"requiredScopes":["A","B"]}}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"scope": "A, B"}}},
		{403, `{"code":"` + denied + `AccessTokenPermissionDenied"}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"scope": "?"}}},
		{403, `{"code":"` + denied + `IpNotInWhiteList","message":"访问ip不在白名单之中,request ip=203.0.113.7 appKey"}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"ip": "203.0.113.7"}}},
		{403, `{"code":"` + denied + `IpNotInWhiteList","message":"request ip 2001:db8::1."}`, bridge.Error{Kind: bridge.KindForbidden, Args: map[string]string{"ip": "2001:db8::1"}}},
		{403, `{"code":"` + denied + `QpsLimitForAppkeyAndApi"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond}},
		{403, `{"code":"` + denied + `QpsLimitForApi"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond}},
		{403, `{"code":"` + denied + `QpmLimitForAppkeyAndApi"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond}},
		{403, `{"code":"` + denied + `ApiCountLimitForOrg"}`, bridge.Error{Kind: bridge.KindQuota}},
		{403, `{"code":"` + denied + `SomethingNew"}`, bridge.Error{Kind: bridge.KindForbidden}},
		{403, `{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"xxx"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 5 * time.Minute}},
		{200, `{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"xxx"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 5 * time.Minute}},
		{200, `<html><body>busy</body></html>`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 5 * time.Minute}},
		{403, `<html>{"status":1111,"wait":5}</html>`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 5 * time.Minute}},
		{502, `<html>bad gateway</html>`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{503, `<html>unavailable</html>`, bridge.Error{Kind: bridge.KindUnavailable}},
		{404, `<html>not here</html>`, bridge.Error{Kind: bridge.KindInvalid}},
		{503, `{"code":"somethingNew"}`, bridge.Error{Kind: bridge.KindUnavailable}},
		{503, `{"code":"serviceBusy"}`, bridge.Error{Kind: bridge.KindUnavailable}},
		{500, `{"code":"system.busy"}`, bridge.Error{Kind: bridge.KindUnavailable}},
		{504, `{"code":"timeout"}`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		{400, `{"code":"resource.not.found"}`, bridge.Error{Kind: bridge.KindNotFound}},
		{400, `{"code":"robot.oto.notExist"}`, bridge.Error{Kind: bridge.KindNotFound}},
		{400, `{"code":"invalidParameter.robotCode.notExsit"}`, bridge.Error{Kind: bridge.KindNotFound}},
		{400, `{"code":"invalidParameter.robotCode.auth"}`, bridge.Error{Kind: bridge.KindForbidden}},
		{400, `{"code":"chatbotId.notAllow.sendOTO"}`, bridge.Error{Kind: bridge.KindForbidden}},
		{400, `{"code":"bot.stopped"}`, bridge.Error{Kind: bridge.KindForbidden}},
		{400, `{"code":"send.too.fast"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond}},
		{400, `{"code":"group.disbanded"}`, bridge.Error{Kind: bridge.KindNotFound}},
		{400, `{"code":"contain.unsafe.url"}`, bridge.Error{Kind: bridge.KindBlocked}},
		{400, `{"code":"invalidParameter.msgParam.tooLong"}`, bridge.Error{Kind: bridge.KindTooLarge}},
		{400, `{"code":"invalidParameter.userIds.overMax"}`, bridge.Error{Kind: bridge.KindInvalid}},
		{400, `{"code":"miss.param.actionCardTobtnsToactionUrl"}`, bridge.Error{Kind: bridge.KindInvalid}},
		{429, `{"code":"x"}`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond}},
		{200, `{"processQueryKey":`, bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 5 * time.Minute}},
		{200, `{"processQueryKey":7}`, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
	} {
		f := newFake(t)
		f.script(pathUser, answer{c.status, c.body})
		_, err := send(t, f.bot(t, nil, bridge.Env{}), f.to(bridge.Direct, noWebhook))
		compare(t, c.body, err, c.want)
		if f.count(pathUser) != 1 {
			t.Errorf("%s: sent %d times", c.body, f.count(pathUser))
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
	if !strings.HasPrefix(e.Op, "dingtalk: ") {
		t.Errorf("%s: op %q", name, e.Op)
	}
}

// TestWebhookErrors translates what a session webhook may say, always with 200.
func TestWebhookErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bridge.Error{
		`{"errcode":130101,"errmsg":"send too fast"}`:                     {Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond},
		`{"errcode":410100,"errmsg":"x"}`:                                 {Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond},
		`{"errcode":"90018","errmsg":"x"}`:                                {Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond},
		`{"errcode":90020,"errmsg":"x"}`:                                  {Kind: bridge.KindQuota},
		`{"errcode":-1,"errmsg":"busy"}`:                                  {Kind: bridge.KindUnavailable},
		`{"errcode":15,"errmsg":"timeout"}`:                               {Kind: bridge.KindUnavailable, Uncertain: true},
		`{"errcode":88,"errmsg":"x"}`:                                     {Kind: bridge.KindUnavailable, Uncertain: true},
		`{"errcode":88,"errmsg":"x","sub_code":"90018","sub_msg":"y"}`:    {Kind: bridge.KindRateLimited, RetryAfter: 1500 * time.Millisecond},
		`{"errcode":88,"sub_code":"60020","sub_msg":"ip 203.0.113.7 no"}`: {Kind: bridge.KindForbidden, Args: map[string]string{"ip": "203.0.113.7"}},
		`{"errcode":400013,"errmsg":"x"}`:                                 {Kind: bridge.KindNotFound},
		`{"errcode":400102,"errmsg":"x"}`:                                 {Kind: bridge.KindForbidden},
		`{"errcode":400105,"errmsg":"x"}`:                                 {Kind: bridge.KindInvalid},
		`{"errcode":40035,"errmsg":"x"}`:                                  {Kind: bridge.KindInvalid},
		`{"errcode":460101,"errmsg":"x"}`:                                 {Kind: bridge.KindTooLarge},
		`{"errcode":430102,"errmsg":"x"}`:                                 {Kind: bridge.KindBlocked},
		`{"errcode":424242,"errmsg":"x"}`:                                 {Kind: bridge.KindInternal},
		`{}`:                                                              {Kind: bridge.KindUnavailable, Uncertain: true},
	} {
		f := newFake(t)
		f.script(pathHook, answer{200, body})
		_, err := send(t, f.bot(t, nil, bridge.Env{}), f.to(bridge.Direct, nil))
		compare(t, body, err, want)
		if n := len(f.took()); n != 1 {
			t.Errorf("%s: %d calls", body, n)
		}
	}
}

// TestPeopleRefused: a good answer may hold a refusal.
func TestPeopleRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for user, want := range map[string]bridge.Error{
		"gone": {Kind: bridge.KindNotFound}, "busy": {Kind: bridge.KindRateLimited, RetryAfter: 30 * time.Second},
	} {
		_, err := send(t, bot, bridge.Address{Kind: bridge.Direct, User: bridge.UserID(user)})
		compare(t, user, err, want)
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
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(cut.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, c := range map[string]struct {
		server  *httptest.Server
		timeout time.Duration
		want    bridge.Error
	}{
		"no answer in time": {slow, 100 * time.Millisecond, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		"cut off":           {cut, time.Minute, bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}},
		"nobody there":      {closed, time.Minute, bridge.Error{Kind: bridge.KindUnavailable}},
	} {
		f := &fake{Server: c.server}
		bot := openBot(t, map[string]string{"base_url": f.URL, "oapi_url": f.URL})
		ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
		_, err := bot.Send(ctx, f.to(bridge.Direct, nil), bridge.Text{Text: "hi"})
		cancel()
		compare(t, name, err, c.want)
		if strings.Contains(err.Error(), session) {
			t.Errorf("%s: the error tells the session: %v", name, err)
		}
	}
}

// TestRedirectsAreNotFollowed: they could lead into the company's network.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	inner := newFake(t)
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		f := newFake(t)
		f.script(pathHook, answer{status, inner.URL + "/secret"})
		f.script(pathToken, answer{status, inner.URL + "/secret"})
		bot := f.bot(t, nil, bridge.Env{})
		for _, to := range []bridge.Address{f.to(bridge.Direct, nil), f.to(bridge.Direct, noWebhook)} {
			if _, err := send(t, bot, to); bridge.KindOf(err) != bridge.KindInvalid {
				t.Errorf("%d: got %v", status, err)
			}
		}
	}
	if n := len(inner.took()); n != 0 {
		t.Errorf("%d calls were led astray", n)
	}
}

// TestStoredWebhookIsCheckedAgain: an address may have been stored under other
// settings.
func TestStoredWebhookIsCheckedAgain(t *testing.T) {
	t.Parallel()
	f, inner := newFake(t), newFake(t)
	to := f.to(bridge.Direct, func(data map[string]any, _ *bridge.Address) {
		data["sessionWebhook"] = inner.URL + pathHook + "?session=" + session
	})
	if id, err := send(t, f.bot(t, nil, bridge.Env{}), to); err != nil || id != "q1" {
		t.Errorf("got %q, %v", id, err)
	}
	if len(inner.took()) != 0 || f.count(pathUser) != 1 {
		t.Error("a foreign host was called")
	}
}

// TestSecretsStayInside: nothing that opens a door shows in an error or a log,
// not even when the other side repeats it.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var log bytes.Buffer
	bot := f.bot(t, map[string]string{"card_template_id": template}, bridge.Env{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	// Each repeats what it was told, and once at the end of very many words.
	hook, robot := secret+" and "+strings.Repeat("x", 300)+session, secret+" and token-1"
	f.script(pathHook, answer{200, `{"errcode":40035,"errmsg":"` + hook + `"}`}, answer{502, hook})
	f.script(pathUser, answer{400, `{"code":"x","message":"` + robot + `"}`}, answer{200, robot})
	var all strings.Builder
	for _, to := range []bridge.Address{
		f.to(bridge.Direct, nil), f.to(bridge.Direct, nil), f.to(bridge.Direct, noWebhook), f.to(bridge.Direct, noWebhook),
	} {
		_, err := send(t, bot, to)
		if err == nil {
			t.Error("no error")
		}
		fmt.Fprintf(&all, "%v %+v\n", err, err)
	}
	body := strings.Replace(hello, `"msgId"`, `"sessionWebhook":"https://evil.example.com/`+session+`","msgId"`, 1)
	receiveOne(t, bot, body)
	if log.Len() == 0 {
		t.Error("a foreign webhook is not noted")
	}
	for _, word := range []string{"token-1", secret, session} {
		if strings.Contains(all.String()+log.String(), word) {
			t.Errorf("%s shows in:\n%s\n%s", word, &all, &log)
		}
	}
}

// TestBudget: what DingTalk counts is counted, and nothing else.
func TestBudget(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var mu sync.Mutex
	var counted []string
	pushes := 0
	bot := f.bot(t, nil, bridge.Env{Count: func(api string) {
		mu.Lock()
		defer mu.Unlock()
		counted = append(counted, api)
	}, Pushed: func() {
		mu.Lock()
		defer mu.Unlock()
		pushes++
	}})
	f.script(pathUser, answer{403, `{"code":"Forbidden.AccessDenied.QpsLimitForApi"}`}, answer{503, `{}`}, bad("contain.unsafe.url"))
	for _, to := range []bridge.Address{
		f.to(bridge.Direct, nil), f.to(bridge.Direct, noWebhook), f.to(bridge.Direct, noWebhook), f.to(bridge.Direct, noWebhook),
		f.to(bridge.Direct, noWebhook), f.to(bridge.Group, noWebhook),
	} {
		_, _ = send(t, bot, to)
	}
	if want := []string{pathUser, pathUser, pathGroup}; !slices.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
	if pushes != 1 {
		t.Errorf("%d pushes by session webhook", pushes)
	}
	receiveOne(t, bot, hello)
	if _, err := bot.Receive(t.Context(), bridge.Request{Method: "POST", Header: http.Header{}, Body: []byte(hello), At: time.Now()}); err == nil || pushes != 2 {
		t.Errorf("%d pushes after a message and a forgery, %v", pushes, err)
	}
}

// TestBan: as long as DingTalk shuts this machine out, it is left alone.
func TestBan(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		f.script(pathHook, answer{403, `{"status":1111,"wait":5,"source":"x5","punish":"deny"}`})
		for _, step := range []struct {
			pause, wait time.Duration
			want        int
		}{{0, 5 * time.Minute, 1}, {2 * time.Minute, 3 * time.Minute, 1}, {3*time.Minute + time.Second, 0, 2}} {
			time.Sleep(step.pause)
			_, err := send(t, bot, f.to(bridge.Direct, nil))
			if got := bridge.RetryAfter(err); got != step.wait || (err == nil) != (step.wait == 0) {
				t.Errorf("after %v more: %v, wait %v", step.pause, err, got)
			}
			if got := len(f.took()); got != step.want {
				t.Errorf("after %v more: %d calls, want %d", step.pause, got, step.want)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secret, template string
		script           map[string]answer
		want             map[string]bool
	}{
		"good":           {secret, "", nil, map[string]bool{"credential": true, "send": true}},
		"wrong secret":   {"wrong", "", nil, map[string]bool{"credential": false}},
		"card":           {secret, template, nil, map[string]bool{"credential": true, "send": true, "card": true}},
		"wrong template": {secret, "x.schema", nil, map[string]bool{"credential": true, "send": true, "card": false}},
		"no right": {
			secret, "",
			map[string]answer{pathUser: {403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","accessdenieddetail":{"requiredScopes":["qyapi_robot_sendmsg"]}}`}},
			map[string]bool{"credential": true, "send": false},
		},
		"no right for cards": {
			secret, template,
			map[string]answer{pathStream: {403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","accessdenieddetail":{"requiredScopes":["Card.Streaming.Write"]}}`}},
			map[string]bool{"credential": true, "send": true, "card": false},
		},
	} {
		f := newFake(t)
		for path, a := range c.script {
			f.script(path, a)
		}
		bot := openWith(t, map[string]string{"base_url": f.URL, "oapi_url": f.URL, "card_template_id": c.template}, c.secret, bridge.Env{})
		findings, err := bot.Check(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := map[string]bool{}
		for _, finding := range findings {
			got[finding.Code] = finding.OK
			if finding.OK != (finding.Err == nil) {
				t.Errorf("%s: %+v", name, finding)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, card := range f.cards {
			if card.space != "" {
				t.Errorf("%s: somebody saw the check", name)
			}
		}
	}
	f := newFake(t)
	f.script(pathToken, answer{503, `{}`})
	if findings, err := f.bot(t, nil, bridge.Env{}).Check(t.Context()); bridge.KindOf(err) != bridge.KindUnavailable || len(findings) > 0 {
		t.Errorf("got %v, %v", findings, err)
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	directory, ok := f.bot(t, nil, bridge.Env{}).(bridge.Directory)
	if !ok {
		t.Fatal("not a Directory")
	}
	want := bridge.Profile{Name: "小钉", Email: "d@example.com", Mobile: "13800138000", Department: "1,7"}
	for range 2 {
		if got, err := directory.LookUp(t.Context(), "u1"); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
		f.mu.Lock()
		f.token = "another" // ours is not valid any more
		f.mu.Unlock()
	}
	if f.count(pathToken) != 2 || f.count(pathPerson) != 3 {
		t.Errorf("%d tokens for %d calls", f.count(pathToken), f.count(pathPerson))
	}
	if _, err := directory.LookUp(t.Context(), "u2"); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("got %v", err)
	}
	stale := answer{200, `{"errcode":40014,"errmsg":"no"}`}
	f.script(pathPerson, stale, stale, stale)
	if _, err := directory.LookUp(t.Context(), "u1"); bridge.KindOf(err) != bridge.KindCredential {
		t.Errorf("got %v", err)
	}
	before := len(f.took())
	if _, err := directory.LookUp(t.Context(), "$:LWCP_v1:$x"); bridge.KindOf(err) != bridge.KindNotFound || len(f.took()) != before {
		t.Errorf("got %v", err)
	}
}

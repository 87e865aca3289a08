package app_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"switchboard/internal/agent/echo"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// TestMain has some tests run side by side even on few processors, because they
// wait more than they compute.
func TestMain(m *testing.M) {
	const least = 4
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue && runtime.GOMAXPROCS(0) < least {
		if err := f.Value.Set(strconv.Itoa(least)); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// house opens an app on free ports and runs it until the test ends.
func house(tb testing.TB, data, extra string) (*app.App, context.Context) {
	tb.Helper()
	return houseWith(tb, data, extra, func(*app.Options) {})
}

// houseWith is house with options changed.
func houseWith(tb testing.TB, data, extra string, change func(*app.Options)) (*app.App, context.Context) {
	tb.Helper()
	write(tb, data, "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"+extra)
	opt := app.Options{Data: data, Version: "test", Log: slog.New(slog.DiscardHandler), RetryPause: 20 * time.Millisecond, Echo: echo.Options{Delay: time.Millisecond}}
	change(&opt)
	a, err := app.Open(tb.Context(), opt)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, a.Close(context.WithoutCancel(ctx))); err != nil {
			tb.Error(err)
		}
	})
	until(tb, func() bool {
		o, err := a.Overview(ctx)
		return err == nil && o.Listen != ""
	})
	return a, ctx
}

func write(tb testing.TB, data, text string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// until polls, because what is waited for happens behind real HTTP.
// A test that can tell more about what it waits for says it in hints.
func until(tb testing.TB, ok func() bool, hints ...func() string) {
	tb.Helper()
	deadline := time.NewTimer(2 * time.Minute) // for a machine that does much else
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			for _, hint := range hints {
				tb.Log(hint())
			}
			tb.Fatal("it does not happen")
		case <-tick.C:
		}
	}
}

// answers are the finished ones on somebody's screens.
func answers(a *app.App, employee string) []bridge.Bubble {
	var all []bridge.Bubble
	for _, b := range a.Bubbles(employee) {
		if b.FromBot && !b.Growing {
			all = append(all, b)
		}
	}
	return all
}

// TestOnePersonOneConversation is the main job over real HTTP: a question on
// one platform, the next on another, one conversation.
func TestOnePersonOneConversation(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "")
	if err := a.StartDemo(ctx); err != nil {
		t.Fatal(err)
	}
	platforms := a.Employees()[0].Platforms
	for n, text := range []string{"你好，第一问", "接着第二问", "第三问"} {
		if err := a.Say(ctx, "zhang", platforms[n%len(platforms)], text); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return len(answers(a, "zhang")) == n+1 })
	}
	got := answers(a, "zhang")
	for n, b := range got {
		if b.Platform != platforms[n%len(platforms)] || !strings.Contains(b.Text, fmt.Sprintf("第 %d 个问题", n+1)) {
			t.Errorf("answer %d on %s: %q", n+1, b.Platform, b.Text)
		}
	}
	if !strings.Contains(got[1].Text, "第一问") {
		t.Errorf("the second answer knows nothing of the first question: %q", got[1].Text)
	}
	if len(answers(a, "li")) != 0 {
		t.Error("somebody else saw the answers")
	}
	until(t, func() bool {
		rows, err := a.Talks(ctx, bridge.TalkQuery{Limit: 10})
		return err == nil && len(rows) == 1 && rows[0].Questions == 3 && rows[0].ReplyState == bridge.ReplyDelivered && len(rows[0].Platforms) == len(platforms)
	})
}

// TestDemoThatDoesNotStart: whoever leaves while it starts leaves no bots behind that
// nobody plays for, and it can be started again.
func TestDemoThatDoesNotStart(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "")
	left, leave := context.WithCancel(ctx)
	leave()
	if err := a.StartDemo(left); err == nil {
		t.Fatal("started for nobody")
	}
	if o, err := a.Overview(ctx); err != nil || o.Demo || len(o.Bots)+len(o.Agents) != 0 {
		t.Errorf("bots %v and agents %v are left; %v", o.Bots, o.Agents, err)
	}
	if err := a.StartDemo(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.Say(ctx, "zhang", a.Employees()[0].Platforms[0], "你好"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(answers(a, "zhang")) == 1 })
}

func TestNewStartsOver(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "")
	if err := a.StartDemo(ctx); err != nil {
		t.Fatal(err)
	}
	platforms := a.Employees()[0].Platforms
	for n, step := range []struct {
		platform bridge.Platform
		text     string
	}{{platforms[0], "hello there"}, {platforms[1], "／NEW"}, {platforms[0], "hello again"}} {
		if err := a.Say(ctx, "alex", step.platform, step.text); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return len(answers(a, "alex")) == n+1 })
	}
	if got := answers(a, "alex"); !strings.Contains(got[1].Text, "new conversation") || !strings.Contains(got[2].Text, "question 1 ") {
		t.Errorf("answers %q, %q", got[1].Text, got[2].Text)
	}
}

// TestAgentFails: the person reads one friendly sentence and nothing technical,
// the admin sees a notice, and the next question is answered.
func TestAgentFails(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "")
	if err := a.StartDemo(ctx); err != nil {
		t.Fatal(err)
	}
	p := a.Employees()[0].Platforms[0]
	if err := a.Say(ctx, "li", p, "!fail please"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(answers(a, "li")) == 1 })
	if text := answers(a, "li")[0].Text; !strings.Contains(text, "Sorry") || strings.Contains(text, "echo:") {
		t.Errorf("the person reads %q", text)
	}
	until(t, func() bool { return len(a.Notices(bridge.English)) == 1 })
	if err := a.Say(ctx, "li", p, "and now?"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(answers(a, "li")) == 2 })
	until(t, func() bool { return len(a.Notices(bridge.English)) == 0 })
}

func TestSecondProgramIsRefused(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	house(t, data, "")
	if _, err := app.Open(t.Context(), app.Options{Data: data, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, app.ErrRunning) {
		t.Errorf("a second program is %v", err)
	}
}

// TestOneBrokenBot does not stop the others, and says what to do.
func TestOneBrokenBot(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), `
agents: [{id: help, kind: echo}]
bots:
  - {id: good, platform: dingtalk, mode: webhook, settings: {client_id: dingabcdefghijklmnop}}
  - {id: bad, platform: dingtalk, mode: webhook}
secrets: {bot/good/client_secret: "env:PATH"}
`)
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Bots) != 2 || o.Bots[0].State != bridge.BotBroken || o.Bots[1].State != bridge.BotWaiting {
		t.Errorf("bots %+v", o.Bots)
	}
	if n := a.Notices(bridge.Chinese); len(n) != 1 || n[0].Bot != "bad" || !strings.Contains(n[0].Detail, "client_id") || n[0].Next == "" {
		t.Errorf("notices %+v", n)
	}
}

func TestSettingsWithMistakesAreRefused(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	write(t, data, "agentss: []\n")
	if _, err := app.Open(t.Context(), app.Options{Data: data, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "did you mean “agents”") {
		t.Errorf("got %v", err)
	}
}

// TestAdvice: a Feishu bot works without its Encrypt Key, and the admin is told
// that it would be safer with one.
func TestAdvice(t *testing.T) { //nolint:paralleltest // sets the environment
	t.Setenv("SB_TEST_APP_SECRET", "s")
	t.Setenv("SB_TEST_TOKEN", "v")
	a, ctx := houseWith(t, t.TempDir(), `
agents: [{id: help, kind: echo}]
bots: [{id: fs, platform: feishu, mode: webhook, settings: {app_id: cli_x}}]
secrets: {bot/fs/app_secret: "env:SB_TEST_APP_SECRET", bot/fs/verification_token: "env:SB_TEST_TOKEN"}
`, func(o *app.Options) { o.Keyring = &ring{} })
	o, err := a.Overview(ctx)
	if err != nil || o.Bots[0].State == bridge.BotBroken {
		t.Fatalf("the bot is %+v, %v", o.Bots, err)
	}
	if n := a.Notices(bridge.English); len(n) != 1 || n[0].Severity != bridge.SeverityWarning || n[0].Detail != "bot/fs/encrypt_key" {
		t.Errorf("notices %+v", n)
	}
}

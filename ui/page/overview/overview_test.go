package overview_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/overview"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

func at() time.Time { return time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC) }

func TestDescribeBot(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	bad := &bridge.Error{Kind: bridge.KindForbidden, Op: "x: send"}
	tests := map[string]struct {
		bot              bridge.BotStatus
		notices          []bridge.Notice
		tone             widget.Tone
		counts, callback string
		trouble          bool
	}{
		"ready":            {bridge.BotStatus{State: bridge.BotReady, Received: 3, Answered: 2}, nil, widget.ToneOK, "Today 3 in · 2 answered", "", false},
		"webhook":          {bridge.BotStatus{State: bridge.BotWaiting, Callback: "/hook/b"}, nil, widget.ToneWaiting, "Today 0 in · 0 answered", "https://x.example/hook/b", false},
		"failing":          {bridge.BotStatus{ID: "b", State: bridge.BotFailing, Failed: 1, Err: bad}, nil, widget.ToneAttention, "Today 0 in · 0 answered · 1 failed", "", true},
		"already told":     {bridge.BotStatus{ID: "b", State: bridge.BotFailing, Err: bad}, []bridge.Notice{{Bot: "b", Severity: bridge.SeverityError}}, widget.ToneAttention, "Today 0 in · 0 answered", "", false},
		"told of another":  {bridge.BotStatus{ID: "b", State: bridge.BotBroken, Err: bad}, []bridge.Notice{{Bot: "c", Severity: bridge.SeverityError}}, widget.ToneError, "Today 0 in · 0 answered", "", true},
		"paused":           {bridge.BotStatus{State: bridge.BotPaused}, nil, widget.TonePaused, "Today 0 in · 0 answered", "", false},
		"unheard of state": {bridge.BotStatus{State: "?"}, nil, widget.TonePaused, "Today 0 in · 0 answered", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tone, _, counts, callback, trouble := overview.DescribeBot(w, at(), tt.bot, "https://x.example/", tt.notices).Look()
			if tone != tt.tone || counts != tt.counts || callback != tt.callback || (trouble != "") != tt.trouble {
				t.Errorf("got %s, %q, %q, %q", tone, counts, callback, trouble)
			}
		})
	}
}

func TestDescribeAgent(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	tone, state, running, last, load := overview.DescribeAgent(w, at(), bridge.AgentStatus{Running: 3, Limit: 5, Waiting: 1, LastAnswer: at().Add(-time.Minute), Latency: 820 * time.Millisecond}).Look()
	if tone != widget.ToneOK || state != "Ready" || running != "Answering 3 of 5 · 1 waiting" || last != "First words after 820 ms · last answer 1 min ago" || load != 0.6 {
		t.Errorf("got %s %q %q %q %v", tone, state, running, last, load)
	}
	if tone, _, _, last, load := overview.DescribeAgent(w, at(), bridge.AgentStatus{}).Look(); tone != widget.ToneWaiting || last != "No answer yet" || load != 0 {
		t.Errorf("got %s %q %v", tone, last, load)
	}
	if tone, _, _, _, _ := overview.DescribeAgent(w, at(), bridge.AgentStatus{LastAnswer: at(), Err: errors.New("x")}).Look(); tone != widget.ToneError {
		t.Errorf("got %s", tone)
	}
}

// TestAgentVersion tells what its server said, and nothing while it said nothing.
func TestAgentVersion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang                bridge.Language
		kind, version, want string
	}{
		{bridge.English, "dify", "1.16.0", "Dify app · version 1.16.0"},
		{bridge.Chinese, "dify", "1.16.0", "Dify 应用 · 版本 1.16.0"},
		{bridge.English, "dify", "", "Dify app"},
		{bridge.English, "other", "2", "other · version 2"},
	} {
		got := overview.DescribeAgent(live.Words{Lang: tt.lang}, at(), bridge.AgentStatus{Kind: tt.kind, Version: tt.version}).Kind()
		if got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// office shows the page; do acts as the user and waits for what follows.
func office(t *testing.T, house *uitest.House, f func(p *overview.Page, shell *uitest.Shell, do func(func()))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		kit, shell := uitest.NewKit(t, bridge.English, at())
		p := overview.New(ctx, kit, house)
		uitest.Show(t, p.Content(), 900, 700)
		changes := house.Watch(ctx)
		kit.Hub.Go(ctx, func(ctx context.Context) { kit.Hub.Follow(ctx, changes) })
		p.Shown(true)
		time.Sleep(time.Second)
		synctest.Wait()
		f(p, shell, func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		})
		cancel()
		synctest.Wait()
	})
}

func TestPage(t *testing.T) {
	house := uitest.NewHouse(bridge.English, at())
	office(t, house, func(p *overview.Page, shell *uitest.Shell, do func(func())) {
		if diff := cmp.Diff([]string{"192", "188", "1", "2"}, p.Numbers()); diff != "" {
			t.Error(diff)
		}
		bots, agents := p.Cards()
		if bots != 3 || agents != 2 || len(p.NoticeCards()) != 2 || p.Teaching() {
			t.Errorf("%d bots, %d agents, %d notices", bots, agents, len(p.NoticeCards()))
		}
		if p.Agent(0) != "Dify app · version 1.16.0" || p.Agent(1) != "Dify app" {
			t.Errorf("agents are %q and %q", p.Agent(0), p.Agent(1))
		}
		first := p.FirstCard()
		do(func() {
			if err := house.Pause(t.Context(), true); err != nil {
				t.Error(err)
			}
		})
		if p.FirstCard() != first {
			t.Error("a change of state throws the cards away")
		}
		do(func() {
			button, ok := uitest.Find(p.NoticeCards()[0], func(b *fyneui.Button) bool { return b.Text == "Copy" })
			if !ok {
				t.Fatal("a notice cannot be copied")
			}
			test.Tap(button)
		})
		if len(shell.Copied) != 1 || shell.Copied[0] == "" {
			t.Errorf("copied %q", shell.Copied)
		}
	})
}

func TestPageShowsTheMonth(t *testing.T) {
	for name, c := range map[string]struct {
		house *uitest.House
		cards int
	}{"allowances": {uitest.NewHouse(bridge.English, at()), 2}, "none": {uitest.NewEmptyHouse(at()), 0}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			kit, _ := uitest.NewKit(t, bridge.English, at())
			p := overview.New(ctx, kit, c.house)
			uitest.Show(t, p.Content(), 900, 900)
			p.Shown(true)
			synctest.Wait()
			if cards, shown := p.Budgets(); cards != c.cards || shown != (c.cards > 0) {
				t.Errorf("%s: %d cards, shown %v", name, cards, shown)
			}
			cancel()
			synctest.Wait()
		})
	}
}

func TestPageTeachesWhenEmpty(t *testing.T) {
	house := uitest.NewEmptyHouse(at())
	office(t, house, func(p *overview.Page, shell *uitest.Shell, do func(func())) {
		if !p.Teaching() {
			t.Fatal("an empty page does not say what to do")
		}
		do(func() {
			button, ok := uitest.Find(p.Content(), func(b *fyneui.Button) bool { return b.Text == "Try it now" })
			if !ok {
				t.Fatal("no way to try")
			}
			test.Tap(button)
		})
		if diff := cmp.Diff([]string{live.PagePlayground}, shell.Visited); diff != "" {
			t.Error(diff)
		}
		do(func() { _ = house.StartDemo(t.Context()) })
		if p.Teaching() {
			t.Error("still teaches although there are channels")
		}
	})
}

func TestPageTellsOfTrouble(t *testing.T) {
	house := uitest.NewHouse(bridge.English, at())
	house.Fail = &bridge.Error{Kind: bridge.KindInternal}
	office(t, house, func(_ *overview.Page, shell *uitest.Shell, _ func(func())) {
		if len(shell.Troubles) != 1 {
			t.Errorf("troubles %v", shell.Troubles)
		}
	})
}

func TestLostTunnelCanBeRenewed(t *testing.T) {
	for _, down := range []bool{true, false} {
		house := uitest.NewHouse(bridge.English, at())
		house.TunnelDown = down
		office(t, house, func(p *overview.Page, _ *uitest.Shell, do func(func())) {
			button, ok := uitest.Find(p.Content(), func(b *fyneui.Button) bool { return b.Text == "Reconnect" })
			if ok != down {
				t.Fatalf("tunnel down %v, button %v", down, ok)
			}
			if ok {
				do(func() { test.Tap(button) })
				if house.Renewed() != 1 {
					t.Errorf("renewed %d times", house.Renewed())
				}
			}
		})
	}
}

func TestHalfAnAddressIsNotOffered(t *testing.T) {
	t.Parallel()
	_, _, _, callback, _ := overview.DescribeBot(live.Words{Lang: bridge.English}, at(), bridge.BotStatus{Callback: "/hook/b"}, "", nil).Look()
	if callback != "" {
		t.Errorf("got %q", callback)
	}
}

func TestDescribeBudgets(t *testing.T) {
	t.Parallel()
	renews := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	all := []bridge.Budget{
		{Account: "feishu", Meter: bridge.MeterCalls, Allowance: 10000, Used: 5000, Renews: renews},
		{Account: "feishu@open.larksuite.com", Meter: bridge.MeterCalls, Allowance: 10000, Used: 8000, Renews: renews},
		{Account: "dingtalk", Meter: bridge.MeterPushes, Allowance: 5000, Used: 1000, Renews: renews, RunsOut: time.Date(2026, 3, 23, 0, 0, 0, 0, time.UTC)},
		{Account: "ngrok", Meter: bridge.MeterRequests, Allowance: 20000, Used: 30000, Renews: renews},
		{Account: "unlimited", Meter: bridge.MeterCalls, Used: 3, Renews: renews},
	}
	var got []string
	for _, c := range overview.DescribeBudgets(live.Words{Lang: bridge.English}, all) {
		got = append(got, c.Look())
	}
	want := []string{
		"Feishu API calls: 5000 of 10000, 0.50, renewed on 1 Apr, placeholder",
		"Feishu (open.larksuite.com) API calls: 8000 of 10000, 0.80, renewed on 1 Apr, warning",
		"DingTalk pushes: 1000 of 5000, 0.20, at this pace used up on 23 Mar, warning",
		"ngrok requests: 30000 of 20000, 1.00, renewed on 1 Apr, error",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package app_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/agent/echo"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/quota"
	"switchboard/internal/store"
	"switchboard/internal/tunnel/tunneltest"
)

// budget returns one of the allowances.
func budget(t *testing.T, a *app.App, account string, m bridge.Meter) bridge.Budget {
	t.Helper()
	o, err := a.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range o.Budgets {
		if b.Account == account && b.Meter == m {
			return b
		}
	}
	t.Fatalf("no allowance of %s %s in %+v", account, m, o.Budgets)
	return bridge.Budget{}
}

// TestBudget: the bots of a platform use one allowance. The admin is told when
// it runs short and when it is spent, and answers that would grow stop growing;
// a restart does not begin the month anew.
func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		l.calls = 100
		r := begin(t, data, "bots: [{id: one, platform: lamp}, {id: two, platform: lamp}]\n", l, nil)
		used := func(want int, notice string) {
			t.Helper()
			rest(6 * time.Second)
			if b := budget(t, r.App, "lamp", bridge.MeterCalls); b.Used != want || b.Allowance != 100 {
				t.Errorf("the allowance is %+v, want %d used", b, want)
			}
			all := r.Notices(bridge.English)
			if notice == "" && len(all) == 0 {
				return
			}
			if len(all) != 1 || !strings.HasPrefix(all[0].ID, notice+" lamp calls") || !strings.Contains(all[0].Title, "lamp API calls") || all[0].Next == "" {
				t.Errorf("notices %+v, want %s", all, notice)
			}
		}
		updates := func(id string) int {
			t.Helper()
			before := l.chat.Calls("update")
			r.deliver(t, id, strings.Repeat("many words make a long answer ", 10))
			rest(time.Minute)
			return l.chat.Calls("update") - before
		}
		used(2, "") // opening them
		l.spend("one", 40)
		l.spend("two", 37)
		used(79, "")
		if n := updates("m1"); n < 10 {
			t.Errorf("an answer grows in %d steps", n)
		}
		l.spend("two", 1)
		used(80, "budget_short")
		if n := updates("m2"); n != 1 {
			t.Errorf("an answer grows in %d steps while the allowance is short", n)
		}
		l.spend("one", 19)
		used(99, "budget_short")
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r = begin(t, data, oneBot, l, nil) // which makes another call
		used(100, "budget_spent")
		if n := r.Notices(bridge.Chinese)[0]; n.Severity != bridge.SeverityError || !strings.Contains(n.Detail, "100 次已用 100 次") || !strings.Contains(n.Detail, "2000-02-01") {
			t.Errorf("the notice says %+v", n)
		}
	})
}

// TestBudgetForecast: a pace that would use all up before the month is over is
// told of in time.
func TestBudgetForecast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		l.calls = 100
		yesterday := bridge.Spending{Account: "lamp", Bot: "one", Meter: bridge.MeterCalls, Day: "1999-12-31", Used: 9}
		spentElsewhere(t, data, yesterday)
		r := begin(t, data, oneBot, l, nil) // which makes the tenth call
		rest(6 * time.Second)
		all := r.Notices(bridge.English)
		if len(all) != 1 || all[0].Severity != bridge.SeverityWarning || !strings.Contains(all[0].Detail, "1 of 100") || !strings.Contains(all[0].Detail, "used up on 2000-01-10") {
			t.Errorf("notices %+v", all)
		}
		_, text := r.ask(t, r.admin, "GET", "/metrics", nil, token(t, data))
		if !strings.Contains(text, `switchboard_budget_runs_out_time_seconds{account="lamp",meter="calls"} 9.4754`) {
			t.Errorf("the metrics are %s", text)
		}
	})
}

// spentElsewhere writes into the database what another program spent, and returns
// all that is there.
func spentElsewhere(t *testing.T, data string, more bridge.Spending) []bridge.Spending {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Spend(t.Context(), []bridge.Spending{more}, quota.Since(time.Now()))
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBudgetIsKept: what is spent is in the database seconds later, so that a
// crash loses no more, and what another program spends there counts.
func TestBudgetIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		l.calls = 100
		r := begin(t, data, oneBot, l, nil)
		l.spend("one", 6)
		rest(5 * time.Second)
		other := bridge.Spending{Account: "lamp", Bot: "elsewhere", Meter: bridge.MeterCalls, Day: time.Now().Format(time.DateOnly), Used: 10}
		if all := spentElsewhere(t, data, other); len(all) != 2 || all[1].Bot != "one" || all[1].Used != 7 {
			t.Errorf("stored %+v", all)
		}
		rest(time.Minute + time.Second)
		if b := budget(t, r.App, "lamp", bridge.MeterCalls); b.Used != 17 || b.ByBot["one"] != 7 || b.ByBot["elsewhere"] != 10 {
			t.Errorf("the allowance is %+v", b)
		}
	})
}

// TestBudgetIsTheAdmins: what stands in the settings counts for more than what
// the free edition has; nothing is everything.
func TestBudgetIsTheAdmins(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]int{"": 10, "budgets: {lamp: {calls: 5000}}\n": 5000, "budgets: {lamp: {calls: 0}}\n": 0} {
		synctest.Test(t, func(t *testing.T) {
			data, l := t.TempDir(), newLamp()
			l.calls = 10
			r := begin(t, data, oneBot+setting, l, nil)
			l.spend("one", 20)
			rest(6 * time.Second)
			if b := budget(t, r.App, "lamp", bridge.MeterCalls); b.Allowance != want || b.Used != 21 {
				t.Errorf("%q: the allowance is %+v", setting, b)
			}
			if n := len(r.Notices(bridge.English)); n != map[int]int{10: 1}[want] {
				t.Errorf("%q: %d notices", setting, n)
			}
			_, text := r.ask(t, r.admin, "GET", "/metrics", nil, token(t, data))
			if !strings.Contains(text, `switchboard_budget_used{account="lamp",meter="calls"} 21`) ||
				strings.Contains(text, `switchboard_budget_allowance{account="lamp",meter="calls"}`) != (want > 0) || strings.Contains(text, "switchboard_budget_runs_out_time_seconds{") {
				t.Errorf("%q: the metrics are %s", setting, text)
			}
			_, text = r.ask(t, r.admin, "GET", "/api/v1/status", nil, token(t, data))
			var got struct {
				Budgets []struct {
					Account, Meter  string
					Allowance, Used int
					ByBot           map[string]int `json:"by_bot"`
				}
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Budgets) != 1 || got.Budgets[0].Used != 21 || got.Budgets[0].Allowance != want || got.Budgets[0].ByBot["one"] != 21 {
				t.Errorf("%q: the status is %s, %v", setting, text, err)
			}
		})
	}
}

// TestStreamingOnPlatforms counts what one answer costs on a platform itself, by
// the setting and by what is left of the month, and that we count the same.
func TestStreamingOnPlatforms(t *testing.T) {
	t.Parallel()
	type cost struct{ least, most int }
	feishu, dingtalk := bridge.Platform("feishu"), bridge.Platform("dingtalk")
	for name, test := range map[string]struct {
		settings string
		short    bool // of calls
		want     map[bridge.Platform]cost
	}{
		"auto":   {"auto", false, map[bridge.Platform]cost{feishu: {6, 60}, dingtalk: {4, 60}}},
		"smooth": {"smooth", false, map[bridge.Platform]cost{feishu: {6, 60}, dingtalk: {4, 60}}},
		// On Feishu the card, its message, the text, its end; on DingTalk the card, that
		// an answer is coming, and the answer.
		"economy":             {"economy", false, map[bridge.Platform]cost{feishu: {4, 5}, dingtalk: {3, 3}}},
		"off":                 {"off", false, map[bridge.Platform]cost{feishu: {1, 1}, dingtalk: {0, 0}}},
		"auto short":          {"auto", true, map[bridge.Platform]cost{feishu: {4, 5}, dingtalk: {3, 3}}},
		"smooth all the same": {"smooth", true, map[bridge.Platform]cost{feishu: {6, 60}, dingtalk: {4, 60}}},
	} {
		for p, want := range test.want {
			t.Run(string(p)+" "+name, func(t *testing.T) {
				t.Parallel()
				settings := "engine: {streaming: " + test.settings + "}\n"
				if test.short {
					settings += "budgets: {" + string(p) + ": {calls: 1}}\n"
				}
				a, account, ask := metered(t, simulator.Options{Platforms: []bridge.Platform{p}, DingCards: true}, settings)
				if test.short {
					ask("first")
				}
				mine := budget(t, a, account, bridge.MeterCalls).Used
				n := ask("second")
				if n < want.least || n > want.most {
					t.Errorf("%d calls, want %d to %d", n, want.least, want.most)
				}
				if mine = budget(t, a, account, bridge.MeterCalls).Used - mine; mine != n {
					t.Errorf("the platform counts %d, we count %d", n, mine)
				}
			})
		}
	}
}

// TestPushesOnDingTalk: a message to the robot is a push, and so is the answer;
// neither is a call.
func TestPushesOnDingTalk(t *testing.T) {
	t.Parallel()
	a, account, ask := metered(t, simulator.Options{Platforms: []bridge.Platform{"dingtalk"}}, "")
	ask("one")
	ask("two")
	if b := budget(t, a, account, bridge.MeterPushes); b.Used != 4 || b.Allowance != 3000 {
		t.Errorf("the pushes are %+v", b)
	}
	if b := budget(t, a, account, bridge.MeterCalls); b.Used != 0 || b.Allowance != 5000 {
		t.Errorf("the calls are %+v", b)
	}
}

// metered runs a house on one simulated platform. The last result asks a
// question and returns how many counted calls the platform had for the answer.
func metered(t *testing.T, opt simulator.Options, settings string) (a *app.App, account string, ask func(text string) int) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	a, ctx := houseWith(t, t.TempDir(), settings+"agents: [{id: help, kind: echo}]\n"+channels(t, sim.Configs()), func(o *app.Options) {
		o.Echo = echo.Options{Delay: 20 * time.Millisecond}
	})
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	bot := sim.Configs()[0]
	sim.Attach(bot.ID, "http://"+o.Listen+"/hook/"+bot.ID)
	calls := func() int {
		n := 0
		for api, times := range sim.Calls() {
			if _, name, _ := strings.Cut(api, " "); !slices.Contains([]string{"token", "accessToken", "contact/user", "user/get", "sendBySession"}, name) {
				n += times
			}
		}
		return n
	}
	return a, o.Budgets[0].Account, func(text string) int {
		before := calls()
		id, err := sim.Say(ctx, "li", bot.Platform, text+strings.Repeat(" and many words make a long answer", 10))
		if err != nil {
			t.Fatal(err)
		}
		until(t, func() bool {
			trace, _ := sim.Trace(id)
			rows, err := a.Talks(ctx, bridge.TalkQuery{})
			return len(trace.Answers) == 1 && !trace.Answers[0].Growing && err == nil && rows[0].ReplyState == bridge.ReplyDelivered
		})
		return calls() - before
	}
}

// TestTunnelBudget: every request that came through ngrok counts.
func TestTunnelBudget(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	a, sim := tunnelled(t, edge)
	until(t, func() bool { return public(t, a) != "" })
	for n, c := range sim.Configs() {
		sim.Attach(c.ID, public(t, a)+"/hook/"+c.ID)
		if _, err := sim.Say(t.Context(), "li", c.Platform, "over the tunnel"); err != nil {
			t.Fatal(err)
		}
		if b := budget(t, a, "ngrok", bridge.MeterRequests); b.Used != n+1 || b.Allowance != 20000 || len(b.ByBot) != 0 {
			t.Errorf("after %d messages it is %+v", n+1, b)
		}
	}
}

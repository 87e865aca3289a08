package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/agent/echo"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

const listingBot = "bots: [{id: one, platform: lamp, mode: post}]\n"

// ago is a message that was written a while ago.
func ago(d time.Duration, id, text string) bridge.Message {
	m := message("one", id, text)
	m.SentAt = m.SentAt.Add(-d)
	return m
}

// archive is what a lamp lists, and how often it was asked.
type archive struct {
	mu    sync.Mutex
	since []time.Time
	list  []bridge.Message
	errs  []error // one for each time; then none
}

func (a *archive) missed(_ bridge.Chat, since time.Time) ([]bridge.Message, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since = append(a.since, since)
	if n := len(a.since); n <= len(a.errs) && a.errs[n-1] != nil {
		return nil, a.errs[n-1]
	}
	return a.list, nil
}

func (a *archive) asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.since)
}

// away runs a house, has it know a chat, and leaves it for a while; back starts
// it again on the same data.
func away(t *testing.T, l *lamp, d time.Duration) (back func() *life) {
	t.Helper()
	data := t.TempDir()
	r := begin(t, data, listingBot, l, nil)
	r.deliver(t, "m0", "known")
	rest(10 * time.Second)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	rest(d)
	return func() *life { return begin(t, data, listingBot, l, nil) }
}

// TestCatchUp: after a time without the program what was written is fetched and
// answered, oldest first, once, and what was known is not answered again.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := newLamp(), &archive{}
		l.missed = a.missed
		back := away(t, l, time.Hour)
		stopped := time.Now().Add(-time.Hour)
		a.list = []bridge.Message{ago(61*time.Minute, "m0", "known"), ago(50*time.Minute, "m1", "first"), ago(10*time.Minute, "m2", "second")}
		r := back()
		rest(time.Minute)
		got := l.chat.Texts()
		if len(got) != 3 || !strings.Contains(got[1], "first") || !strings.Contains(got[2], "second") {
			t.Errorf("shown %q", got)
		}
		if n := a.asked(); n != 1 || stopped.Sub(a.since[0]) < time.Minute || stopped.Sub(a.since[0]) > 2*time.Minute {
			t.Errorf("asked %d times, since %v; it stopped %v", n, a.since, stopped)
		}
		r.deliver(t, "m1", "first") // the platform delivers again
		rest(time.Hour)
		if got := l.chat.Texts(); len(got) != 3 || a.asked() != 1 {
			t.Errorf("shown %q, asked %d times", got, a.asked())
		}
		if _, text := r.ask(t, r.admin, "GET", "/metrics", nil, token(t, r.DataDir())); !strings.Contains(text, `switchboard_messages_missed_total{bot="one"} 2`) {
			t.Errorf("the metrics are %s", text)
		}
	})
}

// TestCatchUpWithOldMessages: what is too old is not answered. One word that we
// were away is enough, and none where there is something to answer.
func TestCatchUpWithOldMessages(t *testing.T) {
	t.Parallel()
	old := []bridge.Message{ago(5*time.Hour, "m1", "very old"), ago(4*time.Hour, "m2", "old")}
	for name, c := range map[string]struct {
		list []bridge.Message
		want string
	}{
		"all old":        {old, "offline"},
		"one new":        {append(old[:2:2], ago(time.Hour, "m3", "new")), "new"},
		"asked again":    {append(old[:2:2], ago(9*time.Hour+10*time.Second, "m0", "known")), ""},
		"nothing at all": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, a := newLamp(), &archive{}
				l.missed = a.missed
				back := away(t, l, 9*time.Hour)
				now := time.Now()
				for _, m := range c.list { // made in another bubble
					m.SentAt = now.Add(-map[string]time.Duration{"m0": 9 * time.Hour, "m1": 5 * time.Hour, "m2": 4 * time.Hour, "m3": time.Hour}[string(m.ID)])
					a.list = append(a.list, m)
				}
				back()
				rest(time.Minute)
				got := l.chat.Texts()
				if c.want == "" && len(got) == 1 {
					return
				}
				if len(got) != 2 || !strings.Contains(got[1], c.want) {
					t.Errorf("shown %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestCatchUpAfterSleep: within seconds of waking up, and not after a pause that
// the platform bridges by itself.
func TestCatchUpAfterSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a, clock := newLamp(), &archive{}, &sleeper{}
		l.missed = a.missed
		r := begin(t, t.TempDir(), listingBot, l, func(o *app.Options) { o.Clock = clock.now })
		r.deliver(t, "m0", "known")
		rest(10 * time.Minute)
		clock.sleep(10 * time.Second)
		rest(time.Minute)
		if n := a.asked(); n != 0 {
			t.Errorf("asked %d times without a reason", n)
		}
		a.list = []bridge.Message{ago(0, "m1", "while it slept")}
		clock.sleep(time.Hour)
		rest(10 * time.Second)
		if got := l.chat.Texts(); len(got) != 2 || !strings.Contains(got[1], "while it slept") || a.asked() != 1 {
			t.Errorf("shown %q, asked %d times", got, a.asked())
		}
		clock.sleep(40 * time.Hour) // only a day is looked back
		rest(10 * time.Second)
		if n := a.asked(); n != 2 || clock.now().Sub(a.since[1]) > 24*time.Hour+time.Minute {
			t.Errorf("asked %d times, since %v", n, a.since)
		}
	})
}

// TestCatchUpFails: a platform that cannot be asked is asked again, with growing
// pauses; one that refuses is not asked in a loop, and what was not fetched is
// not forgotten by a crash in between.
func TestCatchUpFails(t *testing.T) {
	t.Parallel()
	down := &bridge.Error{Kind: bridge.KindUnavailable, Op: "lamp: list"}
	many := func(err error, n int) []error { return append([]error{}, errorsOf(err, n)...) }
	for name, c := range map[string]struct {
		errs   []error
		asked  int
		answer bool
		notice string
	}{
		"twice":       {many(down, 2), 3, true, ""},
		"for long":    {many(down, 50), 5, false, ""},
		"a wait":      {[]error{&bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 10 * time.Minute}}, 2, true, ""},
		"no right":    {many(&bridge.Error{Kind: bridge.KindForbidden, Op: "lamp: list"}, 50), 1, false, "history_refused one"},
		"month":       {many(&bridge.Error{Kind: bridge.KindQuota}, 50), 1, false, ""},
		"wrong":       {many(errors.New("nonsense"), 50), 1, false, ""},
		"no trouble":  {nil, 1, true, ""},
		"wrong again": {many(&bridge.Error{Kind: bridge.KindCredential}, 50), 1, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, a := newLamp(), &archive{errs: c.errs}
				l.missed = a.missed
				back := away(t, l, time.Hour)
				a.list = []bridge.Message{ago(10*time.Minute, "m1", "missed")}
				r := back()
				if c.notice == "" && len(c.errs) > 0 && c.asked > 1 {
					rest(10 * time.Second)
					if n := a.asked(); n != 1 {
						t.Errorf("asked %d times at once", n)
					}
				}
				rest(time.Hour)
				if got := l.chat.Texts(); a.asked() != c.asked || (len(got) == 2) != c.answer {
					t.Errorf("asked %d times, want %d; shown %q", a.asked(), c.asked, got)
				}
				all := r.Notices(bridge.English)
				if c.notice == "" && len(all) != 0 || c.notice != "" && (len(all) != 1 || all[0].ID != c.notice || all[0].Severity != bridge.SeverityInfo || all[0].Next == "") {
					t.Errorf("notices %+v", all)
				}
			})
		})
	}
}

func errorsOf(err error, n int) []error {
	all := make([]error, n)
	for i := range all {
		all[i] = err
	}
	return all
}

// TestCatchUpIsNotForgotten: a run that ended before it had fetched what was
// missed leaves it to the next one.
func TestCatchUpIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := newLamp(), &archive{errs: []error{&bridge.Error{Kind: bridge.KindUnavailable, Op: "lamp: list"}}}
		l.missed = a.missed
		back := away(t, l, time.Hour)
		a.list = []bridge.Message{ago(10*time.Minute, "m1", "missed")}
		r := back()
		r.deliver(t, "m2", "live") // newer than what was missed
		rest(10 * time.Second)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		back()
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 3 || !strings.Contains(got[2], "missed") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestCatchUpSaves: when the month's calls run short nothing is spent on it.
func TestCatchUpSaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := newLamp(), &archive{}
		l.missed, l.calls = a.missed, 2 // each start makes a call
		back := away(t, l, time.Hour)
		back()
		rest(time.Minute)
		if n := a.asked(); n != 0 {
			t.Errorf("asked %d times", n)
		}
	})
}

// inGroup is a line in a group chat.
func inGroup(text string, mention bool) simulator.Line {
	return simulator.Line{Employee: "li", Platform: "feishu", Group: "team", Text: text, Mention: mention}
}

// awayOn runs a house on a simulated Feishu in which two chats are known, and
// leaves it; back starts it again, a minute later by its clock.
func awayOn(t *testing.T, opt simulator.Options, extra string) (sim *simulator.Simulator, back func() *app.App) {
	t.Helper()
	opt.Platforms = []bridge.Platform{"feishu"}
	sim, err := simulator.Start(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	data, clock := t.TempDir(), &sleeper{}
	write(t, data, "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"+extra+"agents: [{id: help, kind: echo}]\n"+channels(t, sim.Configs()))
	run := func() (*app.App, func()) {
		a, err := app.Open(t.Context(), app.Options{
			Data: data, Log: slog.New(slog.DiscardHandler), RetryPause: 20 * time.Millisecond, Echo: echo.Options{Delay: -1}, Clock: clock.now,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		stop := sync.OnceFunc(func() {
			cancel()
			if err := errors.Join(<-ended, a.Close(context.WithoutCancel(ctx))); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(stop)
		until(t, func() bool {
			o, err := a.Overview(t.Context())
			for _, c := range sim.Configs() {
				sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
			}
			return err == nil && o.Listen != ""
		})
		return a, stop
	}
	_, stop := run()
	for _, l := range []simulator.Line{{Employee: "zhang", Platform: "feishu", Text: "known one"}, inGroup("known two", true)} {
		if _, err := sim.Write(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	until(t, func() bool { return len(sim.Bubbles("zhang")) == 4 && settled(sim, "zhang") })
	stop()
	return sim, func() *app.App {
		clock.sleep(time.Minute)
		a, _ := run()
		return a
	}
}

// settled says that every bubble of the bot's on a screen is complete.
func settled(sim *simulator.Simulator, employee string) bool {
	for _, b := range sim.Bubbles(employee) {
		if b.Growing {
			return false
		}
	}
	return true
}

// lose writes messages whose events are lost, and returns their ids.
func lose(t *testing.T, sim *simulator.Simulator, lines ...simulator.Line) []bridge.MessageID {
	t.Helper()
	var ids []bridge.MessageID
	for _, l := range lines {
		l.Platform, l.Lost = "feishu", true
		id, err := sim.Write(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// TestCatchUpOnFeishu: what was written while nobody was there is listed by the
// platform itself and answered once, in the direct chat and, where the bot was
// meant, in the group.
func TestCatchUpOnFeishu(t *testing.T) {
	t.Parallel()
	sim, back := awayOn(t, simulator.Options{HearAll: true}, "")
	var others []bridge.MessageID
	for n := range 55 { // more than a page
		others = append(others, lose(t, sim, inGroup(fmt.Sprintf("for others %d", n), false))...)
	}
	direct := simulator.Line{Employee: "zhang"}
	var lines []simulator.Line
	for n := range 4 {
		direct.Text = fmt.Sprintf("missed %d", n)
		lines = append(lines, direct)
	}
	missed := lose(t, sim, append(lines, inGroup("for the bot", true))...)
	a := back()
	until(t, func() bool {
		for _, id := range missed {
			if trace, _ := sim.Trace(id); len(trace.Answers) != 1 || trace.Answers[0].Growing {
				return false
			}
		}
		return true
	})
	last := 0
	for _, id := range missed[:len(lines)] {
		trace, _ := sim.Trace(id)
		if trace.Answers[0].Order < last {
			t.Errorf("%s is answered before an earlier question", trace.Text)
		}
		last = trace.Answers[0].Order
	}
	for _, id := range others {
		if trace, _ := sim.Trace(id); len(trace.Answers) != 0 {
			t.Errorf("what was for others is answered: %+v", trace)
		}
	}
	if n := a.Notices(bridge.English); len(n) != 0 {
		t.Errorf("notices %+v", n)
	}
	if v := sim.Violations(); len(v) != 0 {
		t.Errorf("violations %q", v)
	}
	if n := sim.Calls()["feishu im/list"]; n != 3 {
		t.Errorf("listed %d times", n)
	}
}

// TestCatchUpWithoutTheRight: nothing is asked twice, the admin reads which right
// is missing, and what is delivered is answered.
func TestCatchUpWithoutTheRight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opt   simulator.Options
		calls int
		words string
	}{
		"none":     {simulator.Options{HearAll: true, Withhold: []string{"im:message:readonly"}}, 2, "im:message:readonly"},
		"no group": {simulator.Options{}, 2, "right"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, back := awayOn(t, c.opt, "limits: {per_person_per_minute: 0}\n")
			missed := lose(t, sim, simulator.Line{Employee: "zhang", Text: "missed"})
			a := back()
			until(t, func() bool { return len(a.Notices(bridge.English)) == 1 })
			if n := a.Notices(bridge.English)[0]; n.Severity != bridge.SeverityInfo || !strings.HasPrefix(n.ID, "history_refused") || !strings.Contains(n.Detail+n.Next, c.words) {
				t.Errorf("the notice is %+v", n)
			}
			id, err := sim.Say(t.Context(), "zhang", "feishu", "delivered")
			if err != nil {
				t.Fatal(err)
			}
			until(t, func() bool { trace, _ := sim.Trace(id); return len(trace.Answers) == 1 && !trace.Answers[0].Growing })
			if n := sim.Calls()["feishu im/list"]; n != c.calls {
				t.Errorf("listed %d times", n)
			}
			if name == "no group" { // of which the direct chat is not a part
				until(t, func() bool { trace, _ := sim.Trace(missed[0]); return len(trace.Answers) == 1 })
			} else if trace, _ := sim.Trace(missed[0]); len(trace.Answers) != 0 {
				t.Errorf("the missed one is %+v", trace)
			}
		})
	}
}

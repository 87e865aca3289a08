package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/agent/echo"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// atDesk runs a house that answers WeCom's customer service; leave ends it, and
// back starts it again on the same data.
func atDesk(t *testing.T) (sim *simulator.Simulator, leave func(), back func() *app.App) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), simulator.Options{Platforms: []bridge.Platform{"wecom"}, Service: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	data, bot := t.TempDir(), sim.Configs()[1]
	write(t, data, "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nlimits: {per_person_per_minute: 0}\nagents: [{id: help, kind: echo}]\n"+
		channels(t, []bridge.Config{bot}))
	leave = func() {}
	back = func() *app.App {
		a, err := app.Open(t.Context(), app.Options{
			Data: data, Log: slog.New(slog.DiscardHandler), RetryPause: 20 * time.Millisecond, RestartPause: 50 * time.Millisecond, Echo: echo.Options{Delay: -1},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		leave = sync.OnceFunc(func() {
			cancel()
			if err := errors.Join(<-ended, a.Close(context.WithoutCancel(ctx))); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(leave)
		until(t, func() bool {
			o, err := a.Overview(t.Context())
			sim.Attach(bot.ID, "http://"+o.Listen+"/hook/"+bot.ID)
			return err == nil && o.Listen != ""
		})
		return a
	}
	return sim, func() { leave() }, back
}

// asCustomer writes to customer service.
func asCustomer(t *testing.T, sim *simulator.Simulator, employee, text string, lost bool) bridge.MessageID {
	t.Helper()
	id, err := sim.Write(t.Context(), simulator.Line{Employee: employee, Platform: "wecom", Text: text, Service: true, Lost: lost})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// answeredOnce waits until each message has an answer, and wants it to be one.
func answeredOnce(t *testing.T, sim *simulator.Simulator, ids ...bridge.MessageID) {
	t.Helper()
	until(t, func() bool {
		for _, id := range ids {
			if trace, _ := sim.Trace(id); len(trace.Answers) == 0 {
				return false
			}
		}
		return true
	})
	last := 0
	for _, id := range ids {
		trace, _ := sim.Trace(id)
		if len(trace.Answers) != 1 {
			t.Errorf("%q has %d answers", trace.Text, len(trace.Answers))
		}
		if trace.Answers[0].Order < last {
			t.Errorf("%q is answered before an earlier question", trace.Text)
		}
		last = trace.Answers[0].Order
	}
}

// TestServiceAway: what customers wrote while nobody was there is fetched from
// where the last run had come to, oldest first, and answered once; so is what
// nobody rang for.
func TestServiceAway(t *testing.T) {
	t.Parallel()
	sim, leave, back := atDesk(t)
	a := back()
	if err := sim.Verify(t.Context(), sim.Configs()[1].ID); err != nil {
		t.Error(err)
	}
	known := asCustomer(t, sim, "zhang", "known question", false)
	answeredOnce(t, sim, known)
	person, err := a.People(t.Context(), bridge.PeopleQuery{Text: "张伟"})
	if err != nil || len(person) != 1 {
		t.Errorf("the customer is %+v, %v", person, err)
	}
	leave()
	var missed []bridge.MessageID
	for n := range 4 {
		missed = append(missed, asCustomer(t, sim, "zhang", fmt.Sprintf("missed question %d", n), true))
	}
	a = back()
	answeredOnce(t, sim, missed...)
	live := asCustomer(t, sim, "zhang", "live question", false)
	answeredOnce(t, sim, append(missed, live)...)
	answeredOnce(t, sim, known)
	if n := a.Notices(bridge.English); len(n) != 0 {
		t.Errorf("notices %+v", n)
	}
	if v := sim.Violations(); len(v) != 0 {
		t.Errorf("violations %q", v)
	}
}

// TestServiceTroubles: a platform that fails and repeats itself costs nobody an
// answer and doubles none, and a long answer ends with a word about the rest.
func TestServiceTroubles(t *testing.T) {
	t.Parallel()
	sim, _, back := atDesk(t)
	back()
	sim.SetFaults(simulator.Faults{Troubles: []simulator.Trouble{
		{Fault: simulator.FaultDuplicate, Chance: 1, Copies: 3},
		{Fault: simulator.FaultBusy, Next: 2},
		{Fault: simulator.FaultExpire, Next: 2},
		{Fault: simulator.FaultBreak, Next: 2},
	}})
	var ids []bridge.MessageID
	for n := range 3 {
		ids = append(ids, asCustomer(t, sim, "li", fmt.Sprintf("troubled question %d", n), false))
		answeredOnce(t, sim, ids...)
	}
	sim.SetFaults(simulator.Faults{})
	long := asCustomer(t, sim, "alex", strings.Repeat("a long question. ", 2000), false)
	until(t, func() bool { trace, _ := sim.Trace(long); return trace.Accepted > 0 && len(sim.Bubbles("alex")) == 6 })
	all := sim.Bubbles("alex")
	if last := all[len(all)-1].Text; !strings.Contains(last, "no more messages fit") {
		t.Errorf("the last message ends with %q", last[max(0, len(last)-100):])
	}
	if v := sim.Violations(); len(v) != 0 {
		t.Errorf("violations %q", v)
	}
}

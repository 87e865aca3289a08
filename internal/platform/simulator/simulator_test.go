package simulator_test

import (
	"testing"

	"go.uber.org/goleak"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestCloseEndsWatchers leaves nothing behind, or every start and stop of the
// demonstration would cost a goroutine.
func TestCloseEndsWatchers(t *testing.T) { //nolint:paralleltest // counts goroutines
	sim, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bubbles := sim.Watch(t.Context())
	for range 2 {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, open := <-bubbles; open {
		t.Error("the watcher's channel is open")
	}
	goleak.VerifyNone(t)
}

// TestCrowd makes many people, and finds each by every id.
func TestCrowd(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{Crowd: 20})
	all := b.Employees()
	if len(all) != 20 || all[0].ID != "zhang" || len(all[19].Platforms) != 3 {
		t.Fatalf("the people are %+v", all)
	}
	for _, p := range all[19].Platforms {
		id, err := b.Say(t.Context(), all[19].ID, p, "hello")
		if trace, ok := b.Trace(id); err != nil || !ok || trace.Accepted != 1 {
			t.Errorf("%s: %v, %+v", p, err, trace)
		}
	}
	if _, webhook, _ := b.ask(simulator.Line{Employee: all[19].ID, Text: "q"}); b.session(webhook, dingMarkdown("a")).code() != 0 {
		t.Error("no answer")
	}
	if got := b.lines(all[19].ID); len(got) != 5 || got[4] != "*a" {
		t.Errorf("shown: %q", got)
	}
}

// TestRemembers forgets the oldest messages, so that a long run does not grow.
func TestRemembers(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{Remember: 3})
	var ids []bridge.MessageID
	for range 5 {
		id, err := b.Say(t.Context(), "li", "wecom", "x")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for n, id := range ids {
		if _, known := b.Trace(id); known != (n >= 2) {
			t.Errorf("message %d: known %v", n, known)
		}
		if err := b.Redeliver(t.Context(), id); (err == nil) != (n >= 2) {
			t.Errorf("message %d: %v", n, err)
		}
	}
	if got := b.lines("li"); len(got) != 5 {
		t.Errorf("the screen shows %q", got)
	}
}

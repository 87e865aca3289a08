package agenttest

import (
	"context"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// checkLeaving breaks out after the first events. The bubble finds what is left
// behind, and the language a sequence that goes on.
func checkLeaving(t *testing.T, k Kit) {
	t.Helper()
	for _, open := range []func(testing.TB) bridge.Agent{k.Open, k.Slow} {
		for n := 1; n <= 2; n++ {
			start, events := time.Now(), 0
			for _, err := range open(t).Ask(t.Context(), question()) {
				if events++; events == n || err != nil {
					break
				}
			}
			if took := time.Since(start); events != n || took > time.Second {
				t.Errorf("leaving after %d events took %v", events, took)
			}
		}
	}
}

// checkCanceled: who gave up before asking gets nothing, at once.
func checkCanceled(t *testing.T, k Kit) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	h := ask(ctx, t, k.Open(t), question())
	if wants(t, k, h.err, bridge.KindCanceled); h.text != "" || time.Since(start) > 0 {
		t.Errorf("after %v: %+v", time.Since(start), h)
	}
}

// checkGivenUp: who gives up while the agent is silent is free at once.
func checkGivenUp(t *testing.T, k Kit) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) bridge.Agent{"after some text": k.Slow, "before any": k.Silent} {
		const patience = 5 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(patience, cancel)
		h := ask(ctx, t, open(t), question())
		if wants(t, k, h.err, bridge.KindCanceled); time.Since(start) != patience || (h.text != "") != (name == "after some text") {
			t.Errorf("%s, after %v: %+v", name, time.Since(start), h)
		}
	}
}

// checkDeadline: an end of time is no wish of the caller, so it may be tried
// again.
func checkDeadline(t *testing.T, k Kit) {
	t.Helper()
	for _, open := range []func(testing.TB) bridge.Agent{k.Slow, k.Silent} {
		const limit = 5 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		start := time.Now()
		h := ask(ctx, t, open(t), question())
		cancel()
		if wants(t, k, h.err, bridge.KindUnavailable, bridge.KindInterrupted); time.Since(start) != limit {
			t.Errorf("after %v: %+v", time.Since(start), h)
		}
	}
}

// checkResume: an answer is taken up as a whole, or it is said at once that this
// cannot be done.
func checkResume(t *testing.T, k Kit) {
	t.Helper()
	if k.Resumes != nil {
		a, q := k.Resumes(t)
		if h := ask(t.Context(), t, a, q); h.err != nil || h.text == "" {
			t.Errorf("%+v", h)
		}
	}
	for _, run := range []bridge.Run{{Task: "t"}, {Run: "r"}, {Message: "m"}} {
		q := question()
		q.Run = run
		if k.Resumes != nil && run.Run != "" {
			continue
		}
		h := ask(t.Context(), t, k.Open(t), q)
		if wants(t, k, h.err, bridge.KindUnsupported); h.events > 0 {
			t.Errorf("%+v: %+v", run, h)
		}
	}
}

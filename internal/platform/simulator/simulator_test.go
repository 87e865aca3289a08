package simulator_test

import (
	"testing"

	"go.uber.org/goleak"

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

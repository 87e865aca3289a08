package journal_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/journal"
)

type pages struct {
	mu      sync.Mutex
	entries []bridge.Entry
	batches int
}

func (p *pages) AppendEntries(_ context.Context, e []bridge.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries, p.batches = append(p.entries, e...), p.batches+1
	return nil
}

func TestRecordsInOrderAndBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &pages{}
		j := journal.New(store, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go j.Run(ctx) //nolint:errcheck // ends with the test
		changes := j.Watch(ctx)
		for n := range 1000 {
			j.Record(bridge.Entry{JobID: int64(n)})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(store.entries) != 1000 || store.batches != 2 {
			t.Errorf("stored %d entries in %d batches", len(store.entries), store.batches)
		}
		for n, e := range store.entries {
			if e.JobID != int64(n) {
				t.Fatalf("entry %d is %d", n, e.JobID)
			}
		}
		if c := <-changes; c.Kind != bridge.ChangeOverview {
			t.Errorf("told of %v", c)
		}
		j.Record(bridge.Entry{JobID: 1000})
		stop() // what is left is stored at the end
		synctest.Wait()
		if len(store.entries) != 1001 {
			t.Errorf("stored %d entries", len(store.entries))
		}
		for range changes {
		}
	})
}

// TestNeverBlocks records without anybody storing.
func TestNeverBlocks(t *testing.T) {
	t.Parallel()
	j := journal.New(&pages{}, slog.New(slog.DiscardHandler))
	for range 10000 {
		j.Record(bridge.Entry{})
	}
	if j.Dropped() != 10000-8192 {
		t.Errorf("dropped %d", j.Dropped())
	}
}

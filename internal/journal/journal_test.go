package journal_test

import (
	"context"
	"errors"
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
	fails   int           // so many times
	slow    time.Duration // unless ctx ends before
}

func (p *pages) AppendEntries(ctx context.Context, e []bridge.Entry) error {
	if p.slow > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(p.slow):
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails > 0 {
		p.fails--
		return errors.New("the server is starting up")
	}
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

// TestStoreFailsForAWhile: what happened while the store could not be written is
// stored when it can be, in order, as far as there was room for it.
func TestStoreFailsForAWhile(t *testing.T) {
	t.Parallel()
	for recorded, lost := range map[int]int{1000: 0, 10000: 10000 - 8192} {
		synctest.Test(t, func(t *testing.T) {
			store := &pages{fails: 3}
			j := journal.New(store, slog.New(slog.DiscardHandler))
			go j.Run(t.Context()) //nolint:errcheck // ends with the test
			for n := range recorded {
				j.Record(bridge.Entry{JobID: int64(n)})
				if n%100 == 0 {
					time.Sleep(10 * time.Millisecond)
				}
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if len(store.entries) != recorded-lost || j.Dropped() != lost {
				t.Fatalf("%d of %d are stored, %d dropped", len(store.entries), recorded, j.Dropped())
			}
			for n, e := range store.entries {
				if e.JobID != int64(lost+n) {
					t.Fatalf("entry %d is %d", n, e.JobID)
				}
			}
		})
	}
}

// TestStopWhileStoring: what is being stored when the program stops is stored.
func TestStopWhileStoring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &pages{slow: time.Second}
		j := journal.New(store, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go j.Run(ctx) //nolint:errcheck // ends with the test
		j.Record(bridge.Entry{JobID: 1})
		time.Sleep(500 * time.Millisecond)
		stop()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(store.entries) != 1 {
			t.Errorf("%d are stored", len(store.entries))
		}
	})
}

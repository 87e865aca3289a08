package journal

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	capacity = 8192                   // entries waiting to be stored
	batch    = 512                    // entries stored at once
	pause    = 100 * time.Millisecond // between two batches
	again    = time.Second            // after the store failed
)

// Store keeps entries.
type Store interface {
	AppendEntries(ctx context.Context, entries []bridge.Entry) error
}

// Journal takes entries and stores them. Make one with New.
type Journal struct {
	store Store
	log   *slog.Logger

	mu       sync.Mutex
	waiting  []bridge.Entry
	dropped  int
	watchers map[chan bridge.Change]struct{}
}

// New makes a journal; nothing is stored before Run.
func New(store Store, log *slog.Logger) *Journal {
	return &Journal{store: store, log: log, watchers: map[chan bridge.Change]struct{}{}}
}

// Record takes an entry. It is a bridge.Record: it never blocks and never fails.
func (j *Journal) Record(e bridge.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == capacity {
		j.waiting = j.waiting[1:]
		j.dropped++
	}
	j.waiting = append(j.waiting, e)
}

// Dropped returns how many entries were lost because the store was too slow.
func (j *Journal) Dropped() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.dropped
}

// Run stores entries until ctx ends, and then what is left. While the store fails,
// as during a restart of its server, they wait.
func (j *Journal) Run(ctx context.Context) error {
	stay := context.WithoutCancel(ctx) // what was begun is stored to its end
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			if err := j.flush(stay); err != nil {
				j.log.LogAttrs(ctx, slog.LevelError, "the last journal entries could not be stored", slog.Any("error", err))
			}
			return nil
		case <-timer.C:
		}
		next := pause
		err := j.flush(stay)
		if err != nil {
			next = again
		}
		if err != nil && !failing {
			j.log.LogAttrs(ctx, slog.LevelError, "storing journal entries failed", slog.Any("error", err))
		}
		failing = err != nil
		timer.Reset(next)
	}
}

// flush stores what is waiting and tells the watchers once it can be read.
func (j *Journal) flush(ctx context.Context) error {
	for {
		j.mu.Lock()
		n := min(batch, len(j.waiting))
		entries := append([]bridge.Entry(nil), j.waiting[:n]...)
		j.waiting = j.waiting[n:]
		j.mu.Unlock()
		if n == 0 {
			return nil
		}
		if err := j.store.AppendEntries(ctx, entries); err != nil {
			j.putBack(entries)
			return err
		}
		j.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		j.Tell(bridge.Change{Kind: bridge.ChangeTalk})
	}
}

// putBack has entries wait again, before all that came meanwhile.
func (j *Journal) putBack(entries []bridge.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = append(entries, j.waiting...)
	if more := len(j.waiting) - capacity; more > 0 {
		j.waiting = j.waiting[more:]
		j.dropped += more
	}
}

// Tell passes a change on to every watcher that has room.
func (j *Journal) Tell(c bridge.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for w := range j.watchers {
		select {
		case w <- c:
		default: // it has news to look at already
		}
	}
}

// Watch tells of changes until ctx ends; then the channel is closed.
func (j *Journal) Watch(ctx context.Context) <-chan bridge.Change {
	w := make(chan bridge.Change, 16)
	j.mu.Lock()
	j.watchers[w] = struct{}{}
	j.mu.Unlock()
	context.AfterFunc(ctx, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.watchers, w)
		close(w)
	})
	return w
}

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

// Run stores entries until ctx ends, and then what is left.
func (j *Journal) Run(ctx context.Context) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			j.flush(context.WithoutCancel(ctx))
			return nil
		case <-ticker.C:
			j.flush(ctx)
		}
	}
}

// flush stores what is waiting and tells the watchers once it can be read.
func (j *Journal) flush(ctx context.Context) {
	for {
		j.mu.Lock()
		n := min(batch, len(j.waiting))
		entries := append([]bridge.Entry(nil), j.waiting[:n]...)
		j.waiting = j.waiting[n:]
		j.mu.Unlock()
		if n == 0 {
			return
		}
		if err := j.store.AppendEntries(ctx, entries); err != nil {
			j.log.LogAttrs(ctx, slog.LevelError, "storing journal entries failed", slog.Int("entries", n), slog.Any("error", err))
		}
		j.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		j.Tell(bridge.Change{Kind: bridge.ChangeTalk})
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

package store

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun"
)

// maxBatch bounds how many writes share a commit, and with that how long the
// first of them waits for the others.
const maxBatch = 512

// request is one write that waits for its turn.
type request struct {
	// Either run or accept is set. Writes that accept messages are by far the
	// most frequent in a burst and are carried out together.
	run    func(context.Context, *tx) error
	accept *acceptance

	begun atomic.Bool // taken by the writer, or given up by the caller
	done  chan error
}

// writer is the goroutine that owns SQLite's only writing connection.
type writer struct {
	statements

	store *Store
	// merged remembers which people were linked to others; nil means ask again.
	merged map[string]string

	log   writeAheadLog
	wake  chan struct{} // holds one token while something waits
	ended chan struct{}

	mu      sync.Mutex
	waiting []*request
	closed  bool
}

func newWriter(s *Store, conn bun.Conn) *writer {
	return &writer{
		statements: statements{conn: conn}, store: s, log: writeAheadLog{path: s.path + "-wal"},
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// do hands a request to the writer and waits for the commit. A ctx that ends
// takes the request back if it was not begun; afterwards the outcome is awaited,
// so that an error never hides a write that took place.
func (w *writer) do(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.done = make(chan error, 1)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.waiting = append(w.waiting, r)
	w.mu.Unlock()
	w.nudge()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.begun.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-r.done
	}
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // a look is due already
	}
}

// close stops taking requests, waits for those already there and ends the
// goroutine.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.nudge()
	<-w.ended
	return w.conn.Close()
}

// run is the goroutine.
func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	for range w.wake {
		for {
			batch, closed := w.next()
			if len(batch) > 0 {
				w.commit(ctx, batch)
				w.tidy(ctx)
				continue
			}
			if closed {
				w.forget()
				return
			}
			break
		}
	}
}

func (w *writer) next() (batch []*request, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), maxBatch)
	batch = w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	return batch, w.closed
}

// commit carries out a batch in one transaction and answers every request.
func (w *writer) commit(ctx context.Context, batch []*request) {
	err := w.execute(ctx, "BEGIN IMMEDIATE")
	batch = begin(batch)
	outcome := make([]error, len(batch))
	if err == nil {
		err = w.carryOut(ctx, batch, outcome)
	}
	err = trouble("store: write", err)
	for i, r := range batch {
		if err != nil {
			r.done <- err
			continue
		}
		r.done <- outcome[i]
	}
}

// carryOut runs every request of a batch, notes its outcome and commits. An
// error means that nothing was stored. All are run without more ado, because
// hardly ever one fails; only then each is run again in a savepoint of its own.
func (w *writer) carryOut(ctx context.Context, batch []*request, outcome []error) error {
	t := &tx{engine: sqlite, bun: w.conn, raw: w.conn.Conn, writer: w}
	err := w.together(ctx, t, batch)
	if err != nil {
		w.rollBack(ctx)
		if err = w.execute(ctx, "BEGIN IMMEDIATE"); err == nil {
			err = w.apart(ctx, t, batch, outcome)
		}
	}
	if err == nil {
		err = w.execute(ctx, "COMMIT")
	}
	if err != nil {
		w.rollBack(ctx)
	}
	return err
}

func (w *writer) rollBack(ctx context.Context) {
	w.merged = nil
	_ = w.execute(ctx, "ROLLBACK") // fails when SQLite has rolled back by itself
}

// begin leaves out the requests whose callers have gone.
func begin(batch []*request) []*request {
	var begun []*request
	for _, r := range batch {
		if r.begun.CompareAndSwap(false, true) {
			begun = append(begun, r)
		}
	}
	return begun
}

// together runs all requests of a batch, the acceptances as one.
func (w *writer) together(ctx context.Context, t *tx, batch []*request) error {
	var accepts []*acceptance
	for _, r := range batch {
		if r.accept != nil {
			accepts = append(accepts, r.accept)
		}
	}
	if err := w.store.accept(ctx, t, accepts...); err != nil {
		return err
	}
	for _, r := range batch {
		if r.run == nil {
			continue
		}
		if err := r.run(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// apart runs each request in a savepoint: when one fails, only its own changes
// are undone. An error is the loss of the whole transaction.
func (w *writer) apart(ctx context.Context, t *tx, batch []*request, outcome []error) error {
	for i, r := range batch {
		if err := w.execute(ctx, "SAVEPOINT one"); err != nil {
			return err
		}
		if outcome[i] = w.one(ctx, t, r); outcome[i] != nil {
			w.merged = nil
			if err := w.execute(ctx, "ROLLBACK TO one"); err != nil {
				return outcome[i] // SQLite has rolled back everything; this is why
			}
		}
		if err := w.execute(ctx, "RELEASE one"); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) one(ctx context.Context, t *tx, r *request) error {
	if r.accept != nil {
		return w.store.accept(ctx, t, r.accept)
	}
	return r.run(ctx, t)
}

package store

import (
	"context"
	"database/sql"
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
	conn  bun.Conn
	store *Store
	stmts map[string]*sql.Stmt // of the goroutine alone
	// merged remembers which people were linked to others; nil means ask again.
	merged map[string]string

	wake  chan struct{} // holds one token while something waits
	ended chan struct{}

	mu      sync.Mutex
	waiting []*request
	closed  bool
}

func newWriter(s *Store, conn bun.Conn) *writer {
	return &writer{
		conn: conn, store: s, stmts: map[string]*sql.Stmt{},
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
				continue
			}
			if closed {
				w.closeStatements()
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
	outcome := make([]error, len(batch))
	err := w.execute(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		batch = begin(batch)
		err = w.runAll(ctx, batch, outcome)
		if err == nil {
			err = w.execute(ctx, "COMMIT")
		}
		if err != nil {
			w.merged = nil
			_ = w.execute(ctx, "ROLLBACK") // fails when SQLite has rolled back by itself
		}
	} else {
		batch = begin(batch)
	}
	for i, r := range batch {
		if err != nil {
			r.done <- err
			continue
		}
		r.done <- outcome[i]
	}
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

// runAll runs every request of a batch and notes its outcome. An error means
// that the transaction as a whole is lost.
func (w *writer) runAll(ctx context.Context, batch []*request, outcome []error) error {
	t := &tx{engine: sqlite, bun: w.conn, raw: w.conn.Conn, writer: w}
	together, err := w.acceptTogether(ctx, t, batch)
	if err != nil {
		return err
	}
	for i, r := range batch {
		if r.accept != nil && together {
			continue
		}
		run := r.run
		if r.accept != nil {
			run = func(ctx context.Context, t *tx) error { return w.store.accept(ctx, t, r.accept) }
		}
		if outcome[i], err = w.apart(ctx, func() error { return run(ctx, t) }); err != nil {
			return err
		}
	}
	return nil
}

// acceptTogether carries out all acceptances of a batch as one, and reports
// false when that failed and each has to be tried by itself.
func (w *writer) acceptTogether(ctx context.Context, t *tx, batch []*request) (bool, error) {
	var all []*acceptance
	for _, r := range batch {
		if r.accept != nil {
			all = append(all, r.accept)
		}
	}
	if len(all) == 0 {
		return true, nil
	}
	failed, err := w.apart(ctx, func() error { return w.store.accept(ctx, t, all...) })
	return failed == nil, err
}

// apart runs something in a savepoint of its own: when it fails, only its own
// changes are undone. The second error is the loss of the whole transaction.
func (w *writer) apart(ctx context.Context, run func() error) (failed, lost error) {
	if err := w.execute(ctx, "SAVEPOINT one"); err != nil {
		return nil, err
	}
	if failed = run(); failed != nil {
		w.merged = nil
		if err := w.execute(ctx, "ROLLBACK TO one"); err != nil {
			return nil, failed // SQLite has rolled back everything; this is why
		}
	}
	return failed, w.execute(ctx, "RELEASE one")
}

func (w *writer) execute(ctx context.Context, query string, args ...any) error {
	stmt, err := w.prepare(ctx, query) //nolint:sqlclosecheck // it is kept
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return err
}

// prepare keeps each statement it is asked for. The number of different ones is
// bounded: variable lists come in powers of two (see chunks).
func (w *writer) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := w.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, query)
	if err == nil {
		w.stmts[query] = stmt
	}
	return stmt, err
}

func (w *writer) closeStatements() {
	for _, stmt := range w.stmts {
		_ = stmt.Close()
	}
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"slices"

	"switchboard/internal/bridge"
)

// acceptance is one call of Accept: what it wants stored, and the outcome.
type acceptance struct {
	rows     []jobRow
	accepted []bridge.Accepted
}

// Accept stores messages and actions and returns when they are durable. One that
// was accepted before, within at least the last seven days, is not stored again:
// its first job is returned as a duplicate. On an error nothing is stored for
// certain.
func (s *Store) Accept(ctx context.Context, jobs []bridge.NewJob) ([]bridge.Accepted, error) {
	a := &acceptance{rows: make([]jobRow, len(jobs)), accepted: make([]bridge.Accepted, len(jobs))}
	for i, n := range jobs {
		var err error
		if a.rows[i], err = newRow(n); err != nil {
			return nil, fmt.Errorf("store: accept: %w", err)
		}
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	if err := s.acceptDurably(ctx, a); err != nil {
		return nil, fmt.Errorf("store: accept: %w", err)
	}
	return a.accepted, nil
}

func (s *Store) acceptDurably(ctx context.Context, a *acceptance) error {
	if s.writer != nil {
		return s.writer.do(ctx, &request{accept: a})
	}
	_, err := transact(ctx, s, func(ctx context.Context, t *tx) (struct{}, error) { return struct{}{}, s.accept(ctx, t, a) })
	return err
}

// accept stores several acceptances as one.
func (s *Store) accept(ctx context.Context, t *tx, all ...*acceptance) error {
	var rows []*jobRow
	for _, a := range all {
		for i := range a.rows {
			rows = append(rows, &a.rows[i])
		}
	}
	if err := t.place(ctx, rows); err != nil {
		return err
	}
	first := s.stamps(len(rows))
	for i, r := range rows {
		r.id, r.at = 0, first+int64(i)
	}
	if err := t.insertJobs(ctx, rows); err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Clone(rows), func(r *jobRow) bool { return r.id == 0 })
	if err := t.fillLanes(ctx, fresh); err != nil {
		return err
	}
	for _, a := range all {
		for i := range a.rows {
			if err := t.outcome(ctx, &a.rows[i], &a.accepted[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// outcome says what became of a row; one without an id was there before.
func (t *tx) outcome(ctx context.Context, r *jobRow, a *bridge.Accepted) error {
	if r.id != 0 {
		*a = bridge.Accepted{JobID: r.id}
		return nil
	}
	a.Duplicate = true
	return t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&a.JobID) },
		"SELECT id FROM jobs WHERE bot = ? AND origin = ?", r.bot, r.origin)
}

// place makes sure that jobs go to the lanes where their people are now: between
// finding the lane and storing the job somebody may have linked them to another
// person. On PostgreSQL it also locks the lanes against other nodes, so that
// within a lane ids have the order in which they become visible: a job that shows
// up behind a later one would never be looked for. Where a lane took the place of
// another one it is not locked yet; then the error is errMoved, and all begins
// anew with the lanes as they are.
func (t *tx) place(ctx context.Context, rows []*jobRow) error {
	if t.engine == postgres {
		scopes := make([]string, len(rows))
		for i, r := range rows {
			scopes[i] = scope(r.lane)
		}
		if err := t.lock(ctx, scopes...); err != nil {
			return err
		}
	}
	merged, err := t.mergedPeople(ctx)
	if err != nil || len(merged) == 0 {
		return err
	}
	elsewhere := false
	for _, r := range rows {
		lane := forward(r.lane, merged)
		r.lane, elsewhere = lane, elsewhere || lane != r.lane
	}
	if elsewhere && t.engine == postgres {
		return errMoved
	}
	return nil
}

// lock takes PostgreSQL's advisory locks of some scopes until the transaction
// ends; on SQLite there is one writer and nothing to lock.
func (t *tx) lock(ctx context.Context, scopes ...string) error {
	if t.engine != postgres {
		return nil
	}
	keys := make([]int64, 0, len(scopes))
	for _, s := range scopes {
		h := fnv.New64a()
		_, _ = h.Write([]byte(s))
		keys = append(keys, int64(h.Sum64())) //nolint:gosec // any 64 bits will do
	}
	slices.Sort(keys) // everybody in the same order: no deadlock
	for _, key := range slices.Compact(keys) {
		if err := t.exec(ctx, "SELECT pg_advisory_xact_lock(?)", key); err != nil {
			return err
		}
	}
	return nil
}

// A job is inserted with these columns; the stamp finds it again.
const (
	insertJob = `INSERT INTO jobs (bot, origin, queue, lane, state, accepted_at, due_at, is_action, text, extra, message, action)
		VALUES (?,?,?,?,'available',?,0,?,?,?,?,?) ON CONFLICT (bot, origin) DO NOTHING`
	fillLane = `INSERT INTO lanes (lane, queue, head, due_at, open, person, title, platforms, bots, last_job, last_at, questions)
		VALUES (?,?,?,0,1,?,?,?,?,?,?,?)
		ON CONFLICT (lane) DO UPDATE SET
		queue = CASE WHEN lanes.open = 0 THEN excluded.queue ELSE lanes.queue END,
		head = CASE WHEN lanes.open = 0 THEN excluded.head ELSE lanes.head END,
		due_at = CASE WHEN lanes.open = 0 THEN excluded.due_at ELSE lanes.due_at END,
		open = lanes.open + 1,
		title = CASE WHEN excluded.title = '' THEN lanes.title ELSE excluded.title END,
		platforms = excluded.platforms || substr(replace(lanes.platforms, excluded.platforms, ','), 2),
		bots = excluded.bots || substr(replace(lanes.bots, excluded.bots, ','), 2),
		last_job = CASE WHEN excluded.questions = 0 THEN lanes.last_job ELSE excluded.last_job END,
		last_at = CASE WHEN excluded.questions = 0 THEN lanes.last_at ELSE excluded.last_at END,
		questions = lanes.questions + excluded.questions`
)

// insertJobs inserts rows and fills in the ids of those that were new.
func (t *tx) insertJobs(ctx context.Context, rows []*jobRow) error {
	for _, r := range rows {
		var err error
		if r.id, err = t.insert(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// insert inserts a row and returns its id, 0 when it was there before.
func (t *tx) insert(ctx context.Context, r *jobRow) (id int64, err error) {
	args := []any{r.bot, r.origin, r.queue, r.lane, r.at, r.isAction(), r.text, r.extra, r.message, r.action}
	if t.engine == postgres {
		err = t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&id) }, insertJob+" RETURNING id", args...)
		return id, err
	}
	done, err := t.writer.change(ctx, insertJob, args...)
	if err != nil {
		return 0, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	return done.LastInsertId()
}

// fillLanes counts new jobs in their lanes.
func (t *tx) fillLanes(ctx context.Context, rows []*jobRow) error {
	for _, r := range rows {
		if err := t.exec(ctx, fillLane, r.laneArgs()...); err != nil {
			return err
		}
	}
	return nil
}

// laneArgs are the values of a lane whose only job is r.
func (r *jobRow) laneArgs() []any {
	id, at, questions := r.id, r.at, 1
	if r.isAction() == 1 { // a click is nothing to list
		id, at, questions = 0, 0, 0
	}
	return []any{
		r.lane, r.queue, r.id, personOfLane(r.lane), r.title, around(r.platform), around(r.bot), id, at, questions,
	}
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

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
// within a lane ids have the order in which they become visible.
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
	for _, r := range rows {
		r.lane = forward(r.lane, merged)
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
	insertJob  = "INSERT INTO jobs (bot, origin, queue, lane, state, accepted_at, due_at, is_action, text, extra, message, action) VALUES "
	jobValues  = "(?,?,?,?,'available',?,0,?,?,?,?,?)"
	onceOnly   = " ON CONFLICT (bot, origin) DO NOTHING RETURNING id, accepted_at"
	insertLane = "INSERT INTO lanes (lane, queue, head, due_at, open, person, title, platforms, bots, last_job, last_at, questions) VALUES "
	laneValues = "(?,?,?,0,1,?,?,?,?,?,?,?)"
	// A lane that was empty gets a new head; what is listed first moves there.
	orFillLane = ` ON CONFLICT (lane) DO UPDATE SET
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
	for chunk := range chunks(rows) {
		args := make([]any, 0, 10*len(chunk))
		for _, r := range chunk {
			args = append(args, r.bot, r.origin, r.queue, r.lane, r.at, r.isAction(), r.text, r.extra, r.message, r.action)
		}
		first := chunk[0].at
		err := t.each(ctx, func(found *sql.Rows) error {
			var id, at int64
			if err := found.Scan(&id, &at); err != nil {
				return err
			}
			chunk[at-first].id = id
			return nil
		}, insertJob+lists(jobValues, len(chunk))+onceOnly, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// fillLanes counts new jobs in their lanes. PostgreSQL wants each lane at most
// once in a statement, SQLite does not mind.
func (t *tx) fillLanes(ctx context.Context, rows []*jobRow) error {
	most := len(rows)
	if t.engine == postgres {
		most = 1
	}
	for part := range slices.Chunk(rows, max(most, 1)) {
		for chunk := range chunks(part) {
			args := make([]any, 0, 10*len(chunk))
			for _, r := range chunk {
				args = append(args, r.laneArgs()...)
			}
			if err := t.exec(ctx, insertLane+lists(laneValues, len(chunk))+orFillLane, args...); err != nil {
				return err
			}
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

// chunks cuts rows into powers of two, 64 at most, so that there are only seven
// different statements to keep prepared.
func chunks(rows []*jobRow) func(yield func([]*jobRow) bool) {
	return func(yield func([]*jobRow) bool) {
		for size := 64; len(rows) > 0; {
			for size > len(rows) {
				size /= 2
			}
			if !yield(rows[:size]) {
				return
			}
			rows = rows[size:]
		}
	}
}

func lists(values string, n int) string {
	return values + strings.Repeat(","+values, n-1)
}

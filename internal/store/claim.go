package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

// Claim takes up to limit jobs of a queue for a node, oldest first. Only the
// oldest unfinished job of a lane can be had, only when it is due, and only
// while no other job of that lane is running. A claimed job is running, its
// Attempt is one more than before, and it stays the node's for the lease.
func (s *Store) Claim(ctx context.Context, node, queue string, limit int, lease time.Duration) ([]bridge.Job, error) {
	if limit <= 0 {
		return nil, nil
	}
	jobs, err := writeTalk(ctx, s, func(ctx context.Context, t *tx) ([]bridge.Job, error) {
		heads, err := t.idleHeads(ctx, queue, limit)
		if err != nil {
			return nil, err
		}
		return t.start(ctx, heads, node, lease)
	})
	if err != nil {
		return nil, fmt.Errorf("store: claim: %w", err)
	}
	return jobs, nil
}

// idleLanes are those of which nothing runs and whose head is due.
const idleLanes = `SELECT lane, head FROM lanes
	WHERE queue = ? AND busy = 0 AND open > 0 AND due_at <= ? ORDER BY head LIMIT ?`

type head struct {
	lane string
	job  int64
}

func (t *tx) idleHeads(ctx context.Context, queue string, limit int) ([]head, error) {
	query := idleLanes
	if t.engine == postgres {
		query += " FOR UPDATE SKIP LOCKED" // what another node is changing is not for us
	}
	var heads []head
	err := t.each(ctx, func(rows *sql.Rows) error {
		var h head
		err := rows.Scan(&h.lane, &h.job)
		heads = append(heads, h)
		return err
	}, query, queue, now(), limit)
	return heads, err
}

const startJob = `UPDATE jobs SET state = 'running', attempt = attempt + 1, node = ?, started_at = ?, lease_until = ?
	WHERE id = ? AND lane = ? AND state IN ('available', 'retryable') RETURNING ` + jobColumns

func (t *tx) start(ctx context.Context, heads []head, node string, lease time.Duration) ([]bridge.Job, error) {
	var jobs []bridge.Job
	for _, h := range heads {
		begun := len(jobs)
		err := t.each(ctx, func(rows *sql.Rows) error {
			j, err := scanJob(rows)
			jobs = append(jobs, j)
			return err
		}, startJob, node, now(), time.Now().Add(lease).UnixMicro(), h.job, h.lane)
		if err != nil {
			return nil, err
		}
		if err := t.advance(ctx, h.lane, 0, len(jobs)-begun); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// Extend keeps running jobs of a node for another lease.
func (s *Store) Extend(ctx context.Context, node string, ids []int64, lease time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		_, err := t.bun.NewUpdate().Table("jobs").Set("lease_until = ?", time.Now().Add(lease).UnixMicro()).
			Where("node = ?", node).Where("state = 'running'").Where("id IN (?)", bun.List(ids)).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: extend: %w", err)
	}
	return nil
}

const settleJob = `UPDATE jobs SET state = ?, last_error = ?, due_at = CASE WHEN ? = 0 THEN due_at ELSE ? END, finished_at = ?, lease_until = 0,
	outcome = CASE WHEN ? = 0 THEN 0 WHEN ? = 'discarded' THEN 2 ELSE COALESCE(
		(SELECT CASE state WHEN 'delivered' THEN 1 WHEN 'failed' THEN 2 ELSE 0 END FROM replies WHERE job_id = jobs.id), 0) END
	WHERE id = ? AND node = ? AND attempt = ? AND state = 'running' RETURNING lane, message`

// Settle says how an attempt ended. It reports false, and changes nothing, when
// that attempt is not the running one any more.
func (s *Store) Settle(ctx context.Context, node string, end bridge.Settlement) (bool, error) {
	ours, err := writeTalk(ctx, s, func(ctx context.Context, t *tx) (bool, error) { return t.settle(ctx, node, end) })
	if err != nil {
		return false, fmt.Errorf("store: settle: %w", err)
	}
	return ours, nil
}

func (t *tx) settle(ctx context.Context, node string, end bridge.Settlement) (bool, error) {
	if end.State == bridge.JobRunning {
		return false, &bridge.Error{Kind: bridge.KindInvalid, Op: "settle", Detail: "an attempt cannot end running"}
	}
	finished, due, later, closed := int64(0), micros(end.DueAt), 0, 0
	if end.State.Final() {
		finished, closed = now(), 1
	} else if due != 0 {
		later = 1
	}
	var lane, message string
	err := t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&lane, &message) }, settleJob,
		string(end.State), string(end.Error), later, due, finished, closed, string(end.State), end.JobID, node, end.Attempt)
	if err != nil || lane == "" {
		return false, err
	}
	if closed == 1 {
		if err := errors.Join(t.index(ctx, end.JobID), t.countUsage(ctx, end.JobID, message)); err != nil {
			return false, err
		}
	}
	return true, t.advance(ctx, lane, -closed, -1)
}

const rescueJobs = `UPDATE jobs SET state = 'available', due_at = 0, lease_until = 0
	WHERE state = 'running' AND (node = ? OR lease_until < ?) RETURNING ` + jobColumns

// Rescue takes back the jobs that a node left running when it died, and those of
// any node whose lease ran out, oldest first. A node calls it before its first
// Claim; to look only for the expired leases of others, it is called with an
// empty name. The attempt is kept: a late settlement is refused.
func (s *Store) Rescue(ctx context.Context, node string) ([]bridge.Job, error) {
	jobs, err := writeTalk(ctx, s, func(ctx context.Context, t *tx) ([]bridge.Job, error) {
		var jobs []bridge.Job
		err := t.each(ctx, func(rows *sql.Rows) error {
			j, err := scanJob(rows)
			jobs = append(jobs, j)
			return err
		}, rescueJobs, node, now())
		if err != nil {
			return nil, err
		}
		slices.SortFunc(jobs, func(a, b bridge.Job) int { return int(a.ID - b.ID) })
		for _, j := range jobs {
			if err := t.advance(ctx, j.Lane, 0, -1); err != nil {
				return nil, err
			}
		}
		return jobs, nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: rescue: %w", err)
	}
	return jobs, nil
}

// NextDue returns when the next job becomes due that is not due yet.
func (s *Store) NextDue(ctx context.Context) (time.Time, bool, error) {
	var due sql.NullInt64
	at := now()
	err := s.readers.NewRaw(`SELECT MIN(due_at) FROM (
		SELECT MIN(due_at) AS due_at FROM jobs WHERE state = 'retryable' AND due_at > ?
		UNION ALL SELECT MIN(due_at) FROM lanes WHERE open > 0 AND busy = 0 AND due_at > ?) AS next`, at, at).Scan(ctx, &due)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("store: next due: %w", err)
	}
	return moment(due.Int64), due.Valid, nil
}

// Waiting counts the unfinished jobs of each queue.
func (s *Store) Waiting(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		Queue string
		Open  int
	}
	err := s.readers.NewRaw("SELECT queue, SUM(open) AS open FROM lanes WHERE open > 0 GROUP BY queue").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: waiting: %w", err)
	}
	waiting := map[string]int{}
	for _, r := range rows {
		waiting[r.Queue] = r.Open
	}
	return waiting, nil
}

// Job returns one job; an unknown one is an error of KindNotFound.
func (s *Store) Job(ctx context.Context, id int64) (bridge.Job, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+jobColumns+" FROM jobs WHERE id = ?", id)
	if err != nil {
		return bridge.Job{}, fmt.Errorf("store: job: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	if !rows.Next() {
		return bridge.Job{}, notFound("store: job", rows.Err())
	}
	j, err := scanJob(rows)
	if err != nil {
		return bridge.Job{}, fmt.Errorf("store: job: %w", err)
	}
	return j, nil
}

// notFound is the error for something that is not there; cause is why it could
// not be looked for, if that is the reason.
func notFound(op string, cause error) error {
	if cause != nil {
		return fmt.Errorf("%s: %w", op, cause)
	}
	return &bridge.Error{Kind: bridge.KindNotFound, Op: op}
}

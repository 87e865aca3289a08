package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

const (
	// onceFor is how long at least a message stays known after it was accepted,
	// whatever the retention: platforms deliver again for hours.
	onceFor = 7 * 24 * time.Hour
	// auditFor is how long at least the audit is kept, whatever the retention. The
	// database refuses to forget sooner; the day is for clocks that differ.
	auditFor = 366 * 24 * time.Hour
	// decidesFor is how long an answer that waits for a decision keeps its content,
	// whatever the retention: it is shown once more, without its buttons. Dify lets
	// nothing wait for longer than a week.
	decidesFor = 8 * 24 * time.Hour
	// forgetAtOnce bounds how long a step of Forget keeps other writes waiting.
	forgetAtOnce = 200
)

// Forget drops what people wrote and were answered from jobs that finished
// before content, unless an answer waits for a decision, and everything about jobs
// that finished before rows, though never before a week is over, and the audit not
// before a year is; without a time for rows it is about content alone. It returns how many jobs it touched. It works in small steps and
// can be stopped by ctx at any time.
func (s *Store) Forget(ctx context.Context, content, rows time.Time) (int, error) {
	if week := time.Now().Add(-onceFor); rows.After(week) {
		rows = week
	}
	dropped, err := s.inSteps(ctx, "finished_at > 0 AND finished_at < ?", (*tx).dropRows, micros(rows))
	if err != nil {
		return dropped, fmt.Errorf("store: forget: %w", err)
	}
	cleared, err := s.inSteps(ctx, `forgotten = 0 AND finished_at > 0 AND finished_at < ?
		AND NOT EXISTS (SELECT 1 FROM replies WHERE job_id = jobs.id AND waits = 1 AND updated_at > ?)`, (*tx).dropContent,
		micros(content), micros(time.Now().Add(-decidesFor)))
	if err == nil && rows.IsZero() && cleared == 0 {
		return 0, nil // often asked for, and seldom anything to write
	}
	if err == nil && !rows.IsZero() {
		err = s.forgetRest(ctx, micros(rows))
	}
	if err == nil {
		err = s.clearIndex(ctx)
	}
	if err != nil {
		return dropped + cleared, fmt.Errorf("store: forget: %w", err)
	}
	return dropped + cleared, nil
}

// inSteps finds jobs and applies drop to a few of them at a time.
func (s *Store) inSteps(ctx context.Context, where string, drop func(*tx, context.Context, []int64) error, args ...any) (int, error) {
	total := 0
	for {
		var ids []int64
		err := s.readers.NewSelect().Table("jobs").Column("id").Where("forgotten IN (0, 1)").Where(where, args...).
			Limit(forgetAtOnce).Scan(ctx, &ids)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		if err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error { return drop(t, ctx, ids) }); err != nil {
			return total, err
		}
		total += len(ids)
	}
}

func (t *tx) dropContent(ctx context.Context, ids []int64) error {
	if err := t.unindex(ctx, ids); err != nil {
		return err
	}
	_, err := t.bun.NewUpdate().Table("jobs").Set("text = ''").Set("extra = ''").Set("forgotten = 1").Where("id IN (?)", bun.List(ids)).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = t.bun.NewUpdate().Table("replies").Set("text = ''").Set("extra = ''").Where("job_id IN (?)", bun.List(ids)).Exec(ctx)
	return err
}

func (t *tx) dropRows(ctx context.Context, ids []int64) error {
	if err := t.unindex(ctx, ids); err != nil {
		return err
	}
	_, err := t.bun.NewRaw(`UPDATE lanes SET questions = lanes.questions - gone.n
		FROM (SELECT lane, COUNT(*) AS n FROM jobs WHERE is_action = 0 AND id IN (?) GROUP BY lane) AS gone WHERE gone.lane = lanes.lane`, bun.List(ids)).Exec(ctx)
	if err != nil {
		return err
	}
	for _, rows := range []string{
		"entries WHERE job_id IN (?) AND job_id > 0", // as their index has it
		"replies WHERE job_id IN (?)", "jobs WHERE id IN (?)",
	} {
		if _, err := t.bun.NewRaw("DELETE FROM "+rows, bun.List(ids)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forgetRest drops what belongs to no job: old entries, lanes where nothing is
// left, sessions that were closed, and the audit of long ago.
func (s *Store) forgetRest(ctx context.Context, before int64) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, "DELETE FROM audits WHERE at < ?", min(before, micros(time.Now().Add(-auditFor))))
	})
	if err != nil {
		return err
	}
	return changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		for _, statement := range []string{
			"DELETE FROM entries WHERE job_id = 0 AND at < ?",
			"DELETE FROM lanes WHERE open = 0 AND last_at < ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.lane = lanes.lane)",
			"DELETE FROM sessions WHERE closed_at > 0 AND last_active < ?",
		} {
			if err := t.exec(ctx, statement, before); err != nil {
				return err
			}
		}
		return nil
	})
}

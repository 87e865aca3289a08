package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

const replyColumns = "job_id, state, text, error, rest, updated_at, extra"

const saveReply = `INSERT INTO replies (` + replyColumns + `, waits) VALUES (?,?,?,?,?,?,?,?)
	ON CONFLICT (job_id) DO UPDATE SET state = excluded.state, text = excluded.text, error = excluded.error,
		rest = excluded.rest, updated_at = excluded.updated_at, extra = excluded.extra, waits = excluded.waits`

const replyOf = "SELECT " + replyColumns + " FROM replies WHERE job_id = ?"

const awaits = `SELECT EXISTS (SELECT 1 FROM (SELECT id FROM jobs WHERE lane = ? AND id < ? ORDER BY id DESC LIMIT ?) AS late
	JOIN replies ON replies.job_id = late.id WHERE replies.waits = 1)`

// SaveReply stores how far the answer to a job has come, in place of what was
// stored before.
func (s *Store) SaveReply(ctx context.Context, r bridge.Reply) error {
	rest, err := encode(restOf(r))
	below := ""
	if err == nil && len(r.Buttons) > 0 {
		below, err = encode(r.Buttons)
	}
	if err != nil {
		return fmt.Errorf("store: save reply: %w", err)
	}
	updated, waits := cmp.Or(micros(r.UpdatedAt), now()), 0
	if r.Form != nil {
		waits = 1
	}
	err = changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		err := t.exec(ctx, saveReply, r.JobID, string(r.State), clean(r.Text), string(r.Error), rest, updated, clean(below), waits)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save reply: %w", err)
	}
	return nil
}

// Reply returns the answer to a job as it was stored last; false when none was
// begun.
func (s *Store) Reply(ctx context.Context, jobID int64) (bridge.Reply, bool, error) {
	r, err := scanReply(s.often.reply.QueryRowContext(ctx, jobID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return bridge.Reply{}, false, nil
	case err != nil:
		return bridge.Reply{}, false, fmt.Errorf("store: reply: %w", err)
	}
	return r, true, nil
}

// Awaits says whether one of the last answers of a lane before a job waits for a
// decision. Most is how many jobs it looks back.
func (s *Store) Awaits(ctx context.Context, lane string, before int64, most int) (bool, error) {
	var waits bool
	if err := s.often.awaits.QueryRowContext(ctx, lane, before, most).Scan(&waits); err != nil {
		return false, fmt.Errorf("store: awaits: %w", err)
	}
	return waits, nil
}

// Undecided returns the last questions whose answers wait for a decision, without
// their journals, the latest first.
func (s *Store) Undecided(ctx context.Context, most int) ([]bridge.Exchange, error) {
	all, err := s.undecided(ctx, most)
	if err != nil {
		return nil, fmt.Errorf("store: undecided: %w", err)
	}
	return all, nil
}

func (s *Store) undecided(ctx context.Context, most int) ([]bridge.Exchange, error) {
	var ids []int64
	err := s.readers.NewRaw("SELECT job_id FROM replies WHERE waits = 1 ORDER BY job_id DESC LIMIT ?", limit(most)).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	replies, err := s.replies(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT "+jobColumns+" FROM jobs WHERE id IN (?) ORDER BY id DESC", bun.List(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []bridge.Exchange
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, err
		}
		if r := replies[j.ID]; r.Form != nil {
			all = append(all, bridge.Exchange{Job: j, Reply: r})
		}
	}
	return all, rows.Err()
}

func (s *Store) replies(ctx context.Context, jobs []int64) (map[int64]bridge.Reply, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+replyColumns+" FROM replies WHERE job_id IN (?)", bun.List(jobs))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	replies := map[int64]bridge.Reply{}
	for rows.Next() {
		r, err := scanReply(rows)
		if err != nil {
			return nil, err
		}
		replies[r.JobID] = r
	}
	return replies, rows.Err()
}

func scanReply(row scanner) (bridge.Reply, error) {
	var job, updated int64
	var state, text, kind, rest, below string
	if err := row.Scan(&job, &state, &text, &kind, &rest, &updated, &below); err != nil {
		return bridge.Reply{}, err
	}
	var p replyRest
	if err := decode(rest, &p); err != nil {
		return bridge.Reply{}, err
	}
	r := p.reply(job, state, text, kind, updated)
	return r, decode(below, &r.Buttons)
}

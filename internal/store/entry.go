package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

type entryRow struct {
	bun.BaseModel `bun:"table:entries"`

	ID      int64 `bun:",pk,autoincrement"`
	At      int64
	Kind    string
	JobID   int64
	Bot     string
	Message string
	Attempt int
	Took    int64
	Note    string
	Error   string
}

func (r entryRow) entry() bridge.Entry {
	return bridge.Entry{
		ID: r.ID, At: moment(r.At), Kind: bridge.EntryKind(r.Kind), JobID: r.JobID, Bot: r.Bot, Message: bridge.MessageID(r.Message),
		Attempt: r.Attempt, Took: time.Duration(r.Took), Note: r.Note, Error: bridge.Kind(r.Error),
	}
}

const insertEntry = "INSERT INTO entries (at, kind, job_id, bot, message, attempt, took, note, error) VALUES (?,?,?,?,?,?,?,?,?)"

// AppendEntries adds lines to the journal. Their IDs are given out here.
func (s *Store) AppendEntries(ctx context.Context, entries []bridge.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		for _, e := range entries {
			err := t.exec(ctx, insertEntry, micros(e.At), string(e.Kind), e.JobID, clean(e.Bot), clean(string(e.Message)),
				e.Attempt, int64(e.Took), clean(e.Note), string(e.Error))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: append entries: %w", err)
	}
	return nil
}

// Entries returns the journal of one job, oldest first.
func (s *Store) Entries(ctx context.Context, jobID int64) ([]bridge.Entry, error) {
	byJob, err := s.entries(ctx, []int64{jobID})
	if err != nil {
		return nil, fmt.Errorf("store: entries: %w", err)
	}
	return byJob[jobID], nil
}

func (s *Store) entries(ctx context.Context, jobs []int64) (map[int64][]bridge.Entry, error) {
	var rows []entryRow
	err := s.readers.NewSelect().Model(&rows).Where("job_id IN (?)", bun.List(jobs)).Where("job_id > 0").Order("job_id", "id").Scan(ctx)
	if err != nil {
		return nil, err
	}
	byJob := map[int64][]bridge.Entry{}
	for _, r := range rows {
		byJob[r.JobID] = append(byJob[r.JobID], r.entry())
	}
	return byJob, nil
}

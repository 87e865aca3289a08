package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"switchboard/internal/bridge"
)

// salvageAtOnce is how many jobs are read at a time.
const salvageAtOnce = 100

// salvage reads a database that cannot be trusted.
type salvage struct {
	db   *sql.DB
	tell func(bridge.ExportRow) error
	got  bridge.Salvaged
	who  map[bridge.Identity]asker
}

// Salvage tells of everything that can still be read of the database at path, the
// oldest first, and steps over what cannot. Nothing is changed. A file of which
// nothing can be read is the error that Open has for it.
func Salvage(ctx context.Context, path string, tell func(bridge.ExportRow) error) (bridge.Salvaged, error) {
	s := &salvage{tell: tell, who: map[bridge.Identity]asker{}}
	_, err := os.Stat(path)
	if err == nil {
		err = with(path, func(db *sql.DB) error {
			s.db = db
			return s.run(ctx)
		})
	}
	if err != nil {
		return s.got, fmt.Errorf("store: salvage: %w", trouble("store: salvage", err))
	}
	return s.got, nil
}

// run reads jobs in the order of their ids. Where that fails it goes on behind the
// place, in steps that grow, as far as there may be jobs.
func (s *salvage) run(ctx context.Context) error {
	last, err := s.last(ctx)
	for after, step := int64(0), int64(1); ; {
		rows, failed := s.jobs(ctx, after)
		for _, j := range rows {
			if err := s.hand(ctx, j); err != nil {
				return err
			}
			after, step = j.ID, 1
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case failed == nil && len(rows) == 0:
			return s.outcome(err)
		case failed == nil:
			continue
		case step == 1:
			s.got.Gaps++
			err = errors.Join(err, failed)
		}
		if bad, found := s.next(ctx, after); found {
			after = bad // only this one
			continue
		}
		if after, step = after+step, 2*step; after >= last {
			return s.outcome(err)
		}
	}
}

// next is the id of the job behind another one, if that much can be read.
func (s *salvage) next(ctx context.Context, after int64) (id int64, found bool) {
	err := s.db.QueryRowContext(ctx, "SELECT id FROM jobs WHERE id > ? ORDER BY id LIMIT 1", after).Scan(&id)
	return id, err == nil && id > after
}

// outcome is an error only when nothing was read.
func (s *salvage) outcome(err error) error {
	if s.got.Rows > 0 {
		return nil
	}
	return err
}

// last is an id that no job is behind, as far as anything says so.
func (s *salvage) last(ctx context.Context) (last int64, err error) {
	for _, query := range []string{
		"SELECT MAX(id) FROM jobs", "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'", "SELECT MAX(job_id) FROM replies", "SELECT MAX(last_job) FROM lanes",
	} {
		var id sql.NullInt64
		failed := s.db.QueryRowContext(ctx, query).Scan(&id)
		last = max(last, id.Int64)
		if !errors.Is(failed, sql.ErrNoRows) {
			err = errors.Join(err, failed)
		}
	}
	return last, err
}

// jobs reads some; those before an error are good.
func (s *salvage) jobs(ctx context.Context, after int64) (all []bridge.Job, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+jobColumns+" FROM jobs WHERE id > ? ORDER BY id LIMIT ?", after, salvageAtOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return all, err
		}
		if j.ID <= after { // pages that lead in a circle
			return all, damaged("store: salvage", "ids out of order")
		}
		all, after = append(all, j), j.ID
	}
	return all, rows.Err()
}

// hand tells of one job with what there is beside it.
func (s *salvage) hand(ctx context.Context, j bridge.Job) error {
	row := bridge.ExportRow{Job: j}
	var err error
	row.Reply, err = scanReply(s.db.QueryRowContext(ctx, replyOf, j.ID))
	switch none := errors.Is(err, sql.ErrNoRows); {
	case none && j.Action != nil:
		return nil // a click that nothing came of
	case err != nil && !none:
		s.got.Gaps++
	}
	who := s.asker(ctx, j.Message)
	row.Person = who.Person
	if row.Job.Message.Sender.Name == "" {
		row.Job.Message.Sender.Name = who.Name
	}
	s.got.Rows++
	return s.tell(row)
}

// asker is whose account wrote a message, if that is to be found.
func (s *salvage) asker(ctx context.Context, m bridge.Message) asker {
	key := bridge.Identity{Platform: m.Platform, Tenant: clean(m.Sender.Tenant), User: bridge.UserID(clean(string(m.Sender.ID)))}
	known, ok := s.who[key]
	if !ok {
		_ = s.db.QueryRowContext(ctx, `SELECT i.person, COALESCE(NULLIF(p.name, ''), i.name) FROM identities AS i JOIN people AS p ON p.id = i.person
			WHERE i.platform = ? AND i.tenant = ? AND i.user_id = ?`, string(key.Platform), key.Tenant, string(key.User)).
			Scan(&known.Person, &known.Name) // the message itself says who wrote it
		s.who[key] = known
	}
	return known
}

// LastTexts is Store.Texts for a database that does not open.
func LastTexts(ctx context.Context, path string, most int) (all []string, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("store: last texts: %w", err)
	}
	err = with(path, func(db *sql.DB) (err error) {
		all, err = lastTexts(ctx, bun.NewDB(db, sqlitedialect.New()), most)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: last texts: %w", err)
	}
	return all, nil
}

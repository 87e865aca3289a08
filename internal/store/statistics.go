package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Statistics are the size of a database and of what is in it.
type Statistics struct {
	Engine string // sqlite or postgres
	Schema int64  // the version
	Bytes  int64  // on the disk
	// Jobs are all messages and actions, Open those that are not finished,
	// Forgotten those whose content was dropped; Lanes are conversations.
	Jobs, Open, Forgotten           int64
	Replies, Entries, People, Lanes int64
	Oldest                          time.Time // the first job that is still there
}

const count = `SELECT (SELECT COUNT(*) FROM jobs), (SELECT COALESCE(SUM(open), 0) FROM lanes), (SELECT COUNT(*) FROM jobs WHERE forgotten = 1 AND finished_at > 0),
	(SELECT COUNT(*) FROM replies), (SELECT COUNT(*) FROM entries), (SELECT COUNT(*) FROM people), (SELECT COUNT(*) FROM lanes WHERE last_job > 0),
	(SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version), COALESCE((SELECT accepted_at FROM jobs ORDER BY id LIMIT 1), 0)`

const latest = `SELECT text FROM (SELECT text FROM jobs WHERE text <> '' ORDER BY id DESC LIMIT ?) AS asked
	UNION ALL SELECT text FROM (SELECT text FROM replies WHERE text <> '' ORDER BY job_id DESC LIMIT ?) AS given`

// Said returns the latest questions and answers, so many of each: what must not
// be in a file that is given away.
func (s *Store) Said(ctx context.Context, most int) ([]string, error) {
	var all []string
	if err := s.readers.NewRaw(latest, most, most).Scan(ctx, &all); err != nil {
		return nil, fmt.Errorf("store: said: %w", trouble("store: said", err))
	}
	return all, nil
}

// Statistics counts what is stored. It takes a moment on a large database.
func (s *Store) Statistics(ctx context.Context) (Statistics, error) {
	st := Statistics{Engine: "sqlite"}
	size := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if s.engine == postgres {
		st.Engine, size = "postgres", "SELECT pg_database_size(current_database())"
	}
	var oldest int64
	err := errors.Join(
		s.readers.DB.QueryRowContext(ctx, count).Scan(
			&st.Jobs, &st.Open, &st.Forgotten, &st.Replies, &st.Entries, &st.People, &st.Lanes, &st.Schema, &oldest),
		s.readers.DB.QueryRowContext(ctx, size).Scan(&st.Bytes),
	)
	if err != nil {
		return Statistics{}, fmt.Errorf("store: statistics: %w", trouble("store: statistics", err))
	}
	st.Oldest = moment(oldest)
	return st, nil
}

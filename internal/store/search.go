package store

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

const (
	// indexed is the length in characters of what is in the index.
	indexed = 3
	// fewHits is how many hits are looked at before it is decided how to find the
	// lanes of all.
	fewHits = 10_000
	// mergeAtOnce bounds, in pages, how long a step of clearIndex keeps other writes
	// waiting.
	mergeAtOnce = 64
)

// condition adds a condition to the list of conversations.
type condition func(*bun.SelectQuery) *bun.SelectQuery

// matching finds a text in names, questions and answers. The case of ASCII
// letters does not matter.
func (s *Store) matching(ctx context.Context, text string) (condition, error) {
	text = clean(text)
	said, err := s.said(ctx, text)
	if err != nil {
		return nil, err
	}
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		pattern := contains(strings.ToLower(text))
		return said(q.WhereOr(`lower(p.name) LIKE ? ESCAPE '\'`, pattern).WhereOr(`lower(l.title) LIKE ? ESCAPE '\'`, pattern))
	}, nil
}

// said finds a text in questions and answers.
func (s *Store) said(ctx context.Context, text string) (condition, error) {
	if s.engine == postgres {
		return saidAnywhere(text), nil
	}
	hits := s.hits(text)
	var lanes []string
	err := s.readers.NewRaw("SELECT DISTINCT lane FROM jobs WHERE id IN (? LIMIT ?)", hits, fewHits).Scan(ctx, &lanes)
	if err != nil {
		return nil, err
	}
	var more, most bool
	err = s.readers.NewRaw("SELECT EXISTS (? LIMIT 1 OFFSET ?), 2 * ? >= (SELECT COUNT(*) FROM lanes)", hits, fewHits, len(lanes)).Scan(ctx, &more, &most)
	if err != nil {
		return nil, err
	}
	if more && most { // a page is full soon when each lane is looked into
		return saidIn(text, "true", "0"), nil
	}
	waiting := saidIn(text, "l.open > 0", "l.head") // what is unfinished is not in the index yet
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if q = waiting(q); more {
			q = q.WhereOr("l.lane IN (SELECT lane FROM jobs WHERE id IN (? LIMIT ? OFFSET ?))", hits, math.MaxInt32, fewHits)
		}
		return q.WhereOr("l.lane IN (?)", bun.List(lanes))
	}, nil
}

// hits selects the finished jobs in which a text was said.
func (s *Store) hits(text string) *bun.RawQuery {
	if utf8.RuneCountInString(text) < indexed {
		first := strings.Map(unicode.ToLower, text) // as the index does it
		return s.readers.NewRaw("SELECT doc FROM parts WHERE term >= ? AND term < ?", first, first+string(utf8.MaxRune))
	}
	return s.readers.NewRaw("SELECT rowid FROM found WHERE found MATCH ?", `"`+strings.ReplaceAll(text, `"`, `""`)+`"`)
}

// saidAnywhere looks for a text in a way that PostgreSQL's index helps with.
func saidAnywhere(text string) condition {
	pattern := contains(strings.ToLower(text))
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.WhereOr(`l.lane IN (SELECT lane FROM jobs WHERE lower(text) LIKE ? ESCAPE '\'
			UNION SELECT said.lane FROM replies AS given JOIN jobs AS said ON said.id = given.job_id WHERE lower(given.text) LIKE ? ESCAPE '\')`,
			pattern, pattern)
	}
}

// saidIn looks into the jobs of those lanes that fulfil a condition, from a first
// one on.
func saidIn(text, lanes, first string) condition {
	pattern := contains(strings.ToLower(text))
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.WhereOr(`? AND EXISTS (SELECT 1 FROM jobs AS said LEFT JOIN replies AS given ON given.job_id = said.id
			WHERE said.lane = l.lane AND said.id >= ? AND (lower(said.text) LIKE ? ESCAPE '\' OR lower(given.text) LIKE ? ESCAPE '\'))`,
			bun.Safe(lanes), bun.Safe(first), pattern, pattern)
	}
}

// contains makes a pattern for LIKE.
func contains(text string) string { return "%" + literal(text) + "%" }

func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(clean(text))
}

// index makes a finished job findable.
func (t *tx) index(ctx context.Context, job int64) error {
	if t.engine != sqlite {
		return nil
	}
	return t.exec(ctx, `INSERT INTO found (rowid, question, answer) SELECT jobs.id, jobs.text || char(3, 3), COALESCE(replies.text, '') || char(3, 3)
		FROM jobs LEFT JOIN replies ON replies.job_id = jobs.id WHERE jobs.id = ? AND jobs.forgotten = 0`, job)
}

// unindex makes sure that jobs are not found any more.
func (t *tx) unindex(ctx context.Context, jobs []int64) error {
	if t.engine != sqlite {
		return nil
	}
	_, err := t.bun.NewRaw("DELETE FROM found WHERE rowid IN (?)", bun.List(jobs)).Exec(ctx)
	return err
}

// clearIndex takes out of the index what unindex left in it, in small steps. SQLite
// would do it by itself while jobs are forgotten, but then in steps of half a second
// in a large database, which every other write waits for; hence the migrations
// switch that off.
func (s *Store) clearIndex(ctx context.Context) error {
	if s.engine != sqlite {
		return nil
	}
	for more := true; more; {
		var err error
		if more, err = writeTalk(ctx, s, mergeIndex); err != nil {
			return err
		}
	}
	return nil
}

// mergeIndex rewrites a few pages of those parts of the index of which a tenth was
// forgotten, and tells whether there were any.
func mergeIndex(ctx context.Context, t *tx) (bool, error) {
	before, err := t.changes(ctx, "INSERT INTO found (found, rank) VALUES ('deletemerge', 10)")
	if err != nil {
		return false, err
	}
	after, err := t.changes(ctx, "INSERT INTO found (found, rank) VALUES ('merge', ?)", mergeAtOnce)
	if err != nil {
		return false, err
	}
	// One change is the command itself.
	return after-before > 1, t.exec(ctx, "INSERT INTO found (found, rank) VALUES ('deletemerge', 0)")
}

// changes carries out a statement and returns how many rows were changed until now.
func (t *tx) changes(ctx context.Context, query string, args ...any) (n int64, err error) {
	if err = t.exec(ctx, query, args...); err == nil {
		err = t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&n) }, "SELECT total_changes()")
	}
	return n, err
}

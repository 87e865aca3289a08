package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

const (
	// shortest is the length in characters from which the index helps.
	shortest = 3
	// fewHits is how many hits are turned into a list of lanes. With more of them
	// almost any lane has one, and looking into lane after lane is quicker.
	fewHits = 5000
	// lookBack is how many questions a search without the index goes back.
	lookBack = 50_000
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
	if utf8.RuneCountInString(text) < shortest {
		return saidLately(text), nil
	}
	phrase := `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	var hits []int64
	err := s.readers.NewRaw("SELECT rowid FROM found WHERE found MATCH ? ORDER BY rowid DESC LIMIT ?", phrase, fewHits+1).Scan(ctx, &hits)
	if err != nil {
		return nil, err
	}
	if len(hits) > fewHits {
		return saidIn(text, "true", "0"), nil
	}
	waiting := saidIn(text, "l.open > 0", "l.head") // what is unfinished is not in the index yet
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q = waiting(q)
		if len(hits) > 0 {
			q = q.WhereOr("l.lane IN (SELECT lane FROM jobs WHERE id IN (?))", bun.List(hits))
		}
		return q
	}, nil
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

// saidLately looks through the latest questions and answers one after the other.
func saidLately(text string) condition {
	question, answer := bun.Safe("text"), bun.Safe("replies.text")
	if lower := strings.ToLower(text); lower != strings.ToUpper(text) { // letters; Chinese has no case to look at
		text, question, answer = lower, "lower(text)", "lower(replies.text)"
	}
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.WhereOr(`l.lane IN (
			SELECT lane FROM jobs WHERE id > (SELECT MAX(id) - ? FROM jobs) AND instr(?, ?) > 0
			UNION SELECT said.lane FROM replies JOIN jobs AS said ON said.id = replies.job_id
				WHERE replies.job_id > (SELECT MAX(id) - ? FROM jobs) AND instr(?, ?) > 0)`, lookBack, question, text, lookBack, answer, text)
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
	return t.exec(ctx, `INSERT INTO found (rowid, question, answer) SELECT jobs.id, jobs.text, COALESCE(replies.text, '')
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

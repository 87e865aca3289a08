package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"switchboard/internal/bridge"
)

const insertAudit = "INSERT INTO audits (at, kind, actor, place, person, note, undo, undoes) VALUES (?,?,?,?,?,?,?,?)"

// Audit adds an entry. Its time is now; what can be undone is added by the
// methods that do it.
func (s *Store) Audit(ctx context.Context, a bridge.Audit) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error { return t.audit(ctx, a, nil) })
	if err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

// AuditOnce adds an entry that was written down elsewhere meanwhile, with its own
// time, unless it is there already.
func (s *Store) AuditOnce(ctx context.Context, a bridge.Audit) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		there := false
		err := t.each(ctx, func(*sql.Rows) error { there = true; return nil },
			"SELECT 1 FROM audits WHERE at = ? AND kind = ? AND actor = ? AND place = ? AND note = ?",
			micros(a.At), string(a.Kind), a.By.Who, a.By.Where, clean(a.Note))
		if err != nil || there {
			return err
		}
		return t.exec(ctx, insertAudit, micros(a.At), string(a.Kind), a.By.Who, a.By.Where, a.Person, clean(a.Note), "", 0)
	})
	if err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

// audit adds an entry; undo, if not nil, is what takes it back.
func (t *tx) audit(ctx context.Context, a bridge.Audit, undo *undo) error {
	how := ""
	if undo != nil {
		var err error
		if how, err = encode(undo); err != nil {
			return err
		}
	}
	return t.exec(ctx, insertAudit, now(), string(a.Kind), a.By.Who, a.By.Where, a.Person, clean(a.Note), how, a.Undoes)
}

// undoable says of an entry that it can be taken back: not twice, and not while
// whom it is about is part of somebody else.
const undoable = `undo <> '' AND NOT EXISTS (SELECT 1 FROM audits AS u WHERE u.undoes = audits.id)
	AND NOT EXISTS (SELECT 1 FROM people AS p WHERE p.id = audits.person AND p.merged_into <> '')`

// Audits returns entries, the latest first.
func (s *Store) Audits(ctx context.Context, q bridge.AuditQuery) ([]bridge.Audit, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, value any) { where, args = append(where, condition), append(args, value) }
	if q.Person != "" { // and of those who turned out to be this person
		add("(person = ? OR person IN (SELECT id FROM people WHERE merged_into = ?))", q.Person)
		args = append(args, q.Person)
	}
	if q.Kind != "" {
		add("kind = ?", string(q.Kind))
	}
	if !q.Since.IsZero() {
		add("at >= ?", micros(q.Since))
	}
	if q.Before > 0 {
		add("id < ?", q.Before)
	}
	rows, err := s.readers.QueryContext(ctx, `SELECT id, at, kind, actor, place, person, note, undoes,
			CASE WHEN `+undoable+` THEN 1 ELSE 0 END
		FROM audits WHERE `+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, limit(q.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("store: audits: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []bridge.Audit
	for rows.Next() {
		a, err := scanAudit(rows)
		if err != nil {
			return nil, fmt.Errorf("store: audits: %w", err)
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

func scanAudit(rows *sql.Rows) (bridge.Audit, error) {
	var a bridge.Audit
	var at int64
	var undoable int
	err := rows.Scan(&a.ID, &at, &a.Kind, &a.By.Who, &a.By.Where, &a.Person, &a.Note, &a.Undoes, &undoable)
	a.At, a.Undoable = moment(at), undoable == 1
	return a, err
}

package store

import (
	"context"
	"database/sql"
	"fmt"

	"switchboard/internal/bridge"
)

// TellApart remembers that two people are not one human being, whatever directories
// say: Suggestions has them no longer, nor whoever they become part of. Undo takes it
// back.
func (s *Store) TellApart(ctx context.Context, one, other string, by bridge.Actor) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error { return t.tellApart(ctx, min(one, other), max(one, other), by) })
	if err != nil {
		return fmt.Errorf("store: tell apart: %w", err)
	}
	return nil
}

func (t *tx) tellApart(ctx context.Context, one, other string, by bridge.Actor) error {
	if one == other {
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "tell apart", Detail: "they are one person"}
	}
	for _, id := range []string{one, other} {
		identities, err := t.identitiesOf(ctx, id)
		if err != nil {
			return err
		}
		if len(identities) == 0 {
			return notFound("person "+id, nil)
		}
	}
	there := true
	err := t.each(ctx, func(*sql.Rows) error { there = false; return nil },
		"INSERT INTO apart (person, other) VALUES (?,?) ON CONFLICT DO NOTHING RETURNING person", one, other)
	if err != nil || there {
		return err
	}
	return t.audit(ctx, bridge.Audit{Kind: bridge.AuditApart, By: by, Person: one, Note: one + " and " + other}, &undo{Apart: []string{one, other}})
}

// toldApart are the pairs of people who are not one, as whom they are part of now.
func (s *Store) toldApart(ctx context.Context) (map[[2]string]bool, error) {
	rows, err := s.readers.DB.QueryContext(ctx, `SELECT COALESCE(NULLIF(p.merged_into, ''), p.id), COALESCE(NULLIF(q.merged_into, ''), q.id)
		FROM apart AS a JOIN people AS p ON p.id = a.person JOIN people AS q ON q.id = a.other`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	pairs := map[[2]string]bool{}
	for rows.Next() {
		var one, other string
		if err := rows.Scan(&one, &other); err != nil {
			return nil, err
		}
		pairs[[2]string{min(one, other), max(one, other)}] = true
	}
	return pairs, rows.Err()
}

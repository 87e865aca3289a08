package store

import (
	"context"
	"fmt"

	"switchboard/internal/bridge"
)

// asked is the entry at which somebody began to wait for a decision; also that of
// whoever turned out to be this person, who goes on waiting as part of them.
const asked = `(SELECT MIN(id) FROM audits WHERE kind = ? AND
	person IN (SELECT p.id UNION ALL SELECT id FROM people WHERE merged_into = p.id AND merged_into <> ''))`

const newcomers = `SELECT p.id, p.name, p.role, p.language, p.created_at, a.place, a.at FROM people AS p
	JOIN audits AS a ON a.id = ` + asked + `
	WHERE p.role = ? AND EXISTS (SELECT 1 FROM identities WHERE person = p.id) ORDER BY a.id`

// Newcomers lists the people who wait for an admin's decision, the one who has
// waited longest first.
func (s *Store) Newcomers(ctx context.Context) ([]bridge.Newcomer, error) {
	rows, err := s.readers.QueryContext(ctx, newcomers, string(bridge.AuditApproval), string(bridge.RoleNew))
	if err != nil {
		return nil, fmt.Errorf("store: newcomers: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []bridge.Newcomer
	for rows.Next() {
		var n bridge.Newcomer
		var created, since int64
		p := &n.Person
		if err := rows.Scan(&p.ID, &p.Name, &p.Role, &p.Language, &created, &n.Bot, &since); err != nil {
			return nil, fmt.Errorf("store: newcomers: %w", err)
		}
		p.CreatedAt, n.Since = moment(created), moment(since)
		all = append(all, n)
	}
	return all, rows.Err()
}

package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

// seen is when a person last wrote in a direct chat, or was first met.
const seen = "COALESCE(l.seen, p.created_at)"

type listedRow struct {
	ID, Name, Role, Language string
	CreatedAt, Seen, Waits   int64
	WaitsFor                 string
	identities               []bridge.Identity
}

func (r listedRow) row() bridge.PersonRow {
	listed := bridge.PersonRow{
		Person:   bridge.Person{ID: r.ID, Name: r.Name, Role: bridge.Role(r.Role), Language: bridge.Language(r.Language), CreatedAt: moment(r.CreatedAt)},
		LastSeen: moment(r.Seen), Identities: r.identities,
	}
	if listed.Person.Role == bridge.RoleNew {
		listed.WaitsSince, listed.WaitsFor = moment(r.Waits), r.WaitsFor
	}
	return listed
}

// People lists people with their identities, the one who was seen last first. The
// next page begins after the last row of this one.
func (s *Store) People(ctx context.Context, q bridge.PeopleQuery) ([]bridge.PersonRow, error) {
	var rows []listedRow
	err := s.listing(q).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: people: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if err := s.withIdentities(ctx, rows); err != nil {
		return nil, fmt.Errorf("store: people: %w", err)
	}
	all := make([]bridge.PersonRow, len(rows))
	for i, r := range rows {
		all[i] = r.row()
	}
	return all, nil
}

// listing is the query of People. Somebody without an identity was merged into
// somebody else.
func (s *Store) listing(q bridge.PeopleQuery) *bun.SelectQuery {
	query := s.readers.NewSelect().TableExpr("people AS p").
		ColumnExpr("p.id, p.name, p.role, p.language, p.created_at, "+seen+" AS seen").
		ColumnExpr("COALESCE(a.at, 0) AS waits, COALESCE(a.place, '') AS waits_for").
		Join("LEFT JOIN (SELECT person, MAX(last_at) AS seen FROM lanes WHERE person <> '' GROUP BY person) AS l ON l.person = p.id").
		Join("LEFT JOIN audits AS a ON a.id = "+asked, string(bridge.AuditApproval)).
		Where("EXISTS (SELECT 1 FROM identities AS i WHERE i.person = p.id)").
		OrderExpr(seen + " DESC, p.id DESC").Limit(limit(q.Limit))
	if q.ID != "" {
		query = query.Where("p.id = ?", q.ID)
	}
	if q.Role != "" {
		query = query.Where("p.role = ?", string(q.Role))
	}
	if q.Waiting {
		query = query.Where("p.role = ?", string(bridge.RoleNew)).Where("a.id IS NOT NULL")
	}
	if q.After != nil {
		at := micros(q.After.LastSeen)
		query = query.Where("("+seen+" < ? OR ("+seen+" = ? AND p.id < ?))", at, at, q.After.Person.ID)
	}
	if q.Text != "" {
		query = query.WhereGroup(" AND ", named(q.Text))
	}
	return query
}

// named finds a text in what people are called, in their ids on the platforms
// and in what directories say of them. The case of ASCII letters does not matter.
func named(text string) condition {
	pattern := contains(strings.ToLower(clean(text)))
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.WhereOr(`lower(p.name) LIKE ? ESCAPE '\'`, pattern).WhereOr("p.id = ?", text).
			WhereOr(`EXISTS (SELECT 1 FROM identities AS i WHERE i.person = p.id AND
				(lower(i.name) LIKE ? ESCAPE '\' OR lower(i.user_id) LIKE ? ESCAPE '\'))`, pattern, pattern).
			WhereOr(`EXISTS (SELECT 1 FROM identities AS i JOIN profiles AS f ON f.platform = i.platform AND f.tenant = i.tenant AND f.user_id = i.user_id
				WHERE i.person = p.id AND (lower(f.name) LIKE ? ESCAPE '\' OR lower(f.email) LIKE ? ESCAPE '\'
				OR f.mobile LIKE ? ESCAPE '\' OR lower(f.department) LIKE ? ESCAPE '\'))`, pattern, pattern, pattern, pattern)
	}
}

func (s *Store) withIdentities(ctx context.Context, rows []listedRow) error {
	at := map[string]int{}
	var ids []string
	for i, r := range rows {
		at[r.ID], ids = i, append(ids, r.ID)
	}
	var found []identityRow
	err := s.readers.NewSelect().Model(&found).Where("person IN (?)", bun.List(ids)).
		Order("linked_at", "platform", "tenant", "user_id").Scan(ctx)
	for _, f := range found {
		r := &rows[at[f.Person]]
		r.identities = append(r.identities, f.identity())
	}
	return err
}

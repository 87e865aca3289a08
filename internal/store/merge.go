package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"switchboard/internal/bridge"
)

// undo is what an audit entry has to remember to be taken back.
type undo struct {
	From       string      `json:"from,omitempty"` // Person.ID before
	Into       string      `json:"into,omitempty"` // Person.ID after
	Identities []moveBack  `json:"identities,omitempty"`
	Sessions   []reopening `json:"sessions,omitempty"` // open before, of both people
	Name       *string     `json:"name,omitempty"`
	Role       bridge.Role `json:"role,omitempty"`
	// Before is the role that Into had when it took over that of From.
	Before bridge.Role `json:"before,omitempty"`
	// Apart are two people who were told apart.
	Apart []string `json:"apart,omitempty"`
}

// moveBack names an identity that changed its person.
type moveBack struct {
	Platform bridge.Platform `json:"platform"`
	Tenant   string          `json:"tenant"`
	User     bridge.UserID   `json:"user"`
}

func (m moveBack) identity() bridge.Identity {
	return bridge.Identity{Platform: m.Platform, Tenant: m.Tenant, User: m.User}
}

// reopening is a session that was open, and where.
type reopening struct {
	ID     string `json:"id"`
	Lane   string `json:"lane"`
	Person string `json:"person"`
	Closed bool   `json:"closed,omitempty"` // by the merge
}

// Merge makes one person of two: every identity of from, and what was said,
// belongs to into from now on, whose name and role stay. Only when nobody has
// decided about into, the role of from is taken over. Of two running sessions with
// the same agent the one that was active last continues. Undo takes it back.
func (s *Store) Merge(ctx context.Context, from, into string, by bridge.Actor) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error { return t.merge(ctx, from, into, by) })
	if err != nil {
		return fmt.Errorf("store: merge: %w", err)
	}
	return nil
}

func (t *tx) merge(ctx context.Context, from, into string, by bridge.Actor) error {
	if from == into {
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "merge", Detail: "they are one person already"}
	}
	if err := t.lock(ctx, "p:"+from, "p:"+into); err != nil {
		return err
	}
	identities, err := t.identitiesOf(ctx, from)
	if err != nil {
		return err
	}
	if len(identities) == 0 {
		return notFound("person "+from, nil)
	}
	u := undo{From: from, Into: into}
	if u.Sessions, err = t.openSessions(ctx, from, into); err != nil {
		return err
	}
	for _, who := range identities {
		if err := t.link(ctx, who, into); err != nil {
			return err
		}
		u.Identities = append(u.Identities, moveBack{who.Platform, who.Tenant, who.User})
	}
	for i := range u.Sessions {
		r := &u.Sessions[i]
		err := t.each(ctx, func(*sql.Rows) error { r.Closed = true; return nil }, "SELECT id FROM sessions WHERE id = ? AND closed_at > 0", r.ID)
		if err != nil {
			return err
		}
	}
	if u.Before, err = t.inheritRole(ctx, from, into); err != nil {
		return err
	}
	return t.audit(ctx, bridge.Audit{Kind: bridge.AuditMerged, By: by, Person: into, Note: from + " into " + into}, &u)
}

// inheritRole gives a newcomer the role of somebody they turned out to be, and
// returns the one they had; empty when theirs stays.
func (t *tx) inheritRole(ctx context.Context, from, into string) (before bridge.Role, err error) {
	err = t.each(ctx, func(*sql.Rows) error { before = bridge.RoleNew; return nil },
		"UPDATE people SET role = (SELECT role FROM people WHERE id = ?) WHERE id = ? AND role = ? RETURNING id", from, into, string(bridge.RoleNew))
	return before, err
}

func (t *tx) identitiesOf(ctx context.Context, person string) ([]bridge.Identity, error) {
	var all []bridge.Identity
	err := t.each(ctx, func(rows *sql.Rows) error {
		var who bridge.Identity
		err := rows.Scan(&who.Platform, &who.Tenant, &who.User, &who.Name)
		all = append(all, who)
		return err
	}, "SELECT platform, tenant, user_id, name FROM identities WHERE person = ? ORDER BY linked_at, platform, tenant, user_id", person)
	return all, err
}

func (t *tx) openSessions(ctx context.Context, people ...string) ([]reopening, error) {
	var open []reopening
	for _, person := range people {
		err := t.each(ctx, func(rows *sql.Rows) error {
			var r reopening
			err := rows.Scan(&r.ID, &r.Lane, &r.Person)
			open = append(open, r)
			return err
		}, "SELECT id, lane, person FROM sessions WHERE person = ? AND closed_at = 0 ORDER BY id", person)
		if err != nil {
			return nil, err
		}
	}
	return open, nil
}

// Unlink makes one identity of a person a person of its own: the one it was
// before it was linked, or a new one. The role stays the same. An identity that
// is its person's only one is an error of KindInvalid.
func (s *Store) Unlink(ctx context.Context, who bridge.Identity, by bridge.Actor) (bridge.Person, error) {
	p, err := write(ctx, s, func(ctx context.Context, t *tx) (bridge.Person, error) { return t.unlink(ctx, who, by) })
	if err != nil {
		return p, fmt.Errorf("store: unlink: %w", err)
	}
	return p, nil
}

func (t *tx) unlink(ctx context.Context, who bridge.Identity, by bridge.Actor) (bridge.Person, error) {
	if err := t.lock(ctx, identityScope(who)); err != nil {
		return bridge.Person{}, err
	}
	p, name, err := t.known(ctx, who)
	if errors.Is(err, sql.ErrNoRows) {
		return p, notFound("identity", nil)
	}
	if err != nil {
		return p, err
	}
	all, err := t.identitiesOf(ctx, p.ID)
	if err != nil {
		return p, err
	}
	if len(all) < 2 {
		return p, &bridge.Error{Kind: bridge.KindInvalid, Op: "unlink", Detail: "it is linked to nothing"}
	}
	own, err := t.ownPerson(ctx, who, name, p)
	if err != nil {
		return p, err
	}
	if err := t.link(ctx, who, own.ID); err != nil {
		return p, err
	}
	u := undo{From: p.ID, Into: own.ID, Identities: []moveBack{{who.Platform, who.Tenant, who.User}}}
	return own, t.audit(ctx, bridge.Audit{Kind: bridge.AuditUnlinked, By: by, Person: p.ID, Note: own.ID + " from " + p.ID}, &u)
}

// ownPerson finds or makes the person of an identity that leaves another one. It
// takes the role along: nobody gets rid of being blocked by this.
func (t *tx) ownPerson(ctx context.Context, who bridge.Identity, name string, left bridge.Person) (bridge.Person, error) {
	var first string
	err := t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&first) },
		`SELECT first_person FROM identities WHERE platform = ? AND tenant = ? AND user_id = ? AND first_person <> person
			AND NOT EXISTS (SELECT 1 FROM identities AS i WHERE i.person = identities.first_person)`,
		string(who.Platform), clean(who.Tenant), clean(string(who.User)))
	if err != nil {
		return left, err
	}
	if first != "" {
		if err := t.exec(ctx, "UPDATE people SET role = ? WHERE id = ?", string(left.Role), first); err != nil {
			return left, err
		}
		row, err := personByID(ctx, t.bun, first)
		return row.person(), err
	}
	row := personRow{ID: newPersonID(), Name: name, Role: string(left.Role), Language: string(left.Language), CreatedAt: now()}
	_, err = t.bun.NewInsert().Model(&row).Exec(ctx)
	return row.person(), err
}

// Rename gives a person a name that names of platforms do not replace.
func (s *Store) Rename(ctx context.Context, person, name string, by bridge.Actor) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		row, err := personByID(ctx, t.bun, person)
		if err != nil {
			return err
		}
		if err := t.exec(ctx, "UPDATE people SET name = ? WHERE id = ?", clean(name), person); err != nil {
			return err
		}
		return t.audit(ctx, bridge.Audit{Kind: bridge.AuditRenamed, By: by, Person: person}, &undo{Into: person, Name: &row.Name})
	})
	if err != nil {
		return fmt.Errorf("store: rename: %w", err)
	}
	return nil
}

// SetRole gives a person a role.
func (s *Store) SetRole(ctx context.Context, person string, role bridge.Role, by bridge.Actor) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		row, err := personByID(ctx, t.bun, person)
		if err != nil {
			return err
		}
		if err := t.exec(ctx, "UPDATE people SET role = ? WHERE id = ?", string(role), person); err != nil {
			return err
		}
		a := bridge.Audit{Kind: bridge.AuditRole, By: by, Person: person, Note: row.Role + " to " + string(role)}
		return t.audit(ctx, a, &undo{Into: person, Role: bridge.Role(row.Role)})
	})
	if err != nil {
		return fmt.Errorf("store: set role: %w", err)
	}
	return nil
}

// SetLanguage keeps the language a person wants to be spoken to in.
func (s *Store) SetLanguage(ctx context.Context, person string, lang bridge.Language) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, "UPDATE people SET language = ? WHERE id = ?", string(lang), person)
	})
	if err != nil {
		return fmt.Errorf("store: set language: %w", err)
	}
	return nil
}

// CloseSessionsOf ends the open sessions of a person with every agent.
func (s *Store) CloseSessionsOf(ctx context.Context, person string) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		_, err := t.bun.NewUpdate().Table("sessions").Set("closed_at = ?", now()).Set("vault = ''").Where("closed_at = 0").
			Where("person = ? OR person IN (SELECT merged_into FROM people WHERE id = ? AND merged_into <> '')", person, person).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: close sessions of: %w", err)
	}
	return nil
}

// Undo takes back what an audit entry tells. An entry that cannot be undone, or
// was undone before, or is about somebody who is part of somebody else now, is an
// error of KindInvalid.
func (s *Store) Undo(ctx context.Context, id int64, by bridge.Actor) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error { return t.undo(ctx, id, by) })
	if err != nil {
		return fmt.Errorf("store: undo: %w", err)
	}
	return nil
}

func (t *tx) undo(ctx context.Context, id int64, by bridge.Actor) error {
	if err := t.lock(ctx, "undo"); err != nil {
		return err
	}
	var how, person string
	err := t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&how, &person) },
		"SELECT undo, person FROM audits WHERE id = ? AND "+undoable, id)
	if err != nil {
		return err
	}
	if how == "" {
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "undo", Detail: "there is nothing to take back"}
	}
	var u undo
	if err := decode(how, &u); err != nil {
		return err
	}
	if err := t.takeBack(ctx, u); err != nil {
		return err
	}
	return t.audit(ctx, bridge.Audit{Kind: bridge.AuditUndone, By: by, Person: person, Undoes: id}, nil)
}

func (t *tx) takeBack(ctx context.Context, u undo) error {
	switch {
	case len(u.Apart) == 2:
		return t.exec(ctx, "DELETE FROM apart WHERE person = ? AND other = ?", u.Apart[0], u.Apart[1])
	case u.Name != nil:
		return t.exec(ctx, "UPDATE people SET name = ? WHERE id = ?", *u.Name, u.Into)
	case u.Role != "":
		return t.exec(ctx, "UPDATE people SET role = ? WHERE id = ?", string(u.Role), u.Into)
	}
	for _, m := range u.Identities {
		p, _, err := t.known(ctx, m.identity())
		if err != nil {
			return err
		}
		if p.ID != u.Into {
			continue // moved on meanwhile; that is somebody else's decision
		}
		if err := t.link(ctx, m.identity(), u.From); err != nil {
			return err
		}
	}
	if u.Before != "" { // unless it was given another one since
		err := t.exec(ctx, "UPDATE people SET role = ? WHERE id = ? AND role = (SELECT role FROM people WHERE id = ?)", string(u.Before), u.Into, u.From)
		if err != nil {
			return err
		}
	}
	return t.giveBack(ctx, u.Sessions)
}

// giveBack returns sessions to the people who had them, and opens those again
// that were closed by a merge. A lane where another one began meanwhile keeps
// that.
func (t *tx) giveBack(ctx context.Context, sessions []reopening) error {
	for _, r := range sessions {
		if err := t.exec(ctx, "UPDATE sessions SET lane = ?, person = ? WHERE id = ?", r.Lane, r.Person, r.ID); err != nil {
			return err
		}
	}
	for _, r := range sessions {
		if !r.Closed {
			continue // still open, or somebody began afresh
		}
		err := t.exec(ctx, `UPDATE sessions SET closed_at = 0 WHERE id = ? AND NOT EXISTS
			(SELECT 1 FROM sessions AS o WHERE o.lane = ? AND o.agent = sessions.agent AND o.closed_at = 0 AND o.id <> sessions.id)`,
			r.ID, r.Lane)
		if err != nil {
			return err
		}
	}
	return nil
}

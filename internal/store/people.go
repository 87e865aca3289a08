package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

type personRow struct {
	bun.BaseModel `bun:"table:people"`

	ID         string `bun:",pk"`
	Name       string
	Role       string
	Language   string
	CreatedAt  int64
	MergedInto string
}

func (r personRow) person() bridge.Person {
	return bridge.Person{
		ID: r.ID, Name: r.Name, Role: bridge.Role(r.Role), Language: bridge.Language(r.Language), CreatedAt: moment(r.CreatedAt),
	}
}

type identityRow struct {
	bun.BaseModel `bun:"table:identities"`

	Platform    string `bun:",pk"`
	Tenant      string `bun:",pk"`
	UserID      string `bun:",pk"`
	Person      string
	FirstPerson string
	Name        string
	LinkedAt    int64
}

func (r identityRow) identity() bridge.Identity {
	return bridge.Identity{
		Platform: bridge.Platform(r.Platform), Tenant: r.Tenant, User: bridge.UserID(r.UserID),
		Person: r.Person, Name: r.Name, LinkedAt: moment(r.LinkedAt),
	}
}

const whoIs = `SELECT p.id, p.name, p.role, p.language, p.created_at, i.name FROM identities AS i JOIN people AS p ON p.id = i.person
	WHERE i.platform = ? AND i.tenant = ? AND i.user_id = ?`

// PersonOf returns whose identity it is. An identity that was never seen gets a
// person of its own. A name that changed on the platform is taken over, unless
// the person goes by another name that somebody chose for them.
func (s *Store) PersonOf(ctx context.Context, who bridge.Identity) (bridge.Person, error) {
	who.Name = clean(who.Name)
	known, err := s.lookUp(ctx, who)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		known.person, err = writeTalk(ctx, s, func(ctx context.Context, t *tx) (bridge.Person, error) { return t.meet(ctx, who, s.role) })
	case err == nil && who.Name != "" && who.Name != known.name:
		known.person, err = write(ctx, s, func(ctx context.Context, t *tx) (bridge.Person, error) { return t.rename(ctx, who) })
	}
	if err != nil {
		return bridge.Person{}, fmt.Errorf("store: person of: %w", err)
	}
	return known.person, nil
}

// lookUp finds out whose identity it is, if possible from memory.
func (s *Store) lookUp(ctx context.Context, who bridge.Identity) (stranger, error) {
	known, since, ok := s.faces.recall(who)
	if ok {
		return known, nil
	}
	row := s.often.whoIs.QueryRowContext(ctx, string(who.Platform), clean(who.Tenant), clean(string(who.User)))
	var err error
	known.person, known.name, err = scanPerson(row)
	if err == nil && s.engine == sqlite {
		s.faces.learn(who, known, since)
	}
	return known, err
}

// scanPerson reads a row of whoIs; known is the name of the identity.
func scanPerson(row scanner) (p bridge.Person, known string, err error) {
	var created int64
	err = row.Scan(&p.ID, &p.Name, &p.Role, &p.Language, &created, &known)
	p.CreatedAt = moment(created)
	return p, known, err
}

// meet makes a person for an identity, unless somebody else just did.
func (t *tx) meet(ctx context.Context, who bridge.Identity, role bridge.Role) (bridge.Person, error) {
	if err := t.lock(ctx, identityScope(who)); err != nil {
		return bridge.Person{}, err
	}
	person, _, err := t.known(ctx, who)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return person, err
	}
	p := personRow{ID: newPersonID(), Name: who.Name, Role: string(role), CreatedAt: now()}
	if _, err := t.bun.NewInsert().Model(&p).Exec(ctx); err != nil {
		return bridge.Person{}, err
	}
	return p.person(), t.addIdentity(ctx, who, p.ID)
}

func (t *tx) addIdentity(ctx context.Context, who bridge.Identity, person string) error {
	row := identityRow{
		Platform: string(who.Platform), Tenant: clean(who.Tenant), UserID: clean(string(who.User)),
		Person: person, FirstPerson: person, Name: clean(who.Name), LinkedAt: now(),
	}
	_, err := t.bun.NewInsert().Model(&row).Exec(ctx)
	return err
}

// known looks an identity up within a write.
func (t *tx) known(ctx context.Context, who bridge.Identity) (p bridge.Person, name string, err error) {
	err = sql.ErrNoRows
	failed := t.each(ctx, func(rows *sql.Rows) error {
		p, name, err = scanPerson(rows)
		return err
	}, whoIs, string(who.Platform), clean(who.Tenant), clean(string(who.User)))
	if failed != nil {
		err = failed
	}
	return p, name, err
}

func (t *tx) rename(ctx context.Context, who bridge.Identity) (bridge.Person, error) {
	p, before, err := t.known(ctx, who)
	if err != nil {
		return p, err
	}
	err = t.exec(ctx, "UPDATE identities SET name = ? WHERE platform = ? AND tenant = ? AND user_id = ?",
		who.Name, string(who.Platform), clean(who.Tenant), clean(string(who.User)))
	if err != nil || p.Name != before {
		return p, err
	}
	p.Name = who.Name
	err = t.exec(ctx, "UPDATE people SET name = ? WHERE id = ?", p.Name, p.ID)
	return p, err
}

// Person returns one person; an unknown one is an error of KindNotFound.
func (s *Store) Person(ctx context.Context, id string) (bridge.Person, error) {
	row, err := personByID(ctx, s.readers, id)
	if err != nil {
		return bridge.Person{}, fmt.Errorf("store: person: %w", err)
	}
	return row.person(), nil
}

func personByID(ctx context.Context, db bun.IDB, id string) (personRow, error) {
	var row personRow
	err := db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		err = notFound("person "+id, nil)
	}
	return row, err
}

// SavePerson stores name, role and language of a person; who is unknown is added.
func (s *Store) SavePerson(ctx context.Context, p bridge.Person) error {
	row := personRow{ID: p.ID, Name: clean(p.Name), Role: string(p.Role), Language: string(p.Language), CreatedAt: micros(p.CreatedAt)}
	if row.CreatedAt == 0 {
		row.CreatedAt = now()
	}
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		_, err := t.bun.NewInsert().Model(&row).On("CONFLICT (id) DO UPDATE").
			Set("name = EXCLUDED.name").Set("role = EXCLUDED.role").Set("language = EXCLUDED.language").Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save person: %w", err)
	}
	return nil
}

// Identities returns the platform users who belong to a person, the first one
// linked first.
func (s *Store) Identities(ctx context.Context, person string) ([]bridge.Identity, error) {
	var rows []identityRow
	err := s.readers.NewSelect().Model(&rows).Where("person = ?", person).Order("linked_at", "platform", "tenant", "user_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: identities: %w", err)
	}
	var all []bridge.Identity
	for _, r := range rows {
		all = append(all, r.identity())
	}
	return all, nil
}

// newPersonID makes an id that says nothing and has no colon, because it is part
// of a lane.
func newPersonID() string { return "p_" + strings.ToLower(ulid.MustNewDefault(time.Now()).String()) }

func identityScope(who bridge.Identity) string {
	return "i:" + string(who.Platform) + ":" + who.Tenant + ":" + string(who.User)
}

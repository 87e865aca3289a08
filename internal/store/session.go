package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions"`

	ID               string `bun:",pk"`
	Lane             string
	FirstLane        string
	Agent            string
	Person           string
	Conversation     string
	ConversationUser string
	LastPlatform     string
	Messages         int
	Vault            string
	CreatedAt        int64
	LastActive       int64
	ClosedAt         int64
}

func (r sessionRow) session() bridge.Session {
	return bridge.Session{
		ID: r.ID, Lane: r.Lane, Agent: r.Agent, Person: r.Person,
		Conversation: bridge.Conversation{ID: r.Conversation, User: r.ConversationUser},
		LastPlatform: bridge.Platform(r.LastPlatform), Messages: r.Messages, Vault: sealed(r.Vault),
		CreatedAt: moment(r.CreatedAt), LastActive: moment(r.LastActive),
	}
}

// sealed is a stored text that must not be printed; none is the empty Secret.
func sealed(text string) bridge.Secret {
	if text == "" {
		return bridge.Secret{}
	}
	return bridge.NewSecret(text)
}

// Session returns the open session of a lane with an agent, if it was active
// after a moment.
func (s *Store) Session(ctx context.Context, lane, agent string, since time.Time) (bridge.Session, bool, error) {
	var row sessionRow
	lane, err := currentLane(ctx, s.readers, lane)
	if err == nil {
		err = s.readers.NewSelect().Model(&row).Where("lane = ?", lane).Where("agent = ?", agent).Where("closed_at = 0").
			Where("last_active > ?", micros(since)).Order("last_active DESC").Limit(1).Scan(ctx)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return bridge.Session{}, false, nil
	}
	if err != nil {
		return bridge.Session{}, false, fmt.Errorf("store: session: %w", err)
	}
	return row.session(), true, nil
}

// SaveSession stores a session. Where a known one belongs and whether it is open
// is not changed by that: somebody may have linked its person or closed it since
// it was read. A closed one keeps no vault.
func (s *Store) SaveSession(ctx context.Context, v bridge.Session) error {
	row := sessionRow{
		ID: v.ID, Lane: v.Lane, Agent: v.Agent, Person: v.Person, Conversation: v.Conversation.ID, ConversationUser: v.Conversation.User,
		LastPlatform: string(v.LastPlatform), Messages: v.Messages, Vault: v.Vault.Reveal(), CreatedAt: micros(v.CreatedAt), LastActive: micros(v.LastActive),
	}
	err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error { return t.saveSession(ctx, row) })
	if err != nil {
		return fmt.Errorf("store: save session: %w", err)
	}
	return nil
}

func (t *tx) saveSession(ctx context.Context, row sessionRow) error {
	lane, err := currentLane(ctx, t.bun, row.Lane)
	if err != nil {
		return err
	}
	if lane != row.Lane {
		row.FirstLane, row.Lane, row.Person = row.Lane, lane, personOfLane(lane)
	}
	_, err = t.bun.NewInsert().Model(&row).On("CONFLICT (id) DO UPDATE").
		Set("conversation = EXCLUDED.conversation").Set("conversation_user = EXCLUDED.conversation_user").
		Set("last_platform = EXCLUDED.last_platform").Set("messages = EXCLUDED.messages").
		Set("last_active = EXCLUDED.last_active").
		Set("vault = CASE WHEN ?TableAlias.closed_at = 0 THEN EXCLUDED.vault ELSE '' END").Exec(ctx)
	if err != nil {
		return err
	}
	err = t.exec(ctx, closeEarlier, now(), row.Lane, row.Agent, row.ID, row.LastActive, row.ID)
	return err
}

// closeEarlier keeps one open session per lane and agent: one that outlived its
// time is closed when the next one begins.
const closeEarlier = `UPDATE sessions SET closed_at = ?, vault = '' WHERE lane = ? AND agent = ? AND closed_at = 0 AND id <> ? AND last_active <= ?
	AND EXISTS (SELECT 1 FROM sessions AS this WHERE this.id = ? AND this.closed_at = 0)`

// CloseSessions ends the open sessions of a lane.
func (s *Store) CloseSessions(ctx context.Context, lane string) error {
	err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		lane, err := currentLane(ctx, t.bun, lane)
		if err != nil {
			return err
		}
		_, err = t.bun.NewUpdate().Table("sessions").Set("closed_at = ?", now()).Set("vault = ''").Where("lane = ?", lane).Where("closed_at = 0").Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: close sessions: %w", err)
	}
	return nil
}

// moveSessions gives the open sessions of a person to another one and closes all
// but the latest with each agent.
func (t *tx) moveSessions(ctx context.Context, from, to string) error {
	var rows []sessionRow
	err := t.bun.NewSelect().Model(&rows).Where("person IN (?)", bun.List([]string{from, to})).Where("closed_at = 0").
		Order("last_active DESC", "id").Scan(ctx)
	if err != nil {
		return err
	}
	continued := map[string]bool{} // by lane
	for _, r := range rows {
		if r.Person == from {
			r.FirstLane, r.Lane, r.Person = r.Lane, moved(r.Lane, from, to), to
		}
		if continued[r.Lane] {
			r.ClosedAt = now()
		}
		continued[r.Lane] = true
		if _, err := t.bun.NewUpdate().Model(&r).WherePK().Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// currentLane returns the lane that took a lane's place when people were linked.
// A job that was claimed before that still has the old one.
func currentLane(ctx context.Context, db bun.IDB, lane string) (string, error) {
	person := personOfLane(lane)
	if person == "" {
		return lane, nil
	}
	row, err := personByID(ctx, db, person)
	if bridge.KindOf(err) == bridge.KindNotFound {
		return lane, nil
	}
	return forward(lane, map[string]string{person: row.MergedInto}), err
}

func joinOnce(list []string, item string) string {
	if !slices.Contains(list, item) {
		list = append(list, item)
	}
	return strings.Join(list, ",")
}

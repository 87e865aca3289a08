package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// clocksDiffer is how far the clocks of two nodes may be apart.
const clocksDiffer = time.Minute

const saveReach = `INSERT INTO reaches (bot, until_at) VALUES (?,?)
	ON CONFLICT (bot) DO UPDATE SET until_at = excluded.until_at WHERE reaches.until_at < excluded.until_at OR reaches.until_at > ?`

// SaveReach keeps until when a bot could be reached. It does not go back, because
// another program may have been there for the bot, unless it is of a time to come:
// the clock was ahead.
func (s *Store) SaveReach(ctx context.Context, bot string, until time.Time) error {
	err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, saveReach, clean(bot), micros(until), micros(time.Now().Add(clocksDiffer)))
	})
	if err != nil {
		return fmt.Errorf("store: save reach: %w", err)
	}
	return nil
}

// Reach returns until when a bot could be reached; the zero time is never.
func (s *Store) Reach(ctx context.Context, bot string) (time.Time, error) {
	var until int64
	err := s.readers.NewRaw("SELECT until_at FROM reaches WHERE bot = ?", clean(bot)).Scan(ctx, &until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("store: reach: %w", err)
	}
	return moment(until), nil
}

// chatsOf finds the last message in each of a bot's lanes.
const chatsOf = `SELECT ` + jobColumns + ` FROM jobs WHERE id IN (
		SELECT (SELECT j.id FROM jobs AS j WHERE j.lane = l.lane AND j.bot = ? AND j.is_action = 0 ORDER BY j.id DESC LIMIT 1)
		FROM lanes AS l WHERE l.last_job > 0 AND l.last_at >= ? AND l.bots LIKE ? ESCAPE '\' ORDER BY l.last_at DESC LIMIT ?)
	ORDER BY id DESC`

// Chats returns the chats in which a bot was written to since a moment, the
// latest first.
func (s *Store) Chats(ctx context.Context, bot string, since time.Time, most int) ([]bridge.Chat, error) {
	rows, err := s.readers.QueryContext(ctx, chatsOf, clean(bot), micros(since), contains(","+clean(bot)+","), most)
	if err != nil {
		return nil, fmt.Errorf("store: chats: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []bridge.Chat
	seen := map[string]bool{}
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, fmt.Errorf("store: chats: %w", err)
		}
		chat := j.Message.Chat
		if chat.Thread = ""; !seen[chat.ID] {
			seen[chat.ID] = true
			all = append(all, chat)
		}
	}
	return all, rows.Err()
}

// Known returns which of a bot's messages were accepted before.
func (s *Store) Known(ctx context.Context, bot string, ids []bridge.MessageID) (map[bridge.MessageID]bool, error) {
	known := map[bridge.MessageID]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	args := []any{clean(bot)}
	for _, id := range ids {
		args = append(args, "m:"+clean(string(id)))
	}
	query := "SELECT origin FROM jobs WHERE bot = ? AND origin IN (?" + strings.Repeat(",?", len(ids)-1) + ")"
	var origins []string
	if err := s.readers.NewRaw(query, args...).Scan(ctx, &origins); err != nil {
		return nil, fmt.Errorf("store: known: %w", err)
	}
	for _, origin := range origins {
		known[bridge.MessageID(strings.TrimPrefix(origin, "m:"))] = true
	}
	return known, nil
}

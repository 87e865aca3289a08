package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const keepNote = `INSERT INTO notes (bot, name, note) VALUES (?,?,?) ON CONFLICT (bot, name) DO UPDATE SET note = excluded.note`

// KeepNote writes a note of a bot's in place of the one it had of that name.
func (s *Store) KeepNote(ctx context.Context, bot, name, note string) error {
	err := changeTalk(ctx, s, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, keepNote, clean(bot), clean(name), clean(note))
	})
	if err != nil {
		return fmt.Errorf("store: keep note: %w", err)
	}
	return nil
}

// Note returns a note of a bot's; empty when there is none of that name.
func (s *Store) Note(ctx context.Context, bot, name string) (string, error) {
	var note string
	err := s.readers.NewRaw("SELECT note FROM notes WHERE bot = ? AND name = ?", clean(bot), clean(name)).Scan(ctx, &note)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("store: note: %w", err)
	}
	return note, nil
}

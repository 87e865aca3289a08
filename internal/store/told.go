package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const tell = `INSERT INTO told (topic, at, job_id) VALUES (?,?,?)
	ON CONFLICT (topic) DO UPDATE SET at = excluded.at, job_id = excluded.job_id WHERE told.at <= ? OR told.job_id = excluded.job_id
	RETURNING job_id`

// Tell reports whether something is to be said now: at most once in a span, to
// the same job as often as it asks, because a crash may have come between asking
// and saying.
func (s *Store) Tell(ctx context.Context, topic string, job int64, span time.Duration) (bool, error) {
	say, err := write(ctx, s, func(ctx context.Context, t *tx) (bool, error) {
		say := false
		at := time.Now()
		err := t.each(ctx, func(*sql.Rows) error { say = true; return nil }, tell, clean(topic), micros(at), job, micros(at.Add(-span)))
		return say, err
	})
	if err != nil {
		return false, fmt.Errorf("store: tell: %w", err)
	}
	return say, nil
}

// LastMessage returns the last message a person wrote in a direct chat; false
// when there is none. Its address is where the person can be told something.
func (s *Store) LastMessage(ctx context.Context, person string) (bridge.Message, bool, error) {
	return s.lastMessage(ctx, "(SELECT MAX(last_job) FROM lanes WHERE person = ?)", person)
}

// LastMessageTo returns the last message a person wrote to one bot in a direct
// chat.
func (s *Store) LastMessageTo(ctx context.Context, person, bot string) (bridge.Message, bool, error) {
	return s.lastMessage(ctx, `(SELECT MAX(j.id) FROM jobs AS j JOIN lanes AS l ON l.lane = j.lane
		WHERE l.person = ? AND l.bots LIKE ? ESCAPE '\' AND j.bot = ? AND j.is_action = 0)`, person, contains(","+clean(bot)+","), clean(bot))
}

// LastWaiting returns the message at which a person was told last that an admin
// has to decide about them, or about whoever turned out to be them; false when
// they were not.
func (s *Store) LastWaiting(ctx context.Context, person string) (bridge.Message, bool, error) {
	var everybody []string
	err := s.readers.NewSelect().Table("people").Column("id").Where("merged_into = ?", person).Where("merged_into <> ''").Scan(ctx, &everybody)
	if err != nil {
		return bridge.Message{}, false, fmt.Errorf("store: last waiting: %w", err)
	}
	var topics []string
	var args []any
	for _, who := range append(everybody, person) {
		topics, args = append(topics, `topic LIKE ? ESCAPE '\'`), append(args, literal("refused "+who+" ")+"% approval")
	}
	return s.lastMessage(ctx, "(SELECT job_id FROM told WHERE "+strings.Join(topics, " OR ")+" ORDER BY at DESC LIMIT 1)", args...)
}

func (s *Store) lastMessage(ctx context.Context, which string, args ...any) (bridge.Message, bool, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+jobColumns+" FROM jobs WHERE id = "+which, args...)
	if err != nil {
		return bridge.Message{}, false, fmt.Errorf("store: last message: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	if !rows.Next() {
		return bridge.Message{}, false, rows.Err()
	}
	j, err := scanJob(rows)
	if err != nil {
		return bridge.Message{}, false, fmt.Errorf("store: last message: %w", err)
	}
	return j.Message, true, nil
}

// Mute keeps the agents out of a chat until a moment; the zero time lets them in
// again.
func (s *Store) Mute(ctx context.Context, chat string, until time.Time) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		if err := t.exec(ctx, "DELETE FROM mutes WHERE until < ? OR chat = ?", now(), clean(chat)); err != nil || until.IsZero() {
			return err
		}
		return t.exec(ctx, "INSERT INTO mutes (chat, until) VALUES (?,?)", clean(chat), micros(until))
	})
	if err != nil {
		return fmt.Errorf("store: mute: %w", err)
	}
	return nil
}

// MutedUntil returns until when agents are kept out of a chat, the zero time when
// they are not.
func (s *Store) MutedUntil(ctx context.Context, chat string) (time.Time, error) {
	var until sql.NullInt64
	err := s.readers.NewRaw("SELECT MAX(until) FROM mutes WHERE chat = ? AND until > ?", clean(chat), now()).Scan(ctx, &until)
	if err != nil {
		return time.Time{}, fmt.Errorf("store: muted until: %w", err)
	}
	return moment(until.Int64), nil
}

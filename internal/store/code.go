package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"switchboard/internal/bridge"
)

const saveCode = `INSERT INTO link_codes (person, salt, hash, expires_at, address, used_by) VALUES (?,?,?,?,?,0)
	ON CONFLICT (person) DO UPDATE SET salt = excluded.salt, hash = excluded.hash, expires_at = excluded.expires_at,
		address = excluded.address, used_by = 0`

// SaveLinkCode stores a code in place of the person's former one.
func (s *Store) SaveLinkCode(ctx context.Context, c bridge.LinkCode) error {
	address, err := encode(c.Address)
	if err == nil {
		err = change(ctx, s, func(ctx context.Context, t *tx) error {
			if err := t.exec(ctx, "DELETE FROM link_codes WHERE expires_at < ?", now()); err != nil {
				return err
			}
			return t.exec(ctx, saveCode, c.Person, hex.EncodeToString(c.Salt), hex.EncodeToString(c.Hash), micros(c.Expires), address)
		})
	}
	if err != nil {
		return fmt.Errorf("store: save link code: %w", err)
	}
	return nil
}

// LinkCodes returns the codes that have not expired, used ones too.
func (s *Store) LinkCodes(ctx context.Context) ([]bridge.LinkCode, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT person, salt, hash, expires_at, address, used_by FROM link_codes WHERE expires_at > ? ORDER BY person", now())
	if err != nil {
		return nil, fmt.Errorf("store: link codes: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []bridge.LinkCode
	for rows.Next() {
		c, err := scanCode(rows)
		if err != nil {
			return nil, fmt.Errorf("store: link codes: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

func scanCode(rows *sql.Rows) (c bridge.LinkCode, err error) {
	var salt, hash, address string
	var expires int64
	if err := rows.Scan(&c.Person, &salt, &hash, &expires, &address, &c.UsedBy); err != nil {
		return c, err
	}
	c.Expires = moment(expires)
	if c.Salt, err = hex.DecodeString(salt); err != nil {
		return c, err
	}
	if c.Hash, err = hex.DecodeString(hash); err != nil {
		return c, err
	}
	return c, decode(address, &c.Address)
}

// UseLinkCode makes the person who typed a code the one who asked for it, and
// takes the code out of use, as one change. False: somebody used it before, or
// it has expired.
func (s *Store) UseLinkCode(ctx context.Context, c bridge.LinkCode, typed string, job int64, by bridge.Actor) (bool, error) {
	used, err := write(ctx, s, func(ctx context.Context, t *tx) (bool, error) {
		taken := false
		err := t.each(ctx, func(*sql.Rows) error { taken = true; return nil },
			"UPDATE link_codes SET used_by = ? WHERE person = ? AND hash = ? AND used_by = 0 AND expires_at > ? RETURNING person",
			job, c.Person, hex.EncodeToString(c.Hash), now())
		if err != nil || !taken {
			return false, err
		}
		if err := t.exec(ctx, "DELETE FROM link_tries WHERE person = ?", typed); err != nil {
			return false, err
		}
		into, err := currentLane(ctx, t.bun, "p:"+c.Person)
		if into = personOfLane(into); err != nil || into == typed { // they became one meanwhile
			return true, err
		}
		return true, t.merge(ctx, typed, into, by)
	})
	if err != nil {
		return false, fmt.Errorf("store: use link code: %w", err)
	}
	return used, nil
}

// LinkTries returns how often a person typed wrong codes lately.
func (s *Store) LinkTries(ctx context.Context, person string) (bridge.LinkTries, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT wrong, locked_until FROM link_tries WHERE person = ?", person)
	if err != nil {
		return bridge.LinkTries{}, fmt.Errorf("store: link tries: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var tries bridge.LinkTries
	for rows.Next() {
		var until int64
		if err := rows.Scan(&tries.Wrong, &until); err != nil {
			return tries, fmt.Errorf("store: link tries: %w", err)
		}
		tries.LockedUntil = moment(until)
	}
	return tries, rows.Err()
}

const countTry = `INSERT INTO link_tries (person, wrong, last_at, locked_until) VALUES (?,1,?,0)
	ON CONFLICT (person) DO UPDATE SET wrong = CASE WHEN link_tries.last_at < ? THEN 1 ELSE link_tries.wrong + 1 END, last_at = excluded.last_at
	RETURNING wrong`

// CountWrongCode counts a wrong code. The most-th one within a span locks the
// person out for as long; the result says until when.
func (s *Store) CountWrongCode(ctx context.Context, person string, most int, span time.Duration) (bridge.LinkTries, error) {
	tries, err := write(ctx, s, func(ctx context.Context, t *tx) (bridge.LinkTries, error) {
		var tries bridge.LinkTries
		at := time.Now()
		err := t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&tries.Wrong) }, countTry, person, micros(at), micros(at.Add(-span)))
		if err != nil || tries.Wrong < most {
			return tries, err
		}
		tries.LockedUntil = at.Add(span)
		return tries, t.exec(ctx, "UPDATE link_tries SET wrong = 0, locked_until = ? WHERE person = ?", micros(tries.LockedUntil), person)
	})
	if err != nil {
		return tries, fmt.Errorf("store: count wrong code: %w", err)
	}
	return tries, nil
}

package store

import (
	"context"
	"database/sql"
	"fmt"

	"switchboard/internal/bridge"
)

const spend = `INSERT INTO spendings (account, bot, meter, day, used) VALUES (?,?,?,?,?)
	ON CONFLICT (account, bot, meter, day) DO UPDATE SET used = spendings.used + excluded.used`

// Spend adds to what was used of monthly allowances, and returns what is stored
// since a day, of everybody. What is older goes.
func (s *Store) Spend(ctx context.Context, more []bridge.Spending, since string) ([]bridge.Spending, error) {
	all, err := writeTalk(ctx, s, func(ctx context.Context, t *tx) ([]bridge.Spending, error) {
		for _, m := range more {
			if err := t.exec(ctx, spend, clean(m.Account), clean(m.Bot), string(m.Meter), m.Day, m.Used); err != nil {
				return nil, err
			}
		}
		if err := t.exec(ctx, "DELETE FROM spendings WHERE day < ?", since); err != nil {
			return nil, err
		}
		var all []bridge.Spending
		err := t.each(ctx, func(rows *sql.Rows) error {
			var one bridge.Spending
			err := rows.Scan(&one.Account, &one.Bot, &one.Meter, &one.Day, &one.Used)
			all = append(all, one)
			return err
		}, "SELECT account, bot, meter, day, used FROM spendings ORDER BY account, bot, meter, day")
		return all, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: spend: %w", err)
	}
	return all, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

type profileRow struct {
	bun.BaseModel `bun:"table:profiles"`

	Platform   string `bun:",pk"`
	Tenant     string `bun:",pk"`
	UserID     string `bun:",pk"`
	Name       string
	Email      string
	Mobile     string
	Department string
	Avatar     string
	EmailKey   string
	MobileKey  string
	LookedUp   int64
}

// Profile returns what the directory said of a user and when; the zero time when
// it was never asked.
func (s *Store) Profile(ctx context.Context, who bridge.Identity) (bridge.Profile, time.Time, error) {
	var r profileRow
	err := s.readers.NewSelect().Model(&r).Where("platform = ?", string(who.Platform)).Where("tenant = ?", clean(who.Tenant)).
		Where("user_id = ?", clean(string(who.User))).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return bridge.Profile{}, time.Time{}, nil
	}
	if err != nil {
		return bridge.Profile{}, time.Time{}, fmt.Errorf("store: profile: %w", err)
	}
	p := bridge.Profile{Name: r.Name, Email: r.Email, Mobile: r.Mobile, Department: r.Department, Avatar: r.Avatar}
	return p, moment(r.LookedUp), nil
}

// SaveProfile stores what the directory said of a user, at a moment.
func (s *Store) SaveProfile(ctx context.Context, who bridge.Identity, p bridge.Profile, at time.Time) error {
	row := profileRow{
		Platform: string(who.Platform), Tenant: clean(who.Tenant), UserID: clean(string(who.User)),
		Name: clean(p.Name), Email: clean(p.Email), Mobile: clean(p.Mobile), Department: clean(p.Department), Avatar: clean(p.Avatar),
		EmailKey: emailKey(clean(p.Email)), MobileKey: mobileKey(clean(p.Mobile)), LookedUp: micros(at),
	}
	err := change(ctx, s, func(ctx context.Context, t *tx) error {
		_, err := t.bun.NewInsert().Model(&row).On("CONFLICT (platform, tenant, user_id) DO UPDATE").
			Set("name = EXCLUDED.name").Set("email = EXCLUDED.email").Set("mobile = EXCLUDED.mobile").
			Set("department = EXCLUDED.department").Set("avatar = EXCLUDED.avatar").Set("email_key = EXCLUDED.email_key").
			Set("mobile_key = EXCLUDED.mobile_key").Set("looked_up = EXCLUDED.looked_up").Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save profile: %w", err)
	}
	return nil
}

const suggestions = `SELECT DISTINCT CASE WHEN a.person < b.person THEN a.person ELSE b.person END,
		CASE WHEN a.person < b.person THEN b.person ELSE a.person END, '%[1]s'
	FROM profiles AS p JOIN profiles AS q ON q.%[1]s_key = p.%[1]s_key
	JOIN identities AS a ON a.platform = p.platform AND a.tenant = p.tenant AND a.user_id = p.user_id
	JOIN identities AS b ON b.platform = q.platform AND b.tenant = q.tenant AND b.user_id = q.user_id
	WHERE p.%[1]s_key <> '' AND a.person <> b.person`

// Suggestions lists pairs of people whose directories know the same e-mail
// address or mobile number, each pair once, without those who were told apart.
func (s *Store) Suggestions(ctx context.Context) ([]bridge.Suggestion, error) {
	apart, err := s.toldApart(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: suggestions: %w", err)
	}
	query := fmt.Sprintf(suggestions, "email") + " UNION " + fmt.Sprintf(suggestions, "mobile") + " ORDER BY 1, 2, 3" //nolint:gosec // constants
	rows, err := s.readers.DB.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: suggestions: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []bridge.Suggestion
	for rows.Next() {
		var g bridge.Suggestion
		if err := rows.Scan(&g.People[0], &g.People[1], &g.Because); err != nil {
			return nil, fmt.Errorf("store: suggestions: %w", err)
		}
		if n := len(all); !apart[g.People] && (n == 0 || all[n-1].People != g.People) {
			all = append(all, g)
		}
	}
	return all, rows.Err()
}

func emailKey(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	if at := strings.IndexByte(email, '@'); at < 1 || at == len(email)-1 {
		return ""
	}
	return email
}

// mobileKey is the number itself, without a country code where that is the
// Chinese one: some directories leave it out.
func mobileKey(mobile string) string {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) && r < 0x80 {
			return r
		}
		return -1
	}, mobile)
	digits = strings.TrimPrefix(digits, "00")
	if len(digits) == 13 {
		digits = strings.TrimPrefix(digits, "86")
	}
	if len(digits) < 7 {
		return "" // an extension proves nothing
	}
	return digits
}

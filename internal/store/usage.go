package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

// billion is how prices are stored, as whole numbers.
const billion = 1_000_000_000

const countUsage = `INSERT INTO usages (day, platform, tenant, user_id, bot, agent, currency, questions, answers, tokens, price, last_at)
	VALUES (?,?,?,?,?,?,?,1,?,?,?,?)
	ON CONFLICT (day, platform, tenant, user_id, bot, agent, currency) DO UPDATE SET questions = usages.questions + 1,
		answers = usages.answers + excluded.answers, tokens = usages.tokens + excluded.tokens, price = usages.price + excluded.price,
		last_at = excluded.last_at`

// countUsage counts a job that is finished, if an agent was asked. It is part of
// settling it, and so happens once.
func (t *tx) countUsage(ctx context.Context, job int64, message string) error {
	var r bridge.Reply
	err := t.each(ctx, func(rows *sql.Rows) (err error) {
		r, err = scanReply(rows)
		return err
	}, replyOf, job)
	if err != nil || r.Agent == "" {
		return err
	}
	var m bridge.Message
	if err := decode(message, &m); err != nil {
		return err
	}
	answers := 0
	if r.State == bridge.ReplyDelivered && r.Error == "" {
		answers = 1
	}
	price, currency := priceOf(r.Usage), clean(r.Usage.Currency)
	if price == 0 {
		currency = ""
	}
	at := time.Now()
	return t.exec(ctx, countUsage, at.Format(time.DateOnly), string(m.Platform), clean(m.Sender.Tenant), clean(string(m.Sender.ID)), clean(m.Bot),
		clean(r.Agent), currency, answers, max(r.Usage.Tokens, 0), price, at.UnixMicro())
}

// priceOf is what an answer cost, in billionths. What is no sensible price costs
// nothing.
func priceOf(u bridge.Usage) int64 {
	amount, err := strconv.ParseFloat(u.Price, 64)
	if err != nil || !(amount > 0 && amount < 1e6) {
		return 0
	}
	return int64(math.Round(amount * billion))
}

// amount writes a price as people do.
func amount(price int64) string {
	text := fmt.Sprintf("%d.%09d", price/billion, price%billion)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Usage counts what was asked and answered. Rows by day or month are in that
// order, all others have the most questions first.
func (s *Store) Usage(ctx context.Context, q bridge.UsageQuery) ([]bridge.UsageRow, error) {
	rows, err := s.usageQuery(q).Rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: usage: %w", trouble("store: usage", err))
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	all, err := usageRows(rows)
	if err != nil {
		return nil, fmt.Errorf("store: usage: %w", trouble("store: usage", err))
	}
	slices.SortStableFunc(all, func(a, b bridge.UsageRow) int {
		return cmp.Or(strings.Compare(a.Day, b.Day), b.Questions-a.Questions, strings.Compare(a.Name, b.Name),
			strings.Compare(a.Person+a.Bot+a.Agent, b.Person+b.Bot+b.Agent))
	})
	return all, nil
}

func (s *Store) usageQuery(q bridge.UsageQuery) *bun.SelectQuery {
	of := map[bridge.UsageBy]string{
		bridge.UsageByPerson: "COALESCE(i.person, '')", bridge.UsageByBot: "u.bot", bridge.UsageByAgent: "u.agent",
		bridge.UsageByDay: "u.day", bridge.UsageByMonth: "substr(u.day, 1, 7)",
	}
	query := s.readers.NewSelect().TableExpr("usages AS u")
	column := func(by ...bridge.UsageBy) {
		for _, b := range by {
			if slices.Contains(q.By, b) {
				query.ColumnExpr(of[b]).GroupExpr(of[b])
				return
			}
		}
		query.ColumnExpr("''")
	}
	column(bridge.UsageByPerson)
	if people := slices.Contains(q.By, bridge.UsageByPerson); people || q.Person != "" {
		query.Join("LEFT JOIN identities AS i ON i.platform = u.platform AND i.tenant = u.tenant AND i.user_id = u.user_id").
			Join("LEFT JOIN people AS p ON p.id = i.person").ColumnExpr("COALESCE(MAX(p.name), '')")
	} else {
		query.ColumnExpr("''")
	}
	column(bridge.UsageByBot)
	column(bridge.UsageByAgent)
	column(bridge.UsageByDay, bridge.UsageByMonth)
	query.ColumnExpr("u.currency").GroupExpr("u.currency").OrderExpr("u.currency")
	for _, sum := range []string{"questions", "answers", "tokens", "price"} {
		query.ColumnExpr("CAST(SUM(u.?) AS BIGINT)", bun.Ident(sum))
	}
	query.ColumnExpr("MAX(u.last_at)")
	for _, c := range []struct{ where, value string }{
		{"u.day >= ?", q.From}, {"u.day <= ?", q.To}, {"i.person = ?", q.Person}, {"u.agent <> ?", q.NotAgent},
	} {
		if c.value != "" {
			query.Where(c.where, c.value)
		}
	}
	return query
}

// usageRows reads rows and adds up those that differ in their currency alone.
func usageRows(rows *sql.Rows) ([]bridge.UsageRow, error) {
	var all []bridge.UsageRow
	at := map[[4]string]int{}
	for rows.Next() {
		var r bridge.UsageRow
		var currency string
		var price, last int64
		err := rows.Scan(&r.Person, &r.Name, &r.Bot, &r.Agent, &r.Day, &currency, &r.Questions, &r.Answers, &r.Tokens, &price, &last)
		if err != nil {
			return nil, err
		}
		r.LastAt = moment(last)
		key := [4]string{r.Person, r.Bot, r.Agent, r.Day}
		if _, known := at[key]; !known {
			at[key] = len(all)
			all = append(all, bridge.UsageRow{Person: r.Person, Name: r.Name, Bot: r.Bot, Agent: r.Agent, Day: r.Day})
		}
		addUsage(&all[at[key]], r)
		if price > 0 {
			all[at[key]].Prices = append(all[at[key]].Prices, bridge.Price{Amount: amount(price), Currency: currency})
		}
	}
	return all, rows.Err()
}

func addUsage(to *bridge.UsageRow, more bridge.UsageRow) {
	to.Questions, to.Answers, to.Tokens = to.Questions+more.Questions, to.Answers+more.Answers, to.Tokens+more.Tokens
	if more.LastAt.After(to.LastAt) {
		to.LastAt = more.LastAt
	}
}

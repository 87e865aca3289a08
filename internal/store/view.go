package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

const pageSize = 50

// called is what a person of the list is called: by an id where no name is known.
const called = `COALESCE(NULLIF(p.name, ''), (SELECT MIN(n.user_id) FROM identities AS n WHERE n.person = l.person), '')`

type talkRow struct {
	Lane, Title, Name, Person, Agent, Platforms string
	Text                                        string
	LastAt                                      int64
	Questions                                   int
	State, ReplyState                           string
}

func (r talkRow) row() bridge.TalkRow {
	talk := bridge.TalkRow{
		Lane: r.Lane, Title: r.Title, Person: r.Person, Agent: r.Agent, LastText: r.Text, LastAt: moment(r.LastAt),
		Questions: r.Questions, State: bridge.JobState(r.State), ReplyState: bridge.ReplyState(r.ReplyState),
	}
	if r.Person != "" {
		talk.Title = r.Name
	}
	for _, p := range split(r.Platforms) {
		talk.Platforms = append(talk.Platforms, bridge.Platform(p))
	}
	return talk
}

// Talks lists conversations, the one with the latest question first. The next
// page begins before the LastAt of the last row. On SQLite a text of one or two
// characters is looked for in the latest 50,000 questions and their answers.
func (s *Store) Talks(ctx context.Context, q bridge.TalkQuery) ([]bridge.TalkRow, error) {
	query := s.readers.NewSelect().TableExpr("lanes AS l").
		ColumnExpr("l.lane, l.title, " + called + " AS name, l.person, l.queue AS agent, l.platforms, l.last_at, l.questions").
		ColumnExpr("COALESCE(j.text, '') AS text, COALESCE(j.state, '') AS state, COALESCE(r.state, '') AS reply_state").
		Join("LEFT JOIN people AS p ON p.id = l.person").
		Join("LEFT JOIN jobs AS j ON j.id = l.last_job").
		Join("LEFT JOIN replies AS r ON r.job_id = l.last_job").
		Where("l.last_job > 0").Where("l.lane NOT LIKE 'o:%'").OrderExpr("l.last_at DESC").Limit(limit(q.Limit))
	if !q.Before.IsZero() {
		query = query.Where("l.last_at < ?", micros(q.Before))
	}
	if q.Bot != "" {
		query = query.Where(`l.bots LIKE ? ESCAPE '\'`, contains(","+q.Bot+","))
	}
	if q.Text != "" {
		match, err := s.matching(ctx, q.Text)
		if err != nil {
			return nil, fmt.Errorf("store: talks: %w", err)
		}
		query = query.WhereGroup(" AND ", match)
	}
	var rows []talkRow
	if err := query.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("store: talks: %w", err)
	}
	var talks []bridge.TalkRow
	for _, r := range rows {
		talks = append(talks, r.row())
	}
	return talks, nil
}

func limit(n int) int64 {
	if n <= 0 {
		return pageSize
	}
	return int64(n)
}

// Exchanges returns a page of a lane: the questions before a job (0 is the
// newest page) with their answers and journals, oldest first. Actions are in it
// when they were answered.
func (s *Store) Exchanges(ctx context.Context, lane string, before int64, most int) ([]bridge.Exchange, error) {
	jobs, err := s.lanePage(ctx, lane, before, limit(most))
	if err != nil {
		return nil, fmt.Errorf("store: exchanges: %w", err)
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	if err := s.nameSenders(ctx, jobs); err != nil {
		return nil, fmt.Errorf("store: exchanges: %w", err)
	}
	replies, err := s.replies(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("store: exchanges: %w", err)
	}
	entries, err := s.entries(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("store: exchanges: %w", err)
	}
	all := make([]bridge.Exchange, len(jobs))
	for i, j := range jobs {
		all[i] = bridge.Exchange{Job: j, Reply: replies[j.ID], Entries: entries[j.ID]}
	}
	return all, nil
}

// nameSenders fills in the names of senders whose platform sends only an id.
func (s *Store) nameSenders(ctx context.Context, jobs []bridge.Job) error {
	var nameless []*bridge.Job
	for i := range jobs {
		if sender := jobs[i].Message.Sender; sender.Name == "" && sender.ID != "" {
			nameless = append(nameless, &jobs[i])
		}
	}
	if len(nameless) == 0 {
		return nil
	}
	who, err := s.askers(ctx, nameless)
	for i := range who {
		nameless[i].Message.Sender.Name = who[i].Name
	}
	return err
}

// Texts returns what was written and answered lately: the texts of the latest
// questions, and of the latest answers.
func (s *Store) Texts(ctx context.Context, most int) ([]string, error) {
	all, err := lastTexts(ctx, s.readers, most)
	if err != nil {
		return nil, fmt.Errorf("store: texts: %w", err)
	}
	return all, nil
}

func lastTexts(ctx context.Context, db *bun.DB, most int) ([]string, error) {
	var all []string
	for table, key := range map[string]string{"jobs": "id", "replies": "job_id"} {
		var texts []string
		err := db.NewSelect().Table(table).Column("text").OrderExpr("? DESC", bun.Ident(key)).Limit(int64(most)).Scan(ctx, &texts)
		if err != nil {
			return nil, err
		}
		all = append(all, texts...)
	}
	return all, nil
}

func (s *Store) lanePage(ctx context.Context, lane string, before, most int64) ([]bridge.Job, error) {
	query := "SELECT " + jobColumns + " FROM jobs WHERE lane = ?"
	args := []any{lane}
	if before > 0 {
		query, args = query+" AND id < ?", append(args, before)
	}
	query += " AND (is_action = 0 OR EXISTS (SELECT 1 FROM replies WHERE job_id = jobs.id)) ORDER BY id DESC LIMIT ?"
	rows, err := s.readers.QueryContext(ctx, query, append(args, most)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var jobs []bridge.Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	slices.Reverse(jobs)
	return jobs, rows.Err()
}

// Counts returns, for each bot that ever received a message, what came in since
// a moment, how it ended, and when the last message came.
func (s *Store) Counts(ctx context.Context, since time.Time) (map[string]bridge.BotStatus, error) {
	var rows []struct {
		Bot                        string
		Received, Answered, Failed int
		LastAt                     int64
	}
	// The list of bots is found by jumping through the index; the rest are
	// ranges of it.
	err := s.readers.NewRaw(`WITH RECURSIVE bots (bot) AS (
			SELECT MIN(bot) FROM jobs WHERE is_action = 0
			UNION ALL SELECT (SELECT MIN(j.bot) FROM jobs AS j WHERE j.is_action = 0 AND j.bot > bots.bot) FROM bots WHERE bots.bot IS NOT NULL)
		SELECT b.bot, COUNT(j.bot) AS received, COALESCE(SUM(CASE WHEN j.outcome = 1 THEN 1 ELSE 0 END), 0) AS answered,
			COALESCE(SUM(CASE WHEN j.outcome = 2 THEN 1 ELSE 0 END), 0) AS failed,
			(SELECT MAX(l.accepted_at) FROM jobs AS l WHERE l.is_action = 0 AND l.bot = b.bot) AS last_at
		FROM bots AS b LEFT JOIN jobs AS j ON j.is_action = 0 AND j.bot = b.bot AND j.accepted_at >= ?
		WHERE b.bot IS NOT NULL GROUP BY b.bot`, micros(since)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: counts: %w", err)
	}
	counts := map[string]bridge.BotStatus{}
	for _, r := range rows {
		counts[r.Bot] = bridge.BotStatus{
			ID: r.Bot, Received: r.Received, Answered: r.Answered, Failed: r.Failed, LastMessage: moment(r.LastAt),
		}
	}
	return counts, nil
}

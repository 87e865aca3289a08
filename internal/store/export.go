package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

// exportBytes bounds the texts of one page, about.
const exportBytes = 4 << 20

// Export returns a page of all there is, the oldest first: questions with their
// answers, and clicks that were answered. The next page begins after the job that
// is returned, which is 0 at the end; a page may be empty before that.
func (s *Store) Export(ctx context.Context, q bridge.ExportQuery) (page []bridge.ExportRow, next int64, err error) {
	jobs, next, err := s.exported(ctx, q)
	if err != nil || len(jobs) == 0 {
		return nil, 0, exportTrouble(err)
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	replies, err := s.replies(ctx, ids)
	if err != nil {
		return nil, 0, exportTrouble(err)
	}
	who, err := s.askers(ctx, jobs)
	if err != nil {
		return nil, 0, exportTrouble(err)
	}
	for i, j := range jobs {
		if q.Person != "" && who[i].Person != q.Person {
			continue
		}
		if j.Message.Sender.Name == "" {
			j.Message.Sender.Name = who[i].Name
		}
		page = append(page, bridge.ExportRow{Job: *j, Reply: replies[j.ID], Person: who[i].Person})
	}
	return page, next, nil
}

func exportTrouble(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: export: %w", trouble("store: export", err))
}

// exported reads the jobs of a page.
func (s *Store) exported(ctx context.Context, q bridge.ExportQuery) (jobs []*bridge.Job, next int64, err error) {
	most := limit(q.Limit)
	query := s.readers.NewSelect().TableExpr("jobs").ColumnExpr(jobColumns).Where("id > ?", q.After).
		Where("(is_action = 0 OR EXISTS (SELECT 1 FROM replies WHERE job_id = jobs.id))").OrderExpr("id").Limit(most)
	if !q.Since.IsZero() {
		query.Where("accepted_at >= ?", micros(q.Since))
	}
	if q.Bot != "" {
		query.Where("bot = ?", q.Bot)
	}
	if q.NotQueue != "" {
		query.Where("queue <> ?", q.NotQueue)
	}
	rows, err := query.Rows(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	return wholePage(rows, most)
}

// wholePage reads jobs until a page is full.
func wholePage(rows *sql.Rows, most int64) (jobs []*bridge.Job, next int64, err error) {
	size := 0
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, 0, err
		}
		jobs = append(jobs, &j)
		if size += len(j.Message.Text); size > exportBytes || int64(len(jobs)) == most {
			next = j.ID
			break
		}
	}
	return jobs, next, rows.Err()
}

// asker is whose account wrote something.
type asker struct{ Platform, Tenant, UserID, Person, Name string }

// askers says for each job who wrote it.
func (s *Store) askers(ctx context.Context, jobs []*bridge.Job) ([]asker, error) {
	users := make([]string, len(jobs))
	for i, j := range jobs {
		users[i] = clean(string(j.Message.Sender.ID))
	}
	var rows []asker
	err := s.readers.NewRaw(`SELECT i.platform, i.tenant, i.user_id, i.person, COALESCE(NULLIF(p.name, ''), i.name) AS name
		FROM identities AS i JOIN people AS p ON p.id = i.person WHERE i.user_id IN (?)`, bun.List(users)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	type key struct{ platform, tenant, user string }
	known := map[key]asker{}
	for _, r := range rows {
		known[key{r.Platform, r.Tenant, r.UserID}] = r
	}
	all := make([]asker, len(jobs))
	for i, j := range jobs {
		m := j.Message
		all[i] = known[key{string(m.Platform), clean(m.Sender.Tenant), users[i]}]
	}
	return all, nil
}

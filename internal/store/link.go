package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

// Link makes an identity belong to a person, who must exist. What the identity
// said goes along: its jobs, finished ones too, are moved to the person's lanes.
// When it was the last identity of its former person, that person's sessions
// move too; of two open sessions with the same agent the one that was active
// last continues and the other is closed. Nothing is deleted, and where rows
// came from is kept.
func (s *Store) Link(ctx context.Context, who bridge.Identity, person string) error {
	err := change(ctx, s, func(ctx context.Context, t *tx) error { return t.link(ctx, who, person) })
	if err != nil {
		return fmt.Errorf("store: link: %w", err)
	}
	return nil
}

func (t *tx) link(ctx context.Context, who bridge.Identity, to string) error {
	if _, err := personByID(ctx, t.bun, to); err != nil {
		return err
	}
	if err := t.lock(ctx, identityScope(who)); err != nil {
		return err
	}
	p, _, err := t.known(ctx, who)
	if errors.Is(err, sql.ErrNoRows) {
		return t.addIdentity(ctx, who, to)
	}
	if err != nil || p.ID == to {
		return err
	}
	if err := t.lock(ctx, "p:"+p.ID, "p:"+to); err != nil {
		return err
	}
	err = t.exec(ctx, "UPDATE identities SET person = ?, linked_at = ? WHERE platform = ? AND tenant = ? AND user_id = ?",
		to, now(), string(who.Platform), clean(who.Tenant), clean(string(who.User)))
	if err != nil {
		return err
	}
	return t.moveTalk(ctx, who, p.ID, to)
}

// moveTalk moves what was said: all of it, if nobody is left who could go on
// saying it, or else the part of one identity.
func (t *tx) moveTalk(ctx context.Context, who bridge.Identity, from, to string) error {
	left, err := t.bun.NewSelect().Table("identities").Where("person = ?", from).Count(ctx)
	if err != nil {
		return err
	}
	if err := t.markMerged(ctx, from, to, left == 0); err != nil {
		return err
	}
	lanes, err := t.lanesOf(ctx, from, to)
	if err != nil {
		return err
	}
	for _, lane := range lanes {
		if left > 0 {
			err = t.movePart(ctx, who, lane, moved(lane, from, to))
		} else {
			err = t.moveWhole(ctx, lane, moved(lane, from, to))
		}
		if err != nil {
			return err
		}
	}
	if left > 0 {
		return nil
	}
	return t.moveSessions(ctx, from, to)
}

// markMerged notes who stands for a person from now on, and for those who were
// merged into that person earlier.
func (t *tx) markMerged(ctx context.Context, from, to string, whole bool) error {
	if t.writer != nil {
		t.writer.merged = nil
	}
	if err := t.exec(ctx, "UPDATE people SET merged_into = '' WHERE id = ?", to); err != nil || !whole {
		return err
	}
	err := t.exec(ctx, "UPDATE people SET merged_into = ? WHERE id = ? OR (merged_into = ? AND id <> ?)", to, from, from, to)
	return err
}

// lanesOf lists the lanes of from. On PostgreSQL they and those of to are locked:
// nobody may begin or end a job in them between counting and writing down what was
// counted.
func (t *tx) lanesOf(ctx context.Context, from, to string) ([]string, error) {
	people := []string{from}
	if t.engine == postgres {
		people = append(people, to)
	}
	query := t.bun.NewSelect().Table("lanes").Column("lane").Where("person IN (?)", bun.List(people)).Order("lane")
	if t.engine == postgres {
		query = query.For("UPDATE")
	}
	var lanes []string
	err := query.Scan(ctx, &lanes)
	return slices.DeleteFunc(lanes, func(lane string) bool { return personOfLane(lane) != from }), err
}

func (t *tx) moveWhole(ctx context.Context, from, to string) error {
	err := t.exec(ctx, "UPDATE jobs SET lane = ?, first_lane = CASE WHEN first_lane = '' THEN lane ELSE first_lane END WHERE lane = ?", to, from)
	if err != nil {
		return err
	}
	if err := t.recount(ctx, from); err != nil {
		return err
	}
	return t.recount(ctx, to)
}

// movePart moves the jobs of one identity. Who said what stands in the messages,
// so they are read.
func (t *tx) movePart(ctx context.Context, who bridge.Identity, from, to string) error {
	var ids []int64
	err := t.each(ctx, func(rows *sql.Rows) error {
		j, err := scanJob(rows)
		m := j.Message
		if m.Platform == who.Platform && m.Sender.Tenant == who.Tenant && m.Sender.ID == who.User {
			ids = append(ids, j.ID)
		}
		return err
	}, "SELECT "+jobColumns+" FROM jobs WHERE lane = ?", from)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = t.bun.NewUpdate().Table("jobs").Set("lane = ?", to).Set("first_lane = CASE WHEN first_lane = '' THEN lane ELSE first_lane END").
		Where("id IN (?)", bun.List(ids)).Exec(ctx)
	if err != nil {
		return err
	}
	if err := t.recount(ctx, from); err != nil {
		return err
	}
	return t.recount(ctx, to)
}

// recount works out the row of a lane from its jobs.
func (t *tx) recount(ctx context.Context, lane string) error {
	row, err := t.count(ctx, lane)
	if err != nil {
		return err
	}
	if row.jobs == 0 {
		err = t.exec(ctx, "DELETE FROM lanes WHERE lane = ?", lane)
		return err
	}
	if err := t.lastUsed(ctx, lane, &row); err != nil {
		return err
	}
	err = t.exec(ctx, `INSERT INTO lanes (lane, queue, head, due_at, open, busy, person, title, platforms, bots, last_job, last_at, questions)
		VALUES (?,?,?,?,?,?,?,'',?,?,?,?,?)
		ON CONFLICT (lane) DO UPDATE SET queue = excluded.queue, head = excluded.head, due_at = excluded.due_at, open = excluded.open,
			busy = excluded.busy, platforms = excluded.platforms, bots = excluded.bots, last_job = excluded.last_job,
			last_at = excluded.last_at, questions = excluded.questions`,
		lane, row.queue, row.head, row.due, row.open, row.busy, personOfLane(lane), row.platforms, row.bots, row.lastJob, row.lastAt, row.questions)
	return err
}

// laneRow is what recount finds out.
type laneRow struct {
	jobs, open, busy, questions int
	head, due, lastJob, lastAt  int64
	queue, platforms, bots      string
}

func (t *tx) count(ctx context.Context, lane string) (row laneRow, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		return rows.Scan(&row.jobs, &row.questions, &row.open, &row.busy, &row.head, &row.lastJob)
	}, `SELECT COUNT(*), COALESCE(SUM(1 - is_action), 0),
		COALESCE(SUM(CASE WHEN state IN ('available', 'running', 'retryable') THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0),
		COALESCE(MIN(CASE WHEN state IN ('available', 'running', 'retryable') THEN id END), 0),
		COALESCE(MAX(CASE WHEN is_action = 0 THEN id END), 0) FROM jobs WHERE lane = ?`, lane)
	if err != nil || row.jobs == 0 {
		return row, err
	}
	err = t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&row.lastAt) }, "SELECT accepted_at FROM jobs WHERE id = ?", row.lastJob)
	if err != nil {
		return row, err
	}
	return row, t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&row.queue, &row.due) },
		"SELECT queue, due_at FROM jobs WHERE lane = ? AND (id = ? OR ? = 0) ORDER BY id DESC LIMIT 1", lane, row.head, row.head)
}

// lastUsed lists the bots and platforms of a lane, the latest first.
func (t *tx) lastUsed(ctx context.Context, lane string, row *laneRow) error {
	row.platforms, row.bots = ",", ","
	var messages []string
	err := t.each(ctx, func(rows *sql.Rows) error {
		var bot, message string
		err := rows.Scan(&bot, &message)
		row.bots += bot + ","
		messages = append(messages, message)
		return err
	}, `SELECT bot, message FROM jobs WHERE id IN (SELECT MAX(id) FROM jobs WHERE lane = ? GROUP BY bot) ORDER BY id DESC`, lane)
	if err != nil {
		return err
	}
	for _, message := range messages { // a bot is on one platform
		var m bridge.Message
		if err := decode(message, &m); err != nil {
			return err
		}
		row.platforms = "," + joinOnce(split(row.platforms), string(m.Platform)) + ","
	}
	return nil
}

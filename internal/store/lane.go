package store

import (
	"context"
	"database/sql"
	"strings"
)

// A lane is "p:<person>:<agent>" for a person's direct chats with an agent, on
// all platforms, and begins with "g" for a group. One that begins with "o:" holds
// commands that do not wait for their turn, and is nobody's conversation.

// personOfLane returns whose lane it is; a group's belongs to nobody.
func personOfLane(lane string) string {
	rest, ok := strings.CutPrefix(lane, "p:")
	if !ok {
		return ""
	}
	person, _, _ := strings.Cut(rest, ":")
	return person
}

// scope is what is locked together: all lanes of a person, or one group's.
func scope(lane string) string {
	if person := personOfLane(lane); person != "" {
		return "p:" + person
	}
	return lane
}

// moved returns a person's lane as it is called under another person.
func moved(lane, from, to string) string {
	return "p:" + to + strings.TrimPrefix(lane, "p:"+from)
}

// forward returns the lane that took the place of one whose person was merged
// into another.
func forward(lane string, merged map[string]string) string {
	person := personOfLane(lane)
	if to := merged[person]; person != "" && to != "" {
		return moved(lane, person, to)
	}
	return lane
}

const mergedPeople = "SELECT id, merged_into FROM people WHERE merged_into <> ''"

// mergedPeople returns who was merged into whom. They are few; on SQLite the
// writer remembers them.
func (t *tx) mergedPeople(ctx context.Context) (map[string]string, error) {
	if t.writer != nil && t.writer.merged != nil {
		return t.writer.merged, nil
	}
	merged := map[string]string{}
	err := t.each(ctx, func(rows *sql.Rows) error {
		var id, into string
		err := rows.Scan(&id, &into)
		merged[id] = into
		return err
	}, mergedPeople)
	if err == nil && t.writer != nil {
		t.writer.merged = merged
	}
	return merged, err
}

// nextHead is the oldest unfinished job of a lane, looked for from the old head.
const nextHead = `SELECT id, queue, due_at FROM jobs
	WHERE lane = ? AND id >= (SELECT head FROM lanes WHERE lane = ?) AND state IN ('available', 'running', 'retryable')
	ORDER BY id LIMIT 1`

// advance changes the counters of a lane and finds its head, after the state of
// a job in it changed.
func (t *tx) advance(ctx context.Context, lane string, opened, started int) error {
	if t.engine == postgres { // nobody may fill the lane between the look and the update
		if err := t.exec(ctx, "SELECT 1 FROM lanes WHERE lane = ? FOR UPDATE", lane); err != nil {
			return err
		}
	}
	var head, due int64
	var queue string
	err := t.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&head, &queue, &due) }, nextHead, lane, lane)
	if err != nil {
		return err
	}
	if head == 0 {
		err = t.exec(ctx, "UPDATE lanes SET head = 0, open = 0, busy = 0 WHERE lane = ?", lane)
		return err
	}
	err = t.exec(ctx, "UPDATE lanes SET head = ?, queue = ?, due_at = ?, open = open + ?, busy = busy + ? WHERE lane = ?",
		head, queue, due, opened, started, lane)
	return err
}

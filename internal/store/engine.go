package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
)

// engine is the kind of database.
type engine int

const (
	sqlite engine = iota
	postgres
)

// rebind turns the ? of a hand-written statement into what the engine wants. No
// statement has a ? in a literal.
func (e engine) rebind(query string) string {
	if e == sqlite {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// tx is a write in progress. Built queries go through bun; the ones in the way
// of every message are written by hand and have bound arguments, and on SQLite
// stay prepared.
type tx struct {
	engine engine
	bun    bun.IDB
	raw    raw
	writer *writer // SQLite only
}

type raw interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (t *tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.writer == nil {
		return t.raw.QueryContext(ctx, t.engine.rebind(query), args...)
	}
	stmt, err := t.writer.query(ctx, query) //nolint:sqlclosecheck // the writer keeps it
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (t *tx) exec(ctx context.Context, query string, args ...any) error {
	if t.writer == nil {
		_, err := t.raw.ExecContext(ctx, t.engine.rebind(query), args...)
		return err
	}
	return t.writer.execute(ctx, query, args...)
}

// each runs a query and calls scan for every row.
func (t *tx) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := t.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// write runs a change and returns when it is durable. On SQLite run shares a
// commit with its neighbours and may be run again before it; it must not keep
// anything it is given.
func write[T any](ctx context.Context, s *Store, run func(context.Context, *tx) (T, error)) (T, error) {
	defer s.faces.forget()
	return writeTalk(ctx, s, run)
}

// writeTalk is write for a change that leaves everybody who is known as they
// are. Those are the frequent ones.
func writeTalk[T any](ctx context.Context, s *Store, run func(context.Context, *tx) (T, error)) (T, error) {
	if s.writer == nil {
		return transact(ctx, s, run)
	}
	var value T // written by the writer before it answers, read after that
	err := s.writer.do(ctx, &request{run: func(ctx context.Context, t *tx) (err error) {
		value, err = run(ctx, t)
		return err
	}})
	if err != nil {
		var zero T
		return zero, err
	}
	return value, nil
}

// change and changeTalk are write and writeTalk for a run without a result.
func change(ctx context.Context, s *Store, run func(context.Context, *tx) error) error {
	defer s.faces.forget()
	return changeTalk(ctx, s, run)
}

func changeTalk(ctx context.Context, s *Store, run func(context.Context, *tx) error) error {
	_, err := writeTalk(ctx, s, func(ctx context.Context, t *tx) (struct{}, error) { return struct{}{}, run(ctx, t) })
	return err
}

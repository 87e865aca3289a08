package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/uptrace/bun"
)

// statements keeps every statement prepared that is run on one connection of
// SQLite. Their number is bounded, because values are always bound. It is used
// by one goroutine.
//
// What changes something is handed to the driver itself: in a burst the detour
// through database/sql costs about as much as the change.
type statements struct {
	conn    bun.Conn
	queries map[string]*sql.Stmt
	changes map[string]driver.StmtExecContext
	args    []driver.NamedValue // of the change in progress
}

// execute runs a change.
func (s *statements) execute(ctx context.Context, change string, args ...any) error {
	_, err := s.change(ctx, change, args...)
	return err
}

// change runs a change and returns what it did.
func (s *statements) change(ctx context.Context, change string, args ...any) (done driver.Result, err error) {
	err = s.conn.Raw(func(conn any) error {
		stmt, err := s.prepareChange(ctx, conn, change)
		if err != nil {
			return err
		}
		done, err = stmt.ExecContext(ctx, s.bound(args))
		return err
	})
	return done, err
}

// prepareChange returns the prepared form of a change.
func (s *statements) prepareChange(ctx context.Context, conn any, change string) (driver.StmtExecContext, error) {
	if stmt := s.changes[change]; stmt != nil {
		return stmt, nil
	}
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	prepared, err := preparer.PrepareContext(ctx, change)
	if err != nil {
		return nil, err
	}
	stmt, ok := prepared.(driver.StmtExecContext)
	if !ok {
		return nil, errors.Join(errors.ErrUnsupported, prepared.Close())
	}
	if s.changes == nil {
		s.changes = map[string]driver.StmtExecContext{}
	}
	s.changes[change] = stmt
	return stmt, nil
}

// bound turns arguments into the few types that drivers know.
func (s *statements) bound(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		if n, ok := a.(int); ok {
			a = int64(n)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return s.args
}

// query prepares what returns rows.
func (s *statements) query(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.queries[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if s.queries == nil {
		s.queries = map[string]*sql.Stmt{}
	}
	s.queries[query] = stmt
	return stmt, nil
}

// forget closes all statements.
func (s *statements) forget() {
	for _, stmt := range s.queries {
		_ = stmt.Close()
	}
	_ = s.conn.Raw(func(any) error {
		for _, stmt := range s.changes {
			if c, ok := stmt.(driver.Stmt); ok {
				_ = c.Close()
			}
		}
		return nil
	})
}

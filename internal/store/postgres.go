package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"switchboard/internal/bridge"
)

const (
	poolSize = 16
	oldest   = 150000 // server_version_num
	// tries is how often a transaction is run that lost against another one.
	tries = 5
)

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err // pgx leaves the password out
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(poolSize)
	pool.SetMaxIdleConns(poolSize)
	s.engine, s.db = postgres, bun.NewDB(pool, pgdialect.New())
	s.readers = s.db
	if err := s.startPostgres(ctx); err != nil {
		return errors.Join(err, pool.Close())
	}
	return nil
}

func (s *Store) startPostgres(ctx context.Context) error {
	var version int
	if err := s.db.DB.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return err
	}
	if version < oldest {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "store: open", Code: codeOld, Args: map[string]string{"have": strconv.Itoa(version / 10000)}}
	}
	locker, err := s.migrationLock(ctx)
	if err != nil {
		return err
	}
	if err := migrate(ctx, s.db.DB, goose.DialectPostgres, locker, nil); err != nil {
		return err
	}
	if s.often, err = prepare(ctx, s.db.DB, s.engine); err != nil {
		return err
	}
	s.close = closeAll(s.often.close, s.db.Close)
	return nil
}

// migrationLock lets one node at a time change a schema.
func (s *Store) migrationLock(ctx context.Context) (lock.SessionLocker, error) { //nolint:ireturn // goose has it so
	var key int64
	if err := s.db.DB.QueryRowContext(ctx, "SELECT hashtextextended('switchboard:' || current_schema(), 0)").Scan(&key); err != nil {
		return nil, err
	}
	return lock.NewPostgresSessionLocker(lock.WithLockID(key), lock.WithLockTimeout(1, 300))
}

// transact runs a write on PostgreSQL, again if it lost against another one.
func transact[T any](ctx context.Context, s *Store, run func(context.Context, *tx) (T, error)) (T, error) {
	for try := 1; ; try++ {
		value, err := once(ctx, s, run)
		if err == nil || try == tries || !lostRace(err) {
			return value, err
		}
	}
}

func once[T any](ctx context.Context, s *Store, run func(context.Context, *tx) (T, error)) (value T, err error) {
	btx, err := s.db.BeginTx(ctx, nil)
	if errors.Is(err, sql.ErrConnDone) || err != nil && err.Error() == "sql: database is closed" {
		return value, ErrClosed
	}
	if err != nil {
		return value, err
	}
	value, err = run(ctx, &tx{engine: postgres, bun: btx, raw: btx.Tx})
	if err != nil {
		return value, errors.Join(err, rollback(btx))
	}
	return value, btx.Commit()
}

func rollback(btx bun.Tx) error {
	if err := btx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// errMoved ends a transaction whose lanes were moved before it had locked them.
var errMoved = errors.New("store: the people were linked to others meanwhile")

// lostRace says that the server gave up a transaction for the sake of another:
// serialization failure, deadlock. So do we when people are linked meanwhile.
func lostRace(err error) bool {
	var e *pgconn.PgError
	return errors.Is(err, errMoved) || errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

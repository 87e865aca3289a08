package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// The writer flushes the disk at each commit; readers cannot change anything.
const (
	writerPragmas = "?_pragma=busy_timeout(" + othersWait + ")&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		burstPragmas + "&_txlock=immediate"
	// In a burst every write shares a transaction with others: what undoing one of
	// them takes is kept in memory, and moving the log into the main file, which
	// writes wait for, is done less often than by default.
	burstPragmas  = "&_pragma=cache_size(-8000)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(4000)"
	readerPragmas = "?_pragma=busy_timeout(" + othersWait + ")&_pragma=query_only(1)"
	// On macOS an ordinary flush stops at the drive's own cache.
	darwinPragmas = "&_pragma=fullfsync(1)&_pragma=checkpoint_fullfsync(1)"
	readers       = 4
	// othersWait is how long a statement waits for other connections, in ms.
	othersWait = "10000"
)

// checkedAtOnce is up to which size a file is looked into before it is opened,
// which takes about a millisecond for each MiB. Care does it for larger ones.
const checkedAtOnce = 256 << 20

func (s *Store) openSQLite(ctx context.Context, path, backups string) error {
	kept, err := finishRestore(path)
	if err != nil {
		return err
	}
	if kept != "" {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a restore that was cut is finished", slog.String("kept", kept))
	}
	if err := createFile(path); err != nil {
		return err
	}
	if err := examine(ctx, path); err != nil {
		return err
	}
	pragmas := writerPragmas
	if runtime.GOOS == "darwin" {
		pragmas += darwinPragmas
	}
	writing, err := openPool(path, pragmas, 1)
	if err != nil {
		return err
	}
	s.engine, s.path, s.db = sqlite, path, writing
	if err := s.startSQLite(ctx, path, backups); err != nil {
		return errors.Join(err, writing.Close())
	}
	return nil
}

// examine looks for damage in a file that is about to be opened.
func examine(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > checkedAtOnce {
		return err
	}
	return check(ctx, path)
}

// check looks for damage over a connection of its own: one that has read the index
// of what was said, before another one changed it, takes that for damage.
func check(ctx context.Context, path string) error {
	return with(path, func(db *sql.DB) error { return sound(ctx, db, "quick_check") })
}

func (s *Store) startSQLite(ctx context.Context, path, backups string) error {
	before := func(ctx context.Context, have int64) error {
		if have == 0 { // a new file
			return nil
		}
		s.log.LogAttrs(ctx, slog.LevelInfo, "the database is copied, then changed for this version", slog.Int64("from", have))
		_, err := BackUp(ctx, path, backups)
		return err
	}
	if err := migrate(ctx, s.db.DB, goose.DialectSQLite3, nil, before); err != nil {
		return err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	// A log that a crash left long is moved now: the moves of a program that dies
	// again in their middle would all have been for nothing.
	if log := (writeAheadLog{path: path + "-wal"}); log.long() {
		if err := truncate(ctx, conn); err != nil && !errors.Is(err, errReading) {
			return errors.Join(err, conn.Close())
		}
	}
	if s.readers, err = openPool(path, readerPragmas, readers); err != nil {
		return errors.Join(err, conn.Close())
	}
	if s.often, err = prepare(ctx, s.readers.DB, s.engine); err != nil {
		return errors.Join(err, conn.Close(), s.readers.Close())
	}
	s.writer = newWriter(s, conn)
	s.close = closeAll(s.writer.close, s.often.close, s.readers.Close, s.db.Close)
	go s.writer.run(context.WithoutCancel(ctx))
	return nil
}

func openPool(path, pragmas string, conns int) (*bun.DB, error) {
	name, err := uri(path)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", name+pragmas)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return bun.NewDB(pool, sqlitedialect.New()), nil
}

// uri writes a path as a SQLite URI, so that no character in it is taken for a
// parameter.
func uri(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath(), nil
}

// createFile makes the file and its directory for their owner alone; SQLite
// gives its companion files the permissions of the main one.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the admin says where the data is
	if err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

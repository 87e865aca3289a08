package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

// ErrClosed is returned by every write after Close.
var ErrClosed = errors.New("store: closed")

// Options say where the data is. Exactly one of Path and DSN is needed.
type Options struct {
	// Path is the SQLite file; it and its directory are made when missing.
	Path string
	// DSN is a PostgreSQL address, postgres://….
	DSN string
	// Role is given to people who are seen for the first time. Default member.
	Role bridge.Role
	// Backups is the directory of the backups. One is made before the schema of an
	// existing SQLite file is changed. Default "backups" beside Path.
	Backups string
	// Log may be nil.
	Log *slog.Logger
}

// Store keeps jobs, replies, people and the journal. Make one with Open; all
// methods may be called from several goroutines at once.
type Store struct {
	engine  engine
	path    string  // SQLite only
	db      *bun.DB // SQLite: the one writing connection; PostgreSQL: the pool
	readers *bun.DB // SQLite: a pool that cannot write; PostgreSQL: db
	writer  *writer // SQLite only
	role    bridge.Role
	log     *slog.Logger
	stamp   atomic.Int64 // the last time of acceptance given out

	often often
	faces faces // answers of often.whoIs, which is in the way of each webhook request

	close func() error
}

// Open opens the database and brings its schema up to date.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if (opt.Path == "") == (opt.DSN == "") {
		return nil, errors.New("store: open: exactly one of Path and DSN is needed")
	}
	s := &Store{role: opt.Role, log: opt.Log}
	if s.role == "" {
		s.role = bridge.RoleMember
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if opt.Backups == "" {
		opt.Backups = filepath.Join(filepath.Dir(opt.Path), "backups")
	}
	open := func() error { return s.openSQLite(ctx, opt.Path, opt.Backups) }
	if opt.DSN != "" {
		open = func() error { return s.openPostgres(ctx, opt.DSN) }
	}
	if err := open(); err != nil {
		return nil, fmt.Errorf("store: open: %w", trouble("store: open", err))
	}
	return s, nil
}

// Close waits for the writes that were begun and closes the database. Closing
// twice is fine.
func (s *Store) Close() error {
	if err := s.close(); err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}

// closeAll returns a function that closes everything once, in order.
func closeAll(parts ...func() error) func() error {
	return sync.OnceValue(func() error {
		var errs []error
		for _, c := range parts {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	})
}

// Check looks for damage in the database file, and on PostgreSQL whether the
// server answers. Damage is ErrDamaged.
func (s *Store) Check(ctx context.Context) error {
	err := s.readers.PingContext(ctx)
	if s.engine == sqlite {
		err = check(ctx, s.path)
	}
	if err != nil {
		return fmt.Errorf("store: check: %w", trouble("store: check", err))
	}
	return nil
}

// stamps gives out n times of acceptance in a row and returns the first. No two
// jobs of one process have the same one, so that it can order and page rows.
func (s *Store) stamps(n int) int64 {
	for {
		last := s.stamp.Load()
		first := max(time.Now().UnixMicro(), last+1)
		if s.stamp.CompareAndSwap(last, first+int64(n)-1) {
			return first
		}
	}
}

// micros and moment turn times into columns and back; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us)
}

func now() int64 { return time.Now().UnixMicro() }

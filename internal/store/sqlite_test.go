package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/store"
)

func TestOpenNeedsOnePlace(t *testing.T) {
	t.Parallel()
	for _, opt := range []store.Options{{}, {Path: filepath.Join(t.TempDir(), "x.db"), DSN: "postgres://localhost/x"}} {
		if s, err := store.Open(t.Context(), opt); err == nil {
			_ = s.Close()
			t.Errorf("%+v was opened", opt)
		}
	}
}

// TestNoServer says in words that a database server is not there.
func TestNoServer(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Options{DSN: "postgres://somebody@127.0.0.1:1/x?connect_timeout=2"})
	wantCode(t, err, "no_server")
	if text := i18n.Explain(bridge.English, err).What; text != "The database server 127.0.0.1 cannot be reached." {
		t.Error(text)
	}
}

// TestPrivate makes sure that nobody else on the machine can read the data.
func TestPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are inherited there")
	}
	dir := filepath.Join(t.TempDir(), "one", "two")
	path := filepath.Join(dir, "switchboard.db")
	s := openAt(t, path)
	if _, err := s.Accept(t.Context(), []bridge.NewJob{question(1)}); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600}
	for name, mode := range want {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s has mode %o, want %o", filepath.Base(name), got, mode)
		}
	}
}

func TestOpenPrivatises(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestOddPath opens files whose names hold what means something in a URI.
func TestOddPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b#c.db", "50%41.db", "数据.db", "x&_pragma=synchronous(0).db"} {
		path := filepath.Join(t.TempDir(), name)
		openAt(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestCannotOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte("this is not a database, but it is long enough to look at"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, garbage, filepath.Join(garbage, "below.db")} {
		if s, err := store.Open(t.Context(), store.Options{Path: path}); err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", path)
		}
	}
}

// TestNewerSchema makes sure that an old program does not touch new data.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	if err := openAt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db := rawDB(t, path)
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Path: path})
	if wantCode(t, err, "newer"); !errors.Is(err, store.ErrNewer) {
		t.Errorf("error %v", err)
	}
	if err == nil {
		_ = s.Close()
	}
}

// TestCheckFindsDamage overwrites pages of a file that is in use.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s := openAt(t, path)
	fill(t, s, 300)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := rawDB(t, path).ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	ruin(t, path)
	err := s.Check(t.Context())
	if wantCode(t, err, "damaged"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}

// TestWaitingForALock makes sure that a caller who gives up before the write
// began is let go at once, that nothing of theirs is stored, and that others are
// served when the lock is gone.
func TestWaitingForALock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s := openAt(t, path)
	conn, err := rawDB(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	patient := make(chan error, 1)
	go func() {
		_, err := s.Accept(t.Context(), []bridge.NewJob{question(1)})
		patient <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Accept(ctx, []bridge.NewJob{question(2)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the impatient got %v", err)
	}
	select {
	case err := <-patient:
		t.Errorf("stored while another process holds the lock: %v", err)
	default:
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-patient; err != nil {
		t.Error(err)
	}
	waiting, err := s.Waiting(t.Context())
	if err != nil || waiting["helpdesk"] != 1 {
		t.Errorf("waiting %v, %v", waiting, err)
	}
}

// TestFailedCommit breaks the table under the writer: every write fails, none
// hangs, and when the trouble is over work goes on.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s := openAt(t, path)
	db := rawDB(t, path)
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE lanes RENAME TO hidden"); err != nil {
		t.Fatal(err)
	}
	for n := range int64(3) {
		if _, err := s.Accept(t.Context(), []bridge.NewJob{question(n)}); err == nil {
			t.Error("accepted without a lane")
		}
	}
	if err := s.SaveReply(t.Context(), bridge.Reply{JobID: 1}); err != nil {
		t.Errorf("a write that does not need the table: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE hidden RENAME TO lanes"); err != nil {
		t.Fatal(err)
	}
	got, err := s.Accept(t.Context(), []bridge.NewJob{question(0)})
	if err != nil || got[0].Duplicate {
		t.Errorf("afterwards %+v, %v", got, err)
	}
}

func rawDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

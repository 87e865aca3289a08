package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"switchboard/internal/bridge"
)

// TestDurable asks the writing connection itself: it must flush the disk at each
// commit (2 is FULL), and the readers must not be able to write.
func TestDurable(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // not what is tested
	want := map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000", "wal_autocheckpoint": "4000"}
	if runtime.GOOS == "darwin" {
		want["fullfsync"], want["checkpoint_fullfsync"] = "1", "1"
	}
	for pragma, value := range want {
		var got string
		if err := s.writer.conn.Conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != value {
			t.Errorf("%s is %q, want %q (%v)", pragma, got, value, err)
		}
	}
	var got string
	if err := s.readers.DB.QueryRowContext(t.Context(), "PRAGMA query_only").Scan(&got); err != nil || got != "1" {
		t.Errorf("query_only is %q, %v", got, err)
	}
	if _, err := s.readers.DB.ExecContext(t.Context(), "DELETE FROM people"); err == nil {
		t.Error("a reader can write")
	}
}

// TestDiskFull lets the database reach its largest size: what no longer fits is
// refused with a word for it, nothing that was accepted is lost, and when there
// is room again work goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // not what is tested
	limit := func(pages int) {
		t.Helper()
		if _, err := s.writer.conn.Conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	accept := func(n int) error {
		m := bridge.Message{ID: bridge.MessageID(fmt.Sprint(n)), Bot: "b"}
		m.Text = fmt.Sprintf("%04000d", n)
		_, err := s.Accept(t.Context(), []bridge.NewJob{{Queue: "q", Lane: "p:p:q", Message: m}})
		return err
	}
	limit(80)
	acked := 0
	for err = accept(acked); err == nil && acked < 1000; err = accept(acked) {
		acked++
	}
	var e *bridge.Error
	if !errors.As(err, &e) || e.Code != "disk_full" || e.Kind != bridge.KindUnavailable || acked == 0 {
		t.Fatalf("after %d: %v", acked, err)
	}
	if waiting, err := s.Waiting(t.Context()); err != nil || waiting["q"] != acked {
		t.Errorf("%d acknowledged, waiting %v, %v", acked, waiting, err)
	}
	limit(10000)
	if err := accept(acked); err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestFacesSeenBefore drops what was looked up before people changed: it may be
// older than the change.
func TestFacesSeenBefore(t *testing.T) {
	t.Parallel()
	var f faces
	who := bridge.Identity{Platform: "feishu", User: "u"}
	_, since, _ := f.recall(who)
	f.forget()
	f.learn(who, stranger{name: "old"}, since)
	if known, _, ok := f.recall(who); ok {
		t.Errorf("remembered %+v", known)
	}
	_, since, _ = f.recall(who)
	f.learn(who, stranger{name: "new"}, since)
	if known, _, ok := f.recall(who); !ok || known.name != "new" {
		t.Errorf("remembered %+v, %t", known, ok)
	}
}

// TestLongLog grows while somebody reads an old state, and is begun anew after
// that, also when it is found at the start.
func TestLongLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	log := writeAheadLog{path: path + "-wal"}
	reader, err := s.readers.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM notes").Scan(&n); err != nil {
		t.Fatal(err)
	}
	keep := func(n, size int) {
		t.Helper()
		if err := s.KeepNote(t.Context(), "bot", "note", strings.Repeat(string(rune('a'+n%2)), size)); err != nil {
			t.Fatal(err) // what stays the same is not written
		}
	}
	for n := range 2 * longLog >> 20 {
		keep(n, 1<<20)
	}
	if !log.long() {
		t.Fatal("the reader's log was taken away")
	}
	crashed := crash(t, path)
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	for tries := 0; log.long() && tries < 20_000; tries++ { // there is a pause after a vain try
		keep(tries, 1)
	}
	if log.long() {
		t.Error("the log stays long")
	}
	keep(0, 1<<20) // the writer has put its patience back before
	var timeout string
	if err := s.writer.conn.Conn.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout); err != nil || timeout != "10000" {
		t.Errorf("the writer waits %s ms for others, %v", timeout, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	again := &Store{log: s.log, role: s.role, engine: sqlite}
	if again.db, err = openPool(crashed, writerPragmas, 1); err != nil {
		t.Fatal(err)
	}
	if err := again.startSQLite(t.Context(), crashed, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if (writeAheadLog{path: crashed + "-wal"}).long() {
		t.Error("a long log is kept at the start")
	}
	if note, err := again.Note(t.Context(), "bot", "note"); len(note) != 1<<20 || err != nil {
		t.Errorf("a note of %d bytes, %v", len(note), err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// crash copies a database as a crash would leave it.
func crash(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "switchboard.db")
	for _, part := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + part)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+part, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

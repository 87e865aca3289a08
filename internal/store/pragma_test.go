package store

import (
	"path/filepath"
	"runtime"
	"testing"
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

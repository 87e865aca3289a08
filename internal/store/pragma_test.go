package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
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

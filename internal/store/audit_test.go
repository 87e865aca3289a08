package store_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// TestAuditStaysOnSQLite and TestAuditStaysOnPostgres: nobody changes or deletes
// an entry, not even with statements of their own.
func TestAuditStaysOnSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	auditStays(t, store.Options{Path: path}, "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)",
		"INSERT OR REPLACE INTO audits (id, at, kind, actor, place, person, note, undo, undoes) SELECT id, at, kind, 'me', place, person, note, undo, 0 FROM audits WHERE note = 'fresh'")
}

// TestAuditStaysOnPostgres needs a server; testdata/postgres.sh brings one.
func TestAuditStaysOnPostgres(t *testing.T) {
	t.Parallel()
	dsn := schema(t)
	auditStays(t, store.Options{DSN: dsn}, "pgx", dsn, "TRUNCATE audits",
		"INSERT INTO audits (id, at, kind, actor, place, person, note, undo) SELECT id, at, kind, 'me', place, person, note, undo FROM audits WHERE note = 'fresh' ON CONFLICT (id) DO UPDATE SET actor = 'me'")
}

func auditStays(t *testing.T, opt store.Options, driver, dsn string, more ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Now()
	for note, at := range map[string]time.Time{"fresh": now, "eleven months": now.AddDate(0, -11, 0), "two years": now.AddDate(-2, 0, 0)} {
		for range 2 { // the second time it is there already
			if err := s.AuditOnce(t.Context(), bridge.Audit{At: at, Kind: bridge.AuditSecret, By: bridge.Actor{Who: "li", Where: "cli"}, Note: note}); err != nil {
				t.Fatal(err)
			}
		}
	}
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	for _, statement := range append(more,
		"UPDATE audits SET actor = 'me' WHERE note = 'fresh'", "UPDATE audits SET at = 0 WHERE note = 'two years'",
		"DELETE FROM audits WHERE note = 'fresh'", "DELETE FROM audits WHERE note = 'eleven months'", "DELETE FROM audits",
	) {
		if _, err := raw.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	want(t, s, "eleven months", "fresh", "two years")
	// Retention keeps it for a year at least, whatever the settings say.
	if _, err := s.Forget(t.Context(), now, now); err != nil {
		t.Fatal(err)
	}
	want(t, s, "eleven months", "fresh")
}

// want checks the notes in the audit, in order, and that the actors are as written.
func want(t *testing.T, s *store.Store, notes ...string) {
	t.Helper()
	all, err := s.Audits(t.Context(), bridge.AuditQuery{})
	if err != nil || len(all) != len(notes) {
		t.Fatalf("%+v, %v; want %v", all, err, notes)
	}
	for _, note := range notes {
		found := false
		for _, a := range all {
			found = found || a.Note == note && a.By == (bridge.Actor{Who: "li", Where: "cli"}) && a.Kind == bridge.AuditSecret && !a.At.IsZero()
		}
		if !found {
			t.Errorf("%q is not among %+v", note, all)
		}
	}
}

// TestAuditKeptForEver: without a retention the audit stays.
func TestAuditKeptForEver(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.AuditOnce(t.Context(), bridge.Audit{At: time.Now().AddDate(-3, 0, 0), Kind: bridge.AuditSecret, By: bridge.Actor{Who: "li", Where: "cli"}, Note: "old"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Forget(t.Context(), time.Now(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	want(t, s, "old")
}

package storetest

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// Without takes a table out of a SQLite file that a program has open, so that
// everything that needs it fails, until the returned function puts it back.
func Without(t *testing.T, path, table string) (back func()) {
	t.Helper()
	rename := func(from, to string) {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }() // it was one statement
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename(table, table+"_away")
	return func() {
		t.Helper()
		rename(table+"_away", table)
	}
}

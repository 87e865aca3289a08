package store_test

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"switchboard/internal/store"
	"switchboard/internal/store/storetest"
)

func TestContractOnSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Options {
		t.Helper()
		return store.Options{Path: filepath.Join(t.TempDir(), "switchboard.db")}
	})
}

// TestContractOnPostgres needs a server; testdata/postgres.sh brings one.
func TestContractOnPostgres(t *testing.T) {
	t.Parallel()
	server(t)
	storetest.Run(t, func(t *testing.T) store.Options {
		t.Helper()
		return store.Options{DSN: schema(t)}
	})
}

// TestTrigrams wants PostgreSQL's index for searching, where the extension can
// be had.
func TestTrigrams(t *testing.T) {
	t.Parallel()
	dsn := schema(t)
	s, err := store.Open(t.Context(), store.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var offered, indexes int
	err = db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM pg_available_extensions WHERE name = 'pg_trgm'),
		(SELECT COUNT(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexdef LIKE '%gin_trgm_ops%')`).Scan(&offered, &indexes)
	if err != nil || indexes != 2*offered {
		t.Errorf("the extension is offered %d times, %d indexes, %v", offered, indexes, err)
	}
	_, err = s.Backup(t.Context(), t.TempDir())
	wantCode(t, err, "server_backup")
	for _, wrong := range []string{strings.Replace(dsn, "/postgres?", "/nowhere?", 1), strings.Replace(dsn, "switchboard@", "stranger@", 1)} {
		_, err = store.Open(t.Context(), store.Options{DSN: wrong})
		wantCode(t, err, "server_login")
	}
	if st, err := s.Statistics(t.Context()); err != nil || st.Engine != "postgres" || st.Bytes == 0 {
		t.Errorf("statistics %+v, %v", st, err)
	}
}

// schema makes an empty schema and returns an address that leads into it.
func schema(tb testing.TB) string {
	tb.Helper()
	dsn := server(tb)
	name := "t_" + strings.ToLower(rand.Text())
	run := func(statement string) error {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		_, err = db.ExecContext(tb.Context(), statement)
		return err
	}
	if err := run("CREATE SCHEMA " + name); err != nil {
		tb.Fatal(err)
	}
	at, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	q := at.Query()
	q.Set("search_path", name)
	at.RawQuery = q.Encode()
	return at.String()
}

// server returns the address of the test server.
func server(tb testing.TB) string {
	tb.Helper()
	dsn := os.Getenv("SWITCHBOARD_TEST_POSTGRES")
	if dsn == "" {
		tb.Skip("SWITCHBOARD_TEST_POSTGRES is not set")
	}
	return dsn
}

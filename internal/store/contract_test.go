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

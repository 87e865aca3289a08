package store_test

import (
	"path/filepath"
	"testing"

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

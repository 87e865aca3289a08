package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// rescued reads what can be read, and wants each question once, in order and as it
// was asked.
func rescued(t *testing.T, path string) bridge.Salvaged {
	t.Helper()
	last, rows := int64(0), 0
	got, err := store.Salvage(t.Context(), path, func(r bridge.ExportRow) error {
		if r.Job.ID <= last || r.Job.Message.ID != question(r.Job.ID-1).Message.ID || r.Job.Message.Text == "" {
			t.Errorf("job %d behind %d is %s, %q", r.Job.ID, last, r.Job.Message.ID, r.Job.Message.Text)
		}
		last, rows = r.Job.ID, rows+1
		return nil
	})
	if err != nil || got.Rows != rows {
		t.Errorf("%+v, told %d, %v", got, rows, err)
	}
	return got
}

func TestSalvage(t *testing.T) {
	t.Parallel()
	const all = 3000
	path := filled(t, all)
	if got := rescued(t, path); got != (bridge.Salvaged{Rows: all}) {
		t.Errorf("of a good database %+v", got)
	}
	db := rawDB(t, path)
	for _, change := range []string{"UPDATE jobs SET message = '{' WHERE id = 7", "DELETE FROM jobs WHERE id BETWEEN 8 AND 11", "UPDATE jobs SET extra = 'x' WHERE id = 12"} {
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	if got := rescued(t, path); got != (bridge.Salvaged{Rows: all - 6, Gaps: 2}) {
		t.Errorf("with rows that mean nothing %+v", got)
	}
	if _, err := db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	scratch(t, path)
	got := rescued(t, path)
	if got.Rows < all/2 || got.Rows >= all-6 || got.Gaps < 3 {
		t.Errorf("of a damaged database %+v", got)
	}
	t.Logf("%+v", got)
}

// scratch overwrites every twentieth page behind the first ones.
func scratch(t *testing.T, path string) {
	t.Helper()
	const page = 4096
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 40 * page; at+page <= len(data); at += 20 * page {
		copy(data[at:at+page], strings.Repeat("rust", page/4))
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSalvageIsStopped: what the caller has against it ends it, and is told.
func TestSalvageIsStopped(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	if _, err := store.Salvage(t.Context(), filled(t, 3), func(bridge.ExportRow) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

func TestNothingToSalvage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	none := func(bridge.ExportRow) error { return errors.New("there is something") }
	if _, err := store.Salvage(t.Context(), path, none); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("rust ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Salvage(t.Context(), path, none)
	wantCode(t, err, "damaged")
}

package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/ui"
)

// TestRepairs goes the ways out of a damaged database on a real house.
func TestRepairs(t *testing.T) {
	data := t.TempDir()
	o := options{data: data, config: filepath.Join(data, "switchboard.yaml")}
	if err := os.WriteFile(o.config, []byte("server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	damage := func() {
		t.Helper()
		if err := os.WriteFile(filepath.Join(data, "switchboard.db"), []byte(strings.Repeat("rust ", 5000)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	r := &repairs{o: o, log: log, open: func() (ui.Backend, func(), error) { return newBackend(t.Context(), o, log) }}
	damage()
	err := r.Open(t.Context())
	if !r.Repairable(err) || r.backend != nil || !strings.Contains(r.Words(bridge.Chinese, err), "恢复备份") {
		t.Errorf("a damaged database is %v", err)
	}
	if _, err := r.Salvage(t.Context(), filepath.Join(t.TempDir(), "talks.csv")); !r.Repairable(err) {
		t.Errorf("of nothing but rust there is something left: %v", err)
	}
	if err := r.StartFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Open(t.Context()); err != nil || r.backend == nil {
		t.Fatalf("it does not open afresh: %v", err)
	}
	b, err := app.BackUp(t.Context(), r.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.StartFresh(t.Context()); err == nil {
		t.Error("the database was taken away from a house that is open")
	}
	r.close()
	for _, companion := range []string{"-wal", "-shm"} {
		_ = os.Remove(filepath.Join(data, "switchboard.db"+companion)) // may not be there
	}
	damage()
	all, err := r.Backups()
	if err != nil || len(all) == 0 || all[len(all)-1].Path != b.Path && all[0].Path != b.Path {
		t.Fatalf("backups %v, %v", all, err)
	}
	if err := r.Restore(t.Context(), b.Path); err != nil {
		t.Fatal(err)
	}
	if err := r.Open(t.Context()); err != nil {
		t.Fatalf("it does not open again: %v", err)
	}
	r.close()
	if kept, err := filepath.Glob(filepath.Join(data, "switchboard-kept-*.db")); err != nil || len(kept) != 2 {
		t.Errorf("kept %v, %v", kept, err)
	}
}

package app_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// TestNightlyCare lets the program run for some nights: a backup at once and every
// night, what is old is forgotten, and what goes wrong is a warning until it goes
// well again.
func TestNightlyCare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		r := begin(t, data, oneBot+"privacy: {content_days: 1}\n", newLamp(), nil)
		backups := func() int {
			all, err := app.Backups(app.Options{Data: data})
			if err != nil {
				t.Error(err)
			}
			return len(all)
		}
		text := func() string {
			talks, err := r.Talks(t.Context(), bridge.TalkQuery{})
			if err != nil || len(talks) != 1 {
				t.Fatalf("talks %+v, %v", talks, err)
			}
			all, err := r.Exchanges(t.Context(), talks[0].Lane, 0, 1)
			if err != nil || len(all) != 1 {
				t.Fatalf("exchanges %+v, %v", all, err)
			}
			return all[0].Job.Message.Text + all[0].Reply.Text
		}
		r.deliver(t, "m1", "marigold, please")
		rest(25 * time.Hour)
		if n := backups(); n != 2 || !strings.Contains(text(), "marigold") {
			t.Errorf("%d backups after a night, kept %q", n, text())
		}
		rest(4 * time.Hour)
		if n := backups(); n != 3 || text() != "" {
			t.Errorf("%d backups after two nights, kept %q", n, text())
		}
		if err := os.RemoveAll(filepath.Join(data, "backups")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, "backups"), nil, 0o600); err != nil { // a file is in the way
			t.Fatal(err)
		}
		rest(24 * time.Hour)
		if n := r.Notices(bridge.Chinese); len(n) != 1 || n[0].ID != "care_failing " || !strings.Contains(n[0].Detail, "backups") || !strings.Contains(n[0].Next, "一小时后会再试") || n[0].Severity != bridge.SeverityError {
			t.Errorf("notices %+v", n)
		}
		if err := os.Remove(filepath.Join(data, "backups")); err != nil {
			t.Fatal(err)
		}
		rest(2 * time.Hour)
		if n := r.Notices(bridge.English); len(n) != 0 || backups() != 1 {
			t.Errorf("notices %+v, %d backups", n, backups())
		}
	})
}

// TestRepairable tells a database that a backup helps from other troubles.
func TestRepairable(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	opt := app.Options{Data: data, Log: slog.New(slog.DiscardHandler)}
	write(t, data, "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n")
	if err := os.WriteFile(filepath.Join(data, "switchboard.db"), []byte(strings.Repeat("rust ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := app.Open(t.Context(), opt)
	if !app.Repairable(err) || app.Repairable(app.ErrRunning) || app.Repairable(errors.New("no")) || app.Repairable(nil) {
		t.Errorf("a damaged database is %v", err)
	}
	for lang, words := range map[bridge.Language]string{bridge.English: "switchboardd restore", bridge.Chinese: "恢复备份"} {
		if got := app.Words(lang, err, data); !strings.Contains(got, words) {
			t.Errorf("it says %q", got)
		}
	}
	kept, err := app.StartFresh(t.Context(), opt)
	if err != nil || !strings.Contains(kept, "switchboard-kept-") {
		t.Errorf("kept %q, %v", kept, err)
	}
	a, err := app.Open(t.Context(), opt) // nothing holds the directory
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.StartFresh(t.Context(), opt); !errors.Is(err, app.ErrRunning) {
		t.Errorf("beside a running program it is %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(filepath.Join(data, "logs", "switchboard.log"))
	if err != nil || !strings.Contains(string(log), `"msg":"the database cannot be opened"`) {
		t.Errorf("the log says %q, %v", log, err)
	}
}

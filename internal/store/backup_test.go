package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/store"
)

const backupChild = "SWITCHBOARD_TEST_BACKUP_CHILD"

// filled makes a closed database with some messages in it.
func filled(tb testing.TB, messages int64) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "switchboard.db")
	s := openAt(tb, path)
	fill(tb, s, messages)
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

func fill(tb testing.TB, s *store.Store, messages int64) {
	tb.Helper()
	var jobs []bridge.NewJob
	for n := range messages {
		jobs = append(jobs, question(n))
	}
	if _, err := s.Accept(tb.Context(), jobs); err != nil {
		tb.Fatal(err)
	}
}

func wantJobs(tb testing.TB, path string, want int64) {
	tb.Helper()
	s := openAt(tb, path)
	st, err := s.Statistics(tb.Context())
	if err := errors.Join(err, s.Close()); err != nil || st.Jobs != want {
		tb.Errorf("%s holds %d jobs, want %d (%v)", filepath.Base(path), st.Jobs, want, err)
	}
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	var e *bridge.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Errorf("error %v, want the code %s", err, want)
		return
	}
	for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
		if _, ok := i18n.Find(lang, "error.store."+want); !ok || i18n.Explain(lang, err).Next == "" {
			t.Errorf("%s has no words in %s", want, lang)
		}
	}
}

// ruin overwrites pages in the middle of a file.
func ruin(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 3; i < len(data)-4096; i++ {
		data[i] = byte(i)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	dir := filepath.Join(filepath.Dir(path), "back[ups]")
	s := openAt(t, path)
	fill(t, s, 50)
	b, err := s.Backup(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 80)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(b.Path); err != nil || info.Size() != b.Size || runtime.GOOS != "windows" && info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("backup %+v: %v, %v", b, info, err)
	}
	all, err := store.Backups(dir)
	if err != nil || len(all) != 1 || all[0].Path != b.Path || all[0].At.Unix() != b.At.Unix() {
		t.Errorf("backups %+v, %v", all, err)
	}
	aside, err := store.Restore(t.Context(), path, b.Path)
	if err != nil {
		t.Fatal(err)
	}
	wantJobs(t, path, 50)
	wantJobs(t, aside, 80)
	wantJobs(t, b.Path, 50)
}

// TestRestoreKeepsTheLog restores over a database whose last messages are not in
// its main file yet: they stay with it and do not get into the restored one.
func TestRestoreKeepsTheLog(t *testing.T) {
	t.Parallel()
	backup := filled(t, 5)
	path := leftBehind(t)
	aside, err := store.Restore(t.Context(), path, backup)
	if err != nil {
		t.Fatal(err)
	}
	wantJobs(t, path, 5)
	wantJobs(t, aside, 90)
}

// leftBehind is a database as a program that was killed leaves it, whose 90 messages are
// not in its main file yet.
func leftBehind(t *testing.T) (path string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "live.db")
	s := openAt(t, source)
	fill(t, s, 90)
	path = filepath.Join(t.TempDir(), "switchboard.db")
	for _, ending := range []string{"", "-wal"} {
		data, err := os.ReadFile(source + ending)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+ending, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestRestoreWithoutTheMainFile: the log of a database whose main file somebody
// removed does not get into the restored one.
func TestRestoreWithoutTheMainFile(t *testing.T) {
	t.Parallel()
	path, backup := leftBehind(t), filled(t, 5)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if aside, err := store.Restore(t.Context(), path, backup); err != nil || aside != "" {
		t.Fatal(aside, err)
	}
	wantJobs(t, path, 5)
}

// TestRestoreIsFinishedBetweenFiles opens after a program that died when it had moved
// the main file only: its log goes where it is.
func TestRestoreIsFinishedBetweenFiles(t *testing.T) {
	t.Parallel()
	path, backup := leftBehind(t), filled(t, 5)
	if err := os.Rename(backup, path+".restoring"); err != nil {
		t.Fatal(err)
	}
	decided, err := os.Stat(path + ".restoring")
	if err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(filepath.Dir(path), decided.ModTime().Format("switchboard-kept-20060102-150405.db"))
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	wantJobs(t, path, 5)
	wantJobs(t, aside, 90)
}

// TestRestoreIsFinished opens after a program that died when everything was
// decided and nothing was moved.
func TestRestoreIsFinished(t *testing.T) {
	t.Parallel()
	path, backup := filled(t, 9), filled(t, 4)
	if err := os.Rename(backup, path+".restoring"); err != nil {
		t.Fatal(err)
	}
	wantJobs(t, path, 4)
	aside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "switchboard-kept-*.db"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("kept %v, %v", aside, err)
	}
	wantJobs(t, aside[0], 9)
	wantJobs(t, path, 4)
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	path := filled(t, 7)
	bad := filled(t, 300)
	ruin(t, bad)
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	if _, err := rawDB(t, foreign).ExecContext(t.Context(), "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	future := filled(t, 1)
	if _, err := rawDB(t, future).ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	for from, code := range map[string]string{bad: "bad_backup", foreign: "not_ours", future: "newer", path + ".not": "bad_backup"} {
		aside, err := store.Restore(t.Context(), path, from)
		wantCode(t, err, code)
		if aside != "" {
			t.Errorf("%s: put aside as %s", code, aside)
		}
	}
	wantJobs(t, path, 7)
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestStartFresh(t *testing.T) {
	t.Parallel()
	path := filled(t, 300)
	ruin(t, path)
	_, err := store.Open(t.Context(), store.Options{Path: path})
	if wantCode(t, err, "damaged"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("error %v", err)
	}
	var names []string
	for range 2 {
		aside, err := store.StartFresh(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(aside); err != nil {
			t.Error(err)
		}
		names = append(names, aside)
		wantJobs(t, path, 0)
	}
	if names[0] == names[1] {
		t.Errorf("both are called %s", names[0])
	}
	if aside, err := store.StartFresh(filepath.Join(t.TempDir(), "none.db")); aside != "" || err != nil {
		t.Errorf("nothing was put aside as %q, %v", aside, err)
	}
}

// TestSevenAreKept makes more backups than are kept, and leaves others' files
// alone.
func TestSevenAreKept(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "switchboard.db"))
	dir := t.TempDir()
	for _, name := range []string{"switchboard-notes.db", "mine.db", "switchboard-20200101-000000.db.unfinished", "switchboard-20200101-000000.db.unfinished-journal"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 9 {
		name := time.Date(2020, 1, 1+n, 3, 30, 0, 0, time.Local).Format("switchboard-20060102-150405.db")
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := s.Backup(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := store.Backups(dir)
	if err != nil || len(all) != 7 || all[0].Path != b.Path || filepath.Base(all[6].Path) != "switchboard-20200104-033000.db" {
		t.Errorf("backups %+v, %v", all, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 9 {
		t.Errorf("files %v, %v", files, err)
	}
}

// TestBackupBeforeMigration opens a database with an older schema.
func TestBackupBeforeMigration(t *testing.T) {
	t.Parallel()
	path := filled(t, 12)
	if backups, err := store.Backups(filepath.Join(filepath.Dir(path), "backups")); err != nil || len(backups) != 0 {
		t.Fatalf("a new database was backed up: %v, %v", backups, err)
	}
	downTo(t, path, 5)
	wantJobs(t, path, 12)
	backups, err := store.Backups(filepath.Join(filepath.Dir(path), "backups"))
	if err != nil || len(backups) != 1 {
		t.Fatalf("backups %v, %v", backups, err)
	}
	var version int
	row := rawDB(t, backups[0].Path).QueryRowContext(t.Context(), "SELECT MAX(version_id) FROM goose_db_version")
	if err := row.Scan(&version); err != nil || version != 5 {
		t.Errorf("the backup has version %d, %v", version, err)
	}
}

// downTo takes the schema of a database back to that of an older version.
func downTo(t *testing.T, path string, version int) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	db := rawDB(t, path)
	for _, file := range slices.Backward(files) {
		if filepath.Base(file) < fmt.Sprintf("%05d", version+1) {
			break
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, down, _ := strings.Cut(string(text), "-- +goose Down")
		down = strings.NewReplacer("ONLY_SQLITE ", "", "ONLY_POSTGRES ", "-- ").Replace(down)
		if _, err := db.ExecContext(t.Context(), down); err != nil {
			t.Fatal(file, err)
		}
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id > ?", version); err != nil {
		t.Fatal(err)
	}
}

// TestBackupIsStopped leaves nothing behind.
func TestBackupIsStopped(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "switchboard.db"))
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Backup(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left %v, %v", files, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(t.Context(), filepath.Join(file, "below")); err == nil {
		t.Error("a backup was written below a file")
	}
}

// TestBackupIsLookedInto refuses a copy that could not be restored.
func TestBackupIsLookedInto(t *testing.T) {
	t.Parallel()
	path := filled(t, 3)
	s := openAt(t, path)
	if _, err := rawDB(t, path).ExecContext(t.Context(), "DELETE FROM goose_db_version"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, err := s.Backup(t.Context(), dir)
	wantCode(t, err, "not_ours")
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left %v, %v", files, err)
	}
}

// TestBackupIsKilled kills a process that makes one backup after the other:
// whatever is called a backup is whole.
func TestBackupIsKilled(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(backupChild); path != "" {
		s := openAt(t, path)
		_, _ = os.Stdout.WriteString("ready\n")
		for {
			if _, err := s.Backup(t.Context(), filepath.Join(filepath.Dir(path), "backups")); err != nil {
				panic(err)
			}
		}
	}
	path := filled(t, 2000)
	dir := filepath.Join(filepath.Dir(path), "backups")
	for round := range 6 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBackupIsKilled$")
		child.Env = append(os.Environ(), backupChild+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(7+round*23) * time.Millisecond)
		_ = child.Process.Kill()
		_ = child.Wait() // killed
	}
	all, err := store.Backups(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		wantJobs(t, b.Path, 2000)
	}
	s := openAt(t, path)
	if _, err := s.Backup(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), "unfinished") {
			t.Errorf("%s is left", f.Name())
		}
	}
}

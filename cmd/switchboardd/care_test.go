package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// said is what one start of the program came to.
type said struct {
	code      int
	out, errs string
}

// invoke starts the real program and waits for it.
func invoke(t *testing.T, in string, args ...string) said {
	t.Helper()
	return invokeWith(t, nil, in, args...)
}

func invokeWith(t *testing.T, env []string, in string, args ...string) said {
	t.Helper()
	p := exec.CommandContext(t.Context(), os.Args[0], args...)
	var out, errs bytes.Buffer
	p.Env = append(os.Environ(), "SWITCHBOARD_TEST_CHILD=1", "LC_ALL=en", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere")
	p.Env = append(p.Env, env...)
	p.Stdin, p.Stdout, p.Stderr = strings.NewReader(in), &out, &errs
	_ = p.Run() // the code tells
	return said{p.ProcessState.ExitCode(), out.String(), errs.String()}
}

// want checks the code, and that everything was said.
func (s said) want(t *testing.T, code int, words ...string) {
	t.Helper()
	if s.code != code {
		t.Errorf("it exits with %d, want %d:\n%s%s", s.code, code, s.out, s.errs)
	}
	for _, w := range words {
		if !strings.Contains(s.out+s.errs, w) {
			t.Errorf("it does not say %q:\n%s%s", w, s.out, s.errs)
		}
	}
}

// settled is a data directory with settings that need no network.
func settled(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	text := "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nagents: [{id: help, kind: echo}]\n"
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

func damage(t *testing.T, data string) {
	t.Helper()
	file := filepath.Join(data, "switchboard.db")
	if err := os.WriteFile(file, bytes.Repeat([]byte("rust "), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, companion := range []string{"-wal", "-shm"} {
		_ = os.Remove(file + companion) // may not be there
	}
}

func entries(t *testing.T, data, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(data, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDamaged walks the whole way: a backup, a damaged file, what the program says
// then, and both ways out. Nothing is deleted on the way.
func TestDamaged(t *testing.T) {
	t.Parallel()
	data := settled(t)
	invoke(t, "", "backup", "--data", data).want(t, exitTrouble, "There is no database", "switchboard.db", "--data")
	invoke(t, "", "restore", "--data", data, "--yes").want(t, exitTrouble, "There are no backups", data)
	invoke(t, "", "check", "--data", data).want(t, exitOK, "help")
	invoke(t, "", "backup", "--data", data).want(t, exitOK, "switchboard-", "MB")
	list := invoke(t, "", "restore", "--list", "--data", data)
	list.want(t, exitOK, time.Now().Format("2006-01-02"))
	backups := entries(t, data, "backups/*.db")
	if len(backups) != 1 || !strings.Contains(list.out, filepath.Base(backups[0])) {
		t.Fatalf("backups %v, listed %q", backups, list.out)
	}
	damage(t, data)
	for _, name := range []string{"run", "check"} {
		invoke(t, "", name, "--data", data).want(t, exitTrouble, "damaged", "switchboardd restore", "switchboardd fresh")
	}
	invoke(t, "", "backup", "--data", data).want(t, exitTrouble, "damaged")
	for _, no := range []string{"", "no\n"} {
		invoke(t, no, "restore", "--data", data).want(t, exitTrouble, filepath.Base(backups[0]), "is not deleted", "Nothing was changed")
		invoke(t, no, "fresh", "--data", data).want(t, exitTrouble, "Nothing is deleted", "Nothing was changed")
	}
	if kept := entries(t, data, "switchboard-kept-*.db"); len(kept) != 0 {
		t.Errorf("kept %v, though nobody said yes", kept)
	}
	invoke(t, "", "restore", "none.db", "--yes", "--data", data).want(t, exitTrouble, "none.db is missing or damaged", "nothing has been changed")
	invoke(t, "yes\n", "restore", "--data", data).want(t, exitOK, "switchboard-kept-", "Done.")
	invoke(t, "", "check", "--data", data).want(t, exitOK)
	damage(t, data)
	invoke(t, "", "restore", filepath.Base(backups[0]), "--yes", "--data", data).want(t, exitOK)
	damage(t, data)
	invoke(t, "", "fresh", "--yes", "--data", data).want(t, exitOK, "switchboard-kept-")
	invoke(t, "", "check", "--data", data).want(t, exitOK)
	if kept := entries(t, data, "switchboard-kept-*.db"); len(kept) != 3 {
		t.Errorf("kept %v", kept)
	}
	if left := entries(t, data, "backups/*"); !slices.Equal(left, backups) {
		t.Errorf("backups %v, before %v", left, backups)
	}
}

// TestCareBesideAnother: a running program does not mind a backup; what would take
// its database away is refused.
func TestCareBesideAnother(t *testing.T) {
	t.Parallel()
	data := settled(t)
	p := exec.CommandContext(t.Context(), os.Args[0], "run", "--data", data)
	p.Env = append(os.Environ(), "SWITCHBOARD_TEST_CHILD=1")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	for deadline := time.Now().Add(time.Minute); len(entries(t, data, "admin.address")) == 0; pause(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not start")
		}
	}
	invoke(t, "", "backup", "--data", data).want(t, exitOK)
	invoke(t, "", "restore", "--yes", "--data", data).want(t, exitRunning, "already running", data)
	invoke(t, "", "fresh", "--yes", "--data", data).want(t, exitRunning, "already running", data)
	if kept := entries(t, data, "switchboard-kept-*"); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
}

// TestServerDatabase: a PostgreSQL database is cared for where it is.
func TestServerDatabase(t *testing.T) {
	t.Parallel()
	data := settled(t)
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte("database: postgres://u:p@127.0.0.1:1/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"backup"}, {"restore", "x.db", "--yes"}, {"fresh", "--yes"}} {
		invoke(t, "", append(args, "--data", data)...).want(t, exitTrouble, "backed up on its server", "pg_dump")
	}
}

// TestUsage: what is not understood is answered with the way it is meant.
func TestUsage(t *testing.T) {
	t.Parallel()
	data := settled(t)
	for _, args := range [][]string{{"dance"}, {"run", "--loud"}, {"restore", "a", "b"}, {"restore", "a", "--list"}, {"backup", "x"}, {"fresh", "x"}, {"check", "--yes"}} {
		invoke(t, "", append(args, "--data", data)...).want(t, exitUsage, "Usage: switchboardd", "restore --list")
	}
	for _, args := range [][]string{{"help"}, {"--help"}, {"backup", "--help"}} {
		if got := invoke(t, "", args...); got.code != exitOK || !strings.Contains(got.out, "Usage: switchboardd") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if left := entries(t, data, "*"); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
}

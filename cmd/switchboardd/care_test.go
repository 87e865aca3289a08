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

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
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
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte("database: postgres://u@127.0.0.1:1/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"backup"}, {"restore", "x.db", "--yes"}, {"fresh", "--yes"}} {
		invoke(t, "", append(args, "--data", data)...).want(t, exitTrouble, "backed up on its server", "pg_dump")
	}
}

// TestManual: every command is listed, and explained in both languages.
func TestManual(t *testing.T) {
	t.Parallel()
	for name := range commands() {
		if !slices.Contains(order(), name) {
			t.Errorf("%s is not listed", name)
		}
		for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			keys := []string{"cli.help." + name, "cli.more." + name}
			if name == "help" || name == "version" { // say all there is to say
				keys = keys[:1]
			}
			for _, key := range keys {
				if _, ok := i18n.Find(lang, key); !ok {
					t.Errorf("no words for %s in %s", key, lang)
				}
			}
			if strings.Contains(command{lang: lang}.manual(name), "{") && name != "check" { // which shows JSON
				t.Errorf("something is not filled in: %s", command{lang: lang}.manual(name))
			}
		}
	}
	if len(order()) != len(commands()) {
		t.Errorf("%d listed, %d there", len(order()), len(commands()))
	}
}

// TestUsage: what is not understood is answered with the way it is meant.
func TestUsage(t *testing.T) {
	t.Parallel()
	data := settled(t)
	for _, tt := range []struct{ args, words []string }{
		{[]string{"dance"}, []string{"There is no command “dance”", "restore --list", "people list"}},
		{[]string{"help", "dance"}, []string{"There is no command “dance”", "restore --list", "people list"}},
		{[]string{"run", "--loud"}, []string{"“run” knows no --loud.", "/healthz"}},
		{[]string{"--loud"}, []string{"knows no --loud.", "restore --list", "people list"}},
		{[]string{"audit", "--since"}, []string{"--since needs a value"}},
		{[]string{"check", "--json=maybe"}, []string{"maybe", "✗ is wrong"}},
		{[]string{"restore", "a", "b"}, []string{"restore --list", "is kept beside it"}},
		{[]string{"restore", "a", "--list"}, []string{"restore --list"}},
		{[]string{"backup", "x"}, []string{"seven are kept"}},
		{[]string{"fresh", "x"}, []string{"switchboard-kept-"}},
		{[]string{"check", "--yes"}, []string{"“check” knows no --yes."}},
		{[]string{"export", "--format", "xml"}, []string{"jsonl|csv"}},
		{[]string{"export", "--since", "someday"}, []string{"2026-01-31"}},
		{[]string{"export", "more"}, []string{"jsonl|csv"}},
	} {
		got := invokeWith(t, []string{"HOME=" + data, "XDG_CONFIG_HOME=" + data}, "", tt.args...)
		got.want(t, exitUsage, append(tt.words, "Usage: switchboardd", "Exit codes")...)
		if got.out != "" {
			t.Errorf("%v: on standard output %q", tt.args, got.out)
		}
	}
	whole, one := []string{"people list", "restore --list", "[COMMAND]"}, []string{"seven are kept", "Every command takes"}
	for _, tt := range []struct{ args, words, not []string }{
		{[]string{"help"}, whole, one},
		{[]string{"--help"}, whole, one},
		{[]string{"help", "help"}, whole, one},
		{[]string{"backup", "--help"}, one, whole},
		{[]string{"help", "backup"}, one, whole},
		{[]string{"backup", "-h"}, one, whole},
	} {
		got := invoke(t, "", tt.args...)
		got.want(t, exitOK, tt.words...)
		for _, word := range tt.not {
			if strings.Contains(got.out, word) || got.errs != "" {
				t.Errorf("%v tells %q: %+v", tt.args, word, got)
			}
		}
	}
	invokeWith(t, []string{"LC_ALL=zh_CN.UTF-8"}, "", "backup", "--loud").want(t, exitUsage, "“backup”没有 --loud 这个选项", "保留最近七份", "退出码")
	if left := entries(t, data, "*"); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
}

package secret_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/secret"
)

// inRealKeyring says that the test runs in a process of its own beside a Secret
// Service; otherwise it has been run there, started by the given words. It needs a
// process of its own because TestKeyring replaces the library's provider.
func inRealKeyring(t *testing.T, starter ...string) bool {
	t.Helper()
	switch {
	case os.Getenv("SWITCHBOARD_TEST_KEYRING") == "":
		t.Skip("no Secret Service; testdata/keyring.sh provides one")
	case os.Getenv("SWITCHBOARD_TEST_KEYRING_CHILD") != "":
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	words := append(starter, self, "-test.run=^"+t.Name()+"$", "-test.v")
	child := exec.CommandContext(t.Context(), words[0], words[1:]...)
	child.Env = append(os.Environ(), "SWITCHBOARD_TEST_KEYRING_CHILD=1")
	if len(starter) > 0 { // a session without what others keep
		child.Env = append(child.Env, "XDG_DATA_HOME="+t.TempDir(), "XDG_RUNTIME_DIR="+t.TempDir(), "DBUS_SESSION_BUS_ADDRESS=")
	}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// TestRealKeyringLocked: a keyring that nobody has unlocked, and nobody can be asked
// to, is told apart from one that has no such entry.
func TestRealKeyringLocked(t *testing.T) { //nolint:paralleltest // a process of its own
	if inRealKeyring(t, "dbus-run-session", "--") {
		unusable(t, "keyring_locked")
	}
}

// TestRealKeyringMissing: a session without a program that keeps secrets.
func TestRealKeyringMissing(t *testing.T) { //nolint:paralleltest // a process of its own
	if inRealKeyring(t, "dbus-run-session", "--config-file=testdata/bare-bus.conf", "--") {
		unusable(t, "keyring_missing")
	}
}

func unusable(t *testing.T, want string) {
	t.Helper()
	v := secret.New()
	_, err := v.Get(t.Context(), "keyring", "bot/real/key")
	wantCode(t, err, want)
	wantCode(t, v.Set(t.Context(), "bot/real/key", bridge.NewSecret("value")), want)
	wantCode(t, v.Usable(t.Context()), want)
	if got := v.See(t.Context()); got == secret.SightOpen {
		t.Error("it is seen as open")
	}
}

// TestRealKeyring speaks to a real Secret Service; testdata/keyring.sh provides
// one.
func TestRealKeyring(t *testing.T) { //nolint:paralleltest // a process of its own
	if !inRealKeyring(t) {
		return
	}
	v := secret.Vault{}
	const name = "bot/real/key"
	if got := v.See(t.Context()); got != secret.SightOpen {
		t.Errorf("an open keyring is seen as %v", got)
	}
	if _, err := v.Get(t.Context(), "keyring", name); bridge.KindOf(err) != bridge.KindNotFound {
		t.Fatalf("an absent entry is %v", err)
	}
	if err := v.Set(t.Context(), name, bridge.NewSecret("密钥 value")); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get(t.Context(), "keyring", name); err != nil || got.Reveal() != "密钥 value" {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if err := v.Rename(t.Context(), name, name+"2"); err != nil {
		t.Error(err)
	}
	if known, err := v.Known(t.Context(), []string{name, name + "2"}); err != nil || len(known) != 1 || known[0] != name+"2" {
		t.Errorf("known %v, %v", known, err)
	}
	if err := v.Rename(t.Context(), name+"2", name); err != nil {
		t.Error(err)
	}
	if err := v.Delete(t.Context(), name); err != nil {
		t.Error(err)
	}
	if _, err := v.Get(t.Context(), "keyring", name); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("a deleted entry is %v", err)
	}
	lock := exec.CommandContext(t.Context(), "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets",
		"org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login")
	if out, err := lock.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := v.See(t.Context()); got != secret.SightLocked {
		t.Errorf("a locked keyring is seen as %v", got)
	}
}

// TestNoSession: where there is no desktop session none is begun, though there is a
// program that would.
func TestNoSession(t *testing.T) {
	if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()))); err == nil || runtime.GOOS != "linux" {
		t.Skip("there is a session here, or never one")
	}
	dir := t.TempDir()
	begun := filepath.Join(dir, "begun")
	script := "#!/bin/sh\ntouch " + begun + "\necho DBUS_SESSION_BUS_ADDRESS=unix:path=" + dir + "/bus\n"
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		v := secret.New()
		_, err := v.Get(t.Context(), "keyring", "n")
		wantCode(t, err, "keyring_no_bus")
		wantCode(t, v.Set(t.Context(), "n", bridge.NewSecret("v")), "keyring_no_bus")
		wantCode(t, v.Delete(t.Context(), "n"), "keyring_no_bus")
		if !secret.Keyless(err) {
			t.Errorf("%v is not told apart", err)
		}
	}
	if _, err := os.Stat(begun); err == nil {
		t.Error("a session was begun")
	}
}

package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	key        = "app-TheKeyOfTheAgent0123456789"
	passphrase = "correct horse battery staple"
)

// keyed is a data directory with an agent that takes the key and no other.
func keyed(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+key:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"code":"unauthorized","message":"Access token is invalid","status":401}`)
		case strings.HasSuffix(r.URL.Path, "/info"):
			_, _ = io.WriteString(w, `{"name":"Help","mode":"chat"}`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	t.Cleanup(s.Close)
	data := t.TempDir()
	text := "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nagents: [{id: help, kind: dify, base_url: \"" + s.URL + "/v1\"}]\n"
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSecretsWithoutKeyring walks the way on a machine without a keyring: what is
// missing is named, the encrypted file is offered, and with it everything works;
// never is a value written in the open.
func TestSecretsWithoutKeyring(t *testing.T) {
	t.Parallel()
	data := keyed(t)
	open := []string{"SWITCHBOARD_PASSPHRASE=" + passphrase}
	const name = "agent/help/api_key"
	at := []string{"--data", data}
	call := func(env []string, in string, args ...string) said {
		return invokeWith(t, env, in, append(args, at...)...)
	}

	for _, args := range [][]string{{"secret", "set", name}, {"secret", "list"}, {"check"}} {
		call(nil, key+"\n", args...).want(t, exitTrouble, "no keyring", name, "switchboardd secret file")
	}
	if left := entries(t, data, "secrets*"); len(left) != 0 {
		t.Errorf("kept in %v, which nobody chose", left)
	}
	call(nil, "brief\n"+"brief\n", "secret", "file").want(t, exitTrouble, "too short")
	call(nil, passphrase+"\nsomething else\n", "secret", "file").want(t, exitTrouble, "not the same")
	call(nil, passphrase+"\n"+passphrase+"\n", "secret", "file").want(t, exitOK, "encrypted file", "SWITCHBOARD_PASSPHRASE_FILE")
	call(nil, passphrase+"\n"+passphrase+"\n", "secret", "file").want(t, exitTrouble, "already an encrypted file")

	call(open, "\n", "secret", "set", name).want(t, exitTrouble, "Nothing was changed")
	call(open, "", "secret", "list").want(t, exitTrouble, "✗ "+name+"  (encrypted file)", "switchboardd secret set "+name)
	call(open, key+"\n", "secret", "set", name).want(t, exitOK)
	call(open, "", "check").want(t, exitOK, "help")
	call(nil, "", "check").want(t, exitTrouble, "locked", "SWITCHBOARD_PASSPHRASE")

	call(open, "", "secret", "rename", name, "agent/hr/api_key").want(t, exitOK)
	call(open, "other\n", "secret", "set", name).want(t, exitOK)
	call(open, "", "secret", "rename", "agent/hr/api_key", name).want(t, exitTrouble, "already another secret", "secret delete "+name)
	call(open, "", "secret", "delete", name).want(t, exitOK)
	call(open, "", "secret", "rename", "agent/hr/api_key", name).want(t, exitOK)

	file := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(file, []byte("another good one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	call(open, "another good one\nanother good one\n", "secret", "passphrase").want(t, exitOK)
	call(open, "", "secret", "list").want(t, exitTrouble, "passphrase is wrong")
	call([]string{"SWITCHBOARD_PASSPHRASE_FILE=" + file}, "", "check").want(t, exitOK)
	call([]string{"SWITCHBOARD_PASSPHRASE_FILE=" + file}, "", "secret", "delete", name).want(t, exitOK)
	call([]string{"SWITCHBOARD_PASSPHRASE_FILE=" + file}, "", "check").want(t, exitTrouble, "is not in the encrypted file")

	for _, path := range append(entries(t, data, "*"), entries(t, data, "logs/*")...) {
		if text, err := os.ReadFile(path); err == nil && (strings.Contains(string(text), key) || strings.Contains(string(text), passphrase)) {
			t.Errorf("a secret in %s", path)
		}
	}
}

// TestImportSecrets takes a secret from where the settings file says into the
// encrypted file, and the source out of the settings.
func TestImportSecrets(t *testing.T) {
	t.Parallel()
	data := keyed(t)
	config := filepath.Join(data, "switchboard.yaml")
	old, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(old, "secrets: # ours\n  agent/help/api_key: env:HELP_KEY\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"SWITCHBOARD_PASSPHRASE=" + passphrase, "HELP_KEY=" + key}
	invokeWith(t, nil, passphrase+"\n"+passphrase+"\n", "secret", "file", "--data", data).want(t, exitOK)
	invokeWith(t, env[:1], "", "secret", "import", "--data", data).want(t, exitTrouble, "variable HELP_KEY", "not set")
	invokeWith(t, env, "", "secret", "list", "--data", data).want(t, exitOK, "(env:HELP_KEY)")
	invokeWith(t, env, "", "secret", "import", "--data", data).want(t, exitOK, "✓ agent/help/api_key")
	invokeWith(t, env[:1], "", "secret", "list", "--data", data).want(t, exitOK, "(encrypted file)")
	invokeWith(t, env[:1], "", "check", "--data", data).want(t, exitOK)
	text, err := os.ReadFile(config)
	if err != nil || strings.Contains(string(text), "HELP_KEY") || strings.Contains(string(text), key) {
		t.Errorf("the settings are %s, %v", text, err)
	}
}

// TestCheckForPrograms: the same as the words, as JSON on standard output.
func TestCheckForPrograms(t *testing.T) {
	t.Parallel()
	type result struct {
		OK     bool
		Error  string
		Checks []struct {
			Who, What, Next string
			OK              bool
		}
	}
	read := func(s said) (r result) {
		t.Helper()
		if err := json.Unmarshal([]byte(s.out), &r); err != nil {
			t.Fatalf("%v: %s", err, s.out)
		}
		return r
	}
	good := invoke(t, "", "check", "--json", "--data", settled(t))
	if r := read(good); good.code != exitOK || !r.OK || len(r.Checks) != 1 || r.Checks[0].Who != "help" || !r.Checks[0].OK || r.Error != "" {
		t.Errorf("good: %+v", good)
	}
	bad := invoke(t, "", "check", "--json", "--data", keyed(t))
	if r := read(bad); bad.code != exitTrouble || r.OK || len(r.Checks) != 1 || r.Checks[0].OK || !strings.Contains(r.Checks[0].Next, "secret file") {
		t.Errorf("bad: %+v", bad)
	}
	data := settled(t)
	damage(t, data)
	broken := invoke(t, "", "check", "--json", "--data", data)
	if r := read(broken); broken.code != exitTrouble || r.OK || len(r.Checks) != 0 || !strings.Contains(r.Error, "damaged") {
		t.Errorf("broken: %+v", broken)
	}
}

// TestDiagnosticsOfTrouble are saved when nothing opens, too.
func TestDiagnosticsOfTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wreck func(data string)
		says  string
	}{
		{func(data string) { damage(t, data) }, "The database is damaged"},
		{func(data string) {
			if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte("agents: [\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "the settings, line"},
	} {
		data, file := settled(t), filepath.Join(t.TempDir(), "help.zip")
		c.wreck(data)
		invoke(t, "", "diagnostics", "--out", file, "--data", data).want(t, exitOK, file)
		z, err := zip.OpenReader(file)
		if err != nil {
			t.Fatal(err)
		}
		trouble, err := fs.ReadFile(z, "trouble.txt")
		if err := errors.Join(err, z.Close()); err != nil || !strings.Contains(string(trouble), c.says) {
			t.Errorf("%q, %v", trouble, err)
		}
	}
}

// TestDiagnostics saves the same for a program that stands and for one that runs.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	data := settled(t)
	file := filepath.Join(t.TempDir(), "help.zip")
	look := func() map[string]uint64 {
		t.Helper()
		z, err := zip.OpenReader(file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = z.Close() }()
		all := map[string]uint64{}
		for _, f := range z.File {
			all[f.Name] = f.UncompressedSize64
		}
		for _, name := range []string{"about.json", "status.json", "notices.json", "metrics.txt", "goroutines.txt", "switchboard.yaml", "logs/switchboard.log"} {
			if all[name] == 0 {
				t.Errorf("%s is missing in %v", name, all)
			}
		}
		return all
	}
	invoke(t, "", "diagnostics", "--out", file, "--data", data).want(t, exitOK, file)
	still := look()
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
	invoke(t, "", "diagnostics", "--data", data, "--out", file).want(t, exitOK, file)
	if running := look(); running["goroutines.txt"] <= still["goroutines.txt"] {
		t.Errorf("it does not tell of the program that runs: %v, before %v", running, still)
	}
	invoke(t, "", "diagnostics", "--data", data, "--out", filepath.Join(data, "no", "such", "x.zip")).want(t, exitTrouble)
}

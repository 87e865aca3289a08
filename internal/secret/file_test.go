package secret_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/secret"
)

const (
	easy       = 10 // makes guessing easy and tests quick
	passphrase = "correct horse battery"
)

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if code(err) != want {
		t.Errorf("error %v, want the code %s", err, want)
		return
	}
	for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
		if _, ok := i18n.Find(lang, "error.secret."+want); !ok || i18n.Explain(lang, err).Next == "" {
			t.Errorf("%s has no words in %s", want, lang)
		}
	}
	if strings.Contains(err.Error(), passphrase) {
		t.Errorf("the passphrase is in %v", err)
	}
}

// created makes an unlocked file.
func created(t *testing.T) (*secret.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.age")
	f := secret.NewFile(path, secret.FileOptions{Work: easy})
	if f.Exists() {
		t.Error("it is there already")
	}
	if err := f.Create(bridge.NewSecret(passphrase)); err != nil {
		t.Fatal(err)
	}
	return f, path
}

func TestFile(t *testing.T) {
	t.Parallel()
	f, path := created(t)
	ctx := t.Context()
	v := secret.Vault{File: f}
	if _, err := v.Get(ctx, "keyring", "bot/b/key"); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("an absent secret is %v", err)
	} else {
		wantCode(t, err, "missing_vault")
	}
	for name, value := range map[string]string{"bot/b/key": "密钥 value", "agent/a/api_key": "app-1", "bot/b/gone": "x"} {
		if err := v.Set(ctx, name, bridge.NewSecret(value)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := v.Delete(ctx, "bot/b/gone"); err != nil {
			t.Error(err)
		}
	}
	if err := v.Rename(ctx, "bot/b/key", "bot/c/key"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), "value") || strings.Contains(string(data), "bot/") {
		t.Errorf("readable: %q, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left %v, %v", files, err)
	}

	again := secret.NewFile(path, secret.FileOptions{Work: easy})
	if err := again.Unlock(bridge.NewSecret(passphrase)); err != nil {
		t.Fatal(err)
	}
	names, err := again.Names(ctx)
	if diff := cmp.Diff([]string{"agent/a/api_key", "bot/c/key"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := again.Get(ctx, "bot/c/key"); err != nil || got.Reveal() != "密钥 value" {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
}

// TestFileIsLocked until somebody gives the right passphrase.
func TestFileIsLocked(t *testing.T) {
	t.Parallel()
	made, path := created(t)
	if err := made.Set(t.Context(), "n", bridge.NewSecret("v")); err != nil {
		t.Fatal(err)
	}
	f := secret.NewFile(path, secret.FileOptions{Work: easy})
	_, err := f.Get(t.Context(), "n")
	wantCode(t, err, "vault_locked")
	wantCode(t, f.Set(t.Context(), "n", bridge.NewSecret("w")), "vault_locked")
	wantCode(t, f.Unlock(bridge.NewSecret("")), "vault_locked")
	err = f.Unlock(bridge.NewSecret("incorrect horse"))
	if wantCode(t, err, "wrong_passphrase"); bridge.KindOf(err) != bridge.KindCredential || !f.Locked() {
		t.Errorf("kind %s, locked %t", bridge.KindOf(err), f.Locked())
	}
	if err := f.Unlock(bridge.NewSecret(passphrase)); err != nil || f.Locked() {
		t.Fatal(err)
	}
	if got, err := f.Get(t.Context(), "n"); err != nil || got.Reveal() != "v" {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	f.Lock()
	_, err = f.Get(t.Context(), "n")
	wantCode(t, err, "vault_locked")
}

func TestFileAsks(t *testing.T) {
	t.Parallel()
	_, path := created(t)
	answers := []string{"", "wrong passphrase", passphrase}
	asked := 0
	f := secret.NewFile(path, secret.FileOptions{Work: easy, Ask: func(context.Context) (bridge.Secret, error) {
		asked++
		if answers[asked-1] == "" {
			return bridge.Secret{}, errors.New("nobody answers")
		}
		return bridge.NewSecret(answers[asked-1]), nil
	}})
	for _, want := range []string{"vault_locked", "wrong_passphrase", "missing_vault", "missing_vault"} {
		_, err := f.Get(t.Context(), "n")
		wantCode(t, err, want)
	}
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

// TestFileAsksOnce says everybody why it stays locked, and opens all the same.
func TestFileAsksOnce(t *testing.T) {
	t.Parallel()
	_, path := created(t)
	asked := 0
	f := secret.NewFile(path, secret.FileOptions{Work: easy, Once: true, Ask: func(context.Context) (bridge.Secret, error) {
		asked++
		return bridge.NewSecret("wrong passphrase"), nil
	}})
	for range 3 {
		_, err := f.Get(t.Context(), "n")
		wantCode(t, err, "wrong_passphrase")
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	if err := f.Unlock(bridge.NewSecret(passphrase)); err != nil {
		t.Fatal(err)
	}
	_, err := f.Get(t.Context(), "n")
	wantCode(t, err, "missing_vault")
}

// TestFileSeesOthers lets a second program write to it.
func TestFileSeesOthers(t *testing.T) {
	t.Parallel()
	f, path := created(t)
	other := secret.NewFile(path, secret.FileOptions{Work: easy})
	if err := other.Unlock(bridge.NewSecret(passphrase)); err != nil {
		t.Fatal(err)
	}
	for n, from := range []*secret.File{other, f, other} {
		if err := from.Set(t.Context(), fmt.Sprint(n), bridge.NewSecret(strings.Repeat("v", n+1))); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := f.Names(t.Context()); err != nil || len(names) != 3 {
		t.Errorf("names %v, %v", names, err)
	}
	if err := other.Rekey(t.Context(), bridge.NewSecret("another passphrase")); err != nil {
		t.Fatal(err)
	}
	_, err := f.Get(t.Context(), "0")
	wantCode(t, err, "wrong_passphrase")
	if err := f.Unlock(bridge.NewSecret("another passphrase")); err != nil {
		t.Error(err)
	}
}

func TestFileRefuses(t *testing.T) {
	t.Parallel()
	f, path := created(t)
	wantCode(t, f.Create(bridge.NewSecret(passphrase)), "vault_exists")
	wantCode(t, f.Rekey(t.Context(), bridge.NewSecret("short")), "short_passphrase")
	wantCode(t, secret.NewFile(path+".new", secret.FileOptions{}).Create(bridge.NewSecret("short")), "short_passphrase")
	wantCode(t, secret.NewFile(path+".new", secret.FileOptions{}).Unlock(bridge.NewSecret(passphrase)), "vault_missing")
	wantCode(t, secret.Vault{File: secret.NewFile(path+".new", secret.FileOptions{Ask: func(context.Context) (bridge.Secret, error) {
		return bridge.NewSecret(passphrase), nil
	}})}.Usable(t.Context()), "vault_missing")
	if err := (secret.Vault{File: f}).Usable(t.Context()); err != nil {
		t.Error(err)
	}
	wantCode(t, secret.Vault{File: f}.Set(t.Context(), "n", bridge.NewSecret(strings.Repeat("x", 64<<10+1))), "too_large")
	below := filepath.Join(path, "below", "secrets.age")
	wantCode(t, secret.NewFile(below, secret.FileOptions{Work: easy}).Create(bridge.NewSecret(passphrase)), "vault_unwritable")

	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"empty": nil, "cut": data[:len(data)-5], "flipped": append(data[:len(data)-1:len(data)-1], data[len(data)-1]^1), "other": []byte("{}")} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		err := secret.NewFile(path, secret.FileOptions{}).Unlock(bridge.NewSecret(passphrase))
		if code(err) != "vault_damaged" {
			t.Errorf("%s: %v", name, err)
		}
		wantCode(t, err, "vault_damaged")
	}
}

func TestFileFromManySides(t *testing.T) {
	t.Parallel()
	f, _ := created(t)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			name := fmt.Sprint(n)
			if err := f.Set(t.Context(), name, bridge.NewSecret(name)); err != nil {
				t.Error(err)
			}
			if got, err := f.Get(t.Context(), name); err != nil || got.Reveal() != name {
				t.Errorf("got %q, %v", got.Reveal(), err)
			}
		})
	}
	all.Wait()
	if names, err := f.Names(t.Context()); err != nil || len(names) != 8 {
		t.Errorf("names %v, %v", names, err)
	}
}

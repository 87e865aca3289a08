package secret_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zalando/go-keyring"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/secret"
)

func code(err error) string {
	var e *bridge.Error
	errors.As(err, &e)
	if e == nil {
		return ""
	}
	return e.Code
}

func TestSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SB_TEST_SECRET", "from-env")
	t.Setenv("SB_TEST_EMPTY", "")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "..", "outside"), []byte("not for us"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(file))
	for _, c := range []struct {
		ref, want, code string
	}{
		{"env:SB_TEST_SECRET", "from-env", ""},
		{"env:SB_TEST_EMPTY", "", "missing_env"},
		{"env:SB_TEST_ABSENT", "", "missing_env"},
		{"file:" + file, "from-file", ""},
		{"file:" + file + ".not", "", "missing_file"},
		{"credential:key", "from-file", ""},
		{"credential:../outside", "", "missing_file"},
		{"literal", "", ""},
	} {
		got, err := secret.Vault{}.Get(t.Context(), c.ref, "bot/b/key")
		if got.Reveal() != c.want || code(err) != c.code || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q, code %q, %v", c.ref, got.Reveal(), code(err), err)
		}
		if err != nil && c.code != "" {
			for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
				if e := i18n.Explain(lang, err); !strings.Contains(e.What, "bot/b/key") || e.Next == "" {
					t.Errorf("%s: no words for %v: %+v", lang, err, e)
				}
			}
		}
	}
}

// The keyring's library keeps its provider in a global, so these run in order.
func TestKeyring(t *testing.T) { //nolint:paralleltest // shares the library's global
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	v := secret.Vault{}
	keyring.MockInit()
	if _, err := v.Get(t.Context(), "keyring", "bot/b/key"); bridge.KindOf(err) != bridge.KindNotFound || code(err) != "missing_keyring" {
		t.Errorf("an absent entry is %v", err)
	}
	if err := v.Set(t.Context(), "bot/b/key", bridge.NewSecret("s3")); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get(t.Context(), "keyring", "bot/b/key"); err != nil || got.Reveal() != "s3" {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if err := v.Set(t.Context(), "bot/b/key", bridge.NewSecret(strings.Repeat("x", 65<<10))); bridge.KindOf(err) != bridge.KindTooLarge {
		t.Errorf("an oversize secret is %v", err)
	}
	for range 2 {
		if err := v.Delete(t.Context(), "bot/b/key"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	for text, want := range map[string]string{
		"The name org.freedesktop.secrets was not provided by any .service files": "keyring_missing",
		"dial unix /run/user/0/bus: connect: no such file or directory":           "keyring_no_bus",
		`exec: "dbus-launch": executable file not found in $PATH`:                 "keyring_no_bus",
		"exit status 36: User interaction is not allowed.":                        "keyring_locked",
		"failed to unlock correct collection '/org/freedesktop/secrets'":          "keyring_locked",
		"Cannot get secret of a locked object":                                    "keyring_locked",
	} {
		keyring.MockInitWithError(errors.New(text))
		_, err := v.Get(t.Context(), "keyring", "bot/b/key")
		if bridge.KindOf(err) != bridge.KindUnavailable || code(err) != want {
			t.Errorf("%q is %v", text, err)
		}
		wantCode(t, err, want)
	}
	keyring.MockInitWithError(keyring.ErrSetDataTooBig)
	wantCode(t, v.Set(t.Context(), "bot/b/key", bridge.NewSecret("x")), "too_large")
}

// ring is a keyring in memory. One that is stuck never answers.
type ring struct {
	entries map[string]string
	stuck   chan struct{}
}

func (r ring) Get(name string) (string, error) {
	if r.stuck != nil {
		<-r.stuck
	}
	if value, ok := r.entries[name]; ok {
		return value, nil
	}
	return "", secret.ErrMissing
}

func (r ring) Set(name, value string) error {
	if name == "read/only" {
		return errors.New("The name org.freedesktop.secrets was not provided by any .service files")
	}
	r.entries[name] = value
	return nil
}

func (r ring) Delete(name string) error {
	delete(r.entries, name)
	return nil
}

// TestKeyringHangs: nobody waits longer than three seconds, or than they want to.
func TestKeyringHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		v := secret.Vault{Keyring: ring{stuck: stuck}}
		began := time.Now()
		_, err := v.Get(t.Context(), "keyring", "n")
		wantCode(t, err, "keyring_locked")
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := v.Get(ctx, "keyring", "n"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// TestKeyringWaitsOnce: a keyring that does not answer is waited for once, however
// many secrets there are, and is asked again when it has answered.
func TestKeyringWaitsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, stuck := secret.New(), make(chan struct{})
		v.Keyring = ring{entries: map[string]string{"n": "v"}, stuck: stuck}
		began := time.Now()
		for range 10 {
			_, err := v.Get(t.Context(), "keyring", "n")
			wantCode(t, err, "keyring_locked")
		}
		wantCode(t, v.Set(t.Context(), "n", bridge.NewSecret("w")), "keyring_locked")
		wantCode(t, v.Delete(t.Context(), "n"), "keyring_locked")
		wantCode(t, v.Usable(t.Context()), "keyring_locked")
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		close(stuck) // somebody unlocked it
		synctest.Wait()
		if got, err := v.Get(t.Context(), "keyring", "n"); err != nil || got.Reveal() != "v" {
			t.Errorf("got %q, %v", got.Reveal(), err)
		}
	})
}

func TestMoving(t *testing.T) {
	t.Parallel()
	r := ring{entries: map[string]string{"bot/old/key": "s3", "bot/old/other": "s4"}}
	v := secret.Vault{Keyring: r}
	ctx := t.Context()
	if err := v.Rename(ctx, "bot/old/key", "bot/new/key"); err != nil {
		t.Fatal(err)
	}
	if err := v.Rename(ctx, "bot/new/key", "bot/new/key"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, v.Rename(ctx, "bot/none/key", "x"), "missing_keyring")
	wantCode(t, v.Rename(ctx, "bot/old/other", "bot/new/key"), "name_taken")
	wantCode(t, v.Rename(ctx, "bot/old/other", "read/only"), "keyring_missing")
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("s5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := v.Import(ctx, "file:"+file, "agent/a/api_key"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, v.Import(ctx, "env:SB_TEST_ABSENT", "bot/x"), "missing_env")
	want := map[string]string{"bot/new/key": "s3", "bot/old/other": "s4", "agent/a/api_key": "s5"}
	if diff := cmp.Diff(want, r.entries); diff != "" {
		t.Error(diff)
	}
	known, err := v.Known(ctx, []string{"bot/new/key", "bot/old/key", "agent/a/api_key", "bot/new/key"})
	if diff := cmp.Diff([]string{"agent/a/api_key", "bot/new/key"}, known); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := v.Usable(ctx); err != nil {
		t.Error(err)
	}
}

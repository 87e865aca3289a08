package secret_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		{"credential:../" + filepath.Base(filepath.Dir(file)) + "/nothing", "", "missing_file"},
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
	if err := v.Set(t.Context(), "bot/b/key", bridge.NewSecret(strings.Repeat("x", 3000))); bridge.KindOf(err) != bridge.KindTooLarge {
		t.Errorf("an oversize secret is %v", err)
	}
	for range 2 {
		if err := v.Delete(t.Context(), "bot/b/key"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	for text, want := range map[string]string{
		"The name org.freedesktop.secrets was not provided by any .service files": "keyring_missing",
		"dial unix /run/user/0/bus: connect: no such file or directory":           "keyring_missing",
		"failed to unlock correct collection '/org/freedesktop/secrets'":          "keyring_locked",
	} {
		keyring.MockInitWithError(errors.New(text))
		_, err := v.Get(t.Context(), "keyring", "bot/b/key")
		if bridge.KindOf(err) != bridge.KindUnavailable || code(err) != want {
			t.Errorf("%q is %v", text, err)
		}
	}
}

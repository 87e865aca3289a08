package secret_test

import (
	"os"
	"os/exec"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/secret"
)

// TestRealKeyring speaks to a real Secret Service; testdata/keyring.sh provides
// one. It runs in a process of its own because TestKeyring replaces the
// library's provider.
func TestRealKeyring(t *testing.T) { //nolint:paralleltest // a process of its own
	if os.Getenv("SWITCHBOARD_TEST_KEYRING") == "" {
		t.Skip("no Secret Service; testdata/keyring.sh provides one")
	}
	if os.Getenv("SWITCHBOARD_TEST_KEYRING_CHILD") == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		child := exec.CommandContext(t.Context(), self, "-test.run=^TestRealKeyring$", "-test.v")
		child.Env = append(os.Environ(), "SWITCHBOARD_TEST_KEYRING_CHILD=1")
		out, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	v := secret.Vault{}
	const name = "bot/real/key"
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
}

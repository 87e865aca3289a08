package secret_test

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"

	"switchboard/internal/bridge"
	"switchboard/internal/secret"
)

// glass is a keyring that shows whether it is locked, or fails to.
type glass struct {
	ring
	locked bool
	err    error
}

func (g glass) Locked() (bool, error) { return g.locked, g.err }

// TestSee: what can be seen of a keyring without asking anybody.
func TestSee(t *testing.T) {
	t.Parallel()
	file := secret.NewFile(filepath.Join(t.TempDir(), "secrets"), secret.FileOptions{Work: 2})
	if err := file.Create(bridge.NewSecret("long enough")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		vault secret.Vault
		want  secret.Sight
	}{
		"open":           {secret.Vault{Keyring: glass{}}, secret.SightOpen},
		"locked":         {secret.Vault{Keyring: glass{locked: true}}, secret.SightLocked},
		"not there":      {secret.Vault{Keyring: glass{err: errors.New("org.freedesktop.secrets was not provided by any .service files")}}, secret.SightUnknown},
		"not to be seen": {secret.Vault{Keyring: ring{}}, secret.SightUnknown},
		"an open file":   {secret.Vault{File: file, Keyring: glass{locked: true}}, secret.SightOpen},
		"a locked file":  {secret.Vault{File: secret.NewFile("none", secret.FileOptions{}), Keyring: glass{}}, secret.SightLocked},
	} {
		if got := c.vault.See(t.Context()); got != c.want {
			t.Errorf("%s: seen as %v", name, got)
		}
	}
}

// TestSeeWhileAsked: a keyring that waits for the user counts as locked, and as
// open, once, when they gave it what it asked for.
func TestSeeWhileAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, stuck := secret.New(), make(chan struct{})
		v.Keyring = ring{stuck: stuck}
		_, err := v.Get(t.Context(), "keyring", "n")
		if name, withheld := secret.Withheld(err); name != "n" || !withheld {
			t.Errorf("%q, %t: %v", name, withheld, err)
		}
		if got := v.See(t.Context()); got != secret.SightLocked {
			t.Errorf("seen as %v while it waits", got)
		}
		close(stuck)
		synctest.Wait()
		for _, want := range []secret.Sight{secret.SightOpen, secret.SightUnknown} {
			if got := v.See(t.Context()); got != want {
				t.Errorf("seen as %v, not %v", got, want)
			}
		}
		_, err = v.Get(t.Context(), "keyring", "n")
		if name, withheld := secret.Withheld(err); withheld {
			t.Errorf("a missing secret counts as withheld: %q", name)
		}
	})
}

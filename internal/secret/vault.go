package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// Keyring keeps one small secret per name. A name that is not there is
// ErrMissing, or what the system's own library says.
type Keyring interface {
	Get(name string) (string, error)
	Set(name, value string) error
	Delete(name string) error
}

// Vault fetches and keeps secrets. The zero Vault uses the system's keyring; one
// made with New waits only once for a keyring that does not answer.
type Vault struct {
	// File takes the place of the keyring where somebody chose so.
	File *File
	// Keyring replaces the system's keyring; nil is that one.
	Keyring Keyring

	waiting *waiting // nil remembers nothing
}

// New makes a vault on the system's keyring. While that leaves a call unanswered,
// because it waits for somebody to unlock it, all others fail at once.
func New() Vault { return Vault{waiting: &waiting{}} }

// Get returns a secret from where ref says: keyring, env:NAME, file:PATH or
// credential:NAME. A secret that is not there is KindNotFound; a keyring that
// cannot be used is KindUnavailable.
func (v Vault) Get(ctx context.Context, ref, name string) (bridge.Secret, error) {
	kind, where, _ := strings.Cut(ref, ":")
	switch kind {
	case "keyring", "":
		return v.own(ctx, name)
	case "env":
		if value, ok := os.LookupEnv(where); ok && value != "" {
			return bridge.NewSecret(value), nil
		}
		return bridge.Secret{}, missing(name, "env", where)
	case "file":
		return fromFile(where, name)
	case "credential":
		return fromFile(filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), filepath.Base(where)), name)
	default:
		return bridge.Secret{}, &bridge.Error{Kind: bridge.KindInvalid, Op: "secret: " + name, Detail: "unknown source " + kind}
	}
}

// own returns a secret that we keep ourselves.
func (v Vault) own(ctx context.Context, name string) (bridge.Secret, error) {
	if v.File != nil {
		return v.File.Get(ctx, name)
	}
	value, err := v.bounded(ctx, name, func() (string, error) { return v.keyring().Get(name) })
	if err != nil {
		return bridge.Secret{}, err
	}
	return bridge.NewSecret(value), nil
}

// Set keeps a secret.
func (v Vault) Set(ctx context.Context, name string, value bridge.Secret) error {
	most := limit()
	if v.File != nil {
		most = largest
	}
	if len(value.Reveal()) > most {
		return tooLarge(name, most)
	}
	if v.File != nil {
		return v.File.Set(ctx, name, value)
	}
	_, err := v.bounded(ctx, name, func() (string, error) { return "", v.keyring().Set(name, value.Reveal()) })
	return err
}

// Delete removes a secret. One that is not there is no error.
func (v Vault) Delete(ctx context.Context, name string) error {
	if v.File != nil {
		return v.File.Delete(ctx, name)
	}
	_, err := v.bounded(ctx, name, func() (string, error) { return "", v.keyring().Delete(name) })
	if bridge.KindOf(err) == bridge.KindNotFound {
		return nil
	}
	return err
}

// Rename keeps a secret under another name, as when a bot is renamed. The old
// one goes only when the new one can be read back; another secret under the new
// name is left alone.
func (v Vault) Rename(ctx context.Context, from, to string) error {
	if from == to {
		return nil
	}
	value, err := v.own(ctx, from)
	if err != nil {
		return err
	}
	switch there, err := v.own(ctx, to); {
	case err == nil && !there.Equal(value):
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "secret: " + to, Code: "name_taken", Args: map[string]string{"name": to}}
	case err != nil && bridge.KindOf(err) != bridge.KindNotFound:
		return err
	}
	if err := v.Set(ctx, to, value); err != nil {
		return err
	}
	if back, err := v.own(ctx, to); err != nil || back.Reveal() != value.Reveal() {
		return errors.Join(&bridge.Error{Kind: bridge.KindInternal, Op: "secret: " + to, Detail: "not kept"}, err)
	}
	return v.Delete(ctx, from)
}

// Import keeps a secret that has been elsewhere so far: ref says where.
func (v Vault) Import(ctx context.Context, ref, name string) error {
	value, err := v.Get(ctx, ref, name)
	if err != nil {
		return err
	}
	return v.Set(ctx, name, value)
}

// Known returns those of the names under which a secret is kept. A keyring cannot
// be asked for a list of its own.
func (v Vault) Known(ctx context.Context, names []string) ([]string, error) {
	var known []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		switch _, err := v.own(ctx, name); {
		case err == nil:
			known = append(known, name)
		case bridge.KindOf(err) != bridge.KindNotFound:
			return nil, err
		}
	}
	return known, nil
}

// Usable says what is wrong with the keyring or the file, nil when secrets can be
// kept in it.
func (v Vault) Usable(ctx context.Context) error {
	if _, err := v.own(ctx, "server/none"); bridge.KindOf(err) != bridge.KindNotFound {
		return err
	}
	return nil
}

func fromFile(path, name string) (bridge.Secret, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the admin's own choice of file
	if errors.Is(err, os.ErrNotExist) {
		return bridge.Secret{}, missing(name, "file", path)
	}
	if err != nil {
		return bridge.Secret{}, &bridge.Error{Kind: bridge.KindForbidden, Op: "secret: " + name, Code: "file_unreadable", Args: map[string]string{"where": path}, Err: err}
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return bridge.Secret{}, missing(name, "file", path)
	}
	return bridge.NewSecret(value), nil
}

func missing(name, source, where string) error {
	return &bridge.Error{
		Kind: bridge.KindNotFound, Op: "secret: " + name, Code: "missing_" + source, Args: map[string]string{"name": name, "where": where},
	}
}

package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"switchboard/internal/bridge"
)

const (
	service = "switchboard" // of every entry in the keyring
	// patience bounds one call: the keyring may ask the user for a password in
	// a window nobody sees, and its library knows no time-out.
	patience = 3 * time.Second
	// maxSize keeps entries below the limits of Windows (2,560 bytes) and macOS
	// (about 2,900).
	maxSize = 2 << 10
)

// Vault fetches and keeps secrets. The zero Vault works.
type Vault struct{}

// Get returns a secret from where ref says: keyring, env:NAME, file:PATH or
// credential:NAME. A secret that is not there is KindNotFound; a keyring that
// cannot be used is KindUnavailable.
func (Vault) Get(ctx context.Context, ref, name string) (bridge.Secret, error) {
	kind, where, _ := strings.Cut(ref, ":")
	switch kind {
	case "keyring", "":
		return fromKeyring(ctx, name)
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

// Set keeps a secret in the keyring.
func (Vault) Set(ctx context.Context, name string, value bridge.Secret) error {
	if len(value.Reveal()) > maxSize {
		return &bridge.Error{Kind: bridge.KindTooLarge, Op: "secret: " + name, Code: "too_large"}
	}
	_, err := bounded(ctx, name, func() (string, error) { return "", keyring.Set(service, name, value.Reveal()) })
	return err
}

// Delete removes a secret from the keyring. One that is not there is no error.
func (Vault) Delete(ctx context.Context, name string) error {
	_, err := bounded(ctx, name, func() (string, error) { return "", keyring.Delete(service, name) })
	if bridge.KindOf(err) == bridge.KindNotFound {
		return nil
	}
	return err
}

func fromKeyring(ctx context.Context, name string) (bridge.Secret, error) {
	value, err := bounded(ctx, name, func() (string, error) { return keyring.Get(service, name) })
	if err != nil {
		return bridge.Secret{}, err
	}
	return bridge.NewSecret(value), nil
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

// bounded runs a call of the keyring's library, which may hang, for at most
// patience. A call given up on goes on in the background until it ends.
func bounded(ctx context.Context, name string, call func() (string, error)) (string, error) {
	type result struct {
		value string
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, classify(name, r.err)
	case <-ctx.Done():
		return "", fmt.Errorf("secret: %s: %w", name, ctx.Err())
	case <-timer.C:
		return "", unusable(name, "keyring_locked", errors.New("no answer in time"))
	}
}

// classify tells a missing entry, a keyring that is not there and a locked one
// apart. The library has an error of its own only for the first; the others are
// recognised by the words of D-Bus.
func classify(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return missing(name, "keyring", "")
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return &bridge.Error{Kind: bridge.KindTooLarge, Op: "secret: " + name, Code: "too_large"}
	case strings.Contains(err.Error(), "unlock"):
		return unusable(name, "keyring_locked", err)
	default:
		return unusable(name, "keyring_missing", err)
	}
}

func unusable(name, code string, err error) error {
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: "secret: " + name, Code: code, Args: map[string]string{"name": name}, Err: err}
}

package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"switchboard/internal/bridge"
	"switchboard/internal/secret"
)

// PassphraseVariable names the environment variable with the passphrase of the
// file with the secrets. With _FILE behind it, it names a file that holds it.
const PassphraseVariable = "SWITCHBOARD_PASSPHRASE"

func vaultFile(data string) string { return filepath.Join(data, "secrets.age") }

// openVault returns where secrets are kept: the keyring, or an encrypted file
// where somebody made one.
func openVault(opt Options) secret.Vault {
	file := newVaultFile(opt)
	if !file.Exists() {
		return newKeyring(opt)
	}
	return secret.Vault{File: file}
}

func newKeyring(opt Options) secret.Vault {
	v := secret.New()
	v.Keyring = opt.Keyring
	return v
}

func newVaultFile(opt Options) *secret.File {
	return secret.NewFile(vaultFile(opt.Data), secret.FileOptions{Once: true, Ask: func(ctx context.Context) (bridge.Secret, error) {
		value, err := passphrase(ctx, opt)
		opt.Redactor.Know(value)
		return value, err
	}})
}

// passphrase finds the passphrase of the file: in the environment, in a file that
// it names, or with somebody who can be asked. An empty one leaves it locked.
func passphrase(ctx context.Context, opt Options) (bridge.Secret, error) {
	if value := os.Getenv(PassphraseVariable); value != "" {
		return bridge.NewSecret(value), nil
	}
	if path := os.Getenv(PassphraseVariable + "_FILE"); path != "" {
		return secret.Vault{}.Get(ctx, "file:"+path, "passphrase")
	}
	if opt.Passphrase == nil {
		return bridge.Secret{}, nil
	}
	return opt.Passphrase(ctx)
}

// TryPassphrase says what is wrong with a passphrase of the encrypted file: nil
// when it opens it. A wrong one is KindCredential.
func TryPassphrase(opt Options, passphrase bridge.Secret) error {
	if err := newVaultFile(opt.filled()).Unlock(passphrase); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}

// keepIn says where secrets are kept from now on.
func (a *App) keepIn(v secret.Vault) { a.vault.Store(&v) }

// unlock asks for the passphrase at once, while whoever may be asked is there. Who
// needs a secret of a file that stays locked is told why then.
func (a *App) unlock(ctx context.Context) {
	if a.vault.Load().File == nil || a.opt.Passphrase == nil {
		return
	}
	if err := a.vault.Load().Usable(ctx); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "the secrets file stays locked", slog.Any("error", err))
	}
}

// fetch returns a secret from where the settings say, and sees to it that it is
// hidden wherever it might be written.
func (a *App) fetch(ctx context.Context, name string) (bridge.Secret, error) {
	value, err := a.vault.Load().Get(ctx, a.settings.Reference(name), name)
	a.opt.Redactor.Know(value)
	return value, err
}

package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/secret"
	"switchboard/internal/settings"
)

// SecretLine is one secret that the settings speak of. Its value is not in it.
type SecretLine struct {
	Name     string
	Source   string // keyring, vault, env:NAME, file:PATH or credential:NAME
	Required bool   // something does not work without it
	Err      error  // why it cannot be read; nil when it is there
}

// Secrets lists the secrets that the settings speak of, and whether they are there.
func Secrets(ctx context.Context, opt Options) ([]SecretLine, error) {
	opt = opt.filled()
	s, err := readable(opt)
	if err != nil {
		return nil, err
	}
	vault := openVault(opt)
	needed := secretsOf(s, opt.Connectors)
	var all []SecretLine
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		line := SecretLine{Name: name, Source: s.Reference(name), Required: needed[name]}
		_, line.Err = vault.Get(ctx, line.Source, name)
		if line.Source == "keyring" && vault.File != nil {
			line.Source = "vault"
		}
		all = append(all, line)
	}
	return all, nil
}

// secretsOf names the secrets of the settings; true for those that something does
// not work without.
func secretsOf(s settings.Settings, connectors []bridge.Connector) map[string]bool {
	all := map[string]bool{}
	for name := range s.Secrets {
		all[name] = false
	}
	for _, g := range s.Agents {
		if g.Kind != kindEcho {
			all[settings.AgentSecret(g.ID)] = true
		}
	}
	for _, b := range s.Bots {
		i := slices.IndexFunc(connectors, func(c bridge.Connector) bool { return c.Platform == b.Platform })
		if i < 0 {
			continue
		}
		for _, f := range connectors[i].Fields(b.Mode) {
			if f.Secret {
				name := settings.BotSecret(b.ID, f.Key)
				_, listed := s.Secrets[name]
				all[name] = f.Required || listed
			}
		}
	}
	if s.Tunnel.Kind == "ngrok" {
		all[settings.TunnelToken] = true
	}
	if _, listed := s.Secrets[settings.DatabasePassword]; listed && s.Database != "" {
		all[settings.DatabasePassword] = true
	}
	return all
}

// KeepSecret stores a secret in the keyring or the encrypted file.
func KeepSecret(ctx context.Context, opt Options, name string, value bridge.Secret) error {
	if err := openVault(opt.filled()).Set(ctx, name, value); err != nil {
		return err
	}
	return did(ctx, opt, bridge.AuditSecret, "kept "+name)
}

// DeleteSecret removes a secret from there. One that is not there is no error.
func DeleteSecret(ctx context.Context, opt Options, name string) error {
	if err := openVault(opt.filled()).Delete(ctx, name); err != nil {
		return err
	}
	return did(ctx, opt, bridge.AuditSecret, "deleted "+name)
}

// RenameSecret keeps a secret under another name, as after a bot got another id in
// the settings file.
func RenameSecret(ctx context.Context, opt Options, from, to string) error {
	if err := openVault(opt.filled()).Rename(ctx, from, to); err != nil {
		return err
	}
	return did(ctx, opt, bridge.AuditSecret, "renamed "+from+" to "+to)
}

// BeginVault makes the encrypted file, which takes the place of the keyring from
// then on. It returns the names of the secrets that were in the keyring and are
// now in the file too; a keyring that cannot be used has none.
func BeginVault(ctx context.Context, opt Options, passphrase bridge.Secret) ([]string, error) {
	opt = opt.filled()
	s, err := readable(opt)
	if err != nil {
		return nil, err
	}
	lock, err := hold(opt.Data) // what runs would not notice
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Unlock() }() // the process ends soon
	known, err := fill(ctx, newKeyring(opt), newVaultFile(opt), passphrase, slices.Collect(maps.Keys(secretsOf(s, opt.Connectors))))
	if err != nil {
		return nil, err
	}
	return known, did(ctx, opt, bridge.AuditSecret, fileMade(known))
}

// fill makes a file and copies into it what the keyring has of the names, which it
// returns.
func fill(ctx context.Context, keyring secret.Vault, file *secret.File, passphrase bridge.Secret, names []string) ([]string, error) {
	if err := file.Create(passphrase); err != nil {
		return nil, fmt.Errorf("app: secrets file: %w", err)
	}
	known, err := keyring.Known(ctx, names)
	if err != nil {
		known = nil // there is no keyring, which is why the file was made
	}
	for _, name := range known {
		value, err := keyring.Get(ctx, "keyring", name)
		if err == nil {
			err = file.Set(ctx, name, value)
		}
		if err != nil {
			return nil, fmt.Errorf("app: secrets file: %w", err)
		}
	}
	return known, nil
}

// fileMade says in the audit that there is a file now.
func fileMade(copied []string) string {
	return fmt.Sprintf("encrypted file made, %d copied from the keyring", len(copied))
}

// RekeyVault gives the encrypted file another passphrase.
func RekeyVault(ctx context.Context, opt Options, passphrase bridge.Secret) error {
	if err := newVaultFile(opt.filled()).Rekey(ctx, passphrase); err != nil {
		return err
	}
	return did(ctx, opt, bridge.AuditSecret, "passphrase changed")
}

// ImportSecrets takes secrets that the settings file names another source for into
// the keyring or the encrypted file, and the sources out of the file. Without
// names it takes all. It returns the names of those it took.
func ImportSecrets(ctx context.Context, opt Options, names ...string) ([]string, error) {
	opt = opt.filled()
	s, err := readable(opt)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(s.Secrets))
	}
	vault, rest := openVault(opt), maps.Clone(s.Secrets)
	var taken []string
	for _, name := range names {
		ref := s.Reference(name)
		if strings.HasPrefix(ref, "keyring") {
			continue
		}
		if err := vault.Import(ctx, ref, name); err != nil {
			return nil, fmt.Errorf("app: import: %w", err)
		}
		delete(rest, name)
		taken = append(taken, name)
	}
	if len(taken) == 0 {
		return nil, nil
	}
	s.Secrets = rest
	if _, err := settings.Save(opt.Config, s, known(opt.Connectors)); err != nil {
		return nil, fmt.Errorf("app: import: %w", err)
	}
	return taken, errors.Join(wrote(opt), did(ctx, opt, bridge.AuditSecret, "imported "+strings.Join(taken, ", ")))
}

// readable loads the settings, or says what is wrong with them.
func readable(opt Options) (settings.Settings, error) {
	s, problems, err := settings.Load(opt.Config, known(opt.Connectors))
	if err != nil {
		return s, fmt.Errorf("app: %w", err)
	}
	if fatal := problems.Fatal(); len(fatal) > 0 {
		return s, fatal
	}
	return s, nil
}

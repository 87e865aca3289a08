package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/secret"
	"switchboard/internal/settings"
)

// firstAgent is the id of the agent that the first-run page sets up.
const firstAgent = "helpdesk"

// CheckAgent tries an address and a key without storing them.
func (a *App) CheckAgent(ctx context.Context, baseURL string, key bridge.Secret) ([]bridge.Finding, error) {
	agent, err := a.openAgent(settings.Agent{ID: firstAgent, Kind: kindDify, BaseURL: baseURL}, key)
	if err != nil {
		return nil, err
	}
	found, err := agent.Check(ctx)
	if err != nil {
		return nil, fmt.Errorf("app: check agent: %w", err)
	}
	return found, nil
}

// Keyless says that an error means that there is no keyring here; an encrypted file
// can take its place.
func (*App) Keyless(err error) bool { return secret.Keyless(err) }

// KeepInFile makes the encrypted file, which takes the place of the keyring from now
// on. What the keyring holds is copied.
func (a *App) KeepInFile(ctx context.Context, passphrase bridge.Secret) error {
	a.saving.Lock()
	defer a.saving.Unlock()
	a.opt.Redactor.Know(passphrase)
	file := newVaultFile(a.opt)
	copied, err := fill(ctx, newKeyring(a.opt), file, passphrase, slices.Collect(maps.Keys(secretsOf(a.saved, a.opt.Connectors))))
	if err != nil {
		return err
	}
	a.keepIn(secret.Vault{File: file})
	err = a.store.Audit(ctx, bridge.Audit{Kind: bridge.AuditSecret, By: atWindow(), Note: fileMade(copied)})
	if err != nil { // the file is there, and counts
		a.log.LogAttrs(ctx, slog.LevelError, "a new secrets file is not in the audit", slog.Any("error", err))
	}
	return nil
}

// SaveAgent stores the first agent: its key in the keyring or the encrypted file, its address in the
// settings file. It is used from now on.
func (a *App) SaveAgent(ctx context.Context, baseURL string, key bridge.Secret) error {
	s := settings.Agent{ID: firstAgent, Kind: kindDify, BaseURL: baseURL, MaxConcurrent: settings.DefaultConcurrent, Timeout: settings.DefaultTimeout}
	agent, err := a.openAgent(s, key)
	if err != nil {
		return err
	}
	a.opt.Redactor.Know(key)
	if err := a.vault.Load().Set(ctx, settings.AgentSecret(s.ID), key); err != nil {
		return fmt.Errorf("app: save agent: %w", err)
	}
	err = a.change(ctx, "agent "+s.ID, func(all *settings.Settings) {
		others := slices.DeleteFunc(slices.Clone(all.Agents), func(g settings.Agent) bool { return g.ID == s.ID })
		all.Agents = append(others, s)
	})
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.agents[s.ID] = &openAgentState{Agent: s, agent: agent}
	a.mu.Unlock()
	a.health.Clear(health.AgentBroken, s.ID) // of a key that could not be read
	a.inbox.Serve(s.ID, s.MaxConcurrent)
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	return nil
}

package app

import (
	"context"
	"fmt"
	"slices"

	"switchboard/internal/bridge"
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

// SaveAgent stores the first agent: its key in the keyring, its address in the
// settings file. It is used from now on.
func (a *App) SaveAgent(ctx context.Context, baseURL string, key bridge.Secret) error {
	s := settings.Agent{ID: firstAgent, Kind: kindDify, BaseURL: baseURL, MaxConcurrent: settings.DefaultConcurrent, Timeout: settings.DefaultTimeout}
	agent, err := a.openAgent(s, key)
	if err != nil {
		return err
	}
	a.opt.Redactor.Know(key)
	if err := a.vault.Set(ctx, settings.AgentSecret(s.ID), key); err != nil {
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
	a.inbox.Serve(s.ID, s.MaxConcurrent)
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	return nil
}

package dify

import (
	"cmp"
	"context"

	"switchboard/internal/bridge"
)

// The findings of Check.
const (
	findReachable  = "reachable"
	findCredential = "credential"
	findAppType    = "app_type"
)

// Check implements bridge.Agent.
func (a *Agent) Check(ctx context.Context) ([]bridge.Finding, error) {
	const op = "dify: check"
	card, err := a.card(ctx, op)
	if ctx.Err() != nil {
		return nil, a.client.broken(ctx, op, ctx.Err())
	}
	args := map[string]string{"address": a.client.base.String()}
	reachable := bridge.Finding{Code: findReachable, OK: true, Args: args}
	switch kind := bridge.KindOf(err); {
	case kind == bridge.KindCredential || kind == bridge.KindForbidden:
		return []bridge.Finding{reachable, {Code: findCredential, Err: err}}, nil
	case err != nil:
		reachable.OK, reachable.Err = false, err
		return []bridge.Finding{reachable}, nil //nolint:nilerr // it is in the finding
	}
	p, err := a.parameters(ctx, op)
	kind := bridge.Finding{
		Code: findAppType, OK: err == nil && known(card.Mode), Err: err,
		Args: map[string]string{"name": card.Name, "mode": card.Mode, "version": cmp.Or(a.Version(), "?"), "input": a.config.InputKey},
	}
	if kind.OK && (card.Mode == modeWorkflow || card.Mode == modeCompletion) {
		kind.OK = a.takesQuestion(p)
	}
	return []bridge.Finding{reachable, {Code: findCredential, OK: true}, kind}, nil
}

// takesQuestion says that the form has the variable we put the question in.
func (a *Agent) takesQuestion(p parameters) bool { return p.declares(a.input(p)) }

// Version implements bridge.Versioned.
func (a *Agent) Version() string {
	if version := a.client.version.Load(); version != nil {
		return *version
	}
	return ""
}

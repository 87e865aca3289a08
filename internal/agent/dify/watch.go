package dify

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"

	"switchboard/internal/bridge"
)

const (
	opLook = "dify: look at form"
	// elsewhere stands for the token of a form that the app key does not see; no
	// token is like it.
	elsewhere = "-"
)

// FormState implements bridge.FormWatcher. A form that ran out is noticed by the
// server about once a minute; until then its run is still paused. See
// https://docs.dify.ai/en/api-reference/guides/human-input-flow.
func (a *Agent) FormState(ctx context.Context, c bridge.Conversation, r bridge.Run, token string) (bridge.FormState, error) {
	if r.Run == "" {
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opLook, Detail: runUnknown}
	}
	if token == "" {
		state, err := a.past(ctx, c, r, elsewhere)
		switch state { //nolint:exhaustive // the others are the form's, too
		case bridge.FormLapsed:
			state = bridge.FormDecided
		case bridge.FormExpired:
			state = bridge.FormOpen
		}
		return state, err
	}
	query := url.Values{"user": {userOf(c)}}
	err := a.client.call(ctx, opLook, http.MethodGet, "/form/human_input/"+url.PathEscape(token), query, nil, nil)
	switch {
	case err == nil:
		return bridge.FormOpen, nil
	case decidedBefore(err):
		return bridge.FormDecided, nil
	case bridge.KindOf(err) == bridge.KindExpired:
		return a.past(ctx, c, r, token)
	case isRefusal(err, "not_found"):
		return bridge.FormDropped, nil
	default:
		return "", err
	}
}

// past says whether a run has left a form behind that nobody decided.
func (a *Agent) past(ctx context.Context, c bridge.Conversation, r bridge.Run, token string) (bridge.FormState, error) {
	var now run
	err := a.client.call(ctx, opLook, http.MethodGet, "/workflows/run/"+url.PathEscape(r.Run), nil, nil, &now)
	switch {
	case isRefusal(err, "not_found"):
		return bridge.FormDropped, nil
	case err != nil:
		return "", err
	}
	switch now.Status {
	case "paused":
		return a.pausedAt(ctx, c, r, token)
	case "failed", "stopped":
		return bridge.FormDropped, nil
	default:
		return bridge.FormLapsed, nil
	}
}

// pausedAt says whether a run waits for a form, or already for the one after it.
func (a *Agent) pausedAt(ctx context.Context, c bridge.Conversation, r bridge.Run, token string) (bridge.FormState, error) {
	if token == elsewhere {
		return bridge.FormExpired, nil // two such forms look alike
	}
	found, err := a.discover(ctx, false)
	if err != nil {
		return "", err
	}
	state := bridge.FormExpired
	query := url.Values{"user": {userOf(c)}, "include_state_snapshot": {"true"}}
	path := "/workflow/" + url.PathEscape(r.Run) + "/events"
	_, _ = a.follow(ctx, found, bridge.Question{Conversation: c, Run: r}, exchange{method: http.MethodGet, path: path, query: query, filled: token}, func(e bridge.Event) error {
		if _, next := e.(bridge.Paused); next {
			state = bridge.FormLapsed
		}
		return nil
	}) // it ends without an answer while the run waits for this form
	return state, nil
}

// isRefusal says that the server itself refused something, with that code.
func isRefusal(err error, code string) bool {
	var e *bridge.Error
	return errors.As(err, &e) && e.Code == code
}

// GoOn implements bridge.FormWatcher.
func (a *Agent) GoOn(ctx context.Context, c bridge.Conversation, r bridge.Run, token string) iter.Seq2[bridge.Event, error] {
	return a.yields(ctx, func(ctx context.Context, tell teller) error {
		if r.Run == "" {
			return &bridge.Error{Kind: bridge.KindUnsupported, Op: opLook, Detail: runUnknown}
		}
		found, err := a.discover(ctx, false)
		if err != nil {
			return unasked(err)
		}
		if token == "" {
			token = elsewhere
		}
		return a.goOn(ctx, found, bridge.Question{Conversation: c, Run: r}, token, tell)
	})
}

var _ bridge.FormWatcher = (*Agent)(nil)

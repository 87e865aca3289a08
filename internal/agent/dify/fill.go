package dify

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"

	"switchboard/internal/bridge"
)

const opFill = "dify: fill in form"

// Fill implements bridge.FormFiller. The server lets anybody decide who knows the
// token; the caller has made sure that this person may. What follows is told from
// the beginning of the answer on.
func (a *Agent) Fill(ctx context.Context, c bridge.Conversation, r bridge.Run, token, choice string, values map[string]string) iter.Seq2[bridge.Event, error] {
	return func(yield func(bridge.Event, error) bool) {
		ctx, cancel := context.WithTimeoutCause(ctx, a.config.Timeout, errTooLong)
		defer cancel()
		err := a.fillIn(ctx, bridge.Question{Conversation: c, Run: r}, decision{values, choice, userOf(c)}, token, func(e bridge.Event) error {
			if !yield(e, nil) {
				return errLeft
			}
			return nil
		})
		if err != nil && !errors.Is(err, errLeft) {
			yield(nil, err)
		}
	}
}

// fillIn decides and follows the answer.
func (a *Agent) fillIn(ctx context.Context, q bridge.Question, d decision, token string, tell teller) error {
	if token == "" || q.Run.Run == "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: opFill, Detail: "the form is not known"}
	}
	found, err := a.discover(ctx, false)
	if err != nil {
		return unasked(err)
	}
	if d.Inputs == nil {
		d.Inputs = map[string]string{}
	}
	if err := a.client.call(ctx, opFill, http.MethodPost, "/form/human_input/"+url.PathEscape(token), nil, d, nil); err != nil {
		return err
	}
	// What was published before we listen is in the snapshot: the pause that was
	// just ended, too.
	query := url.Values{"user": {d.User}, "include_state_snapshot": {"true"}, "continue_on_pause": {"true"}}
	path := "/workflow/" + url.PathEscape(q.Run.Run) + "/events"
	_, err = a.follow(ctx, found, q, exchange{method: http.MethodGet, path: path, query: query, filled: token}, tell)
	return err
}

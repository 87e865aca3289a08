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
func (a *Agent) Fill(ctx context.Context, c bridge.Conversation, r bridge.Run, token, choice string, values map[string]bridge.FormValue) iter.Seq2[bridge.Event, error] {
	return a.yields(ctx, func(ctx context.Context, tell teller) error {
		return a.fillIn(ctx, bridge.Question{Conversation: c, Run: r}, decision{inputsOf(values), choice, userOf(c)}, token, tell)
	})
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
	err = a.client.call(ctx, opFill, http.MethodPost, "/form/human_input/"+url.PathEscape(token), nil, d, nil)
	if decidedBefore(err) {
		// By somebody elsewhere, or by an attempt of ours that was cut off: in either
		// case the answer goes on, and is not lost.
		if err := tell(bridge.Decided{}); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return a.goOn(ctx, found, q, token, tell)
}

// inputsOf are values as the server takes them: a file is a reference to one that
// was uploaded, and several are a list. See
// https://docs.dify.ai/en/api-reference/human-input/submit-human-input-form.
func inputsOf(values map[string]bridge.FormValue) map[string]any {
	all := map[string]any{}
	for name, v := range values {
		refs := make([]fileRef, len(v.Files))
		for n, f := range v.Files {
			refs[n] = refTo(f)
		}
		switch {
		case v.List:
			all[name] = refs
		case len(refs) > 0:
			all[name] = refs[0]
		default:
			all[name] = v.Text
		}
	}
	return all
}

func decidedBefore(err error) bool {
	return isRefusal(err, "human_input_form_submitted")
}

// goOn follows an answer after the decision about a form.
func (a *Agent) goOn(ctx context.Context, found app, q bridge.Question, token string, tell teller) error {
	// What was published before we listen is in the snapshot: the pause that was
	// just ended, too.
	query := url.Values{"user": {userOf(q.Conversation)}, "include_state_snapshot": {"true"}, "continue_on_pause": {"true"}}
	path := "/workflow/" + url.PathEscape(q.Run.Run) + "/events"
	_, err := a.follow(ctx, found, q, exchange{method: http.MethodGet, path: path, query: query, filled: token}, tell)
	if errors.Is(err, errRunOver) {
		return a.resume(ctx, found, q, tell)
	}
	return err
}

package dify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// resume takes up the answer of a run that went on without us.
func (a *Agent) resume(ctx context.Context, found app, q bridge.Question, tell teller) error {
	if !found.resumes() || q.Run.Run == "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: opAsk, Detail: runUnknown}
	}
	r, err := a.outcome(ctx, q.Run.Run)
	if err != nil {
		return err
	}
	if r.Status == "paused" {
		query := url.Values{"user": {userOf(q.Conversation)}, "include_state_snapshot": {"true"}}
		_, err := a.follow(ctx, found, q, exchange{method: http.MethodGet, path: "/workflow/" + url.PathEscape(q.Run.Run) + "/events", query: query}, tell)
		return err
	}
	if r.Status != "succeeded" && r.Status != "partial-succeeded" && r.Status != "stopped" {
		return a.client.failed(opAsk, "", 0, r.Error)
	}
	whole := render(r.Outputs, a.config.OutputKey)
	if found.talks() {
		if whole, err = a.stored(ctx, q); err != nil {
			return err
		}
	}
	heard := &answer{client: a.client, think: thinking{keep: a.config.KeepThinking}, links: links{own: a.client.keeps}, files: map[string]bool{}}
	heard.say(bridge.Started{Conversation: q.Conversation, Run: q.Run})
	heard.replace(whole)
	heard.flush()
	var files []wireFile
	if raw, ok := r.Outputs["files"]; ok && lenient(raw, &files) == nil {
		heard.hearFiles(files...)
	}
	heard.say(bridge.Ended{Usage: bridge.Usage{Tokens: r.Tokens, Latency: seconds(r.Elapsed)}, Stopped: r.Status == "stopped"})
	return heard.tell(tell)
}

// stored reads the answer as the app keeps it. The outputs of a chatflow's run
// are not to be shown: they hold the text from before output moderation, which
// replaces it only in the message.
func (a *Agent) stored(ctx context.Context, q bridge.Question) (string, error) {
	if q.Conversation.ID == "" || q.Run.Message == "" {
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opAsk, Detail: "the message is not known"}
	}
	query := url.Values{"conversation_id": {q.Conversation.ID}, "user": {userOf(q.Conversation)}, "limit": {"20"}}
	ctx, cancel := context.WithTimeoutCause(ctx, resumeLimit, errTooLong)
	defer cancel()
	for {
		var list struct{ Data []message }
		if err := a.client.call(ctx, opAsk, http.MethodGet, "/messages", query, nil, &list); err != nil {
			return "", err
		}
		for _, m := range list.Data {
			if m.ID == q.Run.Message && m.Answer != "" {
				return m.Answer, nil
			}
		}
		timer := time.NewTimer(resumePause) // it is saved a moment after the run ends
		select {
		case <-ctx.Done():
			timer.Stop()
			return "", a.client.broken(ctx, opAsk, ctx.Err())
		case <-timer.C:
		}
	}
}

// outcome waits for a run to end, for as long as an answer may take: asked anew, it
// would run twice. A server that does not tell is given up sooner.
func (a *Agent) outcome(ctx context.Context, id string) (run, error) {
	told := time.Now()
	for pause := resumePause; ; pause = min(2*pause, resumeEvery) {
		var r run
		err := a.client.call(ctx, opAsk, http.MethodGet, "/workflows/run/"+url.PathEscape(id), nil, nil, &r)
		switch {
		case err == nil && r.Status != "running" && r.Status != "":
			return r, nil
		case err == nil:
			told = time.Now()
		case !bridge.KindOf(err).Retryable() || ctx.Err() != nil || time.Since(told) >= resumeLimit:
			return r, err
		}
		timer := time.NewTimer(max(pause, min(bridge.RetryAfter(err), resumeLimit)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return r, a.client.broken(ctx, opAsk, ctx.Err())
		case <-timer.C:
		}
	}
}

// Stop implements bridge.Stopper.
func (a *Agent) Stop(ctx context.Context, c bridge.Conversation, r bridge.Run) error {
	const op = "dify: stop"
	if r.Task == "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: op, Detail: "the task is not known"}
	}
	found, err := a.discover(ctx, false)
	if err != nil {
		return err
	}
	path := found.path() + "/" + url.PathEscape(r.Task) + "/stop"
	if found.mode == modeWorkflow {
		path = "/workflows/tasks/" + url.PathEscape(r.Task) + "/stop"
	}
	a.markStopped(r.Task, true)
	if err = a.client.call(ctx, op, http.MethodPost, path, nil, map[string]string{"user": userOf(c)}, nil); err != nil {
		a.markStopped(r.Task, false)
	}
	return err
}

func (a *Agent) markStopped(id string, stopped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.running[id]; t != nil {
		t.stopped = stopped
	}
}

// Feedback implements bridge.Feedbacker.
func (a *Agent) Feedback(ctx context.Context, c bridge.Conversation, r bridge.Run, rating bridge.Rating) error {
	const op = "dify: feedback"
	if r.Message == "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: op, Detail: "the message is not known"}
	}
	body := map[string]any{"rating": nil, "user": userOf(c)}
	switch rating {
	case bridge.RatingGood:
		body["rating"] = "like"
	case bridge.RatingBad:
		body["rating"] = "dislike"
	case bridge.RatingNone:
	}
	err := a.client.call(ctx, op, http.MethodPost, "/messages/"+url.PathEscape(r.Message)+"/feedbacks", nil, body, nil)
	var e *bridge.Error
	if rating == bridge.RatingNone && errors.As(err, &e) && strings.HasPrefix(e.Detail, "rating cannot be None") {
		return nil // there was none to take back
	}
	return err
}

var (
	_ bridge.Agent        = (*Agent)(nil)
	_ bridge.Stopper      = (*Agent)(nil)
	_ bridge.Feedbacker   = (*Agent)(nil)
	_ bridge.Uploader     = (*Agent)(nil)
	_ bridge.FormUploader = (*Agent)(nil)
	_ bridge.Fetcher      = (*Agent)(nil)
	_ bridge.Transcriber  = (*Agent)(nil)
	_ bridge.Suggester    = (*Agent)(nil)
	_ bridge.Greeter      = (*Agent)(nil)
	_ bridge.Declarer     = (*Agent)(nil)
	_ bridge.Renewer      = (*Agent)(nil)
)

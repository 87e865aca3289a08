package engine

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

const (
	// formsEvery is how long a form that another process shows may go unnoticed.
	formsEvery = time.Minute
	// formSoon and formLate bound the pause between two looks at a form: the longer
	// it waits, the later one hears of a decision made elsewhere.
	formSoon = 10 * time.Second
	formLate = 2 * time.Minute
	// formGrace is how long after its time an agent may take to go on without a
	// decision: Dify looks for such forms once a minute.
	formGrace = 3 * time.Minute
	// formWithin is how long an agent may take to tell how a form stands.
	formWithin = 15 * time.Second
	// mostForms is how many forms are looked at.
	mostForms = 500
)

// WatchForms looks after the forms that answers wait for, until ctx ends. One that
// was decided elsewhere, or whose time is over, becomes an action in the talk it
// belongs to, like something that a platform delivers. It is called the same
// whoever finds it how often, so that accept stores it once; and what waits is in
// the store, so that a restart changes nothing.
func (e *Engine) WatchForms(ctx context.Context, accept func(ctx context.Context, d bridge.Delivery) error) error {
	next := map[int64]time.Time{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.asks:
		case <-timer.C:
		}
		timer.Reset(e.lookAtForms(ctx, next, accept))
	}
}

// noticeForm has a form looked at that was shown a moment ago.
func (e *Engine) noticeForm() {
	select {
	case e.asks <- struct{}{}:
	default: // a look is due already
	}
}

// lookAtForms looks at the forms that are due, and returns how long to wait for the
// next one.
func (e *Engine) lookAtForms(ctx context.Context, next map[int64]time.Time, accept func(context.Context, bridge.Delivery) error) time.Duration {
	all, err := e.store.Undecided(ctx, mostForms)
	if err != nil {
		e.log.LogAttrs(ctx, slog.LevelWarn, "looking for forms failed", slog.Any("error", err))
		return formsEvery
	}
	waits, silent, wait := map[int64]bool{}, map[string]bool{}, formsEvery
	for _, x := range all {
		if x.Reply.State != bridge.ReplyDelivered { // nobody has seen it yet
			continue
		}
		waits[x.Job.ID] = true
		if time.Until(next[x.Job.ID]) <= 0 {
			next[x.Job.ID] = time.Now().Add(e.lookAtForm(ctx, x, silent, accept))
		}
		wait = min(wait, time.Until(next[x.Job.ID]))
	}
	for job := range next {
		if !waits[job] {
			delete(next, job)
		}
	}
	return max(wait, time.Second)
}

// lookAtForm finds out how a form stands, and returns when to look again. Silent
// are agents that did not tell a moment ago.
func (e *Engine) lookAtForm(ctx context.Context, x bridge.Exchange, silent map[string]bool, accept func(context.Context, bridge.Delivery) error) time.Duration {
	state, err := e.formState(ctx, x, silent)
	if err != nil && ctx.Err() == nil {
		e.log.LogAttrs(ctx, slog.LevelInfo, "a form cannot be looked at", slog.Int64("job_id", x.Job.ID), slog.Any("error", err))
	}
	if state == bridge.FormOpen || ctx.Err() != nil {
		return pauseBefore(x.Reply)
	}
	if err := accept(ctx, bridge.Delivery{Actions: []bridge.Action{formAction(x.Job, state)}}); err != nil {
		e.log.LogAttrs(ctx, slog.LevelWarn, "a form that is over was not accepted", slog.Int64("job_id", x.Job.ID), slog.Any("error", err))
		return formSoon
	}
	return formLate
}

// formState is how a form stands, by the agent's word or else by the clock. What an
// agent does not tell counts as nothing new.
func (e *Engine) formState(ctx context.Context, x bridge.Exchange, silent map[string]bool) (bridge.FormState, error) {
	form, id := x.Reply.Form, cmp.Or(x.Reply.Agent, x.Job.Queue)
	agent, _ := e.agents(id)
	watcher, ok := agent.(bridge.FormWatcher)
	state := bridge.FormExpired
	var err error
	if ok && !silent[id] {
		within, cancel := context.WithTimeout(ctx, formWithin)
		defer cancel()
		state, err = watcher.FormState(within, x.Reply.Conversation, x.Reply.Run, form.Token)
		silent[id] = err != nil
	}
	late := router.Expired(*form)
	switch {
	case err == nil && state == bridge.FormDecided && late && form.Token == "":
		return bridge.FormLapsed, nil // nobody can tell the one from the other
	case err == nil && ok && (state == bridge.FormDecided || state == bridge.FormLapsed || state == bridge.FormDropped):
		return state, nil
	case !late || ok && time.Since(form.Expires) < formGrace:
		return bridge.FormOpen, err
	default:
		return bridge.FormExpired, err
	}
}

// pauseBefore is the pause before the next look at the form of an answer.
func pauseBefore(r bridge.Reply) time.Duration {
	left := time.Until(r.Form.Expires)
	switch pause := min(max(time.Since(r.UpdatedAt)/20, formSoon), formLate); {
	case r.Form.Expires.IsZero():
		return pause
	case left < 0:
		return formSoon
	default:
		return min(pause, left+time.Second)
	}
}

// formAction tells the talk of a job what became of the form that its answer waits
// for.
func formAction(j bridge.Job, state bridge.FormState) bridge.Action {
	m := j.Message
	return bridge.Action{
		ID: "form-" + string(m.ID), Bot: m.Bot, Platform: m.Platform, Kind: bridge.ActionForm, Chat: m.Chat, Sender: m.Sender, At: time.Now(),
		Value:   map[string]string{bridge.ValueJob: strconv.FormatInt(j.ID, 10), bridge.ValueForm: string(state)},
		Address: m.Address,
	}
}

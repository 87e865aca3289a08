package engine

import (
	"context"
	"errors"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// unanswered decides what to do about an agent that failed: try again later,
// take the answer up where it broke, or tell the person.
func (t *trip) unanswered(ctx context.Context, agent bridge.Agent, h *hearing, err error) error {
	kind := bridge.KindOf(err)
	if t.decision != nil && h.silent() {
		if refused, ok := t.decision.refused(kind); ok {
			return t.undecided(ctx, refused, kind)
		}
	}
	if h.silent() {
		return t.beforeText(ctx, err)
	}
	if kind == bridge.KindInterrupted || kind == bridge.KindUnavailable {
		return t.takeUp(ctx, agent, h, err)
	}
	return t.interrupted(ctx, h, err)
}

// beforeText handles a failure before anything was said. The agent is asked
// again at most twice, within about half a minute, then the person is told.
func (t *trip) beforeText(ctx context.Context, err error) error {
	kind := bridge.KindOf(err)
	failures := t.out.Row().Failures + 1
	if nerr := t.out.Note(ctx, func(r *bridge.Reply) { r.Failures, r.Begun = failures, t.begun }); nerr != nil {
		return nerr
	}
	if !kind.Retryable() || failures >= maxFailures {
		return t.apologise(ctx, err)
	}
	t.out.Park()
	pause := t.opt.RetryPause << (2 * (failures - 1)) // 2 s, then 8 s
	return &againError{max(pause, min(bridge.RetryAfter(err), 30*time.Second)), err}
}

// takeUp goes on with an answer whose connection broke: by its run where the
// agent knows runs, otherwise by asking once more into the same draft.
func (t *trip) takeUp(ctx context.Context, agent bridge.Agent, h *hearing, err error) error {
	row := t.out.Row()
	if row.Failures >= maxFailures-1 {
		return t.interrupted(ctx, h, err)
	}
	if nerr := t.out.Note(ctx, func(r *bridge.Reply) { r.Failures = maxFailures - 1 }); nerr != nil {
		return nerr
	}
	again := &hearing{started: h.started, first: h.first, prefix: h.prefix}
	rerr := t.listen(ctx, agent, again, row.Run)
	if ctx.Err() != nil {
		t.out.Park()
		return context.Cause(ctx)
	}
	if rerr == nil {
		t.opt.Observe(Outcome{Agent: t.route.Agent, FirstText: again.first, Took: time.Since(again.started)})
		return t.answered(ctx, again)
	}
	if again.text.Len() > h.text.Len() {
		h = again
	}
	if errors.Is(rerr, errStopped) {
		return t.stopped(ctx, agent, h)
	}
	return t.interrupted(ctx, h, rerr)
}

// interrupted closes an answer that stopped in the middle: what is there stays.
func (t *trip) interrupted(ctx context.Context, h *hearing, err error) error {
	kind := bridge.KindOf(err)
	t.note(bridge.EntryApology, 0, kind, "interrupted")
	t.noteMasked(ctx, h.veil.findings())
	t.offerRetry()
	return t.sent(t.out.Break(ctx, h.closed(t.say("reply.interrupted")), kind))
}

// apologise tells the person in one sentence that there is no answer.
func (t *trip) apologise(ctx context.Context, err error) error {
	kind := bridge.KindOf(err)
	t.note(bridge.EntryApology, 0, kind, "")
	key := "reply.apology." + string(kind)
	if _, ok := i18n.Find(t.route.Language, key); !ok {
		key = "reply.apology"
	}
	if t.asking {
		t.offerRetry()
	}
	var e *bridge.Error
	var args []any
	if kind == bridge.KindIncomplete && errors.As(err, &e) {
		args = []any{"fields", e.Args["fields"]}
	}
	text := t.say(key, args...)
	if t.decision != nil && t.decision.unasked {
		text = t.echo() + text
	}
	return t.sent(t.out.Fail(ctx, text, kind))
}

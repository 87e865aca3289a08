package engine

import (
	"context"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/people"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

// refuseEvery is how long somebody who may not ask is left in peace after they
// were told so.
const refuseEvery = 10 * time.Minute

// course is what is done about a message, decided before anything is shown.
type course struct {
	act  func(ctx context.Context) error
	pace reply.Pace
	asks bool // an agent
}

// words is the course of saying something of ours.
func (t *trip) words(text string) course {
	return course{act: func(ctx context.Context) error { return t.tellText(ctx, text) }}
}

// course decides. Whoever may not ask is not even told to have come too late; a
// command counts in a chat that a human has taken over, and a question does not.
// What an earlier attempt began is brought to an end in any case.
func (t *trip) course(ctx context.Context, resumed bool) (course, error) {
	switch {
	case t.click != nil && t.click.form != "":
		return t.overtook()
	case t.route.Refused != router.RefusedNot:
		return t.refuse(ctx, t.route.Refused, t.say("router.refused."+string(t.route.Refused)), resumed)
	case t.stale() && !resumed && !t.click.timeless(t.route.Command):
		t.note(bridge.EntryStale, 0, "", time.Since(t.job.Message.SentAt).Round(time.Minute).String())
		return t.words(t.say("reply.stale")), nil
	case t.route.Muted && !resumed && t.route.Command.Asks() && !t.callsBack():
		t.note(bridge.EntryIgnored, 0, "", "a human answers here")
		return course{}, &silentError{}
	}
	if c, over, err := t.clicked(ctx, resumed); over || err != nil {
		return c, err
	}
	if t.route.Command != router.CommandNone {
		return t.intent(ctx, t.route.Command, t.route.Argument, resumed)
	}
	outcome, typed, err := t.typedCode(ctx)
	switch {
	case err != nil:
		return course{}, err
	case typed && outcome.Verdict != people.Wrong && outcome.Verdict != people.Locked:
		return t.linked(outcome), nil // digits that were no code may be a question
	}
	return t.outcome(ctx, resumed)
}

// callsBack says that a rule takes what somebody wrote for /bot.
func (t *trip) callsBack() bool {
	to, is := t.route.Outcome.(router.ToIntent)
	return is && to.Command == router.CommandBot
}

// outcome does what the rules say.
func (t *trip) outcome(ctx context.Context, resumed bool) (course, error) {
	switch o := t.route.Outcome.(type) {
	case router.FixedReply:
		return t.words(o.Text), nil
	case router.Refuse:
		text := o.Text
		if text == "" {
			text = t.say("router.refused." + string(router.RefusedRule))
		}
		return t.refuse(ctx, router.RefusedRule, text, resumed)
	case router.ToIntent:
		return t.intent(ctx, o.Command, o.Command.Argument(spoken(t.route.Text, t.job.Message)), resumed)
	case router.Forward:
		return course{act: func(ctx context.Context) error { return t.forward(ctx, o) }}, nil
	case router.HandOver:
		return course{act: func(ctx context.Context) error { return t.handOver(ctx, o) }}, nil
	case router.ToAgent:
	}
	return t.question(ctx, resumed)
}

// question is the course of asking the agent.
func (t *trip) question(ctx context.Context, resumed bool) (course, error) {
	t.noted = resumed
	t.findQuote(ctx)
	if t.text == "" {
		written := spoken(t.route.Text, t.job.Message)
		if words, err := t.understand(ctx, written); err != nil || words != "" {
			return t.words(words), err
		}
		if t.text != written && t.decision == nil { // a number stood for it
			m := t.job.Message
			m.Text, m.Quote = t.text, "" // that is not about what the list was in
			return t.passOn(ctx, router.CommandNone, m, resumed)
		}
	}
	switch x := t.handed; {
	case x != nil:
		return course{act: func(ctx context.Context) error { return t.handIn(ctx, *x) }, pace: t.opt.Pace(t.job.Message.Bot)}, nil
	case t.text == "" && t.quote() == "" && !t.looksAt():
		t.note(bridge.EntryIgnored, 0, "", "no text in the message")
		if written := strings.TrimSpace(t.job.Message.Text); written != "" { // a prefix, and nothing behind it
			return t.words(t.say("reply.prefix_only", "prefix", written)), nil
		}
		return t.words(t.say("reply.text_only")), nil
	case t.overLimit(resumed):
		return course{}, &silentError{bridge.KindQuota}
	case t.over != nil:
		return course{act: t.tellLimit}, nil
	default:
		return course{act: t.ask, pace: t.opt.Pace(t.job.Message.Bot), asks: true}, nil
	}
}

// understand finds out what a text is: a question, the number of one, or a
// decision. It returns words when the person has to be told something instead.
func (t *trip) understand(ctx context.Context, written string) (string, error) {
	t.text = written
	switch {
	case t.click.does(bridge.DoChoose):
		return t.chooses(ctx)
	case t.click != nil:
		return "", nil
	}
	var err error
	if t.text == "" {
		t.handed, err = t.wantsFiles(ctx)
		return "", err
	}
	if t.text, err = t.picked(ctx, t.job, t.text); err != nil {
		return "", err
	}
	return t.decides(ctx, t.text)
}

// spoken is the text to ask the agent: what was written, or what the platform
// heard in a voice message.
func spoken(text string, m bridge.Message) string {
	m.Text = text
	return m.Said()
}

// refuse says once in a while, politely, why there is no answer. Every time it
// is said, it is in the audit.
func (t *trip) refuse(ctx context.Context, why router.Refusal, text string, resumed bool) (course, error) {
	if why == router.RefusedApproval {
		t.meet(ctx) // the admin has to know who it is
	}
	m, p := t.job.Message, t.route.Person
	say, err := t.store.Tell(ctx, "refused "+p.ID+" "+m.Bot+" "+string(why), t.job.ID, refuseEvery)
	if err != nil {
		return course{}, err
	}
	t.note(bridge.EntryIgnored, 0, bridge.KindForbidden, "not permitted: "+string(why))
	if !say && !resumed {
		return course{}, &silentError{bridge.KindForbidden}
	}
	kind := bridge.AuditRefused
	if why == router.RefusedApproval {
		kind = bridge.AuditApproval
	}
	if err := t.audit(ctx, kind, string(why)); err != nil {
		return course{}, err
	}
	if why == router.RefusedApproval {
		t.opt.Waiting(ctx, p, m.Bot)
	}
	return t.words(text), nil
}

// audit adds an entry about the person who wrote.
func (t *trip) audit(ctx context.Context, kind bridge.AuditKind, note string) error {
	p := t.route.Person.ID
	return t.store.Audit(ctx, bridge.Audit{Kind: kind, By: bridge.Actor{Who: p, Where: t.job.Message.Bot}, Person: p, Note: note})
}

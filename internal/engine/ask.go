package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// hearing is what was heard of an answer so far.
type hearing struct {
	text    strings.Builder // as the agent says it; veil is before it
	veil    veil
	prefix  string // sentences of ours before the answer
	files   []bridge.FileAdded
	started time.Time
	first   time.Duration // to the first text; 0 before it
	end     *bridge.Ended
	form    *bridge.Form // that the rest of the answer waits for
	named   bool         // the agent has said how this run is called
}

func (h *hearing) silent() bool { return h.text.Len() == 0 }

// ask puts the question to the agent and shows the answer.
func (t *trip) ask(ctx context.Context) error {
	t.asking = true
	agent, ok := t.agents(t.route.Agent)
	stop, _ := t.answers.listen(t.job.ID, t.route.Scope, t.job.Message) // from when something can be seen on
	if err := t.out.Begin(ctx); err != nil {
		return err
	}
	if !ok {
		return t.apologise(ctx, &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: no agent " + t.route.Agent})
	}
	t.meet(ctx)
	h := &hearing{started: time.Now(), named: t.out.Row().Run != bridge.Run{}}
	switch err := t.attachUntil(ctx, stop); {
	case isClosed(stop) && ctx.Err() == nil:
		return t.stopped(ctx, agent, h)
	case err != nil:
		return t.unattached(ctx, err)
	}
	if t.text = t.with.question(t.text, t.say("reply.file.look")); t.text == "" && t.quote() == "" && t.decision == nil {
		return t.sent(t.out.Finish(ctx, strings.TrimSpace(t.echo()+t.with.prefix())))
	}
	h.prefix = t.echo() + t.with.prefix()
	if d := t.decision; d != nil && !d.unasked {
		if lacks := router.Lacking(d.about.Reply.Form.Fields); lacks != nil { // what came with it was none
			return t.sent(t.out.Finish(ctx, t.with.prefix()+t.sendFirst(*lacks)))
		}
	}
	if err := t.prepare(ctx); err != nil {
		t.out.Park()
		return err
	}
	defer t.leave()
	err := t.listen(ctx, agent, h, t.out.Row().Run)
	if bridge.KindOf(err) == bridge.KindConversationLost {
		err = t.startOver(ctx, agent, h)
	}
	if ctx.Err() != nil {
		t.out.Park()
		return context.Cause(ctx)
	}
	if errors.Is(err, errStopped) {
		return t.stopped(ctx, agent, h)
	}
	t.opt.Observe(Outcome{Agent: t.route.Agent, Err: err, FirstText: h.first, Took: time.Since(h.started)})
	if err != nil {
		return t.unanswered(ctx, agent, h, err)
	}
	return t.answered(ctx, h)
}

// startOver asks once more without the conversation the agent has forgotten,
// and tells the person.
func (t *trip) startOver(ctx context.Context, agent bridge.Agent, h *hearing) error {
	t.note(bridge.EntryLost, 0, bridge.KindConversationLost, "")
	s, err := t.router.Renew(ctx, t.job, t.route.Session, t.route.Person)
	if err != nil {
		return err
	}
	t.route.Session = s
	if t.with.user != s.Conversation.User && len(t.with.files) > 0 { // files are their user's alone
		if err := t.attach(ctx); err != nil {
			return err
		}
	}
	if err := t.prepare(ctx); err != nil {
		return err
	}
	h.prefix += t.say("reply.lost") + "\n\n"
	return t.listen(ctx, agent, h, bridge.Run{})
}

// listen asks and follows the answer to its end. With a run it takes up an
// answer that was cut off, and asks anew if the agent cannot do that.
func (t *trip) listen(ctx context.Context, agent bridge.Agent, h *hearing, run bridge.Run) error {
	if run.Run != "" {
		err := t.follow(ctx, agent, h, run)
		if err == nil || !h.silent() || ctx.Err() != nil || errors.Is(err, errStopped) {
			return err
		}
	}
	return t.follow(ctx, agent, h, bridge.Run{})
}

func (t *trip) follow(ctx context.Context, agent bridge.Agent, h *hearing, run bridge.Run) error {
	h.text.Reset()
	h.files, h.form, h.named = nil, nil, run != bridge.Run{}
	h.veil = t.veil()
	stop, heard := t.answers.listen(t.job.ID, t.route.Scope, t.job.Message)
	return heard(t.hearAll(ctx, agent, h, run, stop))
}

// hearAll asks and takes every event of the answer. After a stop it leaves the
// stream open.
func (t *trip) hearAll(ctx context.Context, agent bridge.Agent, h *hearing, run bridge.Run, stop <-chan struct{}) error {
	if isClosed(stop) { // between two attempts
		return errStopped
	}
	t.note(bridge.EntryAsked, time.Since(t.began), "", "")
	q := t.asked
	q.Conversation, q.Run = t.route.Session.Conversation, run
	s := t.openStream(ctx, agent, q)
	defer func() {
		close(s.hushed)
		if t.rest != s {
			s.end()
		}
	}()
	for {
		if isClosed(stop) { // what may wait to be taken came too late
			t.rest = s
			return errStopped
		}
		select {
		case <-stop:
		case event := <-s.events:
			if err := t.hear(ctx, h, event); err != nil {
				return err
			}
		case err := <-s.over:
			if err == nil && h.end == nil && h.form == nil {
				err = &bridge.Error{Kind: bridge.KindInterrupted, Op: "engine: ask", Detail: "the answer has no end"}
			}
			return err
		}
	}
}

// hear takes one event of the answer.
func (t *trip) hear(ctx context.Context, h *hearing, event bridge.Event) error {
	switch e := event.(type) {
	case bridge.Started:
		h.named = h.named || e.Run != bridge.Run{}
		return t.started(ctx, e)
	case bridge.TextAdded:
		h.text.WriteString(e.Text)
		return t.show(ctx, h)
	case bridge.TextReplaced:
		h.text.Reset()
		h.text.WriteString(e.Text)
		if h.veil.answer(e.Text, false) == "" {
			t.out.Write(t.say("reply.thinking")) // what was shown must not stay
		}
		return t.show(ctx, h)
	case bridge.Working:
		if h.silent() {
			t.out.Write(t.say("reply.working", "tool", h.veil.beside(e.Tool)))
		}
	case bridge.FileAdded:
		e.Name = h.veil.beside(e.Name)
		h.files = append(h.files, e)
	case bridge.Ended:
		h.end = &e
	case bridge.Paused:
		h.form = &e.Form
	case bridge.Decided:
		if !t.noted && t.out.Row().Failures == 0 { // else it may have been this very decision
			h.prefix += t.say("reply.form.already") + "\n\n"
		}
	}
	return nil
}

// show lets the answer grow. Before anything of it can be seen it is stored that
// there is something.
func (t *trip) show(ctx context.Context, h *hearing) error {
	if h.silent() {
		return nil
	}
	if h.first == 0 {
		h.first = time.Since(h.started)
		t.note(bridge.EntryFirstText, h.first, "", "")
	}
	text := h.veil.answer(h.text.String(), false)
	if text == "" {
		return nil
	}
	if !t.out.Row().Begun {
		if err := t.out.Note(ctx, func(r *bridge.Reply) { r.Begun = true }); err != nil {
			return err
		}
	}
	t.out.Write(h.prefix + text)
	return nil
}

// started keeps the agent's ids at once: after a crash the conversation goes on
// and the cut-off answer can be found.
func (t *trip) started(ctx context.Context, e bridge.Started) error {
	if e.Conversation.ID != "" && e.Conversation.ID != t.route.Session.Conversation.ID && !t.leavesTalk() {
		t.route.Session.Conversation.ID = e.Conversation.ID
		s, err := t.router.Remember(ctx, t.route.Session, t.job.Message.Platform, false)
		if err != nil {
			return err
		}
		t.route.Session = s
	}
	if e.Run == (bridge.Run{}) || e.Run == t.out.Row().Run {
		return nil
	}
	return t.out.Note(ctx, func(r *bridge.Reply) {
		r.Run, r.Conversation, r.Begun = e.Run, t.route.Session.Conversation, true
	})
}

// answered shows the complete answer.
func (t *trip) answered(ctx context.Context, h *hearing) error {
	text := strings.TrimSpace(h.prefix + h.veil.answer(h.text.String(), true))
	switch {
	case h.form != nil:
		form, err := t.waitFor(ctx, h)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(text + "\n\n" + form)
	case !h.silent():
	case len(h.files) > 0:
		text = strings.TrimSpace(h.prefix + t.filesOf(h))
	default:
		text = strings.TrimSpace(h.prefix + t.say("reply.empty"))
	}
	t.out.Attach(h.files...)
	if h.end != nil {
		text = t.suggest(ctx, h, text+t.footnote(h))
		t.offerMore(h)
		if err := t.paid(ctx, h.end.Usage); err != nil {
			return err
		}
	}
	t.noteMasked(ctx, h.veil.findings())
	t.note(bridge.EntryAnswered, time.Since(h.started), "", strconv.Itoa(len(text))+" bytes")
	if err := t.sent(t.out.Finish(ctx, text)); err != nil {
		return err
	}
	if err := t.decided(ctx); err != nil {
		return err
	}
	if h.form != nil {
		t.noticeForm()
	}
	if t.leavesTalk() {
		return nil
	}
	_, err := t.router.Remember(ctx, t.route.Session, t.job.Message.Platform, true)
	return err
}

// paid keeps what an answer took.
func (t *trip) paid(ctx context.Context, usage bridge.Usage) error {
	if usage == (bridge.Usage{}) {
		return nil
	}
	t.spend(usage.Tokens)
	return t.out.Note(ctx, func(r *bridge.Reply) { r.Usage = usage })
}

// footnote names the first three documents an answer rests on.
func (t *trip) footnote(h *hearing) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, s := range h.end.Sources {
		if s.Title == "" || seen[s.Title] || len(seen) == 3 {
			continue
		}
		if len(seen) == 0 {
			b.WriteString("\n\n" + t.say("reply.sources"))
		}
		seen[s.Title] = true
		fmt.Fprintf(&b, "\n%d. %s", len(seen), h.veil.beside(s.Title))
	}
	return b.String()
}

// undelivered replaces an answer that the platform refuses to show by a neutral
// sentence, which stands below what is shown of it already. Every other trouble is for
// another attempt.
func (t *trip) undelivered(ctx context.Context, err error) error {
	if bridge.KindOf(err) != bridge.KindBlocked {
		return err
	}
	t.note(bridge.EntryApology, 0, bridge.KindBlocked, "")
	if t.out.Row().Sent > 0 {
		to := t.job.Message.Address
		to.Language = t.route.Language
		if err := t.tellOthers(ctx, Notice{to, t.say("reply.blocked")}, 1); err != nil {
			return t.sent(err)
		}
	}
	return t.sent(t.out.Break(ctx, t.say("reply.blocked"), bridge.KindBlocked))
}

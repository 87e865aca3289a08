package engine

import (
	"context"
	"math"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/people"
	"switchboard/internal/router"
)

// link shows a code to somebody, or takes one they typed.
func (e *Engine) link(ctx context.Context, v Visit) (Answer, error) {
	switch {
	case e.opt.Linker == nil:
		return Answer{Text: v.Say("people.link.off")}, nil
	case v.InGroup():
		return Answer{Text: v.Say("people.link.group")}, nil
	case v.Argument != "":
		return e.useCode(ctx, v)
	}
	to := v.Message.Address
	to.Language = v.Language
	code, expires, err := e.opt.Linker.Issue(ctx, v.Person.ID, to)
	if err != nil {
		return Answer{}, err
	}
	return Answer{
		Text: v.Say("people.link.code", "code", code, "minutes", minutesUntil(expires)), Kept: v.Say("people.link.kept"),
	}, nil
}

func (e *Engine) useCode(ctx context.Context, v Visit) (Answer, error) {
	code, ok := people.ParseCode(v.Argument)
	if !ok {
		return Answer{Text: v.Say("people.link.wrong")}, nil
	}
	o, err := e.opt.Linker.Use(ctx, people.Typed{Code: code, Person: v.Person, Job: v.Job, Bot: v.Message.Bot})
	return verdictOf(v, o), err
}

// verdictOf says what became of a code, to both sides.
func verdictOf(v Visit, o people.Outcome) Answer {
	switch o.Verdict {
	case people.Linked:
		text := v.Say("people.link.linked")
		if o.Issuer.Name != "" {
			text = v.Say("people.link.linked_to", "name", o.Issuer.Name)
		}
		platform := platformName(o.Told.Language, v.Message.Platform)
		told := Visit{Language: o.Told.Language}.Say("people.link.told", "platform", platform)
		return Answer{Text: text, Notices: []Notice{{o.Told, told}}}
	case people.Own:
		return Answer{Text: v.Say("people.link.own")}
	case people.Stronger:
		return Answer{Text: v.Say("people.link.stronger")}
	case people.Locked:
		return Answer{Text: v.Say("people.link.locked", "minutes", minutesUntil(o.Until))}
	case people.Wrong:
	}
	return Answer{Text: v.Say("people.link.wrong")}
}

func minutesUntil(at time.Time) int { return max(1, int(math.Ceil(time.Until(at).Minutes()))) }

// unlink makes the account it is typed from stand on its own again.
func (e *Engine) unlink(ctx context.Context, v Visit) (Answer, error) {
	_, err := e.store.Unlink(ctx, router.Identity(v.Message), v.By())
	if bridge.KindOf(err) == bridge.KindInvalid {
		return Answer{Text: v.Say("people.unlink.alone")}, nil
	}
	return Answer{Text: v.Say("people.unlink.done")}, err
}

// typedCode tries a message that is nothing but six digits as a link code. It
// reports false when it cannot be one.
func (t *trip) typedCode(ctx context.Context) (people.Outcome, bool, error) {
	m := t.job.Message
	code, ok := people.ParseCode(m.Text)
	if t.opt.Linker == nil || m.Chat.Kind == bridge.Group || !ok {
		return people.Outcome{}, false, nil
	}
	if waiting, err := t.opt.Linker.Waiting(ctx); err != nil || !waiting {
		return people.Outcome{}, false, err
	}
	o, err := t.opt.Linker.Use(ctx, people.Typed{Code: code, Person: t.route.Person, Job: t.job.ID, Bot: m.Bot})
	return o, true, err
}

// linked is the course of saying what became of a typed code.
func (t *trip) linked(o people.Outcome) course {
	t.note(bridge.EntryCommand, 0, "", string(router.CommandLink))
	answer := verdictOf(Visit{Person: t.route.Person, Message: t.job.Message, Language: t.route.Language}, o)
	return course{act: func(ctx context.Context) error { return t.answerWith(ctx, answer) }}
}

// meet asks the directory who somebody is, if nobody knows yet.
func (t *trip) meet(ctx context.Context) {
	if t.opt.Profiles == nil {
		return
	}
	p, old := t.opt.Profiles.Meet(ctx, t.job.Message.Bot, router.Identity(t.job.Message))
	t.department, t.email, t.oldProfile = p.Department, p.Email, old
	if t.route.Person.Name == "" {
		t.route.Person.Name = p.Name
	}
}

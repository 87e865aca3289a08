package engine

import (
	"context"
	"log/slog"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/router"
)

// overtaken reads what became of a form that was not decided here. It reports true
// when nothing is known of the answer any more.
func (t *trip) overtaken(ctx context.Context, a *bridge.Action) (over bool, err error) {
	about, named, err := t.router.About(ctx, a)
	switch kind := bridge.KindOf(err); {
	case kind == bridge.KindNotFound, kind == bridge.KindForbidden:
		return true, nil
	case err != nil || !named:
		return true, err
	}
	t.click = &click{form: bridge.FormState(a.Value[bridge.ValueForm])}
	t.click.about, err = t.exchange(ctx, about)
	return false, err
}

// overtook is the course of telling who asked that a form is over, in one sentence,
// and what came of that. Nobody asked for it now: where it must not be said, it is
// not, and the form goes away all the same.
func (t *trip) overtook() (course, error) {
	x := t.click.about
	if x.Reply.Form == nil || t.route.Refused != router.RefusedNot || t.route.Muted {
		return course{}, &silentError{} // it was decided here in the meantime, or nobody may be told
	}
	state := t.click.form
	goes := state == bridge.FormDecided || state == bridge.FormLapsed
	if _, ok := t.agent().(bridge.FormWatcher); !goes || !ok || t.route.Agent != x.Reply.Agent {
		return t.words(t.say(wordsOf(state, *x.Reply.Form))), nil
	}
	t.goBackTo(decision{about: x, unasked: true})
	return course{act: t.ask, pace: t.opt.Pace(t.job.Message.Bot), asks: true}, nil
}

// wordsOf are the words for a form that is over where nothing follows them.
func wordsOf(state bridge.FormState, f bridge.Form) string {
	switch {
	case state == bridge.FormDecided:
		return "reply.form.gone"
	case router.Expired(f):
		return "reply.form.late"
	default:
		return "reply.form.dropped"
	}
}

// tidy takes a form away that is over, however its story was told. What was decided
// in the meantime is left alone.
func (t *trip) tidy(ctx context.Context) error {
	if t.click == nil || t.click.form == "" || t.click.about.Reply.Form == nil {
		return nil
	}
	row, found, err := t.store.Reply(ctx, t.click.about.Job.ID)
	if err != nil || !found || row.Form == nil {
		return err
	}
	return t.closeForm(ctx, t.click.about.Job.Message.Bot, row)
}

// closeOverdue takes away what an answer of an earlier attempt waited for before:
// that attempt may have died before it could.
func (t *trip) closeOverdue(ctx context.Context, row bridge.Reply) error {
	if row.Run.Run == "" || row.State != bridge.ReplyDelivered {
		return nil
	}
	all, err := t.awaiting(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Reply.Form != nil && x.Reply.Run.Run == row.Run.Run {
			if err := t.settleForm(ctx, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleForm takes a form away that was decided with this job, and says so where it
// was shown, if that is somewhere else.
func (t *trip) settleForm(ctx context.Context, x bridge.Exchange) error {
	there, here := x.Job.Message, t.job.Message
	if err := t.closeForm(ctx, there.Bot, x.Reply); err != nil {
		return err
	}
	if there.Chat.Kind == bridge.Group || there.Bot == here.Bot && there.Sender.ID == here.Sender.ID {
		return nil // it can be seen there
	}
	to := there.Address
	to.Language = t.router.Language(t.route.Person, there.Said())
	text := i18n.Text(to.Language, "reply.form.decided_on", "platform", platformName(to.Language, here.Platform))
	if err := t.tellOthers(ctx, Notice{to, text}, 0); err != nil {
		t.log.LogAttrs(ctx, slog.LevelWarn, "a notice was not delivered", slog.Int64("job_id", t.job.ID), slog.String("bot", to.Bot), slog.Any("error", err))
	}
	return nil
}

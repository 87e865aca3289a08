package engine

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// impatience is how soon after an answer the same click is still one that was
// made while nothing could be seen of it.
const impatience = 3 * time.Second

// click is something that was done about an answer, or that stands for words of
// its own. Methods of a nil click are those of something written.
type click struct {
	do string
	// about is the answer; without a job there is none. Gone says that nothing is
	// known of it any more.
	about bridge.Exchange
	gone  bool
	// form is what became of the form of that answer; empty for what people do.
	form bridge.FormState
}

func (c *click) does(what string) bool { return c != nil && c.do == what }

func (c *click) subject() *bridge.Exchange {
	if c == nil || c.about.Job.ID == 0 {
		return nil
	}
	return &c.about
}

// timeless says that it is as good late as in time: it asks for no answer.
func (c *click) timeless(command router.Command) bool { return c.subject() != nil && !command.Asks() }

// acted reads an action; it reports true when there is nothing more to do about
// it. A click goes on like the words that it stands for.
func (t *trip) acted(ctx context.Context) (over bool, err error) {
	a := t.job.Action
	if a == nil {
		return false, nil
	}
	switch a.Kind {
	case bridge.ActionEntered:
		return true, t.entered(ctx)
	case bridge.ActionForm:
		return t.overtaken(ctx, a)
	case bridge.ActionButton, bridge.ActionMenu, bridge.ActionReaction:
	case bridge.ActionJoined, bridge.ActionLeft, bridge.ActionRecalled:
		return true, nil // noted in the journal; nothing to answer yet
	}
	c, strange, err := t.interpret(ctx, a)
	if strange != "" {
		t.note(bridge.EntryIgnored, 0, "", strange)
	}
	if strange != "" || err != nil {
		return true, err
	}
	t.click = c
	if m := &t.job.Message; c.subject() != nil { // a click may not tell all about where it was made
		m.Chat, m.Address.Kind, m.Address.Thread = c.about.Job.Message.Chat, c.about.Job.Message.Chat.Kind, c.about.Job.Message.Chat.Thread
	}
	return false, nil
}

// interpret finds out what a click is about, or why it means nothing to us.
func (t *trip) interpret(ctx context.Context, a *bridge.Action) (c *click, strange string, err error) {
	c = &click{do: a.Value[bridge.ValueDo]}
	if t.job.Message.Text == "" {
		return c, "an unknown " + string(a.Kind), nil
	}
	about, named, err := t.router.About(ctx, a)
	switch bridge.KindOf(err) { //nolint:exhaustive // all others are trouble
	case "":
	case bridge.KindForbidden:
		return c, "a " + string(a.Kind) + " about another chat", nil
	case bridge.KindNotFound:
		id, _ := strconv.ParseInt(a.Value[bridge.ValueJob], 10, 64)
		if id >= t.job.ID {
			return c, "a " + string(a.Kind) + " about nothing there is", nil
		}
		c.gone = true
		return c, "", nil
	default:
		return c, "", err
	}
	if !named {
		if a.Kind == bridge.ActionReaction || c.does(bridge.DoAsk) || c.does(bridge.DoChoose) {
			return c, "a " + string(a.Kind) + " that names no answer", nil
		}
		return c, "", nil
	}
	c.about, err = t.exchange(ctx, about)
	return c, "", err
}

// exchange is a job with what is known of its answer.
func (t *trip) exchange(ctx context.Context, j bridge.Job) (bridge.Exchange, error) {
	found, err := t.store.Exchanges(ctx, j.Lane, j.ID+1, 1)
	if len(found) == 1 && found[0].Job.ID == j.ID {
		return found[0], err
	}
	return bridge.Exchange{Job: j}, err
}

// translate speaks the language of the answer to somebody who clicked: what was
// clicked has none.
func (t *trip) translate(ctx context.Context) error {
	if t.click == nil || t.route.Person.Language != "" {
		return nil
	}
	var said string
	if x := t.click.subject(); x != nil {
		if said = x.Job.Message.Text; t.router.Command(x.Job.Message) != router.CommandNone || said == "" {
			said = x.Reply.Text
		}
	} else {
		last, _, err := t.store.LastMessage(ctx, t.route.Person.ID)
		if err != nil {
			return err
		}
		if said = last.Text; t.router.Command(last) != router.CommandNone {
			said = ""
		}
	}
	t.route.Language = t.router.Language(t.route.Person, said)
	return nil
}

// clicked decides about a click that is not to be taken for words: one of
// somebody else's, one that comes too late, or the same one over again.
func (t *trip) clicked(ctx context.Context, resumed bool) (c course, over bool, err error) {
	if t.click == nil || resumed {
		return course{}, false, nil
	}
	if t.click.gone {
		c, err = t.once(ctx, "reply.click.gone")
		return c, true, err
	}
	x := t.click.subject()
	if x == nil {
		return course{}, false, nil
	}
	admin := t.route.Role == bridge.RoleAdmin && (t.click.does(bridge.DoStop) || t.click.does(bridge.DoChoose))
	if !own(x.Job, t.job.Message) && !admin {
		c, err = t.once(ctx, "reply.click.other")
		return c, true, err
	}
	if !t.route.Command.Asks() {
		return course{}, false, nil
	}
	switch twice, err := t.twice(ctx); {
	case err != nil:
		return course{}, true, err
	case twice:
		t.note(bridge.EntryIgnored, 0, "", "clicked twice")
		return course{}, true, &silentError{}
	}
	if (t.click.does(bridge.DoAsk) || t.click.does(bridge.DoAgain)) && x.Reply.Conversation.ID != "" && x.Reply.Conversation.ID != t.route.Session.Conversation.ID {
		c, err = t.once(ctx, "reply.click.old")
		return c, true, err
	}
	return course{}, false, nil
}

// once says something about a click, and does not repeat it to who clicks on.
func (t *trip) once(ctx context.Context, key string) (course, error) {
	t.note(bridge.EntryIgnored, 0, bridge.KindForbidden, "not done: "+key)
	say, err := t.store.Tell(ctx, key+" "+t.route.Person.ID+" "+t.route.Chat, t.job.ID, refuseEvery)
	switch {
	case err != nil:
		return course{}, err
	case !say:
		return course{}, &silentError{bridge.KindForbidden}
	}
	return t.words(t.say(key)), nil
}

// twice says that the same was clicked before, and this time while nothing could
// be seen of that yet.
func (t *trip) twice(ctx context.Context) (bool, error) {
	all, err := t.store.Exchanges(ctx, t.job.Lane, t.job.ID, lookBack)
	if err != nil {
		return false, err
	}
	for _, x := range slices.Backward(all) {
		a := x.Job.Action
		if a != nil && a.Sender.ID == t.job.Action.Sender.ID && maps.Equal(a.Value, t.job.Action.Value) {
			return t.job.AcceptedAt.Before(x.Job.FinishedAt.Add(impatience)), nil
		}
	}
	return false, nil
}

// echo repeats what was clicked, for those who see the answer and not the click, or
// says why there is an answer that nobody asked for now.
func (t *trip) echo() string {
	switch {
	case t.decision == nil || !t.decision.unasked:
	case t.click.form == bridge.FormLapsed:
		return t.say("reply.form.lapsed") + "\n\n"
	default:
		return t.say("reply.form.meanwhile") + "\n\n"
	}
	if t.click.does(bridge.DoAsk) || t.click.does(bridge.DoChoose) {
		return "> " + t.job.Message.Text + "\n\n"
	}
	return ""
}

package engine

import (
	"context"
	"slices"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// lookBack is how many questions commands look back.
const lookBack = 30

// retry asks a question again that was not answered: the one whose apology was
// clicked below, or the last one.
func (e *Engine) retry(ctx context.Context, v Visit) (Answer, error) {
	if v.About != nil {
		if !unanswered(*v.About) {
			return Answer{Text: v.Say("router.command.retry_nothing")}, nil
		}
		return e.askAgain(ctx, v, v.About.Job, "router.command.retry_nothing")
	}
	all, err := e.store.Exchanges(ctx, v.Lane, v.Job, lookBack)
	if err != nil {
		return Answer{}, err
	}
	for _, x := range slices.Backward(all) {
		m := x.Job.Message
		command := e.router.Command(m)
		switch {
		case wordless(x.Job) || !x.Job.State.Final() || !own(x.Job, v.Message):
			continue
		case !command.Asks(), command != router.CommandNone && unanswered(x):
			continue // the question it asked stands before it
		case unanswered(x) && asksSomething(m):
			return Answer{Ask: seenFrom(m, v)}, nil
		}
		break // the last question was answered
	}
	return Answer{Text: v.Say("router.command.retry_nothing")}, nil
}

// again asks a question once more, whatever became of it: the one whose answer was
// clicked below, or the last one.
func (e *Engine) again(ctx context.Context, v Visit) (Answer, error) {
	const nothing = "router.command.again_nothing"
	if v.About != nil {
		return e.askAgain(ctx, v, v.About.Job, nothing)
	}
	last, found, err := e.before(ctx, bridge.Job{ID: v.Job, Lane: v.Lane, Message: v.Message})
	if err != nil || !found {
		return Answer{Text: v.Say(nothing)}, err
	}
	return e.askAgain(ctx, v, last, nothing)
}

// askAgain asks what a job asked, or says that there is nothing of the kind.
func (e *Engine) askAgain(ctx context.Context, v Visit, j bridge.Job, nothing string) (Answer, error) {
	m, found, err := e.asked(ctx, j)
	if err != nil || !found {
		return Answer{Text: v.Say(nothing)}, err
	}
	return Answer{Ask: seenFrom(m, v)}, nil
}

// asked is the question that a job put to the agent. One that asks again put the
// same as a job before it; and a number stands for what was picked with it.
func (e *Engine) asked(ctx context.Context, j bridge.Job) (m bridge.Message, found bool, err error) {
	for range lookBack {
		switch e.router.Command(j.Message) { //nolint:exhaustive // no other asks the agent
		case router.CommandNone:
			m = j.Message
			if j.Action == nil {
				m.Text, err = e.picked(ctx, j, m.Text)
			}
			return m, asksSomething(m), err
		case router.CommandAgain, router.CommandRetry:
			if j, found, err = e.before(ctx, j); err != nil || !found {
				return m, false, err
			}
		default:
			return m, false, nil
		}
	}
	return m, false, nil
}

// before finds the job that one which asks again is about.
func (e *Engine) before(ctx context.Context, j bridge.Job) (bridge.Job, bool, error) {
	if j.Action != nil {
		if about, named, err := e.router.About(ctx, j.Action); named {
			if kind := bridge.KindOf(err); kind == bridge.KindNotFound || kind == bridge.KindForbidden {
				return about, false, nil
			}
			return about, err == nil, err
		}
	}
	all, err := e.store.Exchanges(ctx, j.Lane, j.ID, lookBack)
	if err != nil {
		return bridge.Job{}, false, err
	}
	for _, x := range slices.Backward(all) {
		question := x.Job.Action == nil || x.Job.Action.Value[bridge.ValueDo] == bridge.DoAsk
		if question && own(x.Job, j.Message) && x.Job.State.Final() && e.router.Command(x.Job.Message) == router.CommandNone && asksSomething(x.Job.Message) {
			return x.Job, true, nil
		}
	}
	return bridge.Job{}, false, nil
}

func asksSomething(m bridge.Message) bool {
	return spoken(m.Text, m) != "" || len(m.Files) > 0 || m.Quote != "" || m.QuoteID != ""
}

// seenFrom is a message as it can be asked from where somebody writes now.
func seenFrom(m bridge.Message, v Visit) *bridge.Message {
	if m.Bot != v.Message.Bot {
		m.Files, m.QuoteID = nil, "" // another bot cannot fetch them
	}
	return &m
}

// unanswered says that the person read no complete answer of the agent.
func unanswered(x bridge.Exchange) bool {
	return x.Job.State == bridge.JobDiscarded || x.Reply.State == bridge.ReplyFailed ||
		slices.ContainsFunc(x.Entries, func(e bridge.Entry) bool {
			return e.Kind == bridge.EntryStale || e.Kind == bridge.EntryStopped
		})
}

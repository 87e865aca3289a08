package engine

import (
	"context"
	"slices"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// lookBack is how many questions /retry looks back.
const lookBack = 30

// retry asks the last question again, if it was not answered.
func (e *Engine) retry(ctx context.Context, v Visit) (Answer, error) {
	all, err := e.store.Exchanges(ctx, v.Lane, v.Job, lookBack)
	if err != nil {
		return Answer{}, err
	}
	for _, x := range slices.Backward(all) {
		m := x.Job.Message
		command := e.router.Command(m)
		switch {
		case x.Job.Action != nil || !x.Job.State.Final() || v.InGroup() && m.Sender.ID != v.Message.Sender.ID:
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

// again asks the last question once more, whatever became of it.
func (e *Engine) again(ctx context.Context, v Visit) (Answer, error) {
	all, err := e.store.Exchanges(ctx, v.Lane, v.Job, lookBack)
	if err != nil {
		return Answer{}, err
	}
	for _, x := range slices.Backward(all) {
		m := x.Job.Message
		own := !v.InGroup() || m.Sender.ID == v.Message.Sender.ID
		if own && x.Job.Action == nil && x.Job.State.Final() && e.router.Command(m) == router.CommandNone && asksSomething(m) {
			return Answer{Ask: seenFrom(m, v)}, nil
		}
	}
	return Answer{Text: v.Say("router.command.again_nothing")}, nil
}

func asksSomething(m bridge.Message) bool { return spoken(m.Text, m) != "" || len(m.Files) > 0 }

// seenFrom is a message as it can be asked from where somebody writes now.
func seenFrom(m bridge.Message, v Visit) *bridge.Message {
	if m.Bot != v.Message.Bot {
		m.Files = nil // another bot cannot fetch them
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

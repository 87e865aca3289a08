package engine

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

// rate makes a handler that passes on what somebody thinks of the last answer they
// were given.
func (e *Engine) rate(rating bridge.Rating) Handler {
	return func(ctx context.Context, v Visit) (Answer, error) {
		x, found, err := e.lastAnswer(ctx, v)
		if err != nil {
			return Answer{}, err
		}
		agent, _ := e.agents(x.Job.Queue)
		feedbacker, ok := agent.(bridge.Feedbacker)
		if !found {
			return Answer{Text: v.Say("router.command.rate_nothing")}, nil
		}
		if !ok {
			return Answer{Text: v.Say("router.command.rate_not")}, nil
		}
		err = feedbacker.Feedback(ctx, x.Reply.Conversation, x.Reply.Run, rating)
		switch bridge.KindOf(err) { //nolint:exhaustive // all others are trouble
		case "":
			e.opt.Record(bridge.Entry{Kind: bridge.EntryRated, At: time.Now(), JobID: x.Job.ID, Bot: v.Message.Bot, Message: x.Job.Message.ID, Note: note(rating)})
			return Answer{Text: v.Say("router.command.rated_" + note(rating))}, nil
		case bridge.KindUnsupported, bridge.KindNotFound, bridge.KindConversationLost:
			return Answer{Text: v.Say("router.command.rate_not")}, nil
		}
		return Answer{}, err
	}
}

// note names a rating where none has to have a name, too.
func note(r bridge.Rating) string {
	if r == bridge.RatingNone {
		return "none"
	}
	return string(r)
}

// lastAnswer finds the last answer of an agent to this person. In a group that is
// the one to their own question.
func (e *Engine) lastAnswer(ctx context.Context, v Visit) (bridge.Exchange, bool, error) {
	all, err := e.store.Exchanges(ctx, v.Lane, v.Job, lookBack)
	if err != nil {
		return bridge.Exchange{}, false, err
	}
	for _, x := range slices.Backward(all) {
		own := !v.InGroup() || x.Job.Message.Sender.ID == v.Message.Sender.ID
		if own && x.Reply.State == bridge.ReplyDelivered && x.Reply.Run != (bridge.Run{}) {
			return x, true, nil
		}
	}
	return bridge.Exchange{}, false, nil
}

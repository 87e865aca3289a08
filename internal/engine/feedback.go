package engine

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

// rate makes a handler that passes on what somebody thinks of an answer: the one
// they clicked below, or the last one they were given.
func (e *Engine) rate(rating bridge.Rating) Handler {
	return func(ctx context.Context, v Visit) (Answer, error) {
		x, found, err := e.rateable(ctx, v)
		if err != nil {
			return Answer{}, err
		}
		agent, _ := e.agents(x.Job.Queue)
		feedbacker, ok := agent.(bridge.Feedbacker)
		switch {
		case !found && v.About == nil:
			return Answer{Text: v.Say("router.command.rate_nothing")}, nil
		case !found || !ok:
			return v.unrated(), nil
		}
		err = feedbacker.Feedback(ctx, x.Reply.Conversation, x.Reply.Run, rating)
		switch bridge.KindOf(err) { //nolint:exhaustive // all others are trouble
		case "":
		case bridge.KindUnsupported, bridge.KindNotFound, bridge.KindConversationLost:
			return v.unrated(), nil
		default:
			return Answer{}, err
		}
		e.opt.Record(bridge.Entry{Kind: bridge.EntryRated, At: time.Now(), JobID: x.Job.ID, Bot: v.Message.Bot, Message: x.Job.Message.ID, Note: note(rating)})
		shown, err := e.mark(ctx, x.Job.Message.Bot, x.Reply, rating)
		switch {
		case err != nil || v.Quiet || shown && v.About != nil:
			return Answer{}, err
		case v.About != nil:
			return Answer{Text: v.Say("reply.rated." + note(rating))}, nil
		default:
			return Answer{Text: v.Say("router.command.rated_" + note(rating))}, nil
		}
	}
}

// unrated is the answer to who rated what cannot be.
func (v Visit) unrated() Answer {
	if v.Quiet {
		return Answer{}
	}
	return Answer{Text: v.Say("router.command.rate_not")}
}

// rateable finds the answer that a rating is about.
func (e *Engine) rateable(ctx context.Context, v Visit) (bridge.Exchange, bool, error) {
	if v.About != nil {
		return *v.About, v.About.Reply.Run != (bridge.Run{}), nil
	}
	return e.lastAnswer(ctx, v)
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
		if own(x.Job, v.Message) && x.Reply.State == bridge.ReplyDelivered && x.Reply.Run != (bridge.Run{}) {
			return x, true, nil
		}
	}
	return bridge.Exchange{}, false, nil
}

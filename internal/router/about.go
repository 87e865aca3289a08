package router

import (
	"context"
	"fmt"
	"strconv"

	"switchboard/internal/bridge"
)

// About finds the job whose answer an action is about. One that says nothing of
// the kind has none: named is false then. A job that is not known any more is an
// error of KindNotFound. One of another bot or of another chat is of
// KindForbidden: whoever made such a click up has no say in it.
func (r *Router) About(ctx context.Context, a *bridge.Action) (about bridge.Job, named bool, err error) {
	const op = "router: about"
	word, named := a.Value[bridge.ValueJob]
	if !named {
		return about, false, nil
	}
	id, err := strconv.ParseInt(word, 10, 64)
	if err != nil || id <= 0 {
		return about, true, &bridge.Error{Kind: bridge.KindForbidden, Op: op, Detail: "not the number of a job"}
	}
	if about, err = r.store.Job(ctx, id); err != nil {
		return about, true, fmt.Errorf("%s: %w", op, err)
	}
	if m := about.Message; m.Bot != a.Bot || !sameChat(m, a) {
		return bridge.Job{}, true, &bridge.Error{Kind: bridge.KindForbidden, Op: op, Detail: "a job of another chat"}
	}
	return about, true, nil
}

// sameChat says that something was done in the chat of a message. A direct chat
// is that of a person, whatever it is called in a click.
func sameChat(m bridge.Message, a *bridge.Action) bool {
	if m.Chat.ID == a.Chat.ID {
		return true
	}
	return m.Chat.Kind != bridge.Group && a.Chat.Kind != bridge.Group && m.Sender.ID == a.Sender.ID && m.Sender.Tenant == a.Sender.Tenant
}

// clicked is About for placing: an action is accepted whatever it is about.
func (r *Router) clicked(ctx context.Context, a *bridge.Action) (about bridge.Job, known bool, err error) {
	if a == nil {
		return about, false, nil
	}
	about, named, err := r.About(ctx, a)
	switch bridge.KindOf(err) { //nolint:exhaustive // all others are trouble
	case "":
		return about, named, nil
	case bridge.KindNotFound, bridge.KindForbidden:
		return about, false, nil
	}
	return about, false, err
}

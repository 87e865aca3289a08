package send

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs to know of the house.
type Backend interface {
	// SendBots lists the bots that something can be sent with.
	SendBots() []bridge.SendBot
	// Receivers lists whom a bot can write to, those who match the text.
	Receivers(ctx context.Context, bot, text string) ([]bridge.Receiver, error)
	// PreviewSend says how something would be shown. With an error, sizes may be
	// there all the same.
	PreviewSend(ctx context.Context, s bridge.Sending) (bridge.Preview, error)
	// Send sends it. What has the key of an earlier one is not sent again.
	Send(ctx context.Context, s bridge.Sending) (bridge.Sent, error)
	// EarlierSends lists what was sent at another time or from elsewhere, the latest
	// first.
	EarlierSends(ctx context.Context) ([]bridge.EarlierSend, error)
	// TakeBack recalls what was sent under a key.
	TakeBack(ctx context.Context, key string) error
}

// Options are what the window around the page lends it.
type Options struct {
	// Lasting is the life of the window: what is being sent goes on while the page is
	// built anew, with another language.
	Lasting context.Context //nolint:containedctx // callbacks of widgets get none
	// Pick lets the admin choose a file, or only a picture; got is called on the
	// window's goroutine, unless nothing is chosen.
	Pick func(pictures bool, got func(name string, data []byte, err error))
}

package reply

import (
	"context"
	"fmt"

	"switchboard/internal/bridge"
)

// Offer adds buttons to what is decided next, by Finish, Break or Fail. They
// stand below the last of the text, where the bot can show them.
func (w *Writer) Offer(buttons ...bridge.Button) { w.buttons = append(w.buttons, buttons...) }

// Redraw shows an answer that was delivered once more, with the buttons that its
// row has now. Only one that grew and that is a single message can be shown again;
// for any other the error is of KindUnsupported, and nothing happens.
func Redraw(ctx context.Context, bot bridge.Bot, limits bridge.Capabilities, row bridge.Reply) error {
	streamer, ok := bot.(bridge.Streamer)
	if !ok || !limits.Buttons || row.Draft.Bot == "" || row.Text == "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "reply: redraw"}
	}
	parts := texts(row, limits)
	if len(parts) > 1 {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "reply: redraw", Detail: "the buttons are in a message of their own"}
	}
	draft, err := streamer.Resume(ctx, row.Draft)
	if err == nil {
		_, err = draft.Finish(ctx, bridge.Card{Text: parts[0].text, Buttons: parts[0].buttons})
	}
	if err != nil {
		return fmt.Errorf("reply: redraw: %w", err)
	}
	return nil
}

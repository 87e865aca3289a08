package overview

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs to know of the house.
type Backend interface {
	// Overview returns the state of the house at this moment.
	Overview(ctx context.Context) (bridge.Overview, error)
	// Notices returns what needs attention, the worst first, in words.
	Notices(lang bridge.Language) []bridge.Notice
	// Reconnect takes the connection to the public address up again at once.
	Reconnect()
}

package live

import (
	"context"
	"time"

	"switchboard/internal/bridge"
)

// Shell is what a page may ask of the window around it. Its methods are called
// on the window's goroutine.
type Shell interface {
	// Say shows one short sentence for a moment.
	Say(text string)
	// Trouble shows an error in words, with the next step.
	Trouble(err error)
	// Copy puts a text on the clipboard and says so.
	Copy(text string)
	// Visit opens a page of the window.
	Visit(page string)
	// Open shows a folder or an address in the desktop's own program.
	Open(target string)
}

// The pages of the window.
const (
	PageOverview   = "overview"
	PageTalks      = "talks"
	PagePeople     = "people"
	PageSend       = "send"
	PagePlayground = "playground"
	PageRoutes     = "routes"
	PagePrivacy    = "privacy"
	PageSettings   = "settings"
)

// Kit is what every page is built with.
type Kit struct {
	Hub   *Hub
	Words Words
	Shell Shell
	// Now is the clock times are told by.
	Now func() time.Time
}

// Tick is the kind of change that only means that time has passed: "2 min ago"
// has to become "3 min ago".
const Tick bridge.ChangeKind = "tick"

const tickEvery = 15 * time.Second

// Debounce returns a function that calls f on the window's goroutine once it
// has not been called for a while: for search boxes.
func Debounce(ctx context.Context, h *Hub, pause time.Duration, f func()) func() {
	timer := time.AfterFunc(pause, func() {
		h.Do(ctx, f)
	})
	timer.Stop()
	context.AfterFunc(ctx, func() { timer.Stop() })
	return func() { timer.Reset(pause) }
}

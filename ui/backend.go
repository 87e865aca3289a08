package ui

import (
	"context"

	"switchboard/internal/bridge"
	"switchboard/ui/page/overview"
	"switchboard/ui/page/people"
	"switchboard/ui/page/playground"
	"switchboard/ui/page/privacy"
	"switchboard/ui/page/routes"
	"switchboard/ui/page/send"
	"switchboard/ui/page/settings"
	"switchboard/ui/page/talks"
	"switchboard/ui/page/welcome"
)

// Backend is the house as the window sees it: the sum of what each page asks
// for, and of the frame around them. All methods may be called
// from several goroutines at once. Methods without a context answer from memory.
type Backend interface {
	Daily
	SetUp
	House
}

// Daily is what the pages ask for that are looked at every day.
type Daily interface {
	overview.Backend
	talks.Backend
	people.Backend
	send.Backend
	playground.Backend
}

// SetUp is what the pages ask for on which something is set up.
type SetUp interface {
	privacy.Backend
	routes.Backend
	settings.Backend
	welcome.Backend
}

// House is what the frame around the pages asks for.
type House interface {
	// Watch tells what changed until ctx ends; then the channel is closed. A
	// slow reader misses changes of the same kind rather than holding up others.
	Watch(ctx context.Context) <-chan bridge.Change
	// Pause stops or resumes answering. While paused, messages are accepted and
	// wait.
	Pause(ctx context.Context, on bool) error
	// FirstRun says that nothing has been set up yet.
	FirstRun() bool
}

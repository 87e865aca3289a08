package main

import (
	"context"
	"errors"
	"log/slog"

	"switchboard/ui"
)

// openBackend opens the house; the returned function closes it.
type openBackend func(ctx context.Context, o options, log *slog.Logger) (ui.Backend, func(), error)

var errNotWired = errors.New("the engine is not part of this build")

// newBackend opens the real house.
func newBackend(context.Context, options, *slog.Logger) (ui.Backend, func(), error) {
	return nil, nil, errNotWired
}

// withoutDesktop is the way out where there is no desktop at all.
func withoutDesktop(ctx context.Context, _ options, log *slog.Logger) int {
	log.ErrorContext(ctx, "there is no desktop here (DISPLAY and WAYLAND_DISPLAY are empty); use switchboardd on a server")
	return exitNoDesktop
}

package main

import (
	"context"
	"fmt"
	"log/slog"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/ui"
)

// openBackend opens the house; the returned function closes it.
type openBackend func(ctx context.Context, o options, log *slog.Logger) (ui.Backend, func(), error)

// newBackend opens the real house and lets it run beside the window.
func newBackend(ctx context.Context, o options, log *slog.Logger) (ui.Backend, func(), error) { //nolint:ireturn // the seam to the window
	house, err := app.Open(ctx, app.Options{
		Data: o.data, Config: o.config, Version: version, Log: log, Redactor: o.redactor, Level: o.level, Patient: true,
		Passphrase: o.ask,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("switchboard: %w", err)
	}
	log = house.Log()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := house.Run(ctx); err != nil {
			log.ErrorContext(ctx, "the server stopped", "error", err)
		}
	}()
	return house, func() {
		stop()
		<-ended
		if err := house.Close(context.WithoutCancel(ctx)); err != nil {
			log.ErrorContext(ctx, "closing", "error", err)
		}
	}, nil
}

// logging is a backend with a log that goes into files too.
type logging interface{ Log() *slog.Logger }

// showable is a backend that a second start can ask for the window.
type showable interface{ OnShow(show func()) }

// showFirst hands over to the program that is running already.
func showFirst(ctx context.Context, o options, log *slog.Logger) int {
	err := app.ShowRunning(ctx, app.Options{Data: o.data, Config: o.config})
	switch {
	case err == nil:
		log.InfoContext(ctx, "already running; its window was brought to the front")
		return exitOK
	case bridge.KindOf(err) == bridge.KindUnsupported:
		log.ErrorContext(ctx, "already running on this data folder, without a window; stop it first, or choose another folder with --data", "data", o.data)
	default:
		log.ErrorContext(ctx, "already running on this data folder, but it does not answer; look for its icon in the tray, or stop it", "data", o.data, "error", err)
	}
	return exitRunning
}

// withoutDesktop is the way out where there is no desktop at all.
func withoutDesktop(ctx context.Context, _ options, log *slog.Logger) int {
	log.ErrorContext(ctx, "there is no desktop here (DISPLAY and WAYLAND_DISPLAY are empty); use switchboardd on a server")
	return exitNoDesktop
}

// Command switchboard is the desktop app: the whole webhook server with a window
// and a tray icon in one process.
//
// It is the only place that imports the toolkit's driver. Where no window can be
// shown it keeps serving without one; where there is no desktop at all it says
// so and exits with code 3.
//
// A start that fails says why in a window, with the ways out: a backup, an empty
// database, or to try again when something was put right; it exits with code 1 when
// none is taken.
//
// Where the secrets are in an encrypted file and the environment does not tell its
// passphrase, a window asks for it before the house opens.
//
// A second start on the same data brings the first one's window to the front and
// exits with code 0; if the first one has no window, the second says so and exits
// with code 4.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // office hours name zones, and not every machine knows them

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/logs"
)

// version has to agree with FyneApp.toml; a test compares them.
const version = "0.1.0"

// Exit codes.
const (
	exitOK        = 0
	exitTrouble   = 1
	exitUsage     = 2
	exitNoDesktop = 3
	exitRunning   = 4
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], newBackend)
	stop()
	os.Exit(code)
}

// run does everything main does, with the house as a parameter.
func run(ctx context.Context, args []string, open openBackend) int {
	o, err := parse(args, os.Stderr)
	log := slog.New(logs.NewText(os.Stderr, logs.Options{Level: o.level, Redactor: o.redactor}))
	switch {
	case err != nil:
		return exitUsage
	case o.probe:
		return probeWindow()
	case !desktopThere(os.Getenv):
		return withoutDesktop(ctx, o, log)
	}
	preferX11(os.Getenv, os.Setenv)
	catchCrashes(ctx, o.data, log)
	able := make(chan error, 1)
	go func() { able <- tryWindow(ctx) }()
	b := begin(ctx, o, log, open)
	defer b.stop()
	select {
	case asked := <-b.asked:
		cannot := <-able
		if cannot == nil {
			return unlockDesktop(ctx, o, log, open, b, asked)
		}
		able <- cannot           // which is needed again
		asked <- bridge.Secret{} // there is nowhere to ask
		<-b.done
	case <-b.done:
	}
	return shown(ctx, o, log, open, b.got, able)
}

// shown goes on with what came of opening the house; able tells why no window
// can be shown.
func shown(ctx context.Context, o options, log *slog.Logger, open openBackend, got opened, able <-chan error) int {
	switch {
	case errors.Is(got.err, app.ErrRunning):
		return showFirst(ctx, o, log)
	case got.err != nil:
		cannotStart(ctx, o, log, got.err)
		if <-able != nil {
			return exitTrouble
		}
		return repairDesktop(ctx, o, log, open, got.err)
	}
	defer got.close()
	if err := <-able; err != nil {
		log.ErrorContext(ctx, "no window can be shown here (OpenGL is missing?); serving without one, stop with Ctrl+C", "error", err)
		<-ctx.Done()
		return exitOK
	}
	return desktop(ctx, o, log, got.backend)
}

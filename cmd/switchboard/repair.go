package main

import (
	"context"
	"log/slog"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/ui"
)

// repairs are the ways out when the house does not open.
type repairs struct {
	o    options
	log  *slog.Logger
	open func() (ui.Backend, func(), error)

	backend ui.Backend // once it is open
	close   func()
}

func (r *repairs) options() app.Options {
	return app.Options{Data: r.o.data, Config: r.o.config, Version: version, Redactor: r.o.redactor, By: bridge.Actor{Where: "window"}}
}

// Words implements repair.Backend.
func (r *repairs) Words(lang bridge.Language, err error) string {
	return app.Words(lang, err, r.o.data)
}

// Repairable implements repair.Backend.
func (*repairs) Repairable(err error) bool { return app.Repairable(err) }

// Backups implements repair.Backend.
func (r *repairs) Backups() ([]bridge.Backup, error) { return app.Backups(r.options()) }

// Restore implements repair.Backend.
func (r *repairs) Restore(ctx context.Context, file string) error {
	kept, err := app.Restore(ctx, r.options(), file)
	if err == nil {
		r.log.InfoContext(ctx, "a backup was restored", "backup", file, "kept", kept)
	}
	return err
}

// Salvage implements repair.Backend.
func (r *repairs) Salvage(ctx context.Context, file string) (bridge.Salvaged, error) {
	got, err := app.SalvageTo(ctx, r.options(), file)
	if err == nil {
		r.log.InfoContext(ctx, "what can be read of the database was exported", "rows", got.Rows, "gaps", got.Gaps)
	}
	return got, err
}

// DiagnoseTrouble implements repair.Backend.
func (r *repairs) DiagnoseTrouble(ctx context.Context, file string, cause error) error {
	return app.DiagnoseTrouble(ctx, r.options(), file, cause)
}

// StartFresh implements repair.Backend.
func (r *repairs) StartFresh(ctx context.Context) error {
	kept, err := app.StartFresh(ctx, r.options())
	if err == nil {
		r.log.InfoContext(ctx, "the database was put aside", "kept", kept)
	}
	return err
}

// Open implements repair.Backend. The house outlives the window it was opened in,
// and with it the context.
func (r *repairs) Open(context.Context) (err error) {
	r.backend, r.close, err = r.open()
	return err
}

// repairDesktop shows why the house does not open, and goes on like desktop when
// somebody has found a way out.
func repairDesktop(ctx context.Context, o options, log *slog.Logger, open openBackend, cause error) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &repairs{o: o, log: log, open: func() (ui.Backend, func(), error) { return open(ctx, o, log) }}
	a := newApp()
	end := func() {}
	ui.ShowRepair(ctx, a, r, cause, o.data, windowOptions(ctx, o, log), func() {
		visible := o
		visible.hidden = false // somebody sits before it
		_, end = start(ctx, a, visible, log, r.backend)
	})
	a.Run()
	if r.close == nil {
		return exitTrouble
	}
	end()
	r.close()
	return exitOK
}

// cannotStart says why on the terminal too, in words.
func cannotStart(ctx context.Context, o options, log *slog.Logger, err error) {
	words := app.Words(bridge.English, err, o.data)
	log.ErrorContext(ctx, "cannot start", "reason", words, "repairable", app.Repairable(err), "error", err)
}

package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/lang"

	"switchboard/assets"
	"switchboard/ui"
)

const appID = "io.switchboard.desktop"

func newApp() fyne.App {
	app.SetMetadata(fyne.AppMetadata{ // in code, so that plain go build is enough
		ID: appID, Name: "Switchboard", Version: version, Icon: fyne.NewStaticResource("app.svg", assets.Icon("app.svg")),
	})
	return app.NewWithID(appID)
}

// desktop shows the window and blocks until the app is quit.
func desktop(ctx context.Context, o options, log *slog.Logger, backend ui.Backend) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := newApp()
	w, end := start(ctx, a, o, log, backend)
	defer end()
	code := exitOK
	if o.smoke != "" {
		go func() {
			if err := smoke(ctx, o.smoke, w); err != nil {
				log.ErrorContext(ctx, "smoke", "error", err)
				code = exitTrouble
			}
			w.Quit(ctx)
		}()
	}
	a.Run()
	return code
}

// start shows the window of a house; the returned function takes it from the
// reach of a second start.
func start(ctx context.Context, a fyne.App, o options, log *slog.Logger, backend ui.Backend) (*ui.Window, func()) {
	if b, ok := backend.(logging); ok {
		log = b.Log()
	}
	w := ui.New(ctx, a, backend, windowOptions(ctx, o, log))
	w.Start(ctx)
	b, ok := backend.(showable)
	if !ok {
		return w, func() {}
	}
	b.OnShow(func() { w.Raise(ctx) })
	return w, func() { b.OnShow(nil) }
}

func windowOptions(ctx context.Context, o options, log *slog.Logger) ui.Options {
	return ui.Options{Log: log, Hidden: o.hidden, TrayHost: ui.TrayHost(ctx), Locale: lang.SystemLocale().String(), Version: version}
}

// desktopThere says whether there is a desktop to show a window on.
func desktopThere(env func(string) string) bool {
	if runtime.GOOS != "linux" {
		return true
	}
	return env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != ""
}

// preferX11 avoids native Wayland, where Chinese input methods do not work in
// this toolkit, unless the user chose otherwise.
func preferX11(env func(string) string, set func(key, value string) error) {
	if runtime.GOOS == "linux" && env("FYNE_PLATFORM") == "" && env("DISPLAY") != "" {
		_ = set("FYNE_PLATFORM", "x11") // without it the toolkit chooses itself
	}
}

// catchCrashes leaves the stack of a crash in the data folder.
func catchCrashes(ctx context.Context, dir string, log *slog.Logger) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		log.WarnContext(ctx, "no crash file", "error", err)
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, "crash.txt"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in the folder the user chose
	if err != nil {
		log.WarnContext(ctx, "no crash file", "error", err)
		return
	}
	defer func() { _ = f.Close() }()
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		log.WarnContext(ctx, "no crash file", "error", err)
	}
}

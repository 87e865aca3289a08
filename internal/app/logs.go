package app

import (
	"context"
	"log/slog"
	"path/filepath"

	"switchboard/internal/logs"
)

func logFile(data string) string { return filepath.Join(data, "logs", "switchboard.log") }

// openLog makes the log go into files too. It goes on without them when they
// cannot be written.
func (a *App) openLog(ctx context.Context) {
	a.opt.Level.Set(level(a.settings.Log.Level))
	files, err := logs.OpenFile(logFile(a.opt.Data), logs.FileOptions{})
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "the log goes into no file", slog.Any("error", err))
		return
	}
	a.files = files
	ours := logs.NewHandler(files, logs.Options{Level: a.opt.Level, Redactor: a.opt.Redactor})
	a.log = slog.New(slog.NewMultiHandler(a.opt.Log.Handler(), ours))
	a.log.LogAttrs(ctx, slog.LevelInfo, "switchboard starts", slog.String("version", a.opt.Version))
}

func (a *App) closeLog() error {
	if a.files == nil {
		return nil
	}
	return a.files.Close()
}

// Log is the log of the house, for what belongs to it.
func (a *App) Log() *slog.Logger { return a.log }

func level(name string) slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo // the settings know no others
	}
	return l
}

package app

import (
	"context"
	"fmt"
	"log/slog"

	"switchboard/internal/bridge"
	"switchboard/internal/settings"
)

// stored is what the settings file says. The window asks for it while it paints, so
// it waits for nobody who writes the file or the audit.
func (a *App) stored() settings.Settings {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.saved
}

// change writes changed settings into the file; following them is up to the
// caller. The note says in the audit what it was about.
func (a *App) change(ctx context.Context, note string, edit func(*settings.Settings)) error {
	a.saving.Lock()
	defer a.saving.Unlock()
	want := a.saved
	edit(&want)
	saved, err := settings.Save(a.opt.Config, want, known(a.opt.Connectors))
	if err != nil {
		return fmt.Errorf("app: settings: %w", err)
	}
	a.mu.Lock()
	a.saved = saved
	a.mu.Unlock()
	if err := wrote(a.opt); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "the settings file is looked at anew next time", slog.Any("error", err))
	}
	err = a.store.Audit(ctx, bridge.Audit{Kind: bridge.AuditSettings, By: bridge.Actor{Where: "window"}, Note: note})
	if err != nil { // the file is written, and counts
		a.log.LogAttrs(ctx, slog.LevelError, "a change of the settings is not in the audit", slog.Any("error", err))
	}
	return nil
}

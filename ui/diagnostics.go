package ui

import (
	"context"
	"path/filepath"

	"switchboard/ui/live"
)

// saveDiagnostics saves the diagnostics in the data folder and shows that.
func (w *Window) saveDiagnostics(ctx context.Context) {
	dir := w.backend.DataDir()
	path := filepath.Join(dir, "switchboard-diagnostics-"+w.options.Now().Format("20060102-150405")+".zip")
	live.Act(ctx, w.hub, func(ctx context.Context) error { return w.backend.Diagnose(ctx, path) }, func(err error) {
		s := &shell{w}
		if err != nil {
			s.Trouble(err)
			return
		}
		s.Say(w.words.T("settings.diagnostics.saved", "file", filepath.Base(path)))
		s.Open(dir)
	})
}

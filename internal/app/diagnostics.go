package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"switchboard/internal/admin"
	"switchboard/internal/bridge"
	"switchboard/internal/logs"
	"switchboard/internal/settings"
)

// latest is how many questions are looked for in the diagnostics.
const latest = 2000

// aboutReport is what the diagnostics say of the program itself.
type aboutReport struct {
	Version string    `json:"version"`
	Go      string    `json:"go"`
	System  string    `json:"system"`
	Cores   int       `json:"cores"`
	Since   time.Time `json:"since"`
	Now     time.Time `json:"now"`
}

// Diagnose saves what helps to find a fault from far away: the log, the settings
// and how the house stands. Secrets and what people wrote are not in it; when they
// cannot be kept out, nothing is saved.
func (a *App) Diagnose(ctx context.Context, path string) error {
	b, err := a.bundle(ctx)
	if err != nil {
		return fmt.Errorf("app: diagnostics: %w", err)
	}
	return logs.Save(path, b)
}

func (a *App) bundle(ctx context.Context) (logs.Bundle, error) {
	texts, err := a.store.Texts(ctx, latest)
	if err != nil {
		return logs.Bundle{}, err
	}
	status, err := a.status(ctx)
	if err != nil {
		return logs.Bundle{}, err
	}
	var metrics, routines bytes.Buffer
	if err := errors.Join(a.writeMetrics(ctx, &metrics), pprof.Lookup("goroutine").WriteTo(&routines, 1)); err != nil {
		return logs.Bundle{}, err
	}
	b := logs.Bundle{
		Files: map[string]any{
			"about.json":  aboutReport{a.opt.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, runtime.NumCPU(), a.since, time.Now()},
			"status.json": status, "notices.json": a.Notices(bridge.English), "metrics.txt": metrics.String(), "goroutines.txt": routines.String(),
		},
		Secrets: a.opt.Redactor.Known(), Texts: texts,
	}
	if a.files != nil {
		b.Logs = a.files.Paths()
	}
	for name, file := range map[string]string{"switchboard.yaml": a.opt.Config, "crash.txt": filepath.Join(a.opt.Data, "crash.txt")} {
		text, err := os.ReadFile(file) //nolint:gosec // files of ours
		if err == nil {
			b.Files[name] = string(text)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return b, nil
}

// diagnose writes the diagnostics for a caller of the admin listener.
func (a *App) diagnose(ctx context.Context, w io.Writer) error {
	dir, err := os.MkdirTemp("", "switchboard-")
	if err != nil {
		return fmt.Errorf("app: diagnostics: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "diagnostics.zip")
	if err := a.Diagnose(ctx, path); err != nil {
		return err
	}
	f, err := os.Open(path) //nolint:gosec // written just now
	if err != nil {
		return fmt.Errorf("app: diagnostics: %w", err)
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// SaveDiagnostics saves the diagnostics of a data directory, by asking the program
// that uses it if there is one.
func SaveDiagnostics(ctx context.Context, opt Options, path string) error {
	opt = opt.filled()
	a, err := Open(ctx, opt)
	switch {
	case err == nil:
		return errors.Join(a.Diagnose(ctx, path), a.Close(ctx))
	case !errors.Is(err, ErrRunning):
		return err
	}
	address, token, err := running(ctx, opt)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := admin.Diagnostics(ctx, address, token, &text); err != nil {
		return fmt.Errorf("app: diagnostics: %w", err)
	}
	if err := replaceFile(path, text.Bytes()); err != nil {
		return fmt.Errorf("app: diagnostics: %w", err)
	}
	return nil
}

// running says how to reach the program that uses a data directory.
func running(ctx context.Context, opt Options) (string, bridge.Secret, error) {
	address, err := os.ReadFile(addressFile(opt.Data))
	if err != nil {
		return "", bridge.Secret{}, &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: running", Err: err}
	}
	s, _, err := settings.Load(opt.Config, known(opt.Connectors))
	if err != nil {
		return "", bridge.Secret{}, fmt.Errorf("app: running: %w", err)
	}
	token, err := adminToken(ctx, opt, s)
	return string(address), token, err
}

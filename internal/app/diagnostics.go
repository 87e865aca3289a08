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
	Since   time.Time `json:"since,omitzero"`
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
			"about.json":  about(a.opt, a.since),
			"status.json": status, "notices.json": a.Notices(bridge.English), "metrics.txt": metrics.String(), "goroutines.txt": routines.String(),
		},
		Secrets: a.opt.Redactor.Known(), Texts: texts,
	}
	if a.files != nil {
		b.Logs = a.files.Paths()
	}
	if b.Files["switchboard.yaml"], err = settingsText(a.opt); err != nil {
		return b, err
	}
	crash, err := os.ReadFile(crashFile(a.opt.Data))
	if err == nil {
		b.Files["crash.txt"] = string(crash)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	return b, nil
}

func crashFile(data string) string { return filepath.Join(data, "crash.txt") }

func about(opt Options, since time.Time) aboutReport {
	return aboutReport{opt.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, runtime.NumCPU(), since, time.Now()}
}

// settingsText is the settings file as it may be shown to others: with mistakes in
// it, a secret may stand anywhere.
func settingsText(opt Options) (string, error) {
	text, err := os.ReadFile(opt.Config)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if _, problems := settings.Parse(text, known(opt.Connectors)); len(problems) == 0 {
		return string(text), nil
	}
	words := []string{kindDify, kindEcho, "ngrok", "url", "none", "auto", "smooth", "economy", "off", "open", "approval", "closed", "known"}
	for _, c := range opt.Connectors {
		words = append(words, string(c.Platform))
		for _, m := range c.Modes {
			words = append(words, string(m.ID))
		}
	}
	return settings.Outline(string(text), words), nil
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
// that uses it if there is one. When it does not answer, or nothing opens, they say
// why, with what there is on the disk.
func SaveDiagnostics(ctx context.Context, opt Options, path string) error {
	opt = opt.filled()
	a, err := Open(ctx, opt)
	switch {
	case err == nil:
		return errors.Join(a.Diagnose(ctx, path), a.Close(ctx))
	case !errors.Is(err, ErrRunning):
		return DiagnoseTrouble(ctx, opt, path, err)
	}
	address, token, err := running(ctx, opt)
	var text bytes.Buffer
	if err == nil {
		err = admin.Diagnostics(ctx, address, token, &text)
	}
	if err != nil && ctx.Err() == nil {
		return DiagnoseTrouble(ctx, opt, path, err)
	}
	if err == nil {
		err = replaceFile(path, text.Bytes())
	}
	if err != nil {
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

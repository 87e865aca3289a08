package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"switchboard/ui"
)

const (
	smokeLimit = 20 * time.Second
	smokeLook  = 50 * time.Millisecond
)

// smoke shows every page. For each it leaves an empty file NAME.ready and goes
// on when somebody has taken the picture and removed the file.
func smoke(ctx context.Context, dir string, w *ui.Window) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // pictures are for everybody
		return fmt.Errorf("smoke: %w", err)
	}
	return w.Tour(ctx, func(name string) error {
		file := filepath.Join(dir, name+".ready")
		if err := os.WriteFile(file, nil, 0o600); err != nil { //nolint:gosec // in the folder the user chose
			return fmt.Errorf("smoke: %w", err)
		}
		return gone(ctx, file)
	})
}

func gone(ctx context.Context, file string) error {
	ctx, cancel := context.WithTimeout(ctx, smokeLimit)
	defer cancel()
	look := time.NewTicker(smokeLook)
	defer look.Stop()
	for {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) { //nolint:gosec // in the folder the user chose
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("smoke: nobody took the picture %s: %w", filepath.Base(file), ctx.Err())
		case <-look.C:
		}
	}
}

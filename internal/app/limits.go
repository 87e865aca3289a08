package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/quota"
	"switchboard/internal/settings"
)

// limitsKept is how often what people asked is written down. A crash forgets at
// most that much.
const limitsKept = 5 * time.Second

// limits is the counter of the settings' limits. The demonstration is free.
type limits struct {
	settings settings.Limits
	counter  *quota.Counter
}

func newLimits(l settings.Limits) *limits { return &limits{l, quota.New(quota.Limits{})} }

// Take implements engine.Limits.
func (l *limits) Take(p bridge.Person, role bridge.Role, agent string) (quota.Refusal, bool) {
	if agent == demoAgent {
		return quota.Refusal{}, false
	}
	of := l.settings.Of(role)
	return l.counter.TakeWithin(p.ID, quota.Limits{PerMinute: of.PerMinute, PerDay: of.PerDay, TokensPerDay: of.TokensPerDay})
}

// Spend implements engine.Limits.
func (l *limits) Spend(p bridge.Person, agent string, tokens int) {
	if agent != demoAgent {
		l.counter.Spend(p.ID, tokens)
	}
}

func (a *App) limitsFile() string { return filepath.Join(a.opt.Data, "limits.json") }

// restoreLimits takes up what was counted before a restart. What cannot be read
// is counted anew: nobody is refused for it.
func (a *App) restoreLimits(ctx context.Context) {
	text, err := os.ReadFile(a.limitsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = a.limits.counter.Restore(text)
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "what people asked today is counted anew", slog.Any("error", err))
	}
}

// keepLimits writes down what was counted until ctx ends, and then the rest.
func (a *App) keepLimits(ctx context.Context) error {
	tick := time.NewTicker(limitsKept)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.saveLimits()
		case <-tick.C:
			if err := a.saveLimits(); err != nil {
				return err
			}
		}
	}
}

func (a *App) saveLimits() error {
	text, changed, err := a.limits.counter.Changes()
	if err != nil || !changed {
		return err
	}
	if err := replaceFile(a.limitsFile(), text); err != nil {
		return fmt.Errorf("app: limits: %w", err)
	}
	return nil
}

// replaceFile writes a small private file so that it is there whole or as it was.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".switchboard-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone when the rename worked
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

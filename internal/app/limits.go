package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/quota"
	"switchboard/internal/settings"
)

const (
	// limitsKept is how often the notes of what people asked are brought to the
	// disk. A program that is killed forgets nothing, because the system has them;
	// a computer that loses power forgets at most that much.
	limitsKept = 5 * time.Second
	// notesAtMost is how many bytes of notes are kept before all is written anew.
	notesAtMost = 256 << 10
)

// limits is the counter of the settings' limits. The demonstration is free.
type limits struct {
	settings settings.Limits
	counter  *quota.Counter

	mu     sync.Mutex
	notes  *os.File // nil until they are kept
	size   int64
	fresh  bool  // some of them are not on the disk
	failed error // of the last note
}

func newLimits(l settings.Limits) *limits {
	return &limits{settings: l, counter: quota.New(quota.Limits{})}
}

// note adds a line to the notes. One that cannot be written is an error of the
// next look at them, not of the question.
func (l *limits) note(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notes == nil {
		return
	}
	n, err := l.notes.Write(line)
	l.size, l.fresh = l.size+int64(n), true
	l.failed = errors.Join(l.failed, err)
}

// sync brings the notes to the disk, and tells whether there are so many of them,
// or so bad ones, that all is to be written anew.
func (l *limits) sync() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notes == nil || l.failed != nil || l.size > notesAtMost {
		return true
	}
	fresh := l.fresh
	l.fresh = false
	return fresh && l.notes.Sync() != nil
}

// forget drops the notes, because all is written down.
func (l *limits) forget() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notes == nil {
		return nil
	}
	l.size, l.failed = 0, nil
	return l.notes.Truncate(0)
}

// Take implements engine.Limits.
func (l *limits) Take(p bridge.Person, role bridge.Role, agent string) (quota.Refusal, bool) {
	if agent == demoAgent {
		return quota.Refusal{}, false
	}
	of := l.settings.Of(role)
	return l.counter.TakeWithin(p.ID, quota.Limits{PerMinute: of.PerMinute, PerDay: of.PerDay, TokensPerDay: of.TokensPerDay})
}

// left is what a person may still ask today.
func (l *limits) left(p bridge.Person, role bridge.Role) bridge.Quota {
	of := l.settings.Of(role)
	q := bridge.Quota{PerDay: of.PerDay, TokensPerDay: of.TokensPerDay}
	q.Asked, q.Tokens, q.Resets = l.counter.Today(p.ID)
	return q
}

// Spend implements engine.Limits.
func (l *limits) Spend(p bridge.Person, agent string, tokens int) {
	if agent != demoAgent {
		l.counter.Spend(p.ID, tokens)
	}
}

func (a *App) limitsFile() string { return filepath.Join(a.opt.Data, "limits.json") }

func (a *App) notesFile() string { return filepath.Join(a.opt.Data, "limits.log") }

// restoreLimits takes up what was counted before a restart, and notes from now on
// what is. What cannot be read is counted anew: nobody is refused for it.
func (a *App) restoreLimits(ctx context.Context) {
	text, err := os.ReadFile(a.limitsFile())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	lines, notes := os.ReadFile(a.notesFile())
	if errors.Is(notes, fs.ErrNotExist) {
		notes = nil
	}
	if err = errors.Join(err, notes); err == nil {
		err = a.limits.counter.Restore(text, lines)
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "what people asked today is counted anew", slog.Any("error", err))
	}
	f, err := os.OpenFile(a.notesFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "what people ask is written down every few seconds only", slog.Any("error", err))
		return
	}
	a.limits.notes, a.limits.size = f, int64(len(lines))
	a.limits.counter.Note(a.limits.note)
}

// keepLimits brings what was counted to the disk until ctx ends, and then writes
// all of it down.
func (a *App) keepLimits(ctx context.Context) error {
	tick := time.NewTicker(limitsKept)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.saveLimits()
		case <-tick.C:
			if !a.limits.sync() {
				continue
			}
			if err := a.saveLimits(); err != nil {
				return err
			}
		}
	}
}

// saveLimits writes down all that was counted, and drops the notes.
func (a *App) saveLimits() error {
	err := a.limits.counter.Save(func(text []byte) error {
		if err := replaceFile(a.limitsFile(), text); err != nil {
			return err
		}
		return a.limits.forget()
	})
	if err != nil {
		return fmt.Errorf("app: limits: %w", err)
	}
	return nil
}

// closeLimits ends the notes.
func (a *App) closeLimits() error {
	a.limits.mu.Lock()
	defer a.limits.mu.Unlock()
	if a.limits.notes == nil {
		return nil
	}
	f := a.limits.notes
	a.limits.notes = nil
	return f.Close()
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

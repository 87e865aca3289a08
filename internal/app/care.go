package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/settings"
	"switchboard/internal/store"
)

func databaseFile(data string) string { return filepath.Join(data, "switchboard.db") }

func backupDir(data string) string { return filepath.Join(data, "backups") }

// runCare looks after the database every night.
func (a *App) runCare(ctx context.Context) error {
	care := store.NewCare(a.store, store.CareOptions{
		Backups: backupDir(a.opt.Data), Told: func(err error) { a.cared(ctx, err) },
		Keep: func() (content, rows time.Duration) {
			p := a.Privacy()
			return days(p.ContentDays), days(p.RecordDays)
		},
	})
	return care.Run(ctx)
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// cared keeps the warning true to how the last round went.
func (a *App) cared(ctx context.Context, err error) {
	changed := false
	if err == nil {
		changed = a.health.Clear(health.CareFailing, "")
	} else {
		a.log.LogAttrs(ctx, slog.LevelError, "the database could not be looked after", slog.Any("error", err))
		changed = a.health.Raise(health.Warning{Code: health.CareFailing, Severity: bridge.SeverityError, Err: err})
	}
	if changed {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

// Repairable says that Restore and StartFresh lead out of an error of Open.
func Repairable(err error) bool {
	return errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNewer)
}

// Backups lists the backups in the data directory, the latest first.
func Backups(opt Options) ([]bridge.Backup, error) { return store.Backups(backupDir(opt.Data)) }

// BackUp makes a backup and looks for damage in it. Another program may use the
// data directory meanwhile.
func BackUp(ctx context.Context, opt Options) (bridge.Backup, error) {
	if err := local(opt, "backup"); err != nil {
		return bridge.Backup{}, err
	}
	b, err := store.BackUp(ctx, databaseFile(opt.Data), backupDir(opt.Data))
	if err != nil {
		return b, err
	}
	return b, did(ctx, opt, bridge.AuditDatabase, "backup "+filepath.Base(b.Path))
}

// Restore puts a backup in the place of the database and returns the new name of
// the one that was there, empty if there was none. File is a path, or the name of
// one of Backups. When another program uses the data directory it is ErrRunning.
func Restore(ctx context.Context, opt Options, file string) (kept string, err error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(file, `/\`) {
		file = filepath.Join(backupDir(opt.Data), file)
	}
	if kept, err = alone(opt, "restore", func() (string, error) { return store.Restore(ctx, databaseFile(opt.Data), file) }); err != nil {
		return kept, err
	}
	return kept, did(ctx, opt, bridge.AuditDatabase, "restored "+filepath.Base(file)+replaced(kept))
}

// replaced says where the database went that was there.
func replaced(kept string) string {
	if kept == "" {
		return ""
	}
	return ", the one before is " + filepath.Base(kept)
}

// StartFresh puts the database aside, so that the next start begins with an empty
// one, and returns its new name, empty if there was none. When another program
// uses the data directory it is ErrRunning.
func StartFresh(ctx context.Context, opt Options) (kept string, err error) {
	if kept, err = alone(opt, "fresh", func() (string, error) { return store.StartFresh(databaseFile(opt.Data)) }); err != nil {
		return kept, err
	}
	return kept, did(ctx, opt, bridge.AuditDatabase, "begun afresh"+replaced(kept))
}

// alone works on a data directory while nobody else does.
func alone(opt Options, op string, work func() (string, error)) (kept string, err error) {
	if err := local(opt, op); err != nil {
		return "", err
	}
	lock, err := hold(opt.Data)
	if err != nil {
		return "", err
	}
	kept, err = work()
	return kept, errors.Join(err, lock.Unlock())
}

// local refuses a database that is not a file of ours. Mistakes elsewhere in the
// settings do not matter here.
func local(opt Options, op string) error {
	s, _, err := settings.Load(opt.config(), Known())
	if err != nil {
		return fmt.Errorf("app: %s: %w", op, err)
	}
	if s.Database != "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "store: " + op, Code: "server_backup"}
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"switchboard/internal/bridge"
)

const (
	// kept is how many backups are kept.
	kept = 7
	// A backup is called switchboard-20261125-033000.db, by the local time. One
	// that is being written has another name, so that no half file looks whole.
	backupPrefix = "switchboard-"
	backupTime   = "20060102-150405"
	backupSuffix = ".db"
	unfinished   = ".unfinished"
)

// Backup writes a copy of the database into a directory, looks for damage in it
// and only then gives it its name; of the older ones the latest are kept, seven
// in all. Messages are accepted meanwhile. A PostgreSQL server has its own ways;
// there it is an error of KindUnsupported.
func (s *Store) Backup(ctx context.Context, dir string) (bridge.Backup, error) {
	if s.engine == postgres {
		return bridge.Backup{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: "store: backup", Code: codeServer}
	}
	return BackUp(ctx, s.path, dir)
}

// BackUp does the same for the database at path, which another program may have
// open.
func BackUp(ctx context.Context, path, dir string) (bridge.Backup, error) {
	if !exists(path) { // SQLite would make an empty one
		return bridge.Backup{}, &bridge.Error{Kind: bridge.KindNotFound, Op: "store: backup", Code: codeNone, Args: map[string]string{"file": path}}
	}
	b, err := copyOut(ctx, path, dir)
	if err == nil {
		err = prune(dir)
	}
	if err != nil {
		return bridge.Backup{}, fmt.Errorf("store: backup: %w", trouble("store: backup", err))
	}
	return b, nil
}

func copyOut(ctx context.Context, path, dir string) (bridge.Backup, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return bridge.Backup{}, err
	}
	if err := sweep(dir); err != nil {
		return bridge.Backup{}, err
	}
	at := time.Now()
	whole := filepath.Join(dir, backupPrefix+at.Format(backupTime)+backupSuffix)
	half := whole + unfinished
	if err := vacuumInto(ctx, path, half); err != nil {
		return bridge.Backup{}, errors.Join(err, remove(half))
	}
	if _, err := inspect(ctx, half); err != nil {
		return bridge.Backup{}, errors.Join(err, remove(half))
	}
	if err := settleFile(half, whole); err != nil {
		return bridge.Backup{}, errors.Join(err, remove(half))
	}
	info, err := os.Stat(whole)
	if err != nil {
		return bridge.Backup{}, err
	}
	return bridge.Backup{Path: whole, At: at, Size: info.Size()}, nil
}

// vacuumInto copies a database that may be in use.
func vacuumInto(ctx context.Context, path, to string) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a name of ours in the directory the admin chose
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil { // SQLite takes an empty file, and leaves its permissions
		return err
	}
	return with(path, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "VACUUM INTO ?", to)
		return err
	})
}

// inspect looks for damage in a database file that nobody uses, and returns the
// version of its schema. One without a version is none of ours.
func inspect(ctx context.Context, path string) (version int64, err error) {
	err = with(path, func(db *sql.DB) error {
		if err := sound(ctx, db, "integrity_check"); err != nil {
			return err
		}
		var have sql.NullInt64
		row := db.QueryRowContext(ctx, "SELECT MAX(version_id) FROM goose_db_version")
		if err := row.Scan(&have); err != nil || have.Int64 == 0 {
			return &bridge.Error{Kind: bridge.KindInvalid, Op: "store: inspect", Code: codeForeign, Err: err}
		}
		version = have.Int64
		return nil
	})
	return version, err
}

// sound runs one of SQLite's own checks.
func sound(ctx context.Context, db *sql.DB, check string) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA "+check+"(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return damaged("store: check", verdict)
	}
	return nil
}

// with opens a database for a moment.
func with(path string, use func(*sql.DB) error) error {
	var db *bun.DB
	db, err := openPool(path, "?_pragma=busy_timeout("+othersWait+")", 1)
	if err != nil {
		return err
	}
	return errors.Join(use(db.DB), db.Close())
}

// Backups lists the backups in a directory, the latest first.
func Backups(dir string) ([]bridge.Backup, error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("store: backups: %w", err)
	}
	var all []bridge.Backup
	for _, f := range files {
		name, ours := strings.CutPrefix(f.Name(), backupPrefix)
		name, whole := strings.CutSuffix(name, backupSuffix)
		at, err := time.ParseInLocation(backupTime, name, time.Local)
		if !ours || !whole || err != nil || f.IsDir() {
			continue
		}
		info, err := f.Info()
		if err != nil {
			continue // it was removed just now
		}
		all = append(all, bridge.Backup{Path: filepath.Join(dir, f.Name()), At: at, Size: info.Size()})
	}
	slices.SortFunc(all, func(a, b bridge.Backup) int { return strings.Compare(b.Path, a.Path) })
	return all, nil
}

// prune removes all but the latest backups. Those of a time that is yet to come,
// made while the clock was ahead, are the first to go: the one of just now must not.
func prune(dir string) error {
	all, err := Backups(dir)
	if err != nil {
		return err
	}
	now := time.Now()
	ahead := func(b bridge.Backup) bool { return b.At.After(now) }
	past := slices.DeleteFunc(slices.Clone(all), ahead)
	future := slices.DeleteFunc(all, func(b bridge.Backup) bool { return !ahead(b) })
	for _, b := range append(past, future...)[min(kept, len(past)+len(future)):] {
		if err := remove(b.Path); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what a backup that was cut has left.
func sweep(dir string) error {
	files, err := filepath.Glob(filepath.Join(globbed(dir), backupPrefix+"*"+unfinished+"*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := remove(f); err != nil {
			return err
		}
	}
	return nil
}

// globbed takes the special meaning from the characters of a directory's name.
func globbed(dir string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(dir)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// restoring is the ending of a file that is going to be the database: the
// decision to restore has been made, and the file is whole.
const restoring = ".restoring"

// Restore puts a backup in the place of the database at path, which must not be
// open. The backup is looked into before anything is touched. The database that
// was there is kept beside, under the name that is returned (empty if there was
// none). If the program dies in the middle, the next Open finishes the work.
func Restore(ctx context.Context, path, from string) (kept string, err error) {
	if err := restorable(ctx, from); err != nil {
		return "", fmt.Errorf("store: restore: %w", err)
	}
	half := path + restoring + unfinished
	if err := copyFile(from, half); err != nil {
		return "", fmt.Errorf("store: restore: %w", errors.Join(trouble("store: restore", err), remove(half)))
	}
	if err := moveFile(half, path+restoring); err != nil {
		return "", fmt.Errorf("store: restore: %w", trouble("store: restore", err))
	}
	kept, err = finishRestore(path)
	if err != nil {
		return kept, fmt.Errorf("store: restore: %w", trouble("store: restore", err))
	}
	return kept, nil
}

// restorable says what is wrong with a backup, in words about the backup.
func restorable(ctx context.Context, from string) error {
	if _, err := os.Stat(from); err != nil {
		return &bridge.Error{Kind: bridge.KindNotFound, Op: "store: restore", Code: codeBackup, Args: map[string]string{"file": from}, Err: err}
	}
	have, err := inspect(ctx, from)
	if err != nil {
		var e *bridge.Error
		if errors.As(err, &e) && e.Code == codeForeign {
			e.Args = map[string]string{"file": from}
			return e
		}
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "store: restore", Code: codeBackup, Args: map[string]string{"file": from}, Err: err}
	}
	want, err := newestSchema()
	if err != nil {
		return err
	}
	if have > want {
		return newer(have, want)
	}
	return nil
}

// finishRestore puts a restored file in its place, if there is one.
func finishRestore(path string) (kept string, err error) {
	decided, err := os.Stat(path + restoring)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if kept, err = setAside(path, decided.ModTime()); err != nil {
		return kept, err
	}
	return kept, moveFile(path+restoring, path)
}

// StartFresh puts the database at path aside, so that the next Open makes an
// empty one, and returns its new name, empty if there was none. It must not be
// open. Nothing is deleted.
func StartFresh(path string) (kept string, err error) {
	if kept, err = setAside(path, time.Now()); err != nil {
		return kept, fmt.Errorf("store: start fresh: %w", trouble("store: start fresh", err))
	}
	return kept, nil
}

// setAside gives a database and the files that belong to it another name, of the
// time when that was decided. What it has not moved into its main file yet stays
// with it, and never with what takes its place, not even when the main file is gone
// already: because somebody removed it, or the program died in the middle of this.
func setAside(path string, decided time.Time) (string, error) {
	name := strings.TrimSuffix(path, filepath.Ext(path)) + "-kept-" + decided.Format(backupTime)
	aside := name + filepath.Ext(path)
	for n := 2; exists(path) && exists(aside); n++ {
		aside = fmt.Sprintf("%s-%d%s", name, n, filepath.Ext(path))
	}
	for _, ending := range companions() {
		if err := moveFile(path+ending, aside+ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	if !exists(aside) {
		return "", nil
	}
	return aside, nil
}

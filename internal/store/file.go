package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// companions are the endings of the files that belong to a database file.
func companions() []string { return []string{"", "-wal", "-shm", "-journal"} }

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// settleFile makes sure that a file is on the disk and gives it another name.
func settleFile(from, to string) error {
	f, err := os.OpenFile(from, os.O_RDWR, 0) //nolint:gosec // a name of ours
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return moveFile(from, to)
}

// moveFile renames a file and makes sure that the new name is on the disk.
func moveFile(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // directories cannot be flushed there
		return nil
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// copyFile copies a file for its owner alone.
func copyFile(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // the admin says what to restore
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()                                      // was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a name of ours
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

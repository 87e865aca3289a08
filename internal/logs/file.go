package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// The files that are kept.
const (
	defaultSize = 20 << 20
	defaultKeep = 5
)

// FileOptions are the settings of a File; the zero value works.
type FileOptions struct {
	// Size is how large one file gets. Default 20 MiB.
	Size int64
	// Keep is how many files there are in all. Default 5.
	Keep int
}

// File is a log file that makes room by itself: when it is full it gets a number,
// and the one with the highest number goes. It may be written to from several
// goroutines.
type File struct {
	path string
	opt  FileOptions

	mu   sync.Mutex
	file *os.File // nil after Close, or while it cannot be opened
	size int64
	shut bool
}

// OpenFile opens a log file, and makes it and its directory when missing, for
// their owner alone.
func OpenFile(path string, opt FileOptions) (*File, error) {
	if opt.Size <= 0 {
		opt.Size = defaultSize
	}
	if opt.Keep <= 0 {
		opt.Keep = defaultKeep
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	f := &File{path: path, opt: opt}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	return f, nil
}

// Write implements io.Writer. A line is never cut in two. When the files cannot
// be moved, as another program holds one on Windows, the log goes on in the same
// one.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shut {
		return 0, os.ErrClosed
	}
	if f.file != nil && f.size > 0 && f.size+int64(len(line)) > f.opt.Size {
		f.rotate()
	}
	if f.file == nil {
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(line)
	f.size += int64(n)
	return n, err
}

// Close closes the file. Closing twice is fine.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut = true
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// Paths lists the files that are there, the latest first.
func (f *File) Paths() []string {
	var all []string
	for n := range f.opt.Keep {
		if _, err := os.Stat(f.numbered(n)); err == nil {
			all = append(all, f.numbered(n))
		}
	}
	return all
}

func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size = file, info.Size()
	return nil
}

// rotate moves every file up by one. What cannot be moved is tried again when as
// much again has been written.
func (f *File) rotate() {
	_ = f.file.Close() // everything was handed to the system
	f.file, f.size = nil, 0
	if f.opt.Keep == 1 {
		_ = os.Remove(f.path)
		return
	}
	_ = os.Remove(f.numbered(f.opt.Keep - 1)) // may not be there
	for n := f.opt.Keep - 2; n >= 0; n-- {
		_ = os.Rename(f.numbered(n), f.numbered(n+1)) // may not be there
	}
}

// numbered is switchboard.log, switchboard.1.log and so on.
func (f *File) numbered(n int) string {
	if n == 0 {
		return f.path
	}
	ext := filepath.Ext(f.path)
	return strings.TrimSuffix(f.path, ext) + "." + strconv.Itoa(n) + ext
}

package store

import (
	"errors"

	"golang.org/x/sys/windows"
)

// readOnly and noSpace recognise what a file system says when nothing can be
// written.
func readOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

func noSpace(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

//go:build unix

package store

import (
	"errors"
	"syscall"
)

// readOnly and noSpace recognise what a file system says when nothing can be
// written.
func readOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

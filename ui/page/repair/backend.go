package repair

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs of a house that does not open.
type Backend interface {
	Ways
	Files
}

// Ways lead out.
type Ways interface {
	// Words says why the house does not open, and what to do.
	Words(lang bridge.Language, err error) string
	// Repairable says that a backup or an empty database leads out of an error.
	Repairable(err error) bool
	// Backups lists the backups there are, the latest first.
	Backups() ([]bridge.Backup, error)
	// Restore puts a backup in the place of the database, which is kept.
	Restore(ctx context.Context, file string) error
	// StartFresh puts the database aside; the next start begins with an empty one.
	StartFresh(ctx context.Context) error
	// Open tries to open the house once more.
	Open(ctx context.Context) error
}

// Files are what can be taken along; the house stays as it is.
type Files interface {
	// Salvage writes what can still be read of the conversations to a file.
	Salvage(ctx context.Context, file string) (bridge.Salvaged, error)
	// DiagnoseTrouble saves what helps somebody far away to see why the house does not
	// open, as a zip file.
	DiagnoseTrouble(ctx context.Context, file string, cause error) error
}

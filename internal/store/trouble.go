package store

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"switchboard/internal/bridge"
)

var (
	// ErrNewer is returned by Open for a database that was written by a newer
	// version of Switchboard than this one.
	ErrNewer = errors.New("store: the database was written by a newer version")
	// ErrDamaged is returned by Open and Check for a database file that cannot be
	// trusted any more. Restore and StartFresh lead out of it.
	ErrDamaged = errors.New("store: the database is damaged")
)

// The codes of errors that have words of their own.
const (
	codeNewer    = "newer"
	codeDamaged  = "damaged"
	codeFull     = "disk_full"
	codeReadOnly = "read_only"
	codeDisk     = "disk"
	codeLocked   = "locked"
	codeBackup   = "bad_backup"
	codeForeign  = "not_ours"
	codeServer   = "server_backup"
	codeNone     = "no_database"
	codeNoServer = "no_server"
	codeLogin    = "server_login"
	codeOld      = "server_old"
)

// trouble gives an error of the database or the file system words for people,
// if it is one that they can do something about.
func trouble(op string, err error) error {
	var known *bridge.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var e *driver.Error
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &server) && refusesLogin(server.Code):
		return &bridge.Error{Kind: bridge.KindCredential, Op: op, Code: codeLogin, Detail: server.Message}
	case errors.As(err, &connect):
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: codeNoServer, Args: map[string]string{"server": connect.Config.Host}, Err: err}
	case errors.As(err, &e):
		return ofSQLite(op, e, err)
	case errors.Is(err, fs.ErrPermission) || readOnly(err):
		return &bridge.Error{Kind: bridge.KindForbidden, Op: op, Code: codeReadOnly, Err: err}
	case noSpace(err):
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: codeFull, Err: err}
	default:
		return err
	}
}

// refusesLogin says that a server does not let us in: a wrong name or password, or
// a database that it does not have.
func refusesLogin(code string) bool {
	return strings.HasPrefix(code, "28") || code == "3D000"
}

// OfDirectory gives an error of the directory that the data is in words for
// people, if they can do something about it.
func OfDirectory(err error) error { return trouble("store: data directory", err) }

func ofSQLite(op string, e *driver.Error, err error) error {
	switch e.Code() & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return damaged(op, e.Error())
	case lib.SQLITE_FULL:
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: codeFull, Err: err}
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return &bridge.Error{Kind: bridge.KindForbidden, Op: op, Code: codeReadOnly, Err: err}
	case lib.SQLITE_IOERR:
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: codeDisk, Err: err}
	case lib.SQLITE_BUSY:
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: codeLocked, Err: err}
	default:
		return err
	}
}

func damaged(op, detail string) error {
	return &bridge.Error{Kind: bridge.KindInternal, Op: op, Code: codeDamaged, Detail: detail, Err: ErrDamaged}
}

func newer(have, want int64) error {
	return &bridge.Error{
		Kind: bridge.KindUnsupported, Op: "store: migrate", Code: codeNewer, Err: ErrNewer,
		Args: map[string]string{"have": strconv.FormatInt(have, 10), "known": strconv.FormatInt(want, 10)},
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/uptrace/bun"
)

const (
	// longLog is how long the write-ahead log may get before it is begun anew.
	longLog = 32 << 20
	// logLook is after how many commits its length is looked at, and logPause how
	// long after a vain try it is tried again.
	logLook, logPause = 16, time.Second
)

// writeAheadLog is SQLite's log of what is not in the main file yet. SQLite moves
// it there by itself, but begins the log anew only when at that moment nobody
// reads, and does not give its room back.
type writeAheadLog struct {
	path    string
	commits int
	after   time.Time // no try before
}

// long says that there is more in the log than there should be.
func (l writeAheadLog) long() bool {
	info, err := os.Stat(l.path)
	return err == nil && info.Size() > longLog
}

// tidy begins a log anew that has grown long. Writing stops for it, for a tenth of
// a second at most while the last readers of the old log finish.
func (w *writer) tidy(ctx context.Context) {
	w.log.commits++
	if w.log.commits < logLook || time.Now().Before(w.log.after) {
		return
	}
	w.log.commits = 0
	if !w.log.long() {
		return
	}
	err := w.execute(ctx, "PRAGMA busy_timeout = 100")
	if err == nil {
		err = truncate(ctx, w.conn)
	}
	if back := w.execute(ctx, "PRAGMA busy_timeout = "+othersWait); err == nil {
		err = back
	}
	if err != nil {
		w.log.after = time.Now().Add(logPause)
		w.store.log.LogAttrs(ctx, slog.LevelDebug, "the write-ahead log stays long for now", slog.Any("error", err))
	}
}

// truncate moves all of the log into the main file and makes it empty.
func truncate(ctx context.Context, conn bun.Conn) error {
	var busy, frames, moved int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("write-ahead log: %w", err)
	}
	if busy != 0 {
		return errReading
	}
	return nil
}

var errReading = errors.New("somebody reads it")

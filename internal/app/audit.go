package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/settings"
)

// What is done while no program runs, or to files behind its back, has to be in
// the audit too. It waits in a file beside the database, which may be the very
// thing that is replaced, and is taken up by the next program that opens.

func pendingFile(data string) string { return filepath.Join(data, "audit.pending") }

// pendingAct is one line of that file.
type pendingAct struct {
	At    time.Time        `json:"at"`
	Kind  bridge.AuditKind `json:"kind"`
	Who   string           `json:"who,omitempty"`
	Where string           `json:"where"`
	Note  string           `json:"note"`
}

// did writes down what was done through a function that takes Options: with the
// program that runs, if there is one, or for the next one.
func did(ctx context.Context, opt Options, kind bridge.AuditKind, note string) error {
	opt = opt.filled()
	act := pendingAct{time.Now().UTC(), kind, opt.By.Who, opt.By.Where, note}
	text, err := json.Marshal(act)
	if err != nil {
		return fmt.Errorf("app: audit: %w", err)
	}
	if opt.By.Where == byTerminal {
		if status, _, err := askRunning(ctx, opt, http.MethodPost, "/api/v1/audit", text); err == nil && status == http.StatusOK {
			return nil
		}
	}
	if err := appendFile(pendingFile(opt.Data), append(text, '\n')); err != nil {
		return fmt.Errorf("app: audit: %w", err)
	}
	return nil
}

// appendFile adds to a small private file; it is on the disk when it returns.
func appendFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in the data directory
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// apiAct takes what the terminal did to files. Everything else has methods of its
// own that write it down.
func (a *App) apiAct(r *http.Request) (any, error) {
	act, err := body[pendingAct](r)
	if err != nil {
		return nil, err
	}
	by := actor(r)
	if by.Where != byTerminal || act.Kind != bridge.AuditSecret && act.Kind != bridge.AuditDatabase {
		return nil, aboutPeople(bridge.KindInvalid, "kind", "kind", string(act.Kind), "kinds", string(bridge.AuditSecret)+", "+string(bridge.AuditDatabase))
	}
	return struct{}{}, a.store.Audit(r.Context(), bridge.Audit{Kind: act.Kind, By: by, Note: act.Note})
}

// takeUpActs moves what was done meanwhile into the audit. A crash in between
// leaves the file, and what is in the audit already is not added again.
func (a *App) takeUpActs(ctx context.Context) {
	path := pendingFile(a.opt.Data)
	text, err := os.ReadFile(path) //nolint:gosec // in the data directory
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); err == nil && lines.Scan(); {
		var act pendingAct
		if json.Unmarshal(lines.Bytes(), &act) != nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "a line for the audit cannot be read")
			continue
		}
		err = a.store.AuditOnce(ctx, bridge.Audit{At: act.At, Kind: act.Kind, By: bridge.Actor{Who: act.Who, Where: act.Where}, Note: act.Note})
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "what was done meanwhile is not in the audit yet", slog.Any("error", err))
	}
}

const (
	// lookedAt is how often is looked whether somebody changed the settings file.
	lookedAt = 10 * time.Second
	// keysTold is how many changed keys the audit names.
	keysTold = 20
)

func printsFile(data string) string { return filepath.Join(data, "settings.seen") }

// noticeEdits writes into the audit which keys of the settings file somebody
// changed since it was seen last, never the values. It is false when that could not
// be stored, and has to be done again.
func (a *App) noticeEdits(ctx context.Context) bool {
	a.saving.Lock()
	defer a.saving.Unlock()
	before, known := seen(a.opt.Data)
	after, err := prints(a.opt.Config)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "the settings file cannot be looked at", slog.Any("error", err))
		return true
	}
	keys := settings.ChangedKeys(before, after)
	if known && len(keys) == 0 {
		return true
	}
	if known {
		if err := a.store.Audit(ctx, bridge.Audit{Kind: bridge.AuditByHand, By: bridge.Actor{Where: "file"}, Note: keysNote(keys)}); err != nil {
			a.log.LogAttrs(ctx, slog.LevelError, "a change of the settings is not in the audit", slog.Any("error", err))
			return false
		}
		a.log.LogAttrs(ctx, slog.LevelInfo, "the settings file was changed by hand", slog.Any("keys", keys))
	}
	if err := see(a.opt.Data, after); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "the settings file is looked at anew next time", slog.Any("error", err))
	}
	return true
}

func keysNote(keys []string) string {
	more := ""
	if n := len(keys) - keysTold; n > 0 {
		keys, more = keys[:keysTold], " and "+strconv.Itoa(n)+" more"
	}
	keys = slices.Clone(keys)
	for i, key := range keys {
		if key == "" {
			keys[i] = "all"
		}
	}
	return strings.Join(keys, ", ") + more
}

// seen reads the fingerprints of the settings file as it was seen last.
func seen(data string) (map[string]string, bool) {
	text, err := os.ReadFile(printsFile(data))
	if err != nil {
		return nil, false
	}
	var all map[string]string
	return all, json.Unmarshal(text, &all) == nil
}

// see keeps the fingerprints of the settings file.
func see(data string, all map[string]string) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return replaceFile(printsFile(data), text)
}

// prints takes the fingerprints of a settings file; one that is missing has none.
func prints(path string) (map[string]string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the admin's own choice of file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return settings.Prints(text), nil
}

// wrote keeps in mind that the settings file is as the house itself wrote it.
func wrote(opt Options) error {
	all, err := prints(opt.Config)
	if err == nil {
		err = see(opt.Data, all)
	}
	if err != nil {
		return fmt.Errorf("app: settings: %w", err)
	}
	return nil
}

// watchFile looks for changes of the settings file until ctx ends.
func (a *App) watchFile(ctx context.Context) error {
	tick := time.NewTicker(lookedAt)
	defer tick.Stop()
	for last := a.fileStamp(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := a.fileStamp(); now != last {
			if a.noticeEdits(ctx) {
				last = now
			}
			a.warnOfEdits()
		}
	}
}

// warnOfEdits tells the admin that the settings file is not what the program runs
// with, and what is wrong in it: otherwise that would come out at the next start.
func (a *App) warnOfEdits() {
	s, problems, err := settings.Load(a.opt.Config, known(a.opt.Connectors))
	same := err == nil && s.Stamp == a.stored().Stamp
	w := health.Warning{Code: health.SettingsEdited, Severity: bridge.SeverityWarning}
	switch {
	case err != nil:
		w.Err = err
	case len(problems) > 0:
		w.Err = problems
	}
	changed := false
	if same {
		changed = a.health.Clear(w.Code, w.Affects)
	} else {
		changed = a.health.Raise(w)
	}
	if changed {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

// fileStamp tells one version of the settings file from another at a glance.
func (a *App) fileStamp() string {
	info, err := os.Stat(a.opt.Config)
	if err != nil {
		return ""
	}
	return info.ModTime().String() + strconv.FormatInt(info.Size(), 10)
}

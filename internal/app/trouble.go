package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/logs"
	"switchboard/internal/settings"
	"switchboard/internal/store"
)

// fileReport is a file of the data directory.
type fileReport struct {
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	Mode    string    `json:"mode"`
	Changed time.Time `json:"changed"`
}

// DiagnoseTrouble saves what helps to find out from far away why nothing opens: the
// trouble, the log, the settings and which files there are. The keyring is not asked.
// Secrets and what people wrote are not in it; where they cannot be known, only what
// cannot be either is kept.
func DiagnoseTrouble(ctx context.Context, opt Options, path string, cause error) error {
	opt = opt.filled()
	s, problems, err := settings.Load(opt.Config, known(opt.Connectors))
	readable := err == nil && len(problems.Fatal()) == 0
	b := logs.Bundle{Files: map[string]any{"about.json": about(opt, time.Time{}), "trouble.txt": troubleText(cause)}}
	if readable {
		b.Secrets = secretsAtHand(ctx, opt, s)
	}
	b.Secrets = append(b.Secrets, opt.Redactor.Known()...)
	b.Texts, err = store.LastTexts(ctx, databaseFile(opt.Data), latest)
	none := errors.Is(err, fs.ErrNotExist) && readable && s.Database == ""
	b.Bare = err != nil && !none
	if text, err := settingsText(opt); err == nil && text != "" {
		b.Files["switchboard.yaml"] = text
	}
	if crash, err := os.ReadFile(crashFile(opt.Data)); err == nil {
		b.Files["crash.txt"] = frames(string(crash))
	}
	files, err := filesOf(opt.Data)
	if err != nil {
		b.Files["files.txt"] = err.Error()
	} else {
		b.Files["files.json"] = files
	}
	if b.Logs, err = filepath.Glob(filepath.Join(filepath.Dir(logFile(opt.Data)), "*.log")); err != nil {
		return fmt.Errorf("app: diagnostics: %w", err)
	}
	return logs.Save(path, b)
}

// troubleText tells of mistakes in the settings where they are, and not what stands
// there: it may be a secret.
func troubleText(cause error) string {
	var problems settings.Problems
	if !errors.As(cause, &problems) {
		return i18n.Explain(bridge.English, cause).String() + "\n" + cause.Error() + "\n"
	}
	var all strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&all, "the settings, line %d: %s\n", p.Line, p.Key)
	}
	return all.String()
}

// secretsAtHand are those that are not in the keyring, nor behind a passphrase.
func secretsAtHand(ctx context.Context, opt Options, s settings.Settings) []bridge.Secret {
	var all []bridge.Secret
	for name := range secretsOf(s, opt.Connectors) {
		ref := s.Reference(name)
		if ref == "keyring" {
			continue
		}
		if value, err := newKeyring(opt).Get(ctx, ref, name); err == nil {
			all = append(all, value)
		}
	}
	return all
}

// frames keeps the stacks of a crash, without what was said about it and without
// arguments.
func frames(crash string) string {
	kept := regexp.MustCompile(`^(?:goroutine \d+ .*|created by \S+.*|\t\S+\.(?:go|s):\d+.*|fatal error: .*)$`)
	call := regexp.MustCompile(`^([\w./*()\[\]{}%-]+)\((?:\.\.\.|[{}0-9a-fx?, .]*)\)$`)
	var all []string
	for line := range strings.SplitSeq(crash, "\n") {
		if found := call.FindStringSubmatch(line); found != nil {
			all = append(all, found[1]+"(…)")
		} else if kept.MatchString(line) {
			all = append(all, line)
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// filesOf lists what is in a data directory and right below it.
func filesOf(data string) ([]fileReport, error) {
	var all []fileReport
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(data, path)
		if err != nil {
			if name == "." {
				return err
			}
			return nil // gone, or not to be read
		}
		if d.IsDir() {
			if strings.Count(name, string(filepath.Separator)) > 0 {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := d.Info(); err == nil {
			all = append(all, fileReport{filepath.ToSlash(name), info.Size(), info.Mode().String(), info.ModTime().UTC()})
		}
		return nil
	})
	slices.SortFunc(all, func(x, y fileReport) int { return strings.Compare(x.Name, y.Name) })
	return all, err
}

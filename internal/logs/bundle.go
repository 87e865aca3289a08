package logs

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"switchboard/internal/bridge"
)

// ErrFound is the error of Save when something forbidden was still in the bundle;
// nothing is left of it then.
var ErrFound = errors.New("logs: the bundle would give something away")

// Bundle is what helps somebody who is far away to find a fault.
type Bundle struct {
	// Logs are the paths of log files.
	Logs []string
	// Files are more files, by name: text as it is, anything else as JSON.
	Files map[string]any
	// Bare says that Texts are not known, because the database is out of reach: of a
	// line of the log only what cannot be content is kept then.
	Bare bool
	// Secrets are the values of all secrets, and Texts what people wrote and were
	// answered lately: neither may be in the bundle.
	Secrets []bridge.Secret
	Texts   []string
}

// Save writes a bundle as a zip file for its owner alone. Secrets are replaced by
// dots and lines with content are left out. Then all of it is looked through once
// more, and only a bundle that is clean gets its name.
func Save(path string, b Bundle) error {
	half := path + ".unfinished"
	g := newGuard(b.Secrets, b.Texts)
	err := b.write(half, g)
	if err == nil {
		err = g.inspect(half)
	}
	if err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		return fmt.Errorf("logs: save bundle: %w", errors.Join(err, removed(half)))
	}
	return nil
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (b Bundle) write(path string, g *guard) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the admin says where
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	err = b.fill(z, g)
	return errors.Join(err, z.Close(), f.Sync(), f.Close())
}

func (b Bundle) fill(z *zip.Writer, g *guard) error {
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		text, err := textOf(b.Files[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := add(z, name, strings.NewReader(text), g.clean); err != nil {
			return err
		}
	}
	for _, path := range b.Logs {
		if err := b.addFile(z, path, g); err != nil {
			return err
		}
	}
	return nil
}

func (b Bundle) addFile(z *zip.Writer, path string, g *guard) error {
	f, err := os.Open(path) //nolint:gosec // one of our logs
	if errors.Is(err, os.ErrNotExist) {
		return nil // it was moved just now
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // was only read
	clean := g.clean
	if b.Bare {
		clean = func(line string) string { return g.clean(bare(line)) }
	}
	return add(z, "logs/"+filepath.Base(path), f, clean)
}

// harmless are the attributes of a line of the log that are ours, never somebody's
// words.
func harmless() []string {
	return []string{"time", "level", "msg", "bot", "agent", "part", "platform", "kind", "code", "status", "attempt", "version", "listen"}
}

// bare keeps of a line of the log what cannot be content: messages are constants.
func bare(line string) string {
	var all, kept map[string]any
	if json.Unmarshal([]byte(line), &all) != nil {
		return "(a line that cannot be read was left out)\n"
	}
	kept = map[string]any{}
	for _, key := range harmless() {
		if v, ok := all[key]; ok {
			kept[key] = v
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return leftOut
	}
	return string(text) + "\n"
}

func textOf(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text), err
}

// add copies a file into the bundle, line by line.
func add(z *zip.Writer, name string, from io.Reader, clean func(line string) string) error {
	w, err := z.Create(name)
	if err != nil {
		return err
	}
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			if _, err := io.WriteString(w, clean(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// guard knows what must not get out.
type guard struct {
	secrets Redactor
	texts   *strings.Replacer
}

// leftOut stands for a line that held content.
const leftOut = "(a line with content was left out)\n"

func newGuard(secrets []bridge.Secret, texts []string) *guard {
	g := &guard{}
	g.secrets.Know(secrets...)
	var pairs []string
	for _, t := range texts {
		for line := range strings.SplitSeq(t, "\n") {
			if line = strings.TrimSpace(line); telling(line) {
				pairs = append(pairs, line, "", forms(line)[1], "")
			}
		}
	}
	g.texts = strings.NewReplacer(pairs...)
	return g
}

// telling says that a text is long enough to be somebody's words: "ok" is in
// every log.
func telling(text string) bool {
	runes := utf8.RuneCountInString(text)
	if runes < len(text) { // Chinese says more in fewer characters
		return runes >= 4
	}
	return runes >= 12
}

func (g *guard) clean(line string) string {
	if g.texts.Replace(line) != line {
		return leftOut
	}
	return g.secrets.Clean(line)
}

// inspect looks through a finished bundle.
func (g *guard) inspect(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }() // was only read
	for _, entry := range z.File {
		text, err := read(entry)
		if err != nil {
			return err
		}
		text = entry.Name + "\n" + text
		if g.secrets.Clean(text) != text || g.texts.Replace(text) != text {
			return &bridge.Error{Kind: bridge.KindBlocked, Op: "logs: bundle", Code: "found", Err: ErrFound}
		}
	}
	return nil
}

func read(entry *zip.File) (string, error) {
	r, err := entry.Open()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

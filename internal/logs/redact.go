package logs

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"switchboard/internal/bridge"
)

const (
	hidden = "•••"
	// shortest is how long a secret has to be to be looked for: a shorter one would
	// blacken innocent words.
	shortest = 6
)

// Redactor replaces secrets by dots. The zero Redactor knows none.
type Redactor struct {
	mu       sync.Mutex
	values   map[string]bool
	replacer atomic.Pointer[strings.Replacer]
}

// Know makes secrets known from now on. They stay known, because what was
// replaced in the settings may still be in an older line.
func (r *Redactor) Know(secrets ...bridge.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[string]bool{}
	}
	before := len(r.values)
	for _, s := range secrets {
		for _, value := range append(strings.Split(s.Reveal(), "\n"), s.Reveal()) { // a key file has lines
			if value = strings.TrimSpace(value); len(value) >= shortest {
				r.values[value] = true
			}
		}
	}
	if len(r.values) == before {
		return
	}
	var all []string
	for value := range r.values {
		all = append(all, forms(value)...)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // of two that begin alike the whole one goes
	pairs := make([]string, 0, 2*len(all))
	for _, form := range all {
		pairs = append(pairs, form, hidden)
	}
	r.replacer.Store(strings.NewReplacer(pairs...))
}

// Known returns what is known: whole secrets, and the lines of those with several.
func (r *Redactor) Known() []bridge.Secret {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]bridge.Secret, 0, len(r.values))
	for value := range r.values {
		all = append(all, bridge.NewSecret(value))
	}
	return all
}

// Clean replaces every secret in a text.
func (r *Redactor) Clean(text string) string {
	if replacer := r.replacer.Load(); replacer != nil {
		return replacer.Replace(text)
	}
	return text
}

// Writer returns a writer that cleans each line before it goes on to w. Every
// Write has to be of whole lines, as slog's handlers do it.
func (r *Redactor) Writer(w io.Writer) io.Writer { return &cleaner{r, w} }

type cleaner struct {
	redactor *Redactor
	to       io.Writer
}

// Write implements io.Writer.
func (c *cleaner) Write(line []byte) (int, error) {
	if _, err := io.WriteString(c.to, c.redactor.Clean(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}

// forms are the ways in which a value can stand in a text: as it is, in JSON, in
// an address and in base64.
func forms(value string) []string {
	quoted, err := json.Marshal(value)
	if err != nil {
		return []string{value} // strings always encode
	}
	plain, _ := strings.CutSuffix(strings.TrimPrefix(string(quoted), `"`), `"`)
	return []string{
		value, plain, url.QueryEscape(value), url.PathEscape(value),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
}

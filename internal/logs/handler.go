package logs

import (
	"io"
	"log/slog"
	"strings"
)

// Options are the settings of a handler; the zero value works.
type Options struct {
	// Level is the least important level that is written.
	Level slog.Leveler
	// Redactor hides secrets; nil knows none.
	Redactor *Redactor
	// Content lets attributes through that hold what people wrote.
	Content bool
}

// NewHandler makes a handler that writes a line of JSON for each record.
func NewHandler(w io.Writer, opt Options) slog.Handler {
	if opt.Redactor != nil {
		w = opt.Redactor.Writer(w)
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: opt.Level, ReplaceAttr: opt.guard})
}

// NewText makes a handler that writes for people at a terminal.
func NewText(w io.Writer, opt Options) slog.Handler {
	if opt.Redactor != nil {
		w = opt.Redactor.Writer(w)
	}
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: opt.Level, ReplaceAttr: opt.guard})
}

// guard hides attributes by their names, for the case that a value is not known
// as a secret.
func (o Options) guard(_ []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(a.Key)
	if secretKey(key) || !o.Content && contentKey(key) {
		return slog.String(a.Key, hidden)
	}
	return a
}

func secretKey(key string) bool {
	switch key {
	case "authorization", "cookie", "set-cookie", "passphrase", "dsn":
		return true
	}
	for _, end := range []string{"password", "secret", "token", "api_key", "apikey", "aes_key", "private_key"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

func contentKey(key string) bool {
	switch key {
	case "text", "content", "question", "answer", "quote", "query", "markdown", "body":
		return true
	default:
		return false
	}
}

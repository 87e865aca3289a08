package platformtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/bridge"
)

// Run checks the whole contract.
func Run(t *testing.T, k Kit) {
	t.Helper()
	t.Run("connector", func(t *testing.T) {
		t.Parallel()
		for _, c := range []check[Kit]{
			{"modes", checkModes}, {"form", checkForm}, {"setup", checkSetup}, {"words", checkWords},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.test(t, k)
			})
		}
	})
	checks := slices.Concat(openChecks(), receiveChecks(), sendChecks(), draftChecks(), buttonChecks(), abilityChecks())
	for _, a := range k.Accounts {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range checks {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.test(t, newBundle(t, k, a))
				})
			}
		})
	}
}

type check[T any] struct {
	name string
	test func(t *testing.T, with T)
}

// bundle is one account in one test.
type bundle struct {
	Account
	kit  Kit
	mode bridge.Mode
	fake Fake
	log  *logbook
}

func newBundle(t *testing.T, k Kit, a Account) *bundle {
	t.Helper()
	mode, ok := k.Connector.Mode(a.Config.Mode)
	if !ok {
		t.Fatalf("there is no mode %q", a.Config.Mode)
	}
	b := &bundle{Account: a, kit: k, mode: mode, log: &logbook{}}
	t.Cleanup(func() { b.hushed(t, b.log.String()) })
	return b
}

// dial starts the fake, once.
func (b *bundle) dial(t *testing.T) {
	t.Helper()
	if b.fake == nil {
		b.fake = b.Fake(t)
	}
}

// open opens a bot that speaks to the fake.
func (b *bundle) open(t *testing.T, changed ...Value) bridge.Bot {
	t.Helper()
	b.dial(t)
	return b.openAt(t, b.fake.URL(), changed...)
}

// openAlone opens a bot that must not call anybody.
func (b *bundle) openAlone(t *testing.T) bridge.Bot {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("called %s %s", r.Method, r.URL.Path)
	}))
	t.Cleanup(server.Close)
	return b.openAt(t, server.URL)
}

func (b *bundle) openAt(t *testing.T, url string, changed ...Value) bridge.Bot {
	t.Helper()
	bot, err := b.tryOpen(url, changed...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bot.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return bot
}

func (b *bundle) tryOpen(url string, changed ...Value) (bridge.Bot, error) {
	env := bridge.Env{
		Log:      slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Callback: func() string { return "https://bots.example.com/hook/" + b.Config.ID },
	}
	return b.kit.Connector.Open(b.config(url, changed...), env)
}

// config is the account's configuration with its addresses and some changes.
func (b *bundle) config(url string, changed ...Value) bridge.Config {
	c := b.Config
	c.Settings, c.Secrets = maps.Clone(c.Settings), maps.Clone(c.Secrets)
	if c.Settings == nil {
		c.Settings = map[string]string{}
	}
	if c.Secrets == nil {
		c.Secrets = map[string]bridge.Secret{}
	}
	var all []Value
	for key, path := range b.URLs {
		if strings.HasSuffix(key, "ws_url") {
			path = "ws" + strings.TrimPrefix(url, "http") + path
		} else {
			path = url + path
		}
		all = append(all, Value{key, path})
	}
	for _, v := range append(all, changed...) {
		if f, _ := b.field(v.Key); f.Secret {
			c.Secrets[v.Key] = bridge.NewSecret(v.Value)
		} else {
			c.Settings[v.Key] = v.Value
		}
	}
	return c
}

// field finds a field of the account's mode.
func (b *bundle) field(key string) (bridge.Field, bool) {
	fields := b.kit.Connector.Fields(b.mode.ID)
	i := slices.IndexFunc(fields, func(f bridge.Field) bool { return f.Key == key })
	if i < 0 {
		return bridge.Field{}, false
	}
	return fields[i], true
}

// capabilities are what the bot says of itself, or else its mode.
func (b *bundle) capabilities(bot bridge.Bot) bridge.Capabilities {
	if c, ok := bot.(bridge.Capable); ok {
		return c.Capabilities()
	}
	return b.mode.Capabilities
}

// to is the address of one send, as it is read from a database.
func (b *bundle) to(t *testing.T, key string) bridge.Address {
	t.Helper()
	b.dial(t)
	return roundTrip(t, b.To(b.fake.URL())).WithKey(key)
}

// wants checks an error: its kind, and that it tells where it happened but no
// secret.
func (b *bundle) wants(t *testing.T, name string, err error, kind bridge.Kind) {
	t.Helper()
	b.hushed(t, fmt.Sprintf("%v %+v", err, err))
	e := asError(err)
	if e.Kind != kind {
		t.Errorf("%s: got kind %q of %v, want %q", name, e.Kind, err, kind)
	}
	if err == nil {
		return
	}
	b.hushed(t, fmt.Sprintf("%s %s %s %v %v", e.Op, e.Code, e.Detail, e.Args, e.Err))
	if where, _, found := strings.Cut(e.Op, ": "); !found || where != string(b.kit.Connector.Platform) {
		t.Errorf("%s: the error does not say where it happened: op %q of %v", name, e.Op, err)
	}
	if e.RetryAfter != 0 && !e.Kind.Retryable() {
		t.Errorf("%s: %v says when to try again, but cannot be tried again", name, e)
	}
}

// asError is what an adapter's error has to be; a zero one if it is none.
func asError(err error) *bridge.Error {
	var e *bridge.Error
	if errors.As(err, &e) {
		return e
	}
	return &bridge.Error{}
}

// hushed looks for secrets in what is printed.
func (b *bundle) hushed(t *testing.T, printed string) {
	t.Helper()
	words := b.secrets()
	for _, v := range b.Refused {
		words = append(words, v.Value)
	}
	for _, word := range words {
		if strings.Contains(printed, word) {
			t.Errorf("%q shows in %s", word, printed)
		}
	}
}

// secrets are the words that open doors.
func (b *bundle) secrets() []string {
	words := slices.Clone(b.Hidden)
	for _, secret := range b.Config.Secrets {
		words = append(words, secret.Reveal())
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// shown wants these texts on the screen: each message contains its own.
func (b *bundle) shown(t *testing.T, when string, want ...string) []Shown {
	t.Helper()
	b.dial(t)
	got := b.fake.Shown()
	same := len(got) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = strings.Contains(got[i].Text, want[i])
	}
	if !same {
		t.Fatalf("%s: people see %+v, want %q", when, got, want)
	}
	return got
}

// broken is a server that takes requests and never answers them well.
func broken(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(server.Close)
	return server
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// canceled is a context that has ended.
func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was logged.
func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

package app_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/secret"
)

// ring is a keyring in memory. Reading while it is locked asks the user, who says
// no, or nothing until somebody answers.
type ring struct {
	mu      sync.Mutex
	entries map[string]string
	locked  bool
	asked   int           // how often the user was
	silent  chan struct{} // closed when the user answers; nil: they say no at once
}

func (r *ring) Get(name string) (string, error) {
	r.mu.Lock()
	locked, silent := r.locked, r.silent
	if locked {
		r.asked++
	}
	r.mu.Unlock()
	if locked && silent != nil {
		<-silent
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.locked {
		return "", errors.New("failed to unlock correct collection")
	}
	if value, ok := r.entries[name]; ok {
		return value, nil
	}
	return "", secret.ErrMissing
}

func (*ring) Set(string, string) error { return errors.ErrUnsupported }
func (*ring) Delete(string) error      { return errors.ErrUnsupported }

func (r *ring) unlock() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locked = false
}

func (r *ring) prompts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// glass is a keyring that shows whether it is locked.
type glass struct{ *ring }

func (g glass) Locked() (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.locked, nil
}

// lockedOut starts the program while the keyring is locked: two bots and an agent
// need it, and a bot that is broken for another reason.
func lockedOut(t *testing.T, keyring secret.Keyring) (*life, *lamp) {
	t.Helper()
	l := newLamp()
	c := l.connector()
	c.Form = []bridge.Field{{Key: "token", Secret: true, Required: true}}
	const settings = `server: {listen: "127.0.0.1:1", admin: "127.0.0.1:2"}
agents: [{id: help, kind: echo}, {id: far, kind: dify, base_url: "http://127.0.0.1:3/v1"}]
bots: [{id: one, platform: lamp, agent: help}, {id: two, platform: lamp, agent: help}, {id: dark, platform: lamp, agent: help}]
secrets: {bot/dark/token: "env:PATH"}
`
	r := begin(t, t.TempDir(), "", l, func(o *app.Options) {
		write(t, o.Data, settings)
		o.Connectors, o.Keyring = []bridge.Connector{c}, keyring
	})
	return r, l
}

func all() map[string]string {
	return map[string]string{"bot/one/token": "t1", "bot/two/token": "t2", "agent/far/api_key": "app-Key"}
}

// broken lists the notices about what cannot be used.
func broken(r *life) string {
	var ids []string
	for _, n := range r.Notices(bridge.English) {
		if strings.HasPrefix(n.ID, "bot_broken") || strings.HasPrefix(n.ID, "agent_broken") {
			ids = append(ids, n.ID)
		}
	}
	return strings.Join(ids, ", ")
}

const allBroken, onlyDark = "agent_broken far, bot_broken dark, bot_broken one, bot_broken two", "bot_broken dark"

// TestKeyringOpens: what a locked keyring kept from working works by itself soon
// after it is unlocked, and the user is never asked meanwhile.
func TestKeyringOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &ring{entries: all(), locked: true}
		r, l := lockedOut(t, glass{k})
		began := k.prompts()
		rest(5 * time.Hour)
		if got := broken(r); got != allBroken || k.prompts() != began {
			t.Errorf("broken %s, asked %d times more", got, k.prompts()-began)
		}
		if status := r.deliver(t, "m1", "too early"); status == 200 {
			t.Error("a bot that is broken takes messages")
		}
		k.unlock()
		rest(11 * time.Second)
		if got := broken(r); got != onlyDark {
			t.Errorf("broken %s", got)
		}
		o, err := r.Overview(r.ctx)
		if err != nil || len(o.Bots) != 3 || o.Bots[0].State != bridge.BotBroken || o.Bots[1].State != bridge.BotWaiting || o.Bots[1].Err != nil || o.Agents[0].Err != nil {
			t.Errorf("%+v, %v", o, err)
		}
		r.deliver(t, "m1", "how are you?")
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 1 || !strings.Contains(got[0], "how are you?") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestKeyringOpensWithoutIt: an unlocked keyring that lacks a secret ends the
// waiting for it, and what is missing is said.
func TestKeyringOpensWithoutIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &ring{entries: all(), locked: true}
		delete(k.entries, "bot/one/token")
		r, _ := lockedOut(t, glass{k})
		k.unlock()
		rest(time.Minute)
		if got := broken(r); got != "bot_broken dark, bot_broken one" {
			t.Errorf("broken %s", got)
		}
		for _, n := range r.Notices(bridge.English) {
			if n.Bot == "one" && !strings.Contains(n.Detail, "not in the keyring") {
				t.Errorf("the notice is %+v", n)
			}
		}
	})
}

// TestKeyringAnswersLate: a question that nobody has answered at the start is not
// asked again; when it is answered everything works.
func TestKeyringAnswersLate(t *testing.T) {
	t.Parallel()
	for name, seen := range map[string]bool{"seen": true, "not to be seen": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := &ring{entries: all(), locked: true, silent: make(chan struct{})}
				keyring := secret.Keyring(k)
				if seen {
					keyring = glass{k}
				}
				r, _ := lockedOut(t, keyring)
				rest(5 * time.Hour)
				if got := broken(r); got != allBroken || k.prompts() != 1 {
					t.Errorf("broken %s, asked %d times", got, k.prompts())
				}
				k.unlock()
				close(k.silent)
				rest(11 * time.Second)
				if got := broken(r); got != onlyDark || k.prompts() != 1 {
					t.Errorf("broken %s, asked %d times", got, k.prompts())
				}
			})
		})
	}
}

// TestKeyringRefuses: where it cannot be seen whether the keyring is locked, the
// user is asked once in an hour and no more, however much waits for it.
func TestKeyringRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &ring{entries: all(), locked: true}
		r, _ := lockedOut(t, k)
		began := k.prompts()
		rest(5*time.Hour + time.Minute)
		if more := k.prompts() - began; more != 5 {
			t.Errorf("asked %d times in five hours", more)
		}
		k.unlock()
		rest(time.Hour)
		if got := broken(r); got != onlyDark {
			t.Errorf("broken %s", got)
		}
	})
}

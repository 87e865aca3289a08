package simulator

import (
	"slices"
	"sync"
	"time"
)

// tokenLife is what all platforms give a token.
const tokenLife = 2 * time.Hour

// tokens gives out access tokens; the same one while it is valid, as the
// platforms do. Towards its end, for as long as overlap, a new one is given out
// and both work.
type tokens struct {
	now     func() time.Time
	overlap time.Duration

	mu    sync.Mutex
	given []token
}

type token struct {
	value string
	until time.Time
}

// give returns a token and its life in seconds.
func (t *tokens) give() (value string, life int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.given = slices.DeleteFunc(t.given, func(old token) bool { return !now.Before(old.until) })
	if n := len(t.given); n == 0 || t.given[n-1].until.Sub(now) < t.overlap {
		t.given = append(t.given, token{"t-" + random() + random(), now.Add(tokenLife)})
	}
	last := t.given[len(t.given)-1]
	return last.value, int(last.until.Sub(now).Seconds())
}

func (t *tokens) valid(value string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	return value != "" && slices.ContainsFunc(t.given, func(g token) bool { return g.value == value && now.Before(g.until) })
}

func (t *tokens) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.given = nil
}

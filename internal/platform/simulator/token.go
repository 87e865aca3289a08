package simulator

import (
	"sync"
	"time"
)

// tokenLife is what both platforms give a token.
const tokenLife = 2 * time.Hour

// tokens gives out access tokens; the same one while it is valid, as the
// platforms do.
type tokens struct {
	mu    sync.Mutex
	value string
	until time.Time
}

func (t *tokens) give() (string, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == "" || time.Now().After(t.until) {
		t.value, t.until = random()+random(), time.Now().Add(tokenLife)
	}
	return t.value, int(time.Until(t.until).Seconds())
}

func (t *tokens) valid(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return token != "" && token == t.value && time.Now().Before(t.until)
}

func (t *tokens) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value = ""
}

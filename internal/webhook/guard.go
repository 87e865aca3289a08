package webhook

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"
)

const (
	// suspectAfter is how many requests of one caller may prove nothing within a
	// minute or two before the caller is suspect; a bot may get botsFold as many.
	suspectAfter = 30
	botsFold     = 10
	guardTurns   = time.Minute
	guardKnows   = 4096 // callers remembered at most, in each half
	suspectSlots = 2    // requests of suspects that are looked at together
	suspectWaits = 2 * time.Second
)

// errWatched is why a suspect's request is not looked at.
var errWatched = errors.New("webhook: too many requests that prove nothing")

// guard slows down callers that keep sending requests which prove nothing. It
// never turns a genuine request away for what others did, because behind a
// tunnel or a company's gateway everybody has the same address: the requests of
// suspects are still looked at, but only a few at once, so that guessing costs
// us next to nothing and everybody else is served as before.
type guard struct {
	limit int
	slots chan struct{}

	mu         sync.Mutex
	turned     time.Time
	young, old map[string]int // failures by caller or bot, of this minute and the last
}

func newGuard(limit int) *guard {
	if limit <= 0 {
		limit = suspectAfter
	}
	return &guard{limit: limit, slots: make(chan struct{}, suspectSlots), young: map[string]int{}}
}

// failed counts a request that proved nothing.
func (g *guard) failed(caller, bot string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn()
	g.young["from "+caller]++
	g.young["to "+bot]++
}

// turn drops what is too old or too much. The lock is held.
func (g *guard) turn() {
	now := time.Now()
	switch {
	case now.Sub(g.turned) >= 2*guardTurns:
		g.young, g.old, g.turned = map[string]int{}, nil, now
	case now.Sub(g.turned) >= guardTurns || len(g.young) >= guardKnows:
		g.young, g.old, g.turned = map[string]int{}, g.young, now
	}
}

// suspects says whether a request needs watching.
func (g *guard) suspects(caller, bot string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn()
	count := func(key string) int { return g.young[key] + g.old[key] }
	return count("from "+caller) >= g.limit || count("to "+bot) >= g.limit*botsFold
}

// enter waits until a suspect's request may be looked at; false when that takes
// too long. The returned function has to be called afterwards.
func (g *guard) enter(ctx context.Context) (leave func(), ok bool) {
	timer := time.NewTimer(suspectWaits)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots }, true
	case <-ctx.Done():
	case <-timer.C:
	}
	return nil, false
}

// caller names where a request comes from: the address, or with IPv6 the network
// that one subscriber has.
func caller(remote string) string {
	h := host(remote)
	a, err := netip.ParseAddr(h)
	if err != nil || a.Unmap().Is4() {
		return h
	}
	net, err := a.Prefix(64)
	if err != nil {
		return h
	}
	return net.String()
}

package simulator

import (
	"context"
	"slices"
	"sync"

	"switchboard/internal/bridge"
)

// history is how many messages each employee's screens keep.
const history = 500

// Employees returns the simulated people.
func (*Simulator) Employees() []bridge.Employee {
	all := []bridge.Platform{wecom, dingtalk}
	return []bridge.Employee{
		{ID: "zhang", Name: "张伟", Platforms: all},
		{ID: "li", Name: "李娜", Platforms: all},
		{ID: "alex", Name: "Alex Chen", Platforms: all},
	}
}

// Identity returns who an employee is on a platform.
func (*Simulator) Identity(employee string, p bridge.Platform) bridge.Identity {
	if p == wecom {
		return bridge.Identity{Platform: p, Tenant: corpID, User: bridge.UserID(wecomUser(employee))}
	}
	return bridge.Identity{Platform: p, Tenant: dingCorp, User: bridge.UserID(dingUser(employee))}
}

// screens holds what every employee sees.
type screens struct {
	mu       sync.Mutex
	bubbles  map[string][]bridge.Bubble
	watchers map[chan bridge.Bubble]struct{}
}

func (s *screens) init() {
	s.bubbles, s.watchers = map[string][]bridge.Bubble{}, map[chan bridge.Bubble]struct{}{}
}

func (s *screens) put(b bridge.Bubble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append(s.bubbles[b.Employee], b)
	if len(all) > history {
		all = slices.Delete(all, 0, len(all)-history)
	}
	s.bubbles[b.Employee] = all
	for w := range s.watchers {
		select {
		case w <- b:
		default: // it looks at the screens when it has time
		}
	}
}

// Bubbles returns everything on an employee's screens, oldest first.
func (s *Simulator) Bubbles(employee string) []bridge.Bubble {
	s.screens.mu.Lock()
	defer s.screens.mu.Unlock()
	return slices.Clone(s.screens.bubbles[employee])
}

// Watch tells what appears on any screen until ctx or the simulator ends; then
// the channel is closed. A slow reader misses some and looks at Bubbles for the whole.
func (s *Simulator) Watch(ctx context.Context) <-chan bridge.Bubble {
	w := make(chan bridge.Bubble, 256)
	s.screens.mu.Lock()
	s.screens.watchers[w] = struct{}{}
	s.screens.mu.Unlock()
	context.AfterFunc(ctx, func() { s.screens.dismiss(w) })
	return w
}

// dismissAll closes every watcher's channel.
func (s *screens) dismissAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		delete(s.watchers, w)
		close(w)
	}
}

// dismiss closes a watcher's channel, once.
func (s *screens) dismiss(w chan bridge.Bubble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, watching := s.watchers[w]; watching {
		delete(s.watchers, w)
		close(w)
	}
}

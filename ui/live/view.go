package live

import (
	"context"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

// Pace is the shortest pause between two updates of one view.
const Pace = 250 * time.Millisecond

// watch is what the hub knows of a view; its fields are guarded by the hub.
type watch struct {
	wants        func(bridge.Change) bool
	dirty, shown bool
	always       bool // reads again even while the window is hidden: the tray
	urgent       bool // the user waits: no pause
	busy         bool // is loading, or waits to be shown
}

// View keeps one part of the screen up to date: it loads in the background and
// shows on the window's goroutine, never twice at once.
type View[T any] struct {
	hub   *Hub
	watch *watch
	load  func(context.Context) (T, error)
	show  func(T, error)
}

// NewView makes a view that reads again after each change it wants. It does
// nothing before Run, and nothing while it is not shown.
func NewView[T any](h *Hub, wants func(bridge.Change) bool, load func(context.Context) (T, error), show func(T, error)) *View[T] {
	v := &View[T]{hub: h, watch: &watch{wants: wants, dirty: true}, load: load, show: show}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watches[v.watch] = struct{}{}
	return v
}

// Always makes the view go on while the window is hidden. It is for the tray.
func (v *View[T]) Always() *View[T] {
	v.set(func(w *watch) { w.always, w.shown = true, true })
	return v
}

// Shown says whether the view's page is the one in front.
func (v *View[T]) Shown(on bool) { v.set(func(w *watch) { w.shown = on }) }

// Refresh reads again at once, because the user asked for it or for something else.
func (v *View[T]) Refresh() { v.set(func(w *watch) { w.dirty, w.urgent = true, true }) }

func (v *View[T]) set(f func(*watch)) {
	v.hub.mu.Lock()
	defer v.hub.mu.Unlock()
	f(v.watch)
	v.hub.wake()
}

// Run keeps the view up to date until ctx ends.
func (v *View[T]) Run(ctx context.Context) {
	defer v.leave()
	for {
		if !v.wait(ctx) {
			return
		}
		result, err := try(ctx, v.hub, v.load)
		if ctx.Err() != nil {
			return
		}
		done := make(chan struct{})
		v.hub.Do(ctx, func() {
			defer close(done)
			v.show(result, err)
		})
		if !v.rest(ctx, done) {
			return
		}
	}
}

// wait blocks until there is something to load and somebody to see it.
func (v *View[T]) wait(ctx context.Context) bool {
	for {
		v.hub.mu.Lock()
		w := v.watch
		due := w.dirty && w.shown && (v.hub.visible || w.always)
		if due {
			w.dirty, w.urgent, w.busy = false, false, true
		}
		waking := v.hub.waking
		v.hub.mu.Unlock()
		if due {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-waking:
		}
	}
}

// rest waits for the picture to be shown and for the pause between updates; an
// impatient user ends the pause.
func (v *View[T]) rest(ctx context.Context, shown <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-shown:
		v.set(func(w *watch) { w.busy = false })
	}
	pause := time.NewTimer(Pace)
	defer pause.Stop()
	for {
		v.hub.mu.Lock()
		urgent, waking := v.watch.urgent, v.hub.waking
		v.hub.mu.Unlock()
		if urgent {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-pause.C:
			return true
		case <-waking:
		}
	}
}

func (v *View[T]) leave() {
	v.hub.mu.Lock()
	defer v.hub.mu.Unlock()
	delete(v.hub.watches, v.watch)
}

// Kind wants every change of some kinds.
func Kind(kinds ...bridge.ChangeKind) func(bridge.Change) bool {
	return func(c bridge.Change) bool { return slices.Contains(kinds, c.Kind) }
}

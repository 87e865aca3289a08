package live

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"switchboard/internal/bridge"
)

// Hub connects the window with the house: every view and every action of the
// window goes through one Hub.
type Hub struct {
	log *slog.Logger
	run func(func()) // puts work on the window's goroutine

	mu      sync.Mutex
	visible bool
	waking  chan struct{} // closed and replaced whenever something may have become due
	watches map[*watch]struct{}
}

// NewHub makes a hub. The window counts as hidden until Visible is called.
func NewHub(log *slog.Logger) *Hub {
	return NewHubOn(log, OnWindow)
}

// OnWindow is the toolkit's way onto the window's goroutine.
func OnWindow(f func()) { fyne.Do(f) }

// NewHubOn is NewHub with another way onto the window's goroutine, for tests:
// there is no such goroutine in them.
func NewHubOn(log *slog.Logger, run func(func())) *Hub {
	return &Hub{log: log, run: run, waking: make(chan struct{}), watches: map[*watch]struct{}{}}
}

// Do runs f on the window's goroutine, later, unless ctx has ended by then:
// whoever ends a part of the window ends its ctx first, because afterwards there
// may be no such goroutine any more. A panic in f is logged and does not end the
// program, because the webhook server lives in the same process.
func (h *Hub) Do(ctx context.Context, f func()) {
	if ctx.Err() != nil {
		return
	}
	h.run(func() {
		defer h.recover(ctx)
		if ctx.Err() == nil {
			f()
		}
	})
}

// Go runs f on a goroutine of its own, with the same protection as Do.
func (h *Hub) Go(ctx context.Context, f func(context.Context)) {
	go func() {
		defer h.recover(ctx)
		f(ctx)
	}()
}

// Tap protects a callback of a widget in the same way.
func (h *Hub) Tap(ctx context.Context, f func()) func() {
	return func() {
		defer h.recover(ctx)
		f()
	}
}

func (h *Hub) recover(ctx context.Context) {
	if r := recover(); r != nil {
		h.panicked(ctx, r)
	}
}

func (h *Hub) panicked(ctx context.Context, r any) {
	h.log.ErrorContext(ctx, "panic in the window", "panic", r, "stack", string(debug.Stack()))
}

// try does work and makes an error of a panic in it: whoever waits for the result
// would wait for ever.
func try[T any](ctx context.Context, h *Hub, work func(context.Context) (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			h.panicked(ctx, r)
			err = &bridge.Error{Kind: bridge.KindInternal, Op: "window"}
		}
	}()
	return work(ctx)
}

// Ask does work in the background and hands its result to then on the window's
// goroutine. When ctx has ended by then, the result is dropped.
func Ask[T any](ctx context.Context, h *Hub, work func(context.Context) (T, error), then func(T, error)) {
	h.Go(ctx, func(ctx context.Context) {
		result, err := try(ctx, h, work)
		h.Do(ctx, func() { then(result, err) })
	})
}

// Act is Ask for work without a result.
func Act(ctx context.Context, h *Hub, work func(context.Context) error, then func(error)) {
	Ask(ctx, h, func(ctx context.Context) (struct{}, error) { return struct{}{}, work(ctx) }, func(_ struct{}, err error) { then(err) })
}

// Visible says whether the window can be seen at all.
func (h *Hub) Visible(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.visible = on
	h.wake()
}

// Follow passes changes of the house on to the views until ctx ends or the
// channel is closed.
func (h *Hub) Follow(ctx context.Context, changes <-chan bridge.Change) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.Changed(bridge.Change{Kind: Tick})
		case c, ok := <-changes:
			if !ok {
				return
			}
			h.Changed(c)
		}
	}
}

// Changed tells every view that cares about a change.
func (h *Hub) Changed(c bridge.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watches {
		if w.wants(c) {
			w.dirty = true
		}
	}
	h.wake()
}

// Quiet blocks until every view that can be seen is up to date.
func (h *Hub) Quiet(ctx context.Context) error {
	return h.Until(ctx, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for w := range h.watches {
			if w.shown && (w.dirty || w.busy) {
				return false
			}
		}
		return true
	})
}

// Until blocks until done reports true; it looks again after each change.
func (h *Hub) Until(ctx context.Context, done func() bool) error {
	for {
		h.mu.Lock()
		waking := h.waking
		h.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-waking:
		}
	}
}

// wake lets every view look again whether it has work; h.mu is held.
func (h *Hub) wake() {
	close(h.waking)
	h.waking = make(chan struct{})
}

package playground

import (
	"context"
	"time"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
)

// line is one message of the demo: who says what, where.
type line struct {
	employee bridge.Employee
	platform bridge.Platform
	text     string
}

// patience is how long the demo waits for one answer, and breath its pause
// between two messages.
const (
	patience = time.Minute
	breath   = 900 * time.Millisecond
)

// script is the demo: one person asks on one platform and goes on about it on
// another, then a colleague asks something else on the third.
func script(w live.Words, employees []bridge.Employee) []line {
	parts := []struct {
		employee, platform int
		key                string
	}{{0, 0, "demo.leave"}, {0, 1, "demo.carry"}, {1, 2, "demo.wifi"}, {2, 0, "demo.invoice"}}
	var lines []line
	for _, p := range parts {
		if p.employee >= len(employees) {
			continue
		}
		e := employees[p.employee]
		if len(e.Platforms) == 0 {
			continue
		}
		lines = append(lines, line{e, e.Platforms[p.platform%len(e.Platforms)], w.T(p.key)})
	}
	return lines
}

// play says line after line and waits for each answer. Before each line it
// tells about it, so that the screen can change to that platform.
func play(ctx context.Context, hub *live.Hub, backend Backend, lines []line, before func(line)) error {
	for i, l := range lines {
		if i > 0 && !pause(ctx, breath) {
			return ctx.Err()
		}
		before(l)
		had := answers(backend.Bubbles(l.employee.ID))
		if err := backend.Say(ctx, l.employee.ID, l.platform, l.text); err != nil {
			return err
		}
		if err := await(ctx, hub, backend, l.employee.ID, had); err != nil {
			return err
		}
	}
	return nil
}

func await(ctx context.Context, hub *live.Hub, backend Backend, employee string, had int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return hub.Until(ctx, func() bool { return answers(backend.Bubbles(employee)) > had })
}

// answers counts the answers that are complete.
func answers(bubbles []bridge.Bubble) int {
	n := 0
	for _, b := range bubbles {
		if b.FromBot && !b.Growing {
			n++
		}
	}
	return n
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

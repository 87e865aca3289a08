package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// patience is how long the demonstration waits for one answer.
const patience = 30 * time.Second

// demo plays a short scene on the simulated platforms, in a house of its own
// that is thrown away, and tells what everybody sees.
func (c command) demo(ctx context.Context) int {
	dir, err := os.MkdirTemp("", "switchboard-demo-")
	if err != nil {
		return c.trouble(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "switchboard.yaml")
	if err := os.WriteFile(file, []byte("server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"), 0o600); err != nil {
		return c.trouble(err)
	}
	a, err := app.Open(ctx, app.Options{Data: dir, Version: version, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return c.trouble(err)
	}
	inner, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(inner) }()
	err = c.scene(ctx, a)
	stop()
	err = errors.Join(err, <-ended, a.Close(context.WithoutCancel(ctx)))
	var wrong *bridge.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &wrong) && wrong.Kind == bridge.KindInvalid: // the faults
		c.complain(wrong.Detail)
		return exitUsage
	default:
		return c.trouble(err)
	}
}

func (c command) scene(ctx context.Context, a *app.App) error {
	if err := wait(ctx, func() bool { return a.StartDemo(ctx) == nil }); err != nil {
		return err
	}
	if err := a.Disturb(c.faults); err != nil {
		return fmt.Errorf("switchboardd: demo: %w", err)
	}
	c.say(i18n.Text(c.lang, "demo.begin"))
	begin, answered := time.Now(), 0
	for _, line := range [][2]string{{"zhang", "demo.ask1"}, {"zhang", "demo.ask2"}, {"li", "demo.ask3"}, {"alex", "demo.ask4"}, {"alex", "demo.ask5"}} {
		for _, e := range a.Employees() {
			if e.ID != line[0] {
				continue
			}
			p := e.Platforms[answered%len(e.Platforms)]
			if err := c.exchange(ctx, a, e, p, i18n.Text(c.lang, line[1])); err != nil {
				return err
			}
			answered++
		}
	}
	c.say(i18n.Text(c.lang, "demo.end", "count", answered, "took", time.Since(begin).Round(time.Millisecond)))
	return nil
}

// exchange asks one question, waits for the answer and prints both.
func (c command) exchange(ctx context.Context, a *app.App, e bridge.Employee, p bridge.Platform, text string) error {
	where := i18n.Text(c.lang, "platform."+string(p))
	c.say(fmt.Sprintf("\n%s → %s: %s", e.Name, where, text))
	before, asked := len(a.Bubbles(e.ID)), time.Now()
	if err := a.Say(ctx, e.ID, p, text); err != nil {
		return fmt.Errorf("switchboardd: demo: %w", err)
	}
	accepted := time.Since(asked)
	var answer bridge.Bubble
	if err := wait(ctx, func() (done bool) {
		answer, done = answered(a.Bubbles(e.ID)[before:])
		return done
	}); err != nil {
		return err
	}
	for line := range strings.Lines(answer.Text) {
		c.say("    " + strings.TrimRight(line, "\n"))
	}
	key := "demo.timing"
	if answer.Updates > 0 {
		key = "demo.timing.growing"
	}
	c.say(i18n.Text(c.lang, key, "accepted", accepted.Round(100*time.Microsecond), "shown", answer.At.Sub(asked).Round(time.Millisecond),
		"answered", answer.Changed.Sub(asked).Round(time.Millisecond), "updates", answer.Updates))
	return nil
}

// answered returns the bot's last message once it is complete.
func answered(bubbles []bridge.Bubble) (bridge.Bubble, bool) {
	for _, b := range slices.Backward(bubbles) {
		if b.FromBot {
			return b, !b.Growing
		}
	}
	return bridge.Bubble{}, false
}

func wait(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("switchboardd: demo: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

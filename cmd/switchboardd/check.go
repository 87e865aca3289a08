package main

import (
	"context"

	"switchboard/internal/app"
)

// check asks every bot and agent how it is, and says it in words.
func (c command) check(ctx context.Context) int {
	a, err := app.Open(ctx, c.options()) // it says in words what the log would
	if err != nil {
		return c.trouble(err)
	}
	code := exitOK
	for _, line := range a.Check(ctx, c.lang) {
		mark := "✓"
		if !line.OK {
			mark, code = "✗", exitTrouble
		}
		c.say(mark + " " + line.Who + ": " + line.What)
		if line.Next != "" {
			c.say("    → " + line.Next)
		}
	}
	if err := a.Close(ctx); err != nil {
		return c.trouble(err)
	}
	return code
}

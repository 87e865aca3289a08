package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/i18n"
)

// report is what check says to programs.
type report struct {
	OK      bool            `json:"ok"`
	Version string          `json:"version"`
	Error   string          `json:"error,omitempty"` // why nothing could be tried
	Checks  []app.CheckLine `json:"checks"`
}

// check asks every bot and agent how it is, and says it in words. A program that
// runs is asked to do so.
func (c command) check(ctx context.Context) int {
	if len(c.args) > 0 {
		return c.misused()
	}
	checks, err := app.CheckAll(ctx, c.options(), c.lang)
	if err != nil {
		if c.json {
			c.report(report{Version: version, Error: app.Words(c.lang, err, c.data), Checks: []app.CheckLine{}})
		}
		return c.trouble(err)
	}
	r := report{OK: true, Version: version, Checks: checks}
	for _, line := range r.Checks {
		r.OK = r.OK && line.OK
	}
	if c.json {
		c.report(r)
	} else {
		c.tell(r)
	}
	if !r.OK {
		return exitTrouble
	}
	return exitOK
}

func (c command) tell(r report) {
	for _, line := range r.Checks {
		sign := mark(line.OK)
		if line.OK && line.Next != "" { // it works, but
			sign = "!"
		}
		c.say(sign + " " + line.Who + ": " + line.What)
		if line.Next != "" {
			c.say("    → " + line.Next)
		}
	}
}

func (c command) report(r report) {
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(r) // as with say, nobody may be reading
}

// diagnostics saves what helps somebody far away, also of a program that runs.
func (c command) diagnostics(ctx context.Context) int {
	if len(c.args) > 0 {
		return c.misused()
	}
	if c.file == "" {
		c.file = "switchboard-diagnostics-" + time.Now().Format("20060102-150405") + ".zip"
	}
	if err := app.SaveDiagnostics(ctx, c.options(), c.file); err != nil {
		return c.trouble(err)
	}
	if whole, err := filepath.Abs(c.file); err == nil {
		c.file = whole
	}
	c.say(i18n.Text(c.lang, "cli.saved", "file", c.file))
	return exitOK
}

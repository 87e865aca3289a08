// Command switchboardd runs Switchboard without a window: on a server, in a
// container, or on a machine that has no display.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	_ "time/tzdata" // office hours name zones, and not every machine knows them

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/logs"
)

const version = "0.1.0"

// Exit codes.
const (
	exitOK      = 0
	exitTrouble = 1
	exitUsage   = 2
	exitRunning = 4 // another program uses the data directory
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command is one invocation.
type command struct {
	name         string
	named        bool // otherwise name is the default
	args         []string
	data, config string
	faults       string // of the demonstration's platforms
	list, json   bool
	file         string // where the diagnostics go
	yes          bool   // nothing is asked
	q            query
	parcel       parcel
	in           *bufio.Reader
	terminal     bool // in is the process's own
	stdout, err  io.Writer
	lang         bridge.Language
}

func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	c := command{name: "run", in: bufio.NewReader(in), terminal: in == os.Stdin, stdout: out, err: errs, lang: i18n.Parse(locale())}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		c.name, c.named, args = args[0], true, args[1:]
	}
	do, known := commands()[c.name]
	if !known {
		return c.misused()
	}
	if err := c.parse(args); err != nil {
		return c.misread(err)
	}
	if c.data == "" {
		if c.data = dataDirectory(); c.data == "" {
			c.complain(i18n.Text(c.lang, "cli.homeless"))
			return exitTrouble
		}
	}
	return do(c, ctx)
}

func commands() map[string]func(command, context.Context) int {
	return map[string]func(command, context.Context) int{
		"run": command.serve, "demo": command.demo, "check": command.check, "secret": command.secret,
		"backup": command.backup, "restore": command.restore, "fresh": command.fresh, "people": command.people, "route": command.route, "audit": command.audit, "usage": command.usage, "export": command.export, "send": command.send, "diagnostics": command.diagnostics,
		"version": command.version, "help": func(c command, _ context.Context) int { return c.help() },
	}
}

// parse reads the flags, which may stand before, between and after the arguments.
func (c *command) parse(args []string) error {
	flags := flag.NewFlagSet("switchboardd "+c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {} // the words are ours
	flags.StringVar(&c.data, "data", "", "")
	flags.StringVar(&c.config, "config", "", "")
	switch c.name {
	case "demo":
		flags.StringVar(&c.faults, "faults", "", "")
	case "check":
		flags.BoolVar(&c.json, "json", false, "")
	case "diagnostics":
		flags.StringVar(&c.file, "out", "", "")
	case "restore":
		flags.BoolVar(&c.list, "list", false, "")
		flags.BoolVar(&c.yes, "yes", false, "")
	case "fresh":
		flags.BoolVar(&c.yes, "yes", false, "")
	case "send":
		c.parcel.flags(flags)
	case "export":
		flags.StringVar(&c.file, "out", "", "")
		c.q.flags(c.name, flags)
	case "people", "route", "audit", "usage":
		c.q.flags(c.name, flags)
	}
	for {
		if err := flags.Parse(args); err != nil {
			return err
		}
		if flags.NArg() == 0 {
			return nil
		}
		c.args, args = append(c.args, flags.Arg(0)), flags.Args()[1:]
	}
}

// dataDirectory is where the data is if nothing is said; empty when the system
// names no place.
func dataDirectory() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "switchboard")
}

func locale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return "en"
}

// options are those of the house.
func (c command) options() app.Options {
	return app.Options{
		Data: c.data, Config: c.config, Version: version, Log: slog.New(slog.DiscardHandler), Passphrase: c.passphrase,
		By: bridge.Actor{Who: whoAmI(), Where: "cli"},
	}
}

// whoAmI is the user of this computer, for the audit.
func whoAmI() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"), "unknown")
}

func (c command) serve(ctx context.Context) int {
	opt := c.options()
	opt.Redactor, opt.Level = &logs.Redactor{}, &slog.LevelVar{}
	opt.Log = slog.New(logs.NewText(c.err, logs.Options{Level: opt.Level, Redactor: opt.Redactor}))
	a, err := app.Open(ctx, opt)
	if err != nil {
		return c.trouble(err)
	}
	err = errors.Join(a.Run(ctx), a.Close(ctx))
	if err != nil {
		return c.trouble(err)
	}
	return exitOK
}

func (c command) version(context.Context) int {
	c.say("switchboardd " + version)
	return exitOK
}

// trouble explains an error and returns the exit code for it.
func (c command) trouble(err error) int {
	c.complain(app.Words(c.lang, err, c.data))
	if errors.Is(err, app.ErrRunning) {
		return exitRunning
	}
	return exitTrouble
}

// line reads one line from standard input; at its end it is empty.
func (c command) line() (string, error) {
	text, err := c.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("switchboardd: %w", err)
	}
	return strings.TrimSpace(text), nil
}

func (c command) say(text string)      { _, _ = fmt.Fprintln(c.stdout, text) }
func (c command) complain(text string) { _, _ = fmt.Fprintln(c.err, text) }

// Command switchboardd runs Switchboard without a window: on a server, in a
// container, or on a machine that has no display.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	_ "time/tzdata" // office hours name zones, and not every machine knows them

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
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
	args         []string
	data, config string
	faults       string // of the demonstration's platforms
	in           io.Reader
	out, err     io.Writer
	lang         bridge.Language
}

func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	c := command{name: "run", in: in, out: out, err: errs, lang: i18n.Parse(locale())}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		c.name, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("switchboardd "+c.name, flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&c.data, "data", "", "data directory (default: the system's per-user one)")
	flags.StringVar(&c.config, "config", "", "settings file (default: switchboard.yaml in the data directory)")
	if c.name == "demo" {
		flags.StringVar(&c.faults, "faults", "", "troubles of the simulated platforms, for example duplicate=0.2,busy=0.1,slow=200ms,seed=7")
	}
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	c.args = flags.Args()
	if c.data == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return c.trouble(err)
		}
		c.data = filepath.Join(dir, "switchboard")
	}
	switch c.name {
	case "run":
		return c.serve(ctx)
	case "demo":
		return c.demo(ctx)
	case "check":
		return c.check(ctx)
	case "secret":
		return c.secret(ctx)
	case "version":
		c.say("switchboardd " + version)
		return exitOK
	default:
		c.complain(i18n.Text(c.lang, "cli.usage"))
		return exitUsage
	}
}

func locale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return "en"
}

func (c command) open(ctx context.Context) (*app.App, error) {
	log := slog.New(slog.DiscardHandler) // check says in words what the log would
	if c.name == "run" {
		log = slog.New(slog.NewTextHandler(c.err, nil))
	}
	a, err := app.Open(ctx, app.Options{Data: c.data, Config: c.config, Version: version, Log: log})
	if err != nil {
		return nil, fmt.Errorf("switchboardd: %w", err)
	}
	return a, nil
}

func (c command) serve(ctx context.Context) int {
	a, err := c.open(ctx)
	if err != nil {
		return c.trouble(err)
	}
	err = errors.Join(a.Run(ctx), a.Close(ctx))
	if err != nil {
		return c.trouble(err)
	}
	return exitOK
}

// check asks every bot and agent how it is, and says it in words.
func (c command) check(ctx context.Context) int {
	a, err := c.open(ctx)
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

// secret keeps or deletes a secret in the keyring. The value is read from
// standard input, so that it stays out of the shell's history.
func (c command) secret(ctx context.Context) int {
	if len(c.args) != 2 || c.args[0] != "set" && c.args[0] != "delete" {
		c.complain(i18n.Text(c.lang, "cli.usage"))
		return exitUsage
	}
	var err error
	if c.args[0] == "delete" {
		err = app.DeleteSecret(ctx, c.args[1])
	} else {
		c.complain(i18n.Text(c.lang, "cli.paste", "name", c.args[1]))
		line, rerr := bufio.NewReader(c.in).ReadString('\n')
		if rerr != nil && !errors.Is(rerr, io.EOF) {
			return c.trouble(rerr)
		}
		err = app.KeepSecret(ctx, c.args[1], bridge.NewSecret(strings.TrimSpace(line)))
	}
	if err != nil {
		return c.trouble(err)
	}
	c.say(i18n.Text(c.lang, "cli.done"))
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

func (c command) say(text string)      { _, _ = fmt.Fprintln(c.out, text) }
func (c command) complain(text string) { _, _ = fmt.Fprintln(c.err, text) }

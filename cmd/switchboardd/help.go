package main

import (
	"errors"
	"flag"
	"strings"

	"switchboard/internal/i18n"
)

// order is that of the commands in the list of all of them.
func order() []string {
	return []string{
		"run", "demo", "check", "backup", "restore", "fresh", "people", "route", "audit", "usage", "export", "send", "secret", "diagnostics", "version", "help",
	}
}

// overview lists all commands.
func (c command) overview() string {
	lines := []string{i18n.Text(c.lang, "cli.usage"), ""}
	for _, name := range order() {
		lines = append(lines, i18n.Text(c.lang, "cli.help."+name))
	}
	return strings.Join(append(lines, "", i18n.Text(c.lang, "cli.codes")), "\n")
}

// manual tells how one command is used, and what is worth knowing of it.
func (c command) manual(name string) string {
	parts := []string{i18n.Text(c.lang, "cli.usage.one"), i18n.Text(c.lang, "cli.help."+name)}
	if more, ok := i18n.Find(c.lang, "cli.more."+name); ok {
		parts = append(parts, more)
	}
	return strings.Join(append(parts, i18n.Text(c.lang, "cli.flags", "default", dataDirectory()), i18n.Text(c.lang, "cli.codes")), "\n\n")
}

// usageText is how the command that was asked for is used, or all of them.
func (c command) usageText() string {
	if _, known := commands()[c.name]; known && c.named && c.name != "help" {
		return c.manual(c.name)
	}
	return c.overview()
}

// help tells how everything is used, or one command.
func (c command) help() int {
	if len(c.args) > 0 {
		c.name, c.args = c.args[0], nil
		if _, known := commands()[c.name]; !known {
			return c.misused()
		}
	}
	c.say(c.usageText())
	return exitOK
}

// misread says what is wrong with the flags, and how they are meant.
func (c command) misread(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		c.say(c.usageText())
		return exitOK
	}
	text := err.Error()
	if name, unknown := strings.CutPrefix(text, "flag provided but not defined: "); unknown {
		text = i18n.Text(c.lang, "cli.flag.unknown", "flag", "-"+name, "command", c.name)
	} else if name, alone := strings.CutPrefix(text, "flag needs an argument: "); alone {
		text = i18n.Text(c.lang, "cli.flag.alone", "flag", "-"+name)
	} else {
		text = i18n.Text(c.lang, "cli.flag.wrong", "error", text)
	}
	c.complain(text + "\n")
	return c.misused()
}

// misused says how a command is meant.
func (c command) misused() int {
	if _, known := commands()[c.name]; !known {
		c.complain(i18n.Text(c.lang, "cli.unknown", "command", c.name) + "\n")
	}
	c.complain(c.usageText())
	return exitUsage
}

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// backup copies the database, also while another program answers messages.
func (c command) backup(ctx context.Context) int {
	if len(c.args) > 0 {
		return c.misused()
	}
	c.complain(i18n.Text(c.lang, "cli.backing"))
	b, err := app.BackUp(ctx, c.options())
	if err != nil {
		return c.trouble(err)
	}
	c.say(i18n.Text(c.lang, "cli.backed", "file", b.Path, "size", megabytes(b.Size)))
	return exitOK
}

// restore puts a backup in the place of the database.
func (c command) restore(ctx context.Context) int {
	if len(c.args) > 1 || c.list && len(c.args) > 0 {
		return c.misused()
	}
	all, err := app.Backups(c.options())
	if err != nil {
		return c.trouble(err)
	}
	if c.list {
		return c.listed(all)
	}
	file := ""
	switch {
	case len(c.args) == 1:
		file = c.args[0]
	case len(all) > 0:
		file = all[0].Path
	default:
		c.complain(i18n.Text(c.lang, "cli.backups.none", "data", c.data))
		return exitTrouble
	}
	if !c.sure("cli.restore.ask", "backup", describe(all, file)) {
		return exitTrouble
	}
	kept, err := app.Restore(ctx, c.options(), file)
	return c.replaced(kept, err)
}

// fresh puts the database aside, so that the next start begins with an empty one.
func (c command) fresh(ctx context.Context) int {
	if len(c.args) > 0 {
		return c.misused()
	}
	if !c.sure("cli.fresh.ask") {
		return exitTrouble
	}
	kept, err := app.StartFresh(ctx, c.options())
	return c.replaced(kept, err)
}

func (c command) replaced(kept string, err error) int {
	if err != nil {
		return c.trouble(err)
	}
	if kept != "" {
		c.say(i18n.Text(c.lang, "cli.kept", "file", kept))
	}
	c.say(i18n.Text(c.lang, "cli.done"))
	return exitOK
}

func (c command) listed(all []bridge.Backup) int {
	if len(all) == 0 {
		c.complain(i18n.Text(c.lang, "cli.backups.none", "data", c.data))
	}
	for _, b := range all {
		c.say(row(b))
	}
	return exitOK
}

// sure tells what is about to be lost and asks, unless that was answered already.
func (c command) sure(key string, args ...any) bool {
	c.complain(i18n.Text(c.lang, key, append(args, "data", c.data)...))
	if c.yes {
		return true
	}
	c.complain(i18n.Text(c.lang, "cli.sure"))
	answer, err := c.line()
	if err == nil && slices.Contains([]string{"yes", "y", "是"}, strings.ToLower(answer)) {
		return true
	}
	c.complain(i18n.Text(c.lang, "cli.unchanged"))
	return false
}

// describe is a backup as it is listed, or the name of another file.
func describe(all []bridge.Backup, file string) string {
	for _, b := range all {
		if b.Path == file || filepath.Base(b.Path) == file {
			return row(b)
		}
	}
	return file
}

func row(b bridge.Backup) string {
	return fmt.Sprintf("%s  %s  %s", b.At.Format("2006-01-02 15:04:05"), megabytes(b.Size), filepath.Base(b.Path))
}

func megabytes(size int64) string { return fmt.Sprintf("%.1f MB", float64(size)/1e6) }

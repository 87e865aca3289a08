package main

import (
	"context"
	"io"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/i18n"
)

// export writes what people wrote and were answered, the oldest first.
func (c command) export(ctx context.Context) int {
	since, ok := moment(c.q.since, time.Now())
	chosen := c.q.since != "" || c.q.bot != "" || c.q.person != ""
	if len(c.args) > 0 || !ok || c.q.format != app.FormatCSV && c.q.format != app.FormatJSONL || c.q.damaged && chosen {
		return c.misused()
	}
	out, finish, err := c.destination()
	if err != nil {
		return c.trouble(err)
	}
	count, gaps := 0, 0
	write, end := app.WriteExport(out, c.q.format)
	tell := func(r app.ExportReport) error {
		count++
		return write(r)
	}
	if c.q.damaged {
		got, failed := app.Salvage(ctx, c.options(), tell)
		gaps, err = got.Gaps, failed
	} else {
		err = app.Export(ctx, c.options(), since, c.q.bot, c.q.person, tell)
	}
	if err == nil {
		err = end()
	}
	if err := finish(err); err != nil {
		return c.trouble(err)
	}
	c.complain(i18n.Text(c.lang, "cli.exported", "count", count))
	if gaps > 0 {
		c.complain(i18n.Text(c.lang, "cli.exported.gaps", "gaps", gaps))
	}
	return exitOK
}

// destination is where an export goes.
func (c command) destination() (io.Writer, func(error) error, error) {
	if c.file == "" {
		return c.stdout, func(err error) error { return err }, nil
	}
	return app.ExportFile(c.file, c.q.format)
}

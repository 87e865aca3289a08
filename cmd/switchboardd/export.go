package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/i18n"
)

// export writes what people wrote and were answered, the oldest first.
func (c command) export(ctx context.Context) int {
	since, ok := moment(c.q.since, time.Now())
	if len(c.args) > 0 || !ok || c.q.format != "csv" && c.q.format != "jsonl" {
		return c.misused()
	}
	out, finish, err := c.destination()
	if err != nil {
		return c.trouble(err)
	}
	count := 0
	write, end := c.conversations(out)
	err = app.Export(ctx, c.options(), since, c.q.bot, c.q.person, func(r app.ExportReport) error {
		count++
		return write(r)
	})
	if err == nil {
		err = end()
	}
	if err := finish(err); err != nil {
		return c.trouble(err)
	}
	c.complain(i18n.Text(c.lang, "cli.exported", "count", count))
	return exitOK
}

// destination is where an export goes. A file is its owner's alone, and gets its
// name when it is whole.
func (c command) destination() (io.Writer, func(error) error, error) {
	if c.file == "" {
		return c.stdout, func(err error) error { return err }, nil
	}
	half := c.file + ".unfinished"
	f, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the admin says where
	if err != nil {
		return nil, nil, fmt.Errorf("switchboardd: export: %w", err)
	}
	buffered := bufio.NewWriter(f)
	if c.q.format == "csv" {
		_, _ = buffered.WriteString("\ufeff") // spreadsheets take it for another encoding otherwise; Flush tells
	}
	return buffered, func(err error) error {
		if err = errors.Join(err, buffered.Flush(), f.Sync(), f.Close()); err == nil {
			err = os.Rename(half, c.file)
		}
		if err != nil {
			return errors.Join(err, os.Remove(half))
		}
		return nil
	}, nil
}

// conversations writes questions and answers in the format that was chosen.
func (c command) conversations(out io.Writer) (write func(app.ExportReport) error, end func() error) {
	if c.q.format == "jsonl" {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return func(r app.ExportReport) error { return encoder.Encode(r) }, func() error { return nil }
	}
	table := csv.NewWriter(out)
	row := func(cells ...string) error {
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		return table.Write(cells)
	}
	_ = row("id", "at", "platform", "bot", "group", "person", "name", "question", "files", "agent", "answer", "answered_at", "state", "error") // Flush tells
	return func(r app.ExportReport) error {
			return row(strconv.FormatInt(r.ID, 10), utc(r.At), r.Platform, r.Bot, r.Group, r.Person, r.Name, r.Question, strings.Join(r.Files, ", "),
				r.Agent, r.Answer, utc(r.Answered), r.State, r.Error)
		}, func() error {
			table.Flush()
			if err := table.Error(); err != nil {
				return fmt.Errorf("switchboardd: export: %w", err)
			}
			return nil
		}
}

func utc(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/app"
)

// audit writes who did what to whom, the latest first.
func (c command) audit(ctx context.Context) int {
	q := url.Values{"kind": {c.q.kind}, "person": {c.q.person}}
	since, ok := moment(c.q.since, time.Now())
	if len(c.args) > 0 || !ok || c.q.format != "csv" && c.q.format != "jsonl" {
		return c.misused()
	}
	if !since.IsZero() {
		q.Set("since", since.Format(time.RFC3339Nano))
	}
	write, end := c.entries()
	for {
		var page []app.AuditReport
		if err := c.ask(ctx, http.MethodGet, "/api/v1/audit?"+q.Encode(), nil, &page); err != nil {
			return c.trouble(err)
		}
		for _, e := range page {
			if err := write(e); err != nil {
				return c.trouble(err)
			}
		}
		if len(page) == 0 {
			break
		}
		q.Set("before", strconv.FormatInt(page[len(page)-1].ID, 10))
	}
	if err := end(); err != nil {
		return c.trouble(err)
	}
	return exitOK
}

// entries writes entries in the format that was chosen.
func (c command) entries() (write func(app.AuditReport) error, end func() error) {
	if c.q.format == "jsonl" {
		encoder := json.NewEncoder(c.stdout)
		return func(e app.AuditReport) error { return encoder.Encode(e) }, func() error { return nil }
	}
	table := csv.NewWriter(c.stdout)
	row := func(cells ...string) error {
		for i := range cells {
			cells[i] = app.Harmless(cells[i])
		}
		return table.Write(cells)
	}
	_ = row("id", "at", "kind", "by", "where", "person", "note", "undoes") // Flush tells
	return func(e app.AuditReport) error {
			return row(strconv.FormatInt(e.ID, 10), e.At.UTC().Format(time.RFC3339), e.Kind, e.By, e.Where, e.Person, e.Note, strconv.FormatInt(e.Undoes, 10))
		}, func() error {
			table.Flush()
			if err := table.Error(); err != nil {
				return fmt.Errorf("switchboardd: audit: %w", err)
			}
			return nil
		}
}

// moment reads a day, a moment, or how long ago it was: 7d, 12h. Nothing is no
// moment.
func moment(text string, now time.Time) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, true
		}
	}
	if days, found := strings.CutSuffix(text, "d"); found {
		n, err := strconv.Atoi(days)
		return now.AddDate(0, 0, -n), err == nil && n >= 0
	}
	ago, err := time.ParseDuration(text)
	return now.Add(-ago), err == nil && ago >= 0
}

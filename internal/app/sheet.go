package app

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// The formats of an export.
const (
	FormatCSV   = "csv"
	FormatJSONL = "jsonl"
)

// Harmless keeps a spreadsheet from taking a text for a formula.
func Harmless(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
		return "'" + cell
	}
	return cell
}

// WriteExport writes questions and answers in a format; end comes last.
func WriteExport(out io.Writer, format string) (write func(ExportReport) error, end func() error) {
	if format == FormatJSONL {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return func(r ExportReport) error { return encoder.Encode(r) }, func() error { return nil }
	}
	table := csv.NewWriter(out)
	row := func(cells ...string) error {
		for i := range cells {
			cells[i] = Harmless(cells[i])
		}
		return table.Write(cells)
	}
	_ = row("id", "at", "platform", "bot", "group", "person", "name", "question", "files", "agent", "answer", "answered_at", "state", "error") // Flush tells
	return func(r ExportReport) error {
			return row(strconv.FormatInt(r.ID, 10), utc(r.At), r.Platform, r.Bot, r.Group, r.Person, r.Name, r.Question, strings.Join(r.Files, ", "),
				r.Agent, r.Answer, utc(r.Answered), r.State, r.Error)
		}, func() error {
			table.Flush()
			if err := table.Error(); err != nil {
				return fmt.Errorf("app: export: %w", err)
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

// ExportFile is where an export goes: a file for its owner alone, which gets its
// name when finish is called without an error.
func ExportFile(path, format string) (out io.Writer, finish func(error) error, err error) {
	half := path + ".unfinished"
	f, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the admin says where
	if err != nil {
		return nil, nil, fmt.Errorf("app: export: %w", store.OfDirectory(err))
	}
	buffered := bufio.NewWriter(f)
	if format == FormatCSV {
		_, _ = buffered.WriteString("\ufeff") // spreadsheets take it for another encoding otherwise; Flush tells
	}
	return buffered, func(err error) error {
		if err = errors.Join(err, buffered.Flush(), f.Sync(), f.Close()); err == nil {
			err = os.Rename(half, path)
		}
		if err != nil {
			return errors.Join(store.OfDirectory(err), os.Remove(half))
		}
		return nil
	}, nil
}

// Salvage tells of all questions and answers that can still be read of a database
// that does not open, the oldest first, and steps over what cannot. Nothing is
// changed, but the audit will say that it was done.
func Salvage(ctx context.Context, opt Options, tell func(ExportReport) error) (bridge.Salvaged, error) {
	if err := local(opt, "salvage"); err != nil {
		return bridge.Salvaged{}, err
	}
	if err := did(ctx, opt, bridge.AuditExported, "what could be read of the database file"); err != nil {
		return bridge.Salvaged{}, err
	}
	return store.Salvage(ctx, databaseFile(opt.Data), func(row bridge.ExportRow) error {
		if row.Job.Queue == demoAgent {
			return nil
		}
		return tell(exportReport(row))
	})
}

// SalvageTo is Salvage into a file, as CSV unless its name ends in .jsonl.
func SalvageTo(ctx context.Context, opt Options, path string) (bridge.Salvaged, error) {
	format := FormatCSV
	if strings.EqualFold(filepath.Ext(path), "."+FormatJSONL) {
		format = FormatJSONL
	}
	out, finish, err := ExportFile(path, format)
	if err != nil {
		return bridge.Salvaged{}, err
	}
	write, end := WriteExport(out, format)
	got, err := Salvage(ctx, opt, write)
	if err == nil {
		err = end()
	}
	return got, finish(err)
}

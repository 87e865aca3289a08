package main

import (
	"encoding/csv"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// TestExport writes what was asked, beside a program that runs and without one, and
// the audit says who did it.
func TestExport(t *testing.T) {
	t.Parallel()
	data, ids := spent(t)
	do := func(args ...string) said {
		t.Helper()
		return invoke(t, "", append(args, "--data", data)...)
	}
	rows := func(s said) (all []app.ExportReport) {
		t.Helper()
		for line := range strings.Lines(s.out) {
			var r app.ExportReport
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%v: %q", err, line)
			}
			all = append(all, r)
		}
		return all
	}
	check := func() {
		t.Helper()
		s := do("export")
		s.want(t, exitOK, "3 questions written")
		all := rows(s)
		if len(all) != 3 || all[0].Person != ids["alex"] || all[0].Name != "=Alex" || all[2].Name != "张伟" || all[0].Question != "?" || all[0].Agent != "help" ||
			all[0].State != "completed" || all[0].At.IsZero() || all[0].Answered.IsZero() || all[0].Bot != "fs" || all[0].Platform != "feishu" {
			t.Errorf("exported %+v", all)
		}
		if got := rows(do("export", "--person", "zhang")); len(got) != 1 || got[0].Person != ids["zhang"] {
			t.Errorf("of Zhang %+v", got)
		}
		if got := rows(do("export", "--bot", "other")); len(got) != 0 {
			t.Errorf("of another bot %+v", got)
		}
		do("export", "--person", "nobody").want(t, exitTrouble, "nobody")
	}
	check()
	do("audit", "--kind", "exported").want(t, exitOK, "everything", "bot other", "cli", whoAmI())
	opt := app.Options{Data: data, Log: slog.New(slog.DiscardHandler), By: bridge.Actor{Who: "aside", Where: "cli"}}
	if err := app.Ask(t.Context(), opt, http.MethodGet, "/api/v1/export?after=1", nil, &json.RawMessage{}); err != nil {
		t.Fatal(err)
	}
	do("audit", "--kind", "exported").want(t, exitOK, "aside") // who begins in the middle is in it as well
	file := filepath.Join(t.TempDir(), "talks.csv")
	do("export", "--format", "csv", "--since", "1h", "--out", file).want(t, exitOK, "3 questions written")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	plain, marked := strings.CutPrefix(string(text), "\ufeff")
	table, err := csv.NewReader(strings.NewReader(plain)).ReadAll()
	if err != nil || !marked || len(table) != 4 || !slices.Equal(table[1][2:8], []string{"feishu", "fs", "", ids["alex"], "'=Alex", "?"}) {
		t.Errorf("%q, %v", text, err)
	}
	none := filepath.Join(filepath.Dir(file), "none", "talks.csv")
	do("export", "--out", none).want(t, exitTrouble, none)
	failed := filepath.Join(filepath.Dir(file), "failed.jsonl")
	do("export", "--person", "nobody", "--out", failed).want(t, exitTrouble, "nobody")
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	inBackground(t, data)
	noted := func() int { return strings.Count(do("audit", "--kind", "exported", "--format", "jsonl").out, "\n") }
	before := noted()
	check()
	if got := noted() - before; got != 3 {
		t.Errorf("the audit tells of %d of three exports", got)
	}
}

// TestExportDamaged: what a database that does not open still has can be taken along,
// and is the same as the export of a good one.
func TestExportDamaged(t *testing.T) {
	t.Parallel()
	data, _ := spent(t)
	do := func(args ...string) said {
		t.Helper()
		return invoke(t, "", append(args, "--data", data)...)
	}
	good := do("export", "--format", "csv")
	damaged := do("export", "--damaged", "--format", "csv")
	damaged.want(t, exitOK, "3 questions written")
	if damaged.out != good.out {
		t.Errorf("%s\nand not\n%s", damaged.out, good.out)
	}
	do("export", "--damaged", "--bot", "fs").want(t, exitUsage)
	file := filepath.Join(data, "switchboard.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("rust ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, companion := range []string{"-wal", "-shm"} {
		_ = os.Remove(file + companion) // may not be there
	}
	out := filepath.Join(t.TempDir(), "x.csv")
	do("export", "--damaged", "--out", out).want(t, exitTrouble, "The database is damaged")
	if left, err := filepath.Glob(out + "*"); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	do("fresh", "--yes").want(t, exitOK)
	do("audit", "--kind", "exported").want(t, exitOK, "what could be read of the database file", whoAmI())
}

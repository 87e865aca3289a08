package privacy_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/privacy"
)

var update = flag.Bool("update", false, "write the table of README.md anew")

// labelled is one line of the corpus: a text, and the values in it that a
// careful person would hide.
type labelled struct {
	Text   string `json:"text"`
	Values []struct {
		Rule  privacy.Rule `json:"rule"`
		Value string       `json:"value"`
	} `json:"values"`
}

func corpus(tb testing.TB) []labelled {
	tb.Helper()
	file, err := os.Open("testdata/corpus.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var all []labelled
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l labelled
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			tb.Fatal(err)
		}
		for _, v := range l.Values {
			if !strings.Contains(l.Text, v.Value) {
				tb.Fatalf("%q is not in %q", v.Value, l.Text)
			}
		}
		all = append(all, l)
	}
	if len(all) < 500 {
		tb.Fatalf("the corpus has %d lines", len(all))
	}
	return all
}

// score is how one rule did.
type score struct{ values, found, missed, wrong int }

// judge compares what is found in a line with its labels. A value counts as
// found if the right rule covers all of it; the plus sign before a country's
// code is no part of it.
func judge(l labelled, spans []privacy.Span, scores map[privacy.Rule]*score) (remarks []string) {
	used := make([]bool, len(spans))
	from := 0
	for _, v := range l.Values {
		value := strings.TrimPrefix(v.Value, "+")
		start := from + strings.Index(l.Text[from:], value)
		end := start + len(value)
		from = end
		scores[v.Rule].values++
		hit := false
		for i, s := range spans {
			if s.Rule == v.Rule && !used[i] && s.Start <= start && s.End >= end {
				hit, used[i] = true, true
				break
			}
		}
		if hit {
			scores[v.Rule].found++
		} else {
			scores[v.Rule].missed++
			remarks = append(remarks, fmt.Sprintf("missed | %s | `%s`", v.Rule, oneLine(l.Text)))
		}
	}
	for i, s := range spans {
		if !used[i] {
			scores[s.Rule].wrong++
			remarks = append(remarks, fmt.Sprintf("wrong | %s | `%s`", s.Rule, oneLine(l.Text)))
		}
	}
	return remarks
}

func oneLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", "⏎"), "|", "¦")
}

// TestCorpus holds the table in README.md to what the rules do.
func TestCorpus(t *testing.T) {
	t.Parallel()
	scores := map[privacy.Rule]*score{}
	for _, rule := range privacy.BuiltIn() {
		scores[rule] = &score{}
	}
	var remarks []string
	lines, plain := 0, 0
	for _, l := range corpus(t) {
		spans, err := privacy.Preview(privacy.Rules{}, l.Text)
		if err != nil {
			t.Fatal(err)
		}
		lines++
		if len(l.Values) == 0 {
			plain++
		}
		remarks = append(remarks, judge(l, spans, scores)...)
	}
	got := table(lines, plain, scores, remarks)
	t.Log("\n" + got)
	const begin, end = "<!-- corpus: begin -->\n", "<!-- corpus: end -->\n"
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(readme), begin)
	want, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatal("README.md has no place for the table")
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("README.md says otherwise; see -update\n", diff)
	}
}

func table(lines, plain int, scores map[privacy.Rule]*score, remarks []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d lines, %d of them without anything to hide.\n\n", lines, plain)
	b.WriteString("| rule | values | found | missed (false negatives) | wrong (false positives) |\n|---|---|---|---|---|\n")
	var sum score
	row := func(name string, s score) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", name, s.values, s.found, s.missed, s.wrong)
	}
	for _, rule := range privacy.BuiltIn() {
		s := *scores[rule]
		row(string(rule), s)
		sum = score{sum.values + s.values, sum.found + s.found, sum.missed + s.missed, sum.wrong + s.wrong}
	}
	row("**all**", sum)
	b.WriteString("\n| error | rule | line |\n|---|---|---|\n")
	for _, r := range remarks {
		b.WriteString("| " + r + " |\n")
	}
	return b.String()
}

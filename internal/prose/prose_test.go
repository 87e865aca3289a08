package prose_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/prose"
)

func TestSafe(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"a\tb\n": "a\tb\n", "a\x00\x1b\x7fb": "ab", "a\xff\xfeb": "a\uFFFDb", "a\uFFFEb\uFFFF": "ab", "👩\u200d👧 你好\u0085": "👩\u200d👧 你好\u0085", "a\r\nb": "a\nb",
	} {
		if got := prose.Safe(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got := prose.Clean(" \x00 a \n b\n"); got != "a \n b" {
		t.Errorf("clean: %q", got)
	}
	if got := prose.OneLine(" a \n\t b\x00 "); got != "a b" {
		t.Errorf("one line: %q", got)
	}
	if got := prose.Label("text<b>\n类型" + strings.Repeat("x", 40)); got != "textb"+strings.Repeat("x", 27) {
		t.Errorf("label: %q", got)
	}
	if got := prose.Unmarked("[a]_b*`c`|#d"); got != "abc d" {
		t.Errorf("unmarked: %q", got)
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"": "", "四个汉字": "四个汉字", "五个汉字啊": "五个汉…", "abcd": "abcd", "abcde": "abc…"} {
		if got := prose.Shorten(s, 4); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for md, want := range map[string]string{
		"":                                 "",
		"\n\n## **Title** `x`\nmore":       "Title x",
		"```go\n```":                       "",
		"- [ ] do [this](https://x/y) now": "do this now",
		"| a | b |\n|---|---|":             "a b",
		"---\n> said":                      "said",
		"很长很长很长很长很长很长很长很长很长很长很长": "很长很长很长很长很长很长很长很长很长很…",
	} {
		if got := prose.Summary(md, 20); got != want {
			t.Errorf("%q: %q", md, got)
		}
	}
}

func TestBlockOf(t *testing.T) {
	t.Parallel()
	for want, lines := range map[prose.Block][]string{
		prose.Blank:     {"", " \t", "\nmore"},
		prose.Paragraph: {"a", "#a", "####### a", "-a", "1.a", "1234567890. a", "a | b", "--", "``a``", "```a``` b", "-", "1."},
		prose.Heading:   {"#", "# a", "###### a", "  ## a\nb"},
		prose.Quotation: {"> a", ">"},
		prose.Item:      {"- a", "* a", "+ a", "1. a", "12) a", "  -\ta"},
		prose.Code:      {"```", "~~~", "````go", "  ```"},
		prose.Table:     {"|a|", "| a | b"},
		prose.Rule:      {"---", "***", "___", "- - -", "----------"},
	} {
		for _, line := range lines {
			if got := prose.BlockOf(line); got != want {
				t.Errorf("%q: %d, want %d", line, got, want)
			}
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][2]string{
		"- a": {"-", "a"}, "*  a": {"-", "a"}, "3. a b": {"3.", "a b"}, "10)\ta": {"10)", "a"}, "a": {}, "": {}, "**a**": {}, "2.5 a": {},
	} {
		mark, rest := prose.Mark(s)
		if got := [2]string{mark, rest}; got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestCodeBlock(t *testing.T) {
	t.Parallel()
	for md, want := range map[string]struct {
		body string
		n    int
	}{
		"```go\na\n```\nb":      {"a", 3},
		"````\n```\na\n````\nb": {"```\na", 4},
		"```\na\n``":            {"a\n``", 3},
		"~~~\n```\n~~~":         {"```", 3},
		"```":                   {"", 1},
		"```\n```":              {"", 2},
		"  ```\n  a\n  ```":     {"  a", 3},
		"```\n```` ":            {"", 2},
	} {
		body, n := prose.CodeBlock(strings.Split(md, "\n"))
		if got := strings.Join(body, "\n"); got != want.body || n != want.n {
			t.Errorf("%q: %q, %d", md, got, n)
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	for md, want := range map[string]int{
		"a|b\n-|-\n1|2\n\nc": 3, "|a|\n|:-:|": 2, "a|b": 0, "a|b\nc|d": 0, "a\n-|-": 0, "a|b\n---": 0,
	} {
		lines := strings.Split(md, "\n")
		got := 0
		if prose.Tabular(lines) {
			got = prose.TableLines(lines)
		}
		if got != want {
			t.Errorf("%q: %d lines", md, got)
		}
	}
	if diff := cmp.Diff([]string{"a", "b|c", "", "d e"}, prose.Cells(` | a | b\|c || d<br>e |`)); diff != "" {
		t.Error(diff)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]struct {
		words, target string
		n             int
	}{
		"[a](b) c": {"a", "b", 6}, "[a [b]](c(d))": {"a [b]", "c(d)", 13}, `[a\]](b "title")`: {`a\]`, "b", 16}, "[a](<b>)": {"a", "b", 8},
		"[a]": {}, "[a] (b)": {}, "[a](b": {}, "[a": {}, "a](b)": {}, "": {},
	} {
		words, target, n := prose.Link(s)
		if words != want.words || target != want.target || n != want.n {
			t.Errorf("%q: %q, %q, %d", s, words, target, n)
		}
	}
	if !prose.Web("https://x") || !prose.Web("http://x") || prose.Web("javascript:x") || prose.Web("@id") {
		t.Error("web")
	}
}

// FuzzBlocks looks for texts that are not read to their end.
func FuzzBlocks(f *testing.F) {
	for _, md := range []string{"# a\n- b\n```\nc", "a|b\n-|-\n1|2", "[a](b)", "\xff\x00|\n|-", "> - 1. a"} {
		f.Add(md)
	}
	f.Fuzz(func(t *testing.T, md string) {
		for lines := strings.Split(md, "\n"); len(lines) > 0; {
			n := 1
			switch {
			case prose.BlockOf(lines[0]) == prose.Code:
				_, n = prose.CodeBlock(lines)
			case prose.Tabular(lines):
				n = prose.TableLines(lines)
			}
			if n < 1 || n > len(lines) {
				t.Fatalf("%d of %d lines", n, len(lines))
			}
			prose.Mark(lines[0])
			prose.Cells(lines[0])
			if _, _, m := prose.Link(lines[0]); m > len(lines[0]) {
				t.Fatalf("a link of %d bytes in %q", m, lines[0])
			}
			lines = lines[n:]
		}
		if s := prose.Summary(md, 20); utf8.RuneCountInString(s) > 20 || !utf8.ValidString(s) || strings.Contains(s, "\n") {
			t.Fatalf("summary %q", s)
		}
	})
}

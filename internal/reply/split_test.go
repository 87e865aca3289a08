package reply_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/reply"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text  string
		first, rest int
		want        []string
	}{
		{"fits", "hello", 20, 20, []string{"hello"}},
		{"empty", "", 20, 20, []string{""}},
		{"paragraph before line", "one two\nthree\n\nfour five", 20, 20, []string{"one two\nthree", "four five"}},
		{"line", "aaaaaaaaaaaa\nbbbbbbbbbbbbbbbb", 18, 18, []string{"aaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"}},
		{"Chinese sentence", "今天天气。明天天气也好", 18, 18, []string{"今天天气。", "明天天气也好"}},
		{"inside a word, never inside a rune", strings.Repeat("好", 7), 17, 17, []string{"好好好好好", "好好"}},
		{"first differs", "aaaa bbbb cccc dddd eeee", 16, 100, []string{"aaaa bbbb cccc", "dddd eeee"}},
		{"code block is closed and opened", "```go\nline one\nline two\nline three\n```", 30, 30, []string{"```go\nline one\nline two\n```", "```go\nline three\n```"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := reply.Split(c.text, c.first, c.rest)
			for n := range got {
				got[n] = strings.TrimRight(got[n], " ")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSplitKeepsEverything cuts random texts at random limits: every part fits,
// no character is broken, and nothing but blanks and fence lines is lost.
func TestSplitKeepsEverything(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"word", "好", "。", "，", "\n", "\n\n", " ", "\n```\n", "\n```go\n", "😀", "- item\n", "|a|b|\n", "x"}
	strip := strings.NewReplacer(" ", "", "\n", "", "```go", "", "```", "")
	for range 3000 {
		var b strings.Builder
		for range rng.IntN(200) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		first, rest := 16+rng.IntN(300), 16+rng.IntN(300)
		parts := reply.Split(b.String(), first, rest)
		for n, part := range parts {
			limit := rest
			if n == 0 {
				limit = first
			}
			if len(part) > limit || !utf8.ValidString(part) {
				t.Fatalf("part %d has %d bytes, limit %d, valid %v:\n%q", n, len(part), limit, utf8.ValidString(part), part)
			}
		}
		if want, got := strip.Replace(b.String()), strip.Replace(strings.Join(parts, "")); want != got {
			t.Fatalf("limits %d %d\nwant %q\n got %q", first, rest, want, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("```go\nx\n```\nhello 你好。", 20, 30)
	f.Fuzz(func(t *testing.T, text string, first, rest int) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		first, rest = first%10000, rest%10000
		for n, part := range reply.Split(text, first, rest) {
			limit := max(16, rest)
			if n == 0 {
				limit = max(16, first)
			}
			if len(part) > limit || !utf8.ValidString(part) {
				t.Fatalf("part %d: %d bytes of %d: %q", n, len(part), limit, part)
			}
		}
	})
}

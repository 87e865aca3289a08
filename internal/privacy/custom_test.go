package privacy_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/privacy"
)

// checkRule compares a rule of the admin's with what the regexp package finds,
// on text of plain ASCII without line breaks that is shorter than the longest
// value; on every text it wants the stream to agree with the whole.
func checkRule(t *testing.T, pattern, mask, text string) {
	t.Helper()
	f, err := privacy.New(privacy.Rules{
		Off: privacy.BuiltIn(), Custom: []bridge.MaskRule{{Name: "a", Pattern: pattern, Mask: mask}},
	})
	if err != nil {
		return
	}
	want, _ := f.Mask(text)
	s := f.Stream()
	var out strings.Builder
	for _, r := range text {
		out.WriteString(s.Push(string(r)))
	}
	out.WriteString(s.Close())
	if utf8.ValidString(text) && out.String() != want {
		t.Fatalf("%q on %q: stream %q, whole %q", pattern, text, out.String(), want)
	}
	if len(text) > 60 || strings.ContainsFunc(text, func(r rune) bool { return r >= 0x7F }) || strings.Contains(pattern, "^") || strings.Contains(pattern, `\`) {
		return
	}
	plain, err := privacy.New(privacy.Rules{Off: privacy.BuiltIn(), Custom: []bridge.MaskRule{{Name: "a", Pattern: pattern}}})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := plain.Mask(text)
	masked := regexp.MustCompile(pattern).ReplaceAllStringFunc(text, func(v string) string {
		if v == "" {
			return ""
		}
		return strings.Repeat("＊", len(v))
	})
	if got = strings.ReplaceAll(got, "\u2060", ""); got != masked {
		t.Fatalf("%q on %q: got %q, want %q", pattern, text, got, masked)
	}
}

func TestRuleIsTheRegexp(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		`(a|ab)(c|bcd)(d*)`, `a+?b*`, `(?:ab){2,3}`, `[^a-c]x`, `x.y`, `a{3,}`, `(?i)AbC`, `ab|abcd|abc`, `(ab|a)(bc)?d`, `z|xy*?z`,
	} {
		for _, text := range []string{"abcd", "aaabbb", "abababab", "zx ax", "x-y xyy", "aaaaa aa", "aBc ABC abc", "abcde abc ab", "abcd abd ad", "xyyyz z xz", ""} {
			checkRule(t, pattern, "1+1", text)
		}
	}
}

package privacy_test

import (
	"strings"
	"testing"

	"switchboard/internal/privacy"
)

// answer is a long answer with something to hide in every third line.
func answer(b *testing.B, size int) string {
	b.Helper()
	var out strings.Builder
	for _, l := range corpus(b) {
		out.WriteString(l.Text + "\n")
	}
	text := strings.Repeat(out.String(), size/out.Len()+1)
	return strings.ToValidUTF8(text[:size], "")
}

func perKB(b *testing.B, size int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size)*1024, "ns/KB")
}

func BenchmarkMask(b *testing.B) {
	for _, c := range []struct {
		name  string
		rules privacy.Rules
	}{{"built-in", privacy.Rules{}}, {"custom", customRules()}} {
		b.Run(c.name, func(b *testing.B) {
			f, text := newFilter(b, c.rules), answer(b, 10<<10)
			for b.Loop() {
				f.Mask(text)
			}
			perKB(b, len(text))
		})
	}
}

// BenchmarkSafe gives the whole text so far for every 12 bytes, as the engine
// does. The time per KB must not grow with the size.
func BenchmarkSafe(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"10KB", 10 << 10}, {"100KB", 100 << 10}, {"1MB", 1 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			f, text := newFilter(b, privacy.Rules{}), answer(b, c.size)
			for b.Loop() {
				s := f.Stream()
				var whole strings.Builder
				for at := 0; at < len(text); at += 12 {
					whole.WriteString(text[at:min(at+12, len(text))])
					s.Safe(whole.String(), false)
				}
				s.Safe(whole.String(), true)
			}
			perKB(b, len(text))
		})
	}
}

func BenchmarkRestore(b *testing.B) {
	f := newFilter(b, privacy.Rules{})
	v := privacy.NewVault()
	text, _ := v.Hide(f, "a", answer(b, 10<<10))
	for b.Loop() {
		v.Restore("a", text)
	}
	perKB(b, len(text))
}

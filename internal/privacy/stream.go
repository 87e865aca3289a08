package privacy

import "strings"

// Stream rewrites a text that grows. What it has given away never changes, and
// is the beginning of what the whole text gives at once; it lags behind by at
// most MaxDelay characters. It belongs to one goroutine.
//
// Feed it either the pieces, with Push and Close, or the whole text so far,
// with Safe. The work is linear in the length of the text, however it is cut.
type Stream struct {
	start func() *scanner
	s     *scanner
	whole strings.Builder // of the pieces
	seen  string          // the text so far
	final bool
	given int
}

// Stream begins to mask a growing text.
func (f *Filter) Stream() *Stream { return &Stream{start: f.scanner, s: f.scanner()} }

// Push takes the next piece, cut anywhere, even inside a character, and returns
// the next piece of the masked text, which may be empty.
func (t *Stream) Push(delta string) string {
	t.whole.WriteString(delta)
	return t.advance(false)
}

// Close says that nothing follows, and returns the rest.
func (t *Stream) Close() string { return t.advance(true) }

func (t *Stream) advance(final bool) string {
	t.seen, t.final = t.whole.String(), final
	t.s.advance(t.seen, final)
	out := t.s.out.String()
	piece := out[t.given:]
	t.given = len(out)
	return piece
}

// Safe takes the whole text so far and returns all of it that may be shown; with
// final, all of it. A text that does not go on where the last one stopped is
// taken for a new one.
func (t *Stream) Safe(whole string, final bool) string {
	// Comparing is cheap: the text usually is the same memory, which is seen at once.
	if !strings.HasPrefix(whole, t.seen) || t.final && (!final || len(whole) > len(t.seen)) {
		t.s = t.start()
	}
	t.seen, t.final = whole, final
	t.s.advance(whole, final)
	return t.s.out.String()
}

// Decided is how much of the text, in bytes, is shown or hidden for good; the
// rest waits for what follows.
func (t *Stream) Decided() int { return t.s.offset(0) }

// Findings says what was hidden so far.
func (t *Stream) Findings() Findings { return t.s.findings() }

package privacy

import (
	"strings"
	"unicode/utf8"
)

// chunk is how many characters are decoded at a time. It is larger than
// MaxDelay, so that each chunk makes progress.
const chunk = 1024

// cell is one character of the text that is not decided yet.
type cell struct {
	r   rune // folded
	raw rune
	at  int // in bytes
}

// verdict is what a rule says about a place in the text.
type verdict int

const (
	miss verdict = iota // no value begins here
	wait                // that depends on what follows
	hit
)

// move is a verdict and, for a hit, what to do.
type move struct {
	verdict verdict
	rule    Rule
	end     int    // the first cell after the value
	text    string // shown instead of it
	gulp    gulp   // what else of the value follows, of any length
}

// unless says no if that is certain, otherwise that it depends.
func unless(known bool) move {
	if known {
		return move{}
	}
	return move{verdict: wait}
}

// scanner goes through one text. It belongs to one goroutine.
type scanner struct {
	f       *Filter
	ask     func(*scanner, int) move // what begins at a cell
	src     string                   // the whole text so far
	decoded int                      // bytes of it that are in cells or behind them
	final   bool                     // nothing comes after the cells
	cells   []cell
	pos     int // the cell to be decided next
	out     strings.Builder
	prev    rune // the last one written, folded
	bold    bool // the last one written is a mark that bold markup must not touch
	url     bool // pos is inside a web address
	gulp    gulp
	spans   []Span
	vm      machine
}

func newScanner(f *Filter, ask func(*scanner, int) move) *scanner {
	return &scanner{f: f, ask: ask, prev: -1}
}

// advance decides as much as it can. The text must begin with the one of the
// call before.
func (s *scanner) advance(src string, final bool) {
	s.src = src
	for more := true; more; {
		more = s.fill(final)
		s.scan()
		s.cells = s.cells[:copy(s.cells, s.cells[s.pos:])]
		s.pos = 0
	}
	if s.final && s.gulp.kind != gulpNone {
		s.closeGulp(len(src))
	}
}

// fill decodes the next characters and says whether there are still more.
func (s *scanner) fill(final bool) bool {
	for n := 0; n < chunk && s.decoded < len(s.src); n++ {
		rest := s.src[s.decoded:]
		if rest[0] >= utf8.RuneSelf && !final && !utf8.FullRuneInString(rest) {
			return false
		}
		r, size := utf8.DecodeRuneInString(rest)
		s.cells = append(s.cells, cell{fold(r), r, s.decoded})
		s.decoded += size
	}
	s.final = final && s.decoded == len(s.src)
	return s.decoded < len(s.src)
}

func (s *scanner) scan() {
	for s.pos < len(s.cells) {
		if s.gulp.kind != gulpNone {
			if !s.swallow() {
				return
			}
			continue
		}
		switch m := s.ask(s, s.pos); m.verdict {
		case wait:
			return
		case hit:
			s.take(m)
		case miss:
			s.pass()
		}
	}
}

// at asks every rule about a cell, the built-in ones first.
func (s *scanner) at(k int) move {
	if m := s.builtIn(k); m.verdict != miss {
		return m
	}
	return s.admins(k)
}

func (s *scanner) builtIn(k int) move {
	r := s.cells[k].r
	if r <= ' ' {
		return move{}
	}
	if m := s.secret(k); m.verdict != miss {
		return m
	}
	switch {
	case isAlnum(r):
		if before := s.back(k, 1); isDigit(before) || isLetter(before) && isLetter(r) {
			return move{} // inside a word or a number
		}
		if left, known := s.leftOver(k); left || !known {
			return unless(known)
		}
		if m := s.email(k); m.verdict != miss {
			return m
		}
		if isDigit(r) {
			if m := s.number(k); m.verdict != miss {
				return m
			}
		}
		return s.passport(k)
	case isHan(r):
		return s.plate(k)
	default:
		return move{}
	}
}

// pass writes a character as it is.
func (s *scanner) pass() {
	c := s.cells[s.pos]
	if s.bold && isBoldMarkup(c.r) {
		s.out.WriteRune(joiner)
	}
	s.bold = false
	if s.url {
		s.url = !endsURL(c)
	} else if c.r == '/' && s.prev == '/' {
		s.url = s.back(s.pos, 2) == ':' && isLetter(s.back(s.pos, 3))
	}
	s.out.WriteString(s.raw(s.pos, s.pos+1))
	s.prev = c.r
	s.pos++
}

// take writes a mask. It is kept apart from bold markup on either side.
func (s *scanner) take(m move) {
	if strings.HasPrefix(m.text, string(mark)) && isBoldMarkup(s.prev) {
		s.out.WriteRune(joiner)
	}
	s.out.WriteString(m.text)
	last, _ := utf8.DecodeLastRuneInString(m.text)
	s.prev, s.bold = fold(last), last == mark
	s.url = s.url && !strings.ContainsFunc(m.text, func(r rune) bool { return endsURL(cell{r: fold(r), raw: r}) })
	start := s.cells[s.pos].at
	s.pos = m.end
	s.spans = append(s.spans, Span{start, s.offset(m.end), m.rule, m.text})
	s.gulp = m.gulp
}

func (s *scanner) findings() Findings {
	found := Findings{}
	for _, span := range s.spans {
		found[span.Rule]++
	}
	return found
}

// back returns the folded character n places before cell k, or -1 before the
// text. What was decided already is seen as it was written.
func (s *scanner) back(k, n int) rune {
	if k-n >= s.pos {
		return s.cells[k-n].r
	}
	n -= k - s.pos
	if n == 1 {
		return s.prev
	}
	out, r, size := s.out.String(), rune(-1), 0
	for ; n > 0; n-- {
		if r, size = utf8.DecodeLastRuneInString(out); size == 0 {
			return -1
		}
		out = out[:len(out)-size]
	}
	return fold(r)
}

// next returns the folded character of a cell, or -1 after the text; false when
// that is not known yet. Cells before pos are seen as they were written.
func (s *scanner) next(k int) (rune, bool) {
	if k < s.pos {
		return s.back(s.pos, s.pos-k), true
	}
	if k < len(s.cells) {
		return s.cells[k].r, true
	}
	return -1, s.final
}

// maskAt says that a mask goes on at a cell, so that what stands before it is
// what the mask left.
func (s *scanner) maskAt(k int) (masked, known bool) {
	one, ok := s.next(k)
	if !ok || one != mark {
		return false, ok
	}
	two, ok := s.next(k + 1)
	return two == mark, ok
}

// offset returns where a cell begins in the text.
func (s *scanner) offset(k int) int {
	if k < len(s.cells) {
		return s.cells[k].at
	}
	return s.decoded
}

// raw returns the text of some cells as it was written.
func (s *scanner) raw(from, to int) string { return s.src[s.offset(from):s.offset(to)] }

func isBoldMarkup(r rune) bool { return r == '*' || r == '_' || r == '~' }

// endsURL says that a character cannot be part of a web address in running text.
func endsURL(c cell) bool {
	return c.r <= ' ' || c.r >= 0x7F && c.raw != mark || strings.ContainsRune("\"<>|`)]}", c.r)
}

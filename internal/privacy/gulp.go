package privacy

import "strings"

// gulpKind says how a value of any length goes on behind its mask.
type gulpKind int

const (
	gulpNone   gulpKind = iota
	gulpToken           // to the next blank, or to punctuation before one
	gulpQuoted          // to the closing quotation mark, or to the end of the line
)

// gulp is the rest of a value whose mask is written already. Nothing of it is
// shown, so nothing has to be held back for it, however long it is.
type gulp struct {
	kind  gulpKind
	quote rune
}

// maxPause is how much punctuation in a row can be a part of a password.
const maxPause = 8

// swallow takes the next character of the value, or finds that it has ended;
// false when that is not known yet.
func (s *scanner) swallow() bool {
	c := s.cells[s.pos]
	if s.gulp.kind == gulpQuoted {
		return s.swallowQuoted(c)
	}
	if s.endsToken(c) {
		s.closeGulp(c.at)
		return true
	}
	end := s.pos
	for end-s.pos < maxPause && end < len(s.cells) && isPause(s.cells[end].r) && !s.endsToken(s.cells[end]) {
		end++
	}
	if end == s.pos {
		s.pos++
		return true
	}
	r, known := s.next(end)
	switch {
	case !known:
		return false
	case r < 0 || end-s.pos == maxPause || s.endsToken(s.cells[end]):
		s.closeGulp(c.at)
	default:
		s.pos = end
	}
	return true
}

func (s *scanner) swallowQuoted(c cell) bool {
	if c.r == s.gulp.quote || c.r == '\n' {
		s.closeGulp(c.at)
		return true
	}
	if c.r == '\\' {
		r, known := s.next(s.pos + 1)
		if !known {
			return false
		}
		if r > ' ' {
			s.pos++
		}
	}
	s.pos++
	return true
}

// endsToken says that a character is no part of a password that is not quoted.
func (s *scanner) endsToken(c cell) bool {
	return c.r <= ' ' || c.r >= 0x7F || c.r != c.raw && !isAlnum(c.r) || s.url && (c.r == '&' || c.r == '#')
}

// pauses end a password if nothing but blanks and foreign script follow.
const pauses = ".,;:!?)]}>\"'`*_|~\\"

func isPause(r rune) bool { return strings.ContainsRune(pauses, r) }

func (s *scanner) closeGulp(at int) {
	s.spans[len(s.spans)-1].End = at
	s.gulp = gulp{}
}

package privacy

import (
	"strings"
	"unicode/utf8"
)

// hidden is what stands for a value of which not even the length is told.
var hidden = strings.Repeat(string(mark), 6) //nolint:gochecknoglobals // a constant that Go cannot spell

// keep masks all but the first and last characters of a value.
func keep(value string, first, last int) string {
	n := utf8.RuneCountInString(value)
	if n <= first+last {
		return strings.Repeat(string(mark), n)
	}
	var b strings.Builder
	k := 0
	for _, r := range value {
		if k < first || k >= n-last {
			b.WriteRune(r)
		} else {
			b.WriteRune(mark)
		}
		k++
	}
	return b.String()
}

// leftOver says that cell k begins something that a mask left of a value: its
// last digits, or the domain of an address. No value begins there, or masking
// twice would not be masking once.
func (s *scanner) leftOver(k int) (left, known bool) {
	if left, known = s.ending(k); left || !known {
		return left, known
	}
	n := 1
	for n <= maxDomain && (isAlnum(s.back(k, n)) || s.back(k, n) == '.' || s.back(k, n) == '-') {
		n++
	}
	if s.back(k, n) != '@' || s.back(k, n+1) != mark || s.back(k, n+2) != mark {
		return false, true
	}
	end, known := s.domain(k - n + 1)
	return k < end, known
}

// ending says that cell k begins at most four digits, or digits and letters,
// right behind marks.
func (s *scanner) ending(k int) (last, known bool) {
	if s.back(k, 1) != mark || s.back(k, 2) != mark {
		return false, true
	}
	digits := true
	for j := k; j <= k+lastDigits; j++ {
		r, ok := s.next(j)
		switch {
		case !ok:
			return false, false
		case !isAlnum(r), digits && j > k && !isDigit(r):
			return true, true
		}
		digits = digits && isDigit(r)
	}
	return false, true
}

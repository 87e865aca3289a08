package privacy

import (
	"slices"
	"strings"
)

const (
	maxDigits = 19 // of the longest number there is a rule for
	maxGap    = 3  // characters between two groups, as in "138 - 1234"
	checkX    = 10 // the value of the check digit X

	lastDigits = 4 // that a mask leaves of every number
)

// run is a row of digits with gaps in it, such as 138 1234-5678.
type run struct {
	d      []int // values of the digits
	at     []int // their cells
	groups []int // how many of them are in each group
}

// number looks for the values that are written in digits.
func (s *scanner) number(k int) move {
	if begins, known := s.promising(k); !begins {
		return unless(known)
	}
	r, known := s.readRun(k)
	if !known {
		return move{verdict: wait}
	}
	for _, rule := range []struct {
		rule Rule
		find func(int, run) move
	}{
		{ResidentID, s.residentID}, {Mobile, s.mobile}, {BankCard, s.bankCard}, {ResidentID, s.oldResidentID},
	} {
		if s.f.off[rule.rule] {
			continue
		}
		if m := rule.find(k, r); m.verdict != miss {
			m.rule = rule.rule
			return m
		}
	}
	return move{}
}

// promising looks at the first two digits, which rule out most numbers at once.
func (s *scanner) promising(k int) (begins, known bool) {
	j := k + 1
	for ; j <= k+maxGap; j++ {
		if r, ok := s.next(j); !ok {
			return false, false
		} else if !isSeparator(r) {
			break
		}
	}
	r, ok := s.next(j)
	if !ok || !isDigit(r) {
		return false, ok
	}
	two := int(s.cells[k].r-'0')*10 + int(r-'0')
	return two == 0 || two >= 11 && two <= 19 || two >= 21 && two <= 27 || two >= 30 && two <= 65 ||
		two == 71 || two >= 81 && two <= 83 || two == 86 || two == 95, true
}

// readRun reads a row of digits. Digits beyond the longest number end it before
// their group.
func (s *scanner) readRun(k int) (run, bool) {
	var r run
	for j := k; ; {
		start := j
		for j < len(s.cells) && isDigit(s.cells[j].r) && j-start <= maxDigits {
			j++
		}
		end, known := s.next(j)
		switch {
		case !known:
			return r, false
		case len(r.d)+j-start > maxDigits:
			return r, true
		}
		for i := start; i < j; i++ {
			r.d, r.at = append(r.d, int(s.cells[i].r-'0')), append(r.at, i)
		}
		r.groups = append(r.groups, j-start)
		if len(r.d) == 17 && lower(end) == 'x' {
			r.d, r.at = append(r.d, checkX), append(r.at, j)
			r.groups[len(r.groups)-1]++
			return r, true
		}
		j, known = s.gap(j)
		if !known {
			return r, false
		}
		if j < 0 {
			return r, true
		}
	}
}

// gap returns where the digits go on after a gap, or -1.
func (s *scanner) gap(j int) (int, bool) {
	for start := j; j <= start+maxGap; j++ {
		r, known := s.next(j)
		switch {
		case !known:
			return -1, false
		case isDigit(r) && j > start:
			return j, true
		case !isSeparator(r):
			return -1, true
		}
	}
	return -1, true
}

// first returns the part of a run that is n digits long, if groups end there.
func (r run) first(n int) (run, bool) {
	sum := 0
	for i, size := range r.groups {
		if sum += size; sum == n {
			return run{r.d[:n], r.at[:n], r.groups[:i+1]}, i+1 == len(r.groups) || !r.spelled(i+1)
		}
	}
	return run{}, false
}

// spelled says that each of the first digits stands alone, and one more does.
func (r run) spelled(n int) bool {
	return n > 1 && n < len(r.groups) && r.groups[n] == 1 && r.single(n)
}

func (r run) single(n int) bool {
	return n > 1 && !slices.ContainsFunc(r.groups[:n], func(size int) bool { return size != 1 })
}

// end is the first cell after a run.
func (r run) end() int { return r.at[len(r.at)-1] + 1 }

// grouped says that the digits are together, each alone, or in one of the ways
// people write them.
func (r run) grouped(ways ...[]int) bool {
	if len(r.groups) == 1 || r.single(len(r.groups)) {
		return true
	}
	return slices.ContainsFunc(ways, func(way []int) bool { return slices.Equal(way, r.groups) })
}

// dotted says that there is a dot between the digits: only mobile numbers are
// written so, everything else is a decimal or a version.
func (s *scanner) dotted(r run) bool {
	for _, c := range s.cells[r.at[0]:r.end()] {
		if c.r == '.' {
			return true
		}
	}
	return false
}

// masked writes a run with only its first digits and the last four. The gaps are left
// out, so that what is left of a number is never taken for one of its own.
func (s *scanner) masked(r run, first int) string {
	var b strings.Builder
	for i, at := range r.at {
		if i < first || i >= len(r.at)-lastDigits {
			b.WriteString(s.raw(at, at+1))
		} else {
			b.WriteRune(mark)
		}
	}
	return b.String()
}

// ends says that a number that is not proved by a check digit ends before a
// cell, rather than being part of a word, a decimal or a masked value.
func (s *scanner) ends(j int) (ends, known bool) {
	one, ok := s.next(j)
	if !ok {
		return false, false
	}
	two, ok := s.next(j + 1)
	switch {
	case isAlnum(one) && lower(one) != 'e' || one == '.' && (isDigit(two) || two == mark) || one == mark && two == mark:
		return false, true
	case !ok && (one == '.' || one == mark || isLetter(one)):
		return false, false
	case lower(one) == 'e':
		return lower(two) == 'x', true // ext. 801
	default:
		return true, true
	}
}

// stands says that a number at a cell stands for itself: it is no part of a
// code such as SO-138…, of a decimal or of a web address.
func (s *scanner) stands(k int) bool {
	if s.url {
		return s.addressed(k)
	}
	n := 1
	switch r := s.back(k, 1); {
	case r == '.' && s.back(k, 2) == '0' && !isDigit(s.back(k, 3)):
		return false
	case r == '-' || r == '_' || r == '.':
		n = 2
	}
	word := s.wordBefore(k, n)
	return word == "" || s.back(k, n+len(word)) == '.' || strings.Contains(" tel telephone phone mobile cell mob call sms wechat weixin wx vx no num number card id ", " "+word+" ")
}

// wordBefore returns the letters that end n places before a cell, at most
// twelve, in lower case.
func (s *scanner) wordBefore(k, n int) string {
	var word []rune
	for len(word) < 12 && isLetter(s.back(k, n+len(word))) {
		word = append(word, lower(s.back(k, n+len(word))))
	}
	slices.Reverse(word)
	return string(word)
}

// addressed says that a number in a web address is the value of a field that is
// called a phone or a card.
func (s *scanner) addressed(k int) bool {
	if s.back(k, 1) != '=' {
		return false
	}
	field := s.wordBefore(k, 2)
	for _, name := range []string{"phone", "mobile", "tel", "card", "sms"} {
		if strings.HasSuffix(field, name) || strings.HasPrefix(field, name) {
			return true
		}
	}
	return false
}

package privacy

import "strings"

const (
	maxLocal  = 64 // RFC 5321, 4.5.3.1.1
	maxDomain = 100
)

// email finds addresses, and leaves their first character and their domain.
func (s *scanner) email(k int) move {
	if s.f.off[Email] || isAlnum(s.back(k, 1)) {
		return move{}
	}
	j := k
	for ; j-k <= maxLocal; j++ {
		r, known := s.next(j)
		if !known {
			return move{verdict: wait}
		}
		if !isLocal(r) {
			break
		}
	}
	if r, _ := s.next(j); r != '@' || j-k > maxLocal {
		return move{}
	}
	end, known := s.domain(j + 1)
	if !known {
		return move{verdict: wait}
	}
	if end < 0 || s.remote(k, j, end) {
		return move{}
	}
	masked := s.raw(k, k+1) + strings.Repeat(string(mark), 3) + s.raw(j, end)
	return move{verdict: hit, rule: Email, end: end, text: masked}
}

func isLocal(r rune) bool { return isAlnum(r) || strings.ContainsRune("._%+-", r) }

// domain returns where a host name ends, or -1: labels and, last, the letters of
// a top-level domain, whatever is written against them. A name that is longer
// than we look is taken as it is.
func (s *scanner) domain(from int) (end int, known bool) {
	end = -1
	start, letters := from, true
	for j := from; j < from+maxDomain; j++ {
		r, ok := s.next(j)
		if !ok {
			return -1, false
		}
		if letters && !isLetter(r) && start > from && j-start >= 2 {
			end = j
		}
		if isAlnum(r) || r == '-' && j > start {
			letters = letters && isLetter(r)
			continue
		}
		if r != '.' || j == start {
			return end, true
		}
		start, letters = j+1, true
	}
	return from + maxDomain, true
}

// remote says that what looks like an address is something else: the remote of
// a git clone, or a picture for dense screens such as icon@2x.png.
func (s *scanner) remote(k, at, end int) bool {
	after, _ := s.next(end)
	host := strings.ToLower(s.raw(at+1, end))
	if strings.EqualFold(s.raw(k, at), "git") && (after == ':' || after == '/') {
		return true
	}
	_, kind, _ := strings.Cut(host, "x.")
	return len(host) > 2 && isDigit(rune(host[0])) && host[1] == 'x' && strings.Contains(" png jpg jpeg webp gif svg ", " "+kind+" ")
}

package privacy

// bankCard finds card numbers: 13 to 19 digits of a known issuer that pass
// Luhn's check.
func (s *scanner) bankCard(k int, r run) move {
	if !s.stands(k) {
		return move{}
	}
	for total := min(len(r.d), maxDigits); total >= 13; total-- {
		n, ok := r.first(total)
		if !ok || !issued(n.d) || !luhn(n.d) || !cardGroups(n) || s.dotted(n) {
			continue
		}
		ends, known := s.ends(n.end())
		if !known {
			return move{verdict: wait}
		}
		if ends {
			return move{verdict: hit, end: n.end(), text: s.masked(n, 0)}
		}
	}
	return move{}
}

// cardGroups accepts groups of four with a rest, and the ways of the cards with
// other groups.
func cardGroups(n run) bool {
	if n.grouped([]int{4, 6, 5}, []int{4, 6, 4}, []int{6, 10}, []int{6, 13}, []int{6, 12}, []int{8, 8}, []int{8, 11}) {
		return true
	}
	last := len(n.groups) - 1
	for _, size := range n.groups[:last] {
		if size != 4 {
			return false
		}
	}
	return last >= 2 && n.groups[last] <= 7
}

func luhn(d []int) bool {
	sum := 0
	for i, v := range d {
		if v == checkX {
			return false
		}
		if (len(d)-i)%2 == 0 {
			v *= 2
			v = v/10 + v%10
		}
		sum += v
	}
	return sum%10 == 0
}

// issued says that a number begins like the cards of an issuer, with the length
// that these have (ISO/IEC 7812 and the networks' own ranges).
func issued(d []int) bool {
	n := len(d)
	two, three := 10*d[0]+d[1], 100*d[0]+10*d[1]+d[2]
	four := 10*three + d[3]
	switch {
	case two == 62 || two == 81: // UnionPay
		return n >= 16
	case d[0] == 4: // Visa
		return n == 13 || n == 16 || n == 18 || n == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return n == 16
	case two == 34 || two == 37: // American Express
		return n == 15
	case four >= 3528 && four <= 3589: // JCB
		return n >= 16
	case two == 36 || two == 38 || two == 39 || three >= 300 && three <= 305: // Diners Club
		return n == 14 || n == 16
	case two == 60 || two == 65 || three >= 644 && three <= 649: // Discover, and older cards of Chinese banks
		return n >= 16
	case two == 50 || two >= 56 && two <= 58 || two == 63: // Maestro
		return n >= 16
	case four == 9558 || four == 9559 || four == 9555: // older cards of ICBC, ABC and CMB
		return n >= 16
	default:
		return false
	}
}

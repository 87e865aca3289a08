package privacy

import "slices"

// mobile finds numbers of mainland China, with or without the country's code.
func (s *scanner) mobile(k int, r run) move {
	if !s.stands(k) || slices.Contains([]rune{'$', '¥', '￥'}, s.back(k, 1)) {
		return move{}
	}
	for _, code := range [][]int{{}, {8, 6}, {0, 0, 8, 6}} {
		n, ok := r.first(len(code) + 11)
		if !ok || !slices.Equal(n.d[:len(code)], code) || !allocated(n.d[len(code):]) || !phoneGroups(n, len(code)) ||
			s.dotted(n) && (!slices.Equal(n.groups, []int{3, 4, 4}) || n.end()-k != 13) {
			continue
		}
		ends, known := s.ends(n.end())
		after, _ := s.next(n.end())
		if known && (!ends || after == '元') {
			continue
		}
		if !known {
			return move{verdict: wait}
		}
		return move{verdict: hit, end: n.end(), text: s.masked(n, len(code)+3)}
	}
	return move{}
}

// phoneGroups says that the digits after the country's code are grouped as
// people write a mobile number.
func phoneGroups(n run, code int) bool {
	rest := run{groups: slices.Clone(n.groups)}
	switch {
	case code == 0 || n.single(len(n.groups)):
	case rest.groups[0] == code:
		rest.groups = rest.groups[1:]
	case rest.groups[0] > code:
		rest.groups[0] -= code
	default:
		return false
	}
	return rest.grouped([]int{3, 4, 4}, []int{3, 8}, []int{7, 4}, []int{4, 4, 3}, []int{3, 3, 5}, []int{3, 4, 2, 2})
}

// allocated says that a mobile number begins with three digits that have been
// given to an operator.
func allocated(d []int) bool {
	if d[0] != 1 {
		return false
	}
	switch d[1] {
	case 3, 8:
		return true
	case 4:
		return d[2] >= 5
	case 5, 9:
		return d[2] != 4
	case 6:
		return slices.Contains([]int{2, 5, 6, 7}, d[2])
	case 7:
		return d[2] != 9
	default:
		return false
	}
}

package privacy

import (
	"strings"
	"time"
)

// residentID finds identity numbers of 18 characters: a region, a birth date, a
// serial number and the check digit of GB 11643-1999. That is proof enough however
// the digits are grouped.
func (s *scanner) residentID(_ int, r run) move {
	n, ok := r.first(18)
	if !ok || s.dotted(n) || !region(n.d) || !date(1000*n.d[6]+100*n.d[7]+10*n.d[8]+n.d[9], n.d[10:14]) || !gb11643(n.d) {
		return move{}
	}
	after, known := s.next(n.end())
	if !known {
		return move{verdict: wait}
	}
	if n.d[17] == checkX && isAlnum(after) {
		return move{}
	}
	return move{verdict: hit, end: n.end(), text: s.masked(n, 6)}
}

// oldResidentID finds the numbers of 15 digits that were given until 1999. They
// have no check digit, so the number has to stand alone.
func (s *scanner) oldResidentID(k int, r run) move {
	n, ok := r.first(15)
	if !ok || !n.grouped([]int{6, 6, 3}) || !region(n.d) || !date(1900+10*n.d[6]+n.d[7], n.d[8:12]) || s.dotted(n) || !s.stands(k) {
		return move{}
	}
	ends, known := s.ends(n.end())
	if !known || !ends {
		return unless(known)
	}
	return move{verdict: hit, end: n.end(), text: s.masked(n, 6)}
}

// gb11643 checks the last digit: the sum of the digits, each times its power of
// two modulo 11, must leave 1.
func gb11643(d []int) bool {
	sum := 0
	for _, v := range d {
		sum = (sum*2 + v) % 11 // Horner's rule
	}
	return sum == 1
}

// region says that a number begins with the code of a province and a city.
func region(d []int) bool {
	const provinces = " 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 "
	code := string([]byte{' ', '0' + byte(d[0]), '0' + byte(d[1]), ' '}) //nolint:gosec // they are digits
	return strings.Contains(provinces, code) && (d[2] != 0 || d[3] != 0 || d[0] >= 7)
}

// date says that there is such a day in the last or this century.
func date(year int, md []int) bool {
	month, day := 10*md[0]+md[1], 10*md[2]+md[3]
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return year >= 1900 && year < 2100 && month >= 1 && month <= 12 && t.Day() == day && t.Month() == time.Month(month)
}

// passport finds Chinese passports in their usual forms, E or G and eight digits
// or E, a letter and seven digits; and, where the word passport stands before
// them, those of other kinds and countries.
func (s *scanner) passport(k int) move {
	if s.f.off[Passport] || s.url || s.back(k, 1) == '-' && isAlnum(s.back(k, 2)) {
		return move{}
	}
	letters, digits := 0, 0
	for j := k; ; j++ {
		r, known := s.next(j)
		switch {
		case !known:
			return move{verdict: wait}
		case isLetter(r) && digits == 0 && letters < 2:
			letters++
			continue
		case isDigit(r) && digits < 10:
			digits++
			continue
		}
		break
	}
	end := k + letters + digits
	if after, _ := s.next(end); isAlnum(after) || after == '_' || !s.isPassport(k, letters, digits) {
		return move{}
	}
	if masked, known := s.maskAt(end); masked || !known {
		return unless(known)
	}
	return move{verdict: hit, rule: Passport, end: end, text: keep(s.raw(k, end), 2, 2)}
}

func (s *scanner) isPassport(k, letters, digits int) bool {
	if letters+digits >= 7 && letters+digits <= 10 && digits >= 6 && s.announcedBy(k, "护照", "passport") {
		return true
	}
	first := upper(s.cells[k].r)
	switch {
	case letters == 1 && digits == 8 && (first == 'E' || first == 'G'):
		return !s.dateAt(k + 1) // a lot number, such as E20240115
	case letters == 2 && digits == 7 && first == 'E':
		second := upper(s.cells[k+1].r)
		return second != 'I' && second != 'O'
	default:
		return false
	}
}

// dateAt says that eight digits are a date.
func (s *scanner) dateAt(k int) bool {
	var d [8]int
	for i := range d {
		d[i] = int(s.cells[k+i].r - '0')
	}
	return date(1000*d[0]+100*d[1]+10*d[2]+d[3], d[4:])
}

// announcedBy says that a word stands shortly before a cell, in the same
// sentence.
func (s *scanner) announcedBy(k int, words ...string) bool {
	var before []rune
	for n := 1; n <= 20; n++ {
		r := s.back(k, n)
		if r < ' ' || strings.ContainsRune("。，；,;!?", r) {
			break
		}
		before = append(before, lower(r))
	}
	for i, j := 0, len(before)-1; i < j; i, j = i+1, j-1 {
		before[i], before[j] = before[j], before[i]
	}
	text := string(before)
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// plate finds licence plates: a province, a city's letter and five characters,
// or six for new-energy cars.
func (s *scanner) plate(k int) move {
	const provinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
	if s.f.off[Plate] || !strings.ContainsRune(provinces, s.cells[k].raw) {
		return move{}
	}
	j := k + 1
	city, known := s.next(j)
	if !known || !plateLetter(city) {
		return unless(known)
	}
	j++
	if r, ok := s.next(j); !ok {
		return move{verdict: wait}
	} else if strings.ContainsRune("·•.-・ ", r) {
		j++
	}
	serial := j
	for ; j <= serial+6; j++ {
		r, ok := s.next(j)
		if !ok {
			return move{verdict: wait}
		}
		if !plateLetter(r) && !isDigit(r) && (j != serial+4 || !strings.ContainsRune("挂学警港澳", r)) {
			break
		}
	}
	if after, _ := s.next(j); isAlnum(after) || !s.plateSerial(serial, j) {
		return move{}
	}
	if masked, ok := s.maskAt(j); masked || !ok {
		return unless(ok)
	}
	return move{verdict: hit, rule: Plate, end: j, text: s.raw(k, serial) + keep(s.raw(serial, j), 0, 2)}
}

func plateLetter(r rune) bool { return isLetter(r) && upper(r) != 'I' && upper(r) != 'O' }

// plateSerial says that the characters after the city's letter can be a serial:
// at most two letters among five, or a new-energy car's five digits with a
// letter before or after them.
func (s *scanner) plateSerial(from, to int) bool {
	digits := 0
	for _, c := range s.cells[from:to] {
		if isDigit(c.r) {
			digits++
		}
	}
	switch to - from {
	case 5:
		return digits >= 3
	case 6:
		first, last := s.cells[from].r, s.cells[to-1].r
		return digits == 5 && (isLetter(first) || isLetter(last)) || digits == 4 && isLetter(first) && isLetter(s.cells[from+1].r)
	default:
		return false
	}
}

package privacy

import (
	"slices"
	"strings"
)

// strength is how much a value has to look like a secret to be taken for one.
type strength int

const (
	notAnnounced strength = iota
	anyValue              // password: x
	likely                // password is x, | password | x |
	strong                // password x
	token                 // token: x, where most often x is a number of tokens
)

// maxLook is how much of a value is read to decide whether it is a secret.
const maxLook = 24

// openings may stand between a label and its value; no value begins with them.
const openings = "*_~\"'`“‘「『([{【"

// secret finds passwords and keys: by what stands before them, or by the
// beginnings that the keys of well-known services have.
func (s *scanner) secret(k int) move {
	if s.f.off[Password] {
		return move{}
	}
	r := s.cells[k]
	if r.r >= 0x7F || r.r != r.raw && !isAlnum(r.r) || strings.ContainsRune(openings, r.r) {
		return move{}
	}
	if m := s.credentials(k); m.verdict != miss {
		return m
	}
	if m := s.announcedSecret(k); m.verdict != miss {
		return m
	}
	if !isLetter(r.r) || isAlnum(s.back(k, 1)) {
		return move{}
	}
	if left, known := s.leftOver(k); left || !known {
		return unless(known)
	}
	return s.knownKey(k)
}

func (s *scanner) announcedSecret(k int) move {
	need, quote := s.announced(k)
	if need == notAnnounced {
		return move{}
	}
	var value []rune
	for len(value) < maxLook {
		r, known := s.next(k + len(value))
		if !known {
			return move{verdict: wait}
		}
		if r < 0 || s.endsToken(s.cells[k+len(value)]) && (quote == 0 || r != ' ') || quote != 0 && r == quote {
			break
		}
		value = append(value, r)
	}
	after, known := s.next(k + len(value))
	second, ok := s.next(k + len(value) + 1)
	if !known || after == ' ' && !ok {
		return move{verdict: wait}
	}
	text := string(value)
	if quote == 0 {
		text = strings.TrimRight(text, pauses)
	}
	if after == mark && (second == mark || !ok) {
		return unless(ok)
	}
	sentence := isHan(after) || after == ' ' && (isLetter(second) || second == mark)
	if !isSecret(text, need, isHan(after), sentence && quote == 0) {
		return move{}
	}
	m := move{verdict: hit, rule: Password, end: k + 1, text: hidden, gulp: gulp{kind: gulpToken}}
	if quote != 0 {
		m.gulp = gulp{gulpQuoted, quote}
	}
	return m
}

// announced says whether a secret is announced right before a cell, and which
// quotation mark, if any, will end it.
func (s *scanner) announced(k int) (need strength, quote rune) {
	last := s.back(k, 1)
	if last < 0 || isAlnum(last) || isHan(last) && last != '是' && last != '为' {
		return notAnnounced, 0
	}
	n := 1
	n = s.skip(k, n, 3, openings)
	opening := s.back(k, n-1)
	if n > 1 {
		quote = closing(s.back(k, 1))
	}
	spaces := n
	n = s.skip(k, n, 3, " ")
	spaces = n - spaces
	need, n = s.connector(k, n)
	if need == notAnnounced {
		switch {
		case n > 1 && spaces == 0 && strings.ContainsRune("([【", opening):
			need = likely
		case spaces > 0:
			need = strong
		default:
			return notAnnounced, 0
		}
	}
	return s.label(k, n, need), quote
}

// closing returns the quotation mark that ends what another one began.
func closing(r rune) rune {
	switch r {
	case '"', '\'', '`':
		return r
	case '“':
		return '”'
	case '‘':
		return '’'
	case '「':
		return '」'
	case '『':
		return '』'
	default:
		return 0
	}
}

// skip goes back over at most limit characters of a set.
func (s *scanner) skip(k, n, limit int, set string) int {
	for end := n + limit; n < end; n++ {
		if r := s.back(k, n); r < 0 || !strings.ContainsRune(set, r) {
			break
		}
	}
	return n
}

// connector goes back over what joins a label to its value.
func (s *scanner) connector(k, n int) (strength, int) {
	need := notAnnounced
	switch s.back(k, n) {
	case '>':
		if s.back(k, n+1) != '=' && s.back(k, n+1) != '-' {
			return notAnnounced, n
		}
		need, n = anyValue, n+2
	case ':', '=':
		need, n = anyValue, n+1
		n = s.skip(k, n, 2, ":=")
	case '|':
		need, n = likely, n+1
	}
	n = s.skip(k, n, 2, " ")
	switch r := s.back(k, n); {
	case r == '是' || r == '为':
		n++
		if need == notAnnounced {
			need = likely
		}
	case lower(r) == 's' && lower(s.back(k, n+1)) == 'i' && s.back(k, n+2) == ' ':
		n += 3
		if need == notAnnounced {
			need = strong
		}
	}
	return need, n
}

// label looks for the word that announces a secret, before n characters.
func (s *scanner) label(k, n int, need strength) strength {
	n = s.skip(k, n, 3, "*_~\"'`”’」』 ")
	if r := s.back(k, n); r == ')' || r == ']' || r == '】' {
		for end := n + 12; n < end && !strings.ContainsRune("([【", s.back(k, n)); {
			n++
		}
		n = s.skip(k, n+1, 1, " ")
	}
	if !strings.ContainsRune("dDeEwWtTnNyY码令钥", s.back(k, n)) {
		return notAnnounced
	}
	var word []rune
	for len(word) < 10 && s.back(k, n+len(word)) >= ' ' {
		word = append(word, lower(s.back(k, n+len(word))))
	}
	slices.Reverse(word)
	for _, label := range []string{"password", "passwd", "passcode", "passphrase", "pwd", "psw", "密码", "口令"} {
		if strings.HasSuffix(string(word), label) {
			return need
		}
	}
	if need == strong {
		return notAnnounced
	}
	for _, label := range []string{"secret", "token", "api key", "api_key", "api-key", "apikey", "access key", "access_key", "access-key", "accesskey", "secret key", "secret_key", "secret-key", "secretkey", "密钥", "秘钥", "授权码"} {
		if strings.HasSuffix(string(word), label) {
			return token
		}
	}
	return notAnnounced
}

// isSecret says whether a value that was announced is one, rather than the next
// word of a sentence, a rule about passwords, or a piece of a program.
func isSecret(value string, need strength, beforeHan, sentence bool) bool {
	digits, letters, others := count(value)
	switch {
	case digits+letters < 2 && others < 4 && letters == 0, placeholder(value), stopped(value):
		return false
	case letters == 0 && (digits < 4 || digits < 6 && beforeHan):
		return false // 密码：8-16位
	case digits == 0 && (sentence || strings.ContainsAny(value, "([{") || dotted(value)):
		return false // password: see below, password = os.environ["X"]
	}
	switch need {
	case anyValue:
		return true
	case likely:
		return digits > 0 && letters > 0 && digits+letters+others >= 4 || digits >= 6 || letters >= 6 && others+digits > 0
	case strong:
		return digits > 0 && letters > 0 && digits+letters+others >= 6 && !beforeHan && !strings.ContainsAny(value, "([{")
	case token:
		return digits > 0 && letters > 0 && digits+letters+others >= 10
	case notAnnounced:
	}
	return false
}

// dotted says that a value is names with dots between them, as in a program.
func dotted(value string) bool {
	return strings.Contains(strings.Trim(value, "."), ".") && !strings.ContainsFunc(value, func(r rune) bool { return !isLetter(r) && r != '.' && r != '_' })
}

func count(value string) (digits, letters, others int) {
	for _, r := range value {
		switch {
		case isDigit(r):
			digits++
		case isLetter(r):
			letters++
		default:
			others++
		}
	}
	return digits, letters, others
}

// placeholder says that a value stands for another one: <password>, ${PASSWORD},
// or one of ours.
func placeholder(value string) bool {
	if value == "" || strings.ContainsAny(value[:1], "<{(") || strings.HasPrefix(value, "${") || strings.HasPrefix(value, "$(") || strings.HasPrefix(value, "{{") {
		return true
	}
	_, found := readPlaceholder([]rune(value), 0, true)
	return found > 0
}

// stopped says that a value is a word that people write after "password:" when
// they do not tell it.
func stopped(value string) bool {
	const words = " password passwd pwd pass required optional must should shall may can is are was the a an your you my our this that it its to of for on in at by with and or " +
		"not no none null nil n/a na true false yes reset resetting change changed expired expires expiry policy string str text varchar char int bool field input hidden masked empty blank " +
		"default same see please contact ask use enter min max minimum maximum at least length forgot forgotten incorrect wrong invalid correct missing unknown new old " +
		"env secret key token md5 sha1 sha256 sha512 bcrypt base64 oauth2 aes128 aes256 utf8 utf-8 x-xxxx xxx xxxx xxxxx xxxxxx xxxxxxxx yyyy getpass todo tbd wifi wi-fi oa sso vpn "
	return strings.Contains(words, " "+strings.ToLower(strings.Trim(value, "[]()<>{}\"'`*_-.=:"))+" ")
}

// credentials finds the password in a web address such as
// postgres://user:password@host.
func (s *scanner) credentials(k int) move {
	if !s.url || s.back(k, 1) != ':' {
		return move{}
	}
	n := 2
	for ; n < 34; n++ {
		if r := s.back(k, n); !isLocal(r) {
			break
		}
	}
	if s.back(k, n) != '/' || s.back(k, n+1) != '/' {
		return move{}
	}
	end := -1 // the last at sign, as the password may hold some
	for j := k; j < k+maxLocal; j++ {
		r, known := s.next(j)
		if !known {
			return move{verdict: wait}
		}
		if r < 0 || r == '/' || r == mark || endsURL(s.cells[j]) {
			break
		}
		if r == '@' {
			end = j
		}
	}
	if end <= k {
		return move{}
	}
	return move{verdict: hit, rule: Password, end: end, text: hidden}
}

// knownKeys are the beginnings of the keys of well-known services, with the
// least number of characters that follow.
func knownKeys() []struct {
	prefix string
	least  int
} {
	return []struct {
		prefix string
		least  int
	}{
		{"sk-", 16},
		{"pk-", 16},
		{"sk_live_", 16},
		{"sk_test_", 16},
		{"pk_live_", 16},
		{"rk_live_", 16},
		{"app-", 20},
		{"dataset-", 20},
		{"ghp_", 20},
		{"gho_", 20},
		{"ghs_", 20},
		{"ghu_", 20},
		{"github_pat_", 20},
		{"glpat-", 16},
		{"xoxb-", 16},
		{"xoxp-", 16},
		{"xapp-", 16},
		{"AKIA", 16},
		{"ASIA", 16},
		{"AKID", 16},
		{"LTAI", 12},
		{"AIza", 24},
		{"hf_", 24},
		{"eyJ", 20},
		{"Bearer ", 16},
		{"bearer ", 16},
	}
}

// knownKey finds keys by their beginning, which stays.
func (s *scanner) knownKey(k int) move {
	for _, key := range knownKeys() {
		end, known := s.begins(k, key.prefix)
		if end < 0 {
			if !known {
				return move{verdict: wait}
			}
			continue
		}
		var value []rune
		for len(value) < key.least {
			r, ok := s.next(end + len(value))
			if !ok {
				return move{verdict: wait}
			}
			if !isAlnum(r) && r != '-' && r != '_' && (r != '.' || len(value) == 0) {
				break
			}
			value = append(value, r)
		}
		if digits, letters, others := count(string(value)); len(value) == key.least && letters > 0 && digits > others {
			return move{verdict: hit, rule: Password, end: end, text: s.raw(k, end) + hidden, gulp: gulp{kind: gulpToken}}
		}
	}
	return move{}
}

// begins returns where a prefix ends that stands at a cell, or -1.
func (s *scanner) begins(k int, prefix string) (end int, known bool) {
	for i, want := range prefix {
		r, ok := s.next(k + i)
		if !ok {
			return -1, false
		}
		if r != want {
			return -1, true
		}
	}
	return k + len(prefix), true
}

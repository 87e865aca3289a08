package privacy

import (
	"fmt"
	"strings"
)

// ref is what a placeholder says: [MOBILE_2].
type ref struct {
	kind string
	n    int
}

func (r ref) String() string { return fmt.Sprintf("[%s_%d]", r.kind, r.n) }

// kindOf is the word that stands for a rule in placeholders. It tells the agent
// what it is talking about, and nothing else.
func kindOf(rule Rule) string {
	switch rule {
	case Password:
		return "PASSWORD"
	case Email:
		return "EMAIL"
	case ResidentID:
		return "ID"
	case Mobile:
		return "MOBILE"
	case BankCard:
		return "CARD"
	case Passport:
		return "PASSPORT"
	case Plate:
		return "PLATE"
	default:
		return "VALUE"
	}
}

// kinds are all those words; known and complete compare with them.
const kinds = " PASSWORD EMAIL ID MOBILE CARD PASSPORT PLATE VALUE "

// known says that a word begins like a word of ours.
func known(word string) bool { return strings.Contains(kinds, " "+word) }

// complete says that a word is a word of ours.
func complete(word string) bool { return word != "" && strings.Contains(kinds, " "+word+" ") }

// reader reads a placeholder as an agent may write it.
type reader struct {
	text  []rune // folded
	at    int
	final bool
	more  bool // ran into the end of a text that goes on
}

// peek returns the next character, or -1.
func (r *reader) peek() rune {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	r.more = r.more || !r.final
	return -1
}

// skip passes at most limit characters of a set and returns how many.
func (r *reader) skip(set string, limit int) int {
	n := 0
	for c := r.peek(); n < limit && c >= 0 && strings.ContainsRune(set, c); c = r.peek() {
		r.at++
		n++
	}
	return n
}

func (r *reader) letters() string {
	start := r.at
	for r.at-start <= 8 && isLetter(r.peek()) {
		r.at++
	}
	return strings.ToUpper(string(r.text[start:r.at]))
}

func (r *reader) digits() int {
	n, start := 0, r.at
	for r.at-start < 4 && isDigit(r.peek()) {
		n = n*10 + int(r.text[r.at]-'0')
		r.at++
	}
	return n
}

// readPlaceholder reads a placeholder at a place in a folded text. Agents change
// the case, put blanks in, use brackets of their own, escape for Markdown, or
// leave the brackets out. End is 0 if there is none and -1 if that depends on
// what follows.
func readPlaceholder(text []rune, at int, final bool) (found ref, end int) {
	r := &reader{text: text, at: at, final: final}
	found, ok := r.placeholder()
	switch {
	case r.more:
		return ref{}, -1
	case !ok:
		return ref{}, 0
	default:
		return found, r.at
	}
}

func (r *reader) placeholder() (ref, bool) {
	r.skip(`\`, 1)
	brackets := r.skip("[【〔", 1) == 1
	if brackets {
		r.skip(" ", 2)
	}
	kind := r.letters()
	switch {
	case r.more && known(kind):
		return ref{}, false
	case !complete(kind):
		r.more = false
		return ref{}, false
	}
	start := r.at
	r.skip(" _-\\", 3)
	if !brackets && !strings.Contains(string(r.text[start:r.at]), "_") {
		r.more = r.more && r.at-start < 3
		return ref{}, false
	}
	found := ref{kind, r.digits()}
	if found.n == 0 {
		return ref{}, false
	}
	if !brackets {
		next := r.peek()
		return found, !isAlnum(next) && next != '_'
	}
	r.skip(" ", 2)
	r.skip(`\`, 1)
	return found, r.skip("]】〕", 1) == 1
}

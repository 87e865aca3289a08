package widget

import (
	"strings"
	"unicode"
)

// hair is a space without width (see assets/fonts/subset.sh). The toolkit ends
// lines at white space only, and Chinese has none.
const hair = '\u200A'

// Breakable puts a hair space wherever a line of Chinese may end: between two
// characters of which one is Chinese, but not before a closing sign nor after
// an opening one. In text without Chinese it only straightens quotation marks,
// which are as wide as a Chinese character in our face.
func Breakable(text string) string {
	if !strings.ContainsFunc(text, chinese) {
		return straight(text)
	}
	var b strings.Builder
	b.Grow(len(text) * 2)
	var last rune
	for _, r := range text {
		if last != 0 && mayBreak(last, r) {
			b.WriteRune(hair)
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

func mayBreak(a, b rune) bool {
	switch {
	case !wide(a) && !wide(b), unicode.IsSpace(a), unicode.IsSpace(b):
		return false
	case strings.ContainsRune(closing, b), strings.ContainsRune(opening, a):
		return false
	default:
		return true
	}
}

const (
	closing = "，。、；：？！）》〉」』】〕”’…—～·％,.;:?!)]}%"
	opening = "（《〈「『【〔“‘([{"
)

func straight(text string) string {
	return strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'").Replace(text)
}

func chinese(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x30FF || r >= 0xFF00 && r <= 0xFF60
}

// wide says that a character belongs to Chinese writing.
func wide(r rune) bool {
	return chinese(r) || strings.ContainsRune("“”‘’…—", r)
}

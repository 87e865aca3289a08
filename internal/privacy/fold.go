package privacy

// mark stands for one hidden character; see the package comment.
const mark = '＊'

// joiner is put between bold markup and a mark.
const joiner = '\u2060'

// fold maps the many ways to write a character to one: full-width forms to
// ASCII, every dash to "-", every blank and invisible one to " ".
func fold(r rune) rune {
	switch {
	case r < 0x80 || r == mark:
		return r
	case r >= '！' && r <= '～':
		return r - 0xFEE0
	case r >= 0x2010 && r <= 0x2015, r == 0x2212, r == 0xFE63:
		return '-'
	case r == 0x3000, r == 0xA0, r >= 0x2000 && r <= 0x200D, r == 0x202F, r == 0x205F, r == joiner, r == 0xFEFF:
		return ' '
	default:
		return r
	}
}

// The classes below take folded runes.

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isAlnum(r rune) bool { return isDigit(r) || isLetter(r) }

// isSeparator says that a rune may stand between the groups of a number.
func isSeparator(r rune) bool { return r == ' ' || r == '-' || r == '.' }

// isHan says that a rune is a Chinese character, as opposed to punctuation.
func isHan(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF }

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func upper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

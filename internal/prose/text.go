package prose

import (
	"strings"
	"unicode/utf8"
)

// Safe makes any text fit for a database, a screen, JSON and XML: broken UTF-8
// becomes U+FFFD, and control characters that nobody wants are dropped.
func Safe(s string) string { return strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD")) }

func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}

// Clean is a safe text without the blanks around it.
func Clean(s string) string { return strings.TrimSpace(Safe(s)) }

// OneLine is a safe text on one line.
func OneLine(s string) string { return strings.Join(strings.Fields(Safe(s)), " ") }

// File names a file that cannot be shown, and says where it is, if anywhere.
func File(name, url string) string {
	return strings.TrimSpace("[" + OneLine(name) + "] " + OneLine(url))
}

// Label makes a short foreign word, such as a type, fit for a note in the
// journal, where no content may stand.
func Label(s string) string {
	const longest = 32
	keep := func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '.' || r == '-' {
			return r
		}
		return -1
	}
	s = strings.Map(keep, s)
	return s[:min(len(s), longest)]
}

// Shorten cuts a text to so many characters, and shows it.
func Shorten(s string, characters int) string {
	if utf8.RuneCountInString(s) <= characters {
		return s
	}
	return string([]rune(s)[:characters-1]) + "…"
}

// Summary is the first line of Markdown that says something, without its marks:
// what lists and notifications show. It may be empty.
func Summary(md string, characters int) string {
	for line := range strings.Lines(md) {
		if BlockOf(line) == Code {
			continue
		}
		if line = strings.TrimLeft(Unmarked(dropTargets(line)), "-+:. "); line != "" {
			return Shorten(line, characters)
		}
	}
	return ""
}

// Unmarked is a text on one line in which nothing is read as Markdown.
func Unmarked(s string) string { return OneLine(strings.Map(dropMarks, s)) }

func dropMarks(r rune) rune {
	switch {
	case r == '|':
		return ' '
	case strings.ContainsRune("#*`>[]_~", r):
		return -1
	default:
		return r
	}
}

// dropTargets leaves the words of links.
func dropTargets(line string) string {
	for {
		before, rest, found := strings.Cut(line, "](")
		_, after, closed := strings.Cut(rest, ")")
		if !found || !closed {
			return line
		}
		line = before + after
	}
}

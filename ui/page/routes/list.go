package routes

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// commas stand between values, and quotes around one that has commas in it.
	commas = ",，、"
	quotes = `"“”＂`
)

// list reads values with commas between them, Chinese ones too. One in quotes may
// have commas in it, and a quote when it is written twice.
func list(by, text string) []string {
	var all []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		v, rest, quoted := unquoted(text)
		if !quoted {
			v, rest = untilComma(by, text)
		}
		if v = strings.TrimSpace(v); v != "" {
			all = append(all, v)
		}
		text = rest
	}
	return all
}

// untilComma cuts the first value off. In office hours a comma before the time
// stands between days.
func untilComma(by, text string) (v, rest string) {
	from := 0
	if by == "hours" || by == "outside_hours" {
		from = max(0, strings.IndexAny(text, ":："))
	}
	i := strings.IndexAny(text[from:], commas)
	if i < 0 {
		return text, ""
	}
	_, size := utf8.DecodeRuneInString(text[from+i:])
	return text[:from+i], text[from+i+size:]
}

// unquoted cuts the first value off if it is in quotes, which nothing but a comma
// may follow.
func unquoted(text string) (v, rest string, quoted bool) {
	all := []rune(text)
	if !isQuote(all[0]) {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(all); i++ {
		if !isQuote(all[i]) {
			b.WriteRune(all[i])
			continue
		}
		if i+1 < len(all) && all[i+1] == all[i] {
			b.WriteRune(all[i])
			i++
			continue
		}
		rest = strings.TrimSpace(string(all[i+1:]))
		first, size := utf8.DecodeRuneInString(rest)
		if rest != "" && !strings.ContainsRune(commas, first) {
			return "", "", false
		}
		return b.String(), rest[min(size, len(rest)):], true
	}
	return "", "", false
}

func isQuote(r rune) bool { return strings.ContainsRune(quotes, r) }

// written is how values stand in a line, such that list reads the same: in quotes
// only where it has to be.
func written(by string, values []string) string {
	for _, needs := range []func(v string) bool{
		func(string) bool { return false },
		func(v string) bool { return !plain(by, v) },
	} {
		if text := quotedWhere(needs, values); slices.Equal(list(by, text), values) {
			return text
		}
	}
	return quotedWhere(func(string) bool { return true }, values)
}

// plain says that a value can stand without quotes, were it alone.
func plain(by, v string) bool { return slices.Equal(list(by, v), []string{v}) }

func quotedWhere(needs func(v string) bool, values []string) string {
	all := make([]string, 0, len(values))
	for _, v := range values {
		if needs(v) {
			for _, q := range quotes {
				v = strings.ReplaceAll(v, string(q), string([]rune{q, q}))
			}
			v = `"` + v + `"`
		}
		all = append(all, v)
	}
	return strings.Join(all, ", ")
}

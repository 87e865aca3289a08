package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Outline is the text of a settings file for somebody far away, when it has mistakes:
// a secret may stand where it should not. The keys stay in their lines, and of the
// values those that tell nothing and the words that are known; of all others only how
// long they are. Remarks are left out.
func Outline(text string, known []string) string {
	o := outline{
		known: known,
		words: regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s{}\[\],:"'#]+(?::[^\s{}\[\],"'#]+)*`),
		plain: regexp.MustCompile(`^(?:true|false|null|~|-|\d{1,5}|\d{1,5}(?:ms|s|m|h|d))$`),
		named: regexp.MustCompile(`^(?:keyring|(?:env|credential):[A-Z][A-Z0-9_]*)$`),
		wary:  regexp.MustCompile(`(?i)secret|token|key|pass|auth|credential`),
	}
	var all strings.Builder
	for line := range strings.Lines(text) {
		o.write(&all, strings.TrimRight(line, "\r\n"))
		all.WriteByte('\n')
	}
	return all.String()
}

// outline knows which words may be shown.
type outline struct {
	known []string
	words *regexp.Regexp // quoted ones, and plain ones with colons inside
	plain *regexp.Regexp // numbers, switches and spans of time
	named *regexp.Regexp // where a secret comes from, by a name that tells nothing
	wary  *regexp.Regexp // keys whose values are left out even so
}

func (o outline) write(out *strings.Builder, line string) {
	key := ""
	for {
		at := o.words.FindStringIndex(line)
		if remark := strings.IndexByte(line, '#'); remark >= 0 && (at == nil || remark < at[0]) {
			out.WriteString(line[:remark+1])
			return
		}
		if at == nil {
			out.WriteString(line)
			return
		}
		out.WriteString(line[:at[0]])
		word := line[at[0]:at[1]]
		line = line[at[1]:]
		switch {
		case strings.HasPrefix(line, ":") && isLikeKey(word):
			key = word
			out.WriteString(word)
		case o.tellsNothing(key, strings.Trim(word, `"'`)):
			out.WriteString(word)
		default:
			fmt.Fprintf(out, "(%d characters)", utf8.RuneCountInString(strings.Trim(word, `"'`)))
		}
	}
}

func (o outline) tellsNothing(key, word string) bool {
	return o.named.MatchString(word) || !o.wary.MatchString(key) && (o.plain.MatchString(word) || slices.Contains(o.known, word))
}

const (
	// longestKey is longer than every key that there is; one with a number in it is
	// shorter, because it is a name that somebody gave.
	longestKey  = 28
	longestName = 14
)

// isLikeKey says that a word may be a key, or the name of a secret, rather than a
// secret with a colon behind it.
func isLikeKey(word string) bool {
	for part := range strings.SplitSeq(word, "/") {
		most := longestKey
		if strings.ContainsAny(part, "0123456789") {
			most = longestName
		}
		if len(part) > most || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz_-0123456789") != "" {
			return false
		}
	}
	return true
}

package settings

import (
	"fmt"
	"slices"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// Problem is one thing that is wrong in the file.
type Problem struct {
	Line int
	Path string // for example bots[1].settings.app_id
	Bot  string // set when only this bot is concerned
	Key  string // of the words, below "settings."
	Args []any  // pairs for the words' placeholders
}

// Text says the problem in words, with its line.
func (p Problem) Text(lang bridge.Language) string {
	args := append([]any{"path", p.Path}, p.Args...)
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = i18n.Explain(lang, err).String()
		}
	}
	return i18n.Text(lang, "settings.line", "line", p.Line, "text", i18n.Text(lang, "settings."+p.Key, args...))
}

// Problems is everything that is wrong, in the order of the file.
type Problems []Problem //nolint:errname // a list first, and the error of a refused file

// Fatal returns the problems that keep the whole program from starting.
func (all Problems) Fatal() Problems {
	return slices.DeleteFunc(slices.Clone(all), func(p Problem) bool { return p.Bot != "" })
}

// Text says all problems, one a line.
func (all Problems) Text(lang bridge.Language) string {
	lines := make([]string, 0, len(all))
	for _, p := range all {
		lines = append(lines, p.Text(lang))
	}
	return strings.Join(lines, "\n")
}

// Error implements error, in English for the log.
func (all Problems) Error() string { return fmt.Sprintf("settings: %s", all.Text(bridge.English)) }

// nearest returns the known word that is most like a mistyped one, or "".
func nearest(word string, known []string) string {
	best, least := "", len(word)/2+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

package prose

import "strings"

// Block is what a line of Markdown begins or belongs to.
type Block int

// The blocks. A line that looks like none of them is a Paragraph.
const (
	Blank Block = iota
	Paragraph
	Heading
	Quotation
	Item
	Code
	Table // begins with a bar; most tables are found by Separates instead
	Rule
)

// BlockOf tells what the first line of a text begins.
func BlockOf(text string) Block {
	line, _, _ := strings.Cut(text, "\n")
	s := strings.TrimSpace(line)
	switch {
	case s == "":
		return Blank
	case fenced(s):
		return Code
	case Level(s) > 0:
		return Heading
	case s[0] == '>':
		return Quotation
	case ruled(s):
		return Rule
	case listed(s):
		return Item
	case s[0] == '|':
		return Table
	default:
		return Paragraph
	}
}

// Level is that of a heading, or 0.
func Level(s string) int {
	n := len(s) - len(strings.TrimLeft(s, "#"))
	if n > 6 || n < len(s) && s[n] != ' ' {
		return 0
	}
	return n
}

func listed(s string) bool {
	mark, _ := Mark(s)
	return mark != ""
}

// Mark takes the mark off a list item: "-" for any bullet, or the number.
func Mark(s string) (mark, rest string) {
	const digits = 9 // at most
	n := len(s) - len(strings.TrimLeft(s, "0123456789"))
	switch {
	case len(s) > 1 && strings.IndexByte("-*+", s[0]) >= 0 && blank(s[1]):
		return "-", strings.TrimSpace(s[2:])
	case n > 0 && n <= digits && len(s) > n+1 && (s[n] == '.' || s[n] == ')') && blank(s[n+1]):
		return s[:n+1], strings.TrimSpace(s[n+2:])
	default:
		return "", ""
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// ruled tells whether a line is a rule: three or more of a mark, and nothing else.
func ruled(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	return len(s) >= 3 && strings.IndexByte("-*_", s[0]) >= 0 && Run(s) == len(s)
}

// Run counts how often the first byte of a text is repeated.
func Run(s string) int {
	if s == "" {
		return 0
	}
	n := 1
	for n < len(s) && s[n] == s[0] {
		n++
	}
	return n
}

func fenced(s string) bool {
	return (s[0] == '`' || s[0] == '~') && Run(s) >= 3 && !strings.Contains(s[Run(s):], "`")
}

// CodeBlock returns the lines inside the block of code at the front, and how many
// lines it takes with its fences; up to the end if it is open.
func CodeBlock(lines []string) (body []string, n int) {
	opening := strings.TrimSpace(lines[0])
	fence := opening[:Run(opening)]
	for i, line := range lines[1:] {
		if s := strings.TrimSpace(line); strings.HasPrefix(s, fence) && Run(s) == len(s) {
			return lines[1 : i+1], i + 2
		}
	}
	return lines[1:], len(lines)
}

// Tabular tells whether a table is at the front: a row, and the line below it
// that sets off the names of the columns.
func Tabular(lines []string) bool {
	return len(lines) > 1 && strings.Contains(lines[0], "|") && separates(lines[1])
}

func separates(line string) bool {
	s := strings.TrimSpace(line)
	return strings.Contains(s, "|") && strings.Contains(s, "-") && strings.Trim(s, "|:- \t") == ""
}

// TableLines counts the lines of the table at the front.
func TableLines(lines []string) int {
	n := 2
	for n < len(lines) && strings.Contains(lines[n], "|") {
		n++
	}
	return n
}

// Cells splits a row of a table.
func Cells(line string) []string {
	const bar = "\x00" // stands for a bar that is part of a cell
	s := strings.TrimSpace(strings.ReplaceAll(line, `\|`, bar))
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(s, "|"), "|"), "|")
	for i, part := range parts {
		part = strings.ReplaceAll(part, "<br>", " ")
		parts[i] = strings.TrimSpace(strings.ReplaceAll(part, bar, "|"))
	}
	return parts
}

// Link reads "[words](target)" at the front of a text; n is its length, or 0 if
// there is none.
func Link(s string) (words, target string, n int) {
	end := bracket(s, '[', ']')
	if end < 0 || !strings.HasPrefix(s[end+1:], "(") {
		return "", "", 0
	}
	shut := bracket(s[end+1:], '(', ')')
	if shut < 0 {
		return "", "", 0
	}
	target = strings.TrimSpace(s[end+2 : end+1+shut])
	target, _, _ = strings.Cut(target, " ") // a title follows
	return s[1:end], strings.Trim(target, "<>"), end + 1 + shut + 1
}

// bracket finds the end of the bracket that s begins with.
func bracket(s string, opens, shuts byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case opens:
			depth++
		case shuts:
			if depth--; depth == 0 {
				return i
			}
		}
		if depth == 0 {
			return -1 // it does not begin with one
		}
	}
	return -1
}

// Web tells whether a target can be opened by everybody.
func Web(target string) bool {
	return strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")
}

package widget

import "strings"

// kept stands for the end of a line while Markdown is read, which takes a single
// one for a space. People and agents in a chat mean it.
const kept = "\u2028"

// keepLines marks the ends of lines within paragraphs.
func keepLines(source string) string {
	lines := strings.Split(source, "\n")
	fenced := false
	for i := range len(lines) - 1 {
		line, next := strings.TrimSpace(lines[i]), strings.TrimSpace(lines[i+1])
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if !fenced && line != "" && next != "" && !strings.ContainsAny(line[:1], "#|") && !beginsBlock(next) {
			lines[i] = strings.TrimRight(lines[i], " ") + kept
		}
	}
	return strings.Join(lines, "\n")
}

// beginsBlock says that a line may be a list, a table, a heading, a quotation, a
// rule or code: Markdown begins afresh there by itself.
func beginsBlock(line string) bool {
	if strings.HasPrefix(line, "```") || strings.ContainsAny(line[:1], "#|>") || strings.Trim(line, "-=*_ ") == "" {
		return true
	}
	marker, _, spaced := strings.Cut(line, " ")
	return spaced && (len(marker) == 1 && strings.ContainsAny(marker, "-*+") || strings.Trim(marker, "0123456789") == ".")
}

// breakLines puts the marked ends back.
func breakLines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, kept+" ", "\n"), kept, "\n")
}

package reply

import (
	"strings"
	"unicode/utf8"
)

const fence = "```"

// Split cuts a Markdown text into parts of at most the given numbers of bytes:
// first for the first part, rest for the others. It cuts at paragraphs if it
// can, then at lines, sentences, blanks, and only then inside a word, never
// inside a character. A code block that is cut is closed and opened again. A
// limit below 16 bytes is taken as 16.
func Split(text string, first, rest int) []string {
	first, rest = max(first, 16), max(rest, 16)
	var parts []string
	open := "" // the fence line to repeat at the start of the next part
	for limit := first; ; limit = rest {
		text = open + text
		if len(text) <= limit {
			return append(parts, text)
		}
		var part string
		part, text, open = cut(text, limit)
		parts = append(parts, part)
	}
}

// cut takes one part off the front.
func cut(text string, limit int) (part, left, open string) {
	closing := len("\n" + fence)
	at := border(text, limit)
	open = openFence(text[:at])
	if open != "" && at > limit-closing {
		at = border(text, limit-closing)
		open = openFence(text[:at])
	}
	if len(open) >= at || len(open)+closing >= limit {
		open = "" // no room to keep the block together: go on as plain text
	}
	part, left = strings.TrimRight(text[:at], " \n"), text[at:]
	if part == "" {
		part = text[:at]
	}
	if open != "" {
		return part + "\n" + fence, strings.TrimPrefix(left, "\n"), open
	}
	return part, strings.TrimLeft(left, "\n"), ""
}

// border finds the best place to cut within the limit; at least one character
// is always taken.
func border(text string, limit int) int {
	head := text[:runeStart(text, limit)]
	if head == "" {
		_, n := utf8.DecodeRuneInString(text)
		return n
	}
	least := len(head) / 2 // a part that is less than half full wastes a message
	for _, marks := range [][]string{{"\n\n"}, {"\n"}, {"。", "！", "？", ". ", "! ", "? ", "；", "; "}, {"，", "、", ", ", " "}} {
		best := -1
		for _, mark := range marks {
			if i := strings.LastIndex(head, mark); i >= 0 {
				best = max(best, i+len(mark))
			}
		}
		if best > least {
			return wholeFence(text, best)
		}
	}
	return wholeFence(text, len(head))
}

// wholeFence moves a cut out of the line that opens or closes a code block, to
// the start of that line if there is anything before it.
func wholeFence(text string, at int) int {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	if start > 0 && start < at && strings.HasPrefix(strings.TrimSpace(text[start:]), fence) && text[at-1] != '\n' {
		return start
	}
	return at
}

// runeStart returns the largest index up to limit that does not cut a rune.
func runeStart(text string, limit int) int {
	if limit >= len(text) {
		return len(text)
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return limit
}

// openFence returns the line that opened a code block which is still open at
// the end of text, or "".
func openFence(text string) string {
	open := ""
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), fence) {
			continue
		}
		if open != "" {
			open = ""
			continue
		}
		open = strings.TrimRight(line, "\n") + "\n"
	}
	return open
}

// head returns the start of a text, at most limit bytes, with an ellipsis when
// something is missing: what a draft can show of an answer that outgrew it.
func head(text string, limit int) string {
	const more = "…"
	if limit <= 0 || len(text) <= limit {
		return text
	}
	return text[:runeStart(text, limit-len(more))] + more
}

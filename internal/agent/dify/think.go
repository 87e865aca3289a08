package dify

import "strings"

const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
	blanks     = " \t\r\n"
)

// thinking takes the reasoning of a model out of its answer as it streams by;
// the tags may be cut anywhere. A tag right after a backquote is a quotation.
type thinking struct {
	keep    bool
	inside  bool
	folded  bool // something was taken out
	begun   bool // something other than blanks was outside
	trim    bool // it was taken out before anything visible
	visible bool // something other than blanks was let through
	last    byte // the last byte outside
	pending string
	lead    string // blanks before anything visible
	hidden  strings.Builder
}

// add takes more text and returns what of it may be shown.
func (t *thinking) add(text string) string {
	if t.keep {
		t.visible = t.visible || text != ""
		return text
	}
	var out strings.Builder
	rest := t.pending + text
	t.pending = ""
	for rest != "" {
		rest = t.step(rest, &out)
	}
	return t.settle(out.String())
}

// step handles the text up to and including the next tag and returns the rest.
func (t *thinking) step(text string, out *strings.Builder) string {
	tag := thinkOpen
	if t.inside {
		tag = thinkClose
	}
	at := strings.Index(text, tag)
	if at < 0 {
		n := overlap(text, tag)
		t.pending = text[len(text)-n:]
		t.pass(text[:len(text)-n], out)
		return ""
	}
	t.pass(text[:at], out)
	switch {
	case t.inside:
		t.inside, t.folded = false, true
		t.hidden.Reset()
	case t.last == '`':
		t.pass(tag, out)
	default:
		t.inside = true
	}
	return text[at+len(tag):]
}

func (t *thinking) pass(text string, out *strings.Builder) {
	if t.inside {
		t.hidden.WriteString(text)
		return
	}
	out.WriteString(text)
	if text == "" {
		return
	}
	t.last = text[len(text)-1]
	if !t.begun && strings.Trim(text, blanks) != "" {
		t.begun, t.trim = true, t.folded
	}
}

// settle holds blanks back until something follows them, and drops them when
// they only stood around the reasoning.
func (t *thinking) settle(out string) string {
	if t.visible || out == "" {
		return out
	}
	all := t.lead + out
	body := strings.TrimLeft(all, blanks)
	if body == "" {
		t.lead = all
		return ""
	}
	t.visible, t.lead = true, ""
	if t.trim {
		return body
	}
	return all
}

// flush returns what was held back. An answer that is nothing but reasoning
// without an end is shown after all: it is better than an empty one.
func (t *thinking) flush() string {
	rest := t.pending
	t.pending = ""
	if !t.inside {
		return t.settle(rest)
	}
	if t.visible {
		return ""
	}
	t.inside, t.visible = false, true
	return strings.TrimLeft(t.hidden.String()+rest, blanks)
}

// overlap is the length of the longest end of text that begins tag.
func overlap(text, tag string) int {
	for n := min(len(tag)-1, len(text)); n > 0; n-- {
		if strings.HasSuffix(text, tag[:n]) {
			return n
		}
	}
	return 0
}

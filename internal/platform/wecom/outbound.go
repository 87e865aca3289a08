package wecom

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/prose"
)

const (
	typeText     = "text"
	typeMarkdown = "markdown"
	typeCard     = "template_card"
)

// dialect is how a bot writes: in WeCom's small subset of Markdown, or, for
// people who read inside the personal WeChat, without markup.
type dialect struct {
	plain bool // no markup at all
	thin  bool // nothing bold, as inside a heading
	bare  bool // no markup, and links as addresses: what customers read in WeChat
	lang  bridge.Language
}

// render translates a content for an app, which has buttons.
func (b *bot) render(c bridge.Content, to bridge.Address) ([]outgoing, error) {
	d := dialect{plain: b.cfg.plain, lang: to.Language}
	if card, ok := c.(bridge.Card); ok {
		return d.renderCard(card, cmp.Or(to.Key, rand.Text()))
	}
	return d.render(c)
}

// render translates a content. What there is no plain message for becomes text.
func (d dialect) render(c bridge.Content) ([]outgoing, error) {
	switch c := c.(type) {
	case bridge.Text:
		return renderText(c)
	case bridge.Markdown:
		return d.renderMarkdown(c.Text, c.Text)
	case bridge.Card:
		return d.renderMarkdown(c.Text, cardText(c))
	case bridge.News:
		return d.renderMarkdown("", newsText(c))
	case bridge.Picture:
		return renderText(bridge.Text{Text: prose.File(cmp.Or(c.Name, "image.png"), c.URL)})
	case bridge.Attachment:
		return renderText(bridge.Text{Text: prose.File(cmp.Or(c.Name, "file"), c.URL)})
	case bridge.Voice:
		return renderText(bridge.Text{Text: "[" + prose.OneLine(cmp.Or(c.Name, "voice.amr")) + "]"})
	case bridge.Native:
		return renderNative(c)
	default:
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: opSend, Detail: fmt.Sprintf("no way to show %T", c)}
	}
}

func renderText(c bridge.Text) ([]outgoing, error) {
	text := prose.Clean(c.Text)
	if text == "" {
		return nil, empty()
	}
	if err := fits(text); err != nil {
		return nil, err
	}
	return []outgoing{{typeText, textBody{text}}}, nil
}

// renderMarkdown translates a text. It may become longer than one message by
// that, though the author kept to the limit; then it is shown in several.
func (d dialect) renderMarkdown(written, text string) ([]outgoing, error) {
	if err := fits(prose.Clean(written)); err != nil {
		return nil, err
	}
	kind := typeMarkdown
	if d.plain {
		kind = typeText
	}
	var all []outgoing
	for _, part := range split(d.translate(prose.Clean(text)), maxContent) {
		all = append(all, outgoing{kind, textBody{part}})
	}
	if len(all) == 0 {
		return nil, empty()
	}
	return all, nil
}

// renderCard shows a card as a text and, below it, what can be clicked. That is a
// message of its own, because the texts of template cards are short and know no
// markup. The same address makes the same card, so that a repeated send is
// recognised as one.
func (d dialect) renderCard(c bridge.Card, key string) ([]outgoing, error) {
	below := buttonCard{Type: "button_interaction", Title: cardTitle{i18n.Text(d.lang, "wecom.choose")}, TaskID: "sb-" + digest(key)}
	var links []bridge.Button
	for _, b := range c.Buttons {
		if d.plain || b.URL != "" {
			links = append(links, b)
			continue
		}
		shown := buttonOf(b)
		below.Buttons = append(below.Buttons, shown)
		if len(below.Buttons) > maxButtons || len(shown.Key) > maxKey {
			return nil, &bridge.Error{Kind: bridge.KindTooLarge, Op: opSend, Detail: "too many buttons, or one that holds too much"}
		}
	}
	text := cardText(bridge.Card{Title: c.Title, Text: c.Text, Buttons: links})
	if len(below.Buttons) == 0 {
		return d.renderMarkdown(c.Text, text)
	}
	if prose.Clean(text) == "" {
		return []outgoing{{typeCard, below}}, nil
	}
	above, err := d.renderMarkdown(c.Text, text)
	return append(above, outgoing{typeCard, below}), err
}

func buttonOf(b bridge.Button) cardButton {
	words := cmp.Or(prose.OneLine(b.Text), "…")
	return cardButton{words, buttonKey{b.Value, prose.Shorten(words, maxChosen)}.encode()}
}

// digest makes a short name of a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// cardText writes a card as Markdown, its buttons as a numbered list.
func cardText(c bridge.Card) string {
	var b strings.Builder
	if title := prose.OneLine(c.Title); title != "" {
		b.WriteString("### " + title + "\n\n")
	}
	b.WriteString(c.Text + "\n\n")
	for i, button := range c.Buttons {
		label := prose.OneLine(button.Text)
		if button.URL != "" {
			label = "[" + cmp.Or(label, button.URL) + "](" + button.URL + ")"
		}
		fmt.Fprintf(&b, "%d. %s\n", i+1, label)
	}
	return b.String()
}

func newsText(c bridge.News) string {
	var b strings.Builder
	for _, item := range c.Items {
		title := prose.OneLine(cmp.Or(item.Title, item.URL))
		if item.URL != "" {
			title = "[" + title + "](" + item.URL + ")"
		}
		b.WriteString("- " + title + "\n")
		if item.Description != "" {
			b.WriteString("  " + prose.OneLine(item.Description) + "\n")
		}
	}
	return b.String()
}

// renderNative takes any message type of the page 90236 as it is.
func renderNative(c bridge.Native) ([]outgoing, error) {
	if !json.Valid(c.JSON) || c.Type == "" {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "the native content is not JSON with a type"}
	}
	return []outgoing{{c.Type, json.RawMessage(c.JSON)}}, nil
}

func empty() error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "nothing to show"}
}

// translate writes Markdown as language models write it in the dialect. Tables
// repeat the names of their columns in each row, unless that makes them endless.
func (d dialect) translate(md string) string {
	w := scribe{dialect: d, named: true}
	text := w.write(md)
	if len(text) <= 2*maxContent {
		return text
	}
	w = scribe{dialect: d}
	return w.write(md)
}

// scribe writes the blocks of a text one after the other.
type scribe struct {
	dialect
	named   bool     // tables repeat the names of their columns
	out     []string // lines
	indents []int    // of the list items that are open
}

func (w *scribe) write(md string) string {
	lines := strings.Split(md, "\n")
	for len(lines) > 0 {
		lines = lines[w.next(lines):]
	}
	return strings.Trim(strings.Join(w.out, "\n"), "\n")
}

// next writes the block at the front and returns how many lines it took.
func (w *scribe) next(lines []string) int {
	line := strings.TrimRight(lines[0], " \t")
	text := strings.TrimLeft(line, " \t")
	kind := prose.BlockOf(text)
	switch {
	case kind == prose.Blank:
		w.gap()
		return 1
	case kind == prose.Code:
		return w.code(lines)
	case prose.Tabular(lines):
		w.indents = nil
		return w.table(lines)
	case kind == prose.Quotation:
		return w.quote(lines)
	}
	indent := width(line[:len(line)-len(text)])
	switch {
	case kind == prose.Item:
		mark, rest := prose.Mark(text)
		w.item(indent, mark, rest)
	case kind == prose.Rule:
		w.indents = nil
		w.put("──────────")
	case kind == prose.Heading:
		w.indents = nil
		w.heading(text)
	case indent > 1 && len(w.indents) > 0: // more of a list item
		w.put(strings.Repeat("　", len(w.indents)) + w.inline(text))
	default:
		w.indents = nil
		w.put(w.inline(text))
	}
	return 1
}

func (w *scribe) put(text string) { w.out = append(w.out, strings.Split(text, "\n")...) }

// gap leaves one blank line.
func (w *scribe) gap() {
	if n := len(w.out); n > 0 && w.out[n-1] != "" {
		w.put("")
	}
}

// heading writes a heading; it is bold by itself.
func (w *scribe) heading(text string) {
	level := prose.Level(text)
	title := w.thinner().inline(strings.TrimSpace(strings.TrimRight(text[level:], "# ")))
	w.gap()
	switch {
	case title == "":
	case w.plain:
		w.put(title)
	default:
		w.put(text[:level] + " " + title)
	}
}

// item writes a list item, deeper ones set in.
func (w *scribe) item(indent int, mark, text string) {
	for len(w.indents) > 0 && w.indents[len(w.indents)-1] > indent {
		w.indents = w.indents[:len(w.indents)-1]
	}
	if n := len(w.indents); n == 0 || w.indents[n-1] < indent {
		w.indents = append(w.indents, indent)
	}
	level := len(w.indents) - 1
	if mark == "-" {
		mark = []string{"•", "◦", "▪"}[min(level, 2)]
	}
	for box, sign := range map[string]string{"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"} {
		if rest, found := strings.CutPrefix(text, box); found {
			mark, text = sign, rest
		}
	}
	w.put(strings.Repeat("　", level) + mark + " " + w.inline(text))
}

// quote writes a quotation; WeCom knows no deeper ones.
func (w *scribe) quote(lines []string) int {
	var inner []string
	for _, line := range lines {
		text := strings.TrimLeft(line, " \t")
		if text == "" || text[0] != '>' {
			break
		}
		// One blank belongs to the mark; more of them set a list in.
		text = strings.TrimLeft(text, ">")
		for strings.HasPrefix(strings.TrimLeft(text, " "), ">") {
			text = strings.TrimLeft(text, " >")
		}
		inner = append(inner, strings.TrimPrefix(text, " "))
	}
	w.indents = nil
	inside := scribe{dialect: w.dialect, named: w.named}
	for line := range strings.SplitSeq(inside.write(strings.Join(inner, "\n")), "\n") {
		if !strings.HasPrefix(line, ">") {
			line = strings.TrimRight("> "+line, " ")
		}
		w.put(line)
	}
	return len(inner)
}

// code writes a block of code as a quotation, or as it is where there is no
// markup. A block that holds what the client would take for markup is written as
// inline code, line by line.
func (w *scribe) code(lines []string) int {
	body, n := codeOf(lines)
	before, after := "> ", ""
	switch text := strings.Join(body, "\n"); {
	case w.plain:
		before = ""
	case !strings.Contains(text, "`") && (strings.Contains(text, "**") || strings.Contains(text, "](") || strings.Contains(text, "<font")):
		before, after = "> `", "`"
	}
	for _, line := range body {
		line = strings.ReplaceAll(strings.TrimRight(line, " \t"), "\t", "  ")
		if line == "" {
			w.put(strings.TrimRight(strings.Trim(before, "`"), " "))
			continue
		}
		w.put(before + line + after)
	}
	return n
}

// table writes each row of a table as a list item. The first column names the
// row, so its own name is left out.
func (w *scribe) table(lines []string) int {
	names := prose.Cells(lines[0])
	rows := len(lines) > 2 && strings.Contains(lines[2], "|")
	named := w.named && rows && len(names) > 2 && !slices.ContainsFunc(names, func(s string) bool { return utf8.RuneCountInString(s) > maxName })
	if !named {
		w.put(w.inline(w.bold(strings.Join(names, " · "))))
	}
	n := 2
	for ; n < len(lines) && strings.Contains(lines[n], "|"); n++ {
		var parts []string
		row := prose.Cells(lines[n])
		if strings.Join(row, "") == "" {
			continue
		}
		for i, cell := range row {
			switch {
			case cell == "" && !named:
				parts = append(parts, "—")
			case cell == "":
			case named && i == 0:
				parts = append(parts, w.bold(cell))
			case named && i < len(names) && names[i] != "":
				parts = append(parts, names[i]+": "+cell)
			default:
				parts = append(parts, cell)
			}
		}
		between := " · "
		if len(names) == 2 && !named {
			between = ": "
		}
		w.put("• " + w.inline(strings.Join(parts, between)))
	}
	return n
}

// maxName is how long the name of a column may be to be repeated, in characters.
const maxName = 24

func (dialect) bold(text string) string {
	if text = strings.ReplaceAll(text, "**", ""); text == "" {
		return ""
	}
	return "**" + text + "**"
}

func (d dialect) thinner() dialect {
	d.thin = true
	return d
}

// inline translates what stands inside a line.
func (d dialect) inline(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		text, n := d.span(s, i)
		b.WriteString(text)
		i += n
	}
	return b.String()
}

// span translates what begins at i and returns how long it was.
func (d dialect) span(s string, i int) (string, int) {
	rest := s[i:]
	switch c := rest[0]; {
	case c == '\\' && len(rest) > 1 && strings.IndexByte("\\`*_{}[]()#+-.!|>~", rest[1]) >= 0:
		return rest[1:2], 2
	case c == '`':
		return d.inlineCode(rest)
	case c == '!' && strings.HasPrefix(rest, "!["):
		if text, target, n := prose.Link(rest[1:]); n > 0 {
			return d.link(d.picture(text), target), n + 1
		}
	case c == '[':
		if text, target, n := prose.Link(rest); n > 0 {
			return d.link(d.thinner().inline(text), target), n
		}
	case c == '<':
		if inside, _, found := strings.Cut(rest[1:], ">"); found {
			switch {
			case prose.Web(inside) && !strings.ContainsAny(inside, " <"):
				return inside, len(inside) + 2
			case strings.EqualFold(strings.TrimRight(inside, " /"), "br"):
				return "\n", len(inside) + 2
			}
		}
	case c == '*' || c == '_' || c == '~':
		return d.emphasis(s, i)
	}
	return rest[:1], 1
}

func (d dialect) inlineCode(s string) (string, int) {
	n := prose.Run(s)
	at := strings.Index(s[n:], s[:n])
	if at < 0 {
		return s[:n], n
	}
	text := strings.TrimSpace(s[n : n+at])
	if !d.plain && text != "" && !strings.Contains(text, "`") {
		text = "`" + text + "`"
	}
	return text, n + at + n
}

func (d dialect) link(text, target string) string {
	switch {
	case !prose.Web(target):
		return text
	case text == "" || text == target:
		return target
	case d.bare:
		return text + " (" + target + ")"
	case d.plain:
		return `<a href="` + strings.ReplaceAll(target, `"`, "%22") + `">` + text + "</a>"
	default:
		return "[" + text + "](" + target + ")"
	}
}

// emphasis keeps what is bold and drops the marks of the rest. A mark that is
// not clearly one, as in 2*3*4 or snake_case, stays.
func (d dialect) emphasis(s string, i int) (string, int) {
	n := prose.Run(s[i:])
	mark := s[i : i+n]
	tight := mark == "*" || mark[0] == '_' // must not touch letters
	if n > 3 || mark[0] == '~' && n != 2 || i+n == len(s) || blank(s[i+n]) || tight && i > 0 && alphanumeric(rune(s[i-1])) {
		return mark, n
	}
	end := closing(s, i+n, mark, tight)
	if end < 0 {
		return mark, n
	}
	if n == 1 || mark[0] == '~' || d.plain || d.thin {
		return d.inline(s[i+n : end]), end + n - i
	}
	text := "**" + d.thinner().inline(s[i+n:end]) + "**"
	return text, end + n - i
}

// closing finds the mark that ends an emphasis.
func closing(s string, from int, mark string, tight bool) int {
	for j := from; j < len(s); {
		n := prose.Run(s[j:])
		switch {
		case s[j] == '`':
			if at := strings.Index(s[j+n:], s[j:j+n]); at >= 0 {
				n += at + n
			}
		case s[j] != mark[0] || n < len(mark) || n > 3 || blank(s[j-1]):
		case n == len(mark) || n == 3: // of three, the last ones
			end := j + n
			if !tight || end == len(s) || !alphanumeric(rune(s[end])) {
				return end - len(mark)
			}
		}
		j += n
	}
	return -1
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

func (d dialect) picture(alt string) string {
	return cmp.Or(prose.OneLine(alt), i18n.Text(d.lang, "wecom.image"))
}

// width measures how far a line is set in.
func width(indent string) int { return len(strings.ReplaceAll(indent, "\t", "    ")) }

// codeOf returns the lines inside a block of code, set in no further than needed,
// and how many lines it takes with its fences.
func codeOf(lines []string) (body []string, n int) {
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " \t"))]
	within, n := prose.CodeBlock(lines)
	for _, line := range within {
		body = append(body, strings.TrimPrefix(line, indent))
	}
	return body, n
}

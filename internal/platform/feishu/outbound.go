package feishu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
	"switchboard/internal/webcall"
)

// The types of message that are written here.
const (
	kindText = "text"
	kindCard = "interactive"
)

const (
	// elementAnswer and elementNotice are the texts of a growing card, and
	// elementStop is the button below.
	elementAnswer = "answer"
	elementNotice = "notice"
	elementStop   = "stop"

	maxSummary = 60 // characters; lists show no more
	maxTables  = 3  // in one card; a fourth was seen to be refused
	rowOf      = 3  // buttons beside one another
	rowWords   = 16 // characters on all of them; Chinese ones are wide
	indent     = "    "
	// invisible is put where characters must not be read as a tag.
	invisible = "\u200b"
)

// outgoing is a message as the platform takes it.
type outgoing struct {
	kind    string // msg_type
	content string // JSON
}

// replies tells whether an answer is a reply. In a group that shows what it
// answers and tells the person; a reply in a thread stays in it.
func replies(to bridge.Address) bool {
	return to.ReplyTo != "" && (to.Kind == bridge.Group || to.Thread != "")
}

// mentioned is who is mentioned: the person in a group, unless a reply tells
// them already.
func mentioned(to bridge.Address) string {
	if to.Kind == bridge.Group && !replies(to) && strings.HasPrefix(string(to.User), "ou_") {
		return string(to.User)
	}
	return ""
}

// render translates a content. The first message is the best way to show it;
// those after it are simpler, in case that it is refused.
func render(c bridge.Content, to bridge.Address) ([]outgoing, error) {
	switch c := c.(type) {
	case bridge.Text:
		text, err := renderText(c.Text, mentioned(to))
		return []outgoing{text}, err
	case bridge.Markdown:
		return renderCard(bridge.Card{Text: c.Text}, c.Title, to)
	case bridge.Card:
		return renderCard(c, c.Title, to)
	case bridge.News:
		return renderCard(bridge.Card{Text: newsText(c)}, "", to)
	case bridge.Native:
		if !json.Valid(c.JSON) || c.Type == "" {
			return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "the native content is not JSON with a type"}
		}
		return []outgoing{{c.Type, string(c.JSON)}}, nil
	default:
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: opSend, Detail: fmt.Sprintf("no way to show %T", c)}
	}
}

// renderText shows a text as it is.
func renderText(text, who string) (outgoing, error) {
	text = strings.TrimSpace(quietText(prose.Safe(text)))
	if text == "" {
		return outgoing{}, empty()
	}
	if who != "" {
		text = `<at user_id="` + who + `"></at> ` + text
	}
	return pack(kindText, map[string]string{"text": text}, maxTextMessage)
}

// renderCard shows Markdown as a card: rich texts know neither headings nor
// tables. Should the card be refused, a rich text and a plain one are simpler.
func renderCard(c bridge.Card, title string, to bridge.Address) ([]outgoing, error) {
	if prose.Clean(c.Title+c.Text) == "" && len(c.Buttons) == 0 {
		return nil, empty()
	}
	full, err := packCard(c, title, to)
	if err != nil {
		return nil, err
	}
	ways := []outgoing{full}
	flat := cardText(c)
	post := map[string]any{"zh_cn": map[string]any{"content": [][]map[string]string{{{"tag": "md", "text": postDialect().translate(flat)}}}}}
	if m, err := pack("post", post, maxCard); err == nil && mentioned(to) == "" {
		ways = append(ways, m)
	}
	if m, err := renderText(flat, mentioned(to)); err == nil {
		ways = append(ways, m)
	}
	return ways, nil
}

// packCard makes a card and measures it.
func packCard(c bridge.Card, title string, to bridge.Address) (outgoing, error) {
	if len(c.Buttons) > maxButtons {
		return outgoing{}, &bridge.Error{Kind: bridge.KindTooLarge, Op: opSend, Detail: fmt.Sprintf("%d buttons", len(c.Buttons))}
	}
	return pack(kindCard, cardOf(c, title, to), maxCard)
}

// cardOf makes a card.
func cardOf(c bridge.Card, title string, to bridge.Address) card {
	if strings.TrimSpace(c.Text) == "" { // a card needs something below its title
		c.Title, c.Text = "", cmp.Or(c.Title, "…")
	}
	shown := newCard(c.Text, summaryOf(title, c.Text))
	if who := mentioned(to); who != "" {
		text := "<at id=" + who + "></at>\n" + *shown.Body.Elements[0].Content
		shown.Body.Elements[0].Content = &text
	}
	if title := prose.OneLine(c.Title); title != "" {
		shown.Header = &cardHeader{cardLabel{"plain_text", title}}
	}
	for _, row := range rows(c.Buttons) {
		var columns []cardElement
		for _, b := range row {
			columns = append(columns, cardElement{Tag: "column", Width: "auto", Elements: []cardElement{buttonOf(b, to.Kind)}})
		}
		shown.Body.Elements = append(shown.Body.Elements, cardElement{Tag: "column_set", Columns: columns})
	}
	return shown
}

// rows puts buttons beside one another as far as their words can be read there.
func rows(buttons []bridge.Button) [][]bridge.Button {
	var all [][]bridge.Button
	taken := 0
	for _, b := range buttons {
		words := utf8.RuneCountInString(prose.OneLine(b.Text))
		if last := len(all) - 1; last >= 0 && len(all[last]) < rowOf && taken+words <= rowWords {
			all[last], taken = append(all[last], b), taken+words
			continue
		}
		all, taken = append(all, []bridge.Button{b}), words
	}
	return all
}

// newCard makes a card with one text.
func newCard(text, summary string) card {
	content := cardDialect().translate(text)
	shown := card{
		Schema: "2.0", Config: cardConfig{Multi: true},
		Body: cardBody{[]cardElement{{Tag: "markdown", ID: elementAnswer, Content: &content}}},
	}
	if summary != "" {
		shown.Config.Summary = &cardSummary{summary}
	}
	return shown
}

// stopping puts the button below a card that stops its answer, if there is to be
// one.
func (c card) stopping(to bridge.Address) card {
	if to.Stop == "" {
		return c
	}
	value := map[string]string{bridge.ValueDo: bridge.DoStop}
	if to.Job != "" {
		value[bridge.ValueJob] = to.Job
	}
	stop := buttonOf(bridge.Button{Text: to.Stop, Value: value}, to.Kind)
	stop.ID = elementStop
	c.Body.Elements = append(c.Body.Elements, stop)
	return c
}

// growingCard is the card of an answer that has not begun.
func growingCard(to bridge.Address) card {
	yes := true
	shown := newCard("", "").stopping(to)
	shown.Config.Streaming = &yes
	// About 40 characters a second; what is left when more comes is shown at once.
	shown.Config.Pace = &cardPace{Every: cardNumber{50}, Step: cardNumber{2}, Strategy: "fast"}
	return shown
}

func buttonOf(b bridge.Button, chat bridge.ChatKind) cardElement {
	button := cardElement{Tag: "button", Text: &cardLabel{"plain_text", cmp.Or(prose.OneLine(b.Text), "…")}, Type: "default"}
	if b.Style != bridge.ButtonDefault {
		button.Type = string(b.Style)
	}
	if b.URL != "" {
		button.Behaviors = []cardBehavior{{Type: "open_url", URL: b.URL}}
		return button
	}
	value := map[string]string{valueKind: string(chat)}
	maps.Copy(value, b.Value)
	button.Behaviors = []cardBehavior{{Type: "callback", Value: value}}
	return button
}

// cardText writes a card as Markdown, with its buttons as a list. What can be
// picked by a number has its own, and what is done without words is left out.
func cardText(c bridge.Card) string {
	var b strings.Builder
	if title := prose.OneLine(c.Title); title != "" {
		b.WriteString("**" + title + "**\n\n")
	}
	b.WriteString(c.Text)
	b.WriteString("\n\n")
	for i, button := range c.Buttons {
		number := cmp.Or(button.Value[bridge.ValueNumber], strconv.Itoa(i+1))
		if button.Value[bridge.ValueDo] != "" && button.Value[bridge.ValueNumber] == "" {
			continue
		}
		words := prose.OneLine(button.Text)
		if button.URL != "" {
			words = "[" + cmp.Or(words, button.URL) + "](" + button.URL + ")"
		}
		b.WriteString(number + ". " + words + "\n")
	}
	return b.String()
}

// newsText writes links; a card shows no pictures but uploaded ones.
func newsText(c bridge.News) string {
	var b strings.Builder
	for _, item := range c.Items {
		fmt.Fprintf(&b, "**[%s](%s)**\n", prose.OneLine(cmp.Or(item.Title, item.URL)), item.URL)
		if words := prose.OneLine(item.Description); words != "" {
			b.WriteString(words + "\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// pack encodes the content of a message and measures it as it will be sent:
// JSON as text in JSON.
func pack(kind string, content any, limit int) (outgoing, error) {
	encoded, err := encode(content)
	if err != nil {
		return outgoing{}, err
	}
	body, err := encode(encoded)
	if err != nil {
		return outgoing{}, err
	}
	if len(body) > limit {
		return outgoing{}, &bridge.Error{Kind: bridge.KindTooLarge, Op: opSend, Detail: fmt.Sprintf("%d bytes", len(body))}
	}
	return outgoing{kind, encoded}, nil
}

// encode makes JSON to stand as text in other JSON.
func encode(v any) (string, error) {
	data, err := webcall.JSON(v)
	if err != nil {
		return "", &bridge.Error{Kind: bridge.KindInternal, Op: opSend, Err: err}
	}
	return string(data), nil
}

func empty() error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "nothing to show"}
}

// media is a file as the platform takes it.
type media struct {
	api, part string // where it is uploaded, and as what
	fields    map[string]string
	name      string
	data      []byte
	kind      string // msg_type
	url       string // where people find it otherwise
}

// mediaOf returns what has to be uploaded to show a content; false when nothing
// has to.
func mediaOf(c bridge.Content) (media, bool) {
	switch c := c.(type) {
	case bridge.Picture:
		m := media{api: apiImage, part: "image", name: cmp.Or(prose.OneLine(c.Name), "image.png"), data: c.Data, kind: "image", url: c.URL}
		m.fields = map[string]string{"image_type": "message"}
		if len(c.Data) > maxPicture || !strings.HasPrefix(http.DetectContentType(c.Data), "image/") {
			return fileOf(m.name, c.Data, c.URL), true
		}
		return m, true
	case bridge.Attachment:
		return fileOf(cmp.Or(prose.OneLine(c.Name), "file"), c.Data, c.URL), true
	case bridge.Voice:
		m := fileOf(cmp.Or(prose.OneLine(c.Name), "voice.opus"), c.Data, "")
		if strings.HasPrefix(string(c.Data), "OggS") { // the platform plays no other
			m.kind, m.fields["file_type"], m.fields["duration"] = "audio", "opus", strconv.Itoa(max(c.Seconds, 1)*1000)
		}
		return m, true
	default:
		return media{}, false
	}
}

// fileOf makes a file. Its type decides about the icon only; as a video or a
// voice it would have to be sent as one.
func fileOf(name string, data []byte, url string) media {
	types := map[string]string{".pdf": "pdf", ".doc": "doc", ".docx": "doc", ".xls": "xls", ".xlsx": "xls", ".ppt": "ppt", ".pptx": "ppt"}
	fields := map[string]string{"file_type": cmp.Or(types[strings.ToLower(path.Ext(name))], "stream"), "file_name": name}
	return media{api: apiFile, part: "file", fields: fields, name: name, data: data, kind: "file", url: url}
}

// accepted tells whether the platform takes a file of this size.
func (m media) accepted() bool { return len(m.data) > 0 && len(m.data) <= maxFile }

// words name the file where it cannot be shown.
func (m media) words() bridge.Text { return bridge.Text{Text: prose.File(m.name, m.url)} }

// message shows an uploaded file.
func (m media) message(key string) (outgoing, error) {
	name := "file_key"
	if m.kind == "image" {
		name = "image_key"
	}
	return pack(m.kind, map[string]string{name: key}, maxCard)
}

// summaryOf is what lists and notifications show of a card.
func summaryOf(title, text string) string {
	return prose.Summary(prose.OneLine(title)+"\n"+text, maxSummary)
}

// quiet keeps a text from being read as tags of these names: a model, or a
// person through it, could otherwise write to everybody.
func quiet(s string, names ...string) string {
	var b strings.Builder
	for i, r := range s {
		b.WriteRune(r)
		if r == '<' && slices.Contains(names, tagName(s[i+1:])) {
			b.WriteString(invisible)
		}
	}
	return b.String()
}

// tagName reads the name of a tag behind its "<".
func tagName(rest string) string {
	rest = strings.TrimPrefix(rest, "/")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' })
	if end < 0 {
		end = len(rest)
	}
	return strings.ToLower(rest[:end])
}

// quietText is for text messages, which know a few tags; quietCode for code,
// which people copy, so that it is changed only where somebody would be told.
func quietText(s string) string { return quiet(s, "at", "b", "i", "u", "s", "a") }

func quietCode(s string) string { return quiet(s, "at", "person") }

// tagged tells whether what follows a "<" makes it a tag.
func tagged(rest string) bool { return tagName(rest) != "" || strings.HasPrefix(rest, "!") }

// dialect is how Feishu wants Markdown in one kind of message.
type dialect struct {
	less     string // for a "<" that would make a tag
	headings bool
	tables   int // so many are shown; further ones become code
}

func cardDialect() dialect { return dialect{less: "&#60;", headings: true, tables: maxTables} }

func postDialect() dialect { return dialect{less: "<" + invisible} }

// translate writes Markdown as language models write it in the dialect.
func (d dialect) translate(md string) string {
	w := scribe{d: d}
	lines := strings.Split(prose.Clean(md), "\n")
	for len(lines) > 0 {
		lines = lines[w.next(lines):]
	}
	return strings.TrimSuffix(w.b.String(), "\n")
}

// scribe writes blocks one after the other.
type scribe struct {
	d      dialect
	b      strings.Builder
	depths []int // how far the list items around this line are indented
	tables int
}

// next writes what stands at the front and returns how many lines that took.
func (w *scribe) next(lines []string) int {
	line := strings.TrimRight(lines[0], " \t")
	text := strings.TrimLeft(line, " \t")
	depth := len(strings.ReplaceAll(line[:len(line)-len(text)], "\t", indent))
	switch kind := prose.BlockOf(line); {
	case kind == prose.Code:
		_, n := prose.CodeBlock(lines)
		w.code(lines[:n], depth)
		return n
	case prose.Tabular(lines):
		n := prose.TableLines(lines)
		w.table(lines[:n])
		return n
	case kind == prose.Blank:
		w.line("")
	case kind == prose.Item:
		w.item(text, depth)
	case len(w.depths) > 0 && depth >= 2: // goes on with an item
		w.line(strings.Repeat(indent, len(w.depths)) + w.d.inline(text))
	case kind == prose.Heading && !w.d.headings:
		w.depths = nil
		w.line("**" + strings.ReplaceAll(w.d.inline(strings.TrimSpace(strings.Trim(text, "#"))), "**", "") + "**")
	default:
		w.depths = nil
		w.line(w.d.inline(text))
	}
	return 1
}

func (w *scribe) line(text string) { w.b.WriteString(text + "\n") }

// item writes a list item; each level is indented by four.
func (w *scribe) item(text string, depth int) {
	for len(w.depths) > 0 && w.depths[len(w.depths)-1] > depth {
		w.depths = w.depths[:len(w.depths)-1]
	}
	if len(w.depths) == 0 || w.depths[len(w.depths)-1] < depth {
		w.depths = append(w.depths, depth)
	}
	for mark, box := range map[string]string{"- [ ] ": "- ☐ ", "- [x] ": "- ☑ ", "- [X] ": "- ☑ "} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			text = box + rest
		}
	}
	w.line(strings.Repeat(indent, len(w.depths)-1) + w.d.inline(text))
}

// code writes a code block, whose fences have to stand at the start of a line.
func (w *scribe) code(lines []string, depth int) {
	for i, line := range lines {
		cut := min(depth, len(line)-len(strings.TrimLeft(line, " \t")))
		line = line[cut:]
		if i == 0 || i == len(lines)-1 && prose.BlockOf(line) == prose.Code {
			line = strings.TrimSpace(line)
		}
		w.line(quietCode(line))
	}
}

// table writes a table, or what is one too many as code.
func (w *scribe) table(lines []string) {
	w.tables++
	w.depths = nil
	if w.tables > w.d.tables {
		w.code(append(append([]string{"```"}, lines...), "```"), 0)
		return
	}
	for _, line := range lines {
		w.line(w.d.inline(strings.TrimSpace(line)))
	}
}

// inline translates what stands inside a line; code stays as it is.
func (d dialect) inline(line string) string {
	var b strings.Builder
	for line != "" {
		var n int
		switch line[0] {
		case '`':
			n = codeSpan(line)
			b.WriteString(quietCode(line[:n]))
		case '!', '[':
			n = d.link(&b, line)
		case '<':
			n = d.tag(&b, line)
		default:
			if n = strings.IndexAny(line[1:], "`![<") + 1; n == 0 {
				n = len(line)
			}
			b.WriteString(line[:n])
		}
		line = line[n:]
	}
	return b.String()
}

// codeSpan measures a code span, or the marks that begin none.
func codeSpan(line string) int {
	marks := len(line) - len(strings.TrimLeft(line, "`"))
	if i := strings.Index(line[marks:], line[:marks]); i >= 0 {
		return 2*marks + i
	}
	return marks
}

// link writes a link, and a link in place of a picture: one picture that was
// not uploaded and the whole card is refused. It returns how much it read.
func (d dialect) link(b *strings.Builder, line string) int {
	start := 0
	if line[0] == '!' {
		start = 1
	}
	words, target, n := prose.Link(line[start:])
	if n == 0 {
		b.WriteString(line[:1])
		return 1
	}
	if alt, _, m := prose.Link(strings.TrimPrefix(words, "!")); strings.HasPrefix(words, "!") && m == len(words)-1 {
		words = alt // a picture that is a link
	}
	switch picture := start == 1; {
	case picture && strings.HasPrefix(target, "img_") && d.headings:
		b.WriteString(line[:n+1])
	case prose.Web(target):
		b.WriteString("[" + cmp.Or(d.inline(words), target) + "](" + target + ")")
	case picture:
		b.WriteString("[" + d.inline(cmp.Or(words, "image")) + "]")
	default: // it leads nowhere
		b.WriteString(d.inline(words))
	}
	return start + n
}

// tag writes a "<" so that it begins no tag but a line break. It returns how
// much it read.
func (d dialect) tag(b *strings.Builder, line string) int {
	end := strings.IndexByte(line, '>')
	if end > 0 {
		inner := line[1:end]
		if prose.Web(inner) {
			b.WriteString(inner + " ")
			return end + 1
		}
		if strings.TrimSpace(strings.Trim(strings.ToLower(inner), "/ ")) == "br" && d.headings {
			b.WriteString("<br>")
			return end + 1
		}
	}
	if tagged(line[1:]) {
		b.WriteString(d.less)
	} else {
		b.WriteString("<")
	}
	return 1
}

package dingtalk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/prose"
	"switchboard/internal/webcall"
)

const (
	maxTitle   = 20 // characters; lists show no more
	maxButtons = 5  // of the robot API's largest card
)

// The robot API's templates that are written here.
const (
	keyText       = "sampleText"
	keyMarkdown   = "sampleMarkdown"
	keyActionCard = "sampleActionCard"
)

// message is a content in both of DingTalk's forms.
type message struct {
	webhook    any    // for a session webhook; nil when it cannot carry this
	key, param string // for the robot API; empty when it cannot
}

// mention is who a message in a group is for.
type mention struct {
	id   string // to be highlighted and notified
	name string // to be read
}

func mentionByID(to bridge.Address, here place) mention {
	if to.Kind != bridge.Group || to.User == "" {
		return mention{}
	}
	return mention{id: here.StaffID}
}

// mentionByName is for the robot API, which cannot mention: people see at least
// whom the answer is for.
func mentionByName(to bridge.Address) mention {
	if to.Kind != bridge.Group {
		return mention{}
	}
	return mention{name: to.Name}
}

func (m mention) word() string { return cmp.Or(m.id, m.name) }

func (m mention) at() *webhookAt {
	if m.id == "" {
		return nil
	}
	return &webhookAt{UserIDs: []string{m.id}}
}

// plain puts the mention before a text.
func (m mention) plain(text string) string {
	if m.word() == "" {
		return text
	}
	return "@" + m.word() + " " + text
}

// markdown puts the mention before a text, on a line of its own where the text
// begins with something that has to begin its line.
func (m mention) markdown(text string) string {
	if m.word() != "" && prose.BlockOf(text) != prose.Paragraph {
		return "@" + m.word() + "\n\n" + text
	}
	return m.plain(text)
}

// uploaded is a file that the platform has already.
type uploaded struct {
	media
	id string
}

// render translates a content.
func render(c bridge.Content, who mention, lang bridge.Language) (message, error) {
	switch c := c.(type) {
	case bridge.Text:
		return renderText(c, who)
	case bridge.Markdown:
		return renderMarkdown(c, who, lang)
	case bridge.Card:
		return renderCard(c, who, lang)
	case bridge.News:
		return renderNews(c, who, lang)
	case bridge.Native:
		return renderNative(c)
	default:
		return message{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: opSend, Detail: fmt.Sprintf("no way to show %T", c)}
	}
}

func renderText(c bridge.Text, who mention) (message, error) {
	text := prose.Clean(c.Text)
	if text == "" {
		return message{}, empty()
	}
	text = who.plain(text)
	return pack(
		webhookMessage{Type: "text", Text: &webhookText{text}, At: who.at()},
		keyText, map[string]string{"content": text},
	)
}

// renderMarkdown translates to DingTalk's dialect. A text that would grow too
// long by that is shown as it was written.
func renderMarkdown(c bridge.Markdown, who mention, lang bridge.Language) (message, error) {
	text := prose.Clean(c.Text)
	if text == "" {
		return message{}, empty()
	}
	title := titleOf(c.Title, text, lang)
	m, err := packMarkdown(title, who.markdown(robotDialect().translate(text)), who)
	if bridge.KindOf(err) == bridge.KindTooLarge {
		m, err = packMarkdown(title, who.markdown(text), who)
	}
	return m, err
}

func packMarkdown(title, text string, who mention) (message, error) {
	return pack(
		webhookMessage{Type: "markdown", Markdown: &markdownBody{title, text}, At: who.at()},
		keyMarkdown, map[string]string{"title": title, "text": text},
	)
}

// renderCard shows a card with real buttons if each of them is a link; a click
// of any other kind would never come back to us.
func renderCard(c bridge.Card, who mention, lang bridge.Language) (message, error) {
	if !linksOnly(c.Buttons) {
		return renderMarkdown(bridge.Markdown{Title: c.Title, Text: cardText(c)}, who, lang)
	}
	body := prose.Clean(cardText(bridge.Card{Title: c.Title, Text: c.Text}))
	title := titleOf(c.Title, cmp.Or(body, c.Buttons[0].Text), lang)
	text := who.markdown(robotDialect().translate(cmp.Or(body, title)))
	shown := &actionCard{Title: title, Text: text}
	param := map[string]string{"title": title, "text": text}
	key := keyActionCard
	if len(c.Buttons) == 1 {
		shown.SingleTitle, shown.SingleURL = c.Buttons[0].Text, c.Buttons[0].URL
		param["singleTitle"], param["singleURL"] = shown.SingleTitle, shown.SingleURL
		return pack(webhookMessage{Type: "actionCard", ActionCard: shown, At: who.at()}, key, param)
	}
	shown.Orientation = "0"
	for i, button := range c.Buttons {
		shown.Buttons = append(shown.Buttons, actionButton{button.Text, button.URL})
		param[fmt.Sprintf("actionTitle%d", i+1)] = button.Text
		param[fmt.Sprintf("actionURL%d", i+1)] = button.URL
	}
	return pack(webhookMessage{Type: "actionCard", ActionCard: shown, At: who.at()}, fmt.Sprintf("%s%d", key, len(c.Buttons)), param)
}

func linksOnly(buttons []bridge.Button) bool {
	for _, b := range buttons {
		if b.URL == "" || b.Text == "" {
			return false
		}
	}
	return len(buttons) > 0 && len(buttons) <= maxButtons
}

// cardText writes a card as text, with its buttons as a numbered list.
func cardText(c bridge.Card) string {
	var b strings.Builder
	if c.Title != "" {
		b.WriteString("#### " + prose.OneLine(c.Title) + "\n\n")
	}
	b.WriteString(c.Text)
	for i, button := range c.Buttons {
		if i == 0 {
			b.WriteString("\n\n")
		}
		label := prose.OneLine(button.Text)
		if button.URL != "" {
			label = "[" + cmp.Or(label, button.URL) + "](" + button.URL + ")"
		}
		fmt.Fprintf(&b, "%d. %s\n", i+1, label)
	}
	return b.String()
}

// valueMark begins the values of our own buttons.
const valueMark = "sb:"

// writeValue writes what a button holds, as short as can be: the list of a card's
// buttons has little room, and Chinese is longest where every byte is escaped.
func writeValue(value map[string]string) string {
	escape := strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D").Replace
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(value)) {
		parts = append(parts, escape(name)+"="+escape(value[name]))
	}
	return valueMark + strings.Join(parts, "&")
}

// readValue reads it again. What is not ours is a word.
func readValue(text string) map[string]string {
	rest, ours := strings.CutPrefix(text, valueMark)
	if !ours {
		return map[string]string{"value": prose.Clean(text)}
	}
	value := map[string]string{}
	restore := strings.NewReplacer("%3D", "=", "%26", "&", "%25", "%").Replace
	for part := range strings.SplitSeq(rest, "&") {
		if name, text, found := strings.Cut(part, "="); found {
			value[restore(name)] = prose.Safe(restore(text))
		}
	}
	return value
}

// apart separates the buttons that are links from those that are clicked.
func apart(buttons []bridge.Button) (links, clicks []bridge.Button) {
	for _, b := range buttons {
		if b.URL != "" {
			links = append(links, b)
		} else {
			clicks = append(clicks, b)
		}
	}
	return links, clicks
}

// listOf writes buttons as the template's list wants them.
func listOf(buttons []bridge.Button) (string, error) {
	all := []cardButton{}
	for _, b := range buttons {
		all = append(all, cardButton{cmp.Or(prose.OneLine(b.Text), "…"), writeValue(b.Value)})
	}
	data, err := webcall.JSON(all)
	if err == nil && (len(all) > maxChoices || len(data) > maxVariable) {
		err = &bridge.Error{Kind: bridge.KindTooLarge, Op: opSend, Detail: "too many buttons, or some that hold too much"}
	}
	return string(data), err
}

// noButtons is the list of a card without any.
const noButtons = "[]"

// renderNews shows links with pictures; without mentions, as that type of
// message cannot have them. The robot API knows no such list.
func renderNews(c bridge.News, who mention, lang bridge.Language) (message, error) {
	var list strings.Builder
	feed := &feedCard{}
	pictures := true
	for _, item := range c.Items {
		fmt.Fprintf(&list, "- [%s](%s)", prose.OneLine(cmp.Or(item.Title, item.URL)), item.URL)
		if item.Description != "" {
			list.WriteString(" " + prose.OneLine(item.Description))
		}
		list.WriteString("\n")
		pictures = pictures && item.Picture != "" && item.URL != ""
		feed.Links = append(feed.Links, feedLink{prose.OneLine(cmp.Or(item.Title, item.URL)), item.URL, item.Picture})
	}
	m, err := renderMarkdown(bridge.Markdown{Text: list.String()}, who, lang)
	if err == nil && pictures {
		m.webhook = webhookMessage{Type: "feedCard", FeedCard: feed}
	}
	return m, err
}

// media is a file as the platform takes it.
type media struct {
	kind, name string
	data       []byte
	seconds    int
	url        string // where people find it otherwise
}

// mediaOf returns what has to be uploaded to show a content; false when nothing
// has to.
func mediaOf(c bridge.Content) (media, bool) {
	switch c := c.(type) {
	case bridge.Picture:
		return media{kind: "image", name: jpg(cmp.Or(c.Name, "image.png")), data: c.Data, url: c.URL}, true
	case bridge.Attachment:
		return media{kind: "file", name: cmp.Or(c.Name, "file"), data: c.Data, url: c.URL}, true
	case bridge.Voice:
		return media{kind: "voice", name: cmp.Or(c.Name, "voice.amr"), data: c.Data, seconds: c.Seconds}, true
	default:
		return media{}, false
	}
}

// jpg spells an extension as it stands in the platform's list.
func jpg(name string) string {
	if extension := path.Ext(name); strings.EqualFold(extension, ".jpeg") {
		return strings.TrimSuffix(name, extension) + ".jpg"
	}
	return name
}

// accepted tells whether the platform takes a file of this type and size: the
// upload and the message that shows it both have a list.
func (m media) accepted() bool {
	types := map[string]string{
		"image": ".jpg.gif.png.bmp.", "voice": ".amr.", "file": ".doc.docx.xlsx.zip.pdf.rar.",
	}
	return m.extension() != "" && strings.Contains(types[m.kind], "."+m.extension()+".") && len(m.data) > 0 && len(m.data) <= m.limit()
}

func (m media) limit() int {
	if m.kind == "voice" {
		return 2 << 20
	}
	return 20 << 20
}

func (m media) extension() string { return strings.ToLower(strings.TrimPrefix(path.Ext(m.name), ".")) }

// words name the file where it cannot be shown.
func (m media) words() bridge.Text { return bridge.Text{Text: prose.File(m.name, m.url)} }

// render shows a picture inside a text, which both ways can carry; other files
// only the robot API can.
func (u uploaded) render(who mention) (message, error) {
	param := map[string]string{"mediaId": u.id}
	switch u.kind {
	case "image":
		title := prose.Unmarked(u.name)
		return packMarkdown(cmp.Or(prose.Shorten(title, maxTitle), "-"), who.markdown("!["+title+"]("+u.id+")"), who)
	case "voice":
		param["duration"] = strconv.Itoa(max(u.seconds, 1) * 1000)
		return packRobot("sampleAudio", param)
	default:
		param["fileName"], param["fileType"] = u.name, u.extension()
		return packRobot("sampleFile", param)
	}
}

// renderNative takes a template of the robot API ("sample…") or a type of the
// webhooks as it is.
func renderNative(c bridge.Native) (message, error) {
	if !json.Valid(c.JSON) || c.Type == "" {
		return message{}, &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "the native content is not JSON with a type"}
	}
	if strings.HasPrefix(c.Type, "sample") {
		return message{key: c.Type, param: string(c.JSON)}, nil
	}
	return message{webhook: map[string]any{"msgtype": c.Type, c.Type: json.RawMessage(c.JSON)}}, nil
}

// pack makes a message for both ways and measures it.
func pack(webhook webhookMessage, key string, param map[string]string) (message, error) {
	m, err := packRobot(key, param)
	m.webhook = webhook
	return m, err
}

func packRobot(key string, param map[string]string) (message, error) {
	encoded, err := webcall.JSON(param)
	if err != nil {
		return message{}, &bridge.Error{Kind: bridge.KindInternal, Op: opSend, Err: err}
	}
	if len(encoded) > maxParam {
		return message{}, &bridge.Error{Kind: bridge.KindTooLarge, Op: opSend, Detail: fmt.Sprintf("%d bytes", len(encoded))}
	}
	return message{key: key, param: string(encoded)}, nil
}

func empty() error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "nothing to show"}
}

// titleOf is what lists and notifications show; DingTalk wants one.
func titleOf(title, text string, lang bridge.Language) string {
	return cmp.Or(prose.Summary(title+"\n"+text, maxTitle), i18n.Text(lang, "dingtalk.title"))
}

// dialect is how DingTalk wants Markdown in one kind of message.
type dialect struct {
	lineBreak  string // inside a paragraph, where a single one would vanish
	quoteBreak string
	tables     bool // are shown; otherwise their rows become list items
}

func robotDialect() dialect { return dialect{lineBreak: "  \n  ", quoteBreak: "  \n"} }

func cardDialect() dialect { return dialect{lineBreak: "<br>", quoteBreak: "<br>\n", tables: true} }

// translate writes Markdown as language models write it in the dialect. Code
// stays as it is; blocks of different kinds are set apart by a blank line.
func (d dialect) translate(md string) string {
	w := scribe{d: d}
	lines := strings.Split(md, "\n")
	for len(lines) > 0 {
		lines = lines[w.next(lines):]
	}
	return w.b.String()
}

// scribe writes blocks one after the other.
type scribe struct {
	d    dialect
	b    strings.Builder
	last prose.Block
	gap  bool // a blank line came after last
}

// next writes what stands at the front and returns how many lines that took.
func (w *scribe) next(lines []string) int {
	line := strings.TrimRight(lines[0], " \t")
	kind := prose.BlockOf(line)
	switch {
	case kind == prose.Blank:
		w.gap = true
		return 1
	case kind == prose.Code:
		_, n := prose.CodeBlock(lines)
		w.put(prose.Code, strings.Join(lines[:n], "\n"))
		return n
	case prose.Tabular(lines):
		n := prose.TableLines(lines)
		w.putTable(lines[:n])
		return n
	case kind == prose.Paragraph && w.last == prose.Item && indented(line):
		w.put(prose.Item, w.d.inline(line))
	case kind == prose.Paragraph:
		w.put(prose.Paragraph, w.d.inline(strings.TrimSpace(line)))
	default:
		w.put(kind, w.d.inline(line))
	}
	return 1
}

func (w *scribe) put(kind prose.Block, text string) {
	inside := w.last == prose.Item && kind == prose.Code && indented(text)
	switch {
	case w.last == prose.Blank:
	case w.gap || w.last != kind && !inside:
		w.b.WriteString("\n\n")
	case kind == prose.Paragraph:
		w.b.WriteString(w.d.lineBreak)
	case kind == prose.Quotation:
		w.b.WriteString(w.d.quoteBreak)
	default:
		w.b.WriteString("\n")
	}
	w.b.WriteString(text)
	w.last, w.gap = kind, false
	if inside {
		w.last = prose.Item
	}
}

// putTable writes a table: as it is, or each row as a list item that names the
// columns.
func (w *scribe) putTable(lines []string) {
	if w.d.tables {
		w.put(prose.Table, strings.Join(lines, "\n"))
		return
	}
	names := prose.Cells(lines[0])
	if len(lines) == 2 {
		w.put(prose.Paragraph, strings.Join(names, " · "))
	}
	for _, line := range lines[2:] {
		var parts []string
		for i, cell := range prose.Cells(line) {
			switch {
			case cell == "":
			case i == 0:
				parts = append(parts, "**"+strings.ReplaceAll(cell, "**", "")+"**")
			case i < len(names) && names[i] != "":
				parts = append(parts, names[i]+": "+cell)
			default:
				parts = append(parts, cell)
			}
		}
		w.put(prose.Item, "- "+w.d.inline(strings.Join(parts, " · ")))
	}
}

// inline translates what stands inside a line.
func (d dialect) inline(line string) string {
	line = visibleImages(line)
	if d.tables { // a card; it also knows <br>
		return line
	}
	for _, mark := range []string{"<br>", "<br/>", "<br />"} {
		line = strings.ReplaceAll(line, mark, d.lineBreak)
	}
	for mark, box := range map[string]string{"- [ ] ": "- ☐ ", "- [x] ": "- ☑ ", "- [X] ": "- ☑ "} {
		if s := strings.TrimLeft(line, " "); strings.HasPrefix(s, mark) {
			return line[:len(line)-len(s)] + box + s[len(mark):]
		}
	}
	return line
}

// visibleImages leaves the words of an image that DingTalk could not load: it
// takes public addresses and ids of uploaded pictures.
func visibleImages(line string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, "![")
		alt, after, named := strings.Cut(rest, "](")
		target, tail, closed := strings.Cut(after, ")")
		if !found || !named || !closed {
			b.WriteString(line)
			return b.String()
		}
		b.WriteString(before)
		if prose.Web(target) || strings.HasPrefix(target, "@") {
			b.WriteString("![" + alt + "](" + target + ")")
		} else {
			b.WriteString("[" + cmp.Or(alt, "image") + "]")
		}
		line = tail
	}
}

func indented(s string) bool { return strings.HasPrefix(s, "  ") || strings.HasPrefix(s, "\t") }

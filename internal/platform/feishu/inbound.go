package feishu

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/prose"
)

const (
	chatDirect = "p2p"
	// mentionAll is the placeholder of a mention of everybody.
	mentionAll = "@_all"
	// valueKind is the entry of a button's value in which we keep the kind of
	// chat, because a click does not tell.
	valueKind = "switchboard.chat"
)

// reading is what was found in the content of a message.
type reading struct {
	text  string
	files []bridge.File
	// note says why there is nothing for us; suspect, that there should be.
	note    string
	suspect bool
}

// deliver reads a message event.
func (b *bot) deliver(p push, at time.Time) bridge.Delivery {
	var e messageEvent
	_ = decode(p.Event, &e) // whatever could be read counts
	e.Sender.TenantKey = cmp.Or(e.Sender.TenantKey, p.Header.TenantKey)
	message, r := b.written(e, at)
	if r.note != "" {
		d := note(r.note)
		d.Suspect = r.suspect
		return d
	}
	return bridge.Delivery{Messages: []bridge.Message{message}, Response: answerJSON(struct{}{})}
}

// written reads a message. One that is not for us has a note in its reading.
func (b *bot) written(e messageEvent, at time.Time) (bridge.Message, reading) {
	m, sender := e.Message, e.Sender
	user := cmp.Or(sender.ID.Open, sender.ID.Union, sender.ID.User)
	switch {
	case m.ID == "" || m.ChatID == "":
		return bridge.Message{}, reading{note: "a message without an id or a chat", suspect: true}
	case sender.Type != "user" && sender.Type != "":
		return bridge.Message{}, reading{note: "a message of a " + cmp.Or(prose.Label(sender.Type), "machine")}
	case user == "":
		return bridge.Message{}, reading{note: "a message without a sender", suspect: true}
	}
	ours := b.mentionsOfUs(m.Mentions)
	if m.ChatType != chatDirect && len(ours) == 0 {
		return bridge.Message{}, reading{note: "a group message that does not mention the bot"}
	}
	r := read(m, ours)
	if r.note != "" {
		return bridge.Message{}, r
	}
	message := bridge.Message{
		ID: bridge.MessageID(m.ID), Bot: b.cfg.id, Platform: platform,
		Chat:   bridge.Chat{ID: m.ChatID, Kind: kindOfChat(m.ChatType), Thread: m.ThreadID},
		Sender: personOf(sender.ID, sender.TenantKey),
		SentAt: moment(m.CreatedAt, at), Text: r.text, Files: r.files, QuoteID: bridge.MessageID(m.ParentID),
	}
	message.Files = of(message.ID, message.Files)
	message.Address = b.address(message.Chat, message.Sender, message.ID)
	return message, r
}

// of notes the message that files came in: they are fetched by both.
func of(message bridge.MessageID, files []bridge.File) []bridge.File {
	for i := range files {
		files[i].Message = message
	}
	return files
}

// address says where the answer goes.
func (b *bot) address(chat bridge.Chat, who bridge.Sender, to bridge.MessageID) bridge.Address {
	return bridge.Address{
		Bot: b.cfg.id, Chat: chat.ID, Kind: chat.Kind, User: who.ID, Name: who.Name, Thread: chat.Thread, ReplyTo: to,
	}
}

func kindOfChat(chatType string) bridge.ChatKind {
	if chatType == chatDirect {
		return bridge.Direct
	}
	return bridge.Group
}

// personOf names a person by the id that this app knows them by; the others are
// aliases.
func personOf(ids userIDs, tenant string) bridge.Sender {
	s := bridge.Sender{ID: bridge.UserID(cmp.Or(ids.Open, ids.Union, ids.User)), Tenant: tenant, Alias: map[string]string{}}
	for name, id := range map[string]string{"union_id": ids.Union, "user_id": ids.User} {
		if id != "" {
			s.Alias[name] = id
		}
	}
	return s
}

// mentionsOfUs returns the placeholders that stand for the bot. Until the bot
// knows its own id it takes the first mention of a bot for its own: without the
// right to read everything, an app is delivered no other group messages.
func (b *bot) mentionsOfUs(mentions []mention) []string {
	self := b.client.self()
	var ours []string
	for _, m := range mentions {
		switch {
		case m.Key == "" || m.Key == mentionAll || m.Type == "user":
		case self == "" && len(ours) == 0, self != "" && m.ID.Open == self:
			ours = append(ours, m.Key)
		}
	}
	if self == "" && len(mentions) > 0 {
		b.client.wantSelf()
	}
	return ours
}

// names replaces placeholders by names; the bot's own vanish.
func names(mentions []mention, ours []string) *strings.Replacer {
	pairs := []string{}
	sorted := slices.Clone(mentions)
	slices.SortStableFunc(sorted, func(a, b mention) int { return len(b.Key) - len(a.Key) }) // @_user_10 before @_user_1
	for _, m := range sorted {
		switch {
		case m.Key == "" || m.Key == mentionAll:
		case slices.Contains(ours, m.Key):
			pairs = append(pairs, m.Key+" ", "", m.Key, "")
		default:
			pairs = append(pairs, m.Key, "@"+prose.OneLine(m.Name))
		}
	}
	return strings.NewReplacer(append(pairs, mentionAll, "@all")...)
}

// read reads the content by the type of the message.
func read(m pushMessage, ours []string) reading {
	var c pushContent
	switch {
	case m.Type == "":
		return reading{note: "a message without a type", suspect: true}
	case m.Content == "":
		return reading{note: "a message that was recalled meanwhile"}
	case !decode([]byte(m.Content), &c):
		return reading{note: "a message of type " + prose.Label(m.Type) + " whose content is not JSON", suspect: true}
	}
	r := readType(m, c, names(m.Mentions, ours))
	if r.note == "" && r.text == "" && len(r.files) == 0 && m.ParentID == "" {
		return reading{note: "an empty message"}
	}
	return r
}

func readType(m pushMessage, c pushContent, who *strings.Replacer) reading {
	switch m.Type {
	case "text":
		return reading{text: prose.Clean(who.Replace(c.Text))}
	case "post", "interactive":
		return readRich([]byte(m.Content), c, who)
	case "image":
		return readFile(bridge.File{Kind: bridge.FileImage, ID: c.ImageKey})
	case "file":
		return readFile(bridge.File{Kind: bridge.FileOther, ID: c.FileKey, Name: prose.OneLine(c.FileName)})
	case "audio":
		return readFile(bridge.File{Kind: bridge.FileAudio, ID: c.FileKey, Duration: milliseconds(c.Duration)})
	case "media":
		return readFile(bridge.File{Kind: bridge.FileVideo, ID: c.FileKey, Name: prose.OneLine(c.FileName), Duration: milliseconds(c.Duration)})
	case "location":
		return reading{text: readLocation(c)}
	default: // a sticker, a folder, a forwarded chat: nothing of it can be fetched
		return reading{note: "unsupported message type " + prose.Label(m.Type)}
	}
}

func readFile(f bridge.File) reading {
	if f.ID == "" {
		return reading{note: "a message of type " + string(f.Kind) + " without a key", suspect: true}
	}
	return reading{files: []bridge.File{f}}
}

// readLocation writes a place so that people and agents alike can use it.
func readLocation(c pushContent) string {
	at := strings.Trim(string(c.Latitude)+", "+string(c.Longitude), ", ")
	name := prose.OneLine(c.Name)
	switch {
	case name == "" && at == "":
		return ""
	case name == "":
		return "📍 " + at
	case at == "":
		return "📍 " + name
	default:
		return "📍 " + name + " (" + at + ")"
	}
}

// readRich writes a rich text, or what is told of a card, as Markdown.
func readRich(raw []byte, c pushContent, who *strings.Replacer) reading {
	if len(c.Content) == 0 && len(c.Elements) == 0 {
		c = inLanguage(raw)
	}
	var paragraphs [][]node
	if !decode(c.Content, &paragraphs) {
		_ = decode(c.Elements, &paragraphs) // one without either is empty
	}
	var r reading
	var lines []string
	if title := prose.OneLine(c.Title); title != "" {
		lines = append(lines, "**"+title+"**")
	}
	for _, paragraph := range paragraphs {
		var line strings.Builder
		for _, n := range paragraph {
			line.WriteString(n.markdown(who))
			if f, ok := n.file(); ok {
				r.files = append(r.files, f)
			}
		}
		lines = append(lines, line.String())
	}
	r.text = prose.Clean(strings.Join(lines, "\n"))
	return r
}

// inLanguage finds the content one level further down, where what is sent (but
// not what is received) has the name of a language.
func inLanguage(raw []byte) pushContent {
	var c pushContent
	var languages map[string]json.RawMessage
	if json.Unmarshal(raw, &languages) != nil {
		return c
	}
	for _, name := range []string{"zh_cn", "en_us", "ja_jp", "content_v2"} {
		if decode(languages[name], &c) && len(c.Content) > 0 {
			return c
		}
	}
	return c
}

// markdown writes one piece of a rich text.
func (n node) markdown(who *strings.Replacer) string {
	switch n.Tag {
	case "text", "md", "plain_text", "lark_md", "markdown", "button":
		return styled(who.Replace(n.Text), n.Style)
	case "a":
		return "[" + prose.OneLine(cmp.Or(n.Text, n.Href)) + "](" + prose.OneLine(n.Href) + ")"
	case "at":
		if name := who.Replace(n.UserID); name != n.UserID {
			return name
		}
		return "@" + prose.OneLine(cmp.Or(n.UserName, n.UserID))
	case "emotion":
		return "[" + prose.Label(n.Emoji) + "]"
	case "hr":
		return "---"
	case "code_block":
		return "```" + strings.ToLower(prose.Label(n.Language)) + "\n" + strings.TrimRight(n.Text, "\n") + "\n```"
	default:
		return ""
	}
}

// styled puts the marks of Markdown around a text, inside its blanks.
func styled(text string, styles []string) string {
	marks := map[string]string{"bold": "**", "italic": "*", "lineThrough": "~~"}
	inner := strings.TrimSpace(text)
	if inner == "" {
		return text
	}
	before, after, _ := strings.Cut(text, inner)
	for _, style := range styles {
		inner = marks[style] + inner + marks[style]
	}
	return before + inner + after
}

// file is the picture or video in a rich text.
func (n node) file() (bridge.File, bool) {
	switch {
	case n.Tag == "img" && n.ImageKey != "":
		return bridge.File{Kind: bridge.FileImage, ID: n.ImageKey}, true
	case n.Tag == "media" && n.FileKey != "":
		return bridge.File{Kind: bridge.FileVideo, ID: n.FileKey}, true
	default:
		return bridge.File{}, false
	}
}

// click reads a click on a button of ours.
func (b *bot) click(p push, at time.Time) bridge.Delivery {
	var e clickEvent
	_ = decode(p.Event, &e) // whatever could be read counts
	who := personOf(e.Operator.userIDs, cmp.Or(e.Operator.TenantKey, p.Header.TenantKey))
	if p.Header.ID == "" || who.ID == "" || e.Context.ChatID == "" {
		return suspect("a click without an id, a person or a chat")
	}
	value := valueOf(e.Action.Value)
	chat := bridge.Chat{ID: e.Context.ChatID, Kind: bridge.ChatKind(value[valueKind])}
	if chat.Kind != bridge.Direct {
		chat.Kind = bridge.Group // whatever is said is then said as a reply
	}
	delete(value, valueKind)
	message := bridge.MessageID(e.Context.MessageID)
	a := b.action(p, bridge.ActionButton, chat, who, at)
	a.Message, a.Value, a.Address.ReplyTo = message, value, message
	return bridge.Delivery{Actions: []bridge.Action{a}, Response: answerJSON(noticed())}
}

// noticed tells at once that a click was heard, in the language of the client:
// until something can be seen of it people would click again.
func noticed() toasted {
	say := func(lang bridge.Language) string { return i18n.Text(lang, "feishu.clicked") }
	var t toasted
	t.Toast.Type, t.Toast.Content = "info", say(bridge.English)
	t.Toast.Words = map[string]string{"zh_cn": say(bridge.Chinese), "en_us": say(bridge.English)}
	return t
}

// valueOf reads the value of a button: an object, if the button is ours, or one
// word.
func valueOf(raw json.RawMessage) map[string]string {
	value := map[string]string{}
	var entries map[string]loose
	if json.Unmarshal(raw, &entries) != nil {
		var word loose
		_ = word.UnmarshalJSON(raw) // accepts everything
		return map[string]string{"value": string(word)}
	}
	for key, entry := range entries {
		value[key] = string(entry)
	}
	return value
}

// happened reads what somebody did with the bot.
func (b *bot) happened(p push, at time.Time) bridge.Delivery {
	var e chatEvent
	_ = decode(p.Event, &e) // whatever could be read counts
	who := personOf(e.Operator, cmp.Or(e.TenantKey, p.Header.TenantKey))
	chat := bridge.Chat{ID: e.ChatID, Kind: bridge.Direct}
	var a bridge.Action
	switch p.Header.Type {
	case eventEntered:
		if e.LastMessage != "" {
			return note("a person opened the chat again")
		}
		a = b.action(p, bridge.ActionEntered, chat, who, at)
	case eventMenu: // names no chat: the person is where to answer
		who = personOf(e.Menu.ID, p.Header.TenantKey)
		chat.ID = string(who.ID)
		a = b.action(p, bridge.ActionMenu, chat, who, at)
		a.Value = map[string]string{bridge.ValueDo: prose.Clean(e.Key)}
	default:
		chat.Kind, chat.Title = bridge.Group, prose.OneLine(e.Name)
		kind := bridge.ActionJoined
		if p.Header.Type == eventLeft {
			kind = bridge.ActionLeft
		}
		a = b.action(p, kind, chat, who, at)
	}
	if a.ID == "" || chat.ID == "" || who.ID == "" {
		return suspect("event " + prose.Label(p.Header.Type) + " without an id, a person or a chat")
	}
	return bridge.Delivery{Actions: []bridge.Action{a}, Response: answerJSON(struct{}{})}
}

func (b *bot) action(p push, kind bridge.ActionKind, chat bridge.Chat, who bridge.Sender, at time.Time) bridge.Action {
	return bridge.Action{
		ID: p.Header.ID, Bot: b.cfg.id, Platform: platform, Kind: kind, Chat: chat, Sender: who,
		At: moment(p.Header.CreatedAt, at), Address: b.address(chat, who, ""),
	}
}

// UnmarshalJSON implements json.Unmarshaler; it accepts everything.
func (l *loose) UnmarshalJSON(data []byte) error {
	*l = ""
	var s string
	switch {
	case bytes.HasPrefix(data, []byte(`"`)):
		if json.Unmarshal(data, &s) == nil {
			*l = loose(prose.Clean(s))
		}
	case len(data) > 0 && data[0] != '{' && data[0] != '[' && string(data) != "null":
		*l = loose(data)
	}
	return nil
}

// number reads a whole number; anything else is 0.
func number(l loose) int64 {
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// moment reads a time in milliseconds or, in events about cards, microseconds;
// what cannot be either is the fallback.
func moment(l loose, fallback time.Time) time.Time {
	const year2000, year2200 = 946684800000, 7258118400000
	ms := number(l)
	if ms > year2200 {
		ms /= 1000
	}
	if ms < year2000 || ms > year2200 {
		return fallback
	}
	return time.UnixMilli(ms).UTC()
}

func milliseconds(l loose) time.Duration {
	return time.Duration(min(max(number(l), 0), math.MaxInt32)) * time.Millisecond
}

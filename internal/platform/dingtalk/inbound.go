package dingtalk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

// reading is what was found in the content of a message.
type reading struct {
	text  string
	files []bridge.File
	quote string
	// note says why there is nothing for us; suspect, that there should be.
	note    string
	suspect bool
}

// message reads a push. The reading has a note when it carries no message.
func (b *bot) message(ctx context.Context, p push, at time.Time) (bridge.Message, reading) {
	sender := cmp.Or(p.SenderStaffID, p.SenderID)
	chat := cmp.Or(p.ConversationID, sender)
	switch {
	case p.ID == "":
		return bridge.Message{}, reading{note: "a message without an id", suspect: true}
	case sender == "":
		return bridge.Message{}, reading{note: "a message without a sender", suspect: true}
	case p.group() && p.ConversationID == "":
		return bridge.Message{}, reading{note: "a group message without a conversation", suspect: true}
	case p.group() && !p.mentionsUs():
		return bridge.Message{}, reading{note: "a group message that does not mention the bot"}
	}
	r := read(p)
	if r.note != "" {
		return bridge.Message{}, r
	}
	m := bridge.Message{
		ID: bridge.MessageID(p.ID), Bot: b.cfg.id, Platform: platform,
		Chat:   bridge.Chat{ID: string(chat), Kind: p.kind(), Title: clean(p.ConversationTitle)},
		Sender: p.sender(), SentAt: moment(p.CreatedAt, at), Text: r.text, Files: r.files, Quote: r.quote,
	}
	for i := range m.Files {
		m.Files[i].Message = m.ID
	}
	m.Address = b.address(ctx, p, m)
	return m, r
}

// address says where the answer goes.
func (b *bot) address(ctx context.Context, p push, m bridge.Message) bridge.Address {
	here := place{
		ConversationID: m.Chat.ID, ConversationType: conversationDirect, StaffID: string(p.SenderStaffID),
	}
	if p.group() {
		here.ConversationType = conversationGroup
	}
	if here.StaffID == "" {
		here.SenderID = string(p.SenderID)
	}
	to := bridge.Address{Bot: b.cfg.id, Chat: m.Chat.ID, Kind: m.Chat.Kind, User: m.Sender.ID, Name: m.Sender.Name, ReplyTo: m.ID}
	switch webhook := string(p.Webhook); {
	case webhook == "":
	case b.cfg.trusts(webhook):
		here.Webhook = webhook
		to.Expires = moment(p.WebhookExpires, time.Time{})
	default:
		b.log.LogAttrs(ctx, slog.LevelWarn, "a session webhook of a foreign host is not used", slog.String("message_id", string(m.ID)))
	}
	to.Data = here.encode()
	return to
}

func (p push) group() bool { return p.ConversationType == conversationGroup }

func (p push) kind() bridge.ChatKind {
	if p.group() {
		return bridge.Group
	}
	return bridge.Direct
}

// mentionsUs is for certainty: DingTalk delivers no other group messages. Only
// a clear "no" counts.
func (p push) mentionsUs() bool {
	if p.Mentioned != "false" {
		return true
	}
	for _, m := range p.Mentions {
		if m.ID != "" && m.ID == p.RobotUserID {
			return true
		}
	}
	return false
}

func (p push) sender() bridge.Sender {
	s := bridge.Sender{
		ID:     bridge.UserID(cmp.Or(p.SenderStaffID, p.SenderID)),
		Tenant: string(cmp.Or(p.RobotCorpID, p.SenderCorpID)),
		Name:   clean(p.SenderNick),
		Alias:  map[string]string{},
	}
	for name, id := range map[string]loose{"senderId": p.SenderID, "unionId": p.SenderUnionID} {
		if id != "" {
			s.Alias[name] = string(id)
		}
	}
	return s
}

// read reads the content by the type of the message.
func read(p push) reading {
	text, content := contentOf(p.Text), contentOf(p.Content)
	r := readType(p, text, content)
	if r.note != "" {
		return r
	}
	r.quote = quote(text.Replied, content.Replied, p.Quote)
	if r.text == "" && len(r.files) == 0 && r.quote == "" {
		return reading{note: "an empty message"}
	}
	return r
}

func readType(p push, text, content pushContent) reading {
	switch p.Type {
	case "text":
		return reading{text: clean(cmp.Or(text.Content, content.Content))}
	case "richText":
		return readRich(first2(content.RichText, text.RichText))
	case "picture":
		return readFile(bridge.FileImage, content, "")
	case "audio":
		return readFile(bridge.FileAudio, content, "")
	case "video":
		name := ""
		if kind := prose.Label(string(content.VideoType)); kind != "" {
			name = "video." + kind
		}
		return readFile(bridge.FileVideo, content, name)
	case "file":
		return readFile(bridge.FileOther, content, clean(content.FileName))
	case "":
		return reading{note: "a message without a type", suspect: true}
	default:
		return reading{note: "unsupported message type " + prose.Label(string(cmp.Or(content.UnknownType, p.Type)))}
	}
}

// readRich puts the pieces of a rich text together.
func readRich(parts []richPart) reading {
	var r reading
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(string(part.Text))
		if code := cmp.Or(part.DownloadCode, part.PictureDownloadCode); code != "" {
			r.files = append(r.files, bridge.File{Kind: bridge.FileImage, ID: string(code)})
		}
	}
	r.text = clean(loose(text.String()))
	return r
}

func readFile(kind bridge.FileKind, c pushContent, name string) reading {
	f := bridge.File{Kind: kind, ID: string(cmp.Or(c.DownloadCode, c.PictureDownloadCode)), Name: name, Text: clean(c.Recognition)}
	if f.ID == "" && f.Text == "" {
		return reading{note: "a message of type " + string(kind) + " without a download code", suspect: true}
	}
	if f.ID == "" {
		return reading{text: f.Text}
	}
	if kind == bridge.FileAudio { // the unit of a video's length is not documented
		f.Duration = time.Duration(min(max(number(c.Duration), 0), math.MaxInt32)) * time.Millisecond
	}
	return reading{text: f.Text, files: []bridge.File{f}}
}

// quote returns the words of the message that this one answers.
func quote(candidates ...*quoted) string {
	for _, q := range candidates {
		if q == nil {
			continue
		}
		for _, raw := range []json.RawMessage{q.Content, q.Text} {
			if s := quotedText(raw); s != "" {
				return s
			}
		}
	}
	return ""
}

func quotedText(raw json.RawMessage) string {
	var c quotedContent
	if s, ok := jsonString(raw); ok {
		return clean(loose(s))
	}
	if !decode(raw, &c) {
		return ""
	}
	var text strings.Builder
	text.WriteString(string(cmp.Or(c.Text, c.Content)))
	for _, part := range c.RichText {
		text.WriteString(string(cmp.Or(part.Text, part.Content)))
	}
	return clean(loose(text.String()))
}

// contentOf reads a content that should be an object but may be a string.
func contentOf(raw json.RawMessage) pushContent {
	var c pushContent
	if s, ok := jsonString(raw); ok {
		return pushContent{Content: loose(s)}
	}
	_ = decode(raw, &c) // whatever could be read counts
	return c
}

// jsonString reads a value that is known to be JSON, if it is a string. Most have
// nothing in them that stands for something else.
func jsonString(raw json.RawMessage) (string, bool) {
	if !bytes.HasPrefix(raw, []byte(`"`)) {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}

// UnmarshalJSON implements json.Unmarshaler; it accepts everything.
func (l *loose) UnmarshalJSON(data []byte) error {
	*l = ""
	if s, ok := jsonString(data); ok {
		*l = loose(prose.Safe(s))
	} else if len(data) > 0 && data[0] != '{' && data[0] != '[' && string(data) != "null" {
		*l = loose(data)
	}
	return nil
}

// number reads a whole number; anything else is 0.
func number(l loose) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(string(l)), 10, 64)
	if err == nil {
		return n
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(string(l)), 64) // 1.7E12
	if err != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt64/2 {
		return 0
	}
	return int64(f)
}

// moment reads a time in milliseconds; what cannot be one is the fallback.
func moment(l loose, fallback time.Time) time.Time {
	const year2000, year2200 = 946684800000, 7258118400000
	ms := number(l)
	if ms < year2000 || ms > year2200 {
		return fallback
	}
	return time.UnixMilli(ms).UTC()
}

// clean trims a text that people wrote.
func clean(l loose) string { return prose.Clean(string(l)) }

// first2 returns the first list that is not empty.
func first2(a, b []richPart) []richPart {
	if len(a) > 0 {
		return a
	}
	return b
}

// click reads a click on a button. Its time is a part of its id: the same button
// may be clicked again.
func (b *bot) click(p clickPush, stamp string, at time.Time) bridge.Delivery {
	user, chat := string(p.UserID), bridge.Chat{ID: string(p.UserID), Kind: bridge.Direct}
	if strings.Contains(strings.ToUpper(string(p.SpaceType)), "GROUP") {
		chat = bridge.Chat{ID: string(p.SpaceID), Kind: bridge.Group}
	}
	value, ok := clicked(p)
	switch {
	case user == "" || p.OutTrackID == "" || chat.ID == "" || p.UserIDType != "" && p.UserIDType != "1":
		return bridge.Delivery{Response: unchanged(), Note: "a click without a card, a person or a chat", Suspect: true}
	case !ok:
		return bridge.Delivery{Response: unchanged(), Note: "a click that tells no value", Suspect: true}
	}
	here := place{ConversationType: conversationDirect, StaffID: user}
	if chat.Kind == bridge.Group {
		here.ConversationType, here.ConversationID = conversationGroup, chat.ID
	}
	return bridge.Delivery{Response: unchanged(), Actions: []bridge.Action{{
		ID:  strings.Join([]string{string(p.OutTrackID), user, stamp, digest(value)}, "|"),
		Bot: b.cfg.id, Platform: platform, Kind: bridge.ActionButton, Chat: chat,
		Sender: bridge.Sender{ID: bridge.UserID(user), Tenant: string(p.CorpID)},
		At:     moment(loose(stamp), at), Value: readValue(value),
		Address: bridge.Address{Bot: b.cfg.id, Chat: chat.ID, Kind: chat.Kind, User: bridge.UserID(user), Data: here.encode()},
	}}}
}

// clicked finds the value of the button: the parameter "value" that the template
// gives back, or else the name of the button itself.
func clicked(p clickPush) (string, bool) {
	for _, raw := range []json.RawMessage{p.Content, p.Value, p.ActionData} {
		if s, ok := jsonString(raw); ok {
			raw = json.RawMessage(s)
		}
		var c clickContent
		if len(raw) == 0 || !decode(raw, &c) {
			continue
		}
		for _, params := range []map[string]loose{c.Private.Params, c.Params} {
			if value := params["value"]; value != "" {
				return string(value), true
			}
		}
		if ids := c.Private.ActionIDs; len(ids) > 0 && ids[0] != "" {
			return string(ids[0]), true
		}
	}
	return "", false
}

// encode makes the stored form.
func (p place) encode() json.RawMessage {
	data, err := json.Marshal(p)
	if err != nil {
		return nil // strings and one pointer always encode
	}
	return data
}

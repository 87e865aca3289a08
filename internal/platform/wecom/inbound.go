package wecom

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

// systemUser is the sender of what nobody wrote.
const systemUser = "sys"

// eventButton is the event of a click on a button.
const eventButton = "template_card_event"

// deliver turns a push into what it carried.
func (b *bot) deliver(p push, at time.Time) bridge.Delivery {
	user := strings.TrimSpace(p.FromUser)
	kind := strings.TrimSpace(p.Type)
	switch {
	case kind == "":
		return suspect("a message without a type")
	case user == systemUser:
		return bridge.Delivery{Note: "a message from the system"}
	case kind == "event":
		return b.event(p, at)
	case user == "":
		return suspect("a message without a sender")
	case strings.TrimSpace(p.ID) == "":
		return suspect("a message without an id")
	}
	r := read(p)
	if r.note != "" {
		return bridge.Delivery{Note: r.note, Suspect: r.suspect}
	}
	m := bridge.Message{
		ID: bridge.MessageID(strings.TrimSpace(p.ID)), Bot: b.cfg.id, Platform: platform,
		Chat: chat(user), Sender: b.sender(user), SentAt: moment(p.CreateTime, at),
		Text: r.text, Files: r.files, Address: b.address(user),
	}
	m.Address.ReplyTo = m.ID
	for i := range m.Files {
		m.Files[i].Message = m.ID
	}
	return bridge.Delivery{Messages: []bridge.Message{m}}
}

// chat is the talk of one member with the app; apps know no others.
func chat(user string) bridge.Chat { return bridge.Chat{ID: user, Kind: bridge.Direct} }

func (b *bot) sender(user string) bridge.Sender {
	return bridge.Sender{ID: bridge.UserID(user), Tenant: b.cfg.corpID}
}

func (b *bot) address(user string) bridge.Address {
	return bridge.Address{Bot: b.cfg.id, Chat: user, Kind: bridge.Direct, User: bridge.UserID(user)}
}

// reading is what was found in the content of a message.
type reading struct {
	text  string
	files []bridge.File
	// note says why there is nothing for us; suspect, that there should be.
	note    string
	suspect bool
}

// read reads the content by the type of the message. Files are undocumented but
// do come (page 90239 knows the other types).
func read(p push) reading {
	switch kind := strings.TrimSpace(p.Type); kind {
	case "text":
		return readText(prose.Clean(p.Content))
	case "image":
		return readFile(p, bridge.FileImage, "")
	case "voice":
		return readFile(p, bridge.FileAudio, "voice."+cmp.Or(prose.Label(p.Format), "amr"))
	case "video":
		return readFile(p, bridge.FileVideo, "")
	case "file":
		return readFile(p, bridge.FileOther, prose.OneLine(p.FileName))
	case "location":
		return readLocation(p)
	case "link":
		return readLink(p)
	default:
		return reading{note: "unsupported message type " + prose.Label(kind)}
	}
}

func readText(text string) reading {
	if text == "" {
		return reading{note: "an empty message"}
	}
	return reading{text: text}
}

func readFile(p push, kind bridge.FileKind, name string) reading {
	id := strings.TrimSpace(p.MediaID)
	if id == "" {
		return reading{note: "a message of type " + string(kind) + " without a media id", suspect: true}
	}
	return reading{files: []bridge.File{{Kind: kind, ID: id, Name: name}}}
}

// readLocation writes a place so that people and agents alike can use it.
func readLocation(p push) reading {
	place, x, y := prose.OneLine(p.Label), number(p.LocationX), number(p.LocationY)
	switch {
	case x == "" || y == "":
		return readText(place)
	case place == "":
		return readText("📍 " + x + ", " + y)
	default:
		return readText("📍 " + place + " (" + x + ", " + y + ")")
	}
}

// number keeps a text that is a decimal number.
func number(s string) string {
	s = strings.TrimSpace(s)
	if _, err := strconv.ParseFloat(s, 64); err != nil || strings.Trim(s, "0123456789.-") != "" {
		return ""
	}
	return s
}

func readLink(p push) reading {
	title, address := prose.OneLine(p.Title), prose.OneLine(p.URL)
	switch {
	case address == "":
		return readText(prose.Clean(p.Title + "\n" + p.Description))
	case title == "":
		title = address
	}
	return readText(prose.Clean("[" + title + "](" + address + ")\n" + p.Description))
}

// event turns an event into an action, where it is one for us.
func (b *bot) event(p push, at time.Time) bridge.Delivery {
	name, user := strings.TrimSpace(p.Event), strings.TrimSpace(p.FromUser)
	a := bridge.Action{
		ID: actionID(p), Bot: b.cfg.id, Platform: platform, Chat: chat(user), Sender: b.sender(user),
		At: moment(p.CreateTime, at), Address: b.address(user),
	}
	switch name {
	case "enter_agent", "subscribe":
		a.Kind = bridge.ActionEntered
	case "click":
		a.Kind = bridge.ActionMenu
		a.Value = map[string]string{bridge.ValueDo: prose.Clean(p.EventKey)}
	case eventButton:
		a.Kind = bridge.ActionButton
		a.Value, _ = readKey(p.EventKey)
	default:
		return bridge.Delivery{Note: "event " + cmp.Or(prose.Label(name), "without a name")}
	}
	if user == "" {
		return suspect("event " + name + " without a sender")
	}
	return bridge.Delivery{Actions: []bridge.Action{a}}
}

// actionID makes an id for an event, which has none of its own: the documented
// pair of sender and time, and what tells two events of one second apart. The key
// of a button is long.
func actionID(p push) string {
	key := strings.TrimSpace(p.EventKey)
	if strings.TrimSpace(p.Event) == eventButton {
		key = strings.TrimSpace(p.TaskID) + "|" + digest(key)
	}
	return strings.Join([]string{strings.TrimSpace(p.FromUser), strings.TrimSpace(p.CreateTime), strings.TrimSpace(p.Event), key}, "|")
}

// keyMark begins the keys of our own buttons.
const keyMark = "sb@"

// buttonKey is what the key of a button holds: its value, and its words, to be
// shown as what was chosen.
type buttonKey struct {
	Value map[string]string `json:"v"`
	Words string            `json:"w"`
}

// encode writes the key in the letters that all of WeCom's keys may have.
func (k buttonKey) encode() string {
	data, err := json.Marshal(k)
	if err != nil {
		return "" // words always encode
	}
	return keyMark + base64.RawURLEncoding.EncodeToString(data)
}

// readKey reads the key of a button. Of a card that is not ours, it is a word.
func readKey(key string) (value map[string]string, words string) {
	key = strings.TrimSpace(key)
	code, ours := strings.CutPrefix(key, keyMark)
	data, err := base64.RawURLEncoding.DecodeString(code)
	var k buttonKey
	if !ours || err != nil || json.Unmarshal(data, &k) != nil || k.Words == "" {
		return map[string]string{"value": prose.Clean(key)}, ""
	}
	value = map[string]string{}
	for name, text := range k.Value {
		value[prose.Safe(name)] = prose.Safe(text)
	}
	return value, prose.OneLine(k.Words)
}

// moment reads a time in seconds; what cannot be one is the fallback.
func moment(s string, fallback time.Time) time.Time {
	const year2000, year2200 = 946684800, 7258118400
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < year2000 || n > year2200 {
		return fallback
	}
	return time.Unix(n, 0).UTC()
}

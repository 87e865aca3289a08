package send

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// sentAtMost is how many sends are remembered.
const sentAtMost = 20

// Draft is what the admin is writing, and what was sent. It outlives the page,
// which is built anew with another language. The zero Draft is empty.
type Draft struct {
	bot  string
	to   bridge.Receiver
	kind bridge.ContentKind

	text, title string
	buttons     []bridge.Button
	file        file
	native      string // the platform's JSON
	nativeType  string

	// key names the next send. It stays the same until that worked or something
	// else is sent, so that trying again never shows it twice.
	key  string
	done bool // sent as it is
	sent []*item
	busy bool  // something is being sent
	page *Page // the one that shows it now
}

// file is what was chosen to be sent.
type file struct {
	name string
	data []byte
}

// item is one send of this window.
type item struct {
	at       time.Time
	to, bot  string
	platform bridge.Platform
	kind     bridge.ContentKind
	sent     bridge.Sent
	err      error
	gone     bool // taken back
}

// kinds are the kinds of content that can be written here.
func kinds() []bridge.ContentKind {
	return []bridge.ContentKind{
		bridge.ContentText, bridge.ContentMarkdown, bridge.ContentCard, bridge.ContentPicture, bridge.ContentFile, bridge.ContentNative,
	}
}

func (d *Draft) chosen() bridge.ContentKind {
	if slices.Contains(kinds(), d.kind) {
		return d.kind
	}
	return bridge.ContentText
}

// changed is called whenever something else would be sent.
func (d *Draft) changed() { d.key, d.done = "", false }

// receives says that somebody was chosen.
func (d *Draft) receives() bool { return d.to.Person != "" || d.to.Chat != "" }

// content is what would be sent.
func (d *Draft) content() bridge.Content {
	switch d.chosen() { //nolint:exhaustive // the others cannot be written here
	case bridge.ContentMarkdown:
		return bridge.Markdown{Text: d.text}
	case bridge.ContentCard:
		c := bridge.Card{Title: strings.TrimSpace(d.title), Text: d.text}
		for _, b := range d.buttons {
			b.Text, b.URL = strings.TrimSpace(b.Text), strings.TrimSpace(b.URL)
			if b.Text != "" || b.URL != "" { // a row that was only added
				c.Buttons = append(c.Buttons, b)
			}
		}
		return c
	case bridge.ContentPicture:
		return bridge.Picture{Name: d.file.name, Data: d.file.data}
	case bridge.ContentFile:
		return bridge.Attachment{Name: d.file.name, Data: d.file.data}
	case bridge.ContentNative:
		return bridge.Native{Type: strings.TrimSpace(d.nativeType), JSON: []byte(d.native)}
	default:
		return bridge.Text{Text: d.text}
	}
}

// empty says that nothing was written yet.
func (d *Draft) empty() bool {
	switch d.chosen() { //nolint:exhaustive // the others are texts
	case bridge.ContentCard:
		return strings.TrimSpace(d.text+d.title) == ""
	case bridge.ContentPicture, bridge.ContentFile:
		return len(d.file.data) == 0
	case bridge.ContentNative:
		return strings.TrimSpace(d.native) == ""
	default:
		return strings.TrimSpace(d.text) == ""
	}
}

// sending is what would be sent, to whom and with which bot.
func (d *Draft) sending() bridge.Sending {
	return bridge.Sending{Key: d.key, Bot: d.bot, Person: d.to.Person, Chat: d.to.Chat, Kind: d.to.Kind, Content: d.content()}
}

// ready is sending with a key of its own.
func (d *Draft) ready() bridge.Sending {
	if d.key == "" || d.done {
		d.key, d.done = rand.Text(), false
	}
	return d.sending()
}

func (d *Draft) clear() {
	d.text, d.title, d.native, d.nativeType = "", "", "", ""
	d.buttons, d.file = nil, file{}
	d.changed()
}

func (d *Draft) remember(i *item) {
	d.sent = slices.Insert(d.sent, 0, i)
	d.sent = d.sent[:min(len(d.sent), sentAtMost)]
}

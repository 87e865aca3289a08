package feishu

import (
	"encoding/json"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	// maxCard and maxTextMessage limit a request that sends a card or a rich text,
	// and a text (message/create: 30 KB and 150 KB), less what stands around the
	// content in it. The content is JSON inside JSON, so some characters take four
	// bytes.
	maxCard, maxTextMessage = 30_000, 150_000
	// reserved is the room that a card leaves for being sent another way.
	reserved = 1000
	// maxMarkdown is taken whole unless it is made of such characters; then Send
	// shows it in several messages. maxText always is.
	maxMarkdown, maxText = 18_000, 36_000

	// maxButtons is well below what is left of the 200 elements of a card for
	// buttons in columns in rows; nobody wants to read more.
	maxButtons = 20

	maxPicture = 10 << 20 // image/create
	maxFile    = 30 << 20 // file/create
)

const (
	// A growing card takes 10 operations a second, a message 5 changes.
	cardPause, messagePause = 110 * time.Millisecond, 250 * time.Millisecond
	// Replacing a card redraws it: that more often than this is no pleasure.
	patchPause = 1500 * time.Millisecond
	// streamingFor is how long a card grows before the platform ends that by
	// itself, less a margin.
	streamingFor = 9 * time.Minute
)

// limits are below what the platform takes: 1000 calls in any minute and 50 in
// any second to each API, 5 messages in any second to one person or group.
func limits() []bridge.Limit {
	return []bridge.Limit{
		{Per: bridge.LimitChat, Every: time.Second / 3, AtOnce: 2},
		{Per: bridge.LimitAPI, Every: time.Second / 16, AtOnce: 30},
	}
}

// appCapabilities are the limits of a self-built app.
func appCapabilities() bridge.Capabilities {
	return bridge.Capabilities{
		MaxText:     maxText,
		MaxMarkdown: maxMarkdown,
		MaxDraft:    maxMarkdown,
		Stream:      true,
		// Each update is a call out of the month's budget, and clients type the
		// text out smoothly anyhow. Long answers slow down; see draft.pause.
		UpdateInterval: 600 * time.Millisecond,
		// A card can be changed for 14 days after it was made.
		DraftLife: 14*24*time.Hour - time.Hour,
		Keyed:     true, // by uuid, for one hour
		Groups:    true,
		Files:     true,
		Directory: true,
		Recall:    true,
		Backfill:  true,
		Buttons:   true,

		MaxButtons: maxButtons,
		// One second for the check of the address, three for events.
		AnswerWithin: 3 * time.Second,
		// Repeated after 15 s, 5 min, 1 h and 6 h, so for 7 h 5 min.
		RedeliversFor: 8 * time.Hour,
		Limits:        limits(),
		MonthlyCalls:  10_000, // basic free edition, all apps of the company together
	}
}

// shown says what people see of a message, and how large the platform finds it.
func (m outgoing) shown() bridge.Shown {
	body, _ := encode(m.content) // was encoded before
	s := bridge.Shown{Kind: bridge.ContentNative, Type: m.kind, Text: m.content, Size: len(body)}
	switch m.kind {
	case kindText:
		var text struct{ Text string }
		if json.Unmarshal([]byte(m.content), &text) == nil && text.Text != "" {
			s.Kind, s.Text, s.Limit = bridge.ContentText, text.Text, maxTextMessage
		}
	case kindCard:
		var c card
		if json.Unmarshal([]byte(m.content), &c) == nil && c.Schema != "" {
			s.Kind, s.Limit = bridge.ContentCard, maxCard
			s.Text, s.Buttons = c.shown()
		}
	}
	return s
}

// shown reads the words and the buttons of a card.
func (c card) shown() (text string, buttons []bridge.Button) {
	var b strings.Builder
	if c.Header != nil {
		b.WriteString("**" + c.Header.Title.Content + "**\n\n")
	}
	var walk func(all []cardElement)
	walk = func(all []cardElement) {
		for _, e := range all {
			if e.Content != nil {
				b.WriteString(*e.Content)
			}
			if e.Text != nil {
				button := bridge.Button{Text: e.Text.Content}
				for _, does := range e.Behaviors {
					button.URL = does.URL
				}
				buttons = append(buttons, button)
			}
			walk(e.Columns)
			walk(e.Elements)
		}
	}
	walk(c.Body.Elements)
	return b.String(), buttons
}

// shown is a file before it is uploaded.
func (m media) shown() bridge.Shown {
	s := bridge.Shown{Kind: bridge.ContentFile, Type: m.kind, Text: m.name, Size: len(m.data), Limit: maxFile}
	switch m.kind {
	case "image":
		s.Kind, s.Limit = bridge.ContentPicture, maxPicture
	case "audio":
		s.Kind = bridge.ContentVoice
	}
	return s
}

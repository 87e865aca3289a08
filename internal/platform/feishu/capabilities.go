package feishu

import (
	"time"

	"switchboard/internal/bridge"
)

const (
	// maxCard limits the JSON of a card or a rich text (message/create: 30 KB).
	maxCard = 30_000
	// maxTextJSON limits the whole request of a text message (message/create: 150 KB).
	maxTextJSON = 150_000
	// maxMarkdown leaves room for what a text grows by in becoming a card.
	maxMarkdown = 18_000
	// maxText leaves room for text that doubles in becoming JSON, twice encoded.
	maxText = 36_000

	maxPicture = 10 << 20 // image/create
	maxFile    = 30 << 20 // file/create
)

const (
	// One app may make 1000 calls a minute and 50 a second to each API.
	callsPerSecond, callsAtOnce = 16, 30
	// One person or group is sent at most 5 messages a second.
	messagesPerSecond, messagesAtOnce = 4, 4
	// A growing card takes 10 operations a second, a message 5 changes.
	cardPause, messagePause = 110 * time.Millisecond, 250 * time.Millisecond
	// Replacing a card redraws it: that more often than this is no pleasure.
	patchPause = 1500 * time.Millisecond
	// streamingFor is how long a card grows before the platform ends that by
	// itself, less a margin.
	streamingFor = 9 * time.Minute
)

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
		Buttons:   true,
		// One second for the check of the address, three for events.
		AnswerWithin: 3 * time.Second,
		// Repeated after 15 s, 5 min, 1 h and 6 h, so for 7 h 5 min.
		RedeliversFor: 8 * time.Hour,
		MonthlyCalls:  10_000, // basic free edition, all apps of the company together
	}
}

package dingtalk

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	// maxMessage is what one message may hold. The robot API takes 15 000 bytes
	// of JSON, the session webhook about 20 000; text grows by at most two times
	// when it becomes JSON, and long messages are cut off on some phones.
	maxMessage = 6_000
	// maxParam is the robot API's limit for msgParam (page: "The robot sends
	// group messages", msgParam). The session webhook takes more, but the same
	// message must be able to go either way.
	maxParam = 15_000
	// maxDraft is the total that the streaming page suggests for one card. More
	// often works, but cards with three times as much were seen to stay blank.
	maxDraft = 3_000
	// maxChoices is how many buttons one card has: more are no pleasure to read.
	maxChoices = 6
	// maxVariable is for a list of buttons, as JSON. The page "Create and deliver
	// cards" promises 1 KB for one variable, and longer ones were seen to work. Most
	// lists keep to that, as what a button holds is written short.
	maxVariable = 2_000
)

// limits are below what the platform takes: 20 calls a second to each API in the
// standard edition.
func limits() []bridge.Limit {
	return []bridge.Limit{{Per: bridge.LimitAPI, Every: time.Second / 18, AtOnce: 2}}
}

// capabilities are the limits of a robot without a card template.
func capabilities() bridge.Capabilities {
	return bridge.Capabilities{
		MaxText:     maxMessage,
		MaxMarkdown: maxMessage,
		Groups:      true,
		Files:       true,
		Directory:   true,
		// Buttons with a link are shown. One that comes back to us needs a card template
		// that has a place for it: see clickable.
		Buttons: false,
		// The general rule for pushes; the robot's page names no time.
		AnswerWithin: 2500 * time.Millisecond,
		// Not documented for robots. A signature is good for one hour, so for that
		// long a copy of a request may turn up again.
		RedeliversFor: time.Hour,
		Limits:        limits(),
		MonthlyCalls:  5_000, // standard edition, since 2025-11-19
		MonthlyPushes: 3_000,
	}
}

// streaming adds what a card template makes possible.
func streaming(c bridge.Capabilities) bridge.Capabilities {
	c.Stream = true
	c.MaxDraft = maxDraft
	// 20 calls a second for the whole company, and each update is one of 5 000.
	c.UpdateInterval = 800 * time.Millisecond
	// The pages name no end; nobody waits longer for an answer.
	c.DraftLife = time.Hour
	return c
}

// clickable adds what a template with a list of buttons makes possible.
func clickable(c bridge.Capabilities) bridge.Capabilities {
	c.Buttons, c.MaxButtons = true, maxChoices
	// A click has to be answered in two seconds (page "Event callbacks" of cards).
	c.AnswerWithin = 2 * time.Second
	return c
}

// shown says what people see of a message.
func (m message) shown() bridge.Shown {
	if m.key == "" {
		body, _ := json.Marshal(m.webhook) //nolint:errchkjson // was JSON before
		return bridge.Shown{Kind: bridge.ContentNative, Text: string(body), Size: len(body)}
	}
	s := bridge.Shown{Kind: bridge.ContentNative, Type: m.key, Text: m.param, Size: len(m.param), Limit: maxParam}
	var p map[string]string
	if json.Unmarshal([]byte(m.param), &p) != nil {
		return s
	}
	switch {
	case m.key == keyText && p["content"] != "":
		s.Kind, s.Text = bridge.ContentText, p["content"]
	case m.key == keyMarkdown && p["text"] != "":
		s.Kind, s.Text = bridge.ContentMarkdown, p["text"]
	case strings.HasPrefix(m.key, keyActionCard) && p["text"] != "":
		s.Kind, s.Text, s.Buttons = bridge.ContentCard, p["text"], buttonsOf(p)
	}
	return s
}

// buttonsOf reads the buttons of a card.
func buttonsOf(param map[string]string) []bridge.Button {
	all := []bridge.Button{{Text: param["singleTitle"], URL: param["singleURL"]}}
	if all[0].Text == "" {
		all = nil
	}
	for i := 1; param[fmt.Sprintf("actionTitle%d", i)] != ""; i++ {
		all = append(all, bridge.Button{Text: param[fmt.Sprintf("actionTitle%d", i)], URL: param[fmt.Sprintf("actionURL%d", i)]})
	}
	return all
}

// shown is a file before it is uploaded.
func (m media) shown() bridge.Shown {
	s := bridge.Shown{Kind: bridge.ContentFile, Type: "sampleFile", Text: m.name, Size: len(m.data), Limit: m.limit()}
	switch m.kind {
	case "image":
		s.Kind, s.Type = bridge.ContentPicture, keyMarkdown
	case "voice":
		s.Kind, s.Type = bridge.ContentVoice, "sampleAudio"
	}
	return s
}

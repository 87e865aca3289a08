package wecom

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/webcall"
)

// maxContent limits text.content and markdown.content in bytes; WeCom cuts off
// silently what is longer (page 90236).
const maxContent = 2048

const (
	// maxButtons and maxKey limit a card of the type button_interaction: so many
	// buttons, and so many bytes for the key that comes back (page 90236).
	maxButtons, maxKey = 6, 1024
	// maxChosen is how many characters of a button are shown as what was chosen.
	maxChosen = 20
)

// duplicateCheck is for how long WeCom is asked to drop a repeated content. Long
// enough for a retry and for a restart; short, because after a restart an answer
// that is rightly the same as the one before would be dropped as well.
const duplicateCheck = 2 * time.Minute

// limits are below what the platform takes, which drops without a word what one
// member gets beyond 30 messages in any minute and 1000 in any hour (page 90236).
// With these it is 30 and 915. A company may make 10 000 calls in any minute to
// each API.
func limits() []bridge.Limit {
	return []bridge.Limit{
		{Per: bridge.LimitChat, Every: 4 * time.Second, AtOnce: 15, Patience: 8 * time.Second},
		{Per: bridge.LimitAPI, Every: time.Second / 150, AtOnce: 150},
	}
}

// serviceLimits are those of customer service: nobody there gets more than five
// messages in a row.
func serviceLimits() []bridge.Limit {
	return slices.DeleteFunc(limits(), func(l bridge.Limit) bool { return l.Per == bridge.LimitChat })
}

// appCapabilities are the limits of a self-built app.
func appCapabilities() bridge.Capabilities {
	return bridge.Capabilities{
		MaxText:     maxContent,
		MaxMarkdown: maxContent,
		Keyed:       true, // within duplicateCheck
		Files:       true,
		Directory:   true,
		Recall:      true, // 24 hours (page 94867)
		// In a card below the text. There is no callback address an app could lack
		// (page 90236): in this mode it has one.
		Buttons:      true,
		MaxButtons:   maxButtons,
		ButtonsApart: true,
		// Pages 90238 and 90239. Three tries follow one another at once.
		AnswerWithin:  5 * time.Second,
		RedeliversFor: time.Minute,
		Limits:        limits(),
	}
}

// plainCapabilities are those of an app whose answers have no markup, for people
// who read inside the personal WeChat: no card is shown there.
func plainCapabilities() bridge.Capabilities {
	c := appCapabilities()
	c.Buttons, c.MaxButtons, c.ButtonsApart = false, 0, false
	return c
}

// serviceCapabilities are the limits of an account of customer service.
func serviceCapabilities() bridge.Capabilities {
	return bridge.Capabilities{
		MaxText:     maxContent, // page 94677
		MaxMessages: 5,          // until the customer writes again, within 48 hours (page 94677)
		Keyed:       true,       // an id counts once in an account (page 94677)
		Files:       true,
		Directory:   true,
		// The callback as for an app. What was written is to be had for three days
		// (page 94670).
		AnswerWithin:  5 * time.Second,
		RedeliversFor: 72 * time.Hour,
		Limits:        serviceLimits(),
	}
}

// fits refuses a text that would be cut off.
func fits(text string) error {
	if len(text) <= maxContent {
		return nil
	}
	return &bridge.Error{Kind: bridge.KindTooLarge, Op: opSend, Detail: fmt.Sprintf("%d bytes", len(text))}
}

// shown says what people see of a message.
func (m outgoing) shown() bridge.Shown {
	body, _ := webcall.JSON(m.Body) // as it is sent
	s := bridge.Shown{Kind: bridge.ContentNative, Type: m.Type, Text: string(body), Size: len(body)}
	switch body := m.Body.(type) {
	case textBody:
		s.Kind, s.Text, s.Size, s.Limit = bridge.ContentMarkdown, body.Content, len(body.Content), maxContent
		if m.Type == typeText {
			s.Kind = bridge.ContentText
		}
	case buttonCard:
		s.Kind, s.Text = bridge.ContentCard, body.Title.Title
		for _, b := range body.Buttons {
			s.Buttons = append(s.Buttons, bridge.Button{Text: b.Text})
		}
	}
	return s
}

// split cuts a text into messages at the best border in the second half of each.
func split(text string, limit int) []string {
	var parts []string
	for len(text) > limit {
		at := border(text, limit)
		parts = append(parts, strings.TrimRight(text[:at], " \n"))
		text = strings.TrimLeft(text[at:], "\n")
	}
	parts = append(parts, text)
	return slices.DeleteFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" })
}

func border(text string, limit int) int {
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	head := text[:limit]
	for _, marks := range [][]string{{"\n\n"}, {"\n"}, {"。", "！", "？", ". ", "! ", "? "}, {"，", ", ", " "}} {
		best := 0
		for _, mark := range marks {
			if i := strings.LastIndex(head, mark); i >= 0 {
				best = max(best, i+len(mark))
			}
		}
		if best > limit/2 {
			return best
		}
	}
	return limit
}

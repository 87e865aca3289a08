package uitest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// sendLimit is how many bytes a text of the office's bots may have.
const sendLimit = 2048

// SendBots implements ui.Backend: the bots of the office, and a group robot.
func (h *House) SendBots() []bridge.SendBot {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.empty && !h.demo {
		return nil
	}
	var all []bridge.SendBot
	for n, b := range bots(h.Now, h.Trouble) {
		s := bridge.SendBot{ID: b.ID, Platform: b.Platform, Mode: b.Mode, Groups: n != 1, Recalls: n == 0, MaxText: sendLimit, MaxMarkdown: sendLimit}
		if b.State == bridge.BotBroken {
			s.Err = b.Err
		}
		all = append(all, s)
	}
	return append(all, bridge.SendBot{ID: "news", Platform: platforms()[0], Fixed: true, Groups: true, MaxText: sendLimit})
}

// Receivers implements ui.Backend.
func (h *House) Receivers(ctx context.Context, bot, text string) ([]bridge.Receiver, error) {
	all := []bridge.Receiver{{Chat: "oc_team", Kind: bridge.Group, Name: map[bridge.Language]string{bridge.Chinese: "产品组", bridge.English: "Product team"}[h.Language]}}
	if bot == "" {
		all = nil
	}
	rows, err := h.People(ctx, bridge.PeopleQuery{})
	for _, r := range rows {
		all = append(all, bridge.Receiver{Person: r.Person.ID, Name: r.Person.Name, Seen: r.LastSeen})
	}
	return slices.DeleteFunc(all, func(r bridge.Receiver) bool {
		return !strings.Contains(strings.ToLower(r.Name+r.Chat), strings.ToLower(text))
	}), err
}

// PreviewSend implements ui.Backend: cards are shown as Markdown with the second
// bot, and a text has a limit.
func (h *House) PreviewSend(_ context.Context, s bridge.Sending) (bridge.Preview, error) {
	p := bridge.Preview{To: s.Person + s.Chat, Limit: sendLimit}
	m := bridge.Shown{Kind: bridge.KindOfContent(s.Content), Type: "message", Limit: sendLimit}
	switch c := s.Content.(type) {
	case bridge.Text:
		m.Text = c.Text
	case bridge.Markdown:
		m.Text = c.Text
	case bridge.Card:
		m.Text, m.Buttons = strings.TrimPrefix("**"+c.Title+"**\n\n"+c.Text, "****\n\n"), c.Buttons
		if b := h.SendBots(); len(b) > 1 && s.Bot == b[1].ID {
			m.Kind, m.Buttons, p.Simpler = bridge.ContentMarkdown, nil, true
			for n, button := range c.Buttons {
				m.Text += fmt.Sprintf("\n%d. [%s](%s)", n+1, button.Text, button.URL)
			}
		}
	case bridge.Picture:
		m.Text, m.Size, m.Limit, p.Limit, p.Size = c.Name, len(c.Data), 10<<20, 0, len(c.Data)
	case bridge.Attachment:
		m.Text, m.Size, m.Limit, p.Limit, p.Size = c.Name, len(c.Data), 20<<20, 0, len(c.Data)
	case bridge.Native:
		m.Text, m.Limit, p.Limit = string(c.JSON), 0, 0
	}
	if m.Size == 0 {
		m.Size, p.Size = len(m.Text), len(m.Text)
	}
	if p.Limit > 0 && p.Size > p.Limit {
		return p, &bridge.Error{Kind: bridge.KindTooLarge, Op: "send: send", Code: "too_long", Args: map[string]string{"size": fmt.Sprint(p.Size), "limit": fmt.Sprint(p.Limit)}}
	}
	p.Messages = []bridge.Shown{m}
	return p, nil
}

// Send implements ui.Backend. The same key is sent once.
func (h *House) Send(_ context.Context, s bridge.Sending) (bridge.Sent, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried = append(h.tried, s)
	if h.Fail != nil {
		return bridge.Sent{}, h.Fail
	}
	if !slices.ContainsFunc(h.sent, func(old bridge.Sending) bool { return old.Key == s.Key }) {
		h.sent = append(h.sent, s)
	}
	return bridge.Sent{
		Key: s.Key, Bot: s.Bot, At: h.Now, Message: bridge.MessageID(fmt.Sprintf("om_5f1c9d20b7e84e6a%04d", len(h.sent))), Took: 420 * time.Millisecond,
		Recallable: s.Bot == bots(h.Now, h.Trouble)[0].ID,
	}, nil
}

// Sent returns what was sent.
func (h *House) Sent() []bridge.Sending {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

// Tried returns every call of Send.
func (h *House) Tried() []bridge.Sending {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.tried)
}

// TakeBack implements ui.Backend.
func (h *House) TakeBack(_ context.Context, key string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Fail == nil {
		h.gone = append(h.gone, key)
	}
	return h.Fail
}

// Gone returns the keys of what was taken back.
func (h *House) Gone() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.gone)
}

// EarlierSends implements ui.Backend: one that failed, and one from a terminal.
func (h *House) EarlierSends(context.Context) ([]bridge.EarlierSend, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.empty {
		return nil, h.Fail
	}
	p := platforms()[0]
	return []bridge.EarlierSend{
		{At: h.Now.AddDate(0, 0, -1), Kind: bridge.ContentText, Bot: "feishu-main", Platform: p, To: h.people()[1].Person.Name, Error: bridge.KindForbidden, By: bridge.Actor{Where: "window"}},
		{At: h.Now.AddDate(0, 0, -2), Kind: bridge.ContentMarkdown, Bot: "news", Platform: p, By: bridge.Actor{Who: "lin", Where: "cli"}},
	}, h.Fail
}

package bridgetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// Chat is a scripted platform: what a bot showed, message by message, as a
// person would see it. It survives the bots that write to it, as the real
// platform survives a crash of ours.
type Chat struct {
	// Keyed makes a repeated key show nothing new.
	Keyed bool
	// Fail is asked before every call ("send", "begin", "resume", "update",
	// "finish", "fail") with the number of such calls so far, from 1; an error
	// is returned by the call. With Uncertain in it the call takes effect all
	// the same.
	Fail func(call string, n int) error
	// Slow is how long every call takes.
	Slow time.Duration
	// NoCards makes the platform refuse cards.
	NoCards bool

	mu      sync.Mutex
	calls   map[string]int
	shown   []*Shown
	drafts  map[string]*Shown
	removed map[string]bool
}

// Shown is one visible message.
type Shown struct {
	ID       bridge.MessageID
	Key      string
	Text     string
	Buttons  []bridge.Button
	Growing  bool
	Visible  bool
	Updates  []string // every text it has had
	To       bridge.Address
	notified string
}

// Calls returns how often a call was made.
func (c *Chat) Calls(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[call]
}

// Shown returns copies of the visible messages in order.
func (c *Chat) Shown() []Shown {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Shown
	for _, s := range c.shown {
		if s.Visible {
			copied := *s
			copied.Updates = append([]string(nil), s.Updates...)
			out = append(out, copied)
		}
	}
	return out
}

// Texts returns the visible texts in order.
func (c *Chat) Texts() []string {
	var out []string
	for _, s := range c.Shown() {
		out = append(out, s.Text)
	}
	return out
}

// Remove takes every draft away, as if a person had recalled it.
func (c *Chat) Remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed = map[string]bool{}
	for id, s := range c.drafts {
		c.removed[id] = true
		s.Visible = false
	}
}

// enter counts a call and returns its scripted error and whether the call takes
// effect.
func (c *Chat) enter(ctx context.Context, call string) (bool, error) {
	if c.Slow > 0 {
		timer := time.NewTimer(c.Slow)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false, &bridge.Error{Kind: bridge.KindUnavailable, Op: "fake: " + call, Uncertain: true, Err: ctx.Err()}
		case <-timer.C:
		}
	}
	c.mu.Lock()
	if c.calls == nil {
		c.calls, c.drafts = map[string]int{}, map[string]*Shown{}
	}
	c.calls[call]++
	n := c.calls[call]
	c.mu.Unlock()
	if c.Fail == nil {
		return true, nil
	}
	err := c.Fail(call, n)
	if e, ok := err.(*bridge.Error); ok && e.Uncertain { //nolint:errorlint // the script's own value
		return true, err
	}
	return err == nil, err
}

// Bot returns a bot that only sends.
func (c *Chat) Bot() bridge.Bot { return &bot{c} }

// StreamingBot returns a bot whose answers grow.
func (c *Chat) StreamingBot() bridge.Bot { return &streamingBot{bot{c}} }

type bot struct{ chat *Chat }

// Receive reads a Delivery written as JSON; anything else is not authentic.
func (*bot) Receive(_ context.Context, r bridge.Request) (bridge.Delivery, error) {
	if string(r.Body) == "panic" {
		panic("scripted")
	}
	var d bridge.Delivery
	if err := json.Unmarshal(r.Body, &d); err != nil {
		return d, &bridge.Error{Kind: bridge.KindUnauthenticated, Op: "fake: receive", Err: err}
	}
	return d, nil
}

// Send shows a message.
func (b *bot) Send(ctx context.Context, to bridge.Address, content bridge.Content) (bridge.MessageID, error) {
	effect, err := b.chat.enter(ctx, "send")
	if !effect {
		return "", err
	}
	if err := b.chat.takes(content); err != nil {
		return "", err
	}
	return b.chat.put(to, text(content), buttons(content)), err
}

// takes refuses a card, if it is to.
func (c *Chat) takes(content bridge.Content) error {
	if _, card := content.(bridge.Card); card && c.NoCards {
		return &bridge.Error{Kind: bridge.KindInvalid, Op: "fake: card"}
	}
	return nil
}

func (c *Chat) put(to bridge.Address, text string, buttons []bridge.Button) bridge.MessageID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Keyed && to.Key != "" {
		for _, s := range c.shown {
			if s.Key == to.Key && s.Visible {
				return s.ID
			}
		}
	}
	s := &Shown{ID: c.newID(), Key: to.Key, Text: text, Buttons: buttons, Visible: true, Updates: []string{text}, To: to}
	c.shown = append(c.shown, s)
	return s.ID
}

func (c *Chat) newID() bridge.MessageID {
	return bridge.MessageID(fmt.Sprintf("shown-%d", len(c.shown)+1))
}

// Check finds nothing wrong.
func (*bot) Check(context.Context) ([]bridge.Finding, error) {
	return []bridge.Finding{{Code: "credential", OK: true}}, nil
}

// Close does nothing.
func (*bot) Close() error { return nil }

func text(content bridge.Content) string {
	switch c := content.(type) {
	case bridge.Text:
		return c.Text
	case bridge.Markdown:
		return c.Text
	case bridge.Card:
		return c.Text
	default:
		return fmt.Sprintf("%T", c)
	}
}

func buttons(content bridge.Content) []bridge.Button {
	c, _ := content.(bridge.Card)
	return c.Buttons
}

type streamingBot struct{ bot }

// Begin prepares a draft.
func (b *streamingBot) Begin(ctx context.Context, to bridge.Address) (bridge.Draft, error) {
	if effect, err := b.chat.enter(ctx, "begin"); !effect {
		return nil, err
	}
	b.chat.mu.Lock()
	defer b.chat.mu.Unlock()
	s := &Shown{ID: b.chat.newID(), Key: to.Key, Growing: true, To: to}
	b.chat.shown = append(b.chat.shown, s)
	id := fmt.Sprintf("draft-%d", len(b.chat.drafts)+1)
	b.chat.drafts[id] = s
	to.Data, _ = json.Marshal(id) //nolint:errchkjson // a string
	return &draft{b.chat, id, to}, nil
}

// Resume finds a draft again.
func (b *streamingBot) Resume(ctx context.Context, at bridge.Address) (bridge.Draft, error) {
	if effect, err := b.chat.enter(ctx, "resume"); !effect {
		return nil, err
	}
	var id string
	if err := json.Unmarshal(at.Data, &id); err != nil {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: "fake: resume", Err: err}
	}
	d := &draft{b.chat, id, at}
	if _, err := d.find(); err != nil {
		return nil, err
	}
	return d, nil
}

type draft struct {
	chat *Chat
	id   string
	to   bridge.Address
}

func (d *draft) find() (*Shown, error) {
	d.chat.mu.Lock()
	defer d.chat.mu.Unlock()
	s := d.chat.drafts[d.id]
	if s == nil || d.chat.removed[d.id] {
		return nil, &bridge.Error{Kind: bridge.KindNotFound, Op: "fake: draft"}
	}
	return s, nil
}

func (d *draft) change(ctx context.Context, call string, how func(*Shown)) (bridge.MessageID, error) {
	effect, err := d.chat.enter(ctx, call)
	if !effect {
		return "", err
	}
	s, ferr := d.find()
	if ferr != nil {
		return "", ferr
	}
	d.chat.mu.Lock()
	defer d.chat.mu.Unlock()
	s.Visible = true
	how(s)
	s.Updates = append(s.Updates, s.Text)
	return s.ID, err
}

// Update shows the text so far.
func (d *draft) Update(ctx context.Context, whole string) error {
	_, err := d.change(ctx, "update", func(s *Shown) { s.Text = whole })
	return err
}

// Finish shows the end.
func (d *draft) Finish(ctx context.Context, c bridge.Content) (bridge.MessageID, error) {
	if err := d.chat.takes(c); err != nil {
		return "", err
	}
	return d.change(ctx, "finish", func(s *Shown) { s.Text, s.Buttons, s.Growing = text(c), buttons(c), false })
}

// Fail shows a notice.
func (d *draft) Fail(ctx context.Context, notice string) error {
	_, err := d.change(ctx, "fail", func(s *Shown) { s.Text, s.notified, s.Growing = notice, notice, false })
	return err
}

// Address is where the draft lives.
func (d *draft) Address() bridge.Address { return d.to }

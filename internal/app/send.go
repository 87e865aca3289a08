package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
)

// The methods of this file are about what the admin sends of their own accord.

const (
	// sendsKept is how many sends are remembered, so that one that is asked for
	// again is not shown again, and can be taken back.
	sendsKept = 200
	// sendPatience is how long handing over a large file may take.
	sendPatience = 3 * time.Minute
	// receiversShown is how many people and groups are offered at a time, and
	// groupsKnown how long after the last word in it a group is.
	receiversShown = 50
	groupsKnown    = 90 * 24 * time.Hour
)

// sends remembers what was sent since the start, by key.
type sends struct {
	mu    sync.Mutex
	byKey map[string]*send
	order []string
}

// send is one of them. Whoever works on it holds its lock.
type send struct {
	mu   sync.Mutex
	to   bridge.Address
	sent bridge.Sent // zero until it worked
	who  string      // Person.ID
	gone bool        // taken back
}

// of finds a send by its key, or begins one.
func (s *sends) of(key string) *send {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[string]*send{}
	}
	if one := s.byKey[key]; one != nil {
		return one
	}
	if len(s.order) >= sendsKept {
		delete(s.byKey, s.order[0])
		s.order = s.order[1:]
	}
	one := &send{}
	s.byKey[key], s.order = one, append(s.order, key)
	return one
}

func (s *sends) known(key string) (*send, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.byKey[key]
	return one, ok
}

// SendBots lists the bots that something can be sent with.
func (a *App) SendBots() []bridge.SendBot {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var all []bridge.SendBot
	for _, id := range slices.Sorted(maps.Keys(a.bots)) {
		b := a.bots[id]
		s := bridge.SendBot{ID: id, Platform: b.Platform, Mode: b.mode.ID, Fixed: b.bot != nil && b.mode.SendOnly(), Groups: b.limits.Groups, Recalls: b.limits.Recall}
		s.MaxText, s.MaxMarkdown = b.limits.MaxText, b.limits.MaxMarkdown
		if b.bot == nil {
			s.Err = brokenBot(id, b.err)
		}
		all = append(all, s)
	}
	return all
}

func brokenBot(id string, why error) error {
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: opSend, Code: "broken", Args: map[string]string{"bot": id}, Err: why}
}

const opSend = "send: send"

// aboutSend is what is wrong with a send; the words are under "error.send.<code>".
func aboutSend(kind bridge.Kind, code string, pairs ...string) error {
	e := &bridge.Error{Kind: kind, Op: opSend, Code: code, Args: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Args[pairs[i]] = pairs[i+1]
	}
	return e
}

// Receivers lists whom a bot can write to: groups it heard of lately and people
// with an account on its platform, those who match the text, the latest first.
func (a *App) Receivers(ctx context.Context, bot, text string) ([]bridge.Receiver, error) {
	b, err := a.sendBot(bot)
	if err != nil {
		return nil, err
	}
	rows, err := a.store.People(ctx, bridge.PeopleQuery{Text: text, Limit: peopleShown})
	if err != nil {
		return nil, fmt.Errorf("app: receivers: %w", err)
	}
	var all []bridge.Receiver
	for _, row := range rows {
		if i := slices.IndexFunc(row.Identities, func(i bridge.Identity) bool { return i.Platform == b.Platform }); i >= 0 {
			all = append(all, bridge.Receiver{Person: row.Person.ID, Name: cmp.Or(row.Person.Name, string(row.Identities[i].User)), Seen: row.LastSeen})
		}
	}
	chats, err := a.store.Chats(ctx, bot, time.Now().Add(-groupsKnown), receiversShown)
	if err != nil {
		return nil, fmt.Errorf("app: receivers: %w", err)
	}
	needle := strings.ToLower(strings.TrimSpace(text))
	for i := len(chats) - 1; i >= 0; i-- {
		c := chats[i]
		if c.Kind == bridge.Group && strings.Contains(strings.ToLower(c.Title+" "+c.ID), needle) {
			all = slices.Insert(all, 0, bridge.Receiver{Chat: c.ID, Kind: c.Kind, Name: cmp.Or(c.Title, c.ID)})
		}
	}
	return all[:min(len(all), receiversShown)], nil
}

// sendBot finds a bot that works.
func (a *App) sendBot(id string) (*openBot, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b := a.bots[id]
	switch {
	case b == nil:
		return nil, aboutSend(bridge.KindNotFound, "no_bot", "bot", id, "bots", strings.Join(slices.Sorted(maps.Keys(a.bots)), ", "))
	case b.bot == nil:
		return nil, brokenBot(id, b.err)
	default:
		return b, nil
	}
}

// PreviewSend says how something would be shown, without sending it.
func (a *App) PreviewSend(ctx context.Context, s bridge.Sending) (bridge.Preview, error) {
	b, err := a.sendBot(s.Bot)
	if err != nil {
		return bridge.Preview{}, err
	}
	var p bridge.Preview
	to, err := a.addressOf(ctx, b, s)
	if err != nil {
		if !unaddressed(err) {
			return p, err
		}
		to = bridge.Address{Bot: b.ID, Kind: bridge.Direct} // it can be looked at all the same
	}
	p.To = cmp.Or(to.Name, to.Chat, string(to.User))
	p.Size, p.Limit = sizeOf(s.Content), limitOf(b.limits, s.Content)
	if err := sendable(b.limits, s.Content); err != nil {
		return p, err
	}
	previewer, ok := b.bot.(bridge.Previewer)
	if !ok {
		p.Messages = []bridge.Shown{{Kind: bridge.KindOfContent(s.Content), Text: written(s.Content), Size: p.Size, Limit: p.Limit}}
		return p, nil
	}
	if p.Messages, err = previewer.Preview(to, s.Content); err != nil {
		return p, fmt.Errorf("app: preview: %w", err)
	}
	for _, m := range p.Messages {
		p.Simpler = p.Simpler || simpler(m, s.Content)
	}
	return p, nil
}

// simpler says that a message is less than what was asked for. A card for
// Markdown is more.
func simpler(m bridge.Shown, c bridge.Content) bool {
	switch want := c.(type) {
	case bridge.Card:
		return m.Kind != bridge.ContentCard || len(m.Buttons) < len(want.Buttons)
	case bridge.Markdown, bridge.News:
		return m.Kind == bridge.ContentText
	case bridge.Picture:
		return m.Kind != bridge.ContentPicture
	case bridge.Attachment, bridge.Voice:
		return m.Kind == bridge.ContentText
	default:
		return false
	}
}

func sizeOf(c bridge.Content) int {
	switch c := c.(type) {
	case bridge.Picture:
		return len(c.Data)
	case bridge.Attachment:
		return len(c.Data)
	case bridge.Voice:
		return len(c.Data)
	case bridge.Native:
		return len(c.JSON)
	default:
		return len(written(c))
	}
}

// limitOf is what one message may hold of a content, by the capabilities.
func limitOf(c bridge.Capabilities, content bridge.Content) int {
	switch content.(type) {
	case bridge.Text:
		return cmp.Or(c.MaxText, c.MaxMarkdown)
	case bridge.Markdown, bridge.Card:
		return cmp.Or(c.MaxMarkdown, c.MaxText)
	default:
		return 0
	}
}

// sendable says what is wrong with a content, whichever platform it is for.
func sendable(able bridge.Capabilities, c bridge.Content) error {
	if card, ok := c.(bridge.Card); ok {
		for _, b := range card.Buttons {
			if u, err := url.Parse(b.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.TrimSpace(b.Text) == "" {
				return aboutSend(bridge.KindInvalid, "button", "button", b.Text, "url", b.URL)
			}
		}
	}
	size, limit := sizeOf(c), limitOf(able, c)
	switch native, ok := c.(bridge.Native); {
	case size == 0:
		return aboutSend(bridge.KindInvalid, "empty")
	case limit > 0 && size > limit:
		return aboutSend(bridge.KindTooLarge, "too_long", "size", strconv.Itoa(size), "limit", strconv.Itoa(limit))
	case ok && !json.Valid(native.JSON):
		return aboutSend(bridge.KindInvalid, "json")
	case ok && native.Type == "":
		return aboutSend(bridge.KindInvalid, "type")
	default:
		return nil
	}
}

// written is what was written.
func written(c bridge.Content) string {
	switch c := c.(type) {
	case bridge.Text:
		return c.Text
	case bridge.Markdown:
		return c.Text
	case bridge.Card:
		return strings.TrimSpace(c.Title + "\n" + c.Text)
	case bridge.Picture:
		return c.Name
	case bridge.Attachment:
		return c.Name
	case bridge.Native:
		return string(c.JSON)
	default:
		return ""
	}
}

// Send sends something from the window.
func (a *App) Send(ctx context.Context, s bridge.Sending) (bridge.Sent, error) {
	return a.sendAs(ctx, s, atWindow())
}

// sendAs sends something through the live bot. The same key is shown once, also
// where the platform would not see to that. What was sent, by whom, to whom and
// with which bot is in the audit before it leaves, never what it says.
func (a *App) sendAs(ctx context.Context, s bridge.Sending, by bridge.Actor) (bridge.Sent, error) {
	b, err := a.sendBot(s.Bot)
	if err != nil {
		return bridge.Sent{}, err
	}
	if err := sendable(b.limits, s.Content); err != nil {
		return bridge.Sent{}, err
	}
	to, err := a.addressOf(ctx, b, s)
	if err != nil {
		return bridge.Sent{}, err
	}
	s.Key = cmp.Or(s.Key, rand.Text())
	one := a.sends.of(s.Key)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.sent.Key != "" {
		return one.sent, nil
	}
	what := string(bridge.KindOfContent(s.Content)) + " with " + b.ID
	if err := a.auditSend(ctx, bridge.AuditSent, by, s.Person, what+toWhom(s, to)); err != nil {
		return bridge.Sent{}, err // what is not written down is not done
	}
	one.to, one.who = to.WithKey("send-"+s.Key), s.Person
	ctx, cancel := context.WithTimeout(ctx, sendPatience-time.Second)
	defer cancel()
	begun := time.Now()
	id, err := b.bot.Send(ctx, one.to, s.Content)
	took := time.Since(begun)
	a.sentWith(b.ID, id, took, err)
	if err != nil {
		note := what + toWhom(s, to) + ": " + string(bridge.KindOf(err))
		return bridge.Sent{}, errors.Join(fmt.Errorf("app: send: %w", err), a.auditSend(context.WithoutCancel(ctx), bridge.AuditSent, by, s.Person, note))
	}
	_, recalls := b.bot.(bridge.Recaller)
	one.sent = bridge.Sent{Key: s.Key, Bot: b.ID, At: time.Now(), Message: id, Took: took, Recallable: recalls && id != ""}
	return one.sent, nil
}

// sentWith writes down how a send went, for the journal, the metrics and the
// state of the bot: one that sends is well, and one that cannot is not, unless
// it was the content or the receiver.
func (a *App) sentWith(bot string, id bridge.MessageID, took time.Duration, err error) {
	a.record(bridge.Entry{Kind: bridge.EntrySent, At: time.Now(), Bot: bot, Message: id, Took: took, Error: bridge.KindOf(err)})
	switch bridge.KindOf(err) { //nolint:exhaustive // the others say nothing about the bot
	case "", bridge.KindCredential, bridge.KindUnavailable, bridge.KindQuota:
		a.observe(engine.Outcome{Bot: bot, Err: err})
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

func (a *App) auditSend(ctx context.Context, kind bridge.AuditKind, by bridge.Actor, person, note string) error {
	if err := a.store.Audit(ctx, bridge.Audit{Kind: kind, By: by, Person: person, Note: note}); err != nil {
		return fmt.Errorf("app: send: %w", err)
	}
	return nil
}

// toWhom names the receiver in the audit, unless it is a person, who has a place
// of their own there.
func toWhom(s bridge.Sending, to bridge.Address) string {
	if s.Person != "" || to.Chat == "" {
		return ""
	}
	return " to " + string(to.Kind) + " " + to.Chat
}

// TakeBack recalls what was sent since the start, from the window.
func (a *App) TakeBack(ctx context.Context, key string) error {
	return a.takeBackAs(ctx, key, atWindow())
}

func (a *App) takeBackAs(ctx context.Context, key string, by bridge.Actor) error {
	one, ok := a.sends.known(key)
	if !ok {
		return aboutSend(bridge.KindNotFound, "forgotten")
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	switch {
	case one.gone:
		return nil
	case !one.sent.Recallable:
		return aboutSend(bridge.KindUnsupported, "no_recall")
	}
	b, err := a.sendBot(one.sent.Bot)
	if err != nil {
		return err
	}
	recaller, ok := b.bot.(bridge.Recaller)
	if !ok {
		return aboutSend(bridge.KindUnsupported, "no_recall")
	}
	if err := a.auditSend(ctx, bridge.AuditTakenBack, by, one.who, "with "+b.ID); err != nil {
		return err
	}
	err = recaller.Recall(ctx, one.sent.Message, one.to)
	a.record(bridge.Entry{Kind: bridge.EntryTakenBack, At: time.Now(), Bot: b.ID, Message: one.sent.Message, Error: bridge.KindOf(err)})
	if err != nil {
		return fmt.Errorf("app: take back: %w", err)
	}
	one.gone = true
	return nil
}

// addressOf finds out where something is sent to.
func (a *App) addressOf(ctx context.Context, b *openBot, s bridge.Sending) (bridge.Address, error) {
	to := bridge.Address{Bot: b.ID, Kind: s.Kind, Chat: strings.TrimSpace(s.Chat), Language: a.language()}
	switch {
	case s.Person != "":
		return a.addressOfPerson(ctx, b, s.Person)
	case b.mode.SendOnly():
		to.Kind, to.Chat = bridge.Group, ""
		return to, nil
	case to.Chat == "":
		return to, aboutSend(bridge.KindInvalid, "nobody")
	case to.Kind == "":
		to.Kind = a.chatKind(ctx, b, to.Chat)
	}
	if to.Kind == bridge.Direct {
		to.User = bridge.UserID(to.Chat)
	}
	return to, nil
}

// unaddressed says that nobody was chosen yet.
func unaddressed(err error) bool {
	var e *bridge.Error
	return errors.As(err, &e) && e.Code == "nobody" && e.Op == opSend
}

// chatKind tells a group from a user by what was heard of the chat. A bot that
// can be in groups is more likely to know a group's id.
func (a *App) chatKind(ctx context.Context, b *openBot, chat string) bridge.ChatKind {
	chats, err := a.store.Chats(ctx, b.ID, time.Now().Add(-groupsKnown), peopleShown)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a kind of chat is guessed", slog.Any("error", err))
	}
	if i := slices.IndexFunc(chats, func(c bridge.Chat) bool { return c.ID == chat }); i >= 0 {
		return chats[i].Kind
	}
	if b.limits.Groups {
		return bridge.Group
	}
	return bridge.Direct
}

// addressOfPerson is where somebody wrote to the bot last, or their account on
// its platform.
func (a *App) addressOfPerson(ctx context.Context, b *openBot, person string) (bridge.Address, error) {
	rows, err := a.store.People(ctx, bridge.PeopleQuery{ID: person, Limit: 1})
	if err != nil {
		return bridge.Address{}, fmt.Errorf("app: send: %w", err)
	}
	if len(rows) == 0 {
		return bridge.Address{}, aboutPeople(bridge.KindNotFound, "nobody", "who", person)
	}
	p := rows[0].Person
	m, found, err := a.store.LastMessageTo(ctx, person, b.ID)
	if err != nil {
		return bridge.Address{}, fmt.Errorf("app: send: %w", err)
	}
	if found {
		to := m.Address
		to.ReplyTo, to.Thread, to.Job, to.Stop, to.Repeat = "", "", "", "", false // it answers nothing
		to.Name, to.Language = cmp.Or(p.Name, to.Name), cmp.Or(p.Language, a.language())
		return to, nil
	}
	i := slices.IndexFunc(rows[0].Identities, func(i bridge.Identity) bool { return i.Platform == b.Platform })
	if i < 0 {
		return bridge.Address{}, aboutSend(bridge.KindNotFound, "no_account", "who", cmp.Or(p.Name, person), "bot", b.ID)
	}
	return bridge.Address{Bot: b.ID, Kind: bridge.Direct, User: rows[0].Identities[i].User, Name: p.Name, Language: cmp.Or(p.Language, a.language())}, nil
}

package wecom

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

const (
	// ticketLife is how long a ticket is used; WeCom takes it for ten minutes.
	ticketLife = 9 * time.Minute
	// lookEvery is how often is looked without a ring, for one may have been lost:
	// while nobody could reach us it is not repeated for long.
	lookEvery = 5 * time.Minute
	// pageSize is how many messages are fetched and stored together, of 1000.
	pageSize = 100
	// headStart is how much older than the first start of a bot a message may be:
	// clocks differ.
	headStart = 10 * time.Minute
	// lookTries and lookPause are how often it is tried in a row before the trouble
	// counts as lasting, and the first pause.
	lookTries, lookPause = 5, 2 * time.Second
	// mostHuman is of how many customers is remembered that a human answers them.
	mostHuman = 500
)

// Listen implements bridge.Listener. It fetches what was written since the last
// time, at the start and whenever the callback rings. How far it has come is
// noted only after everything was accepted, so that nothing is lost if the
// program dies, and what is fetched again has the same ids.
func (s *service) Listen(ctx context.Context, accept func(context.Context, bridge.Delivery) error) error {
	at, err := s.recall(ctx)
	for tries := 0; err == nil; {
		pause, wake := lookEvery, s.bell.rung
		switch trouble := s.readOn(ctx, &at, accept); {
		case ctx.Err() != nil:
		case trouble == nil:
			tries = 0
		case tries+1 < lookTries && passing(trouble):
			pause, wake = max(bridge.RetryAfter(trouble), lookPause<<tries), nil
			tries++
			s.log.LogAttrs(ctx, slog.LevelInfo, "customers' messages will be fetched later", slog.Any("error", trouble))
		default:
			return trouble
		}
		if !rest(ctx, pause, wake) {
			return nil
		}
	}
	return err
}

// rest waits, no longer than until wake; false when ctx has ended.
func rest(ctx context.Context, pause time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-wake:
	}
	return ctx.Err() == nil
}

// passing says that a trouble may be over in a moment: one of WeCom's of that
// kind, one that would be a wrong setting if it lasted, or one of the house, which
// cannot store what was fetched.
func passing(err error) bool {
	var e *bridge.Error
	return !errors.As(err, &e) || e.Kind.Retryable() || e.Kind == bridge.KindInvalid || staleToken(e.Code)
}

// place is how far was read.
type place struct {
	Cursor string `json:"cursor,omitempty"`
	// Since is when the bot was first started, in seconds: what is older was not
	// written to it.
	Since int64 `json:"since"`
	// Human are customers whom a human may be answering, the latest last.
	Human []string `json:"human,omitempty"`
}

// recall reads how far was read. The beginning is noted before anything is read.
func (s *service) recall(ctx context.Context) (place, error) {
	note, err := s.notes.Note(ctx, s.noteName())
	if err != nil {
		return place{}, err
	}
	var at place
	if json.Unmarshal([]byte(note), &at) == nil && at.Since != 0 {
		return at, nil
	}
	at = place{Since: time.Now().Add(-headStart).Unix()}
	return at, s.note(ctx, at)
}

func (s *service) note(ctx context.Context, at place) error {
	text, err := json.Marshal(at)
	if err != nil {
		return &bridge.Error{Kind: bridge.KindInternal, Op: opFetch, Err: err}
	}
	return s.notes.Keep(ctx, s.noteName(), string(text))
}

// noteName names the note. Another account is read from its own beginning.
func (s *service) noteName() string { return "read " + s.cfg.account }

// readOn fetches everything there is. There may be more after an empty page.
func (s *service) readOn(ctx context.Context, at *place, accept func(context.Context, bridge.Delivery) error) error {
	for {
		page, err := s.fetch(ctx, at.Cursor)
		if err != nil {
			return err
		}
		next := place{Cursor: cmp.Or(page.Next, at.Cursor), Since: at.Since, Human: slices.Clone(at.Human)}
		if err := s.acceptAll(ctx, page.Items, &next, accept); err != nil {
			return err
		}
		moved := next.Cursor != at.Cursor
		if moved || !slices.Equal(next.Human, at.Human) {
			if err := s.note(ctx, next); err != nil {
				return err
			}
			*at = next
		}
		switch more := page.More == "1" || page.More == "true"; {
		case !more:
			return nil
		case !moved:
			return &bridge.Error{Kind: bridge.KindUnavailable, Op: opFetch, Detail: "there is more, but no way to it"}
		}
	}
}

// fetch fetches a page. A ticket or a cursor that is no longer taken is done
// without: then everything of the last three days is read again, and what is
// known is not accepted twice.
func (s *service) fetch(ctx context.Context, cursor string) (fetched, error) {
	ticket := s.bell.valid()
	page, err := s.client.fetch(ctx, cursor, ticket)
	if ticket != "" && disputed(err) {
		s.bell.drop(ticket)
		page, err = s.client.fetch(ctx, cursor, "")
	}
	if cursor != "" && disputed(err) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "customers' messages are read again from the beginning", slog.Any("error", err))
		page, err = s.client.fetch(ctx, "", "")
	}
	return page, err
}

// disputed says that WeCom did not like something in a request.
func disputed(err error) bool {
	kind := bridge.KindOf(err)
	return kind == bridge.KindInvalid || kind == bridge.KindInternal || kind == bridge.KindExpired
}

func (c *client) fetch(ctx context.Context, cursor, ticket string) (fetched, error) {
	var page fetched
	in := fetchRequest{Cursor: cursor, Ticket: ticket, Limit: pageSize, Account: c.cfg.account}
	return page, c.call(ctx, request{op: opFetch, path: pathFetch, in: in}, &page)
}

// acceptAll has everything on a page accepted, in its order, and then told what
// there was nothing to make of.
func (s *service) acceptAll(ctx context.Context, items []json.RawMessage, at *place, accept func(context.Context, bridge.Delivery) error) error {
	var all bridge.Delivery
	var notes []bridge.Delivery
	for _, item := range items {
		d, err := s.read(ctx, item, at)
		if err != nil {
			return err
		}
		all.Messages, all.Actions = append(all.Messages, d.Messages...), append(all.Actions, d.Actions...)
		if d.Note != "" && !slices.ContainsFunc(notes, func(n bridge.Delivery) bool { return n.Note == d.Note }) {
			notes = append(notes, bridge.Delivery{Note: d.Note, Suspect: d.Suspect})
		}
	}
	if len(all.Messages)+len(all.Actions) > 0 {
		if err := accept(ctx, all); err != nil {
			return err
		}
	}
	for _, n := range notes {
		if err := accept(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// The senders of messages.
const (
	fromCustomer = "3"
	fromSystem   = "4"
)

// read turns what was fetched into what it is to us.
func (s *service) read(ctx context.Context, item json.RawMessage, at *place) (bridge.Delivery, error) {
	var m written
	if err := json.Unmarshal(item, &m); err != nil || m.ID == "" {
		return suspect("a message of customer service that is not the JSON we know"), nil //nolint:nilerr // one of many, and as good as it gets
	}
	sentAt := moment(string(m.SentAt), time.Now())
	switch {
	case m.Account != "" && string(m.Account) != s.cfg.account, sentAt.Unix() < at.Since:
		return bridge.Delivery{}, nil
	case m.Type == "event":
		return s.event(m, sentAt, at), nil
	case m.Origin != fromCustomer:
		return bridge.Delivery{}, nil // a member of staff, or the system
	case m.Customer == "":
		return suspect("a message without a sender"), nil
	}
	if busy, err := s.withHuman(ctx, string(m.Customer), at); err != nil || busy {
		return bridge.Delivery{Note: "a human answers this customer"}, err
	}
	r := read(m.push())
	if r.note != "" {
		return bridge.Delivery{Note: r.note, Suspect: r.suspect}, nil
	}
	return bridge.Delivery{Messages: []bridge.Message{s.message(m, r, sentAt)}}, nil
}

func (s *service) message(m written, r reading, sentAt time.Time) bridge.Message {
	id, customer := bridge.MessageID(m.ID), string(m.Customer)
	for i := range r.files {
		r.files[i].Message = id
	}
	to := s.address(customer)
	to.ReplyTo = id
	return bridge.Message{
		ID: id, Bot: s.cfg.id, Platform: platform, Chat: chat(customer), Sender: s.sender(customer), SentAt: sentAt,
		Text: r.text, Files: r.files, Address: to,
	}
}

func (s *service) sender(customer string) bridge.Sender {
	return bridge.Sender{ID: bridge.UserID(customer), Tenant: s.cfg.corpID}
}

func (s *service) address(customer string) bridge.Address {
	return bridge.Address{Bot: s.cfg.id, Chat: customer, Kind: bridge.Direct, User: bridge.UserID(customer)}
}

// push is the message as it would come from an app.
func (m written) push() push {
	p := push{Type: string(m.Type), Content: string(m.Text.Content), Format: "amr"}
	switch m.Type {
	case "image":
		p.MediaID = string(m.Image.ID)
	case "voice":
		p.MediaID = string(m.Voice.ID)
	case "video":
		p.MediaID = string(m.Video.ID)
	case "file":
		p.MediaID, p.FileName = string(m.File.ID), string(m.File.Name)
	case "location":
		place := m.Location
		p.LocationX, p.LocationY = string(place.Latitude), string(place.Longitude)
		p.Label = strings.TrimSpace(string(place.Name) + " " + string(place.Address))
	case "link":
		p.Title, p.Description, p.URL = string(m.Link.Title), string(m.Link.Description), string(m.Link.URL)
	case "miniprogram":
		p.Type, p.Title = "link", string(m.MiniProgram.Title)
	}
	return p
}

// event turns an event into an action, where it is one for us.
func (s *service) event(m written, at time.Time, here *place) bridge.Delivery {
	e := m.Event
	customer := string(cmp.Or(e.Customer, m.Customer))
	a := bridge.Action{
		ID: string(m.ID), Bot: s.cfg.id, Platform: platform, Chat: chat(customer), Sender: s.sender(customer), At: at, Address: s.address(customer),
	}
	switch name := string(e.Type); {
	case name == "msg_send_fail":
		return bridge.Delivery{Note: "a message was not shown to the customer: " + reason(string(e.Reason))}
	case customer == "":
		return bridge.Delivery{Note: "event " + cmp.Or(prose.Label(name), "without a name")}
	case name == "session_status_change":
		here.human(customer, e.Change != "3")
		return bridge.Delivery{}
	case name == "enter_session":
		return entered(a, e)
	case name == "user_recall_msg" && e.Recalled != "":
		a.Kind, a.Message = bridge.ActionRecalled, bridge.MessageID(e.Recalled)
		return bridge.Delivery{Actions: []bridge.Action{a}}
	default:
		return bridge.Delivery{Note: "event " + cmp.Or(prose.Label(name), "without a name")}
	}
}

// entered is somebody who has opened the chat. Only with a code may they be
// greeted, and not later than 20 seconds after that.
func entered(a bridge.Action, e occurred) bridge.Delivery {
	const within = 20 * time.Second
	door, err := json.Marshal(entrance{string(e.Welcome)})
	if e.Welcome == "" || err != nil || time.Since(a.At) > within {
		return bridge.Delivery{}
	}
	a.Kind, a.Address.Data, a.Address.Expires = bridge.ActionEntered, door, a.At.Add(within)
	return bridge.Delivery{Actions: []bridge.Action{a}}
}

// reason names why a message was not shown, as the page 94670 numbers it.
func reason(number string) string {
	reasons := []string{
		"unknown", "the account is deleted", "the app is disabled", "the customer has no app", "more than 48 hours after their last message",
		"the conversation has ended", "more than five messages", "not the conversation of this servicer", "no right", "another reason", "the customer refuses messages",
	}
	if n, err := strconv.Atoi(number); err == nil && n >= 0 && n < len(reasons) {
		return reasons[n]
	}
	return "reason " + cmp.Or(prose.Label(number), "unknown")
}

// human notes that a human answers a customer, or does no longer.
func (at *place) human(customer string, yes bool) {
	at.Human = slices.DeleteFunc(at.Human, func(c string) bool { return c == customer })
	if yes {
		at.Human = append(at.Human, customer)
	}
	at.Human = at.Human[max(0, len(at.Human)-mostHuman):]
}

// The states of a conversation in which staff answers: it waits for somebody, or
// has somebody.
const (
	stateQueue = 2
	stateHuman = 3
)

// withHuman says whether a human answers a customer. WeCom is asked where that may
// be so; whether it still is, it alone knows. Where it never says so, the last event
// counts: one customer must not keep what all others write from being read.
func (s *service) withHuman(ctx context.Context, customer string, at *place) (bool, error) {
	if !slices.Contains(at.Human, customer) {
		return false, nil
	}
	var got talkFound
	if err := s.client.call(ctx, request{op: opTalk, path: pathTalk, in: talkRequest{s.cfg.account, customer}}, &got); err != nil {
		if transient(err) || bridge.KindOf(err) == bridge.KindCredential {
			return false, err
		}
		s.log.LogAttrs(ctx, slog.LevelWarn, "whether a human answers a customer is not told", slog.Any("error", err))
		return true, nil
	}
	if got.State == stateQueue || got.State == stateHuman {
		return true, nil
	}
	at.human(customer, false)
	return false, nil
}

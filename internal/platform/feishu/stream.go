package feishu

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/webcall"
)

// sequenceStep is the time in which the number of an operation grows by one, so
// that a later run, which does not know the last number, begins above it.
const sequenceStep = 50 * time.Millisecond

const (
	// clickPause comes before a card is changed that was finished: somebody has
	// clicked on it, and what is changed before the platform has our answer to that
	// is undone.
	clickPause = 500 * time.Millisecond
	// busyTries is how often a card is tried to be changed while the platform is
	// busy with a click on it.
	busyTries = 4
)

// Begin implements bridge.Streamer. The card is made at once but nobody sees it:
// it can be sent one time only, which is what keeps an answer from being shown
// twice. Without the right to make such cards the draft is a message whose card
// is replaced.
func (b *bot) Begin(ctx context.Context, to bridge.Address) (bridge.Draft, error) {
	d := &draft{bot: b, to: to, place: place{UUID: "sb-" + rand.Text(), Began: time.Now().UnixMilli()}, known: true}
	if !b.client.cards() {
		return d, nil
	}
	content, err := encode(growingCard(to))
	if err != nil {
		return nil, err
	}
	d.place.Card, err = b.client.createCard(ctx, content)
	switch bridge.KindOf(err) { //nolint:exhaustive // all others concern messages too
	case "":
		return d, nil
	case bridge.KindForbidden, bridge.KindInvalid, bridge.KindNotFound, bridge.KindUnsupported:
		b.log.LogAttrs(ctx, slog.LevelWarn, "growing cards are not to be had", slog.Any("error", err))
		b.client.giveUpCards()
		return d, nil
	default:
		return nil, err
	}
}

// Resume implements bridge.Streamer. It asks nobody: whether the card can still
// be changed shows at the first change.
func (b *bot) Resume(_ context.Context, at bridge.Address) (bridge.Draft, error) {
	d := &draft{bot: b, to: at}
	if len(at.Data) == 0 || json.Unmarshal(at.Data, &d.place) != nil || d.place.Began == 0 {
		return nil, &bridge.Error{Kind: bridge.KindNotFound, Op: "feishu: resume card", Detail: "the address names no card"}
	}
	d.resumed = true
	if d.place.Ended {
		d.last = time.Now().Add(clickPause)
	}
	return d, nil
}

// draft is an answer in a card.
type draft struct {
	bot   *bot
	to    bridge.Address
	place place
	// resumed says that an earlier run may have shown the card, and anything in it.
	resumed bool
	// lost says that this run sent the message before without learning whether it
	// arrived: it may be there, with another text.
	lost    bool
	text    string // on screen, if known
	known   bool
	updates int
	last    time.Time // of the last operation
	opened  time.Time // when this run last made the card grow
}

// Update implements bridge.Draft.
func (d *draft) Update(ctx context.Context, whole string) error {
	text, _ := fit(whole)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if d.known && d.place.Shown && d.text == text {
		return nil
	}
	if err := d.rest(ctx, d.pause()); err != nil {
		return err
	}
	if err := d.write(ctx, text); err != nil {
		return err
	}
	d.updates++
	return nil
}

// pause is how long one update is apart from the next: the longer the answer
// gets, the more.
func (d *draft) pause() time.Duration {
	switch {
	case d.place.Card == "":
		return patchPause
	case d.updates < 20:
		return cardPause
	case d.updates < 60:
		return time.Second
	default:
		return 2 * time.Second
	}
}

// Finish implements bridge.Draft. What does not fit into the card follows as
// messages.
func (d *draft) Finish(ctx context.Context, c bridge.Content) (bridge.MessageID, error) {
	id, err := d.finish(ctx, c)
	if err == nil {
		d.place.Ended = true
	}
	return id, err
}

func (d *draft) finish(ctx context.Context, c bridge.Content) (bridge.MessageID, error) {
	var text string
	switch c := c.(type) {
	case bridge.Text:
		text = c.Text
	case bridge.Markdown:
		text = c.Text
	case bridge.Card:
		return d.finishCard(ctx, c)
	default:
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opStream, Detail: fmt.Sprintf("a card cannot show %T", c)}
	}
	text, more := fit(text)
	if strings.TrimSpace(text) == "" {
		return "", empty()
	}
	err := d.end(ctx, text)
	if bridge.KindOf(err) == bridge.KindBlocked {
		d.bot.log.LogAttrs(ctx, slog.LevelWarn, "the content was refused", slog.Any("error", err))
		more, err = "", d.end(ctx, i18n.Text(d.to.Language, "feishu.blocked"))
	}
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(more) != "" {
		if _, err := d.bot.Send(ctx, d.to.WithKey(partKey(d.to.Key, 1)), bridge.Markdown{Text: more}); err != nil {
			return "", err
		}
	}
	return bridge.MessageID(d.place.Message), nil
}

// Fail implements bridge.Draft. What an earlier run showed cannot be read back;
// then the notice is put below it, where the card allows that.
func (d *draft) Fail(ctx context.Context, notice string) error {
	switch {
	case d.known && d.text != "":
		notice = d.text + "\n\n" + notice
	case !d.known && d.place.Card != "":
		err := d.put(ctx, notice)
		if kind := bridge.KindOf(err); err == nil || kind != bridge.KindInvalid && kind != bridge.KindUnsupported {
			return err
		}
	}
	_, err := d.Finish(ctx, bridge.Markdown{Text: notice})
	return err
}

// put adds a text below the one on screen, and ends.
func (d *draft) put(ctx context.Context, notice string) error {
	if strings.TrimSpace(notice) == "" {
		return empty()
	}
	if err := d.show(ctx); err != nil {
		return err
	}
	if d.to.Stop != "" {
		err := d.operate(ctx, func(sequence int32) error {
			return d.bot.client.changeCard(ctx, http.MethodDelete, apiStop, d.chat(), d.place.Card, cardRemoval{sequence})
		})
		if err != nil && bridge.KindOf(err) != bridge.KindInvalid { // taken away by an earlier run
			return err
		}
	}
	shown := newCard(notice, "").Body.Elements
	shown[0].ID = elementNotice
	elements, err := encode(shown)
	if err != nil {
		return err
	}
	err = d.operate(ctx, func(sequence int32) error {
		return d.bot.client.changeCard(ctx, http.MethodPost, apiElements, d.chat(), d.place.Card, cardAppend{"append", elements, sequence})
	})
	if err != nil && !hasCode(err, codeTwice) { // put there by an earlier run
		return err
	}
	return d.grow(ctx, false, summaryOf("", notice))
}

// chat is who the card is for.
func (d *draft) chat() string {
	_, id := receiverOf(d.to)
	return id
}

// Address implements bridge.Draft.
func (d *draft) Address() bridge.Address {
	to := d.to
	data, err := json.Marshal(d.place)
	if err == nil { // strings and numbers always encode
		to.Data = data
	}
	return to
}

// end shows the last text. It is the same for every run: to repeat it changes
// nothing.
func (d *draft) end(ctx context.Context, text string) error {
	if d.to.Stop != "" || d.place.Ended { // its buttons go away
		_, err := d.finishCard(ctx, bridge.Card{Text: text})
		return err
	}
	if d.place.Card == "" {
		if err := d.rest(ctx, messagePause); err != nil {
			return err
		}
	}
	if !d.known || d.text != text || !d.place.Shown {
		if err := d.write(ctx, text); err != nil {
			return err
		}
	}
	if d.place.Card == "" {
		return nil
	}
	return d.grow(ctx, false, summaryOf("", text))
}

// finishCard shows a card in place of the text.
func (d *draft) finishCard(ctx context.Context, c bridge.Card) (bridge.MessageID, error) {
	to := d.to
	to.User = "" // the card is there already: nobody is mentioned
	m, err := packCard(c, c.Title, to)
	if err != nil {
		return "", err
	}
	if d.place.Card == "" {
		if err = d.rest(ctx, messagePause); err == nil {
			err = d.replace(ctx, m.content)
		}
		return bridge.MessageID(d.place.Message), err
	}
	if err := d.show(ctx); err != nil {
		return "", err
	}
	whole := func() error {
		return d.operate(ctx, func(sequence int32) error {
			return d.bot.client.changeCard(ctx, http.MethodPut, apiCard, d.chat(), d.place.Card, cardReplace{cardCreate{"card_json", m.content}, sequence})
		})
	}
	// All of it first: a card that has stopped growing and still thinks is no answer.
	err = whole()
	if d.place.Ended || transient(err) {
		return bridge.MessageID(d.place.Message), err
	}
	closed := d.grow(ctx, false, summaryOf(c.Title, c.Text))
	if err != nil && closed == nil { // perhaps it could not be changed while it grew
		err = whole()
	}
	return bridge.MessageID(d.place.Message), cmp.Or(err, closed)
}

// write shows a text.
func (d *draft) write(ctx context.Context, text string) error {
	if d.place.Card == "" {
		m, err := pack(kindCard, newCard(text, summaryOf("", text)).stopping(d.to), maxCard)
		if err != nil {
			return err
		}
		if err := d.replace(ctx, m.content); err != nil {
			return err
		}
		d.text, d.known = text, true
		return nil
	}
	if err := d.show(ctx); err != nil {
		return err
	}
	if time.Since(d.since()) > streamingFor {
		if err := d.grow(ctx, true, ""); err != nil {
			return err
		}
	}
	change := func(sequence int32) error {
		return d.bot.client.changeCard(ctx, http.MethodPut, apiText, d.chat(), d.place.Card, cardTyped{cardDialect().translate(text), sequence})
	}
	err := d.operate(ctx, change)
	if hasCode(err, codeClosed, codeTimedOut) {
		if err = d.grow(ctx, true, ""); err == nil {
			err = d.operate(ctx, change)
		}
	}
	if err != nil {
		return err
	}
	d.text, d.known = text, true
	return nil
}

// since is when the card began to grow, as far as this run knows.
func (d *draft) since() time.Time {
	if !d.opened.IsZero() {
		return d.opened
	}
	return time.UnixMilli(d.place.Began)
}

// show sends the card, if it was not sent. An earlier run may have done so
// without being able to say it: within an hour the platform answers with that
// message, and after it refuses to send a card twice.
func (d *draft) show(ctx context.Context) error {
	if d.place.Shown {
		return nil
	}
	reference := cardReference{Type: "card"}
	reference.Data.ID = d.place.Card
	content, err := encode(reference)
	if err != nil {
		return err
	}
	id, err := d.bot.client.sendMessage(ctx, d.to, outgoing{"interactive", content}, d.place.UUID)
	if err != nil && (!d.resumed || !badCard(err)) {
		return err
	}
	d.place.Shown, d.place.Message, d.last = true, string(id), time.Now()
	return nil
}

// replace shows a card as a message, or in the place of the one before.
func (d *draft) replace(ctx context.Context, content string) error {
	defer func() { d.last = time.Now() }()
	if d.place.Shown {
		return d.bot.client.patchMessage(ctx, d.chat(), d.place.Message, content)
	}
	id, err := d.bot.client.sendMessage(ctx, d.to, outgoing{"interactive", content}, d.place.UUID)
	if err != nil {
		e := asError(err)
		d.lost = d.lost || e != nil && e.Uncertain
		return err
	}
	d.place.Shown, d.place.Message = true, string(id)
	if !d.resumed && !d.lost {
		return nil
	}
	// It may be the message of an earlier run or try, with another text.
	return d.bot.client.patchMessage(ctx, d.chat(), d.place.Message, content)
}

// grow begins or ends the time in which the card grows. A card that is left
// growing shows for ever that more is to come, and cannot be forwarded.
func (d *draft) grow(ctx context.Context, on bool, summary string) error {
	var s cardSetting
	s.Config.Streaming = on
	if summary != "" {
		s.Config.Summary = &cardSummary{summary}
	}
	settings, err := encode(s)
	if err != nil {
		return err
	}
	err = d.operate(ctx, func(sequence int32) error {
		return d.bot.client.changeCard(ctx, http.MethodPatch, apiSettings, d.chat(), d.place.Card, cardSettings{settings, sequence})
	})
	if err == nil && on {
		d.opened = time.Now()
	}
	return err
}

// operate makes one change to the card, once more if somebody's click on it is
// still in the way.
func (d *draft) operate(ctx context.Context, change func(sequence int32) error) error {
	for tries := 1; ; tries++ {
		err := d.number(ctx, change)
		if !hasCode(err, codeBusy) || tries == busyTries {
			return err
		}
		if err := d.rest(ctx, clickPause); err != nil {
			return err
		}
	}
}

// number makes one change to the card, under a number that no other had. One that
// is refused for its number is made again under a much higher one: a clock that
// was put back makes numbers too low.
func (d *draft) number(ctx context.Context, change func(sequence int32) error) error {
	for _, jump := range []int32{0, 1_000, 1_000_000} {
		if err := d.rest(ctx, cardPause); err != nil {
			return err
		}
		d.place.Sequence = d.next(jump)
		err := change(d.place.Sequence)
		d.last = time.Now()
		if !hasCode(err, codeSequence) {
			return err
		}
	}
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: opStream, Code: codeSequence, Detail: "no number is high enough"}
}

// next returns a number above all that any run can have used.
func (d *draft) next(jump int32) int32 {
	byTime := time.Since(time.UnixMilli(d.place.Began)) / sequenceStep
	if byTime < 0 || byTime > math.MaxInt32/2 {
		byTime = 0
	}
	return max(d.place.Sequence+1, int32(byTime)) + jump
}

// rest waits until the last operation is long enough ago.
func (d *draft) rest(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(time.Until(d.last.Add(pause)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return webcall.Stopped(opStream, ctx.Err(), false)
	case <-timer.C:
		return nil
	}
}

// fit cuts off what one card can show of a text; nearly always that is all of it.
func fit(text string) (head, more string) {
	for limit := len(text); ; limit = limit * 3 / 4 {
		head = text[:border(text, limit)]
		if _, err := pack(kindCard, newCard(head, summaryOf("", head)), maxCard-reserved); err == nil {
			return head, strings.TrimLeft(text[len(head):], "\n")
		}
	}
}

// border finds a place to cut: before a line, a word, or a character.
func border(text string, limit int) int {
	if limit >= len(text) {
		return len(text)
	}
	for _, mark := range []string{"\n", " "} {
		if i := strings.LastIndex(text[:limit], mark); i > limit/2 {
			return i
		}
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return limit
}

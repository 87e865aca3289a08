package dingtalk

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/prose"
)

// streamingBot is a bot with a card template: its answers can grow, in an AI
// card. The card's own id is derived from the address's key, so the same answer
// is the same card, however often it is begun.
type streamingBot struct{ *bot }

// Capabilities implements bridge.Capable.
func (b *streamingBot) Capabilities() bridge.Capabilities {
	if b.client.clickable() {
		return clickable(streaming(capabilities()))
	}
	return streaming(capabilities())
}

// Send implements bridge.Bot. What can be clicked needs a card; where there can
// be none, it is refused as what cannot be shown, and the text is sent alone.
func (b *streamingBot) Send(ctx context.Context, to bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	above, card, ok := b.choice(c, to.Language)
	switch {
	case !ok:
		return b.bot.Send(ctx, to, c)
	case above == nil:
		return b.sendCard(ctx, to, card)
	}
	id, err := b.bot.Send(ctx, to, above)
	if err != nil {
		return id, err
	}
	if _, err := b.sendCard(ctx, to.WithKey(to.Key+".buttons"), card); err != nil {
		// The text is there, and what a button does can be typed.
		b.log.LogAttrs(ctx, slog.LevelWarn, "the buttons below a message were refused", slog.Any("error", err))
	}
	return id, nil
}

// sendCard shows a card that is complete.
func (b *streamingBot) sendCard(ctx context.Context, to bridge.Address, card bridge.Card) (bridge.MessageID, error) {
	d, err := b.Begin(ctx, to)
	if err != nil {
		return "", err
	}
	id, err := d.Finish(ctx, card)
	return id, wordless(err)
}

// choice finds a card with something to click. A text that is too long for a card
// is to be shown above it.
func (b *streamingBot) choice(c bridge.Content, lang bridge.Language) (above bridge.Content, card bridge.Card, ok bool) {
	card, ok = c.(bridge.Card)
	links, clicks := apart(card.Buttons)
	if !ok || !b.client.clickable() || len(clicks) == 0 {
		return nil, card, false
	}
	words := bridge.Card{Title: card.Title, Text: card.Text, Buttons: links}
	bare := bridge.Card{Text: i18n.Text(lang, "dingtalk.choose"), Buttons: clicks}
	_, err := listOf(clicks)
	switch size := len(strings.TrimSpace(cardText(words))); {
	case size == 0:
		return nil, bare, true
	case size > maxDraft && err == nil:
		return words, bare, true
	default:
		return nil, card, true
	}
}

// Preview implements bridge.Previewer.
func (b *streamingBot) Preview(to bridge.Address, c bridge.Content) ([]bridge.Shown, error) {
	above, card, ok := b.choice(c, to.Language)
	if !ok {
		return b.bot.Preview(to, c)
	}
	links, clicks := apart(card.Buttons)
	if _, err := listOf(clicks); err != nil {
		return nil, err
	}
	var all []bridge.Shown
	var err error
	if above != nil {
		all, err = b.bot.Preview(to, above)
	}
	text := forCard(cardText(bridge.Card{Title: card.Title, Text: card.Text, Buttons: links}))
	return append(all, bridge.Shown{Kind: bridge.ContentCard, Text: text, Size: len(text), Limit: maxDraft, Buttons: clicks}), err
}

// wordless is the error of a card whose text may yet be sent in another way.
func wordless(err error) error {
	e := asError(err)
	if e == nil {
		return err
	}
	switch e.Kind { //nolint:exhaustive // all others concern messages too
	case bridge.KindNotFound, bridge.KindExpired, bridge.KindForbidden, bridge.KindQuota:
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: e.Op, Code: e.Code, Detail: e.Detail, Args: e.Args}
	default:
		return err
	}
}

// Begin implements bridge.Streamer.
func (b *streamingBot) Begin(_ context.Context, to bridge.Address) (bridge.Draft, error) {
	d := &draft{bot: b.bot, to: to, here: placeOf(to), card: cardPlace{OutTrackID: trackID(b.cfg.id, to.Key)}}
	if _, err := d.create(); err != nil {
		return nil, err
	}
	return d, nil
}

// Resume implements bridge.Streamer. It asks nobody: whether the card can still
// be changed shows at the first change.
func (b *streamingBot) Resume(_ context.Context, at bridge.Address) (bridge.Draft, error) {
	here := placeOf(at)
	if here.Card == nil || here.Card.OutTrackID == "" {
		return nil, &bridge.Error{Kind: bridge.KindNotFound, Op: "dingtalk: resume card", Detail: "the address names no card"}
	}
	return &draft{bot: b.bot, to: at, here: here, card: *here.Card, resumed: true}, nil
}

// draft is an answer in a card.
type draft struct {
	bot  *bot
	to   bridge.Address
	here place
	card cardPlace
	// resumed says that an earlier run may have ended the card already.
	resumed bool
	text    string // shown last by this run
	sent    cardStream
	failed  bool // sent is not known to have arrived
	// buttons are those that can be seen; "" when that is not known.
	buttons string
}

// Update implements bridge.Draft. There is nothing to show of a blank text, and
// the platform refuses one.
func (d *draft) Update(ctx context.Context, whole string) error {
	if strings.TrimSpace(whole) == "" {
		return nil
	}
	if err := d.show(ctx, cardStream{Content: forCard(whole)}, d.stop()); err != nil {
		return err
	}
	d.text = whole
	return nil
}

// Finish implements bridge.Draft.
func (d *draft) Finish(ctx context.Context, c bridge.Content) (bridge.MessageID, error) {
	buttons := noButtons
	if card, ok := c.(bridge.Card); ok && d.bot.client.clickable() {
		links, clicks := apart(card.Buttons)
		list, err := listOf(clicks)
		if err == nil && len(clicks) > 0 {
			err = d.canClick(ctx)
		}
		if err != nil {
			return "", err
		}
		c, buttons = bridge.Card{Title: card.Title, Text: card.Text, Buttons: links}, list
	}
	text, err := markdownOf(c)
	if err != nil {
		return "", err
	}
	if err := d.end(ctx, text, buttons); err != nil {
		return "", err
	}
	return bridge.MessageID(cmp.Or(d.card.CarrierID, d.card.OutTrackID)), nil
}

// Fail implements bridge.Draft. The card is finished rather than marked as
// failed, because templates need not have that state; without an end it would
// seem to type for ever. What an earlier run showed cannot be read back: then
// the notice stands alone.
func (d *draft) Fail(ctx context.Context, notice string) error {
	if d.text != "" {
		notice = d.text + "\n\n" + notice
	}
	return d.end(ctx, notice, noButtons)
}

// Address implements bridge.Draft.
func (d *draft) Address() bridge.Address {
	to, here, card := d.to, d.here, d.card
	here.Card = &card
	to.Data = here.encode()
	return to
}

// end shows the last text. Its frame has the same id in every run, so that a
// repetition is recognised. A card that an earlier run has ended already shows
// that run's end, which was decided before: to send another message would be
// to answer twice.
func (d *draft) end(ctx context.Context, text, buttons string) error {
	frame := cardStream{Content: forCard(text), Finalize: true}
	frame.GUID = digest(d.card.OutTrackID, frame.Content)
	err := d.show(ctx, frame, buttons)
	if d.resumed && bridge.KindOf(err) == bridge.KindExpired {
		err = nil
	}
	if err == nil {
		d.relabel(ctx, buttons)
	}
	return err
}

// relabel puts the last buttons below the text that is complete. What they do can
// be typed as well, so it is not worth failing for.
func (d *draft) relabel(ctx context.Context, buttons string) {
	if !d.card.Clicks || d.buttons == buttons {
		return
	}
	if err := d.bot.client.updateCard(ctx, d.to.Chat, d.card.OutTrackID, map[string]string{d.bot.cfg.buttons: buttons}); err != nil {
		d.bot.log.LogAttrs(ctx, slog.LevelWarn, "the buttons of a card were not shown", slog.Any("error", err))
		return
	}
	d.buttons = buttons
}

// stop is the list of buttons while the answer grows.
func (d *draft) stop() string {
	if d.to.Stop == "" {
		return noButtons
	}
	value := map[string]string{bridge.ValueDo: bridge.DoStop, bridge.ValueJob: d.to.Job}
	list, err := listOf([]bridge.Button{{Text: d.to.Stop, Value: value}})
	if err != nil {
		return noButtons
	}
	return list
}

// canClick says why the card cannot have buttons, if so; then its text can be
// shown alone.
func (d *draft) canClick(ctx context.Context) error {
	if d.card.Shown && d.card.Clicks {
		return nil
	}
	err := error(&bridge.Error{Kind: bridge.KindUnsupported, Op: opCreate, Detail: "the card was made without a way for clicks"})
	if !d.card.Shown {
		err = d.bot.client.route(ctx)
	}
	return wordless(err)
}

// connect gives a new card its buttons and says where clicks on them go. If they
// cannot go anywhere the card has none.
func (d *draft) connect(ctx context.Context, card *cardCreate, buttons string) {
	if !d.bot.client.clickable() {
		return
	}
	err := d.bot.client.route(ctx)
	if d.card.Clicks = err == nil; d.card.Clicks {
		card.CallbackType, card.Route = "HTTP", d.bot.cfg.route()
	} else {
		d.bot.log.LogAttrs(ctx, slog.LevelWarn, "a card without buttons, as clicks cannot be delivered", slog.Any("error", err))
		buttons = noButtons
	}
	card.Data.Params[d.bot.cfg.buttons] = buttons
	d.buttons = buttons
}

// show shows a frame, making the card first if there is none.
func (d *draft) show(ctx context.Context, frame cardStream, buttons string) error {
	if strings.TrimSpace(frame.Content) == "" {
		return empty()
	}
	if d.card.Shown {
		return d.stream(ctx, frame)
	}
	card, err := d.create()
	if err != nil {
		return err
	}
	d.connect(ctx, &card, buttons)
	carrier, err := d.bot.client.createCard(ctx, card)
	if err != nil {
		return err
	}
	d.card.Shown, d.card.CarrierID = true, cmp.Or(carrier, d.card.CarrierID)
	// The service that shows text may hear of the new card a little later.
	for _, pause := range []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second} {
		err = d.stream(ctx, frame)
		if !notYet(err) || !rest(ctx, pause) {
			return err
		}
	}
	return d.stream(ctx, frame)
}

// notYet recognises what the platform says of a card it has only just made. A
// call without an answer is none of it.
func notYet(err error) bool {
	e := asError(err)
	return e != nil && e.Err == nil && (e.Kind == bridge.KindNotFound || e.Kind == bridge.KindUnavailable)
}

// stream sends one frame. A frame that is tried again after an error is the
// same frame to the platform.
func (d *draft) stream(ctx context.Context, frame cardStream) error {
	frame.OutTrackID, frame.Key, frame.Full = d.card.OutTrackID, d.bot.cfg.variable, true
	if frame.GUID == "" {
		frame.GUID = randomID()
		if d.failed && d.sent.Content == frame.Content && d.sent.Finalize == frame.Finalize {
			frame.GUID = d.sent.GUID
		}
	}
	d.sent, d.failed = frame, true
	if err := d.bot.client.streamCard(ctx, d.to.Chat, frame); err != nil {
		return err
	}
	d.failed = false
	return nil
}

// create is the request that makes the card and delivers it.
func (d *draft) create() (cardCreate, error) {
	card := cardCreate{
		TemplateID: d.bot.cfg.template, OutTrackID: d.card.OutTrackID, CallbackType: "STREAM", UserIDType: 1,
		Data: cardData{map[string]string{d.bot.cfg.variable: ""}},
	}
	// What lists show of the card; it stays as it was at the beginning.
	space := &cardSpace{Forward: true, Preview: map[string]string{
		"ZH_CN": i18n.Text(bridge.Chinese, "dingtalk.preview"), "EN_US": i18n.Text(bridge.English, "dingtalk.preview"),
	}}
	switch {
	case d.to.Kind == bridge.Group:
		card.SpaceID, card.GroupSpace = "dtv1.card//IM_GROUP."+d.here.ConversationID, space
		card.GroupDeliver = &groupDeliver{RobotCode: d.bot.cfg.robotCode}
		if d.here.StaffID != "" {
			card.GroupDeliver.At = map[string]string{d.here.StaffID: cmp.Or(d.to.Name, d.here.StaffID)}
		}
	case d.here.StaffID != "":
		card.SpaceID, card.RobotSpace = "dtv1.card//IM_ROBOT."+d.here.StaffID, space
		card.RobotDeliver = &robotDeliver{SpaceType: "IM_ROBOT", RobotCode: d.bot.cfg.robotCode}
	default:
		return cardCreate{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: opCreate, Detail: "a card needs the person's staff id"}
	}
	return card, nil
}

func forCard(text string) string {
	return cardDialect().translate(prose.Clean(text))
}

// markdownOf is what a card can show of a content.
func markdownOf(c bridge.Content) (string, error) {
	switch c := c.(type) {
	case bridge.Text:
		return c.Text, nil
	case bridge.Markdown:
		return c.Text, nil
	case bridge.Card:
		return cardText(c), nil
	default:
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opStream, Detail: fmt.Sprintf("a card cannot show %T", c)}
	}
}

// trackID names a card for ever. Without a key it is a new one each time.
func trackID(bot, key string) string {
	if key == "" {
		return randomID()
	}
	return digest(bot, key)
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "sb-" + hex.EncodeToString(sum[:16])
}

func randomID() string { return "sb-" + rand.Text() }

// rest waits; false when the caller gave up.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

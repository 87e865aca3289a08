package dingtalk

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
)

const platform bridge.Platform = "dingtalk"

// webhookMargin is how long before its end a session webhook is given up.
const webhookMargin = time.Minute

// The codes of what Check finds.
const (
	findCredential = "credential"
	findSend       = "send"
	findCard       = "card"
	findButtons    = "buttons"
)

// Connector describes DingTalk and opens bots on it.
func Connector() bridge.Connector {
	return bridge.Connector{
		Platform: platform,
		Modes:    []bridge.Mode{{ID: modeWebhook, Webhook: true, Capabilities: capabilities()}},
		Form:     fields(),
		Setup:    setup(),
		Open:     open,
	}
}

// setup is the way through DingTalk's console, in its order.
func setup() []bridge.Step {
	const console = "https://open-dev.dingtalk.com"
	return []bridge.Step{
		{Key: "account", Link: console},
		{Key: "create", Link: console},
		{Key: "credentials", Link: console, Fill: []string{keyClientID, keyClientSecret}, Checks: []string{findCredential}},
		{Key: "robot", Modes: []bridge.ModeID{modeWebhook}, Link: console, Copy: []string{"callback_url"}, Fill: []string{keyRobotCode}},
		{Key: "permissions", Link: console, Checks: []string{findSend}},
		{Key: "ip", Link: console},
		{Key: "publish", Link: console},
		{Key: "card", Link: console + "/fe/card", Fill: []string{keyTemplate, keyVariable}, Checks: []string{findCard}},
		{Key: "buttons", Link: console + "/fe/card", Fill: []string{keyButtons}, Checks: []string{findButtons}},
		{Key: "test"},
	}
}

// open makes a bot. With a card template it is one whose answers can grow.
func open(c bridge.Config, env bridge.Env) (bridge.Bot, error) {
	if c.Mode != "" && c.Mode != modeWebhook {
		return nil, form.NoMode(opOpen, c.Mode)
	}
	cfg, err := newConfig(c)
	if err != nil {
		return nil, err
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	b := &bot{cfg: cfg, log: env.Log.With(slog.String("bot", c.ID)), client: newClient(cfg, env)}
	if cfg.template != "" {
		return &streamingBot{b}, nil
	}
	return b, nil
}

// bot is a robot that answers with messages.
type bot struct {
	cfg    config
	log    *slog.Logger
	client *client
}

// Send implements bridge.Bot. It uses the session webhook while that works,
// because it needs no token, no right and no budget.
func (b *bot) Send(ctx context.Context, to bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	here := placeOf(to)
	show, err := b.prepare(ctx, to, here, c)
	if err != nil {
		return "", err
	}
	if here.Webhook != "" && b.cfg.trusts(here.Webhook) && fresh(to.Expires, time.Now()) {
		m, err := show(mentionByID(to, here))
		if err != nil {
			return "", err
		}
		if m.webhook != nil {
			err = b.client.session(ctx, here.Webhook, m.webhook)
			if bridge.KindOf(err) != bridge.KindExpired {
				return "", err // a session webhook tells no message id
			}
		}
	}
	m, err := show(mentionByName(to))
	if err != nil {
		return "", err
	}
	return b.sendByRobot(ctx, to, here, m)
}

// prepare says how to show a content. A file is handed over first; one that the
// platform does not take, or could show to nobody, is named in words instead.
func (b *bot) prepare(ctx context.Context, to bridge.Address, here place, c bridge.Content) (func(mention) (message, error), error) {
	m, isFile := mediaOf(c)
	if isFile && m.visible(to, here) {
		id, err := b.client.upload(ctx, m)
		return uploaded{m, id}.render, err
	}
	if isFile {
		c = m.words()
	}
	return func(who mention) (message, error) { return render(c, who, to.Language) }, nil
}

// visible says that the platform takes a file and can show it there.
func (m media) visible(to bridge.Address, here place) bool {
	return m.accepted() && (m.kind == "image" || to.Kind == bridge.Group || here.StaffID != "")
}

// Preview implements bridge.Previewer, with the robot API's way; a session
// webhook shows the same.
func (*bot) Preview(to bridge.Address, c bridge.Content) ([]bridge.Shown, error) {
	here := placeOf(to)
	m, isFile := mediaOf(c)
	if isFile && m.visible(to, here) {
		return []bridge.Shown{m.shown()}, nil
	}
	if isFile {
		c = m.words()
	}
	shown, err := render(c, mentionByName(to), to.Language)
	if err != nil {
		return nil, err
	}
	return []bridge.Shown{shown.shown()}, nil
}

func (b *bot) sendByRobot(ctx context.Context, to bridge.Address, here place, m message) (bridge.MessageID, error) {
	switch {
	case m.key == "":
		return "", &bridge.Error{Kind: bridge.KindExpired, Op: opSend, Detail: "this content needs a session webhook that still works"}
	case to.Kind == bridge.Group:
		return b.client.sendGroup(ctx, here.ConversationID, m)
	case here.StaffID == "":
		return "", &bridge.Error{Kind: bridge.KindExpired, Op: opSend, Detail: "the session webhook has ended, and a person without a staff id cannot be written to"}
	default:
		return b.client.sendUser(ctx, here.StaffID, m)
	}
}

// fresh tells whether a session webhook still works for a while.
func fresh(expires, now time.Time) bool {
	return expires.IsZero() || now.Before(expires.Add(-webhookMargin))
}

// placeOf reads our part of an address. An address that was written by hand has
// none: then the chat is the conversation, and the user a staff id.
func placeOf(to bridge.Address) place {
	var p place
	if len(to.Data) == 0 || json.Unmarshal(to.Data, &p) != nil {
		p = place{StaffID: string(to.User)}
		if p.StaffID == "" && to.Kind != bridge.Group {
			p.StaffID = to.Chat
		}
	}
	if p.ConversationID == "" {
		p.ConversationID = to.Chat
	}
	return p
}

// Check implements bridge.Bot. Nobody sees anything of it: the send names no
// receiver, and the card is never delivered.
func (b *bot) Check(ctx context.Context) ([]bridge.Finding, error) {
	if _, err := b.client.token.Token(ctx); transient(err) {
		return nil, err
	} else if err != nil {
		return []bridge.Finding{finding(findCredential, err)}, nil
	}
	findings := []bridge.Finding{finding(findCredential, nil)}
	err := b.client.trySend(ctx)
	if transient(err) {
		return nil, err
	}
	findings = append(findings, finding(findSend, err))
	if b.cfg.template == "" {
		return findings, nil
	}
	if err = b.client.tryCard(ctx); transient(err) {
		return nil, err
	}
	findings = append(findings, finding(findCard, err))
	if !b.client.clickable() {
		return findings, nil
	}
	if err = b.client.route(ctx); transient(err) {
		return nil, err
	}
	return append(findings, finding(findButtons, err)), nil
}

// transient tells whether an error says nothing about the settings.
func transient(err error) bool {
	kind := bridge.KindOf(err)
	return kind == bridge.KindCanceled || kind.Retryable()
}

// OpenFile implements bridge.FileOpener. The code in a message is good for a
// short time only.
func (b *bot) OpenFile(ctx context.Context, f bridge.File) (io.ReadCloser, error) {
	link, err := b.client.fileLink(ctx, f.ID)
	if err != nil {
		return nil, err
	}
	return b.client.download(ctx, link)
}

// LookUp implements bridge.Directory. The call is free of charge.
// Departments are ids.
func (b *bot) LookUp(ctx context.Context, user bridge.UserID) (bridge.Profile, error) {
	if user == "" || strings.HasPrefix(string(user), "$:") { // an outsider's senderId is nothing to look up
		return bridge.Profile{}, &bridge.Error{Kind: bridge.KindNotFound, Op: opUser, Detail: "not a staff id"}
	}
	found, err := b.client.user(ctx, string(user))
	p := found.Result
	var departments []string
	for _, id := range p.Departments {
		departments = append(departments, strconv.FormatInt(id, 10))
	}
	return bridge.Profile{
		Name: p.Name, Email: cmp.Or(p.Email, p.OrgEmail), Mobile: p.Mobile, Department: strings.Join(departments, ","), Avatar: p.Avatar,
	}, err
}

// Renew implements bridge.Renewer.
func (b *bot) Renew() { b.client.renew() }

// Close implements bridge.Bot.
func (b *bot) Close() error {
	b.client.close()
	return nil
}

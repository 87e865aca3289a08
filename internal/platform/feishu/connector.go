package feishu

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
	"switchboard/internal/i18n"
	"switchboard/internal/prose"
)

const platform bridge.Platform = "feishu"

// The codes of what Check finds.
const (
	findCredential = "credential"
	findBot        = "bot"
	findScope      = "scope"
	findCard       = "card"
)

// The rights that answering needs: one of each line. What Check reports missing
// is the first.
const (
	scopeSend    = "im:message:send_as_bot im:message im:message:send"
	scopeDirect  = "im:message.p2p_msg:readonly im:message.p2p_msg"
	scopeMention = "im:message.group_at_msg:readonly im:message.group_at_msg im:message.group_at_msg.include_bot:readonly im:message.group_msg im:message.group_msg:readonly"
	scopeCard    = "cardkit:card:write"
)

// enabled is the activate_status of a bot that works.
const enabled = "2"

// Connector describes Feishu and opens bots on it.
func Connector() bridge.Connector {
	return bridge.Connector{
		Platform: platform,
		Modes:    []bridge.Mode{{ID: modeWebhook, Webhook: true, Capabilities: appCapabilities()}},
		Form:     fields(),
		Setup:    setup(),
		Open:     open,
	}
}

// setup is the way through Feishu's console, in its order.
func setup() []bridge.Step {
	const console = "https://open.feishu.cn/app"
	app := console + "/{app_id}"
	return []bridge.Step{
		{Key: "create", Link: console},
		{Key: "credentials", Link: app + "/baseinfo", Fill: []string{keyAppID, keyAppSecret}, Checks: []string{findCredential}},
		{Key: "bot", Link: app + "/bot"},
		{
			Key:    "scopes",
			Link:   app + "/auth?q=im:message:send_as_bot,im:message.p2p_msg:readonly,im:message.group_at_msg:readonly,cardkit:card:write,im:resource,im:message:readonly,im:chat:read&op_from=openapi&token_type=tenant",
			Checks: []string{findScope, findCard},
		},
		{Key: "encrypt", Modes: []bridge.ModeID{modeWebhook}, Link: app + "/event", Fill: []string{keyEncryptKey, keyVerificationToken}},
		{Key: "events", Modes: []bridge.ModeID{modeWebhook}, Link: app + "/event", Copy: []string{"callback_url"}},
		{Key: "publish", Link: app + "/version", Checks: []string{findBot}},
		{Key: "test"},
	}
}

// open makes a bot.
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
	return &bot{cfg: cfg, log: env.Log.With(slog.String("bot", c.ID)), client: newClient(cfg, env.Count)}, nil
}

// bot is the bot of a self-built app.
type bot struct {
	cfg    config
	log    *slog.Logger
	client *client
}

// idSeparator stands between the ids of messages that are one to the caller.
const idSeparator = ","

// Send implements bridge.Bot. Markdown that grew too long for one card is shown
// in several; the id then names all of them.
func (b *bot) Send(ctx context.Context, to bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	var ids []string
	for _, part := range partsOf(c) {
		id, err := b.sendOne(ctx, to.WithKey(partKey(to.Key, len(ids))), part)
		if err != nil {
			return "", partly(err, len(ids))
		}
		ids = append(ids, string(id))
	}
	return bridge.MessageID(strings.Join(ids, idSeparator)), nil
}

// partsOf cuts Markdown into what one card takes. What is longer than a caller
// may send stays whole, and is refused.
func partsOf(c bridge.Content) []bridge.Content {
	text, isMarkdown := c.(bridge.Markdown)
	if !isMarkdown || len(text.Text) > maxMarkdown {
		return []bridge.Content{c}
	}
	var parts []bridge.Content
	for part, more := fit(text.Text); ; part, more = fit(more) {
		parts = append(parts, bridge.Markdown{Title: text.Title, Text: part})
		if strings.TrimSpace(more) == "" {
			return parts
		}
	}
}

// Preview implements bridge.Previewer, with the best way to show each message.
func (*bot) Preview(to bridge.Address, c bridge.Content) ([]bridge.Shown, error) {
	if m, isFile := mediaOf(c); isFile {
		if m.accepted() {
			return []bridge.Shown{m.shown()}, nil
		}
		c = m.words()
	}
	var all []bridge.Shown
	for _, part := range partsOf(c) {
		ways, err := render(part, to)
		if err != nil {
			return nil, err
		}
		all = append(all, ways[0].shown())
	}
	return all, nil
}

// partKey names one of the messages of a send.
func partKey(key string, part int) string {
	if key == "" || part == 0 {
		return key
	}
	return key + "." + strconv.Itoa(part)
}

// partly marks an error after a part was shown: what was asked for has happened
// in part. The error may be shared, so it is copied.
func partly(err error, shown int) error {
	e := asError(err)
	if shown == 0 || e == nil {
		return err
	}
	marked := *e
	marked.Uncertain = true
	return &marked
}

// sendOne sends one message, in the best way that the platform takes. A content
// that is refused for what it says is replaced by words of ours: to insist would
// not help, and the person should know at least.
func (b *bot) sendOne(ctx context.Context, to bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	ways, err := b.prepare(ctx, to, c)
	if err != nil {
		return "", err
	}
	uuid := uuidOf(b.cfg.id, to.Key, "message")
	var id bridge.MessageID
	for _, m := range ways {
		if id, err = b.client.sendMessage(ctx, to, m, uuid); !badCard(err) {
			break
		}
		b.log.LogAttrs(ctx, slog.LevelWarn, "a message was refused as it is written", slog.String("type", m.kind), slog.Any("error", err))
	}
	if bridge.KindOf(err) != bridge.KindBlocked {
		return id, err
	}
	b.log.LogAttrs(ctx, slog.LevelWarn, "the content was refused", slog.Any("error", err))
	m, wrong := renderText(i18n.Text(to.Language, "feishu.blocked"), "")
	if wrong != nil {
		return "", wrong
	}
	return b.client.sendMessage(ctx, to, m, uuidOf(b.cfg.id, to.Key, "blocked"))
}

// prepare says how to show a content. A file is handed over first; one that the
// platform does not take is named in words instead.
func (b *bot) prepare(ctx context.Context, to bridge.Address, c bridge.Content) ([]outgoing, error) {
	m, isFile := mediaOf(c)
	switch {
	case !isFile:
		return render(c, to)
	case !m.accepted():
		return render(m.words(), to)
	}
	key, err := b.client.upload(ctx, m)
	if err != nil {
		return nil, err
	}
	shown, err := m.message(key)
	return []outgoing{shown}, err
}

// uuidOf names one message to the platform, which shows no second one of that
// name within an hour. A message and the words that take its place are two.
func uuidOf(bot, key, purpose string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{bot, key, purpose}, "\x00")))
	return "sb-" + hex.EncodeToString(sum[:16])
}

// Check implements bridge.Bot. None of its calls can be seen by anybody.
func (b *bot) Check(ctx context.Context) ([]bridge.Finding, error) {
	if _, err := b.client.tokens.Token(ctx); transient(err) {
		return nil, err
	} else if err != nil {
		return []bridge.Finding{finding(findCredential, err)}, nil
	}
	findings := []bridge.Finding{finding(findCredential, nil)}
	found, err := b.client.bot(ctx)
	if transient(err) {
		return nil, err
	}
	if status := found.Bot.Status; err == nil && status != enabled {
		err = &bridge.Error{Kind: bridge.KindForbidden, Op: opCheck, Code: "activate_status=" + prose.Label(string(status)), Detail: "the bot is not enabled"}
	}
	findings = append(findings, finding(findBot, err))
	granted, err := b.client.scopes(ctx)
	if transient(err) {
		return nil, err
	}
	switch {
	case hasCode(err, codeUnpublished):
		findings[len(findings)-1] = finding(findBot, err)
		return findings, nil
	case err != nil:
		f := finding(findScope, err)
		f.Args = b.client.grant("")
		return append(findings, f), nil
	}
	return append(findings,
		finding(findScope, b.missing(granted, scopeSend, scopeDirect, scopeMention)),
		finding(findCard, b.missing(granted, scopeCard))), nil
}

// missing is the error for rights that were not granted: each need is a list of
// which one is enough.
func (b *bot) missing(granted map[string]bool, needs ...string) error {
	var missing []string
	for _, need := range needs {
		enough := strings.Fields(need)
		has := false
		for _, scope := range enough {
			has = has || granted[scope]
		}
		if !has {
			missing = append(missing, enough[0])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &bridge.Error{
		Kind: bridge.KindForbidden, Op: opCheck, Code: codeNoScope, Detail: "missing rights", Args: b.client.grant(strings.Join(missing, ",")),
	}
}

// OpenFile implements bridge.FileOpener.
func (b *bot) OpenFile(ctx context.Context, f bridge.File) (io.ReadCloser, error) {
	if f.ID == "" || f.Message == "" {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: opFile, Detail: "a file is fetched from its message"}
	}
	return b.client.file(ctx, f)
}

// LookUp implements bridge.Directory. The call is free of charge. What the app
// may not read is empty. Departments are ids.
func (b *bot) LookUp(ctx context.Context, user bridge.UserID) (bridge.Profile, error) {
	if user == "" {
		return bridge.Profile{}, &bridge.Error{Kind: bridge.KindNotFound, Op: opUser, Detail: "nobody is named"}
	}
	found, err := b.client.user(ctx, string(user))
	p := found.Data.User
	return bridge.Profile{
		Name: p.Name, Email: cmp.Or(p.Email, p.Work), Mobile: p.Mobile, Department: strings.Join(p.Departments, ","), Avatar: p.Avatar.URL,
	}, err
}

// Recall implements bridge.Recaller.
func (b *bot) Recall(ctx context.Context, message bridge.MessageID, _ bridge.Address) error {
	if message == "" {
		return &bridge.Error{Kind: bridge.KindNotFound, Op: opRecall, Detail: "no message is named"}
	}
	var errs []error
	for id := range strings.SplitSeq(string(message), idSeparator) {
		errs = append(errs, b.client.recall(ctx, bridge.MessageID(id)))
	}
	return errors.Join(errs...)
}

// Renew implements bridge.Renewer.
func (b *bot) Renew() { b.client.http.Renew() }

// Close implements bridge.Bot.
func (b *bot) Close() error {
	b.client.http.Close()
	return nil
}

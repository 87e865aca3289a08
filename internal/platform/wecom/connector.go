package wecom

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
	"switchboard/internal/pace"
)

const platform bridge.Platform = "wecom"

// The codes of what Check finds.
const (
	findCredential = "credential"
	findIP         = "ip"
	findAgent      = "agent"
	findAccount    = "account"
)

// Connector describes WeCom and opens bots on it.
func Connector() bridge.Connector {
	return bridge.Connector{
		Platform: platform,
		Modes: []bridge.Mode{
			{ID: modeApp, Webhook: true, Capabilities: appCapabilities()},
			{ID: modeService, Webhook: true, Listens: true, Capabilities: serviceCapabilities()},
		},
		Form:  fields(),
		Setup: setup(),
		Open:  open,
	}
}

// setup is the way through WeCom's console, in its order. The trusted IP comes
// after the callback address, because the console keeps it locked until then.
func setup() []bridge.Step {
	const console = "https://work.weixin.qq.com/wework_admin/frame"
	app, service := []bridge.ModeID{modeApp}, []bridge.ModeID{modeService}
	return []bridge.Step{
		{Key: "company", Link: console + "#profile", Fill: []string{keyCorpID}},
		{Key: "app", Modes: app, Link: console + "#apps", Fill: []string{keyAgentID, keySecret}, Checks: []string{findCredential}},
		{Key: "callback", Modes: app, Link: console + "#apps", Copy: []string{"callback_url"}, Fill: []string{keyToken, keyAESKey}},
		{Key: "ip", Modes: app, Link: console + "#apps", Checks: []string{findIP, findAgent}},
		{Key: "plugin", Modes: app, Link: console + "#profile/wxPlugin", Fill: []string{keyFormat}},
		{Key: "test", Modes: app},
		{Key: "kf_app", Modes: service, Link: console + "#apps", Fill: []string{keySecret}, Checks: []string{findCredential}},
		{Key: "kf_callback", Modes: service, Link: console + "#apps", Copy: []string{"callback_url"}, Fill: []string{keyToken, keyAESKey}},
		{Key: "ip", Modes: service, Link: console + "#apps", Checks: []string{findIP}},
		{Key: "kf_account", Modes: service, Link: "https://work.weixin.qq.com/kf/frame", Fill: []string{keyAccount}, Checks: []string{findAccount}},
		{Key: "kf_people", Modes: service},
		{Key: "kf_test", Modes: service},
	}
}

// open makes a bot.
func open(c bridge.Config, env bridge.Env) (bridge.Bot, error) {
	if c.Mode == "" {
		c.Mode = modeApp
	}
	if c.Mode != modeApp && c.Mode != modeService {
		return nil, form.NoMode(opOpen, c.Mode)
	}
	cfg, err := newConfig(c)
	if err != nil {
		return nil, err
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	if env.Notes == nil {
		env.Notes = noNotes{}
	}
	log, client := env.Log.With(slog.String("bot", c.ID)), newClient(cfg, env)
	if c.Mode == modeService {
		return &service{cfg: cfg, log: log, client: client, notes: env.Notes, bell: newBell()}, nil
	}
	return &bot{cfg: cfg, log: log, client: client}, nil
}

// noNotes keeps nothing.
type noNotes struct{}

// Note implements bridge.Notes.
func (noNotes) Note(context.Context, string) (string, error) { return "", nil }

// Keep implements bridge.Notes.
func (noNotes) Keep(context.Context, string, string) error { return nil }

// bot is a self-built app.
type bot struct {
	cfg    config
	log    *slog.Logger
	client *client
	ledger ledger
}

// Capabilities implements bridge.Capable.
func (b *bot) Capabilities() bridge.Capabilities {
	if b.cfg.plain {
		return plainCapabilities()
	}
	return appCapabilities()
}

// Send implements bridge.Bot. A text that had to become longer than one message
// is shown in several; the id then names all of them.
func (b *bot) Send(ctx context.Context, to bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	user, err := receiver(to)
	if err != nil {
		return "", err
	}
	render := func(c bridge.Content) ([]outgoing, error) { return b.render(c, to) }
	return b.client.send(ctx, c, render, func(messages []outgoing) (bridge.MessageID, error) {
		var all bridge.MessageID
		for i, m := range messages {
			id, err := b.sendOne(ctx, user, partKey(to.Key, i), m)
			if i > 0 && m.Type == typeCard && lasting(err) {
				// The text is there, and what a button does can be typed.
				b.log.LogAttrs(ctx, slog.LevelWarn, "the buttons below a message were refused", slog.Any("error", err))
				break
			}
			if err != nil {
				return "", partly(err, i)
			}
			all = joined(all, id)
		}
		return all, nil
	})
}

// Preview implements bridge.Previewer.
func (b *bot) Preview(to bridge.Address, c bridge.Content) ([]bridge.Shown, error) {
	return preview(c, func(c bridge.Content) ([]outgoing, error) { return b.render(c, to) })
}

func (b *bot) sendOne(ctx context.Context, user, key string, m outgoing) (bridge.MessageID, error) {
	if err := b.client.pace.Wait(ctx, pace.Call{Op: opSend, Chat: user, Message: true}); err != nil {
		return "", err //nolint:wrapcheck // says what was tried
	}
	return b.client.sendMessage(ctx, user, m, b.ledger.unique(user, key, m))
}

// idSeparator stands between the ids of messages that are one to the caller.
const idSeparator = ","

// joined is the id of several messages.
func joined(all, id bridge.MessageID) bridge.MessageID {
	if all == "" {
		return id
	}
	return all + idSeparator + id
}

// receiver is the member to write to. WeCom reads lists and "@all" in this
// place; an answer is never meant for them.
func receiver(to bridge.Address) (string, error) {
	user := string(to.User)
	if user == "" {
		user = to.Chat
	}
	switch {
	case to.Kind == bridge.Group:
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opSend, Detail: "an app cannot write to groups"}
	case user == "" || strings.HasPrefix(user, "@") || strings.ContainsAny(user, "| \t\r\n"):
		return "", &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "the address does not name one member"}
	default:
		return user, nil
	}
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
	var e *bridge.Error
	if shown == 0 || !errors.As(err, &e) {
		return err
	}
	marked := *e
	marked.Uncertain = true
	return &marked
}

// Check implements bridge.Bot. A token proves the ids and the secret; it is
// handed out to any address, so a second call has to prove the trusted IP.
func (b *bot) Check(ctx context.Context) ([]bridge.Finding, error) {
	return b.client.check(ctx, findAgent, func(ctx context.Context) error {
		app, err := b.client.app(ctx)
		if err == nil && app.Closed != 0 {
			err = &bridge.Error{Kind: bridge.KindForbidden, Op: opCheck, Code: codeClosed, Detail: "the app is disabled in the console"}
		}
		return err
	})
}

// check tries the credentials, then a call that says whether the address is
// trusted and whether something else is right.
func (c *client) check(ctx context.Context, code string, call func(context.Context) error) ([]bridge.Finding, error) {
	if _, err := c.token.Token(ctx); transient(err) {
		return nil, err
	} else if err != nil {
		return []bridge.Finding{finding(findCredential, err)}, nil
	}
	findings := []bridge.Finding{finding(findCredential, nil)}
	err := call(ctx)
	var e *bridge.Error
	switch {
	case transient(err):
		return nil, err
	case errors.As(err, &e) && e.Code == codeUntrusted:
		return append(findings, finding(findIP, err)), nil
	default:
		return append(findings, finding(findIP, nil), finding(code, err)), nil
	}
}

// lasting tells whether a call would fail again.
func lasting(err error) bool { return err != nil && !transient(err) }

// transient tells whether an error says nothing about the settings.
func transient(err error) bool {
	kind := bridge.KindOf(err)
	return kind == bridge.KindCanceled || kind.Retryable()
}

func finding(code string, err error) bridge.Finding {
	f := bridge.Finding{Code: code, OK: err == nil, Err: err}
	var e *bridge.Error
	if errors.As(err, &e) {
		f.Args = e.Args
	}
	return f
}

// OpenFile implements bridge.FileOpener. WeCom keeps files for three days.
func (b *bot) OpenFile(ctx context.Context, f bridge.File) (io.ReadCloser, error) {
	return b.client.file(ctx, f.ID)
}

// LookUp implements bridge.Directory. Newer apps learn the name and
// the ids of departments only.
func (b *bot) LookUp(ctx context.Context, user bridge.UserID) (bridge.Profile, error) {
	p, err := b.client.user(ctx, string(user))
	var departments []string
	for _, id := range p.Departments {
		departments = append(departments, strconv.FormatInt(id, 10))
	}
	return bridge.Profile{Name: p.Name, Email: p.Email, Mobile: p.Mobile, Department: strings.Join(departments, ","), Avatar: p.Avatar}, err
}

// Recall implements bridge.Recaller, within 24 hours.
func (b *bot) Recall(ctx context.Context, message bridge.MessageID, _ bridge.Address) error {
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

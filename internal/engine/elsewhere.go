package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

// answerWith shows the answer of an intent and tells the others.
func (t *trip) answerWith(ctx context.Context, a Answer) error {
	for n, notice := range a.Notices {
		if err := t.tellOthers(ctx, notice, n); err != nil {
			t.log.LogAttrs(ctx, slog.LevelWarn, "a notice was not delivered", slog.Int64("job_id", t.job.ID),
				slog.String("bot", notice.To.Bot), slog.Any("error", err))
		}
	}
	switch {
	case a.Kept != "":
		return t.whisper(ctx, a)
	case a.Text == "" && len(a.Next) == 0:
		return nil
	default:
		return t.tellText(ctx, t.propose(a.Text, a.Next))
	}
}

// whisper shows a text that is not stored anywhere. A crash in between may show
// another one a second time; only the last one counts then.
func (t *trip) whisper(ctx context.Context, a Answer) error {
	if err := t.out.Begin(ctx); err != nil {
		return err
	}
	to := t.job.Message.Address.WithKey(reply.Key(t.job.Message) + "-w" + strconv.Itoa(t.job.Attempt))
	to.Language = t.route.Language
	id, err := t.bot.Send(ctx, to, bridge.Markdown{Text: a.Text})
	if err != nil {
		return t.sent(err)
	}
	row := t.out.Row()
	row.State, row.Text, row.Seen, row.Messages, row.UpdatedAt = bridge.ReplyDelivered, a.Kept, true, []bridge.MessageID{id}, time.Now()
	return t.sent(t.store.SaveReply(ctx, row))
}

// tellOthers shows a text in another chat, once however often it is tried.
func (t *trip) tellOthers(ctx context.Context, notice Notice, n int) error {
	bot, _, ok := t.bots(notice.To.Bot)
	if !ok {
		return errNoBot
	}
	_, err := bot.Send(ctx, notice.To.WithKey(reply.Key(t.job.Message)+"-n"+strconv.Itoa(n)), bridge.Markdown{Text: notice.Text})
	return err
}

// inChat is a notice for a group chat of some bot, in words about this message.
func (t *trip) inChat(ctx context.Context, bot, chat, key string, args ...any) Notice {
	if t.opt.GroupID != nil {
		chat = t.opt.GroupID(ctx, bot, chat)
	}
	name := t.route.Person.Name
	if name == "" {
		name = string(t.job.Message.Sender.ID)
	}
	args = append(args, "name", name, "bot", t.job.Message.Bot, "text", t.described(ctx))
	return Notice{bridge.Address{Bot: bot, Chat: chat, Kind: bridge.Group, Language: t.route.Language}, t.say(key, args...)}
}

// described is the message as those read it who do not see its files.
func (t *trip) described(ctx context.Context) string {
	t.findQuote(ctx)
	text := quoting(t.quote(), spoken(t.route.Text, t.job.Message))
	var kinds []string
	for _, f := range t.job.Message.Files {
		if f.Text == "" {
			kinds = append(kinds, t.say("router.notice.kind."+string(f.Kind)))
		}
	}
	if len(kinds) > 0 {
		text = strings.TrimSpace(text + "\n\n" + t.say("router.notice.files", "files", strings.Join(kinds, t.say("ui.list.separator"))))
	}
	return text
}

// forward shows the message in another chat.
func (t *trip) forward(ctx context.Context, o router.Forward) error {
	t.note(bridge.EntryCommand, 0, "", "forwarded to "+o.Bot)
	err := t.tellOthers(ctx, t.inChat(ctx, o.Bot, o.Chat, "router.forward.notice"), 0)
	switch {
	case hopeless(bridge.KindOf(err)) || err != nil && t.job.Attempt >= maxFailures:
		return t.apologise(ctx, err)
	case err != nil:
		return err
	default:
		return t.tell(ctx, "router.forward")
	}
}

// handOver calls a human and keeps the agents out of the chat.
func (t *trip) handOver(ctx context.Context, o router.HandOver) error {
	if err := t.out.Begin(ctx); err != nil { // so that a crash does not leave the person unanswered
		return err
	}
	if err := t.store.Mute(ctx, t.route.Chat, time.Now().Add(o.For)); err != nil {
		return err
	}
	if err := t.audit(ctx, bridge.AuditHandedOver, o.For.String()); err != nil {
		return err
	}
	t.note(bridge.EntryCommand, 0, "", "handed over for "+o.For.String())
	answer := Answer{Text: t.say("router.human")}
	if o.Chat != "" {
		minutes := int(o.For.Round(time.Minute).Minutes())
		answer.Notices = []Notice{t.inChat(ctx, o.Bot, o.Chat, "router.human.notice", "minutes", minutes)}
	}
	return t.answerWith(ctx, answer)
}

// takeBack lets the agents into a chat again.
func (e *Engine) takeBack(ctx context.Context, v Visit) (Answer, error) {
	if !v.Muted {
		return Answer{Text: v.Say("router.command.bot_here")}, nil
	}
	return Answer{Text: v.Say("router.command.bot")}, e.store.Mute(ctx, v.Chat, time.Time{})
}

// Decide gives somebody who waits for it a role and tells them whether they may
// ask now. An error about telling them leaves the role given.
func (e *Engine) Decide(ctx context.Context, p bridge.Person, role bridge.Role, by bridge.Actor) error {
	if err := e.store.SetRole(ctx, p.ID, role, by); err != nil {
		return err
	}
	tell, err := e.Waiting(ctx, p)
	if err != nil {
		return err
	}
	return tell(ctx, role)
}

// Waiting returns what tells somebody who waits whether they may ask now: where they
// wrote last, or in the group where they were told to wait. It is asked for before
// they become part of somebody else, who may have written elsewhere since.
func (e *Engine) Waiting(ctx context.Context, p bridge.Person) (tell func(context.Context, bridge.Role) error, err error) {
	m, found, err := e.store.LastMessage(ctx, p.ID)
	if err == nil && !found { // who wrote in groups only is told there
		m, found, err = e.store.LastWaiting(ctx, p.ID)
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, role bridge.Role) error {
		if !found {
			return nil
		}
		return e.tellRole(ctx, m, p.Language, role)
	}, nil
}

// tellRole answers a message once more: with what was decided about its sender.
func (e *Engine) tellRole(ctx context.Context, m bridge.Message, lang bridge.Language, role bridge.Role) error {
	bot, _, ok := e.bots(m.Bot)
	if !ok {
		return errNoBot
	}
	key := "router.approved"
	if role == bridge.RoleBlocked {
		key = "router.declined"
	}
	to := m.Address.WithKey(reply.Key(m) + "-" + string(role))
	if to.Language = lang; lang == "" {
		to.Language = i18n.Guess(m.Text, bridge.Chinese)
	}
	if _, err := bot.Send(ctx, to, bridge.Markdown{Text: i18n.Text(to.Language, key)}); err != nil {
		return fmt.Errorf("engine: decide: %w", err)
	}
	return nil
}

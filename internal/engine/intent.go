package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/router"
)

// Intent is something people can ask of us rather than of an agent. A business
// function becomes one with a name, some words and a single function; people type
// its words after a slash, or a rule of the routes leads to it.
type Intent struct {
	// Spec says how it is typed; give it to the router too.
	router.Spec

	Handle Handler
	// Help is its line in /help, by language; none leaves it out.
	Help map[bridge.Language]string
}

// Handler answers one intent. It may be called again for the same visit after a
// crash.
type Handler func(ctx context.Context, v Visit) (Answer, error)

// Visit is somebody who asks something of us.
type Visit struct {
	Job      int64
	Person   bridge.Person
	Role     bridge.Role
	Message  bridge.Message
	At       time.Time // when it was accepted
	Argument string    // what was typed after the command
	Session  bridge.Session
	Language bridge.Language
	// Muted says that a human answers in this chat.
	Muted bool
	// About is the answer that a click is about; nil when they wrote.
	About *bridge.Exchange
	// Quiet says that the platform itself shows what they did.
	Quiet bool
	// Chat, Scope and Lane name the chat, what /stop is about, and the talk.
	Chat, Scope, Lane string
}

// Say returns words of ours in the visitor's language.
func (v Visit) Say(key string, args ...any) string { return i18n.Text(v.Language, key, args...) }

// InGroup says that others read the answer.
func (v Visit) InGroup() bool { return v.Message.Chat.Kind == bridge.Group }

// By is the visitor as the audit names them.
func (v Visit) By() bridge.Actor { return bridge.Actor{Who: v.Person.ID, Where: v.Message.Bot} }

// Answer is what a handler says.
type Answer struct {
	Text string // Markdown; with nothing else, nothing is said
	// Next are questions one may ask next.
	Next []string
	// Kept, if set, is stored instead of Text, which only the visitor may see.
	Kept string
	// Ask, if set, is a question to pass on to the agent instead of an answer.
	Ask *bridge.Message
	// Notices are told to others.
	Notices []Notice
}

// Notice is something told in another chat. It is told as well as it goes.
type Notice struct {
	To   bridge.Address
	Text string
}

// Typed makes a handler of a function that wants its argument as a value of some
// type of its own. An argument that cannot be read is answered with the error's
// text, so read returns words for people.
func Typed[T any](read func(v Visit) (T, error), handle func(ctx context.Context, v Visit, value T) (Answer, error)) Handler {
	return func(ctx context.Context, v Visit) (Answer, error) {
		value, err := read(v)
		if err != nil {
			return Answer{Text: err.Error()}, nil //nolint:nilerr // it is the answer
		}
		return handle(ctx, v, value)
	}
}

// handlers returns the handler of every command. Nobody takes a built-in one away.
func (e *Engine) handlers() map[router.Command]Handler {
	all := map[router.Command]Handler{}
	for _, i := range e.opt.Intents {
		all[i.Command] = i.Handle
	}
	for command, handle := range map[router.Command]Handler{
		router.CommandHelp: e.help, router.CommandNew: e.reset, router.CommandStop: e.stop, router.CommandRetry: e.retry,
		router.CommandLink: e.link, router.CommandUnlink: e.unlink, router.CommandMe: e.me, router.CommandLang: e.speak,
		router.CommandBot: e.takeBack, router.CommandAgain: e.again, router.CommandGood: e.rate(bridge.RatingGood),
		router.CommandBad: e.rate(bridge.RatingBad), router.CommandUnrate: e.rate(bridge.RatingNone),
	} {
		all[command] = handle
	}
	return all
}

// intent is the course of answering a command.
func (t *trip) intent(ctx context.Context, command router.Command, argument string, resumed bool) (course, error) {
	t.note(bridge.EntryCommand, 0, "", string(command))
	handle, ok := t.intents[command]
	if !ok {
		return course{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: no intent " + string(command)}
	}
	answer, err := handle(ctx, Visit{
		Job: t.job.ID, Person: t.route.Person, Role: t.route.Role, Message: t.job.Message, At: t.job.AcceptedAt, Argument: argument,
		Session: t.route.Session, Language: t.route.Language, Muted: t.route.Muted, Chat: t.route.Chat, Scope: t.route.Scope, Lane: t.route.Lane,
		About: t.click.subject(), Quiet: t.job.Action != nil && t.job.Action.Kind == bridge.ActionReaction,
	})
	if err != nil && ctx.Err() == nil && t.job.Attempt >= maxFailures {
		return course{act: func(ctx context.Context) error { return t.apologise(ctx, err) }}, nil
	}
	if err != nil {
		return course{}, fmt.Errorf("engine: intent %s: %w", command, err)
	}
	if answer.Ask != nil {
		return t.passOn(ctx, command, *answer.Ask, resumed)
	}
	return course{act: func(ctx context.Context) error { return t.answerWith(ctx, answer) }}, nil
}

// passOn is the course of a question that a command asks. What the rules say about
// it holds as if it had been written, or /again would be a way around them.
func (t *trip) passOn(ctx context.Context, command router.Command, ask bridge.Message, resumed bool) (course, error) {
	m := t.job.Message
	m.Text, m.Files, m.Quote, m.QuoteID = ask.Text, ask.Files, ask.Quote, ask.QuoteID
	t.route = t.router.Reconsider(ctx, m, t.route, command)
	if t.route.Rule != "" {
		t.note(bridge.EntryRouted, 0, "", t.routed())
	}
	if t.route.Refused != router.RefusedNot {
		return t.refuse(ctx, t.route.Refused, t.say("router.refused."+string(t.route.Refused)), resumed)
	}
	t.job.Message.Files, t.job.Message.Quote, t.job.Message.QuoteID = ask.Files, ask.Quote, ask.QuoteID
	t.text = spoken(t.route.Text, ask)
	return t.outcome(ctx, resumed)
}

// help lists what can be asked of us.
func (e *Engine) help(_ context.Context, v Visit) (Answer, error) {
	text := v.Say("router.command.help")
	for _, i := range e.opt.Intents {
		if line := i.Help[v.Language]; line != "" && len(i.Words) > 0 {
			text += "\n- `/" + i.Words[0] + "` " + line
		}
	}
	return Answer{Text: text}, nil
}

// reset lets the next question start afresh.
func (e *Engine) reset(ctx context.Context, v Visit) (Answer, error) {
	greeting := e.greeting(ctx, v.Session.Agent, greeted(v.Person, v.Role, v.Message, v.Language))
	text := strings.TrimSpace(v.Say("router.command.new") + "\n\n" + greeting.Text)
	return Answer{Text: text, Next: greeting.Questions}, e.router.Reset(ctx, bridge.Job{Lane: v.Lane, Message: v.Message}, v.Person)
}

// speak chooses a language.
func (e *Engine) speak(ctx context.Context, v Visit) (Answer, error) {
	var lang bridge.Language
	key := "router.command.lang"
	switch strings.ToLower(v.Argument) {
	case "zh", "zh-cn", "cn", "chinese", "中文", "汉语":
		lang = bridge.Chinese
	case "en", "english", "英文", "英语":
		lang = bridge.English
	case "auto", "自动":
		key = "router.command.lang_auto"
	default:
		return Answer{Text: v.Say("router.command.lang_which")}, nil
	}
	if lang != "" {
		v.Language = lang
	}
	return Answer{Text: v.Say(key)}, e.store.SetLanguage(ctx, v.Person.ID, lang)
}

// me tells what we know about somebody.
func (e *Engine) me(ctx context.Context, v Visit) (Answer, error) {
	identities, err := e.store.Identities(ctx, v.Person.ID)
	if err != nil {
		return Answer{}, err
	}
	var accounts []string
	for _, who := range identities {
		accounts = append(accounts, strings.TrimSpace(platformName(v.Language, who.Platform)+" "+who.Name))
	}
	lines := []string{v.Say("people.me.name", "name", v.Person.Name)}
	if v.Person.Name == "" {
		lines[0] = v.Say("people.me.unnamed")
	}
	lines = append(lines, v.Say("people.me.role", "role", v.Say("people.role."+string(v.Role))))
	if !v.InGroup() { // where somebody else writes from is nobody's business
		lines = append(lines, v.Say("people.me.account", "accounts", strings.Join(accounts, ", ")))
	}
	if s := v.Session; s.Conversation.ID != "" {
		lines = append(lines, v.Say("people.me.session", "count", s.Messages, "since", s.CreatedAt.Format("2006-01-02 15:04")))
	} else {
		lines = append(lines, v.Say("people.me.fresh"))
	}
	return Answer{Text: "- " + strings.Join(lines, "\n- ")}, nil
}

func platformName(lang bridge.Language, p bridge.Platform) string {
	if name, ok := i18n.Find(lang, "platform."+string(p)); ok {
		return name
	}
	return string(p)
}

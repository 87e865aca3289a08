package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/quota"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

// Store keeps replies.
type Store interface {
	Reply(ctx context.Context, jobID int64) (bridge.Reply, bool, error)
	SaveReply(ctx context.Context, r bridge.Reply) error
}

// Bots finds a live bot and what it can show; false when it is not open.
type Bots func(id string) (bridge.Bot, bridge.Capabilities, bool)

// Agents finds an agent; false when there is none of that id.
type Agents func(id string) (bridge.Agent, bool)

// Outcome is what happened with an agent or a bot, for those who watch them.
type Outcome struct {
	Bot, Agent string // one of them
	Err        error  // nil: it worked
	// FirstText is how long the agent took to its first text.
	FirstText time.Duration
	// Took is how long the agent took to the end of its answer or to its failure.
	Took time.Duration
}

// Limits counts what people ask, before the agent is asked.
type Limits interface {
	// Take counts one question of a person to an agent, or refuses it.
	Take(p bridge.Person, agent string) (quota.Refusal, bool)
	// Spend counts the tokens of an answer.
	Spend(p bridge.Person, agent string, tokens int)
}

// Options are the settings of an Engine; the zero value works.
type Options struct {
	// StaleAfter is the age at which a message is no longer answered. Default 2 h.
	StaleAfter time.Duration
	// Pace says how answers of a bot appear; nil means complete and at once.
	Pace func(bot string) reply.Pace
	// Limits may refuse questions; nil means none.
	Limits Limits
	// RetryPause comes before a second try; the next pauses are longer. Default 2 s.
	RetryPause time.Duration
	// Record takes the journal's entries; Observe hears of every outcome. Both
	// may be nil.
	Record  bridge.Record
	Observe func(Outcome)
}

// Engine handles jobs. Make one with New.
type Engine struct {
	store  Store
	router *router.Router
	bots   Bots
	agents Agents
	log    *slog.Logger
	opt    Options
}

// New makes an engine.
func New(store Store, r *router.Router, bots Bots, agents Agents, log *slog.Logger, opt Options) *Engine {
	if opt.StaleAfter <= 0 {
		opt.StaleAfter = 2 * time.Hour
	}
	if opt.Pace == nil {
		opt.Pace = func(string) reply.Pace { return reply.PaceOff }
	}
	if opt.RetryPause <= 0 {
		opt.RetryPause = 2 * time.Second
	}
	if opt.Record == nil {
		opt.Record = func(bridge.Entry) {}
	}
	if opt.Observe == nil {
		opt.Observe = func(Outcome) {}
	}
	return &Engine{store: store, router: r, bots: bots, agents: agents, log: log, opt: opt}
}

// trip is one attempt at one job.
type trip struct {
	*Engine
	job   bridge.Job
	route router.Route
	out   *reply.Writer
	began time.Time
	over  *quota.Refusal // set when the person is over a limit
}

// Handle makes one attempt at a job.
func (e *Engine) Handle(ctx context.Context, job bridge.Job) bridge.Settlement {
	t := &trip{Engine: e, job: job, began: time.Now()}
	err := t.run(ctx)
	if ctx.Err() != nil && err != nil {
		return park() // we are stopping; the next run takes it up
	}
	return t.verdict(ctx, err)
}

// run is the trip. A nil error means that the person has read something final.
func (t *trip) run(ctx context.Context) error {
	if t.job.Action != nil {
		return nil // noted in the journal; nothing to answer yet
	}
	row, found, err := t.store.Reply(ctx, t.job.ID)
	if err != nil {
		return err
	}
	row.JobID = t.job.ID
	if row.State == bridge.ReplyDelivered || row.State == bridge.ReplyFailed {
		return nil // shown before we could say so
	}
	bot, limits, ok := t.bots(t.job.Message.Bot)
	if !ok {
		return errNoBot
	}
	if t.route, err = t.router.Route(ctx, t.job); err != nil {
		return err
	}
	if t.refused(found) {
		return errSilent
	}
	t.open(bot, limits, row)
	t.note(bridge.EntryRouted, 0, "", "agent "+t.route.Agent)
	if row.State == bridge.ReplyAnswered {
		return t.sent(t.out.Deliver(ctx))
	}
	return t.answer(ctx, found)
}

// open makes the writer of this trip.
func (t *trip) open(bot bridge.Bot, limits bridge.Capabilities, row bridge.Reply) {
	m := t.job.Message
	m.Address.Language = t.route.Language
	pace := reply.PaceOff // for words of our own
	if t.asks() && t.over == nil {
		pace = t.opt.Pace(m.Bot)
	}
	t.out = reply.New(t.store, bot, limits, m, row, t.log, reply.Options{
		Pace: pace, Thinking: t.say("reply.thinking"), Record: t.note,
	})
}

// answer says what there is to say: a notice, the answer to a command, or the
// agent's.
func (t *trip) answer(ctx context.Context, resumed bool) error {
	switch {
	case t.stale() && !resumed:
		t.note(bridge.EntryStale, 0, "", time.Since(t.job.Message.SentAt).Round(time.Minute).String())
		return t.tell(ctx, "reply.stale")
	case t.route.Command == router.CommandHelp:
		t.note(bridge.EntryCommand, 0, "", string(t.route.Command))
		return t.tell(ctx, "reply.help")
	case t.route.Command == router.CommandNew:
		t.note(bridge.EntryCommand, 0, "", string(t.route.Command))
		if err := t.router.Reset(ctx, t.job, t.route.Person); err != nil {
			return err
		}
		return t.tell(ctx, "reply.new")
	case t.question() == "":
		t.note(bridge.EntryIgnored, 0, "", "no text in the message")
		return t.tell(ctx, "reply.text_only")
	case t.over != nil:
		return t.tellLimit(ctx)
	default:
		return t.ask(ctx)
	}
}

// tell shows words of ours as the answer.
func (t *trip) tell(ctx context.Context, key string, args ...any) error {
	if err := t.out.Begin(ctx); err != nil {
		return err
	}
	return t.sent(t.out.Finish(ctx, t.say(key, args...)))
}

// sent tells the watchers how the bot fared.
func (t *trip) sent(err error) error {
	var e *bridge.Error
	if err == nil || errors.As(err, &e) {
		t.opt.Observe(Outcome{Bot: t.job.Message.Bot, Err: err})
	}
	return err
}

// question is the text to ask the agent: what was written, or what the platform
// heard in a voice message.
func (t *trip) question() string {
	if text := t.job.Message.Text; text != "" {
		return text
	}
	for _, f := range t.job.Message.Files {
		if f.Text != "" {
			return f.Text
		}
	}
	return ""
}

// asks says that this message is a question for the agent.
func (t *trip) asks() bool {
	return t.route.Command == router.CommandNone && t.question() != "" && !t.stale()
}

func (t *trip) stale() bool { return time.Since(t.job.Message.SentAt) > t.opt.StaleAfter }

func (t *trip) say(key string, args ...any) string { return i18n.Text(t.route.Language, key, args...) }

func (t *trip) note(kind bridge.EntryKind, took time.Duration, trouble bridge.Kind, note string) {
	t.opt.Record(bridge.Entry{
		Kind: kind, At: time.Now(), JobID: t.job.ID, Bot: t.job.Message.Bot, Message: t.job.Message.ID,
		Attempt: t.job.Attempt, Took: took, Note: note, Error: trouble,
	})
}

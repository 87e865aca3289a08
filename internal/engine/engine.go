package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/people"
	"switchboard/internal/privacy"
	"switchboard/internal/quota"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

// Store keeps replies, finds earlier ones and remembers what chats are told.
type Store interface {
	Replies
	Past
	People
	// Tell reports whether something is to be said now, at most once in a span.
	Tell(ctx context.Context, topic string, job int64, span time.Duration) (bool, error)
	// Mute keeps agents out of a chat until a moment; zero lets them in again.
	Mute(ctx context.Context, chat string, until time.Time) error
	Audit(ctx context.Context, a bridge.Audit) error
}

// Replies keeps how far each answer has come.
type Replies interface {
	Reply(ctx context.Context, jobID int64) (bridge.Reply, bool, error)
	SaveReply(ctx context.Context, r bridge.Reply) error
}

// Past finds what was said before.
type Past interface {
	// Exchanges returns the last questions of a lane before a job, oldest first.
	Exchanges(ctx context.Context, lane string, before int64, most int) ([]bridge.Exchange, error)
	// Awaits says whether one of these waits for a decision; it costs much less.
	Awaits(ctx context.Context, lane string, before int64, most int) (bool, error)
	// Undecided returns the last questions whose answers wait for a decision.
	Undecided(ctx context.Context, most int) ([]bridge.Exchange, error)
}

// People knows the accounts of a person, and what they may do.
type People interface {
	Identities(ctx context.Context, person string) ([]bridge.Identity, error)
	Unlink(ctx context.Context, who bridge.Identity, by bridge.Actor) (bridge.Person, error)
	SetLanguage(ctx context.Context, person string, lang bridge.Language) error
	SetRole(ctx context.Context, person string, role bridge.Role, by bridge.Actor) error
	LastMessage(ctx context.Context, person string) (bridge.Message, bool, error)
	// LastWaiting is the message at which they were told to wait for an admin.
	LastWaiting(ctx context.Context, person string) (bridge.Message, bool, error)
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
	// Take counts one question of a person, who has a role with the bot, to an
	// agent, or refuses it.
	Take(p bridge.Person, role bridge.Role, agent string) (quota.Refusal, bool)
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
	// Privacy says what agents and people do not get to see; it is asked before
	// every attempt. Nil hides nothing.
	Privacy func() Privacy
	// Inputs are values for the variables of whichever agent answers for a bot;
	// nil means none.
	Inputs func(bot string) map[string]string
	// Wants says whether an agent asks for an input. It is asked only about what is
	// known of a person and to be hidden; nil means that agents ask for everything.
	Wants func(ctx context.Context, agent, input string) bool
	// GroupID finds the id of a group that a rule names by its title; nil takes
	// every name for an id.
	GroupID func(ctx context.Context, bot, name string) string
	// Intents are answered beside the commands everybody has.
	Intents []Intent
	// Linker links accounts; nil switches that off.
	Linker *people.Linker
	// Profiles asks the directories of the platforms; nil does not.
	Profiles *people.Profiles
	// Waiting hears of somebody who waits for an admin's approval; it may be nil.
	Waiting func(ctx context.Context, p bridge.Person, bot string)
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

	intents map[router.Command]Handler
	answers answers
	asks    chan struct{} // holds a token when a form was shown
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
	if opt.Waiting == nil {
		opt.Waiting = func(context.Context, bridge.Person, string) {}
	}
	e := &Engine{store: store, router: r, bots: bots, agents: agents, log: log, opt: opt, asks: make(chan struct{}, 1)}
	e.intents = e.handlers()
	return e
}

// trip is one attempt at one job.
type trip struct {
	*Engine
	job    bridge.Job
	bot    bridge.Bot
	limits bridge.Capabilities
	route  router.Route
	text   string // what the person asks
	with   attached
	// click is what an action of the person is about; nil when they wrote. asking
	// says that the agent is asked, so that it can be asked again.
	click  *click
	asking bool
	// decision is what the person decided, where an answer waits for that.
	decision *decision
	// handed is the answer whose form the files of a message are for.
	handed *bridge.Exchange
	// privacy is that of the moment this attempt began.
	privacy Privacy
	// asked is what the agent is asked, and vault what it does not get to see of
	// that; nil hides nothing. Noted says that the journal has that already.
	asked bridge.Question
	vault *privacy.Vault
	noted bool
	// department is the person's, as far as a directory says. One that is old is
	// asked again after the answer.
	department, email string
	oldProfile        bool
	out               *reply.Writer
	rest              *stream // still open after a stop
	offered           int     // buttons below what is said
	begun             bool    // an earlier attempt may have shown a beginning of the answer
	began             time.Time
	over              *quota.Refusal // set when the person is over a limit
}

// Handle makes one attempt at a job.
func (e *Engine) Handle(ctx context.Context, job bridge.Job) bridge.Settlement {
	t := &trip{Engine: e, job: job, began: time.Now()}
	defer t.letGo()
	if e.opt.Privacy != nil {
		t.privacy = e.opt.Privacy()
	}
	err := t.run(ctx)
	if ctx.Err() != nil && err != nil {
		return park() // we are stopping; the next run takes it up
	}
	s := t.verdict(ctx, err)
	if s.State.Final() {
		if err := t.tidy(ctx); err != nil {
			return retry(t.delay(), bridge.KindOf(err))
		}
		e.answers.end(job.ID)
	}
	if t.oldProfile {
		e.opt.Profiles.Refresh(ctx, job.Message.Bot, router.Identity(job.Message))
	}
	return s
}

// letGo leaves what is shown to the next attempt, however this one ended: nobody is to
// show a beginning of the answer after that has shown all of it.
func (t *trip) letGo() {
	if t.out != nil {
		t.out.Park()
	}
}

// run is the trip. A nil error means that the person has read something final.
func (t *trip) run(ctx context.Context) error {
	if over, err := t.acted(ctx); over || err != nil {
		return err
	}
	row, found, err := t.store.Reply(ctx, t.job.ID)
	if err != nil {
		return err
	}
	row.JobID = t.job.ID
	if row.State == bridge.ReplyDelivered || row.State == bridge.ReplyFailed {
		return t.closeOverdue(ctx, row) // shown before we could say so
	}
	ok := false
	if t.bot, t.limits, ok = t.bots(t.job.Message.Bot); !ok {
		return errNoBot
	}
	if t.route, err = t.router.Route(ctx, t.job); err != nil {
		return err
	}
	if err := t.translate(ctx); err != nil {
		return err
	}
	t.note(bridge.EntryRouted, 0, "", t.routed())
	if row.State == bridge.ReplyAnswered {
		t.open(row, reply.PaceOff)
		if err := t.sent(t.out.Deliver(ctx)); err != nil {
			return t.undelivered(ctx, err)
		}
		return t.closeOverdue(ctx, t.out.Row())
	}
	c, err := t.course(ctx, found)
	if err != nil {
		return err
	}
	row.Agent = ""
	if c.asks {
		row.Agent = t.route.Agent
	}
	t.open(row, c.pace)
	return t.undelivered(ctx, c.act(ctx))
}

func (t *trip) routed() string {
	if t.route.Rule != "" {
		return "agent " + t.route.Agent + ", rule " + t.route.Rule
	}
	return "agent " + t.route.Agent
}

// open makes the writer of this trip.
func (t *trip) open(row bridge.Reply, pace reply.Pace) {
	m := t.job.Message
	m.Address.Language = t.route.Language
	t.begun = row.Begun
	t.out = reply.New(t.store, t.bot, t.limits, m, row, t.log, reply.Options{
		Pace: pace, Thinking: t.say("reply.thinking"), Cut: t.say("reply.cut"), Stop: t.stopButton(), Record: t.note, Open: t.fetch,
	})
}

// tell shows words of ours as the answer.
func (t *trip) tell(ctx context.Context, key string, args ...any) error {
	return t.tellText(ctx, t.say(key, args...))
}

func (t *trip) tellText(ctx context.Context, text string) error {
	if err := t.out.Begin(ctx); err != nil {
		return err
	}
	return t.sent(t.out.Finish(ctx, text))
}

// sent tells the watchers how the bot fared.
func (t *trip) sent(err error) error {
	var e *bridge.Error
	if err == nil || errors.As(err, &e) {
		t.opt.Observe(Outcome{Bot: t.job.Message.Bot, Err: err})
	}
	return err
}

func (t *trip) stale() bool { return time.Since(t.job.Message.SentAt) > t.opt.StaleAfter }

func (t *trip) say(key string, args ...any) string { return i18n.Text(t.route.Language, key, args...) }

func (t *trip) note(kind bridge.EntryKind, took time.Duration, trouble bridge.Kind, note string) {
	t.opt.Record(bridge.Entry{
		Kind: kind, At: time.Now(), JobID: t.job.ID, Bot: t.job.Message.Bot, Message: t.job.Message.ID,
		Attempt: t.job.Attempt, Took: took, Note: note, Error: trouble,
	})
}

package bridge

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Platform names an instant-messaging platform, for example the value of
// `platform:` in switchboard.yaml. The names themselves are known only to the
// packages below internal/platform.
type Platform string

// ModeID names a way a bot is connected, the value of `mode:` in the settings.
type ModeID string

// Connector describes one platform and opens bots on it. It is a value: making
// one does nothing, so a list of all connectors can be read by the window, the
// settings and the command line alike.
type Connector struct {
	Platform Platform
	// Modes are the ways to connect, the recommended one first.
	Modes []Mode
	// Form holds every setting and secret of every mode; it drives the settings
	// page, the validation of switchboard.yaml and the masking of secrets.
	Form []Field
	// Setup is the guided set-up, as data.
	Setup []Step
	// Open makes a live bot. It checks the configuration but does not use the
	// network: a wrong secret shows in Bot.Check or at the first send.
	Open func(Config, Env) (Bot, error)
}

// Mode returns the mode of that name; an empty name is the first mode.
func (c Connector) Mode(id ModeID) (Mode, bool) {
	if id == "" && len(c.Modes) > 0 {
		return c.Modes[0], true
	}
	for _, m := range c.Modes {
		if m.ID == id {
			return m, true
		}
	}
	return Mode{}, false
}

// Fields returns the part of the form that a mode needs.
func (c Connector) Fields(id ModeID) []Field {
	var fields []Field
	for _, f := range c.Form {
		if len(f.Modes) == 0 || slices.Contains(f.Modes, id) {
			fields = append(fields, f)
		}
	}
	return fields
}

// Mode is one way a bot is connected to its platform.
type Mode struct {
	ID ModeID
	// Webhook says that the platform calls us: the bot needs a public address.
	Webhook bool
	// Listens says that the bot keeps a connection of its own (see Listener).
	Listens bool
	// Capabilities are the limits and abilities of a bot in this mode.
	Capabilities Capabilities
}

// SendOnly says that nothing is ever received in this mode.
func (m Mode) SendOnly() bool { return !m.Webhook && !m.Listens }

// Field is one setting or secret of a bot. Its words are looked up in the
// catalogue under "field.<platform>.<key>" (label) and "….hint" (help).
type Field struct {
	Key string
	// Secret fields never stand in switchboard.yaml; they are kept under the
	// name bot/<id>/<key>.
	Secret bool
	// Required fields must have a value in the modes they belong to.
	Required bool
	// Advised fields may be left out, but the admin is told that a value makes
	// the bot safer.
	Advised bool
	// Default is used when a setting is absent.
	Default string
	// Modes restricts the field to some modes; empty means all.
	Modes []ModeID
	// Number says that a number is expected (switchboard.yaml may then hold a
	// number or a string).
	Number bool
	// Check returns a short reason in English when a value cannot be right, for
	// example a wrong length; nil accepts everything.
	Check func(string) error
}

// Step is one step of the guided set-up. Text keys are looked up in the
// catalogue under "setup.<platform>.<key>".
type Step struct {
	Key string
	// Modes restricts the step to some modes; empty means all.
	Modes []ModeID
	// Link is the console page this step happens on; it may hold {app_id} and
	// other setting keys in braces.
	Link string
	// Copy lists our values to show with a copy button: callback_url or the key
	// of a field that we generate.
	Copy []string
	// Fill lists the form fields the admin pastes in this step.
	Fill []string
	// Checks lists the findings (Finding.Code) this step should turn green.
	Checks []string
}

// Capabilities says what a bot can show and how much of it, in one mode. Each
// connector states the source of its numbers in capabilities.go.
type Capabilities struct {
	// MaxText and MaxMarkdown limit one message, in bytes. 0 means that the
	// platform has no such message.
	MaxText, MaxMarkdown int
	// MaxMessages is how many messages one question may be answered with; 0 means
	// as many as it takes.
	MaxMessages int
	// MaxDraft limits the text of one draft, in bytes; 0 when Stream is false.
	MaxDraft int
	// Stream says that the bot is a Streamer: an answer can grow on screen.
	Stream bool
	// UpdateInterval is the shortest pause between two updates of one draft.
	UpdateInterval time.Duration
	// DraftLife is how long a draft can be updated after it was begun.
	DraftLife time.Duration
	// Keyed says that a repeated send with the same Address.Key is shown once.
	Keyed bool
	// Groups says that the bot can take part in group chats.
	Groups bool
	// Files, Directory, Recall and Backfill say which optional interfaces a bot
	// of this mode has.
	Files, Directory, Recall, Backfill bool
	// Buttons says that the buttons of a Card, as a message and as the end of a
	// draft, come back as an ActionButton when they are clicked. Where it is false
	// a Card shows links only, and everything else is typed.
	Buttons bool
	// MaxButtons is how many buttons one Card may have; 0 without Buttons.
	MaxButtons int
	// ButtonsApart says that buttons are a message of their own below the text, and
	// gone with the first click: they are for what calls for a choice, not for every
	// answer.
	ButtonsApart bool
	// Ratings says that the platform itself lets people rate an answer, which
	// comes as an ActionReaction with ValueDo and ValueJob; no buttons of ours are
	// needed for that.
	Ratings bool
	// AnswerWithin is the platform's deadline for the HTTP answer to a webhook.
	AnswerWithin time.Duration
	// RedeliversFor is how long after an event the platform may deliver it again.
	RedeliversFor time.Duration
	// Limits are how many calls a bot of this mode makes at most, below what the
	// platform takes. The bot keeps to them by itself.
	Limits []Limit
	// MonthlyCalls and MonthlyPushes are the free edition's allowances, which all
	// apps of a company share; 0 means that there is no such limit.
	MonthlyCalls, MonthlyPushes int
}

// LimitScope is what a Limit counts together.
type LimitScope string

// The scopes.
const (
	LimitAPI  LimitScope = "api"  // the calls to one API, whoever they are for
	LimitChat LimitScope = "chat" // the messages to one person or group
)

// Limit is how fast a bot makes calls: AtOnce after a rest, and then one in Every.
// So in any time span there are at most AtOnce, and one more for each Every of it.
type Limit struct {
	Per    LimitScope
	Every  time.Duration
	AtOnce int
	// Patience is how long a call waits for its turn before the caller is told to
	// come back later; 0 is for ever.
	Patience time.Duration
}

// Config is what one bot is opened with.
type Config struct {
	ID       string // the bot's id in switchboard.yaml
	Platform Platform
	Mode     ModeID
	Settings map[string]string // every setting of the mode, defaults filled in
	Secrets  map[string]Secret // by field key; a missing optional one is absent
}

// Setting returns a setting without surrounding blanks.
func (c Config) Setting(key string) string { return strings.TrimSpace(c.Settings[key]) }

// Env is what the house lends to a bot.
type Env struct {
	Log *slog.Logger
	// Count is called once for each call that counts against the platform's
	// monthly budget, with the name of the API; it may be nil.
	Count func(api string)
	// Pushed is called once for each push that counts against the platform's
	// monthly budget of pushes; it may be nil.
	Pushed func()
	// Callback returns the address at which the platform can reach the bot's webhook
	// now, "" when there is none; it may be nil.
	Callback func() string
	// Notes keep what the bot has to know after a restart, such as how far it has
	// read; nil keeps nothing.
	Notes Notes
}

// Notes are a bot's own small notes, each under a name.
type Notes interface {
	// Note returns a note; empty when there is none of that name.
	Note(ctx context.Context, name string) (string, error)
	// Keep writes a note in place of the one before. It is durable when Keep
	// returns.
	Keep(ctx context.Context, name, note string) error
}

package bridge

import "time"

// BotState is how a bot is doing, in one word.
type BotState string

// The states of a bot.
const (
	BotReady   BotState = "ready"   // open, a message has come or the check was good
	BotWaiting BotState = "waiting" // open, nothing has come yet
	BotFailing BotState = "failing" // open, but the last call failed
	BotBroken  BotState = "broken"  // could not be opened
	BotPaused  BotState = "paused"
)

// BotStatus is a bot as the overview shows it.
type BotStatus struct {
	ID       string
	Platform Platform
	Mode     ModeID
	Agent    string
	State    BotState
	// Callback is the path of the webhook, empty in other modes.
	Callback string
	// Received and Answered count since midnight.
	Received, Answered, Failed int
	LastMessage                time.Time
	Err                        error
}

// AgentStatus is an agent as the overview shows it.
type AgentStatus struct {
	ID, Kind string
	// Version is that of its server; empty when it has not told it.
	Version string
	// Running and Limit are the questions being answered and how many may be.
	Running, Limit int
	// Waiting counts the accepted questions that wait for their turn.
	Waiting    int
	LastAnswer time.Time
	Latency    time.Duration // to the first text, of the last answer
	Err        error
}

// Overview is the state of the whole house at one moment.
type Overview struct {
	Bots   []BotStatus
	Agents []AgentStatus
	// Received, Answered and Failed count all bots since midnight.
	Received, Answered, Failed int
	Paused                     bool
	PublicURL                  string // empty when nothing is reachable from outside
	Listen                     string // the public listener's address
	Demo                       bool   // the built-in simulator is running
	// Budgets are the monthly allowances, by account and meter.
	Budgets []Budget
	Version string
	Since   time.Time
}

// TalkRow is one row of the list of conversations: everything said in one lane,
// over all platforms and sessions.
type TalkRow struct {
	Lane      string
	Title     string // the person's or the group's name
	Person    string
	Agent     string
	Platforms []Platform // every platform it was held on, the latest first
	LastText  string     // the last question; empty when content is not stored
	LastAt    time.Time
	Questions int
	// State and ReplyState are of the last question.
	State      JobState
	ReplyState ReplyState
}

// Exchange is a question and its answer with everything that happened to them.
type Exchange struct {
	Job     Job
	Reply   Reply // zero State when none was begun
	Entries []Entry
}

// TalkQuery selects rows of the list of conversations.
type TalkQuery struct {
	Text  string // part of a question, an answer or a name
	Bot   string
	Limit int
	// Before pages on: rows whose last question is older.
	Before time.Time
}

// ExportQuery selects what people wrote and were answered, to be taken elsewhere.
type ExportQuery struct {
	Since  time.Time // zero: from the beginning
	Bot    string
	Person string // with accounts that were linked since
	// NotQueue leaves out what an agent was asked.
	NotQueue string
	// After pages on: jobs with a higher id.
	After int64
	Limit int
}

// ExportRow is a question and its answer.
type ExportRow struct {
	Job    Job
	Reply  Reply  // zero State when none was begun
	Person string // who asked; empty when nobody knows any more
}

// Salvaged says how many questions could be read of a damaged database, and in how
// many places there was nothing to be read any more.
type Salvaged struct{ Rows, Gaps int }

// Severity says how bad a Notice is.
type Severity string

// The severities.
const (
	SeverityInfo    Severity = "info"    // worth knowing; nothing is wrong
	SeverityWarning Severity = "warning" // works, but needs care
	SeverityError   Severity = "error"   // something does not work
)

// Notice is a warning in words, as the window shows it.
type Notice struct {
	// ID is the same as long as the trouble lasts.
	ID       string
	Severity Severity
	Title    string // what is wrong, in a few words
	Detail   string // one or two sentences; may be empty
	Next     string // what to do now; may be empty
	// Bot is the bot it is about, if it is about one.
	Bot   string
	Since time.Time
}

// Backup is a copy of the database.
type Backup struct {
	Path string
	At   time.Time
	Size int64
}

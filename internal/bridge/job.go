package bridge

import "time"

// JobState is where a job is in its life; the names are River's.
type JobState string

// The states of a job. The last three are final.
const (
	JobAvailable JobState = "available" // waiting for its turn
	JobRunning   JobState = "running"   // being handled
	JobRetryable JobState = "retryable" // failed, to be tried again at DueAt
	JobCompleted JobState = "completed"
	JobCancelled JobState = "cancelled" // nothing to do: stale, muted, superseded
	JobDiscarded JobState = "discarded" // given up after too many attempts
)

// Final says that a job in this state is never touched again.
func (s JobState) Final() bool {
	return s == JobCompleted || s == JobCancelled || s == JobDiscarded
}

// Job is a message's place in the inbox.
type Job struct {
	ID int64
	// Message is what has to be answered. For a job that stands for an action,
	// Action is set and Message holds where and who, and what they could as well
	// have written.
	Message Message
	Action  *Action
	// Queue is the id of the agent that will answer; each queue has its own
	// number of workers.
	Queue string
	// Lane is what must stay in order: jobs of one lane run one after the other.
	Lane    string
	State   JobState
	Attempt int // 1 in the first try; 0 before it
	// LastError is the kind of the last failed try.
	LastError  Kind
	AcceptedAt time.Time
	DueAt      time.Time
	StartedAt  time.Time // of the last attempt
	FinishedAt time.Time
}

// NewJob is what Accept puts into the inbox.
type NewJob struct {
	Message Message
	Action  *Action
	Queue   string
	Lane    string
}

// Accepted is the outcome of accepting one message.
type Accepted struct {
	JobID int64
	// Duplicate says that this message had been accepted before; JobID is then
	// the first job's.
	Duplicate bool
}

// Settlement is how an attempt ended. It takes effect only if that attempt is
// still the running one.
type Settlement struct {
	JobID   int64
	Attempt int
	State   JobState
	DueAt   time.Time // when State is JobRetryable
	Error   Kind
}

// ReplyState is how far the answer to a job has come.
type ReplyState string

// The states of a reply.
const (
	// ReplyPlanned: nothing can be visible yet.
	ReplyPlanned ReplyState = "planned"
	// ReplyDrafting: Draft is known; something may be visible and growing.
	ReplyDrafting ReplyState = "drafting"
	// ReplyAnswered: Text is the final text; its parts are being delivered.
	ReplyAnswered ReplyState = "answered"
	// ReplyDelivered: everything was shown.
	ReplyDelivered ReplyState = "delivered"
	// ReplyFailed: an apology was shown instead of, or below, the answer.
	ReplyFailed ReplyState = "failed"
)

// Reply is the record of the one visible answer to a job. It is stored before
// anything becomes visible and after every step, so that another attempt goes
// on where the last one stopped.
type Reply struct {
	JobID int64
	State ReplyState
	// Draft is where the growing answer lives; its Bot is empty when there is none.
	Draft Address
	// Text is the text that was decided to be shown; while drafting it is empty.
	Text string
	// Sent counts the parts of Text known to be delivered. Sending is the number
	// of the part on its way, 0 when none is: after a crash it tells that the
	// outcome of that part is unknown.
	Sent, Sending int
	Messages      []MessageID
	// Uncertain counts the parts that were repeated without knowing whether the
	// first try had been shown, on a platform without idempotency keys.
	Uncertain int
	// Files are shown after Text, each as a part of its own. They are forgotten
	// once everything was shown.
	Files []FileAdded
	// Buttons stand below the last part of Text, where the bot can show them.
	Buttons []Button
	// Form is the decision that the answer waits for; nil when there is none, or
	// when it was made.
	Form         *Form
	Conversation Conversation
	Run          Run
	// Failures counts how often the agent failed before its first text.
	Failures int
	// Seen says that Text holds what the agent wrote; otherwise, with an Error, it
	// is a notice of ours alone.
	Seen bool
	// Begun says that the draft may hold a beginning of the agent's answer, below
	// which a notice belongs; otherwise a notice takes the place of what is there.
	Begun bool
	Usage Usage
	// Agent is the agent that was asked; empty when the answer is words of ours.
	Agent     string
	Error     Kind
	UpdatedAt time.Time
}

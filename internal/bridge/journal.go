package bridge

import "time"

// EntryKind is what a journal entry tells.
type EntryKind string

// The kinds of entry, in the order of a message's trip. The words are in the
// catalogue under "entry.<kind>".
const (
	EntryReceived  EntryKind = "received"  // accepted and stored
	EntryDuplicate EntryKind = "duplicate" // delivered again; silent
	EntryRefused   EntryKind = "refused"   // a webhook request we turned away
	EntryIgnored   EntryKind = "ignored"   // genuine, but nothing to answer
	EntryStarted   EntryKind = "started"   // an attempt began
	EntryRouted    EntryKind = "routed"    // person, session and agent are known
	EntryCommand   EntryKind = "command"   // answered by us: /help, /new
	EntryMasked    EntryKind = "masked"    // personal values were hidden, in the question or in the answer
	EntryAttached  EntryKind = "attached"  // files of the message were handed to the agent
	EntryAsked     EntryKind = "asked"     // the question left for the agent
	EntryFirstText EntryKind = "first_text"
	EntryShown     EntryKind = "shown"    // the draft became visible
	EntryStopped   EntryKind = "stopped"  // cut short because the person said so
	EntryAnswered  EntryKind = "answered" // the agent's answer is complete
	EntryDelivered EntryKind = "delivered"
	EntryRated     EntryKind = "rated"      // the person said what they think of an earlier answer
	EntryRepeated  EntryKind = "repeated"   // a part was sent again, outcome unknown
	EntryLost      EntryKind = "lost"       // the agent forgot the conversation
	EntryRetry     EntryKind = "retry"      // the attempt failed, another follows
	EntryApology   EntryKind = "apology"    // the person was told that it failed
	EntryStale     EntryKind = "stale"      // too old to answer
	EntryDiscarded EntryKind = "discarded"  // given up
	EntryRescued   EntryKind = "rescued"    // taken back from a run that died
	EntryWoke      EntryKind = "woke"       // the computer slept; everything connects anew
	EntrySent      EntryKind = "sent"       // the admin sent something of their own accord
	EntryTakenBack EntryKind = "taken_back" // and took it back
)

// EntryKinds lists every kind, for catalogues and tests.
func EntryKinds() []EntryKind {
	return []EntryKind{
		EntryReceived, EntryDuplicate, EntryRefused, EntryIgnored, EntryStarted, EntryRouted, EntryCommand, EntryMasked, EntryAttached, EntryAsked,
		EntryFirstText, EntryShown, EntryStopped, EntryAnswered, EntryDelivered, EntryRated, EntryRepeated, EntryLost, EntryRetry, EntryApology,
		EntryStale, EntryDiscarded, EntryRescued, EntryWoke, EntrySent, EntryTakenBack,
	}
}

// Entry is one line of the journal. It never holds content of a message.
type Entry struct {
	ID      int64
	At      time.Time
	Kind    EntryKind
	JobID   int64 // 0 when there is none
	Bot     string
	Message MessageID
	Attempt int
	// Took is the time since the step before, where that means something.
	Took time.Duration
	// Note is a short technical remark in English: a code, a count, an agent.
	Note string
	// Error is the kind of trouble, if it was one.
	Error Kind
}

// Record takes one journal entry. It never blocks and never fails; who keeps
// the journal decides what to do with it.
type Record func(Entry)

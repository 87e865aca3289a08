package bridge

import "time"

// RoleNew is the role of people nobody has decided about yet: what they may do
// is up to the bot they write to.
const RoleNew Role = "new"

// Newcomer is somebody who waits for an admin's decision.
type Newcomer struct {
	Person Person
	Bot    string    // where they wrote first
	Since  time.Time // when
}

// LinkCode lets a person prove on a second platform who they are. The code
// itself is known to that person only.
type LinkCode struct {
	Person     string // who asked for it
	Salt, Hash []byte
	Expires    time.Time
	Address    Address // where that person is told that it was used
	// UsedBy is the job that used it, 0 before that. The same job may find it
	// again after a crash.
	UsedBy int64
}

// LinkTries is how often a person typed wrong codes.
type LinkTries struct {
	Wrong       int
	LockedUntil time.Time // zero when not locked
}

// Suggestion says that two people may be the same human being.
type Suggestion struct {
	People [2]string // Person.ID, in order
	// Because names what is equal: "email" or "mobile".
	Because string
}

// Actor is who changed something, and from where.
type Actor struct {
	// Who is Person.ID, or empty for the admin; where Where is "cli", the name of
	// the user of this computer.
	Who string
	// Where is the bot's id, or "window", "api", "cli" or "file".
	Where string
}

// AuditKind is what an audit entry tells.
type AuditKind string

// The kinds of audit entry. The words are in the catalogue under "audit.<kind>".
const (
	AuditMerged     AuditKind = "merged"      // two people became one
	AuditApart      AuditKind = "apart"       // two people are not one, whatever directories say
	AuditUnlinked   AuditKind = "unlinked"    // an identity became a person of its own
	AuditRenamed    AuditKind = "renamed"     // a person was given another name
	AuditRole       AuditKind = "role"        // a person was given another role
	AuditUndone     AuditKind = "undone"      // an earlier entry was taken back
	AuditRefused    AuditKind = "refused"     // somebody was not answered
	AuditApproval   AuditKind = "approval"    // somebody waits for an admin's decision
	AuditLocked     AuditKind = "locked"      // too many wrong link codes
	AuditHandedOver AuditKind = "handed_over" // a human answers in a chat for a while
	AuditMasked     AuditKind = "masked"      // personal values were hidden
	AuditAsked      AuditKind = "asked"       // the admin had a question asked again
	AuditSettings   AuditKind = "settings"    // the settings were changed
	AuditByHand     AuditKind = "by_hand"     // the settings file was changed by hand
	AuditSecret     AuditKind = "secret"      // a secret was kept, deleted or moved
	AuditDatabase   AuditKind = "database"    // the database was copied or replaced
	AuditExported   AuditKind = "exported"    // what people wrote was exported
	AuditSent       AuditKind = "sent"        // the admin sent something of their own accord
	AuditTakenBack  AuditKind = "taken_back"  // and took it back
)

// AuditKinds lists every kind, for catalogues and tests.
func AuditKinds() []AuditKind {
	return []AuditKind{
		AuditMerged, AuditApart, AuditUnlinked, AuditRenamed, AuditRole, AuditUndone, AuditRefused, AuditApproval, AuditLocked, AuditHandedOver,
		AuditMasked, AuditAsked, AuditSettings, AuditByHand, AuditSecret, AuditDatabase, AuditExported, AuditSent, AuditTakenBack,
	}
}

// Audit is one line of the audit: who did what to whom. It is never changed and
// never holds content of a message.
type Audit struct {
	ID     int64
	At     time.Time
	Kind   AuditKind
	By     Actor
	Person string // whom it is about
	Note   string // a short technical remark in English
	// Undoable says that Undo can still take it back: not twice, and not while whom
	// it is about is part of somebody else.
	Undoable bool
	// Undoes is the entry that this one takes back, 0 when it is none.
	Undoes int64
}

// AuditQuery selects audit entries; the zero value is the latest ones.
type AuditQuery struct {
	Person string // and whoever was merged into them
	Kind   AuditKind
	Since  time.Time // entries from then on; zero for all
	Before int64     // pages on: entries with a smaller ID
	Limit  int
}

package bridge

import (
	"strings"
	"time"
	"unicode"
)

// Role is what a person may do.
type Role string

// The roles.
const (
	RoleAdmin   Role = "admin"
	RoleMember  Role = "member"
	RoleGuest   Role = "guest"
	RoleBlocked Role = "blocked"
)

// Person is one human being, whichever platforms they write from.
type Person struct {
	ID        string // ours; opaque and stable
	Name      string // as last seen on a platform, or as the admin wrote it
	Role      Role
	Language  Language // chosen with /lang; empty follows the message
	CreatedAt time.Time
}

// Identity is one platform user who belongs to a person. The key is Platform,
// Tenant and User together.
type Identity struct {
	Platform Platform
	Tenant   string
	User     UserID
	Person   string // Person.ID
	Name     string
	LinkedAt time.Time
}

// Profile is what a platform's directory says of a user.
type Profile struct {
	Name, Email, Mobile, Department, Avatar string
}

// Department is a department as a platform's directory has it.
type Department struct {
	ID, Name string
	Above    string // the ID of the one it is part of; empty at the top
}

// Session is our side of a thread of talk: a person, or a group chat, with an
// agent. It outlives platforms and restarts.
type Session struct {
	ID string
	// Lane is the scope the session belongs to; one lane has one open session.
	Lane  string
	Agent string
	// Person is empty for a group's session.
	Person       string
	Conversation Conversation
	LastPlatform Platform
	Messages     int // questions answered in it
	// Vault holds the values that the agent knows only by placeholders; empty
	// when there are none. It is gone when the session is closed.
	Vault      Secret
	CreatedAt  time.Time
	LastActive time.Time
}

// PersonRow is one row of the list of people.
type PersonRow struct {
	Person     Person
	Identities []Identity // the first one linked first
	// LastSeen is when they last wrote in a direct chat, or were first met.
	LastSeen time.Time
	// WaitsSince is since when an admin has to decide about them, zero when none
	// has to; WaitsFor is the bot they wrote to.
	WaitsSince time.Time
	WaitsFor   string
}

// PeopleQuery selects people; the zero value is everybody.
type PeopleQuery struct {
	ID      string // of one person
	Text    string // in names, ids, e-mail addresses, mobile numbers and departments
	Role    Role
	Waiting bool       // for an admin's decision
	After   *PersonRow // pages on: the last row of the page before
	Limit   int
}

// Account is an identity with what the platform's directory says of it.
type Account struct {
	Identity Identity
	Profile  Profile
}

// Likeness says that somebody else may be the same human being.
type Likeness struct {
	With    PersonRow
	Because string // "email" or "mobile"
}

// Alike are two people who may be one human being.
type Alike struct {
	People  [2]PersonCard // without their history and usage, and who else they may be
	Because string        // "email" or "mobile"
}

// Decision is what was decided about two people: that they are one, or are not.
type Decision struct {
	Audit Audit
	Names [2]string
}

// Likenesses is everything there is to decide about people who may be one.
type Likenesses struct {
	Pairs []Alike // the first of Total
	Total int
	// Decided are the latest decisions that can be taken back.
	Decided []Decision
}

// PersonCard is everything about a person that the window shows.
type PersonCard struct {
	PersonRow

	Accounts []Account
	History  []Audit // the latest first
	Likely   []Likeness
	Usage    PersonUsage
}

// IsID says that what somebody wrote for a department or a group looks like its id,
// and not like its name: platforms make none without a digit, or of other letters
// than Latin ones.
func IsID(text string) bool {
	digit := strings.ContainsFunc(text, unicode.IsDigit)
	return digit && !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsSpace(r) })
}

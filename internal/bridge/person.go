package bridge

import "time"

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

package bridge

import "time"

// Employee is a simulated person of the playground.
type Employee struct {
	ID        string
	Name      string
	Platforms []Platform
}

// Bubble is one message as a simulated employee sees it on screen. An answer
// that grows keeps its ID and changes its text.
type Bubble struct {
	ID       string // of the message on the simulated platform
	Employee string // whose screen it is on
	Platform Platform
	// Chat is the name of the group it stands in; empty in a direct chat.
	Chat string
	// From is the name of the employee who wrote it in a group.
	From    string
	FromBot bool
	Text    string
	// Buttons are the words on the buttons below it.
	Buttons []string
	// Growing says that the answer is still being written.
	Growing bool
	// Updates counts how often the text changed on screen.
	Updates int
	At      time.Time // of the first appearance
	Changed time.Time
}

// ChangeKind says what part of the house changed.
type ChangeKind string

// The kinds of change.
const (
	ChangeOverview ChangeKind = "overview" // a count, a state, a warning
	ChangeTalk     ChangeKind = "talk"     // a question, an answer or a step in Lane
	ChangeBubble   ChangeKind = "bubble"   // something on a simulated screen
)

// Change tells watchers that something is worth reading again. It carries no
// data: whoever is interested asks for the present state.
type Change struct {
	Kind ChangeKind
	Lane string // for ChangeTalk
}

package bridge

import "time"

// Route is a routing rule as an editor shows it. The first rule whose conditions
// all hold decides about a message.
type Route struct {
	Name string
	When []RouteCondition
	Then RouteOutcome
}

// RouteCondition holds when one of its values fits. The words of By are in the
// catalogue under "router.condition.<by>".
type RouteCondition struct {
	By     string
	Values []string
}

// RouteOutcomeKind is what becomes of a message.
type RouteOutcomeKind string

// The outcomes of rules. The words are in the catalogue under
// "router.outcome.<kind>".
const (
	RouteAgent   RouteOutcomeKind = "agent"   // Agent answers
	RouteReply   RouteOutcomeKind = "reply"   // Text is the answer
	RouteRefuse  RouteOutcomeKind = "refuse"  // Text, or words of ours, and not too often
	RouteForward RouteOutcomeKind = "forward" // shown in Chat of Bot
	RouteHuman   RouteOutcomeKind = "human"   // agents keep quiet For a while; shown in Chat of Bot if there is one
	RouteIntent  RouteOutcomeKind = "intent"  // as if it were Command
)

// RouteOutcomeKinds lists every outcome, for catalogues and tests.
func RouteOutcomeKinds() []RouteOutcomeKind {
	return []RouteOutcomeKind{RouteAgent, RouteReply, RouteRefuse, RouteForward, RouteHuman, RouteIntent}
}

// RouteOutcome is what becomes of a message; which fields count depends on Kind.
type RouteOutcome struct {
	Kind                            RouteOutcomeKind
	Agent, Text, Bot, Chat, Command string
	For                             time.Duration
	// Inputs are values for the variables that Agent asks for; nil when there are
	// none.
	Inputs map[string]string
}

// RouteChoices is what rules may name.
type RouteChoices struct {
	Conditions, Agents, Bots, Commands []string
	Roles                              []Role
}

// RouteMistake is something wrong in rules.
type RouteMistake struct {
	Rule int    // from 0
	Path string // within the rule, such as "when.regexp"
	Err  error  // with words for people
}

// RouteTrial is a message to try rules on; nothing happens.
type RouteTrial struct {
	Bot        string
	Role       Role
	Person     string // the name of who writes
	Department string
	Chat       string // the title or id of a group, or empty for a direct chat
	Text       string
	At         time.Time // when it is written; zero for now
}

// RouteTried is a rule that was asked about a message.
type RouteTried struct {
	Rule  string
	Holds bool
	// By, Got and Want tell of the condition that does not hold, or of the last one
	// that does.
	By, Got, Want string
}

// RouteVerdict is what would become of a message, and why.
type RouteVerdict struct {
	Mistakes []RouteMistake // with any of them nothing was tried
	// Tried are the rules up to the one that decides; without one the bot's own
	// agent answers.
	Tried []RouteTried
	Then  RouteOutcome
	// Command says that the message is a command of ours.
	Command string
	// Inputs are what the agent would be told beside the question; NoInputs is why
	// nobody knows.
	Inputs   []InputValue
	NoInputs error
	// Refused says why it would not be answered, in the catalogue under
	// "router.refused.<refused>"; empty otherwise.
	Refused string
}

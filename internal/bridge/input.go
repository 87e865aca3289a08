package bridge

import "context"

// InputKind is what a variable of an agent takes.
type InputKind string

// The kinds of input.
const (
	InputText      InputKind = "text"
	InputParagraph InputKind = "paragraph" // a text of several lines
	InputNumber    InputKind = "number"
	InputSelect    InputKind = "select" // one of Options
	InputCheckbox  InputKind = "checkbox"
	InputJSON      InputKind = "json"
	InputFile      InputKind = "file" // filled with what people send
)

// Input is a variable that an agent asks for beside the question.
type Input struct {
	Name, Label string // Label is for people; it may be empty
	Kind        InputKind
	Required    bool
	Default     string
	Options     []string
	MaxLength   int // in characters; 0 is any
}

// Declarer is an Agent that asks for more than the question.
type Declarer interface {
	// Inputs lists what it asks for. KindUnsupported says that nobody knows.
	Inputs(ctx context.Context) ([]Input, error)
}

// InputSource is where the value of an input comes from. The words are in the
// catalogue under "input.from.<source>".
type InputSource string

// The sources, in the order in which they are asked.
const (
	InputByRoute  InputSource = "route"
	InputByBot    InputSource = "bot"
	InputByAgent  InputSource = "agent"
	InputByPerson InputSource = "person" // what is known of who asks
	InputByApp    InputSource = "app"    // the default of its own form
)

// InputSources lists every source, for catalogues and tests.
func InputSources() []InputSource {
	return []InputSource{InputByRoute, InputByBot, InputByAgent, InputByPerson, InputByApp}
}

// InputTrouble is why a value is not sent. The words are in the catalogue under
// "input.trouble.<trouble>".
type InputTrouble string

// The troubles.
const (
	InputMissing   InputTrouble = "missing" // required, and nobody has a value
	InputNoOption  InputTrouble = "option"  // none of the options
	InputNoNumber  InputTrouble = "number"
	InputNoFlag    InputTrouble = "flag" // neither true nor false
	InputNoJSON    InputTrouble = "json"
	InputTooLong   InputTrouble = "length"
	InputByFile    InputTrouble = "file"    // a file cannot be written down
	InputUndefined InputTrouble = "unknown" // the agent asks for no such thing
)

// InputTroubles lists every trouble, for catalogues and tests.
func InputTroubles() []InputTrouble {
	return []InputTrouble{
		InputMissing, InputNoOption, InputNoNumber, InputNoFlag, InputNoJSON, InputTooLong, InputByFile, InputUndefined,
	}
}

// InputValue is what an input is filled with.
type InputValue struct {
	Input Input
	From  InputSource // empty when there is no value
	Text  string
	// Trouble, if set, keeps it from being sent.
	Trouble InputTrouble
}

// PersonInputs names what an agent is told of who asks, if its form asks for an
// input of that name.
func PersonInputs() []string {
	return []string{InputUserName, InputPlatform, InputLanguage, InputDepartment, InputRole, InputEmail}
}

// The names of what is known of who asks.
const (
	InputUserName   = "user_name"
	InputPlatform   = "platform"
	InputLanguage   = "language"
	InputDepartment = "department"
	InputRole       = "role"
	InputEmail      = "email"
)

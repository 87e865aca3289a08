package bridge

import (
	"context"
	"io"
	"iter"
	"time"
)

// Agent answers questions. Ask may be called from several goroutines at once;
// the caller keeps the questions of one conversation in order.
type Agent interface {
	// Ask yields the answer as it comes. A successful answer ends with Ended or
	// Paused; otherwise the last pair carries an error and the sequence ends.
	// Breaking out of the loop, or ending ctx, closes the connection. Retries
	// are the caller's business: Ask sends the question at most once, except
	// that a lost conversation is reported before anything was sent twice.
	Ask(ctx context.Context, q Question) iter.Seq2[Event, error]
	// Check tries the address and the key without asking anything.
	Check(ctx context.Context) ([]Finding, error)
}

// Conversation is the agent's own memory of a thread of talk. User is the name
// it was opened with, and has to be repeated with it for ever.
type Conversation struct {
	ID   string `json:"id,omitempty"`
	User string `json:"user,omitempty"`
}

// Question is one question to an agent.
type Question struct {
	// ID is our own stable id of the question, for tracing.
	ID           string
	Conversation Conversation
	Text         string
	Files        []UploadedFile
	// Inputs are values of the settings for the variables an agent may declare;
	// they go before its own. Known is what is known of who asks, by the names of
	// PersonInputs: an agent gets only what it asks for, and after its own.
	Inputs, Known map[string]string
	Language      Language
	// Title is what a new conversation may be called, "" if nothing. An agent uses
	// it only where the admin wants that: it is the name of a person.
	Title string
	// Run, when set, asks to take up an answer that was cut off instead of
	// asking anew. An agent that cannot do that returns KindUnsupported before
	// the first event.
	Run Run
}

// Run names an answer in progress on the agent's side, as far as it told us.
type Run struct {
	Task    string `json:"task,omitempty"`
	Run     string `json:"run,omitempty"`
	Message string `json:"message,omitempty"`
}

// Event is one piece of an answer. It is a sealed set.
type Event interface{ event() }

// Started tells the agent's ids, as soon and as often as more of them are known.
type Started struct {
	Conversation Conversation
	Run          Run
}

// TextAdded is more text of the answer.
type TextAdded struct{ Text string }

// TextReplaced is the whole text so far; what was shown before is wrong.
type TextReplaced struct{ Text string }

// Working says what the agent is doing, for a status line: the name of a tool.
type Working struct{ Tool string }

// FileAdded is a file of the answer. URL may expire within minutes.
type FileAdded struct {
	Kind FileKind `json:"kind"`
	Name string   `json:"name"`
	URL  string   `json:"url"`
}

// Ended is the good end of an answer.
type Ended struct {
	Usage   Usage
	Sources []Source
	// Stopped says that the answer was stopped on request and may be partial.
	Stopped bool
}

// Paused is an answer that waits for a person's decision.
type Paused struct{ Form Form }

// Decided says that the form was decided before, by somebody else or by an attempt
// that was cut off. What follows is what came of that.
type Decided struct{}

func (Started) event()      {}
func (TextAdded) event()    {}
func (TextReplaced) event() {}
func (Working) event()      {}
func (FileAdded) event()    {}
func (Ended) event()        {}
func (Paused) event()       {}
func (Decided) event()      {}

// Usage is what an answer cost.
type Usage struct {
	Tokens   int           `json:"tokens,omitempty"`
	Price    string        `json:"price,omitempty"` // a decimal number
	Currency string        `json:"currency,omitempty"`
	Latency  time.Duration `json:"latency,omitempty"`
}

// Source is a document an answer rests on.
type Source struct {
	Title   string  `json:"title"`
	Score   float64 `json:"score,omitempty"`
	Excerpt string  `json:"excerpt,omitempty"`
}

// Form is a decision an agent waits for.
type Form struct {
	// Token is what it is decided with; empty when that can only be done elsewhere.
	Token   string
	Text    string // Markdown
	Fields  []FormField
	Choices []FormChoice
	Expires time.Time
	// Elsewhere says that we cannot have it decided, for whatever reason.
	Elsewhere bool `json:",omitempty"`
}

// FormField is a value a Form asks for.
type FormField struct {
	Name, Default string
	Options       []string // empty means free text
	// Takes says which files it asks for; nil: for a text. Sent are those it has.
	Takes *FormFiles     `json:",omitempty"`
	Sent  []SentFormFile `json:",omitempty"`
}

// FormFiles are the files that a field of a form takes.
type FormFiles struct {
	Most  int        // how many
	List  bool       // the agent wants a list, even of one
	Kinds []FileKind // in words for people; empty means any
	// Types and Extensions are the agent's own words for what it takes.
	Types, Extensions []string
}

// SentFormFile is a file that somebody sent for a form.
type SentFormFile struct {
	UploadedFile

	Name string
	Job  int64 // that it came with
}

// FormValue is what a field of a form is filled in with.
type FormValue struct {
	Text  string
	Files []UploadedFile // instead of a text
	List  bool           // they are to be a list
}

// FormChoice is one way to answer a Form.
type FormChoice struct {
	ID, Title string
	Style     ButtonStyle
}

// UploadedFile is a file the agent already has.
type UploadedFile struct {
	Kind FileKind `json:"kind"`
	ID   string   `json:"id"`
	// Type is what the agent calls it where Kind does not say.
	Type string `json:"type,omitempty"`
}

// Versioned is an Agent that knows which version its server has.
type Versioned interface {
	// Version is what the server said last; empty before its first answer.
	Version() string
}

// Stopper is an Agent whose answers can be stopped. The caller has made sure
// that the person may do that. One that is still heard comes to its end a moment
// later; who leaves before may leave a conversation that does not know the answer.
type Stopper interface {
	Stop(ctx context.Context, c Conversation, r Run) error
}

// Rating is what a person thought of an answer.
type Rating string

// The ratings; RatingNone takes an earlier one back.
const (
	RatingGood Rating = "good"
	RatingBad  Rating = "bad"
	RatingNone Rating = ""
)

// Feedbacker is an Agent that wants to know how an answer was received.
type Feedbacker interface {
	Feedback(ctx context.Context, c Conversation, r Run, rating Rating) error
}

// Suggester is an Agent that can propose the next questions.
type Suggester interface {
	Suggest(ctx context.Context, c Conversation, r Run) ([]string, error)
}

// Uploader is an Agent that takes files.
type Uploader interface {
	// Upload hands a file over; user is Conversation.User of the question that
	// will use it. KindUnsupported says that the agent takes no files, or none of
	// this type, and KindTooLarge has the limit in Args["megabytes"].
	Upload(ctx context.Context, user string, f File, body io.Reader) (UploadedFile, error)
}

// Fetcher is an Agent whose files we fetch, because people cannot open its
// addresses, or not for long.
type Fetcher interface {
	Fetch(ctx context.Context, f FileAdded) ([]byte, error)
}

// Transcriber is an Agent that writes down what is said in a voice message.
// KindUnsupported says that this one does not, or not in this format.
type Transcriber interface {
	Transcribe(ctx context.Context, user string, f File, body io.Reader) (string, error)
}

// Greeter is an Agent with something to say before the first question.
type Greeter interface {
	Greet(ctx context.Context) (Greeting, error)
}

// Greeting is what an agent says before the first question: words, questions
// that one might ask, or nothing.
type Greeting struct {
	Text      string // Markdown
	Questions []string
}

// FormFiller is an Agent whose paused answers can be taken up by a decision.
type FormFiller interface {
	// Fill decides, and yields the answer from its beginning on. A decision that
	// comes after another one is answered with Decided first, and then with what
	// became of that.
	Fill(ctx context.Context, c Conversation, r Run, token, choice string, values map[string]FormValue) iter.Seq2[Event, error]
}

// FormUploader is a FormFiller that takes the files a form asks for.
type FormUploader interface {
	// UploadTo hands a file over as Uploader does, for a field of a form and by its
	// rules.
	UploadTo(ctx context.Context, user string, field FormFiles, f File, body io.Reader) (UploadedFile, error)
}

// FormState is what became of a form.
type FormState string

// The states of a form.
const (
	FormOpen FormState = "open"
	// FormDecided: somebody decided, and the answer goes on.
	FormDecided FormState = "decided"
	// FormLapsed: nobody decided in time, and the answer goes on without that.
	FormLapsed FormState = "lapsed"
	// FormExpired: nobody decided in time, and the answer does not go on yet.
	FormExpired FormState = "expired"
	// FormDropped: nothing waits for a decision any more, and nothing follows.
	FormDropped FormState = "dropped"
)

// FormWatcher is an Agent that tells what became of a form that was not decided
// here: elsewhere, or by nobody in time. An empty token is that of a form that
// cannot be decided here at all.
type FormWatcher interface {
	FormState(ctx context.Context, c Conversation, r Run, token string) (FormState, error)
	// GoOn yields the answer from its beginning on, after the form of that token.
	GoOn(ctx context.Context, c Conversation, r Run, token string) iter.Seq2[Event, error]
}

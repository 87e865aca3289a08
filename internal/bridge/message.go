package bridge

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// MessageID is a platform's own id of a message; unique within a bot.
type MessageID string

// UserID is a platform's own id of a user; unique within a tenant.
type UserID string

// ChatKind tells a direct chat from a group.
type ChatKind string

// The kinds of chat.
const (
	Direct ChatKind = "direct"
	Group  ChatKind = "group"
)

// Chat is where a message was written.
type Chat struct {
	ID     string   `json:"id"`
	Kind   ChatKind `json:"kind"`
	Title  string   `json:"title,omitempty"`
	Thread string   `json:"thread,omitempty"` // the topic inside a chat, if any
}

// Sender is who wrote a message.
type Sender struct {
	ID     UserID `json:"id"`
	Tenant string `json:"tenant"` // the company on the platform; may be empty
	Name   string `json:"name,omitempty"`
	// Alias holds further ids of the same user, by the platform's own field
	// name, for example "union_id".
	Alias map[string]string `json:"alias,omitempty"`
}

// Message is what a person wrote to a bot. It is stored as JSON.
type Message struct {
	ID       MessageID `json:"id"`
	Bot      string    `json:"bot"` // the bot's id in the settings
	Platform Platform  `json:"platform"`
	Chat     Chat      `json:"chat"`
	Sender   Sender    `json:"sender"`
	SentAt   time.Time `json:"sent_at"` // by the platform's clock
	// Text is the plain text, without the mention of the bot itself; rich text
	// is flattened to Markdown.
	Text  string `json:"text,omitempty"`
	Files []File `json:"files,omitempty"`
	// Quote is the text of the message this one answers, if the platform says.
	Quote string `json:"quote,omitempty"`
	// QuoteID is the id of that message, if the platform says no more about it.
	QuoteID MessageID `json:"quote_id,omitempty"`
	// Address is where the answer goes.
	Address Address `json:"address"`
}

// FileKind is what a file is to the person who sent it.
type FileKind string

// The kinds of file.
const (
	FileImage FileKind = "image"
	FileAudio FileKind = "audio"
	FileVideo FileKind = "video"
	FileOther FileKind = "file"
)

// File is a file in a message, not yet fetched.
type File struct {
	Kind     FileKind          `json:"kind"`
	ID       string            `json:"id"` // the platform's key for the download
	Name     string            `json:"name,omitempty"`
	Size     int64             `json:"size,omitempty"`     // bytes; 0 when unknown
	Duration time.Duration     `json:"duration,omitempty"` // of audio and video
	Text     string            `json:"text,omitempty"`     // the platform's own transcription
	Message  MessageID         `json:"message,omitempty"`
	Extra    map[string]string `json:"extra,omitempty"`
}

// Said is what somebody wrote, or what the platform heard in a voice message.
func (m Message) Said() string {
	if m.Text != "" {
		return m.Text
	}
	for _, f := range m.Files {
		if f.Text != "" {
			return f.Text
		}
	}
	return ""
}

// Address is where the answer to one message goes. It is plain data, stored
// with the message, so that an answer can be sent after a restart.
type Address struct {
	Bot    string   `json:"bot"`
	Chat   string   `json:"chat"`
	Kind   ChatKind `json:"kind"`
	User   UserID   `json:"user,omitempty"` // who asked; mentioned in groups
	Name   string   `json:"name,omitempty"` // of the user
	Thread string   `json:"thread,omitempty"`
	// ReplyTo is the message to answer to, where the platform shows that.
	ReplyTo MessageID `json:"reply_to,omitempty"`
	// Data is the platform's own part, such as a one-time address or a card id.
	Data json.RawMessage `json:"data,omitempty"`
	// Expires is when Data stops working; zero means never.
	Expires time.Time `json:"expires,omitzero"`
	// Key names one send for ever; a repeated send after a crash or a timeout
	// carries the same one. Connectors turn it into the platform's idempotency
	// key where there is one.
	Key string `json:"key,omitempty"`
	// Repeat says that an earlier try of this send may have been accepted.
	Repeat bool `json:"repeat,omitempty"`
	// Language is how to speak to this person in words of our own, such as "en".
	Language Language `json:"language,omitempty"`
	// Job is the job that is answered, a decimal number. It comes back as ValueJob
	// of what people do to the answer by the platform's own means: a rating, or
	// the stop button.
	Job string `json:"job,omitempty"`
	// Stop is the text of a button to show below an answer while it grows, where
	// the bot has Capabilities.Buttons; a click on it comes back as DoStop. Empty
	// means no button.
	Stop string `json:"stop,omitempty"`
}

// WithKey returns the address for one send of its own.
func (a Address) WithKey(key string) Address {
	a.Key = key
	return a
}

// Language is a language we have words in.
type Language string

// The languages.
const (
	Chinese Language = "zh-CN"
	English Language = "en"
)

// ActionKind says what happened other than a message.
type ActionKind string

// The kinds of action.
const (
	ActionButton   ActionKind = "button"   // a button of one of our cards was clicked
	ActionMenu     ActionKind = "menu"     // an item of the bot's menu was chosen
	ActionEntered  ActionKind = "entered"  // a person opened the chat with the bot
	ActionJoined   ActionKind = "joined"   // the bot was added to a group
	ActionLeft     ActionKind = "left"     // the bot was removed from a group
	ActionRecalled ActionKind = "recalled" // a person took a message back
	ActionReaction ActionKind = "reaction" // a person reacted to a message
	// ActionForm: a form that an answer waits for was decided elsewhere, or its time
	// is over. ValueJob names the answer, and ValueForm has the FormState. We find
	// that out ourselves; no platform tells it.
	ActionForm ActionKind = "form"
)

// Action is something a person did that is not a message.
type Action struct {
	ID       string     `json:"id"` // the platform's event id, for accepting once
	Bot      string     `json:"bot"`
	Platform Platform   `json:"platform"`
	Kind     ActionKind `json:"kind"`
	Chat     Chat       `json:"chat"`
	Sender   Sender     `json:"sender"`
	At       time.Time  `json:"at"`
	Message  MessageID  `json:"message,omitempty"` // what it was done to
	// Value holds the value of the button that was clicked; of a menu item its key
	// as ValueDo; of a reaction that rates an answer DoGood, DoBad or DoUnrate as
	// ValueDo, and ValueJob where the platform gave it back.
	Value   map[string]string `json:"value,omitempty"`
	Address Address           `json:"address"`
}

// The keys of the value of our own buttons, and of a rating by the platform's own
// means.
const (
	ValueDo     = "do"   // what is to be done: one of the words below
	ValueJob    = "job"  // the job whose answer it is about, a decimal number
	ValueNumber = "n"    // which one, from 1: of the suggestions or of the choices
	ValueText   = "text" // of a suggestion or a choice: its words
	ValueForm   = "form" // what became of a form
)

// What a button of ours does. Every one does what the person could also type.
const (
	DoStop   = "stop"
	DoRetry  = "retry"
	DoAgain  = "again"
	DoGood   = "good"
	DoBad    = "bad"
	DoUnrate = "unrate"
	DoNew    = "new"
	DoHelp   = "help"
	DoAsk    = "ask"    // the suggestion of that number
	DoChoose = "choose" // the choice of that number, of the form that waits
)

// Typed returns what the person could have written to the same effect; "" when
// the action stands for no words.
func (a Action) Typed() string {
	switch do := a.Value[ValueDo]; do {
	case DoStop, DoRetry, DoAgain, DoGood, DoBad, DoUnrate, DoNew, DoHelp:
		return "/" + do
	case DoAsk, DoChoose:
		return a.Value[ValueText]
	default:
		return ""
	}
}

// Request is one webhook request, read completely and already size-limited.
type Request struct {
	Method string
	Query  url.Values
	Header http.Header
	Body   []byte
	Remote string    // the caller's address, for the log
	At     time.Time // when it arrived
}

// Response is the HTTP answer to a webhook request. A zero Status means 200.
type Response struct {
	Status int
	Type   string // Content-Type; empty means text/plain
	Body   []byte
}

// Delivery is what one webhook request or one frame of a long connection
// carried, and how to answer it once everything in it is stored.
type Delivery struct {
	Messages []Message
	Actions  []Action
	Response Response
	// Note says in a few English words, for the journal and without content,
	// why a genuine request carried nothing for us: a challenge, an unsupported
	// type, a group message that does not mention the bot.
	Note string
	// Suspect marks a genuine request we could not read; if that repeats the
	// admin is warned. Why says what may be wrong; it may be nil.
	Suspect bool
	Why     error
	// Unproven says that the answer had to be given without a proof by the secrets
	// that the settings hold, so that nothing follows about those.
	Unproven bool
}

package difytest

import (
	"encoding/json"
	"iter"
	"slices"
	"time"
)

// Key is the key of the only app of a server.
const Key = "app-right"

// The modes of an app.
const (
	chat       = "chat"
	agentChat  = "agent-chat"
	agent      = "agent" // the newer kind
	chatflow   = "advanced-chat"
	workflow   = "workflow"
	completion = "completion"
)

// App is an app that the server has.
type App struct {
	// Key is its key; default Key.
	Key string
	// Name is its name; default Help.
	Name string
	// Mode is chat, agent-chat, agent, advanced-chat, workflow or completion;
	// default chat.
	Mode string
	// Parameters is the answer of GET /parameters; default {}.
	Parameters string
	// Answer says what a question is answered with; default its own words. It
	// and what it returns may take their time.
	Answer func(Question) Answer
	// Refuse, if set, refuses questions after everything else about them is
	// found to be right.
	Refuse func(Question) *Refusal
	// Heard is what any voice message says.
	Heard string
	// Suggested are the questions after each answer.
	Suggested []string
	// Variables are those of each conversation.
	Variables []Variable
	// Most is how many requests the app answers at once; 0 for any number.
	Most int
	// Icons are the addresses of those of the tools.
	Icons map[string]string
	// Ping is how long a silence lasts before a ping; default 10 s.
	Ping time.Duration
}

// Variable is one of a conversation.
type Variable struct{ ID, Name, Value string }

// Question is one that the app was asked.
type Question struct {
	Query        string         `json:"query"`
	Inputs       map[string]any `json:"inputs"`
	User         string         `json:"-"`
	Conversation string         `json:"conversation_id"`
	Mode         string         `json:"response_mode"`
	Files        []Ref          `json:"files"`
	Name         *bool          `json:"auto_generate_name"`
	// Sent are the files themselves.
	Sent []File `json:"-"`

	inputs object // in their order
}

// Ref names a file in a question.
type Ref struct {
	Type   string `json:"type"`
	Method string `json:"transfer_method"`
	ID     string `json:"upload_file_id"`
	URL    string `json:"url"`
}

// File is a file that the server keeps.
type File struct {
	Name, User string
	Data       []byte

	kind     string
	app      *app
	attached bool // to a message
}

// Answer is what an app says.
type Answer struct {
	// Text is all of it in one piece; or Parts are the pieces.
	Text  string
	Parts iter.Seq[string]
	// Tools are used before.
	Tools []Tool
	// Picture, if set, comes with the answer.
	Picture []byte
	// Sources are the titles of documents.
	Sources []string
	// Form, if set, is asked after the text: one wants a comment, and one of two
	// choices. The words in After for it come before the comment in what follows.
	Form  string
	After map[string]string
	// Wants is what the form asks for beside the comment, in the variable proof: a
	// file or a file-list of documents and pictures. What follows names them.
	Wants string
	// Within is how long one may take; default three days. Lapsed, if set, are the
	// words that follow when nobody decided by then; without it the run waits on, as
	// it does until the server looks for such forms.
	Within time.Duration
	Lapsed string
	// Fault, if set, is what goes wrong after the text.
	Fault *Fault
	// Cut, if not 0, is the number of pieces after which the connection breaks.
	Cut int
	// Steps, if set, are the nodes of a chatflow between its start and its end, in
	// place of all else.
	Steps []Step
	// Blocked are the words of an app that moderates questions, in place of an
	// answer; Replaced those of one that moderates answers.
	Blocked, Replaced string
}

func (a Answer) parts() iter.Seq[string] {
	if a.Parts != nil {
		return a.Parts
	}
	if a.Text == "" {
		return slices.Values[[]string](nil)
	}
	return slices.Values([]string{a.Text})
}

// Tool is one that an agent uses, and what it says before and hears.
type Tool struct{ Name, Chinese, English, Before, Heard string }

// Fault is what the model says went wrong.
type Fault struct {
	Message string
	// Limited says that it is the model's own limit.
	Limited bool
}

// Rating is what a user thinks of a message.
type Rating struct{ Message, User, Rating string }

// app is an app and what it knows.
type app struct {
	App
	id, flow string
	wants    parameters
	active   int
	users    map[string]string // their ids
	talks    map[string]*talk
	messages map[string]*message
	runs     map[string]*run // by id and by task
	forms    map[string]*run
}

func (a *app) flows() bool { return a.Mode == chatflow || a.Mode == workflow }

// parameters are what an app wants and takes.
type parameters struct {
	Opening *string `json:"opening_statement"`
	Form    []map[string]struct {
		Variable string
		Required bool
		Options  []any
		Most     int `json:"max_length"`
	} `json:"user_input_form"`
	Upload struct {
		Enabled bool
		Types   []string `json:"allowed_file_types"`
		Most    int      `json:"number_limits"`
		Image   struct {
			Most int `json:"number_limits"`
		}
	} `json:"file_upload"`
	Speech    ability `json:"speech_to_text"`
	Speaks    ability `json:"text_to_speech"`
	After     ability `json:"suggested_questions_after_answer"`
	Moderates ability `json:"sensitive_word_avoidance"`
}

type ability struct{ Enabled bool }

func (s *Server) newApp(a App) *app {
	for value, usual := range map[*string]string{&a.Key: Key, &a.Name: "Help", &a.Mode: chat, &a.Parameters: "{}"} {
		if *value == "" {
			*value = usual
		}
	}
	if a.Answer == nil {
		a.Answer = func(q Question) Answer { return Answer{Text: "Dify heard " + q.Query} }
	}
	if a.Ping == 0 {
		a.Ping = 10 * time.Second
	}
	made := &app{
		App: a, id: s.id(), flow: s.id(), users: map[string]string{}, talks: map[string]*talk{}, messages: map[string]*message{},
		runs: map[string]*run{}, forms: map[string]*run{},
	}
	if err := json.Unmarshal([]byte(a.Parameters), &made.wants); err != nil {
		s.tb.Fatal(err)
	}
	return made
}

// user is the id of a user, who is made when first seen.
func (s *Server) user(a *app, name string) string {
	if a.users[name] == "" {
		a.users[name] = s.id()
	}
	return a.users[name]
}

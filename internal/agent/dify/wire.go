package dify

import "encoding/json"

// event is any event of a stream, and an answer that was not streamed.
type event struct {
	Event          string `json:"event"`
	ConversationID string `json:"conversation_id"`
	MessageID      string `json:"message_id"`
	ID             string `json:"id"`
	TaskID         string `json:"task_id"`
	WorkflowRunID  string `json:"workflow_run_id"`

	Answer   *string    `json:"answer"`
	Metadata metadata   `json:"metadata"`
	Files    []wireFile `json:"files"`

	// of agent_thought
	Tool       string                       `json:"tool"`
	ToolLabels map[string]map[string]string `json:"tool_labels"`

	// of message_file
	wireFile

	// of error
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Message string `json:"message"`

	Data eventData `json:"data"`
}

// eventData is what workflow, node and form events carry.
type eventData struct {
	Text     string                     `json:"text"`
	Answer   string                     `json:"answer"`
	Status   string                     `json:"status"`
	Outputs  map[string]json.RawMessage `json:"outputs"`
	Error    string                     `json:"error"`
	Elapsed  float64                    `json:"elapsed_time"`
	Tokens   int                        `json:"total_tokens"`
	Files    []wireFile                 `json:"files"`
	NodeType string                     `json:"node_type"`
	Title    string                     `json:"title"`
	Reasons  []wireForm                 `json:"reasons"`
	wireForm
}

type metadata struct {
	Usage struct {
		Tokens   int             `json:"total_tokens"`
		Price    json.RawMessage `json:"total_price"` // a string in most versions
		Currency string          `json:"currency"`
		Latency  float64         `json:"latency"`
	} `json:"usage"`
	Resources []struct {
		Document string  `json:"document_name"`
		Title    string  `json:"title"`
		Score    float64 `json:"score"`
		Content  string  `json:"content"`
	} `json:"retriever_resources"`
}

type wireFile struct {
	Type      string `json:"type"`
	BelongsTo string `json:"belongs_to"`
	URL       string `json:"url"`
	RemoteURL string `json:"remote_url"`
	Filename  string `json:"filename"`
}

type wireForm struct {
	FormToken string      `json:"form_token"`
	Content   string      `json:"form_content"`
	Inputs    []wireInput `json:"inputs"`
	Actions   []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		Style string `json:"button_style"`
	} `json:"actions"`
	Resolved map[string]string `json:"resolved_default_values"`
	Expires  int64             `json:"expiration_time"`
}

// wireInput is what a form asks for.
type wireInput struct {
	Type    string `json:"type"`
	Name    string `json:"output_variable_name"`
	Default struct {
		Value any `json:"value"`
	} `json:"default"`
	Options struct {
		Value []string `json:"value"`
	} `json:"option_source"`
	fileRules
}

// run is the state of a workflow run.
type run struct {
	Status  string                     `json:"status"`
	Outputs map[string]json.RawMessage `json:"outputs"`
	Error   string                     `json:"error"`
	Elapsed float64                    `json:"elapsed_time"`
	Tokens  int                        `json:"total_tokens"`
}

// message is a question and its answer as the app keeps them.
type message struct {
	ID     string `json:"id"`
	Answer string `json:"answer"`
}

// question is the body of every question.
type question struct {
	Query        string         `json:"query,omitempty"`
	Inputs       map[string]any `json:"inputs"`
	User         string         `json:"user"`
	Mode         string         `json:"response_mode"`
	Conversation string         `json:"conversation_id,omitempty"`
	NameIt       *bool          `json:"auto_generate_name,omitempty"`
	Files        []fileRef      `json:"files,omitempty"`
}

type fileRef struct {
	Type   string `json:"type"`
	Method string `json:"transfer_method"`
	ID     string `json:"upload_file_id"`
}

// decision is the body that fills in a form; the server takes no other keys.
type decision struct {
	Inputs map[string]any `json:"inputs"`
	Action string         `json:"action"`
	User   string         `json:"user"`
}

// problem is the body of every refusal.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type appCard struct {
	Name string `json:"name"`
	Mode string `json:"mode"`
}

// parameters are what an app wants and takes; each item of the form is
// {type: variable}.
type parameters struct {
	Opening   string                `json:"opening_statement"`
	Questions []string              `json:"suggested_questions"`
	After     ability               `json:"suggested_questions_after_answer"`
	Speech    ability               `json:"speech_to_text"`
	Form      []map[string]variable `json:"user_input_form"`
	Upload    fileRules             `json:"file_upload"`
	Limits    struct {              // in MB
		Image int `json:"image_file_size_limit"`
		Video int `json:"video_file_size_limit"`
		Audio int `json:"audio_file_size_limit"`
		Other int `json:"file_size_limit"`
	} `json:"system_parameters"`
}

type ability struct {
	Enabled bool `json:"enabled"`
}

// fileRules say which files may come with a question. Without Enabled none may,
// whatever else stands there: the server drops them without a word.
type fileRules struct {
	Enabled    bool     `json:"enabled"`
	Types      []string `json:"allowed_file_types"`
	Extensions []string `json:"allowed_file_extensions"`
	Methods    []string `json:"allowed_file_upload_methods"`
	Most       int      `json:"number_limits"`
}

type variable struct {
	Name      string   `json:"variable"`
	Label     string   `json:"label"`
	Required  bool     `json:"required"`
	Default   any      `json:"default"` // a text, a number or a flag
	Options   []string `json:"options"`
	MaxLength int      `json:"max_length"`
	// of a variable that takes files
	Types      []string `json:"allowed_file_types"`
	Extensions []string `json:"allowed_file_extensions"`
}

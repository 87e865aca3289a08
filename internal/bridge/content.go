package bridge

// Content is what can be shown in a chat. It is a sealed set; a connector
// renders natively what its platform knows and degrades the rest to text.
type Content interface{ content() }

// Text is plain text, shown as it is.
type Text struct{ Text string }

// Markdown is text in the common subset of Markdown that language models
// write; the connector translates it to the platform's dialect.
type Markdown struct {
	// Title is what lists and notifications show, where the platform wants one;
	// empty lets the connector take the first words.
	Title string
	Text  string
}

// Picture is an image.
type Picture struct {
	Name string
	Data []byte
	// URL is where it can be opened otherwise, if anywhere; named where the
	// picture itself cannot be shown.
	URL string
}

// Attachment is any other file.
type Attachment struct {
	Name string
	Data []byte
	URL  string // as of a Picture
}

// Voice is a voice message in the format the platform wants.
type Voice struct {
	Name    string
	Data    []byte
	Seconds int
}

// News is a list of links with pictures.
type News struct{ Items []NewsItem }

// NewsItem is one link of News.
type NewsItem struct{ Title, Description, URL, Picture string }

// Card is a title, a Markdown body and buttons.
type Card struct {
	Title   string
	Text    string // Markdown
	Buttons []Button
}

// ButtonStyle is how much a button stands out.
type ButtonStyle string

// The styles of a button.
const (
	ButtonDefault ButtonStyle = ""
	ButtonPrimary ButtonStyle = "primary"
	ButtonDanger  ButtonStyle = "danger"
)

// Button is a button of a Card; it has either a URL or a Value.
type Button struct {
	Text  string            `json:"text"`
	Style ButtonStyle       `json:"style,omitempty"`
	URL   string            `json:"url,omitempty"`
	Value map[string]string `json:"value,omitempty"` // comes back in Action.Value when clicked
}

// Native is the platform's own JSON, for test sends by an admin who knows it.
type Native struct {
	Type string // the platform's message type
	JSON []byte
}

func (Text) content()       {}
func (Markdown) content()   {}
func (Picture) content()    {}
func (Attachment) content() {}
func (Voice) content()      {}
func (News) content()       {}
func (Card) content()       {}
func (Native) content()     {}

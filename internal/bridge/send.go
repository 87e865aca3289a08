package bridge

import "time"

// ContentKind names a kind of Content where one is chosen or told.
type ContentKind string

// The kinds of content. The words are in the catalogue under
// "content.<kind>".
const (
	ContentText     ContentKind = "text"
	ContentMarkdown ContentKind = "markdown"
	ContentCard     ContentKind = "card"
	ContentPicture  ContentKind = "picture"
	ContentFile     ContentKind = "file"
	ContentVoice    ContentKind = "voice"
	ContentNews     ContentKind = "news"
	ContentNative   ContentKind = "native"
)

// ContentKinds lists every kind, for catalogues and tests.
func ContentKinds() []ContentKind {
	return []ContentKind{
		ContentText, ContentMarkdown, ContentCard, ContentPicture, ContentFile, ContentVoice, ContentNews, ContentNative,
	}
}

// KindOfContent names what a content is; nothing has no kind.
func KindOfContent(c Content) ContentKind {
	switch c.(type) {
	case Text:
		return ContentText
	case Markdown:
		return ContentMarkdown
	case Card:
		return ContentCard
	case Picture:
		return ContentPicture
	case Attachment:
		return ContentFile
	case Voice:
		return ContentVoice
	case News:
		return ContentNews
	case Native:
		return ContentNative
	default:
		return ""
	}
}

// Sending is a message that the admin sends of their own accord.
type Sending struct {
	// Key names it for ever: sent again after a trouble, it carries the same one.
	Key string
	Bot string
	// Person is Person.ID of who gets it. Without one it is Chat, the platform's
	// own id of a group, or of a user where Kind is Direct; an empty Kind leaves
	// it to the house to find out. A bot that knows one chat only needs neither.
	Person string
	Chat   string
	Kind   ChatKind
	// Content is what is sent.
	Content Content
}

// EarlierSend is what was sent at another time or from elsewhere, as the audit knows
// it: without what it said.
type EarlierSend struct {
	At       time.Time
	Kind     ContentKind
	Bot      string
	Platform Platform // empty when the bot is gone
	To       string   // a name, or the platform's id; empty for a bot that knows one chat only
	Error    Kind     // why it failed
	By       Actor
}

// Sent is what became of a Sending.
type Sent struct {
	Key string
	Bot string
	At  time.Time
	// Message is the platform's id; some platforms tell none.
	Message MessageID
	Took    time.Duration
	// Recallable says that it can be taken back.
	Recallable bool
}

// Shown is one message as a platform is given it.
type Shown struct {
	// Kind is what people see, and Type what the platform calls it.
	Kind ContentKind
	Type string
	// Text is what they read: Markdown where Kind is a card or Markdown, the name
	// of a file, or the platform's own JSON.
	Text string
	// Buttons are those that remain buttons.
	Buttons []Button
	// Size and Limit are in bytes, as the platform counts; a Limit of 0 is unknown.
	Size, Limit int
}

// Preview says how a Sending would be shown.
type Preview struct {
	// To is the name of who gets it, or of the chat.
	To       string
	Messages []Shown
	// Simpler says that the platform does not know this kind of content and shows
	// something simpler in its place.
	Simpler bool
	// Size is how many bytes were written, and Limit how many one message may have
	// in this bot's Capabilities; 0 is no limit of ours.
	Size, Limit int
}

// Receiver is somebody, or some group, a bot can write to.
type Receiver struct {
	Person string   // Person.ID; without one it is Chat
	Chat   string   // of a group, or of a user where Kind is Direct
	Kind   ChatKind // as of a Sending
	Name   string
	// Seen is when they last wrote, if that is known.
	Seen time.Time
}

// SendBot is a bot that something can be sent with.
type SendBot struct {
	ID       string
	Platform Platform
	Mode     ModeID
	// Fixed says that it knows one chat only, so that no receiver is chosen.
	Fixed bool
	// Groups says that it can write to groups.
	Groups bool
	// Recalls says that it can take messages back.
	Recalls bool
	// MaxText and MaxMarkdown are those of its Capabilities.
	MaxText, MaxMarkdown int
	// Err is why nothing can be sent with it now; nil when it can.
	Err error
}

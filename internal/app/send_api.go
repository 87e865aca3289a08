package app

import (
	"net/http"
	"time"

	"switchboard/internal/bridge"
)

// sendBody bounds what a request that sends something may carry: the largest file
// that a platform takes, as text.
const sendBody = 48 << 20

// What the terminal and other programs say to send something, and hear of it.
type (
	// SendRequest is something to send.
	SendRequest struct {
		// Key names it for ever; asked for again with the same one, it is not sent
		// again. Without one it gets a new one.
		Key string `json:"key,omitempty"`
		Bot string `json:"bot"`
		// Person is the id or the name of who gets it, or the id of an account. Chat
		// is the platform's id of a group or, with Direct, of a user.
		Person string `json:"person,omitempty"`
		Chat   string `json:"chat,omitempty"`
		Direct bool   `json:"direct,omitempty"`
		// Kind is text, markdown, card, picture, file or native; what else counts
		// depends on it.
		Kind    bridge.ContentKind `json:"kind"`
		Title   string             `json:"title,omitempty"` // of a card or of Markdown
		Text    string             `json:"text,omitempty"`  // also the JSON of a native message
		Buttons []SendButton       `json:"buttons,omitempty"`
		Name    string             `json:"name,omitempty"` // of a file
		Data    []byte             `json:"data,omitempty"` // of a file, in base64
		Type    string             `json:"type,omitempty"` // of a native message, as the platform calls it
		// DryRun sends nothing and tells what would be shown.
		DryRun bool `json:"dry_run,omitempty"`
	}
	// SendButton is a link below a card.
	SendButton struct {
		Text string `json:"text"`
		URL  string `json:"url"`
	}
	// SendReport tells what became of it.
	SendReport struct {
		Bot string `json:"bot"`
		To  string `json:"to,omitempty"`
		// Messages is how the platform shows it, and Simpler that it does not know
		// that kind of content. Size and Limit are in bytes; without a limit there is
		// none of ours.
		Messages []ShownReport `json:"messages"`
		Simpler  bool          `json:"simpler"`
		Size     int           `json:"size"`
		Limit    int           `json:"limit,omitempty"`
		// What follows is missing when nothing was sent.
		Key        string    `json:"key,omitempty"`
		Message    string    `json:"message,omitempty"` // the platform's id
		At         time.Time `json:"at,omitzero"`
		Seconds    float64   `json:"seconds,omitempty"`
		Recallable bool      `json:"recallable,omitempty"`
	}
	// ShownReport is one message as the platform is given it.
	ShownReport struct {
		Kind    bridge.ContentKind `json:"kind"`
		Type    string             `json:"type,omitempty"`
		Text    string             `json:"text"`
		Buttons []SendButton       `json:"buttons,omitempty"`
		Size    int                `json:"size"`
		Limit   int                `json:"limit,omitempty"`
	}
)

// content is what a request wants to be shown.
func (q SendRequest) content() (bridge.Content, error) {
	switch q.Kind { //nolint:exhaustive // the others cannot be written by hand
	case bridge.ContentText, "":
		return bridge.Text{Text: q.Text}, nil
	case bridge.ContentMarkdown:
		return bridge.Markdown{Title: q.Title, Text: q.Text}, nil
	case bridge.ContentCard:
		c := bridge.Card{Title: q.Title, Text: q.Text}
		for _, b := range q.Buttons {
			c.Buttons = append(c.Buttons, bridge.Button{Text: b.Text, URL: b.URL})
		}
		return c, nil
	case bridge.ContentPicture:
		return bridge.Picture{Name: q.Name, Data: q.Data}, nil
	case bridge.ContentFile:
		return bridge.Attachment{Name: q.Name, Data: q.Data}, nil
	case bridge.ContentNative:
		return bridge.Native{Type: q.Type, JSON: []byte(q.Text)}, nil
	default:
		return nil, aboutSend(bridge.KindInvalid, "kind", "kind", string(q.Kind), "kinds", "text, markdown, card, picture, file, native")
	}
}

// apiSend sends something, or tells how it would be shown.
func (a *App) apiSend(r *http.Request) (any, error) {
	q, err := body[SendRequest](r)
	if err != nil {
		return nil, err
	}
	if _, err := a.sendBot(q.Bot); err != nil {
		return nil, err
	}
	s := bridge.Sending{Key: q.Key, Bot: q.Bot, Chat: q.Chat}
	if s.Content, err = q.content(); err != nil {
		return nil, err
	}
	if q.Direct {
		s.Kind = bridge.Direct
	}
	if q.Person != "" {
		row, err := a.named(r.Context(), q.Person)
		if err != nil {
			return nil, err
		}
		s.Person = row.Person.ID
	}
	p, err := a.PreviewSend(r.Context(), s)
	if err != nil {
		return nil, err
	}
	report := SendReport{Bot: s.Bot, To: p.To, Messages: []ShownReport{}, Simpler: p.Simpler, Size: p.Size, Limit: p.Limit}
	for _, m := range p.Messages {
		report.Messages = append(report.Messages, shownReport(m))
	}
	if q.DryRun {
		return report, nil
	}
	sent, err := a.sendAs(r.Context(), s, actor(r))
	if err != nil {
		return nil, err
	}
	report.Key, report.Message, report.At, report.Seconds, report.Recallable = sent.Key, string(sent.Message), sent.At, sent.Took.Seconds(), sent.Recallable
	return report, nil
}

func shownReport(m bridge.Shown) ShownReport {
	r := ShownReport{Kind: m.Kind, Type: m.Type, Text: m.Text, Size: m.Size, Limit: m.Limit}
	for _, b := range m.Buttons {
		r.Buttons = append(r.Buttons, SendButton{b.Text, b.URL})
	}
	return r
}

// apiTakeBack recalls what was sent since the start, by its key.
func (a *App) apiTakeBack(r *http.Request) (any, error) {
	return struct{}{}, a.takeBackAs(r.Context(), r.PathValue("key"), actor(r))
}

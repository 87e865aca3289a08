package feishu_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

type label struct {
	Tag, Content string
}

// element is a part of a card, in all the shapes that this project uses.
type element struct {
	Tag       string    `json:"tag"`
	ElementID string    `json:"element_id"`
	Content   *string   `json:"content"`
	Columns   []element `json:"columns"`
	Width     string    `json:"width"`
	Elements  []element `json:"elements"`
	Text      *label    `json:"text"`
	Type      string    `json:"type"`
	Behaviors []struct {
		Type       string            `json:"type"`
		Value      map[string]string `json:"value"`
		DefaultURL string            `json:"default_url"`
	} `json:"behaviors"`
}

// fakeCardJSON is a card of schema 2.0; it takes no property it does not know.
type fakeCardJSON struct {
	Schema string `json:"schema"`
	Config struct {
		UpdateMulti   *bool           `json:"update_multi"`
		StreamingMode bool            `json:"streaming_mode"`
		Summary       *label          `json:"summary"`
		Pace          json.RawMessage `json:"streaming_config"`
	} `json:"config"`
	Header *struct {
		Title label `json:"title"`
	} `json:"header"`
	Body struct {
		Elements []element `json:"elements"`
	} `json:"body"`
}

// checkCard returns the code of what is wrong with a card.
func checkCard(content string) string {
	var c fakeCardJSON
	switch {
	case len(content) > 30_000:
		return "200860"
	case !strict([]byte(content), &c) || c.Schema != "2.0":
		return "200621"
	case c.Config.UpdateMulti == nil || !*c.Config.UpdateMulti:
		return "300302"
	case len(c.Body.Elements) == 0:
		return "300307"
	}
	return checkElements(c.Body.Elements)
}

func checkElements(elements []element) string {
	for _, e := range elements {
		switch {
		case e.Tag == "markdown" && e.Content == nil, e.Tag == "button" && (e.Text == nil || e.Text.Content == "" || len(e.Behaviors) != 1):
			return "200621"
		case e.Tag != "markdown" && e.Tag != "button" && e.Tag != "column_set" && e.Tag != "column":
			return "200861"
		case e.Content != nil && checkMarkdown(*e.Content) != "":
			return checkMarkdown(*e.Content)
		}
		if wrong := checkElements(append(e.Columns, e.Elements...)); wrong != "" {
			return wrong
		}
	}
	return ""
}

// checkMarkdown refuses what would take a whole card down.
func checkMarkdown(text string) string {
	switch {
	case strings.Contains(text, "<at id=all>"):
		return "100290"
	case strings.Contains(text, "![") && !strings.Contains(text, "](img_"):
		return "200570"
	case strings.Count(text, "|--") > 3 && !strings.Contains(text, "```"):
		return "11310"
	default:
		return ""
	}
}

// cardkit plays the API of growing cards.
func (f *fake) cardkit(method, rest string, body []byte) answer {
	if rest == "" {
		return f.newCard(body)
	}
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	card := f.cards[parts[0]]
	if card == nil {
		return bad(200740, "card entity not found")
	}
	var in struct {
		Sequence int             `json:"sequence"`
		Content  string          `json:"content"`
		Settings string          `json:"settings"`
		Type     string          `json:"type"`
		Elements string          `json:"elements"`
		Card     json.RawMessage `json:"card"`
	}
	if !strict(body, &in) || in.Sequence <= 0 || in.Sequence > 1<<31-1 {
		return bad(10002, "param invalid")
	}
	if in.Sequence <= card.sequence {
		return bad(300317, fmt.Sprintf("sequence number compare failed, %d is not above %d", in.Sequence, card.sequence))
	}
	got := card.change(method+" "+strings.Join(parts[1:], "/"), in.Content, in.Settings, in.Type, in.Elements, in.Card)
	if got.status == http.StatusOK {
		card.sequence = in.Sequence
	}
	return got
}

func (f *fake) newCard(body []byte) answer {
	var in struct{ Type, Data string }
	if !strict(body, &in) || in.Type != "card_json" {
		return bad(10002, "param invalid")
	}
	if wrong := checkCard(in.Data); wrong != "" {
		return bad(200220, "generate failed "+wrong)
	}
	var c fakeCardJSON
	strict([]byte(in.Data), &c)
	id := fmt.Sprintf("735%d", len(f.cards)+1)
	f.cards[id] = &fakeCard{Streaming: c.Config.StreamingMode, Text: *c.Body.Elements[0].Content}
	return ok(`{"card_id":%q}`, id)
}

func (c *fakeCard) change(path, content, settings, how, elements string, whole json.RawMessage) answer {
	switch path {
	case "PUT elements/answer/content":
		switch {
		case content == "":
			return bad(99992402, "field validation failed")
		case !c.Streaming:
			return bad(300309, "card streaming mode is closed")
		case checkMarkdown(content) != "" || len(content) > 30_000:
			return bad(200860, "card content exceeds limit")
		}
		c.Text = content
	case "PATCH settings":
		var in struct {
			Config struct {
				StreamingMode *bool  `json:"streaming_mode"`
				Summary       *label `json:"summary"`
			} `json:"config"`
		}
		if !strict([]byte(settings), &in) || in.Config.StreamingMode == nil {
			return bad(10002, "param invalid")
		}
		c.Streaming = *in.Config.StreamingMode
		if in.Config.Summary != nil {
			c.Summary = in.Config.Summary.Content
		}
	case "POST elements":
		var in []element
		if !strict([]byte(elements), &in) || how != "append" || len(in) != 1 || in[0].ElementID != "notice" {
			return bad(10002, "param invalid")
		}
		if c.Notice != "" {
			return bad(300301, "element id is duplicate")
		}
		c.Notice = *in[0].Content
	case "PUT ":
		var in struct{ Type, Data string }
		if !strict(whole, &in) || in.Type != "card_json" || checkCard(in.Data) != "" {
			return bad(200621, "parse card json err")
		}
		c.Raw = in.Data
	default:
		return answer{http.StatusNotFound, "404 page not found"}
	}
	return ok(`{}`)
}

package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/router"
)

// quoter is a bot that can look up what was written to others.
type quoter struct {
	keeper
	wall *wall
}

// wall is what was written to others, and which of it was looked up.
type wall struct {
	posts map[bridge.MessageID]bridge.Message
	asked []bridge.MessageID
}

func (q quoter) Quoted(_ context.Context, m bridge.Message) (bridge.Message, error) {
	q.wall.asked = append(q.wall.asked, m.QuoteID)
	found, ok := q.wall.posts[m.QuoteID]
	if !ok {
		return found, &bridge.Error{Kind: bridge.KindForbidden, Op: "quoter"}
	}
	return found, nil
}

// withQuoter is a house on whose platform people answer messages.
func withQuoter(t *testing.T, test func(h *house, w *wall)) {
	t.Helper()
	withEyes(t, func(h *house, _ *eyes, files *shelf) {
		w := &wall{posts: map[bridge.MessageID]bridge.Message{
			"alert": {Text: "disk full\non db-1"},
			"photo": {Files: []bridge.File{{Kind: bridge.FileImage, ID: "cat", Message: "photo"}}},
			"long":  {Text: strings.Repeat("好", 5000)},
		}}
		h.botOf = func(b bridge.Bot) bridge.Bot {
			s, _ := b.(bridge.Streamer)
			return quoter{keeper{b, s, files}, w}
		}
		test(h, w)
	})
}

// answering is a message to bot "one" that answers another.
func (h *house) answering(text, quote string, id bridge.MessageID) bridge.Message {
	m := h.message("one", "li", text)
	m.Quote, m.QuoteID = quote, id
	return m
}

// TestQuote: an agent reads what a question is about, whether the platform told it
// or has to be asked; where it does not tell, the question is asked without.
func TestQuote(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, quote string
		id          bridge.MessageID
		want        string
		files       int
	}{
		"told":            {"what does it mean?", "error 17\nat line 2", "", "> error 17\n> at line 2\n\nwhat does it mean?", 0},
		"told, no lookup": {"and this?", "error 17", "alert", "> error 17\n\nand this?", 0},
		"looked up":       {"what now?", "", "alert", "> disk full\n> on db-1\n\nwhat now?", 0},
		"a picture":       {"what is it?", "", "photo", "what is it?", 1},
		"only a picture":  {"", "", "photo", "Please look at what I have attached.", 1},
		"nothing else":    {"", "", "alert", "disk full\non db-1", 0},
		"not allowed":     {"what now?", "", "secret", "what now?", 0},
		"much of it":      {"in short?", "", "long", "> " + strings.Repeat("好", 3999) + "…\n\nin short?", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withQuoter(t, func(h *house, w *wall) {
				h.open()
				h.hear(h.answering(test.text, test.quote, test.id))
				asked := h.agents["help"].Questions()
				if len(asked) != 1 || asked[0].Text != test.want || len(asked[0].Files) != test.files {
					t.Fatalf("asked %+v, want %q", asked, test.want)
				}
				if looks := len(w.asked); looks > 1 || (looks == 1) != (test.quote == "") {
					t.Errorf("looked up %q", w.asked)
				}
			})
		})
	}
}

// TestQuoteOfTheTalk: what was said in the same talk is not asked for on the platform.
func TestQuoteOfTheTalk(t *testing.T) {
	t.Parallel()
	withQuoter(t, func(h *house, w *wall) {
		h.open()
		h.say("one", "li", "first")
		h.say("one", "li", "second")
		answer := h.chats["one"].Shown()[0].ID
		h.hear(h.answering("again, please", "", "m1"))
		h.hear(h.answering("why?", "", answer))
		want := []string{"first", "second", "> first\n\nagain, please", "> help: first (1 in help-1)\n\nwhy?"}
		if got := h.asked(); !slices.Equal(got, want) || len(w.asked) != 0 {
			t.Errorf("asked %q, looked up %q", got, w.asked)
		}
	})
}

// TestQuoteStays: a question that is asked again is about the same, and one that is
// passed on takes along what it is about. A message that holds nothing but one that
// cannot be read is answered by us.
func TestQuoteStays(t *testing.T) {
	t.Parallel()
	withQuoter(t, func(h *house, _ *wall) {
		h.route.Rules = []router.Rule{{Name: "invoice", Keywords: []string{"invoice"}, Then: router.Forward{Bot: "three", Chat: "accounting"}}}
		h.open()
		h.hear(h.answering("what now?", "", "alert"))
		h.say("one", "li", "/again")
		want := "> disk full\n> on db-1\n\nwhat now?"
		if got := h.asked(); !slices.Equal(got, []string{want, want}) {
			t.Errorf("asked %q", got)
		}
		h.hear(h.answering("an invoice?", "", "alert"))
		if got := h.chats["three"].Texts(); len(got) != 1 || !strings.Contains(got[0], "> disk full\n> on db-1\n\nan invoice?") {
			t.Errorf("passed on %q", got)
		}
		if got := h.hear(h.answering("", "", "secret")); !strings.Contains(got, "I can only read text") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestQuoteIsHidden: what is hidden from an agent is hidden in a quotation too.
func TestQuoteIsHidden(t *testing.T) {
	t.Parallel()
	withQuoter(t, func(h *house, w *wall) {
		h.opt.Privacy = func() engine.Privacy { return engine.Privacy{Filter: filter(h.T), ToAgent: true} }
		w.posts["card"] = bridge.Message{Text: "call 13812345678"}
		h.open()
		h.hear(h.answering("who is it?", "", "card"))
		if got := h.asked(); len(got) != 1 || got[0] != "> call [MOBILE_1]\n\nwho is it?" {
			t.Errorf("asked %q", got)
		}
	})
}

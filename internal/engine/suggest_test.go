package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

// host is an agent that greets people and proposes questions.
type host struct {
	bridge.Agent
	next  []string
	err   error
	slow  time.Duration
	greet bridge.Greeting
}

func (a *host) Suggest(ctx context.Context, _ bridge.Conversation, _ bridge.Run) ([]string, error) {
	timer := time.NewTimer(a.slow)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return slices.Clone(a.next), a.err
	}
}

func (a *host) Greet(context.Context) (bridge.Greeting, error) { return a.greet, a.err }

func withHost(t *testing.T, test func(h *house, a *host)) {
	t.Helper()
	inHouse(t, func(h *house) {
		a := &host{next: []string{"Why so?", "Since\nwhen?", "By whom?", "What else?"}}
		h.agentOf = func(of bridge.Agent) bridge.Agent { a.Agent = of; return a }
		h.open()
		test(h, a)
	})
}

func (h *house) asked() []string {
	var all []string
	for _, q := range h.agents["help"].Questions() {
		all = append(all, q.Text)
	}
	return all
}

// TestSuggestions: what one might ask next stands below the answer, and a number
// picks it, as long as it is about that list.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	withHost(t, func(h *house, a *host) {
		h.say("one", "li", "2") // no list yet: a question
		h.want("one", "li", "what?", "what?", "(send the number):\n1. Why so?\n2. Since when?\n3. By whom?")
		h.say("one", "li", "/good")
		h.say("one", "li", "２")
		h.want("one", "li", "3.", "help: By whom?")
		h.say("one", "li", "4")
		a.next = nil
		h.say("one", "li", "1")
		h.say("one", "li", "1") // the list is not the last answer any more
		want := []string{"2", "what?", "Since when?", "By whom?", "4", "Why so?", "1"}
		if got := h.asked(); !slices.Equal(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
		h.want("one", "li", "/again", "help: 1 ")
	})
}

// TestSuggestionsGiveWay: to numbers of the agent's own, to other people in a
// group, and to an answer that must not wait.
func TestSuggestionsGiveWay(t *testing.T) {
	t.Parallel()
	withHost(t, func(h *house, a *host) {
		if got := h.say("one", "li", "which?\n1. red\n2. blue"); !strings.Contains(got, "next:\n- Why so?") {
			t.Errorf("shown %q", got)
		}
		h.say("one", "li", "2")
		h.hear(h.inGroup("one", "li", "what?"))
		h.hear(h.inGroup("one", "zhang", "1"))
		if got := h.asked(); got[1] != "2" || got[3] != "1" {
			t.Errorf("asked %q", got)
		}
		a.slow = time.Hour
		if got := h.say("one", "li", "slow"); !strings.Contains(got, "help: slow") || strings.Contains(got, "next") {
			t.Errorf("shown %q", got)
		}
		a.slow, a.err = 0, &bridge.Error{Kind: bridge.KindUnavailable, Op: "test"}
		if got := h.say("one", "li", "broken"); !strings.Contains(got, "help: broken") || strings.Contains(got, "next") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestSuggestionsWait: an answer that can be read waits longer for the questions
// below it than one that nobody can see yet.
func TestSuggestionsWait(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		inHouse(t, func(h *house) {
			a := &host{next: []string{"Why so?"}, slow: 3 * time.Second}
			h.agentOf = func(of bridge.Agent) bridge.Agent { a.Agent = of; return a }
			if plain {
				h.botOf = func(of bridge.Bot) bridge.Bot { return struct{ bridge.Bot }{of} }
			}
			h.open()
			if got := h.say("one", "li", "slow"); strings.Contains(got, "Why so?") == plain || !strings.Contains(got, "help: slow") {
				t.Errorf("plain %t: shown %q", plain, got)
			}
			a.slow = time.Second
			h.want("one", "li", "quick", "Why so?")
		})
	}
}

// TestGreeting: somebody who opens the chat is greeted once, and a new
// conversation begins with the same words; a number picks from them, too.
func TestGreeting(t *testing.T) {
	t.Parallel()
	withHost(t, func(h *house, a *host) {
		enter := func(n int, user string) int {
			m := h.message("one", user, "")
			if _, err := h.inbox.Accept(h.Context(), bridge.Delivery{Actions: []bridge.Action{{
				ID: fmt.Sprintf("enter-%d", n), Bot: "one", Platform: "one", Kind: bridge.ActionEntered, Chat: m.Chat, Sender: m.Sender, At: time.Now(), Address: m.Address,
			}}}); err != nil {
				h.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			return len(h.chats["one"].Texts())
		}
		if n := enter(0, "li"); n != 0 {
			h.Fatalf("nothing to say, but shown %q", h.chats["one"].Texts())
		}
		a.greet = bridge.Greeting{Text: "Welcome{{nobody}} to {{ platform }}!", Questions: []string{"What can you do?"}}
		if n := enter(1, "li"); n != 1 || !strings.Contains(h.chats["one"].Texts()[0], "Welcome to one!\n\nYou could ask next (send the number):\n1. What can you do?") {
			h.Fatalf("shown %q", h.chats["one"].Texts())
		}
		h.say("one", "li", "1")
		h.want("one", "li", "/new", "Welcome to one!", "1. What can you do?")
		h.say("one", "li", "2") // not of the list before
		h.want("one", "li", "/new", "Welcome to one!", "1. What can you do?")
		h.say("one", "li", "1")
		if got := h.asked(); !slices.Equal(got, []string{"What can you do?", "2", "What can you do?"}) {
			h.Errorf("asked %q", got)
		}
		before := len(h.chats["one"].Texts())
		if n := enter(2, "li"); n != before {
			h.Errorf("greeted twice: %q", h.chats["one"].Texts()[before:])
		}
		h.role("one", "zhang", bridge.RoleBlocked)
		if n := enter(3, "zhang"); n != before {
			h.Errorf("greeted somebody who is blocked: %q", h.chats["one"].Texts()[before:])
		}
	})
}

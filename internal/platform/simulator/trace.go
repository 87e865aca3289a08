package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// Trace is what became of one message of an employee's.
type Trace struct {
	Employee string
	Platform bridge.Platform
	Group    string // its ID; empty in a direct chat
	Text     string
	// Tries counts the deliveries to the callback, and Accepted those that were
	// answered as the platform wants it.
	Tries, Accepted int
	// Answers are the messages of the bot's that can be seen, in the order of
	// their appearance.
	Answers []Answer
}

// Answer is a message of the bot's that can be seen.
type Answer struct {
	ID, Text string
	// Order is its place among all messages of all chats.
	Order   int
	Growing bool
	Updates int
	At      time.Time // of the first appearance
	Changed time.Time

	recalled bool
}

// Trace returns what became of a message. Its answers are those that name it:
// replies on Feishu and what came through the session of DingTalk. A message of
// the bot's that names none answers the earlier question of the same chat that
// it quotes first, so checks ask questions that differ.
func (s *Simulator) Trace(id bridge.MessageID) (Trace, bool) {
	b := &s.board
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.lines.get(string(id))
	if !ok {
		return Trace{}, false
	}
	t := l.Trace
	for _, key := range l.posts {
		if p, known := b.posts.get(key); known && !p.recalled {
			t.Answers = append(t.Answers, p.Answer)
		}
	}
	for _, key := range b.loose[l.talk] {
		if p, known := b.posts.get(key); known && !p.recalled && b.about(p) == l {
			t.Answers = append(t.Answers, p.Answer)
		}
	}
	slices.SortFunc(t.Answers, func(a, b Answer) int { return cmp.Compare(a.Order, b.Order) })
	return t, true
}

// about finds the question that a message quotes first: its text stands in it,
// before that of any other. b.mu is held.
func (b *board) about(p *post) *line {
	if p.about != nil && p.asked == p.Text {
		return p.about
	}
	var best *line
	least := len(p.Text)
	for _, key := range b.said[p.talk] {
		l, known := b.lines.get(key)
		if !known || l.Text == "" || l.order > p.Order {
			continue
		}
		at := strings.Index(p.Text, l.Text)
		if at < 0 || at > least || at == least && best != nil && len(l.Text) <= len(best.Text) {
			continue
		}
		best, least = l, at
	}
	p.about, p.asked = best, p.Text
	return best
}

// Accepted returns how many deliveries were answered as the platforms want it,
// over all messages and repetitions.
func (s *Simulator) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Violations returns the rules of the platforms that were broken without their
// server saying so.
func (s *Simulator) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// Calls returns how often each API was called, by platform and API.
func (s *Simulator) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

func (s *Simulator) count(api string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[api]++
}

func (s *Simulator) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// delivered notes a delivery.
func (s *Simulator) delivered(id bridge.MessageID, ok bool) {
	if ok {
		s.mu.Lock()
		s.accepted++
		s.mu.Unlock()
	}
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	if l, known := s.board.lines.get(string(id)); known {
		l.Tries++
		if ok {
			l.Accepted++
		}
	}
}

package simulator

import (
	"context"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// board holds what every employee sees, and what is known of every message.
type board struct {
	mu       sync.Mutex
	bubbles  map[string][]bridge.Bubble // by employee
	watchers map[chan bridge.Bubble]struct{}
	lines    memory[*line]
	posts    memory[*post]
	said     map[talk][]string // the lines of a chat
	loose    map[talk][]string // the posts of a chat that name no question
	order    int
	history  int // how many messages a screen keeps
}

// line is a message that an employee wrote.
type line struct {
	Trace

	talk  talk
	order int
	posts []string // the bot's messages that name it
}

// post is a message of the bot's.
type post struct {
	Answer

	talk  talk
	about *line  // the question it quotes first
	asked string // the text in which that was found
	seen  []string
}

func (b *board) init(limit, history int) {
	b.history = history
	b.bubbles, b.watchers = map[string][]bridge.Bubble{}, map[chan bridge.Bubble]struct{}{}
	b.lines, b.posts = newMemory[*line](limit), newMemory[*post](limit)
	b.said, b.loose = map[talk][]string{}, map[talk][]string{}
}

// say puts an employee's message on the screens of the chat.
func (b *board) say(id bridge.MessageID, t Trace, at talk, from bridge.Employee, chat string, members []string) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.order++
	b.lines.put(string(id), &line{Trace: t, talk: at, order: b.order})
	b.said[at] = later(b.said[at], string(id), &b.lines)
	for _, m := range members {
		bubble := bridge.Bubble{ID: string(id), Employee: m, Platform: t.Platform, Text: t.Text, At: now, Changed: now}
		if chat != "" {
			bubble.Chat, bubble.From = chat, from.Name
		}
		b.put(bubble)
	}
}

// show puts a message of the bot's on the screens of the chat. The question is
// the message it answers, where the platform says.
func (b *board) show(p post, question, chat string, members []string) {
	p.At, p.Changed = time.Now(), time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.order++
	p.Order, p.seen = b.order, members
	b.posts.put(p.ID, &p)
	if l, ok := b.lines.get(question); ok {
		l.posts = append(l.posts, p.ID)
	} else {
		b.loose[p.talk] = later(b.loose[p.talk], p.ID, &b.posts)
	}
	for _, m := range members {
		b.put(bridge.Bubble{
			ID: p.ID, Employee: m, Platform: p.talk.platform, FromBot: true, Text: p.Text, Growing: p.Growing,
			Chat: chat, At: p.At, Changed: p.Changed,
		})
	}
}

// change gives a message of the bot's another text.
func (b *board) change(id, text string, growing bool) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.posts.get(id)
	if !ok || p.Text == text && p.Growing == growing {
		return
	}
	if p.Text != text {
		p.Updates++
	}
	p.Text, p.Growing, p.Changed = text, growing, now
	for _, employee := range p.seen {
		all := b.bubbles[employee]
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].ID == id {
				all[i].Text, all[i].Growing, all[i].Updates, all[i].Changed = text, growing, p.Updates, now
				b.tell(all[i])
				break
			}
		}
	}
}

// remove takes a message away that was recalled.
func (b *board) remove(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.posts.get(id)
	if !ok {
		return
	}
	p.recalled = true
	for _, employee := range p.seen {
		b.bubbles[employee] = slices.DeleteFunc(b.bubbles[employee], func(o bridge.Bubble) bool {
			gone := o.ID == id
			if gone {
				o.Text, o.Growing = "", false
				b.tell(o)
			}
			return gone
		})
	}
}

// later adds an id to a list, and drops from its beginning what is forgotten.
func later[V any](all []string, id string, known *memory[V]) []string {
	all = append(all, id)
	for len(all) > 1 {
		if _, there := known.get(all[0]); there {
			break
		}
		all = all[1:]
	}
	return all
}

func (b *board) put(bubble bridge.Bubble) {
	all := append(b.bubbles[bubble.Employee], bubble)
	if len(all) > b.history {
		all = slices.Delete(all, 0, len(all)-b.history)
	}
	b.bubbles[bubble.Employee] = all
	b.tell(bubble)
}

func (b *board) tell(bubble bridge.Bubble) {
	for w := range b.watchers {
		select {
		case w <- bubble:
		default: // it looks at the screens when it has time
		}
	}
}

// Bubbles returns everything on an employee's screens, oldest first.
func (s *Simulator) Bubbles(employee string) []bridge.Bubble {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	return slices.Clone(s.board.bubbles[employee])
}

// Watch tells what appears or changes on any screen until ctx or the simulator
// ends; then the channel is closed. A slow reader misses some and looks at
// Bubbles for the whole. A message that was recalled comes without its text.
func (s *Simulator) Watch(ctx context.Context) <-chan bridge.Bubble {
	w := make(chan bridge.Bubble, 256)
	s.board.mu.Lock()
	s.board.watchers[w] = struct{}{}
	s.board.mu.Unlock()
	context.AfterFunc(ctx, func() { s.board.dismiss(w) })
	return w
}

// dismissAll closes every watcher's channel.
func (b *board) dismissAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		delete(b.watchers, w)
		close(w)
	}
}

// dismiss closes a watcher's channel, once.
func (b *board) dismiss(w chan bridge.Bubble) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, watching := b.watchers[w]; watching {
		delete(b.watchers, w)
		close(w)
	}
}

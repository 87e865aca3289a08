package pace

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"switchboard/internal/bridge"
)

// turn is closed when its call may be made.
type turn chan struct{}

// queue is where calls wait for one limit. All of it is guarded by the Pacer's
// lock, which mu is.
type queue struct {
	limit  bridge.Limit
	bucket *rate.Limiter
	held   time.Time // nobody calls before
	// lines are the chats that wait, the one whose turn is next first, and within
	// a chat who came first.
	lines   []line
	waiting int  // in all lines
	armed   bool // a time is set for a look at the queue
	mu      *sync.Mutex
}

type line struct {
	chat  string
	turns []turn
}

// enter joins the queue, if the turn comes within a time. Otherwise far is after
// what time it is worth another try.
func (q *queue) enter(chat string, now time.Time, within time.Duration) (t turn, far time.Duration) {
	t = make(turn)
	if len(q.lines) == 0 && !now.Before(q.held) && q.bucket.AllowN(now, 1) {
		close(t)
		return t, 0
	}
	if pause := q.held.Sub(now); pause > patience {
		return nil, pause
	}
	if delay := q.next(now) + time.Duration(q.ahead(chat))*q.limit.Every; delay > within {
		return nil, delay
	}
	at := slices.IndexFunc(q.lines, func(l line) bool { return l.chat == chat })
	if at < 0 {
		at = len(q.lines)
		q.lines = append(q.lines, line{chat: chat})
	}
	q.lines[at].turns = append(q.lines[at].turns, t)
	q.waiting++
	q.arm(now)
	return t, 0
}

// ahead is how many turns come before the next one that a chat asks for.
func (q *queue) ahead(chat string) int {
	at := slices.IndexFunc(q.lines, func(l line) bool { return l.chat == chat })
	if at < 0 {
		return len(q.lines)
	}
	own := len(q.lines[at].turns)
	before := own
	for n, l := range q.lines {
		switch {
		case n < at: // they are called in the new one's round, too
			before += min(len(l.turns), own+1)
		case n > at:
			before += min(len(l.turns), own)
		}
	}
	return before
}

// leave gives a turn up that was not taken.
func (q *queue) leave(chat string, t turn) {
	for n := range q.lines {
		if q.lines[n].chat == chat {
			before := len(q.lines[n].turns)
			q.lines[n].turns = slices.DeleteFunc(q.lines[n].turns, func(other turn) bool { return other == t })
			q.waiting -= before - len(q.lines[n].turns)
		}
	}
	q.lines = slices.DeleteFunc(q.lines, func(l line) bool { return len(l.turns) == 0 })
}

// next is how long it is until a call may be made.
func (q *queue) next(now time.Time) time.Duration {
	missing := 1 - q.bucket.TokensAt(now)
	return max(q.held.Sub(now), time.Duration(missing*float64(q.limit.Every)), 0)
}

// arm has the queue looked at when the next call may be made. Each look sets the
// time of the next one, as long as somebody waits.
func (q *queue) arm(now time.Time) {
	if q.armed || q.waiting == 0 {
		return
	}
	q.armed = true
	time.AfterFunc(max(q.next(now), time.Millisecond), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.armed = false
		q.advance()
	})
}

// advance gives everybody their turn who may call now: one of each chat, and then
// the next.
func (q *queue) advance() {
	now := time.Now()
	for len(q.lines) > 0 && !now.Before(q.held) && q.bucket.AllowN(now, 1) {
		first := q.lines[0]
		close(first.turns[0])
		q.waiting--
		q.lines = q.lines[1:]
		if first.turns = first.turns[1:]; len(first.turns) > 0 {
			q.lines = append(q.lines, first)
		}
	}
	q.arm(now)
}

// quiet says that forgetting the queue changes nothing.
func (q *queue) quiet(now time.Time) bool {
	return len(q.lines) == 0 && !now.Before(q.held) && q.bucket.TokensAt(now) >= float64(q.bucket.Burst())
}

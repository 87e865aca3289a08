package quota

import (
	"slices"
	"sync"
	"time"
)

const (
	window = time.Minute
	// quiet is how long after a refusal the next ones are silent.
	quiet = 10 * time.Minute
	day   = time.DateOnly
)

// Limits are the limits of one person; 0 means unlimited.
type Limits struct{ PerMinute, PerDay, TokensPerDay int }

// Which names a limit.
type Which string

// The limits.
const (
	Minute Which = "minute"
	Day    Which = "day"
	Tokens Which = "tokens"
)

// Refusal says which limit a person has reached.
type Refusal struct {
	Which Which
	Limit int
	Until time.Time // when the person may ask again
	// Silent says that the person was told a moment ago.
	Silent bool
}

// Counter counts. Make one with New; all methods may be called from several
// goroutines at once.
type Counter struct {
	limits Limits // of everybody who has no others

	mu      sync.Mutex
	today   string
	people  map[string]*tally
	changed bool
	notes   int64             // counted so far
	keep    func(line []byte) // is told of each; may be nil
}

// tally is what one person has had.
type tally struct {
	Recent []time.Time `json:"recent,omitempty"` // the questions of the last minute, oldest first
	Asked  int         `json:"asked,omitempty"`  // today
	Tokens int         `json:"tokens,omitempty"` // today
	Told   time.Time   `json:"told,omitzero"`    // the last refusal that was not silent
}

// New makes a counter.
func New(limits Limits) *Counter {
	return &Counter{limits: limits, people: map[string]*tally{}}
}

// Take counts one question of a person, unless that is over a limit: then it
// returns the refusal and true, and the question is not counted.
func (c *Counter) Take(person string) (Refusal, bool) { return c.TakeWithin(person, c.limits) }

// TakeWithin is Take for somebody who has other limits than everybody.
func (c *Counter) TakeWithin(person string, limits Limits) (Refusal, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now() // not before: the question of whoever was faster would lie ahead, and not count
	t := c.tally(person, now)
	if r, over := t.over(limits, now); over {
		r.Silent = !t.Told.IsZero() && now.Sub(t.Told) < quiet
		if !r.Silent {
			t.Told = now
			c.noted(note{Person: person, At: now, Told: true})
		}
		return r, true
	}
	t.Asked++
	if limits.PerMinute > 0 {
		t.Recent = append(t.Recent, now)
	}
	c.noted(note{Person: person, At: now, Asked: true, Recent: limits.PerMinute > 0})
	return Refusal{}, false
}

// over finds the limit that a person has reached; of several the one that lasts
// longest.
func (t *tally) over(l Limits, now time.Time) (Refusal, bool) {
	midnight := nextDay(now)
	switch {
	case l.PerDay > 0 && t.Asked >= l.PerDay:
		return Refusal{Which: Day, Limit: l.PerDay, Until: midnight}, true
	case l.TokensPerDay > 0 && t.Tokens >= l.TokensPerDay:
		return Refusal{Which: Tokens, Limit: l.TokensPerDay, Until: midnight}, true
	case l.PerMinute > 0 && len(t.Recent) >= l.PerMinute:
		return Refusal{Which: Minute, Limit: l.PerMinute, Until: t.Recent[len(t.Recent)-l.PerMinute].Add(window)}, true
	default:
		return Refusal{}, false
	}
}

func nextDay(now time.Time) time.Time {
	y, m, d := now.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, now.Location())
}

// Today returns what a person asked today and the tokens of the answers, and when
// the next day begins.
func (c *Counter) Today(person string) (asked, tokens int, until time.Time) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	until = nextDay(now)
	if t := c.people[person]; t != nil && c.today == now.Format(day) {
		asked, tokens = t.Asked, t.Tokens
	}
	return asked, tokens, until
}

// Spend counts the tokens of an answer. An answer may go over the limit; the
// next question is then refused.
func (c *Counter) Spend(person string, tokens int) {
	if tokens <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.tally(person, now).Tokens += tokens
	c.noted(note{Person: person, At: now, Tokens: tokens})
}

// tally finds a person's tally and drops from it what is over. The first call of
// a day forgets everybody's yesterday.
func (c *Counter) tally(person string, now time.Time) *tally {
	if today := now.Format(day); today != c.today {
		c.today = today
		for id, t := range c.people {
			t.Asked, t.Tokens = 0, 0
			if t.expire(now); len(t.Recent) == 0 && now.Sub(t.Told) >= quiet {
				delete(c.people, id)
			}
		}
	}
	t := c.people[person]
	if t == nil {
		t = &tally{}
		c.people[person] = t
	}
	t.expire(now)
	return t
}

// expire drops the questions that are older than a minute. A time ahead of the
// clock is dropped too: the clock was set back.
func (t *tally) expire(now time.Time) {
	t.Recent = slices.DeleteFunc(t.Recent, func(at time.Time) bool { return now.Sub(at) >= window || at.After(now) })
	if t.Told.After(now) {
		t.Told = time.Time{}
	}
}

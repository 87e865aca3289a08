package quota

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// record is a counter as it is written down.
type record struct {
	Day    string            `json:"day"`
	People map[string]*tally `json:"people"`
	// Notes is the number of the last note that is in it.
	Notes int64 `json:"notes,omitempty"`
}

// note is one thing that was counted after a record was written.
type note struct {
	Number int64     `json:"n"`
	Person string    `json:"p"`
	At     time.Time `json:"at"`
	Asked  bool      `json:"q,omitempty"` // a question
	Recent bool      `json:"m,omitempty"` // which counts for the minute
	Told   bool      `json:"r,omitempty"` // of a refusal
	Tokens int       `json:"t,omitempty"`
}

// Note has every count told to a function as a line of its own before it holds:
// what was saved last and the lines since then are together what was counted.
func (c *Counter) Note(keep func(line []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep = keep
}

// noted tells of one count; c.mu is held.
func (c *Counter) noted(n note) {
	c.notes++
	c.changed = true
	if c.keep == nil {
		return
	}
	n.Number = c.notes
	if line, err := json.Marshal(n); err == nil { // it has no other types than these
		c.keep(append(line, '\n'))
	}
}

// Save hands what was counted, written down, to a function, and counts nothing
// meanwhile: when that returns nil the lines before it are no longer needed.
// Nothing is handed over when nothing changed.
func (c *Counter) Save(write func(text []byte) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.changed {
		return nil
	}
	text, err := json.Marshal(record{c.today, c.people, c.notes})
	if err != nil {
		return fmt.Errorf("quota: write down: %w", err)
	}
	if err := write(text); err != nil {
		return err
	}
	c.changed = false
	return nil
}

// Restore takes up what was written down, and the lines that came after it. A
// line that was cut off is left out. On an error nothing changes.
func (c *Counter) Restore(text, lines []byte) error {
	r := record{People: map[string]*tally{}}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("quota: read back: %w", err)
		}
	}
	people := map[string]*tally{}
	for id, t := range r.People {
		if t != nil {
			people[id] = t
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.today, c.people, c.notes = r.Day, people, r.Notes
	for line := range bytes.Lines(lines) {
		var n note
		if json.Unmarshal(line, &n) == nil && n.Number > c.notes {
			c.replay(n)
		}
	}
	return nil
}

// replay counts once more what a note tells.
func (c *Counter) replay(n note) {
	t := c.tally(n.Person, n.At)
	if n.Asked {
		t.Asked++
	}
	if n.Recent {
		t.Recent = append(t.Recent, n.At)
	}
	if n.Told {
		t.Told = n.At
	}
	t.Tokens += n.Tokens
	c.notes, c.changed = n.Number, true
}

package quota

import (
	"encoding/json"
	"fmt"
)

// record is a counter as it is written down.
type record struct {
	Day    string            `json:"day"`
	People map[string]*tally `json:"people"`
}

// Changes returns what was counted, written down, and true if anything changed
// since the last call.
func (c *Counter) Changes() ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.changed {
		return nil, false, nil
	}
	text, err := json.Marshal(record{c.today, c.people})
	if err != nil {
		return nil, false, fmt.Errorf("quota: write down: %w", err)
	}
	c.changed = false
	return text, true, nil
}

// Restore takes up what was written down. On an error nothing changes.
func (c *Counter) Restore(text []byte) error {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("quota: read back: %w", err)
	}
	people := map[string]*tally{}
	for id, t := range r.People {
		if t != nil {
			people[id] = t
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.today, c.people = r.Day, people
	return nil
}

package people

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	// departmentsFresh is how long a list of departments is good for.
	departmentsFresh = 24 * time.Hour
	// listPatience is how long a directory may take to list them when nobody waits.
	listPatience = 3 * time.Minute
	// listsEvery is how often is looked whether lists are old, or wanted since.
	listsEvery = 10 * time.Minute
	// listsAgain is how soon one that could not be read is asked for again; the next
	// pauses are longer.
	listsAgain = 15 * time.Second
	// officeNote is the name under which a list is kept.
	officeNote = "departments"
)

// Notes keep texts by bot and name.
type Notes interface {
	Note(ctx context.Context, bot, name string) (string, error)
	KeepNote(ctx context.Context, bot, name, note string) error
}

// ListDepartments asks the directory behind a bot. A bot without one is an error of
// KindUnsupported.
type ListDepartments func(ctx context.Context, bot string) ([]bridge.Department, error)

// Offices knows the departments behind bots, so that they may be called by name:
// directories say of people only which ids theirs have. Make one with NewOffices.
type Offices struct {
	notes Notes
	list  ListDepartments
	log   *slog.Logger

	mu sync.Mutex
	of map[string]*office // by bot
}

// office is what is known behind one bot.
type office struct {
	mu    sync.Mutex
	asked bool      // or found in the notes
	none  bool      // there is no directory with departments
	at    time.Time // when the list was read
	chart chart
}

// chart is a list of departments by id, and the ids by name.
type chart struct {
	by    map[string]bridge.Department
	named map[string][]string
}

// NewOffices makes a keeper of departments.
func NewOffices(notes Notes, list ListDepartments, log *slog.Logger) *Offices {
	return &Offices{notes: notes, list: list, log: log, of: map[string]*office{}}
}

// Names returns the names that are good for departments with these ids: their own,
// and those of the departments they are part of. A name that several departments
// have is good for none. Only who asks first waits for the directory, for a moment.
//
// Unsure tells of a name or an id whether nobody can say now if it is good for them,
// because the list or the ids are not known, or because several departments have
// that name and these are of them.
func (o *Offices) Names(ctx context.Context, bot string, ids []string) (names []string, unsure func(name string) bool) {
	f := o.office(bot)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.asked {
		o.recall(ctx, bot, f)
	}
	if !f.asked {
		short, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		err := o.learn(short, bot, f)
		f.asked = f.asked || ctx.Err() == nil // in vain: Refresh asks again
		if err != nil {
			o.complain(ctx, bot, err)
		}
	}
	sure, maybe := f.chart.names(ids)
	none, unread := f.none, f.at.IsZero()
	return sure, func(name string) bool {
		switch {
		case none || slices.Contains(sure, name) || slices.Contains(ids, name):
			return false
		case len(ids) == 0:
			return true
		default:
			return unread && !bridge.IsID(name) || slices.Contains(maybe, name)
		}
	}
}

// Refresh asks the directory behind a bot again when the list is a day old.
func (o *Offices) Refresh(ctx context.Context, bot string) error {
	f := o.office(bot)
	f.mu.Lock()
	if !f.asked {
		o.recall(ctx, bot, f)
	}
	at := f.at
	f.mu.Unlock()
	if age := time.Since(at); age >= 0 && age < departmentsFresh { // the clock may have been put back
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	_, err := o.renew(ctx, bot)
	return err
}

// KeepReading reads lists until ctx ends: every ten minutes, at once when something
// is due, and sooner, in growing pauses, as long as not all could be read.
func KeepReading(ctx context.Context, due <-chan struct{}, readAll func(context.Context) bool) {
	again := listsAgain
	for {
		pause := listsEvery
		if readAll(ctx) {
			again = listsAgain
		} else {
			pause, again = again, min(2*again, listsEvery)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-due:
			again = listsAgain
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// renew asks the directory while others go on with what is known.
func (o *Offices) renew(ctx context.Context, bot string) (chart, error) {
	all, err := o.list(ctx, bot)
	f := o.office(bot)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.none = bridge.KindOf(err) == bridge.KindUnsupported
	if err != nil {
		return chart{}, fmt.Errorf("people: departments of %s: %w", bot, err)
	}
	return newChart(all), o.keep(ctx, bot, f, all)
}

// Doubt is what is wrong with a name that somebody wrote for a department.
type Doubt struct {
	Name string
	// IDs are those of several departments of that name, each with the name of the
	// one it is part of; empty when there is none of that name.
	IDs []string
	// Known are names that there are.
	Known []string
}

// Review asks the directory now and returns the doubts about names or ids.
func (o *Offices) Review(ctx context.Context, bot string, wanted []string) ([]Doubt, error) {
	c, err := o.renew(ctx, bot)
	if err != nil {
		return nil, err
	}
	var doubts []Doubt
	for _, name := range wanted {
		if d, doubtful := c.doubt(name); doubtful {
			doubts = append(doubts, d)
		}
	}
	return doubts, nil
}

func (o *Offices) office(bot string) *office {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.of[bot]
	if f == nil {
		f = &office{}
		o.of[bot] = f
	}
	return f
}

// kept is a list as it is kept.
type kept struct {
	At  time.Time           `json:"at"`
	All []bridge.Department `json:"all"`
}

// recall takes up what was read before a restart.
func (o *Offices) recall(ctx context.Context, bot string, f *office) {
	text, err := o.notes.Note(ctx, bot, officeNote)
	var k kept
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &k)
	}
	if err != nil {
		o.complain(ctx, bot, err)
		return
	}
	if !k.At.IsZero() {
		f.asked, f.at, f.chart = true, k.At, newChart(k.All)
	}
}

// learn asks the directory.
func (o *Offices) learn(ctx context.Context, bot string, f *office) error {
	all, err := o.list(ctx, bot)
	f.none = bridge.KindOf(err) == bridge.KindUnsupported
	if err != nil {
		return fmt.Errorf("people: departments of %s: %w", bot, err)
	}
	return o.keep(ctx, bot, f, all)
}

func (o *Offices) keep(ctx context.Context, bot string, f *office, all []bridge.Department) error {
	f.asked, f.at, f.chart = true, time.Now(), newChart(all)
	text, err := json.Marshal(kept{f.at, all})
	if err == nil {
		err = o.notes.KeepNote(ctx, bot, officeNote, string(text))
	}
	if err != nil {
		return fmt.Errorf("people: departments of %s: %w", bot, err)
	}
	return nil
}

func (o *Offices) complain(ctx context.Context, bot string, err error) {
	if ctx.Err() == nil && bridge.KindOf(err) != bridge.KindUnsupported {
		o.log.LogAttrs(ctx, slog.LevelWarn, "departments are known by their ids only", slog.String("bot", bot), slog.Any("error", err))
	}
}

// newChart takes a list in. A department may stand in it twice, as when it changed
// between two pages, and its name may be withheld.
func newChart(all []bridge.Department) chart {
	c := chart{by: map[string]bridge.Department{}, named: map[string][]string{}}
	for _, d := range all {
		if _, twice := c.by[d.ID]; twice {
			continue
		}
		c.by[d.ID] = d
		if d.Name != "" {
			c.named[d.Name] = append(c.named[d.Name], d.ID)
		}
	}
	return c
}

// names are those that are good for ids, and those that others have, too.
func (c chart) names(ids []string) (sure, maybe []string) {
	seen := map[string]bool{}
	for _, id := range ids {
		for d, known := c.by[id]; known && !seen[d.ID]; d, known = c.by[d.Above] {
			seen[d.ID] = true
			_, isID := c.by[d.Name]
			switch n := len(c.named[d.Name]); {
			case n == 1 && !isID:
				sure = append(sure, d.Name)
			case n > 1 && !isID:
				maybe = append(maybe, d.Name)
			}
		}
	}
	return sure, maybe
}

// namesTold is how many names a doubt offers.
const namesTold = 12

func (c chart) doubt(name string) (Doubt, bool) {
	if _, isID := c.by[name]; isID || len(c.named[name]) == 1 {
		return Doubt{}, false
	}
	d := Doubt{Name: name}
	for _, id := range c.named[name] {
		if above, known := c.by[c.by[id].Above]; known {
			id += " (" + above.Name + ")"
		}
		d.IDs = append(d.IDs, id)
	}
	for known := range c.named {
		d.Known = append(d.Known, known)
	}
	slices.Sort(d.Known)
	d.Known = d.Known[:min(len(d.Known), namesTold)]
	return d, true
}

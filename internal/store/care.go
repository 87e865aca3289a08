package store

import (
	"context"
	"time"
)

const (
	// careEvery is how often Care looks at the clock, rather than setting an alarm:
	// a laptop that slept through the night is looked after when it wakes.
	careEvery = time.Minute
	// careAgain is the pause after something failed.
	careAgain = time.Hour
	// quiet is when nobody writes, by the local time.
	quiet = 3*time.Hour + 30*time.Minute
)

// CareOptions are the settings of a Care.
type CareOptions struct {
	// Backups is the directory of the backups.
	Backups string
	// Keep says how long what people wrote and were answered is kept, and how long
	// the record of what happened; 0 keeps it forever, and so does a nil Keep. It is
	// asked before each time, because it may change.
	Keep func() (content, rows time.Duration)
	// Told hears how a round went: nil, or the first thing that failed. It may be
	// nil.
	Told func(error)
}

// Care looks after a database every night: it looks for damage, makes a backup
// and forgets what is old. Make one with NewCare.
type Care struct {
	store *Store
	opt   CareOptions

	forgot time.Time        // the last time
	kept   [2]time.Duration // what Keep said then
	tried  time.Time        // the last round that failed
}

// NewCare makes a Care; nothing happens before Run.
func NewCare(s *Store, opt CareOptions) *Care {
	if opt.Told == nil {
		opt.Told = func(error) {}
	}
	if opt.Keep == nil {
		opt.Keep = func() (content, rows time.Duration) { return 0, 0 }
	}
	return &Care{store: s, opt: opt}
}

// Run looks after the database until ctx ends. The first round is a minute after
// the start, when what had been left over is answered; a large file, which Open
// does not look into, is looked into then.
func (c *Care) Run(ctx context.Context) error {
	ticker := time.NewTicker(careEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		c.round(ctx, time.Now().Round(0)) // by the wall clock, which goes on in sleep
	}
}

// round does what is due. Each part is due again at the next quiet hour after it
// was done, forgetting also when something else is to be kept, so that what fails
// again and again does not push good backups out.
func (c *Care) round(ctx context.Context, now time.Time) {
	last := lastQuiet(now)
	backed, err := c.backedUp(now)
	old := backed.Before(last) && c.store.engine == sqlite
	content, rows := c.opt.Keep()
	keep := [2]time.Duration{content, rows}
	due := c.forgot.Before(last) || c.forgot.After(now) || keep != c.kept
	if err == nil && !old && !due || now.Sub(c.tried) < careAgain && !now.Before(c.tried) {
		return
	}
	if err == nil {
		err = c.store.Check(ctx)
	}
	if err == nil && old {
		_, err = c.store.Backup(ctx, c.opt.Backups)
	}
	if err == nil && due {
		if err = c.forget(ctx, now, keep); err == nil {
			c.forgot, c.kept = now, keep
		}
	}
	if err != nil {
		c.tried = now
	}
	c.tell(ctx, err)
}

func (c *Care) tell(ctx context.Context, err error) {
	if ctx.Err() == nil {
		c.opt.Told(err)
	}
}

// backedUp is when the latest backup was made. One that was made while the clock was
// ahead says nothing about now: it would do for all the nights up to then.
func (c *Care) backedUp(now time.Time) (time.Time, error) {
	all, err := Backups(c.opt.Backups)
	for _, b := range all {
		if !b.At.After(now) {
			return b.At, err
		}
	}
	return time.Time{}, err
}

func (c *Care) forget(ctx context.Context, now time.Time, keep [2]time.Duration) error {
	_, err := c.store.Forget(ctx, before(now, keep[0]), before(now, keep[1]))
	return err
}

// before is the moment an age ago; for no age, one that nothing is older than.
func before(now time.Time, age time.Duration) time.Time {
	if age <= 0 {
		return time.Time{}
	}
	return now.Add(-age)
}

// lastQuiet is the last quiet hour up to a moment.
func lastQuiet(now time.Time) time.Time {
	y, m, d := now.Date()
	at := time.Date(y, m, d, 0, 0, 0, 0, now.Location()).Add(quiet)
	if at.After(now) {
		at = at.AddDate(0, 0, -1)
	}
	return at
}

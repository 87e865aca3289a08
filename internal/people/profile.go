package people

import (
	"context"
	"log/slog"
	"math"
	"time"

	"switchboard/internal/bridge"
)

const (
	// fresh is how long a profile is good for.
	fresh = 7 * 24 * time.Hour
	// again is when a directory is asked again that could not be reached, and soon
	// when nothing is known of somebody yet.
	again = time.Hour
	soon  = time.Minute
	// unplaced is how long it is enough to know that a directory does not say where
	// somebody works, for decisions that depend on it.
	unplaced = 10 * time.Minute
	// clocksDiffer is how far the clocks of two nodes may be apart.
	clocksDiffer = time.Minute
	// patience is how long a person's answer may wait for the directory.
	patience = 2 * time.Second
)

// ProfileStore keeps profiles.
type ProfileStore interface {
	Profile(ctx context.Context, who bridge.Identity) (bridge.Profile, time.Time, error)
	SaveProfile(ctx context.Context, who bridge.Identity, p bridge.Profile, at time.Time) error
	PersonOf(ctx context.Context, who bridge.Identity) (bridge.Person, error)
}

// LookUp asks the directory behind a bot. A bot without one is an error of
// KindUnsupported.
type LookUp func(ctx context.Context, bot string, user bridge.UserID) (bridge.Profile, error)

// Profiles keeps what directories say of people. Make one with NewProfiles.
type Profiles struct {
	store  ProfileStore
	lookUp LookUp
	log    *slog.Logger
}

// NewProfiles makes a keeper of profiles.
func NewProfiles(store ProfileStore, lookUp LookUp, log *slog.Logger) *Profiles {
	return &Profiles{store, lookUp, log}
}

// Meet returns the profile of somebody who writes to a bot, and whether it is
// time for Refresh. At first sight the directory is asked, for a moment only:
// nobody waits for it long, and without it, or without the permission to read it,
// the profile is empty.
func (p *Profiles) Meet(ctx context.Context, bot string, who bridge.Identity) (profile bridge.Profile, old bool) {
	known, at, err := p.store.Profile(ctx, who)
	switch {
	case err != nil:
		p.complain(ctx, bot, err)
		return known, false
	case at.IsZero():
		return p.ask(ctx, bot, who, known), false
	default:
		return known, ageOf(at) >= fresh
	}
}

// ageOf is how long ago a profile was looked up. One of a time that is yet to come
// is as old as can be: the clock was put back, and it would be good until then.
func ageOf(at time.Time) time.Duration {
	age := time.Since(at)
	if age < -clocksDiffer {
		return math.MaxInt64
	}
	return age
}

// Current is Meet for decisions that depend on where somebody works: an old profile
// is looked up anew before it counts, and so is, after a while, one without
// departments. Whoever is turned away because of it has no answer to refresh it after.
func (p *Profiles) Current(ctx context.Context, bot string, who bridge.Identity) bridge.Profile {
	known, at, err := p.store.Profile(ctx, who)
	if err != nil {
		p.complain(ctx, bot, err)
		return known
	}
	age := ageOf(at)
	waits := age >= fresh-soon // for a directory that could not be reached
	if age >= fresh || known.Department == "" && age >= unplaced && !waits {
		return p.ask(ctx, bot, who, known)
	}
	return known
}

// Refresh asks the directory again when the profile is a week old.
func (p *Profiles) Refresh(ctx context.Context, bot string, who bridge.Identity) {
	known, at, err := p.store.Profile(ctx, who)
	if err != nil {
		p.complain(ctx, bot, err)
		return
	}
	if !at.IsZero() && ageOf(at) >= fresh {
		p.ask(ctx, bot, who, known)
	}
}

// ask looks somebody up and stores what comes. What was known is kept when the
// directory does not answer.
func (p *Profiles) ask(ctx context.Context, bot string, who bridge.Identity, known bridge.Profile) bridge.Profile {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := p.lookUp(short, bot, who.User)
	at := time.Now()
	switch kind := bridge.KindOf(err); kind { //nolint:exhaustive // all others may pass soon
	case "":
	case bridge.KindUnsupported:
		return known
	case bridge.KindForbidden, bridge.KindNotFound:
		found = known // as good as it gets
	default:
		p.complain(ctx, bot, err)
		pause := again
		if known.Department == "" {
			pause = soon
		}
		found, at = known, at.Add(pause-fresh)
	}
	if ctx.Err() != nil {
		return known
	}
	if err := p.keep(ctx, who, found, at); err != nil {
		p.complain(ctx, bot, err)
	}
	return found
}

// keep stores a profile. Its name is the person's where messages carry none.
func (p *Profiles) keep(ctx context.Context, who bridge.Identity, found bridge.Profile, at time.Time) error {
	if err := p.store.SaveProfile(ctx, who, found, at); err != nil {
		return err
	}
	if who.Name != "" || found.Name == "" {
		return nil
	}
	who.Name = found.Name
	_, err := p.store.PersonOf(ctx, who)
	return err
}

func (p *Profiles) complain(ctx context.Context, bot string, err error) {
	if ctx.Err() == nil {
		p.log.LogAttrs(ctx, slog.LevelWarn, "trouble with a directory", slog.String("bot", bot), slog.Any("error", err))
	}
}

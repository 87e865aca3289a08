package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
)

const (
	// doubtAfter is how many refused requests that look like the platform's are no
	// accident, doubtMemory how long one is remembered.
	doubtAfter  = 3
	doubtMemory = 24 * time.Hour
	// doubtProved is for how long they have to go on, without one that is accepted
	// in between, where the settings have been seen to fit: then it is more likely
	// that a stranger tries the address.
	doubtProved = time.Hour
	// doubtTrial bounds the trial of a bot that may clear it. One that said nothing
	// is repeated after doubtAgain at the soonest, one that cleared the bot after
	// doubtCleared: a stranger shall not make us call the platform often.
	doubtTrial   = 30 * time.Second
	doubtAgain   = 10 * time.Minute
	doubtCleared = 6 * time.Hour
)

// doubts counts the requests to each bot that look like the platform's own and are
// refused all the same. Whoever knows the address of a bot can send some, so they
// are a warning only when nothing speaks against it; see weigh. Nothing of it is
// kept: other settings begin with a start of the program, and so without doubt.
type doubts struct {
	ask chan struct{} // holds a token when there is something to weigh

	mu sync.Mutex
	of map[string]*doubt // by bot
}

// doubt is what speaks against the settings of a bot.
type doubt struct {
	err         *bridge.Error // of the last request
	count       int
	first, last time.Time
	proved      bool      // a request was accepted with these settings
	quiet       time.Time // not tried again until then
}

func newDoubts() *doubts { return &doubts{ask: make(chan struct{}, 1), of: map[string]*doubt{}} }

// at is what is known of a bot. The lock is held.
func (d *doubts) at(bot string) *doubt {
	if d.of[bot] == nil {
		d.of[bot] = &doubt{}
	}
	return d.of[bot]
}

// proved notes that the settings of a bot fit, and ends the warning.
func (d *doubts) proved(bot string, end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.at(bot)
	b.proved, b.count = true, 0
	end()
}

// refused counts a request that looks like the platform's.
func (d *doubts) refused(bot string, err *bridge.Error, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.at(bot)
	if b.count == 0 || now.Sub(b.last) > doubtMemory {
		b.count, b.first = 0, now
	}
	b.count, b.last, b.err = b.count+1, now, err
	if b.due(now) {
		nudge(d.ask)
	}
}

// grave says that this is no accident any more.
func (b *doubt) grave() bool {
	return b.count >= doubtAfter && (!b.proved || b.last.Sub(b.first) >= doubtProved)
}

// due says that a grave doubt is to be weighed.
func (b *doubt) due(now time.Time) bool { return b.grave() && !now.Before(b.quiet) }

// take returns the doubts to weigh, by bot. None of them is due again soon.
func (d *doubts) take(now time.Time) map[string]*bridge.Error {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]*bridge.Error{}
	for bot, b := range d.of {
		if b.due(now) {
			all[bot], b.quiet = b.err, now.Add(doubtAgain)
		}
	}
	return all
}

// cleared notes that what spoke against a bot came from strangers.
func (d *doubts) cleared(bot string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.at(bot)
	b.count, b.quiet = 0, now.Add(doubtCleared)
}

// confirmed begins the warning about a bot, unless a request was accepted meanwhile.
func (d *doubts) confirmed(bot string, begin func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at(bot).grave() {
		begin()
	}
}

// judged follows what a bot makes of the requests to it.
func (a *App) judged(bot string, err error) {
	var e *bridge.Error
	switch {
	case err == nil:
		a.doubts.proved(bot, func() {
			if a.health.Clear(health.RequestsRefused, bot) {
				a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
			}
		})
	case errors.As(err, &e) && e.Likely:
		a.doubts.refused(bot, e, time.Now())
	}
}

// weighDoubts warns of bots whose requests are refused for a setting, until ctx
// ends.
func (a *App) weighDoubts(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.doubts.ask:
		}
		for bot, err := range a.doubts.take(time.Now()) {
			a.weigh(ctx, bot, err)
		}
	}
}

// weigh decides whether a doubt becomes a warning. Who only looks like the platform
// must not alarm anybody: where the setting is one that can be tried, it is, but not
// again while the warning stands.
func (a *App) weigh(ctx context.Context, bot string, err *bridge.Error) {
	severity := bridge.SeverityWarning
	switch checks := a.checksOf(bot, err.Args["field"]); {
	case err.Kind == bridge.KindForbidden: // signed as it should be: there is no doubt
		severity = bridge.SeverityError
	case a.health.Standing(health.RequestsRefused, bot):
		return
	case len(checks) > 0:
		good, wrong := a.try(ctx, bot, checks)
		if good {
			a.doubts.cleared(bot, time.Now())
			a.log.LogAttrs(ctx, slog.LevelInfo, "strangers try the address of a bot", slog.String("bot", bot), slog.Any("error", err))
		}
		if !wrong {
			return
		}
		severity = bridge.SeverityError
	}
	a.doubts.confirmed(bot, func() {
		if a.health.Raise(health.Warning{Code: health.RequestsRefused, Severity: severity, Affects: bot, Err: err}) {
			a.log.LogAttrs(ctx, slog.LevelWarn, "requests to a bot do not fit its settings", slog.String("bot", bot), slog.Any("error", err))
			a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		}
	})
}

// checksOf lists the findings that tell whether a setting of a bot is right, as the
// guided set-up says; none if nothing can.
func (a *App) checksOf(bot, field string) []string {
	a.mu.RLock()
	b := a.bots[bot]
	a.mu.RUnlock()
	if b == nil || field == "" {
		return nil
	}
	var checks []string
	for _, c := range a.opt.Connectors {
		for _, step := range c.Setup {
			if c.Platform == b.Platform && slices.Contains(step.Fill, field) {
				checks = append(checks, step.Checks...)
			}
		}
	}
	return checks
}

// try has a bot tried, and says whether some findings are good, or one of them is
// wrong. Neither is true when it cannot be told now.
func (a *App) try(ctx context.Context, id string, checks []string) (good, wrong bool) {
	bot, ok := a.hooked(id)
	if !ok {
		return false, false
	}
	ctx, cancel := context.WithTimeout(ctx, doubtTrial)
	defer cancel()
	found, err := bot.Check(ctx)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelInfo, "a bot cannot be tried now", slog.String("bot", id), slog.Any("error", err))
		return false, false
	}
	for _, f := range found {
		if slices.Contains(checks, f.Code) {
			good, wrong = good || f.OK, wrong || !f.OK
		}
	}
	return good && !wrong, wrong
}

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/tunnel"
)

const (
	// reachLook is how often is noted which bots can be reached.
	reachLook = 5 * time.Second
	// reachGap is the shortest time out of reach in which messages are looked for:
	// platforms deliver again after some 15 seconds by themselves.
	reachGap = 20 * time.Second
	// reachSaved is how often it is written down. After a crash that much is
	// looked through once more.
	reachSaved = time.Minute
)

const (
	// missedOverlap is how much earlier is looked: clocks differ, and a message
	// may have been on its way.
	missedOverlap = time.Minute
	// missedMost is how far back is looked at most.
	missedMost = 24 * time.Hour
	// missedChats is in how many chats is looked, the latest first: each is a call
	// out of the month's allowance. Without one there may be more.
	missedChats, missedChatsUnlimited = 20, 200
	// missedQuiet is how long before that a chat may have been quiet.
	missedQuiet = 7 * 24 * time.Hour
	// missedTries and missedPause are how often it is tried, and the first pause.
	missedTries, missedPause = 5, 30 * time.Second
	// missedBatch is how many messages are stored together.
	missedBatch = 50
)

// errOurs marks the errors that are not the platform's: what was found cannot be
// stored, so it is not given up.
var errOurs = errors.New("the database is in trouble")

// reach is until when a bot could certainly be reached.
type reach struct {
	until, saved time.Time
	busy         bool // what was missed since is being fetched
	// meanwhile is until when it could be reached since that began, without a gap.
	meanwhile time.Time
	tries     int
	after     time.Time // the next try
}

// caught is how the fetching of what a bot missed ended.
type caught struct {
	bot string
	err error
}

// catcher keeps the reaches of bots that can list messages.
type catcher struct {
	*App

	bots map[string]*reach
	done chan caught
}

// catchUp fetches what was written while a bot could not be reached: because this
// computer slept, the program did not run, or the way to it was broken. All of
// these are gaps in the times at which the bot is seen to be in reach.
func (a *App) catchUp(ctx context.Context) error {
	c := &catcher{a, map[string]*reach{}, make(chan caught)}
	var running sync.WaitGroup
	defer running.Wait()
	within, stop := context.WithCancel(ctx)
	defer stop()
	tick := time.NewTicker(reachLook)
	defer tick.Stop()
	for {
		if err := c.look(within, &running); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return c.save(context.WithoutCancel(ctx), 0)
		case got := <-c.done:
			c.settle(ctx, got)
		case <-a.inReach:
		case <-tick.C:
		}
	}
}

// reached says that a bot may be in reach again.
func (a *App) reached() { nudge(a.inReach) }

// look notes which bots are in reach, and has those catch up that were not.
func (c *catcher) look(ctx context.Context, running *sync.WaitGroup) error {
	now := c.opt.Clock().Round(0)
	for _, b := range c.listers() {
		r, err := c.reachOf(ctx, b.ID, now)
		if err != nil {
			return err
		}
		switch {
		case !c.reachable(b):
		case r.busy:
			if now.Sub(r.meanwhile) <= reachGap {
				r.meanwhile = now
			}
		case now.Before(r.after):
		case r.until.IsZero() || now.Sub(r.until) <= reachGap:
			r.until = now
		default:
			r.busy, r.meanwhile = true, now
			since := r.until
			running.Go(func() {
				got := caught{b.ID, c.fetchMissed(ctx, b, since)}
				select {
				case c.done <- got:
				case <-ctx.Done():
				}
			})
		}
	}
	return c.save(ctx, reachSaved)
}

// reachOf is the reach of a bot; at first the one that was written down.
func (c *catcher) reachOf(ctx context.Context, bot string, now time.Time) (*reach, error) {
	if r := c.bots[bot]; r != nil {
		return r, nil
	}
	until, err := c.store.Reach(ctx, bot)
	if err != nil {
		return nil, err
	}
	r := &reach{until: until, saved: until}
	if ahead := until.Sub(now); ahead > missedOverlap && ahead < missedMost { // the clock was in another time zone
		r.until = now.Add(-missedMost)
	}
	c.bots[bot] = r
	return r, nil
}

// save writes down what was not for so long, or is earlier than what was, because
// the clock was ahead.
func (c *catcher) save(ctx context.Context, pause time.Duration) error {
	for bot, r := range c.bots {
		if since := r.until.Sub(r.saved); since >= 0 && since <= pause {
			continue
		}
		if err := c.store.SaveReach(ctx, bot, r.until); err != nil {
			return err
		}
		r.saved = r.until
	}
	return nil
}

// settle notes that a bot has caught up, or when it is tried again. What the
// platform does not list is given up after a while: it may still be delivered. What
// was listed early may miss what was written later, so a gap since counts anew.
func (c *catcher) settle(ctx context.Context, got caught) {
	r := c.bots[got.bot]
	now := c.opt.Clock().Round(0)
	r.busy = false
	switch kind := bridge.KindOf(got.err); {
	case got.err == nil:
	case ctx.Err() != nil:
		return
	case errors.Is(got.err, errOurs), r.tries+1 < missedTries && (kind.Retryable() || kind == bridge.KindCanceled):
		r.after = now.Add(max(bridge.RetryAfter(got.err), missedPause<<r.tries))
		r.tries = min(r.tries+1, missedTries)
		c.log.LogAttrs(ctx, slog.LevelInfo, "what was missed will be fetched later", slog.String("bot", got.bot), slog.Any("error", got.err))
		return
	default:
		c.log.LogAttrs(ctx, slog.LevelWarn, "what was missed cannot be fetched", slog.String("bot", got.bot), slog.Any("error", got.err))
	}
	r.until, r.tries, r.after = r.meanwhile, 0, time.Time{}
}

// listers returns the bots that can list messages. Those of the demonstration
// are never away.
func (a *App) listers() []*openBot {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var all []*openBot
	for _, b := range a.bots {
		if b.limits.Backfill && b.bot != nil && b.Agent != demoAgent && !b.mode.SendOnly() {
			all = append(all, b)
		}
	}
	return all
}

// reachable says that, as far as we know, a bot hears what is written to it.
func (a *App) reachable(b *openBot) bool {
	if b.mode.Listens {
		return !a.health.Standing(health.BotDisconnected, b.ID)
	}
	t := a.tunnel.Load()
	if !a.isReady() || a.health.Standing(health.DoorClosed, partDoor) || a.health.Standing(health.PartFailing, partDoor) || t == nil {
		return false
	}
	s := t.Status()
	return s.Kind != tunnel.KindNgrok || s.State == tunnel.StateOnline
}

// fetchMissed looks through a bot's chats and accepts what was missed, oldest
// first. What is known already is left out.
func (a *App) fetchMissed(ctx context.Context, b *openBot, since time.Time) error {
	lister, ok := b.bot.(bridge.Backfiller)
	if !ok || a.saves(b.ID) { // the platform delivers again for a while, at no cost
		return nil
	}
	from := since.Add(-missedOverlap)
	if earliest := a.opt.Clock().Add(-missedMost); from.Before(earliest) {
		from = earliest
	}
	most := missedChats
	if a.budget(b.account, bridge.MeterCalls, b.limits.MonthlyCalls).Allowance == 0 {
		most = missedChatsUnlimited
	}
	chats, err := a.store.Chats(ctx, b.ID, from.Add(-missedQuiet), most)
	if err != nil {
		return fmt.Errorf("%w: %w", errOurs, err)
	}
	missed, refused, failed := a.missedInAll(ctx, lister, b.ID, chats, from)
	if len(chats) > 0 && failed == nil {
		a.refusedHistory(b.ID, refused)
	}
	return cmp.Or(a.acceptMissed(ctx, b.ID, since, missed), failed)
}

// missedInAll lists the chats. What was found counts whatever becomes of the others:
// one that cannot be listed is left out, and only where none can it is over.
func (a *App) missedInAll(
	ctx context.Context, lister bridge.Backfiller, bot string, chats []bridge.Chat, from time.Time,
) (missed []bridge.Message, refused map[bridge.ChatKind]error, failed error) {
	refused = map[bridge.ChatKind]error{}
	for _, chat := range chats {
		if refused[chat.Kind] != nil {
			continue
		}
		found, err := a.missedIn(ctx, lister, bot, chat, from)
		missed = append(missed, found...)
		switch kind := bridge.KindOf(err); {
		case err == nil:
		case kind == bridge.KindForbidden:
			refused[chat.Kind] = err
		case errors.Is(err, errOurs), kind.Retryable(), kind == bridge.KindCanceled, kind == bridge.KindQuota, kind == bridge.KindCredential:
			return missed, refused, err
		default:
			failed = cmp.Or(failed, err)
		}
	}
	return missed, refused, failed
}

// missedIn lists one chat. Of what is too old to be answered only the last
// message is taken, and only if nothing newer is there: one word that we were
// away is enough.
func (a *App) missedIn(ctx context.Context, lister bridge.Backfiller, bot string, chat bridge.Chat, from time.Time) ([]bridge.Message, error) {
	var all []bridge.Message
	var ids []bridge.MessageID
	for m, err := range lister.Missed(ctx, chat, from) {
		if err != nil {
			return nil, err
		}
		all, ids = append(all, m), append(ids, m.ID)
	}
	known, err := a.store.Known(ctx, bot, ids)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOurs, err)
	}
	oldest := a.opt.Clock().Add(-a.settings.Engine.StaleAfter)
	fresh := slices.DeleteFunc(slices.Clone(all), func(m bridge.Message) bool { return known[m.ID] || m.SentAt.Before(oldest) })
	if last := len(all) - 1; last >= 0 && len(fresh) == 0 && !known[all[last].ID] {
		return all[last:], nil
	}
	return fresh, nil
}

func (a *App) acceptMissed(ctx context.Context, bot string, since time.Time, missed []bridge.Message) error {
	slices.SortStableFunc(missed, func(a, b bridge.Message) int { return a.SentAt.Compare(b.SentAt) })
	for batch := range slices.Chunk(missed, missedBatch) {
		if err := a.accept(ctx, bot, bridge.Delivery{Messages: batch}); err != nil {
			return fmt.Errorf("%w: %w", errOurs, err)
		}
		a.meter.missed.Add(float64(len(batch)), bot)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "looked for what was missed", slog.String("bot", bot), slog.Time("since", since), slog.Int("messages", len(missed)))
	return nil
}

// refusedHistory keeps the notice about a missing right true. It is no trouble:
// the platform delivers again what was missed for a short time.
func (a *App) refusedHistory(bot string, refused map[bridge.ChatKind]error) {
	err := refused[bridge.Direct]
	if err == nil {
		err = refused[bridge.Group]
	}
	changed := false
	if err == nil {
		changed = a.health.Clear(health.HistoryRefused, bot)
	} else {
		changed = a.health.Raise(health.Warning{Code: health.HistoryRefused, Severity: bridge.SeverityInfo, Affects: bot, Err: err})
	}
	if changed {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
}

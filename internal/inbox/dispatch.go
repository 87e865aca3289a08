package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/lifecycle"
)

// storeRetry is the pause before the store is asked again after it failed. The
// store is on this machine: it fails when the disk is full, not for an instant.
const storeRetry = time.Second

// Run rescues what a dead process left running and hands out jobs until ctx
// ends. It then claims no more, gives the running ones Options.Grace to finish,
// cancels the rest and returns when all are settled.
func (i *Inbox) Run(ctx context.Context) error {
	rescued, err := i.store.Rescue(ctx, i.opt.Node)
	if ctx.Err() != nil {
		return nil // stopped before it began
	}
	if err != nil {
		return fmt.Errorf("inbox: rescue: %w", err)
	}
	for _, j := range rescued {
		i.record(j, bridge.EntryRescued, "", "")
	}
	i.findDue(ctx)
	i.stirAll()

	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var workers sync.WaitGroup
	i.dispatch(ctx, work, &workers)

	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()
	grace := time.NewTimer(i.opt.Grace)
	defer grace.Stop()
	i.renewUntil(work, finished, grace.C)
	cancel()
	<-finished
	return nil
}

// dispatch claims and starts jobs until ctx ends.
func (i *Inbox) dispatch(ctx, work context.Context, workers *sync.WaitGroup) {
	renew := time.NewTicker(i.opt.Lease / 3)
	defer renew.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := i.claim(ctx, work, workers); err != nil && ctx.Err() == nil {
			i.log.LogAttrs(ctx, slog.LevelError, "claiming jobs failed", slog.Any("error", err))
			wakeIn(timer, storeRetry)
		} else {
			wakeIn(timer, i.untilDue())
		}
		select {
		case <-ctx.Done():
		case <-i.wake:
		case <-renew.C:
			i.renew(ctx)
		case <-timer.C:
			i.findDue(ctx)
			i.stirAll()
		}
	}
}

func wakeIn(timer *time.Timer, d time.Duration) {
	timer.Stop()
	timer.Reset(d)
}

// claim takes what is free in every queue that may have something. A queue of which
// the store does not tell keeps its news; nobody is woken for it before the pause.
func (i *Inbox) claim(ctx, work context.Context, workers *sync.WaitGroup) error {
	var failed error
	for queue, free := range i.free() {
		jobs, err := i.store.Claim(ctx, i.opt.Node, queue, free, i.opt.Lease)
		if err != nil {
			i.mu.Lock()
			i.news[queue] = true
			i.mu.Unlock()
			failed = fmt.Errorf("inbox: claim: %w", err)
			continue
		}
		for _, j := range jobs {
			i.start(work, j, workers)
		}
	}
	return failed
}

// free returns how many jobs each queue with news can take, and forgets the news.
func (i *Inbox) free() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	free := map[string]int{}
	if i.paused {
		return free
	}
	for queue, workers := range i.queues {
		if n := workers - i.busy[queue]; n > 0 && i.news[queue] {
			free[queue] = n
			delete(i.news, queue)
		}
	}
	return free
}

func (i *Inbox) start(work context.Context, j bridge.Job, workers *sync.WaitGroup) {
	i.mu.Lock()
	i.running[j.ID] = j
	i.busy[j.Queue]++
	i.mu.Unlock()
	i.record(j, bridge.EntryStarted, "", "")
	workers.Go(func() {
		s := i.attempt(work, j)
		i.settle(work, j, s)
		i.mu.Lock()
		delete(i.running, j.ID)
		i.busy[j.Queue]--
		i.mu.Unlock()
		i.stir(j.Queue)
	})
}

// attempt calls the handler and turns a panic into a failed try, so that one
// poisonous message cannot take the house down.
func (i *Inbox) attempt(ctx context.Context, j bridge.Job) (s bridge.Settlement) {
	defer func() {
		if err := lifecycle.Recovered(recover()); err != nil {
			i.log.LogAttrs(ctx, slog.LevelError, "handling a message panicked", slog.Int64("job_id", j.ID),
				slog.Any("error", err), slog.String("stack", lifecycle.Stack(err)))
			s = bridge.Settlement{State: bridge.JobDiscarded, Error: bridge.KindInternal}
			if j.Attempt < 3 {
				s = bridge.Settlement{State: bridge.JobRetryable, DueAt: time.Now().Add(5 * time.Second), Error: bridge.KindInternal}
			}
		}
		s.JobID, s.Attempt = j.ID, j.Attempt
	}()
	return i.handle(ctx, j)
}

// settle stores the outcome, for as long as that takes: a job that ran but is
// not settled would be answered again.
func (i *Inbox) settle(work context.Context, j bridge.Job, s bridge.Settlement) {
	ctx := context.WithoutCancel(work)
	for {
		ours, err := i.store.Settle(ctx, i.opt.Node, s)
		if err == nil {
			i.settled(j, s, ours)
			return
		}
		i.log.LogAttrs(ctx, slog.LevelError, "settling a job failed", slog.Int64("job_id", j.ID), slog.Any("error", err))
		select {
		case <-work.Done():
			return // the process is going; Rescue finds the job at the next start
		case <-time.After(storeRetry):
		}
	}
}

func (i *Inbox) settled(j bridge.Job, s bridge.Settlement, ours bool) {
	if !ours {
		return // rescued by another process meanwhile; its settlement counts
	}
	switch s.State {
	case bridge.JobRetryable:
		i.record(j, bridge.EntryRetry, s.Error, time.Until(s.DueAt).Round(time.Second).String())
		i.wait(s.DueAt)
	case bridge.JobDiscarded:
		i.record(j, bridge.EntryDiscarded, s.Error, "")
	case bridge.JobAvailable, bridge.JobRunning, bridge.JobCompleted, bridge.JobCancelled:
	}
}

func (i *Inbox) record(j bridge.Job, kind bridge.EntryKind, trouble bridge.Kind, note string) {
	i.opt.Record(bridge.Entry{
		Kind: kind, At: time.Now(), JobID: j.ID, Bot: j.Message.Bot, Message: j.Message.ID, Attempt: j.Attempt, Error: trouble, Note: note,
	})
}

// renewUntil keeps the leases of running jobs while they may still finish.
func (i *Inbox) renewUntil(ctx context.Context, finished <-chan struct{}, grace <-chan time.Time) {
	renew := time.NewTicker(i.opt.Lease / 3)
	defer renew.Stop()
	for {
		select {
		case <-finished:
			return
		case <-grace:
			return
		case <-renew.C:
			i.renew(ctx)
		}
	}
}

func (i *Inbox) renew(ctx context.Context) {
	i.mu.Lock()
	ids := slices.Sorted(maps.Keys(i.running))
	i.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	if err := i.store.Extend(ctx, i.opt.Node, ids, i.opt.Lease); err != nil {
		i.log.LogAttrs(ctx, slog.LevelWarn, "extending leases failed", slog.Any("error", err))
	}
}

// findDue asks the store when the next waiting job becomes due. What is settled
// meanwhile may not be in the answer: it comes on top.
func (i *Inbox) findDue(ctx context.Context) {
	i.mu.Lock()
	i.due = time.Time{}
	i.mu.Unlock()
	due, ok, err := i.store.NextDue(ctx)
	if err != nil {
		i.log.LogAttrs(ctx, slog.LevelWarn, "looking for due jobs failed", slog.Any("error", err))
		due, ok = time.Now().Add(storeRetry), true
	}
	if ok {
		i.wait(due)
	}
}

// wait has the dispatcher look again when a job becomes due, or before.
func (i *Inbox) wait(due time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.due.IsZero() || due.Before(i.due) {
		i.due = due
	}
}

// untilDue returns how long to sleep at most. A quarter of an hour is the
// longest, so that a wall clock set back cannot put a job to sleep for ever.
func (i *Inbox) untilDue() time.Duration {
	const longest = 15 * time.Minute
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.due.IsZero() {
		return longest
	}
	return min(max(time.Until(i.due), time.Millisecond), longest)
}

package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// Store keeps the jobs. Every method is durable when it returns.
type Store interface {
	Accept(ctx context.Context, jobs []bridge.NewJob) ([]bridge.Accepted, error)
	Claim(ctx context.Context, node, queue string, limit int, lease time.Duration) ([]bridge.Job, error)
	Extend(ctx context.Context, node string, ids []int64, lease time.Duration) error
	Settle(ctx context.Context, node string, s bridge.Settlement) (bool, error)
	Rescue(ctx context.Context, node string) ([]bridge.Job, error)
	NextDue(ctx context.Context) (time.Time, bool, error)
}

// Handler answers one job and says how the attempt ended. When ctx ends it
// returns soon, leaving the job in a state that another attempt can take up.
type Handler func(ctx context.Context, job bridge.Job) bridge.Settlement

// Place tells where a message or an action belongs: the queue that answers it and
// the lane that keeps it in order.
type Place func(ctx context.Context, n bridge.NewJob) (queue, lane string, err error)

// Options are the settings of an Inbox; the zero value works.
type Options struct {
	// Node names this process in the store; one name is used by one process at
	// a time. Default "local".
	Node string
	// Queues holds the number of jobs that may run at once, by queue. A queue
	// that is not named here is not served.
	Queues map[string]int
	// Lease is how long a claimed job stays ours without a sign of life.
	// Default one minute.
	Lease time.Duration
	// Grace is how long running jobs may go on after Run was told to stop.
	// Default 10 s.
	Grace time.Duration
	// Record takes the journal's entries; nil drops them.
	Record bridge.Record
}

// Inbox accepts and hands out jobs. Make one with New.
type Inbox struct {
	store  Store
	place  Place
	handle Handler
	log    *slog.Logger
	opt    Options

	wake chan struct{} // holds one token when there may be something to claim

	mu      sync.Mutex
	queues  map[string]int
	running map[int64]bridge.Job
	busy    map[string]int  // running jobs by queue
	news    map[string]bool // queues that may have something to claim
	due     time.Time       // the next moment a waiting job becomes due
	paused  bool
}

// New makes an inbox on a store. Nothing runs before Run.
func New(store Store, place Place, handle Handler, log *slog.Logger, opt Options) *Inbox {
	if opt.Node == "" {
		opt.Node = "local"
	}
	if opt.Lease <= 0 {
		opt.Lease = time.Minute
	}
	if opt.Grace <= 0 {
		opt.Grace = 10 * time.Second
	}
	if opt.Record == nil {
		opt.Record = func(bridge.Entry) {}
	}
	return &Inbox{
		store: store, place: place, handle: handle, log: log, opt: opt,
		wake: make(chan struct{}, 1), queues: maps.Clone(opt.Queues),
		running: map[int64]bridge.Job{}, busy: map[string]int{}, news: map[string]bool{},
	}
}

// Accept stores everything a delivery carries and returns how many messages
// were new. An error means that nothing is certain to be stored: the platform
// must not be told that we have it.
func (i *Inbox) Accept(ctx context.Context, d bridge.Delivery) (int, error) {
	jobs, err := i.jobs(ctx, d)
	if err != nil || len(jobs) == 0 {
		return 0, err
	}
	accepted, err := i.store.Accept(ctx, jobs)
	if err != nil {
		return 0, fmt.Errorf("inbox: accept: %w", err)
	}
	fresh := 0
	for n, a := range accepted {
		kind := bridge.EntryReceived
		if a.Duplicate {
			kind = bridge.EntryDuplicate
		} else {
			fresh++
			i.stir(jobs[n].Queue)
		}
		m := jobs[n].Message
		i.opt.Record(bridge.Entry{Kind: kind, At: time.Now(), JobID: a.JobID, Bot: m.Bot, Message: m.ID})
	}
	return fresh, nil
}

func (i *Inbox) jobs(ctx context.Context, d bridge.Delivery) ([]bridge.NewJob, error) {
	jobs := make([]bridge.NewJob, 0, len(d.Messages)+len(d.Actions))
	for _, m := range d.Messages {
		jobs = append(jobs, bridge.NewJob{Message: m})
	}
	for n := range d.Actions {
		a := &d.Actions[n]
		jobs = append(jobs, bridge.NewJob{Action: a, Message: bridge.Message{
			ID: bridge.MessageID(a.ID), Bot: a.Bot, Platform: a.Platform, Chat: a.Chat, Sender: a.Sender, SentAt: a.At, Text: a.Typed(), Address: a.Address,
		}})
	}
	for n := range jobs {
		queue, lane, err := i.place(ctx, jobs[n])
		if err != nil {
			return nil, fmt.Errorf("inbox: place: %w", err)
		}
		jobs[n].Queue, jobs[n].Lane = queue, lane
	}
	return jobs, nil
}

// Pause stops, or with false resumes, handing out jobs. What runs goes on, and
// accepting goes on too.
func (i *Inbox) Pause(paused bool) {
	i.mu.Lock()
	i.paused = paused
	i.mu.Unlock()
	i.stirAll()
}

// Paused says whether handing out is stopped.
func (i *Inbox) Paused() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.paused
}

// Serve sets how many jobs of a queue may run at once; 0 stops the queue.
func (i *Inbox) Serve(queue string, workers int) {
	i.mu.Lock()
	if i.queues == nil {
		i.queues = map[string]int{}
	}
	i.queues[queue] = workers
	i.mu.Unlock()
	i.stir(queue)
}

// Running returns the number of jobs being handled, by queue.
func (i *Inbox) Running() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.busy)
}

// Stir makes the dispatcher look again, after jobs were changed in the store by
// somebody else: a retry on the admin's wish, a linked identity.
func (i *Inbox) Stir() { i.stirAll() }

func (i *Inbox) stir(queue string) {
	i.mu.Lock()
	i.news[queue] = true
	i.mu.Unlock()
	i.nudge()
}

func (i *Inbox) stirAll() {
	i.mu.Lock()
	for queue := range i.queues {
		i.news[queue] = true
	}
	i.mu.Unlock()
	i.nudge()
}

func (i *Inbox) nudge() {
	select {
	case i.wake <- struct{}{}:
	default: // a look is due already
	}
}

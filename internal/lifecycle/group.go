package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Part is something that runs as long as the program.
type Part struct {
	// Name is a short word, unique among the parts, for the log and warnings.
	Name string
	// Stage orders the stopping: the highest stage stops first.
	Stage int
	// Run blocks until ctx ends, finishes what it began, and returns nil. Any
	// return before that is a death.
	Run func(ctx context.Context) error
}

// Options are the settings of a Group; the zero value works.
type Options struct {
	// FirstPause comes before a part that died is started again; it doubles with
	// each death in a row, up to LongestPause. Defaults 1 s and 1 min.
	FirstPause, LongestPause time.Duration
	// Steady is how long a part has to run to count as well again. Default 30 s.
	Steady time.Duration
	// StopLimit is how long one stage may take to stop. Default 30 s.
	StopLimit time.Duration
	// Dead is told of every death, and Well when the part has been running for
	// Steady since; both may be nil.
	Dead func(part string, err error)
	Well func(part string)
	// Hopeless says of an error that starting the part again is useless; nil
	// means never.
	Hopeless func(err error) bool
}

// Group runs parts. Make one with New.
type Group struct {
	log *slog.Logger
	opt Options

	mu    sync.Mutex
	work  context.Context //nolint:containedctx // the life of the parts that are added while Run is running; nil outside of it
	parts []*running
}

// running is a part with its own end.
type running struct {
	Part
	stop context.CancelFunc // nil before it was started
	done chan struct{}      // closed when it has ended
}

// New makes a group without parts.
func New(log *slog.Logger, opt Options) *Group {
	if opt.FirstPause <= 0 {
		opt.FirstPause = time.Second
	}
	if opt.LongestPause <= 0 {
		opt.LongestPause = time.Minute
	}
	if opt.Steady <= 0 {
		opt.Steady = 30 * time.Second
	}
	if opt.StopLimit <= 0 {
		opt.StopLimit = 30 * time.Second
	}
	if opt.Dead == nil {
		opt.Dead = func(string, error) {}
	}
	if opt.Well == nil {
		opt.Well = func(string) {}
	}
	if opt.Hopeless == nil {
		opt.Hopeless = func(error) bool { return false }
	}
	return &Group{log: log, opt: opt}
}

// Add adds a part; it starts with Run, or at once when the group is running.
// The returned function takes it out again: it tells the part to stop and
// returns when it has ended, or an error when that takes too long.
func (g *Group) Add(p Part) (remove func() error) {
	r := &running{Part: p, done: make(chan struct{})}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.parts = append(g.parts, r)
	if g.work != nil {
		g.start(g.work, r)
	}
	return func() error { return g.remove(r) }
}

func (g *Group) remove(r *running) error {
	g.mu.Lock()
	g.parts = slices.DeleteFunc(g.parts, func(p *running) bool { return p == r })
	started := r.stop != nil
	g.mu.Unlock()
	if !started {
		return nil
	}
	err := g.stop([]*running{r})
	g.opt.Well(r.Name) // nobody misses it any more
	return err
}

// start runs a part until it is stopped. The lock is held.
func (g *Group) start(work context.Context, r *running) {
	ctx, stop := context.WithCancel(work)
	r.stop = stop
	go func() {
		defer close(r.done)
		g.keep(ctx, r.Part)
	}()
}

// Run starts every part and blocks until ctx ends and all have stopped, stage by
// stage. The error names the parts that did not stop in time.
func (g *Group) Run(ctx context.Context) error {
	g.mu.Lock()
	work := context.WithoutCancel(ctx)
	g.work = work
	for _, r := range g.parts {
		g.start(work, r)
	}
	g.mu.Unlock()
	<-ctx.Done()
	var all []error
	for {
		stage := g.takeHighest()
		if len(stage) == 0 {
			return errors.Join(all...)
		}
		all = append(all, g.stop(stage))
	}
}

// takeHighest takes out the parts of the highest stage. After the last one
// nothing that is added starts any more.
func (g *Group) takeHighest() []*running {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.parts) == 0 {
		g.work = nil
		return nil
	}
	highest := slices.MaxFunc(g.parts, func(a, b *running) int { return a.Stage - b.Stage }).Stage
	var stage, rest []*running
	for _, r := range g.parts {
		if r.Stage == highest {
			stage = append(stage, r)
		} else {
			rest = append(rest, r)
		}
	}
	g.parts = rest
	return stage
}

// stop tells parts to stop and waits for them.
func (g *Group) stop(parts []*running) error {
	for _, r := range parts {
		r.stop()
	}
	limit := time.NewTimer(g.opt.StopLimit)
	defer limit.Stop()
	for n, r := range parts {
		select {
		case <-r.done:
		case <-limit.C:
			var all []error
			for _, late := range parts[n:] {
				select {
				case <-late.done:
				default:
					all = append(all, fmt.Errorf("lifecycle: %s does not stop", late.Name))
				}
			}
			return errors.Join(all...)
		}
	}
	return nil
}

// keep runs one part, again and again, until ctx ends.
func (g *Group) keep(ctx context.Context, p Part) {
	deaths := 0
	for ctx.Err() == nil {
		begun := time.Now()
		well := g.watch(p.Name, deaths > 0)
		err := contained(func() error { return p.Run(ctx) })
		well()
		if ctx.Err() != nil {
			g.ended(ctx, p, err)
			return
		}
		if time.Since(begun) >= g.opt.Steady {
			deaths = 0
		}
		deaths++
		if !g.mourn(ctx, p, err, deaths) {
			return
		}
	}
}

// watch tells that a part that had died is well again, once it has been running
// for a while. The returned function ends the watch.
func (g *Group) watch(name string, died bool) (end func()) {
	if !died {
		return func() {}
	}
	told := make(chan struct{})
	timer := time.AfterFunc(g.opt.Steady, func() {
		defer close(told)
		g.opt.Well(name)
	})
	return func() {
		if !timer.Stop() {
			<-told // so that a death after it is not cleared by it
		}
	}
}

// ended notes trouble at the very end, when nothing is started again.
func (g *Group) ended(ctx context.Context, p Part, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		g.log.LogAttrs(ctx, slog.LevelWarn, "a part stopped with an error", attrs(p, err)...)
	}
}

// mourn tells of a death and waits for the time to start again; false when that
// does not come.
func (g *Group) mourn(ctx context.Context, p Part, err error, deaths int) bool {
	if err == nil {
		err = errors.New("lifecycle: it returned although nobody stopped it")
	}
	again := !g.opt.Hopeless(err)
	pause := g.pause(deaths)
	g.log.LogAttrs(ctx, slog.LevelError, "a part died", append(attrs(p, err), slog.Bool("again", again), slog.Duration("pause", pause))...)
	g.opt.Dead(p.Name, err)
	if !again {
		<-ctx.Done()
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func attrs(p Part, err error) []slog.Attr {
	all := []slog.Attr{slog.String("part", p.Name), slog.Any("error", err)}
	if stack := Stack(err); stack != "" {
		all = append(all, slog.String("stack", stack))
	}
	return all
}

// pause is the time before the next start: doubled with each death in a row and
// capped, then shortened by up to a quarter at random, so that parts which died
// of the same thing do not all come back at the same moment.
func (g *Group) pause(deaths int) time.Duration {
	d := g.opt.FirstPause
	for range deaths - 1 {
		if d >= g.opt.LongestPause {
			break
		}
		d *= 2
	}
	d = min(d, g.opt.LongestPause)
	return d - rand.N(d/4+1) //nolint:gosec // a spread needs no secrecy
}

//go:build linux

package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// The size of the chaos; `make chaos` makes it larger.
var (
	chaosPeople   = flag.Int("chaos.people", 50, "people who write")
	chaosMessages = flag.Int("chaos.messages", 600, "messages of all people together, at least")
	chaosKills    = flag.Int("chaos.kills", 10, "how often the program is killed, at least")
	chaosLife     = flag.Duration("chaos.life", 1300*time.Millisecond, "how long the program lives at most after its first 200 ms, until it is killed")
	chaosFor      = flag.Duration("chaos.for", 0, "nobody writes any more after this time; 0 waits for all messages")
	chaosFeishu   = flag.Int("chaos.feishu", 10, "one message of so many is written on Feishu, whose limit of calls a minute the program keeps")
	chaosWindow   = flag.Int("chaos.window", 20, "how many questions a person asks before the first of them is answered; with 1 and few people the program has quiet moments")
	chaosSeed     = flag.Uint64("chaos.seed", 0, "0 chooses one")
)

// weather is what the platforms do to us in the meantime. FaultReorder is not
// in it, because the order of the answers is looked at.
const weather = "duplicate=0.05*2,drop=0.02,delay=0.05@20ms,slow=0.02@50ms,reset=0.02,fail=0.02,expire=0.002,busy=0.02,limit=0.01,break=0.02"

// longest is how long an answer may take: a message whose sends failed and
// whose program was killed several times waits longer before each try.
const longest = 5 * time.Minute

// glance is how often somebody looks whether there is an answer. Many people who
// look all the time would take more of the machine than the program does.
const glance = 100 * time.Millisecond

// chaos is one run: people who write, a program that is killed, and the count.
type chaos struct {
	t     *testing.T
	sim   *simulator.Simulator
	seed  uint64
	end   time.Time    // nobody writes after it, unless it is zero
	asked atomic.Int64 // messages that were accepted
	kills atomic.Int64

	doubled atomic.Int64 // shown twice where the platform knows no key
}

// TestChaos kills the real program at random moments while many people write on
// all platforms, whose servers and whose agent fail as well. Every accepted
// question gets its answer in full, in order. Feishu and WeCom show it once;
// DingTalk, which knows no idempotency key for these messages, may show it
// again after a send whose outcome nobody knows.
func TestChaos(t *testing.T) {
	t.Parallel()
	c := &chaos{t: t, seed: *chaosSeed}
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-chaos.seed=%d", c.seed)
	var err error
	c.sim, err = simulator.Start(t.Context(), simulator.Options{RetryPause: 50 * time.Millisecond, Crowd: *chaosPeople, Remember: max(10**chaosPeople**chaosWindow, 100_000)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.sim.Close() }()
	faults, err := simulator.ParseFaults(weather)
	if err != nil {
		t.Fatal(err)
	}
	faults.Seed = c.seed
	c.sim.SetFaults(faults)
	began := time.Now()
	if *chaosFor > 0 {
		c.end = began.Add(*chaosFor)
	}
	c.storm(child(t, c.sim, flaky(t)))
	took := time.Since(began)
	if v := c.sim.Violations(); len(v) > 0 {
		t.Errorf("%d rules of the platforms were broken: %v", len(v), v[:min(len(v), 10)])
	}
	t.Logf("%d messages accepted and answered, %d kills, %d answers shown again on DingTalk, %.0f messages/s",
		c.asked.Load(), c.kills.Load(), c.doubled.Load(), float64(c.asked.Load())/took.Seconds())
}

// storm lets everybody write and kills the program until all is said.
func (c *chaos) storm(start func() *exec.Cmd) {
	var people sync.WaitGroup
	crowd := c.sim.Employees()
	for n, e := range crowd {
		people.Go(func() { c.write(e, rand.New(rand.NewPCG(c.seed, uint64(n))), *chaosMessages/len(crowd)+1) })
	}
	said := make(chan struct{})
	go func() { people.Wait(); close(said) }()
	moments := rand.New(rand.NewPCG(c.seed, 1<<32))
	for {
		p := start()
		life := 200*time.Millisecond + time.Duration(moments.Int64N(int64(*chaosLife)))
		if c.kills.Load() >= int64(*chaosKills) || c.over() {
			life = time.Hour // the rest in peace
		}
		timer := time.NewTimer(life)
		select {
		case <-said:
		case <-timer.C:
		}
		timer.Stop()
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
		_ = p.Wait() // killed
		select {
		case <-said:
			return
		default:
			c.kills.Add(1)
		}
	}
}

// question is one message and where it stands.
type question struct {
	id       bridge.MessageID
	platform bridge.Platform
	text     string
}

// write is one person's day: questions on any platform, then the answers, and
// later a second look at them, which nothing may have been added to.
func (c *chaos) write(e bridge.Employee, dice *rand.Rand, count int) {
	var asked, read []question
	last := map[bridge.Platform]int{}
	for n := range count {
		if c.over() {
			break
		}
		asked = append(asked, c.ask(e, e.Platforms[somewhere(dice.IntN(*chaosFeishu))], n))
		if len(asked) == *chaosWindow {
			if !c.read(asked[0], last) {
				return
			}
			asked, read = asked[1:], append(read, asked[0])
		}
		if len(read) == *chaosWindow {
			c.look(read[0])
			read = read[1:]
		}
	}
	for _, q := range asked {
		if !c.read(q, last) {
			return
		}
	}
	for _, q := range slices.Concat(read, asked) {
		c.look(q)
	}
}

// somewhere chooses a platform by a die: Feishu seldom, because its limit of calls
// a minute would have everybody wait.
func somewhere(die int) int {
	if die == 0 {
		return 0
	}
	return 1 + die%2
}

// over says that nobody writes any more.
func (c *chaos) over() bool { return !c.end.IsZero() && time.Now().After(c.end) }

// ask writes until the message is accepted.
func (c *chaos) ask(e bridge.Employee, p bridge.Platform, n int) question {
	q := question{platform: p, text: fmt.Sprintf("question-%s-%d.", e.ID, n)}
	var err error
	q.id, err = c.sim.Say(c.t.Context(), e.ID, p, q.text)
	for err != nil && c.t.Context().Err() == nil {
		pause(50 * time.Millisecond)
		err = c.sim.Redeliver(c.t.Context(), q.id)
	}
	c.asked.Add(1)
	return q
}

// read waits until a question has a whole answer, and compares its place with
// that of the answer before.
func (c *chaos) read(q question, last map[bridge.Platform]int) bool {
	deadline := time.Now().Add(longest)
	for !c.answered(q) {
		if time.Now().After(deadline) || c.t.Context().Err() != nil {
			trace, _ := c.sim.Trace(q.id)
			c.t.Errorf("%s on %s has no whole answer: %+v", q.text, q.platform, trace)
			return false
		}
		pause(glance)
	}
	trace, _ := c.sim.Trace(q.id)
	if trace.Answers[0].Order < last[q.platform] {
		c.t.Errorf("%s on %s was answered before the question before it", q.text, q.platform)
	}
	last[q.platform] = trace.Answers[0].Order
	return true
}

func (c *chaos) answered(q question) bool {
	trace, _ := c.sim.Trace(q.id)
	return len(trace.Answers) > 0 && whole(q, trace.Answers[0])
}

// wholly says that every answer that can be seen is complete.
func (c *chaos) wholly(q question) bool {
	trace, _ := c.sim.Trace(q.id)
	return !slices.ContainsFunc(trace.Answers, func(a simulator.Answer) bool { return !whole(q, a) })
}

func whole(q question, a simulator.Answer) bool {
	return !a.Growing && strings.Contains(a.Text, q.text) && strings.Contains(a.Text, ending)
}

// look counts the answers that can be seen. One that was complete may be under
// the pen once more: the program was killed before it had noted that it was.
func (c *chaos) look(q question) {
	deadline := time.Now().Add(longest)
	for !c.wholly(q) && time.Now().Before(deadline) && c.t.Context().Err() == nil {
		pause(glance)
	}
	trace, _ := c.sim.Trace(q.id)
	if !c.wholly(q) {
		c.t.Errorf("%s on %s shows %+v", q.text, q.platform, trace.Answers)
	}
	switch more := len(trace.Answers) - 1; {
	case more < 0:
		c.t.Errorf("the answer to %s on %s has gone", q.text, q.platform)
	case q.platform == "dingtalk":
		c.doubled.Add(int64(more))
	case more > 0:
		c.t.Errorf("%s on %s is answered %d times", q.text, q.platform, more+1)
	}
}

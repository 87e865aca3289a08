package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func laneChecks() []check {
	return []check{
		{"a lane is in order", laneOrder},
		{"lanes run side by side, oldest first", parallelLanes},
		{"one job of a lane runs", oneRunning},
		{"a retryable head holds its lane until it is due", retryableHead},
		{"limits and queues", limits},
		{"a settlement counts for its own attempt", fencing},
		{"every final state frees the lane", finalStates},
		{"a restart rescues what ran", rescueAtStart},
		{"an expired lease is rescued", rescueExpired},
		{"claiming from many goroutines", claimRace},
		{"accepting while others settle", acceptAndSettle},
		{"an unsettled lane with a long backlog", backlog},
		{"a restart keeps states", statesSurvive},
	}
}

func laneOrder(b *bundle) {
	b.accept("p:a:x", "a1", "a2", "a3")
	b.accept("p:a:x", "a4")
	if diff := cmp.Diff([]string{"a1", "a2", "a3", "a4"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

func parallelLanes(b *bundle) {
	b.accept("p:a:x", "a1", "a2")
	b.accept("g:bot:chat:x", "g1")
	b.accept("p:b:x", "b1", "b2")
	if diff := cmp.Diff([]string{"a1", "g1", "b1"}, names(b.claim(10))); diff != "" {
		b.Error(diff)
	}
}

func oneRunning(b *bundle) {
	b.accept("p:a:x", "a1", "a2")
	j := b.claim(10)
	if diff := cmp.Diff([]string{"a1"}, names(j)); diff != "" {
		b.Fatal(diff)
	}
	b.accept("p:a:x", "a3")
	if got := b.claim(10); len(got) != 0 {
		b.Errorf("claimed %v beside a running job", names(got))
	}
	if n := b.waiting(); n != 3 {
		b.Errorf("%d unfinished", n)
	}
	b.settle(j[0], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"a2"}, names(b.claim(10))); diff != "" {
		b.Error(diff)
	}
	if n := b.waiting(); n != 2 {
		b.Errorf("%d unfinished", n)
	}
}

func retryableHead(b *bundle) {
	b.accept("p:a:x", "a1", "a2")
	if _, due, err := b.NextDue(b.Context()); due || err != nil {
		b.Error("something is due later", err)
	}
	j := b.claim(10)[0]
	b.settle(j, bridge.JobRetryable, 10*time.Second)
	at := time.Now().Add(10 * time.Second).Truncate(time.Microsecond)
	next, due, err := b.NextDue(b.Context())
	if !due || err != nil || !next.Equal(at) {
		b.Errorf("next due %v %v %v, want %v", next, due, err, at)
	}
	if got := b.claim(10); len(got) != 0 {
		b.Errorf("claimed %v too early", names(got))
	}
	if got := b.job(j.ID); got.State != bridge.JobRetryable || got.LastError != bridge.KindUnavailable || got.Attempt != 1 {
		b.Errorf("job %+v", got)
	}
	pass(10 * time.Second)
	got := b.claim(10)
	if diff := cmp.Diff([]string{"a1"}, names(got)); diff != "" {
		b.Fatal(diff)
	}
	if got[0].Attempt != 2 {
		b.Errorf("attempt %d", got[0].Attempt)
	}
	b.settle(got[0], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"a2"}, b.finish()); diff != "" {
		b.Error(diff)
	}
	if _, due, err := b.NextDue(b.Context()); due || err != nil {
		b.Error("something is due later", err)
	}
}

func limits(b *bundle) {
	for n := range 5 {
		b.accept("p:"+id(n)+":x", id(n))
		other := job("p:"+id(n)+":y", "other"+id(n))
		other.Queue = "second"
		b.acceptJobs(other)
	}
	if diff := cmp.Diff([]string{"m0", "m1"}, names(b.claim(2))); diff != "" {
		b.Error(diff)
	}
	if got := b.claim(0); len(got) != 0 {
		b.Error("claimed", names(got))
	}
	if diff := cmp.Diff([]string{"m2", "m3", "m4"}, names(b.claim(10))); diff != "" {
		b.Error(diff)
	}
	jobs, err := b.Claim(b.Context(), node, "third", 10, lease)
	if err != nil || len(jobs) != 0 {
		b.Error(names(jobs), err)
	}
	waiting, err := b.Waiting(b.Context())
	b.ok(err)
	if diff := cmp.Diff(map[string]int{agent: 5, "second": 5}, waiting); diff != "" {
		b.Error(diff)
	}
}

func fencing(b *bundle) {
	b.accept("p:a:x", "a1", "a2")
	j := b.claim(1)[0]
	done := bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted}
	refused := func(why, by string, s bridge.Settlement) {
		b.Helper()
		if ours, err := b.Settle(b.Context(), by, s); ours || err != nil {
			b.Errorf("%s: settled %v, %v", why, ours, err)
		}
	}
	refused("another node", "node-2", done)
	early := done
	early.Attempt++
	refused("an attempt that is yet to come", node, early)
	_, err := b.Rescue(b.Context(), node)
	b.ok(err)
	refused("after the rescue", node, done)
	again := b.claim(1)[0]
	if again.ID != j.ID || again.Attempt != 2 {
		b.Fatalf("claimed %+v", again)
	}
	refused("the attempt before", node, done)
	b.settle(again, bridge.JobCompleted, 0)
	refused("twice", node, bridge.Settlement{JobID: j.ID, Attempt: 2, State: bridge.JobRetryable, DueAt: time.Now()})
	if got := b.job(j.ID); got.State != bridge.JobCompleted || got.FinishedAt.IsZero() {
		b.Errorf("job %+v", got)
	}
	if diff := cmp.Diff([]string{"a2"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

func finalStates(b *bundle) {
	b.accept("p:a:x", "a1", "a2", "a3", "a4")
	for _, state := range []bridge.JobState{bridge.JobCompleted, bridge.JobCancelled, bridge.JobDiscarded} {
		j := b.claim(1)[0]
		b.settle(j, state, 0)
		if got := b.job(j.ID).State; got != state {
			b.Errorf("state %s, want %s", got, state)
		}
	}
	if diff := cmp.Diff([]string{"a4"}, b.finish()); diff != "" {
		b.Error(diff)
	}
	if n := b.waiting(); n != 0 {
		b.Errorf("%d unfinished", n)
	}
}

func rescueAtStart(b *bundle) {
	b.accept("p:a:x", "a1", "a2")
	b.accept("p:b:x", "b1")
	b.claim(10)
	b.reopen()
	if got := b.claim(10); len(got) != 0 {
		b.Errorf("claimed %v before the rescue", names(got))
	}
	if jobs, err := b.Rescue(b.Context(), "node-2"); err != nil || len(jobs) != 0 {
		b.Errorf("another node rescued %v, %v", names(jobs), err)
	}
	jobs, err := b.Rescue(b.Context(), node)
	b.ok(err)
	if diff := cmp.Diff([]string{"a1", "b1"}, names(jobs)); diff != "" {
		b.Error(diff)
	}
	for _, j := range jobs {
		if j.State != bridge.JobAvailable || j.Attempt != 1 {
			b.Errorf("rescued %+v", j)
		}
	}
	got := b.claim(10)
	if diff := cmp.Diff([]string{"a1", "b1"}, names(got)); diff != "" {
		b.Error(diff)
	}
	if got[0].Attempt != 2 {
		b.Errorf("attempt %d", got[0].Attempt)
	}
}

func rescueExpired(b *bundle) {
	ids := b.accept("p:a:x", "a1")
	b.accept("p:b:x", "b1")
	b.claim(10)
	pass(lease - time.Second)
	b.ok(b.Extend(b.Context(), node, ids, lease))
	b.ok(b.Extend(b.Context(), node, nil, lease))
	b.ok(b.Extend(b.Context(), "node-2", ids, time.Hour)) // not theirs: no effect
	pass(2 * time.Second)
	rescue := func(want ...string) {
		b.Helper()
		jobs, err := b.Rescue(b.Context(), "")
		b.ok(err)
		if diff := cmp.Diff(append([]string{}, want...), names(jobs)); diff != "" {
			b.Error(diff)
		}
	}
	rescue("b1")
	pass(lease)
	rescue("a1")
	rescue()
	if diff := cmp.Diff([]string{"a1", "b1"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

// claimRace lets several nodes work through lanes and checks that each job was
// handed out once and each lane in order, one at a time.
func claimRace(b *bundle) {
	const lanes, each, nodes = 5, 12, 4
	for n := range each {
		for l := range lanes {
			b.accept("p:"+id(l)+":x", id(100*l+n))
		}
	}
	var mu sync.Mutex
	order := map[string][]string{}
	running := map[string]bool{}
	note := func(j bridge.Job, begins bool) {
		mu.Lock()
		defer mu.Unlock()
		if running[j.Lane] == begins {
			b.Errorf("lane %s: two jobs at a time", j.Lane)
		}
		running[j.Lane] = begins
		if begins {
			order[j.Lane] = append(order[j.Lane], string(j.Message.ID))
		}
	}
	var wg sync.WaitGroup
	for n := range nodes {
		wg.Go(func() { b.workUntilEmpty("node-"+id(n), note) })
	}
	wg.Wait()
	for l := range lanes {
		var want []string
		for n := range each {
			want = append(want, id(100*l+n))
		}
		if diff := cmp.Diff(want, order["p:"+id(l)+":x"]); diff != "" {
			b.Error(diff)
		}
	}
}

func (b *bundle) workUntilEmpty(node string, note func(bridge.Job, bool)) {
	b.Helper()
	for {
		waiting, err := b.Waiting(b.Context())
		if err != nil || waiting[agent] == 0 || b.Failed() {
			return
		}
		jobs, err := b.Claim(b.Context(), node, agent, 2, lease)
		if err != nil {
			b.Error(err)
			return
		}
		for _, j := range jobs {
			note(j, true)
		}
		for _, j := range jobs {
			note(j, false)
			s := bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted}
			if ours, err := b.Settle(b.Context(), node, s); !ours || err != nil {
				b.Errorf("settle: %v, %v", ours, err)
				return
			}
		}
	}
}

// acceptAndSettle fills a few lanes from several sides while they are emptied,
// so that lanes run empty and fill up all the time.
func acceptAndSettle(b *bundle) {
	const lanes, callers, each = 2, 8, 40
	var wg, accepting sync.WaitGroup
	for c := range callers {
		accepting.Go(func() {
			for n := range each {
				l := (c + n) % lanes
				if _, err := b.Accept(b.Context(), []bridge.NewJob{job("p:"+id(l)+":x", id(1000*c+n))}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	wg.Go(func() { accepting.Wait(); close(stop) })
	var mu sync.Mutex
	handled := map[string][]int64{}
	note := func(j bridge.Job, begins bool) {
		mu.Lock()
		defer mu.Unlock()
		if begins {
			handled[j.Lane] = append(handled[j.Lane], j.ID)
		}
	}
	for n := range 3 {
		wg.Go(func() {
			for open := true; open && !b.Failed(); {
				select {
				case <-stop:
					open = false
				default:
				}
				b.workUntilEmpty("node-"+id(n), note)
			}
		})
	}
	wg.Wait()
	total := 0
	for lane, ids := range handled {
		total += len(ids)
		if !slices.IsSorted(ids) {
			b.Errorf("lane %s: handled %v", lane, ids)
		}
	}
	if n := b.waiting(); n != 0 || total != callers*each {
		b.Errorf("%d handled, %d left", total, n)
	}
}

func backlog(b *bundle) {
	var jobs []bridge.NewJob
	var want []string
	for n := range 150 { // more than fit one statement
		jobs = append(jobs, job("p:a:x", id(n)))
		want = append(want, id(n))
	}
	b.acceptJobs(jobs...)
	if diff := cmp.Diff(want, b.finish()); diff != "" {
		b.Error(diff)
	}
}

func statesSurvive(b *bundle) {
	b.accept("p:a:x", "a1", "a2")
	b.accept("p:b:x", "b1")
	jobs := b.claim(10)
	b.settle(jobs[0], bridge.JobRetryable, time.Hour)
	b.settle(jobs[1], bridge.JobCompleted, 0)
	b.reopen()
	if got := b.job(jobs[0].ID); got.State != bridge.JobRetryable || got.DueAt.IsZero() {
		b.Errorf("job %+v", got)
	}
	if n := b.waiting(); n != 2 {
		b.Errorf("%d unfinished", n)
	}
	if got := b.claim(10); len(got) != 0 {
		b.Errorf("claimed %v", names(got))
	}
	pass(time.Hour)
	if diff := cmp.Diff([]string{"a1", "a2"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

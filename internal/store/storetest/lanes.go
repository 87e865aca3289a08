package storetest

import (
	"sync"
	"testing"
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
		{"an unsettled lane with a long backlog", backlog},
		{"a restart keeps states", statesSurvive},
	}
}

func laneOrder(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2", "a3")
	b.accept(t, "p:a:x", "a4")
	if diff := cmp.Diff([]string{"a1", "a2", "a3", "a4"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

func parallelLanes(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2")
	b.accept(t, "g:bot:chat:x", "g1")
	b.accept(t, "p:b:x", "b1", "b2")
	if diff := cmp.Diff([]string{"a1", "g1", "b1"}, names(b.claim(t, 10))); diff != "" {
		t.Error(diff)
	}
}

func oneRunning(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2")
	j := b.claim(t, 10)
	if diff := cmp.Diff([]string{"a1"}, names(j)); diff != "" {
		t.Fatal(diff)
	}
	b.accept(t, "p:a:x", "a3")
	if got := b.claim(t, 10); len(got) != 0 {
		t.Errorf("claimed %v beside a running job", names(got))
	}
	if n := b.waiting(t); n != 3 {
		t.Errorf("%d unfinished", n)
	}
	b.settle(t, j[0], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"a2"}, names(b.claim(t, 10))); diff != "" {
		t.Error(diff)
	}
	if n := b.waiting(t); n != 2 {
		t.Errorf("%d unfinished", n)
	}
}

func retryableHead(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2")
	if _, due, err := b.NextDue(t.Context()); due || err != nil {
		t.Error("something is due later", err)
	}
	j := b.claim(t, 10)[0]
	b.settle(t, j, bridge.JobRetryable, 10*time.Second)
	at := time.Now().Add(10 * time.Second).Truncate(time.Microsecond)
	next, due, err := b.NextDue(t.Context())
	if !due || err != nil || !next.Equal(at) {
		t.Errorf("next due %v %v %v, want %v", next, due, err, at)
	}
	if got := b.claim(t, 10); len(got) != 0 {
		t.Errorf("claimed %v too early", names(got))
	}
	if got := b.job(t, j.ID); got.State != bridge.JobRetryable || got.LastError != bridge.KindUnavailable || got.Attempt != 1 {
		t.Errorf("job %+v", got)
	}
	pass(10 * time.Second)
	got := b.claim(t, 10)
	if diff := cmp.Diff([]string{"a1"}, names(got)); diff != "" {
		t.Fatal(diff)
	}
	if got[0].Attempt != 2 {
		t.Errorf("attempt %d", got[0].Attempt)
	}
	b.settle(t, got[0], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"a2"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
	if _, due, err := b.NextDue(t.Context()); due || err != nil {
		t.Error("something is due later", err)
	}
}

func limits(t *testing.T, b *bundle) {
	for n := range 5 {
		b.accept(t, "p:"+id(n)+":x", id(n))
		other := job("p:"+id(n)+":y", "other"+id(n))
		other.Queue = "second"
		b.acceptJobs(t, other)
	}
	if diff := cmp.Diff([]string{"m0", "m1"}, names(b.claim(t, 2))); diff != "" {
		t.Error(diff)
	}
	if got := b.claim(t, 0); len(got) != 0 {
		t.Error("claimed", names(got))
	}
	if diff := cmp.Diff([]string{"m2", "m3", "m4"}, names(b.claim(t, 10))); diff != "" {
		t.Error(diff)
	}
	jobs, err := b.Claim(t.Context(), node, "third", 10, lease)
	if err != nil || len(jobs) != 0 {
		t.Error(names(jobs), err)
	}
	waiting, err := b.Waiting(t.Context())
	ok(t, err)
	if diff := cmp.Diff(map[string]int{agent: 5, "second": 5}, waiting); diff != "" {
		t.Error(diff)
	}
}

func fencing(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2")
	j := b.claim(t, 1)[0]
	done := bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted}
	refused := func(why, by string, s bridge.Settlement) {
		t.Helper()
		if ours, err := b.Settle(t.Context(), by, s); ours || err != nil {
			t.Errorf("%s: settled %v, %v", why, ours, err)
		}
	}
	refused("another node", "node-2", done)
	early := done
	early.Attempt++
	refused("an attempt that is yet to come", node, early)
	_, err := b.Rescue(t.Context(), node)
	ok(t, err)
	refused("after the rescue", node, done)
	again := b.claim(t, 1)[0]
	if again.ID != j.ID || again.Attempt != 2 {
		t.Fatalf("claimed %+v", again)
	}
	refused("the attempt before", node, done)
	b.settle(t, again, bridge.JobCompleted, 0)
	refused("twice", node, bridge.Settlement{JobID: j.ID, Attempt: 2, State: bridge.JobRetryable, DueAt: time.Now()})
	if got := b.job(t, j.ID); got.State != bridge.JobCompleted || got.FinishedAt.IsZero() {
		t.Errorf("job %+v", got)
	}
	if diff := cmp.Diff([]string{"a2"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

func finalStates(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2", "a3", "a4")
	for _, state := range []bridge.JobState{bridge.JobCompleted, bridge.JobCancelled, bridge.JobDiscarded} {
		j := b.claim(t, 1)[0]
		b.settle(t, j, state, 0)
		if got := b.job(t, j.ID).State; got != state {
			t.Errorf("state %s, want %s", got, state)
		}
	}
	if diff := cmp.Diff([]string{"a4"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
	if n := b.waiting(t); n != 0 {
		t.Errorf("%d unfinished", n)
	}
}

func rescueAtStart(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2")
	b.accept(t, "p:b:x", "b1")
	b.claim(t, 10)
	b.reopen(t)
	if got := b.claim(t, 10); len(got) != 0 {
		t.Errorf("claimed %v before the rescue", names(got))
	}
	if jobs, err := b.Rescue(t.Context(), "node-2"); err != nil || len(jobs) != 0 {
		t.Errorf("another node rescued %v, %v", names(jobs), err)
	}
	jobs, err := b.Rescue(t.Context(), node)
	ok(t, err)
	if diff := cmp.Diff([]string{"a1", "b1"}, names(jobs)); diff != "" {
		t.Error(diff)
	}
	for _, j := range jobs {
		if j.State != bridge.JobAvailable || j.Attempt != 1 {
			t.Errorf("rescued %+v", j)
		}
	}
	got := b.claim(t, 10)
	if diff := cmp.Diff([]string{"a1", "b1"}, names(got)); diff != "" {
		t.Error(diff)
	}
	if got[0].Attempt != 2 {
		t.Errorf("attempt %d", got[0].Attempt)
	}
}

func rescueExpired(t *testing.T, b *bundle) {
	ids := b.accept(t, "p:a:x", "a1")
	b.accept(t, "p:b:x", "b1")
	b.claim(t, 10)
	pass(lease - time.Second)
	ok(t, b.Extend(t.Context(), node, ids, lease))
	ok(t, b.Extend(t.Context(), node, nil, lease))
	ok(t, b.Extend(t.Context(), "node-2", ids, time.Hour)) // not theirs: no effect
	pass(2 * time.Second)
	rescue := func(want ...string) {
		t.Helper()
		jobs, err := b.Rescue(t.Context(), "")
		ok(t, err)
		if diff := cmp.Diff(append([]string{}, want...), names(jobs)); diff != "" {
			t.Error(diff)
		}
	}
	rescue("b1")
	pass(lease)
	rescue("a1")
	rescue()
	if diff := cmp.Diff([]string{"a1", "b1"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

// claimRace lets several nodes work through lanes and checks that each job was
// handed out once and each lane in order, one at a time.
func claimRace(t *testing.T, b *bundle) {
	const lanes, each, nodes = 5, 12, 4
	for n := range each {
		for l := range lanes {
			b.accept(t, "p:"+id(l)+":x", id(100*l+n))
		}
	}
	var mu sync.Mutex
	order := map[string][]string{}
	running := map[string]bool{}
	note := func(j bridge.Job, begins bool) {
		mu.Lock()
		defer mu.Unlock()
		if running[j.Lane] == begins {
			t.Errorf("lane %s: two jobs at a time", j.Lane)
		}
		running[j.Lane] = begins
		if begins {
			order[j.Lane] = append(order[j.Lane], string(j.Message.ID))
		}
	}
	var wg sync.WaitGroup
	for n := range nodes {
		wg.Go(func() { b.workUntilEmpty(t, "node-"+id(n), note) })
	}
	wg.Wait()
	for l := range lanes {
		var want []string
		for n := range each {
			want = append(want, id(100*l+n))
		}
		if diff := cmp.Diff(want, order["p:"+id(l)+":x"]); diff != "" {
			t.Error(diff)
		}
	}
}

func (b *bundle) workUntilEmpty(t *testing.T, node string, note func(bridge.Job, bool)) {
	t.Helper()
	for {
		waiting, err := b.Waiting(t.Context())
		if err != nil || waiting[agent] == 0 {
			return
		}
		jobs, err := b.Claim(t.Context(), node, agent, 2, lease)
		if err != nil {
			t.Error(err)
			return
		}
		for _, j := range jobs {
			note(j, true)
		}
		for _, j := range jobs {
			note(j, false)
			s := bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted}
			if ours, err := b.Settle(t.Context(), node, s); !ours || err != nil {
				t.Errorf("settle: %v, %v", ours, err)
				return
			}
		}
	}
}

func backlog(t *testing.T, b *bundle) {
	var jobs []bridge.NewJob
	var want []string
	for n := range 150 { // more than fit one statement
		jobs = append(jobs, job("p:a:x", id(n)))
		want = append(want, id(n))
	}
	b.acceptJobs(t, jobs...)
	if diff := cmp.Diff(want, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

func statesSurvive(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1", "a2")
	b.accept(t, "p:b:x", "b1")
	jobs := b.claim(t, 10)
	b.settle(t, jobs[0], bridge.JobRetryable, time.Hour)
	b.settle(t, jobs[1], bridge.JobCompleted, 0)
	b.reopen(t)
	if got := b.job(t, jobs[0].ID); got.State != bridge.JobRetryable || got.DueAt.IsZero() {
		t.Errorf("job %+v", got)
	}
	if n := b.waiting(t); n != 2 {
		t.Errorf("%d unfinished", n)
	}
	if got := b.claim(t, 10); len(got) != 0 {
		t.Errorf("claimed %v", names(got))
	}
	pass(time.Hour)
	if diff := cmp.Diff([]string{"a1", "a2"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

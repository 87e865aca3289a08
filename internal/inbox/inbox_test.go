package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/inbox"
)

// memory is a store with the contract of the real one, in a map.
type memory struct {
	mu     sync.Mutex
	jobs   []*bridge.Job
	fail   error // returned by the next Accept or Settle
	lease  map[int64]time.Time
	extend int
	refuse int // so many of the next Claims fail
	claims int
	looked func() // called when NextDue has read, and before it tells
}

func (s *memory) Accept(_ context.Context, jobs []bridge.NewJob) ([]bridge.Accepted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	var out []bridge.Accepted
	for _, n := range jobs {
		i := slices.IndexFunc(s.jobs, func(j *bridge.Job) bool {
			return j.Message.Bot == n.Message.Bot && j.Message.ID == n.Message.ID && (j.Action == nil) == (n.Action == nil)
		})
		if i >= 0 {
			out = append(out, bridge.Accepted{JobID: s.jobs[i].ID, Duplicate: true})
			continue
		}
		j := &bridge.Job{ID: int64(len(s.jobs) + 1), Message: n.Message, Action: n.Action, Queue: n.Queue, Lane: n.Lane, State: bridge.JobAvailable, DueAt: time.Now()}
		s.jobs = append(s.jobs, j)
		out = append(out, bridge.Accepted{JobID: j.ID})
	}
	return out, nil
}

func (s *memory) Claim(_ context.Context, _, queue string, limit int, lease time.Duration) ([]bridge.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims++; s.refuse > 0 {
		s.refuse--
		return nil, errors.New("the disk is full")
	}
	var out []bridge.Job
	blocked := map[string]bool{}
	for _, j := range s.jobs {
		if j.State.Final() || blocked[j.Lane] {
			continue
		}
		blocked[j.Lane] = true
		if j.Queue == queue && j.State != bridge.JobRunning && !j.DueAt.After(time.Now()) && len(out) < limit {
			j.State, j.Attempt = bridge.JobRunning, j.Attempt+1
			s.lease[j.ID] = time.Now().Add(lease)
			out = append(out, *j)
		}
	}
	return out, nil
}

func (s *memory) Extend(_ context.Context, _ string, ids []int64, lease time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extend++
	for _, id := range ids {
		s.lease[id] = time.Now().Add(lease)
	}
	return nil
}

func (s *memory) Settle(_ context.Context, _ string, st bridge.Settlement) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		err := s.fail
		s.fail = nil
		return false, err
	}
	j := s.jobs[st.JobID-1]
	if j.State != bridge.JobRunning || j.Attempt != st.Attempt {
		return false, nil
	}
	j.State, j.DueAt, j.LastError = st.State, st.DueAt, st.Error
	return true, nil
}

func (s *memory) Rescue(context.Context, string) ([]bridge.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []bridge.Job
	for _, j := range s.jobs {
		if j.State == bridge.JobRunning {
			j.State = bridge.JobAvailable
			out = append(out, *j)
		}
	}
	return out, nil
}

func (s *memory) NextDue(context.Context) (time.Time, bool, error) {
	due, ok := s.nextDue()
	if s.looked != nil {
		s.looked()
	}
	return due, ok, nil
}

func (s *memory) nextDue() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due time.Time
	for _, j := range s.jobs {
		if !j.State.Final() && j.State != bridge.JobRunning && j.DueAt.After(time.Now()) && (due.IsZero() || j.DueAt.Before(due)) {
			due = j.DueAt
		}
	}
	return due, !due.IsZero()
}

func (s *memory) states() []bridge.JobState {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []bridge.JobState
	for _, j := range s.jobs {
		out = append(out, j.State)
	}
	return out
}

type bundle struct {
	*inbox.Inbox
	store   *memory
	mu      sync.Mutex
	order   []string
	entries []bridge.Entry
}

func place(_ context.Context, n bridge.NewJob) (string, string, error) {
	m := n.Message
	if m.Chat.ID == "" {
		return "", "", errors.New("nowhere")
	}
	return "agent", m.Chat.ID, nil
}

// setup makes an inbox whose handler notes what it handled and then asks how.
func setup(t *testing.T, workers int, how func(context.Context, bridge.Job) bridge.Settlement) *bundle {
	t.Helper()
	b := &bundle{store: &memory{lease: map[int64]time.Time{}}}
	handle := func(ctx context.Context, j bridge.Job) bridge.Settlement {
		b.mu.Lock()
		b.order = append(b.order, string(j.Message.ID))
		b.mu.Unlock()
		return how(ctx, j)
	}
	b.Inbox = inbox.New(b.store, place, handle, slog.New(slog.DiscardHandler), inbox.Options{
		Queues: map[string]int{"agent": workers},
		Record: func(e bridge.Entry) { b.mu.Lock(); b.entries = append(b.entries, e); b.mu.Unlock() },
	})
	return b
}

func (b *bundle) accept(t *testing.T, ids ...string) int {
	t.Helper()
	var d bridge.Delivery
	for _, id := range ids {
		d.Messages = append(d.Messages, bridge.Message{ID: bridge.MessageID(id), Bot: "b", Chat: bridge.Chat{ID: id[:1]}})
	}
	n, err := b.Accept(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (b *bundle) handledOrder() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.order)
}

func (b *bundle) count(kind bridge.EntryKind) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, e := range b.entries {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func done(context.Context, bridge.Job) bridge.Settlement {
	return bridge.Settlement{State: bridge.JobCompleted}
}

func TestAcceptOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 5, done)
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		fresh := 0
		for range 5 {
			fresh += b.accept(t, "a1")
			synctest.Wait()
		}
		if got := b.handledOrder(); fresh != 1 || len(got) != 1 {
			t.Errorf("accepted %d times, handled %v", fresh, got)
		}
		if b.count(bridge.EntryReceived) != 1 || b.count(bridge.EntryDuplicate) != 4 {
			t.Errorf("entries %+v", b.entries)
		}
		stop()
		synctest.Wait()
	})
}

func TestAcceptFailsLoudly(t *testing.T) {
	t.Parallel()
	b := setup(t, 5, done)
	b.store.fail = errors.New("disk full")
	d := bridge.Delivery{Messages: []bridge.Message{{ID: "a1", Bot: "b", Chat: bridge.Chat{ID: "a"}}}}
	if _, err := b.Accept(t.Context(), d); err == nil {
		t.Error("a message that was not stored was accepted")
	}
	if _, err := b.Accept(t.Context(), bridge.Delivery{Messages: []bridge.Message{{ID: "x", Bot: "b"}}}); err == nil {
		t.Error("a message without a place was accepted")
	}
}

func TestOrderWithinLanes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 50, func(_ context.Context, j bridge.Job) bridge.Settlement {
			time.Sleep(time.Duration(100-j.ID) * time.Millisecond)
			return bridge.Settlement{State: bridge.JobCompleted}
		})
		var ids []string
		for n := range 10 {
			for _, lane := range []string{"a", "b", "c"} {
				ids = append(ids, fmt.Sprintf("%s%d", lane, n))
			}
		}
		b.accept(t, ids...)
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(time.Minute)
		synctest.Wait()
		got := b.handledOrder()
		if len(got) != 30 {
			t.Fatalf("handled %d", len(got))
		}
		next := map[string]int{}
		for _, id := range got {
			if want := fmt.Sprintf("%s%d", id[:1], next[id[:1]]); id != want {
				t.Errorf("got %s, want %s; order %v", id, want, got)
			}
			next[id[:1]]++
		}
		stop()
		synctest.Wait()
	})
}

func TestLanesRunSideBySideUpToTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := setup(t, 2, func(context.Context, bridge.Job) bridge.Settlement {
			<-release
			return bridge.Settlement{State: bridge.JobCompleted}
		})
		b.accept(t, "a1", "a2", "b1", "c1")
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		synctest.Wait()
		if diff := cmp.Diff([]bridge.JobState{"running", "available", "running", "available"}, b.store.states()); diff != "" {
			t.Error(diff)
		}
		if b.Running()["agent"] != 2 {
			t.Errorf("running %v", b.Running())
		}
		b.Serve("agent", 3)
		synctest.Wait()
		if diff := cmp.Diff([]bridge.JobState{"running", "available", "running", "running"}, b.store.states()); diff != "" {
			t.Error(diff)
		}
		close(release)
		synctest.Wait()
		if slices.ContainsFunc(b.store.states(), func(s bridge.JobState) bool { return s != bridge.JobCompleted }) {
			t.Error(b.store.states())
		}
		stop()
		synctest.Wait()
	})
}

func TestRetryWaitsAndBlocksItsLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		b := setup(t, 5, func(_ context.Context, j bridge.Job) bridge.Settlement {
			if j.Message.ID == "a1" && j.Attempt < 3 {
				return bridge.Settlement{State: bridge.JobRetryable, DueAt: time.Now().Add(10 * time.Second), Error: bridge.KindUnavailable}
			}
			at = append(at, time.Since(start))
			return bridge.Settlement{State: bridge.JobCompleted}
		})
		b.accept(t, "a1", "a2")
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a1", "a1", "a1", "a2"}, b.handledOrder()); diff != "" {
			t.Error(diff)
		}
		if len(at) != 2 || at[0] < 20*time.Second || at[0] > 21*time.Second {
			t.Errorf("completed at %v", at)
		}
		if b.count(bridge.EntryRetry) != 2 {
			t.Errorf("%d retries noted", b.count(bridge.EntryRetry))
		}
		stop()
		synctest.Wait()
	})
}

// TestRetryDuringALook: an attempt that fails while the store is asked what is due
// next is missing in its answer, and is tried again in time all the same.
func TestRetryDuringALook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan struct{})
		b := setup(t, 5, func(_ context.Context, j bridge.Job) bridge.Settlement {
			if j.Attempt > 1 {
				return bridge.Settlement{State: bridge.JobCompleted}
			}
			if j.Message.ID == "b1" {
				<-failed
			}
			return bridge.Settlement{State: bridge.JobRetryable, DueAt: time.Now().Add(10 * time.Second), Error: bridge.KindUnavailable}
		})
		looks := 0
		b.store.looked = func() {
			if looks++; looks == 2 { // the first is at the start, this one for a1
				close(failed)
				time.Sleep(time.Second) // b1 is settled
			}
		}
		b.accept(t, "a1", "b1")
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]bridge.JobState{bridge.JobCompleted, bridge.JobCompleted}, b.store.states()); diff != "" {
			t.Error(diff)
		}
		stop()
		synctest.Wait()
	})
}

func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 5, func(_ context.Context, j bridge.Job) bridge.Settlement {
			if j.Message.ID == "a1" {
				panic("poison")
			}
			return bridge.Settlement{State: bridge.JobCompleted}
		})
		b.accept(t, "a1", "a2", "b1")
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]bridge.JobState{"discarded", "completed", "completed"}, b.store.states()); diff != "" {
			t.Error(diff)
		}
		stop()
		synctest.Wait()
	})
}

func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 5, done)
		b.Pause(true)
		b.accept(t, "a1")
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(time.Hour)
		if got := b.handledOrder(); len(got) != 0 || !b.Paused() {
			t.Errorf("handled %v while paused", got)
		}
		b.Pause(false)
		synctest.Wait()
		if got := b.handledOrder(); len(got) != 1 {
			t.Errorf("handled %v after the pause", got)
		}
		stop()
		synctest.Wait()
	})
}

// TestStop makes sure that stopping claims nothing more, lets a running job end
// within the grace and cancels one that does not.
func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 2, func(ctx context.Context, j bridge.Job) bridge.Settlement {
			if j.Message.ID == "a1" {
				time.Sleep(5 * time.Second)
				return bridge.Settlement{State: bridge.JobCompleted}
			}
			<-ctx.Done()
			return bridge.Settlement{State: bridge.JobRetryable, DueAt: time.Now()}
		})
		b.accept(t, "a1", "a2", "b1", "c1")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		synctest.Wait()
		stop()
		begin := time.Now()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("stopped after %v", took)
		}
		if diff := cmp.Diff([]bridge.JobState{"completed", "available", "retryable", "available"}, b.store.states()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRescueAndLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 2, func(context.Context, bridge.Job) bridge.Settlement {
			time.Sleep(3 * time.Minute)
			return bridge.Settlement{State: bridge.JobCompleted}
		})
		b.accept(t, "a1")
		if _, err := b.store.Claim(t.Context(), "local", "agent", 1, time.Minute); err != nil { // a run that died
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if b.count(bridge.EntryRescued) != 1 {
			t.Error("nothing rescued")
		}
		b.store.mu.Lock()
		if left := time.Until(b.store.lease[1]); left < 30*time.Second {
			t.Errorf("the lease of a running job has %v left", left)
		}
		b.store.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := b.store.states(); got[0] != bridge.JobCompleted {
			t.Error(got)
		}
		stop()
		synctest.Wait()
	})
}

// TestSettleIsRepeated: a full disk for a moment must not have a job answered
// twice.
func TestClaimIsRepeated(t *testing.T) {
	t.Parallel()
	for _, refuse := range []int{1, 2, 3, 20} {
		synctest.Test(t, func(t *testing.T) {
			place := func(_ context.Context, n bridge.NewJob) (queue, lane string, err error) {
				return string(n.Message.ID), string(n.Message.ID), nil
			}
			s := &memory{lease: map[int64]time.Time{}}
			in := inbox.New(s, place, func(context.Context, bridge.Job) bridge.Settlement {
				return bridge.Settlement{State: bridge.JobCompleted}
			}, slog.New(slog.DiscardHandler), inbox.Options{Queues: map[string]int{"a": 1, "b": 1, "c": 1}})
			for _, id := range []bridge.MessageID{"a", "b", "c"} {
				if _, err := in.Accept(t.Context(), bridge.Delivery{Messages: []bridge.Message{{ID: id}}}); err != nil {
					t.Fatal(err)
				}
			}
			s.refuse = refuse
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- in.Run(ctx) }()
			time.Sleep(time.Duration(refuse/3+1)*time.Second + time.Millisecond) // the store is asked once a second, for each queue
			synctest.Wait()
			for id, state := range s.states() {
				if state != bridge.JobCompleted {
					t.Errorf("after %d errors job %d is %s", refuse, id, state)
				}
			}
			if s.claims > refuse+9 {
				t.Errorf("after %d errors the store was asked %d times", refuse, s.claims)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSettleIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, 2, done)
		b.accept(t, "a1")
		b.store.fail = errors.New("disk full")
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.store.states(); got[0] != bridge.JobCompleted || len(b.handledOrder()) != 1 {
			t.Error(got, b.handledOrder())
		}
		stop()
		synctest.Wait()
	})
}

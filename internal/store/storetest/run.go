package storetest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// Run checks the whole contract. Place returns the options of a new, empty
// database for each test; opening them twice leads to the same data.
func Run(t *testing.T, place func(t *testing.T) store.Options) {
	t.Helper()
	groups := map[string][]check{
		"inbox": inboxChecks(), "lanes": laneChecks(), "replies": replyChecks(),
		"people": peopleChecks(), "list": listChecks(), "link": linkChecks(), "views": viewChecks(), "care": careChecks(), "identity": identityChecks(),
		"spending": spendingChecks(), "usage": usageChecks(), "reach": reachChecks(), "notes": noteChecks(),
	}
	for group, checks := range groups {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			for _, c := range checks {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					opt := place(t)
					synctest.Test(t, func(t *testing.T) {
						b := &bundle{T: t, opt: opt}
						b.Store = b.open()
						c.test(b)
					})
				})
			}
		})
	}
}

type check struct {
	name string
	test func(b *bundle)
}

// bundle is a test with an open store, and what tests do with it all the time.
type bundle struct {
	*testing.T
	*store.Store

	opt store.Options
}

// open opens the database once more.
func (b *bundle) open() *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), b.opt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// reopen closes the store and opens it again, as a restart does.
func (b *bundle) reopen() {
	b.Helper()
	if err := b.Close(); err != nil {
		b.Fatal(err)
	}
	b.Store = b.open()
}

const (
	node  = "node-1"
	agent = "helpdesk"
	lease = time.Minute
)

// message is a question of a person in a direct chat.
func message(id string) bridge.Message {
	at := bridge.Address{Bot: "bot-a", Chat: "chat-1", Kind: bridge.Direct, User: "user-1", ReplyTo: bridge.MessageID(id), Data: []byte(`{"k":1}`)}
	return bridge.Message{
		ID: bridge.MessageID(id), Bot: "bot-a", Platform: "one", Chat: bridge.Chat{ID: "chat-1", Kind: bridge.Direct},
		Sender: bridge.Sender{ID: "user-1", Tenant: "tenant-1", Name: "Ann"}, SentAt: time.Now(), Text: "question " + id, Address: at,
	}
}

func job(lane, id string) bridge.NewJob {
	return bridge.NewJob{Queue: agent, Lane: lane, Message: message(id)}
}

// accept stores one message per id, in one call, and wants all to be new.
func (b *bundle) accept(lane string, ids ...string) []int64 {
	b.Helper()
	var jobs []bridge.NewJob
	for _, id := range ids {
		jobs = append(jobs, job(lane, id))
	}
	return b.acceptJobs(jobs...)
}

func (b *bundle) acceptJobs(jobs ...bridge.NewJob) []int64 {
	b.Helper()
	accepted, err := b.Accept(b.Context(), jobs)
	if err != nil {
		b.Fatal(err)
	}
	var ids []int64
	for i, a := range accepted {
		if a.Duplicate || a.JobID == 0 {
			b.Fatalf("message %d: %+v", i, a)
		}
		ids = append(ids, a.JobID)
	}
	return ids
}

// claim takes jobs of the usual queue and returns their messages' ids.
func (b *bundle) claim(limit int) []bridge.Job {
	b.Helper()
	jobs, err := b.Claim(b.Context(), node, agent, limit, lease)
	if err != nil {
		b.Fatal(err)
	}
	return jobs
}

func names(jobs []bridge.Job) []string {
	ids := []string{}
	for _, j := range jobs {
		ids = append(ids, string(j.Message.ID))
	}
	return ids
}

// settle ends an attempt that must still be the running one.
func (b *bundle) settle(j bridge.Job, state bridge.JobState, in time.Duration) {
	b.Helper()
	s := bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: state}
	if state == bridge.JobRetryable {
		s.DueAt, s.Error = time.Now().Add(in), bridge.KindUnavailable
	}
	ours, err := b.Settle(b.Context(), node, s)
	if err != nil || !ours {
		b.Fatalf("settling job %d: %v, %v", j.ID, ours, err)
	}
}

// finish claims and completes everything there is, in order, and returns the
// ids in that order.
func (b *bundle) finish() []string {
	b.Helper()
	done := []string{}
	for {
		jobs := b.claim(100)
		if len(jobs) == 0 {
			return done
		}
		for _, j := range jobs {
			b.settle(j, bridge.JobCompleted, 0)
			done = append(done, string(j.Message.ID))
		}
	}
}

func (b *bundle) job(id int64) bridge.Job {
	b.Helper()
	j, err := b.Job(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return j
}

func (b *bundle) waiting() int {
	b.Helper()
	w, err := b.Waiting(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return w[agent]
}

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }

func (b *bundle) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func id(n int) string { return fmt.Sprintf("m%d", n) }

package store_test

import (
	"context"
	"database/sql"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// nodes is a database that several nodes use, one of which can be held up in the
// middle of a write.
type nodes struct {
	*testing.T
	*store.Store

	raw  *sql.DB
	name string // of the connections of Store
}

// onNodes needs a server; testdata/postgres.sh brings one.
func onNodes(t *testing.T) *nodes {
	t.Helper()
	at, err := url.Parse(schema(t))
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	q.Set("application_name", q.Get("search_path"))
	at.RawQuery = q.Encode()
	s, err := store.Open(t.Context(), store.Options{DSN: at.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	q.Del("application_name")
	at.RawQuery = q.Encode()
	raw, err := sql.Open("pgx", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return &nodes{T: t, Store: s, raw: raw, name: q.Get("search_path")}
}

// hold keeps everybody from the row of a lane until the returned function is called.
func (n *nodes) hold(lane string) (release func()) {
	n.Helper()
	tx, err := n.raw.BeginTx(n.Context(), nil)
	if err != nil {
		n.Fatal(err)
	}
	if _, err := tx.ExecContext(n.Context(), "SELECT 1 FROM lanes WHERE lane = $1 FOR UPDATE", lane); err != nil {
		n.Fatal(err)
	}
	return func() {
		n.Helper()
		if err := tx.Rollback(); err != nil {
			n.Fatal(err)
		}
	}
}

// begin does something beside the test, until it is done or so many wait for others.
func (n *nodes) begin(waiting int, do func(context.Context) error) (ended <-chan error) {
	n.Helper()
	done := make(chan error, 1)
	go func() { done <- do(n.Context()) }()
	for {
		var now int
		err := n.raw.QueryRowContext(n.Context(), `SELECT COUNT(*) FROM pg_stat_activity, pg_sleep(0.01)
			WHERE application_name = $1 AND wait_event_type = 'Lock'`, n.name).Scan(&now)
		if err != nil {
			n.Fatal(err)
		}
		if now >= waiting || len(done) > 0 {
			return done
		}
	}
}

func (n *nodes) ok(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// person is whose account it is, and its lane.
func (n *nodes) person(user string) (bridge.Person, string) {
	n.Helper()
	p, err := n.PersonOf(n.Context(), account(user))
	n.ok(err)
	return p, "p:" + p.ID + ":helpdesk"
}

func account(user string) bridge.Identity {
	return bridge.Identity{Platform: "one", Tenant: "tenant-1", User: bridge.UserID(user)}
}

func says(user, id, lane string) bridge.NewJob {
	m := bridge.Message{ID: bridge.MessageID(id), Bot: "bot-a", Platform: "one", Text: "question " + id, SentAt: time.Now()}
	m.Sender = bridge.Sender{ID: bridge.UserID(user), Tenant: "tenant-1"}
	return bridge.NewJob{Queue: "helpdesk", Lane: lane, Message: m}
}

func (n *nodes) accept(jobs ...bridge.NewJob) {
	n.Helper()
	_, err := n.Accept(n.Context(), jobs)
	n.ok(err)
}

func (n *nodes) claim() []bridge.Job {
	n.Helper()
	jobs, err := n.Claim(n.Context(), "node-1", "helpdesk", 10, time.Minute)
	n.ok(err)
	return jobs
}

func (n *nodes) settle(jobs ...bridge.Job) (done []string) {
	n.Helper()
	for _, j := range jobs {
		_, err := n.Settle(n.Context(), "node-1", bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted})
		n.ok(err)
		done = append(done, string(j.Message.ID))
	}
	return done
}

// finish answers everything there is.
func (n *nodes) finish() (done []string) {
	n.Helper()
	for {
		jobs := n.claim()
		if len(jobs) == 0 {
			slices.Sort(done)
			return done
		}
		done = append(done, n.settle(jobs...)...)
	}
}

// TestLinkWhileANodeSettles: somebody turns out to be a person whose question is
// answered at that moment by another node. That person goes on being answered.
func TestLinkWhileANodeSettles(t *testing.T) {
	t.Parallel()
	n := onNodes(t)
	_, from := n.person("a")
	into, lane := n.person("z")
	n.accept(says("a", "a1", from))
	n.finish()
	n.accept(says("z", "z1", lane))
	jobs := n.claim()
	if len(jobs) != 1 {
		t.Fatalf("claimed %+v", jobs)
	}
	release := n.hold(lane)
	settled := n.begin(1, func(ctx context.Context) error {
		_, err := n.Settle(ctx, "node-1", bridge.Settlement{JobID: jobs[0].ID, Attempt: jobs[0].Attempt, State: bridge.JobCompleted})
		return err
	})
	linked := n.begin(2, func(ctx context.Context) error { return n.Link(ctx, account("a"), into.ID) })
	release()
	n.ok(<-settled)
	n.ok(<-linked)
	n.accept(says("z", "z2", lane))
	if diff := cmp.Diff([]string{"z2"}, n.finish()); diff != "" {
		t.Error(diff)
	}
}

// TestAcceptForAFormerPerson: two nodes accept questions of one person at once, one
// of them for who that was before they were linked. Both are answered.
func TestAcceptForAFormerPerson(t *testing.T) {
	t.Parallel()
	n := onNodes(t)
	_, former := n.person("a")
	into, lane := n.person("z")
	n.accept(says("z", "z1", lane), says("x", "x1", "g:bot-a:chat:helpdesk"))
	n.finish()
	n.ok(n.Link(t.Context(), account("a"), into.ID))
	release := n.hold("g:bot-a:chat:helpdesk")
	first := n.begin(1, func(ctx context.Context) error {
		_, err := n.Accept(ctx, []bridge.NewJob{says("x", "x2", "g:bot-a:chat:helpdesk"), says("a", "a1", former)})
		return err
	})
	second := n.begin(2, func(ctx context.Context) error {
		_, err := n.Accept(ctx, []bridge.NewJob{says("z", "z2", lane)})
		return err
	})
	running := n.claim()
	release()
	n.ok(<-first)
	n.ok(<-second)
	done := append(n.settle(running...), n.finish()...)
	slices.Sort(done)
	if diff := cmp.Diff([]string{"a1", "x2", "z2"}, done); diff != "" {
		t.Error(diff)
	}
}

package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func linkChecks() []check {
	return []check{
		{"two people become one", linkWhole},
		{"the latest session continues", linkSessions},
		{"linking while a job runs", linkRunning},
		{"late writes for the former person", linkLate},
		{"one identity of several moves alone", linkPart},
		{"linking back", linkBack},
		{"a chain of links", linkChain},
		{"linking again, and somebody unknown", linkAgain},
		{"linking while messages come", linkRace},
	}
}

// lane is a person's lane with the usual agent.
func lane(p bridge.Person) string { return "p:" + p.ID + ":" + agent }

// asks is a question from a user of the first tenant.
func asks(user, id, lane string) bridge.NewJob {
	n := job(lane, id)
	n.Message.Sender.ID = bridge.UserID(user)
	return n
}

func linkWhole(t *testing.T, b *bundle) {
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	first := b.acceptJobs(t, asks("a", "a1", lane(a)), asks("z", "z1", lane(z)))
	b.finish(t)
	b.acceptJobs(t, asks("a", "a2", lane(a)), asks("z", "z2", lane(z)), asks("a", "a3", lane(a)), asks("a", "other", "g:bot:chat:"+agent))
	ok(t, b.Link(t.Context(), identity("a"), z.ID))

	if got := b.person(t, identity("a")); got != z {
		t.Errorf("person %+v", got)
	}
	ids, err := b.Identities(t.Context(), z.ID)
	if err != nil || len(ids) != 2 {
		t.Errorf("identities %+v, %v", ids, err)
	}
	if old, err := b.Person(t.Context(), a.ID); err != nil || old != a {
		t.Errorf("the former person is %+v, %v", old, err)
	}
	if got := b.job(t, first[0]).Lane; got != lane(z) {
		t.Errorf("the finished question is in %s", got)
	}
	if n := b.waiting(t); n != 4 {
		t.Errorf("%d wait", n)
	}
	j := b.claim(t, 10)
	if diff := cmp.Diff([]string{"a2", "other"}, names(j)); diff != "" {
		t.Fatal(diff)
	}
	b.settle(t, j[0], bridge.JobCompleted, 0)
	b.settle(t, j[1], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"z2", "a3"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
	talks, err := b.Talks(t.Context(), bridge.TalkQuery{})
	ok(t, err)
	if len(talks) != 2 || talks[1].Lane != lane(z) || talks[1].Questions != 5 || talks[1].LastText != "question a3" {
		t.Errorf("talks %+v", talks)
	}
}

func linkSessions(t *testing.T, b *bundle) {
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	save := func(id string, p bridge.Person, agent string) {
		t.Helper()
		s := session(id, "p:"+p.ID+":"+agent)
		s.Person, s.Agent = p.ID, agent
		ok(t, b.SaveSession(t.Context(), s))
		pass(time.Hour)
	}
	save("z-old", z, agent)
	save("a-new", a, agent)
	save("a-old", a, "second")
	save("z-new", z, "second")
	save("a-only", a, "third")
	ok(t, b.Link(t.Context(), identity("a"), z.ID))
	for name, want := range map[string]string{agent: "a-new", "second": "z-new", "third": "a-only"} {
		s, _, err := b.Session(t.Context(), "p:"+z.ID+":"+name, name, time.Now().Add(-week))
		if err != nil || s.ID != want || s.Person != z.ID || s.Lane != "p:"+z.ID+":"+name {
			t.Errorf("with %s: %+v, %v; want %s", name, s, err, want)
		}
	}
	if s, _, err := b.Session(t.Context(), "p:"+z.ID+":"+agent, agent, time.Now().Add(-week)); err != nil || s.Conversation.ID != "conv-a-new" {
		t.Errorf("session %+v, %v", s, err)
	}
}

func linkRunning(t *testing.T, b *bundle) {
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	b.acceptJobs(t, asks("z", "z1", lane(z)), asks("a", "a1", lane(a)), asks("z", "z2", lane(z)))
	running := b.claim(t, 10)
	if diff := cmp.Diff([]string{"z1", "a1"}, names(running)); diff != "" {
		t.Fatal(diff)
	}
	ok(t, b.Link(t.Context(), identity("a"), z.ID))
	b.settle(t, running[0], bridge.JobCompleted, 0)
	if got := b.claim(t, 10); len(got) != 0 {
		t.Errorf("claimed %v while a job of the lane runs", names(got))
	}
	b.settle(t, running[1], bridge.JobRetryable, time.Minute)
	next, due, err := b.NextDue(t.Context())
	if err != nil || !due || next.Sub(time.Now().Add(time.Minute)).Abs() > time.Millisecond {
		t.Errorf("due %v %v %v", next, due, err)
	}
	pass(time.Minute)
	if diff := cmp.Diff([]string{"a1", "z2"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

// linkLate does what a job does that was claimed, or a message that was placed,
// just before its person was linked.
func linkLate(t *testing.T, b *bundle) {
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	known := session("known", lane(a))
	known.Person = a.ID
	ok(t, b.SaveSession(t.Context(), known))
	ok(t, b.Link(t.Context(), identity("a"), z.ID))
	ok(t, b.SaveSession(t.Context(), known))
	if got := b.current(t, lane(a)) + b.current(t, lane(z)); got != "knownknown" {
		t.Errorf("session %q", got)
	}
	j := b.acceptJobs(t, asks("a", "late", lane(a)))[0]
	if got := b.job(t, j).Lane; got != lane(z) {
		t.Errorf("accepted into %s", got)
	}
	ok(t, b.CloseSessions(t.Context(), lane(a)))
	pass(time.Second)
	fresh := session("fresh", lane(a))
	fresh.Person = a.ID
	ok(t, b.SaveSession(t.Context(), fresh))
	got, _, err := b.Session(t.Context(), lane(z), agent, time.Now().Add(-week))
	if err != nil || got.ID != "fresh" || got.Person != z.ID {
		t.Errorf("session %+v, %v", got, err)
	}
}

func linkPart(t *testing.T, b *bundle) {
	a := b.person(t, identity("a"))
	z := b.person(t, identity("z"))
	ok(t, b.Link(t.Context(), identity("second"), a.ID)) // never seen before
	if got := b.person(t, identity("second")); got != a {
		t.Fatalf("person %+v", got)
	}
	b.acceptJobs(t, asks("a", "a1", lane(a)), asks("second", "s1", lane(a)), asks("a", "a2", lane(a)), asks("second", "s2", lane(a)))
	s := session("s", lane(a))
	s.Person = a.ID
	ok(t, b.SaveSession(t.Context(), s))
	ok(t, b.Link(t.Context(), identity("second"), z.ID))
	if got := b.current(t, lane(a)); got != "s" {
		t.Errorf("session %q", got)
	}
	if got := b.current(t, lane(z)); got != "" {
		t.Errorf("session %q went along", got)
	}
	b.acceptJobs(t, asks("a", "a3", lane(a)))
	if diff := cmp.Diff([]string{"a1", "s1", "a2", "s2", "a3"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		p    bridge.Person
		want []string
	}{{a, []string{"a1", "a2", "a3"}}, {z, []string{"s1", "s2"}}} {
		if diff := cmp.Diff(c.want, b.said(t, lane(c.p))); diff != "" {
			t.Error(diff)
		}
	}
}

// said returns the questions of a lane, oldest first.
func (b *bundle) said(t *testing.T, lane string) []string {
	t.Helper()
	all, err := b.Exchanges(t.Context(), lane, 0, 100)
	ok(t, err)
	ids := []string{}
	for _, e := range all {
		ids = append(ids, string(e.Job.Message.ID))
	}
	return ids
}

func linkBack(t *testing.T, b *bundle) {
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	b.acceptJobs(t, asks("a", "a1", lane(a)), asks("z", "z1", lane(z)))
	ok(t, b.Link(t.Context(), identity("a"), z.ID))
	b.acceptJobs(t, asks("a", "a2", lane(z)))
	ok(t, b.Link(t.Context(), identity("a"), a.ID))
	if got := b.person(t, identity("a")); got != a {
		t.Errorf("person %+v", got)
	}
	b.acceptJobs(t, asks("a", "a3", lane(a)))
	if diff := cmp.Diff([]string{"a1", "a2", "a3"}, b.said(t, lane(a))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"z1"}, b.said(t, lane(z))); diff != "" {
		t.Error(diff)
	}
}

func linkChain(t *testing.T, b *bundle) {
	a, m, z := b.person(t, identity("a")), b.person(t, identity("m")), b.person(t, identity("z"))
	ok(t, b.Link(t.Context(), identity("a"), m.ID))
	ok(t, b.Link(t.Context(), identity("a"), z.ID))
	ok(t, b.Link(t.Context(), identity("m"), z.ID))
	b.acceptJobs(t, asks("m", "m1", lane(m)))
	if diff := cmp.Diff([]string{"m1"}, b.said(t, lane(z))); diff != "" {
		t.Error(diff)
	}
	c, d := b.person(t, identity("c")), b.person(t, identity("d"))
	ok(t, b.Link(t.Context(), identity("c"), d.ID))
	ids, err := b.Identities(t.Context(), d.ID)
	ok(t, err)
	for _, who := range ids {
		ok(t, b.Link(t.Context(), who, z.ID))
	}
	b.acceptJobs(t, asks("c", "c1", lane(c)), asks("d", "d1", lane(d)))
	if diff := cmp.Diff([]string{"m1", "c1", "d1"}, b.said(t, lane(z))); diff != "" {
		t.Error(diff)
	}
	if got := b.said(t, lane(a)); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

func linkAgain(t *testing.T, b *bundle) {
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	for range 2 {
		ok(t, b.Link(t.Context(), identity("a"), z.ID))
	}
	if err := b.Link(t.Context(), identity("a"), "p_nobody"); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("error %v", err)
	}
	if got := b.person(t, identity("a")); got != z || got == a {
		t.Errorf("person %+v", got)
	}
}

// linkRace links two people to and fro while they write. Whatever happens,
// nothing may be lost or answered twice.
func linkRace(t *testing.T, b *bundle) {
	const messages = 40
	a, z := b.person(t, identity("a")), b.person(t, identity("z"))
	var wg sync.WaitGroup
	for _, user := range []string{"a", "z"} {
		wg.Go(func() {
			for n := range messages {
				p, err := b.PersonOf(t.Context(), identity(user))
				if err == nil {
					_, err = b.Accept(t.Context(), []bridge.NewJob{asks(user, user+id(n), lane(p))})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for n := range 6 {
			if err := b.Link(t.Context(), identity("a"), []string{z.ID, a.ID}[n%2]); err != nil {
				t.Error(err)
			}
		}
	})
	var mu sync.Mutex
	done := map[string]int{}
	wg.Go(func() {
		for range messages {
			jobs, err := b.Claim(t.Context(), node, agent, 3, lease)
			if err != nil {
				t.Error(err)
			}
			for _, j := range jobs {
				mu.Lock()
				done[string(j.Message.ID)]++
				mu.Unlock()
				b.settle(t, j, bridge.JobCompleted, 0)
			}
		}
	})
	wg.Wait()
	for _, name := range b.finish(t) {
		done[name]++
	}
	for _, user := range []string{"a", "z"} {
		for n := range messages {
			if got := done[user+id(n)]; got != 1 {
				t.Errorf("%s%s was handled %d times", user, id(n), got)
			}
		}
	}
	if n := b.waiting(t); n != 0 {
		t.Errorf("%d wait", n)
	}
}

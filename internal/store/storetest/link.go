package storetest

import (
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func linkChecks() []check {
	return []check{
		{"two people become one", linkWhole},
		{"the latest session continues", linkSessions},
		{"linking while a job runs", linkRunning},
		{"linking while a later job runs", linkRunningLater},
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

func linkWhole(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	first := b.acceptJobs(asks("a", "a1", lane(a)), asks("z", "z1", lane(z)))
	b.finish()
	b.acceptJobs(asks("a", "a2", lane(a)), asks("z", "z2", lane(z)), asks("a", "a3", lane(a)), asks("a", "other", "g:bot:chat:"+agent))
	b.ok(b.Link(b.Context(), identity("a"), z.ID))

	if got := b.person(identity("a")); got != z {
		b.Errorf("person %+v", got)
	}
	ids, err := b.Identities(b.Context(), z.ID)
	if err != nil || len(ids) != 2 {
		b.Errorf("identities %+v, %v", ids, err)
	}
	if old, err := b.Person(b.Context(), a.ID); err != nil || old != a {
		b.Errorf("the former person is %+v, %v", old, err)
	}
	if got := b.job(first[0]).Lane; got != lane(z) {
		b.Errorf("the finished question is in %s", got)
	}
	if n := b.waiting(); n != 4 {
		b.Errorf("%d wait", n)
	}
	j := b.claim(10)
	if diff := cmp.Diff([]string{"a2", "other"}, names(j)); diff != "" {
		b.Fatal(diff)
	}
	b.settle(j[0], bridge.JobCompleted, 0)
	b.settle(j[1], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"z2", "a3"}, b.finish()); diff != "" {
		b.Error(diff)
	}
	talks, err := b.Talks(b.Context(), bridge.TalkQuery{})
	b.ok(err)
	if len(talks) != 2 || talks[1].Lane != lane(z) || talks[1].Questions != 5 || talks[1].LastText != "question a3" {
		b.Errorf("talks %+v", talks)
	}
}

func linkSessions(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	save := func(id string, p bridge.Person, agent string) {
		b.Helper()
		s := session(id, "p:"+p.ID+":"+agent)
		s.Person, s.Agent = p.ID, agent
		b.ok(b.SaveSession(b.Context(), s))
		pass(time.Hour)
	}
	save("z-old", z, agent)
	save("a-new", a, agent)
	save("a-old", a, "second")
	save("z-new", z, "second")
	save("a-only", a, "third")
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	for name, want := range map[string]string{agent: "a-new", "second": "z-new", "third": "a-only"} {
		s, _, err := b.Session(b.Context(), "p:"+z.ID+":"+name, name, time.Now().Add(-week))
		if err != nil || s.ID != want || s.Person != z.ID || s.Lane != "p:"+z.ID+":"+name {
			b.Errorf("with %s: %+v, %v; want %s", name, s, err, want)
		}
	}
	if s, _, err := b.Session(b.Context(), "p:"+z.ID+":"+agent, agent, time.Now().Add(-week)); err != nil || s.Conversation.ID != "conv-a-new" {
		b.Errorf("session %+v, %v", s, err)
	}
	late := session("z-old", lane(z)) // by a job that was running meanwhile
	b.ok(b.SaveSession(b.Context(), late))
	if got := b.current(lane(z)); got != "a-new" {
		b.Errorf("session %q came back", got)
	}
}

func linkRunning(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.acceptJobs(asks("z", "z1", lane(z)), asks("a", "a1", lane(a)), asks("z", "z2", lane(z)))
	running := b.claim(10)
	if diff := cmp.Diff([]string{"z1", "a1"}, names(running)); diff != "" {
		b.Fatal(diff)
	}
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	b.settle(running[0], bridge.JobCompleted, 0)
	if got := b.claim(10); len(got) != 0 {
		b.Errorf("claimed %v while a job of the lane runs", names(got))
	}
	b.settle(running[1], bridge.JobRetryable, time.Minute)
	next, due, err := b.NextDue(b.Context())
	if err != nil || !due || next.Sub(time.Now().Add(time.Minute)).Abs() > time.Millisecond {
		b.Errorf("due %v %v %v", next, due, err)
	}
	pass(time.Minute)
	if diff := cmp.Diff([]string{"a1", "z2"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

// linkRunningLater has a due head behind which another person's job runs already.
func linkRunningLater(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.acceptJobs(asks("z", "z1", lane(z)), asks("a", "a1", lane(a)))
	running := b.claim(10)
	b.settle(running[0], bridge.JobRetryable, time.Second)
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	pass(time.Second)
	if got := b.claim(10); len(got) != 0 {
		b.Errorf("claimed %v while a job of the lane runs", names(got))
	}
	b.settle(running[1], bridge.JobCompleted, 0)
	if diff := cmp.Diff([]string{"z1"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

// linkLate does what a job does that was claimed, or a message that was placed,
// just before its person was linked.
func linkLate(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	known := session("known", lane(a))
	known.Person = a.ID
	b.ok(b.SaveSession(b.Context(), known))
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	b.ok(b.SaveSession(b.Context(), known))
	if got := b.current(lane(a)) + b.current(lane(z)); got != "knownknown" {
		b.Errorf("session %q", got)
	}
	j := b.acceptJobs(asks("a", "late", lane(a)))[0]
	if got := b.job(j).Lane; got != lane(z) {
		b.Errorf("accepted into %s", got)
	}
	b.ok(b.CloseSessions(b.Context(), lane(a)))
	pass(time.Second)
	fresh := session("fresh", lane(a))
	fresh.Person = a.ID
	b.ok(b.SaveSession(b.Context(), fresh))
	got, _, err := b.Session(b.Context(), lane(z), agent, time.Now().Add(-week))
	if err != nil || got.ID != "fresh" || got.Person != z.ID {
		b.Errorf("session %+v, %v", got, err)
	}
}

func linkPart(b *bundle) {
	a := b.person(identity("a"))
	z := b.person(identity("z"))
	b.ok(b.Link(b.Context(), identity("second"), a.ID)) // never seen before
	if got := b.person(identity("second")); got != a {
		b.Fatalf("person %+v", got)
	}
	b.acceptJobs(asks("a", "a1", lane(a)), asks("second", "s1", lane(a)), asks("a", "a2", lane(a)), asks("second", "s2", lane(a)))
	s := session("s", lane(a))
	s.Person = a.ID
	b.ok(b.SaveSession(b.Context(), s))
	b.ok(b.Link(b.Context(), identity("second"), z.ID))
	if got := b.current(lane(a)); got != "s" {
		b.Errorf("session %q", got)
	}
	if got := b.current(lane(z)); got != "" {
		b.Errorf("session %q went along", got)
	}
	b.acceptJobs(asks("a", "a3", lane(a)))
	if diff := cmp.Diff([]string{"a1", "s1", "a2", "s2", "a3"}, b.finish()); diff != "" {
		b.Error(diff)
	}
	for _, c := range []struct {
		p    bridge.Person
		want []string
	}{{a, []string{"a1", "a2", "a3"}}, {z, []string{"s1", "s2"}}} {
		if diff := cmp.Diff(c.want, b.said(lane(c.p))); diff != "" {
			b.Error(diff)
		}
	}
}

// said returns the questions of a lane, oldest first.
func (b *bundle) said(lane string) []string {
	b.Helper()
	all, err := b.Exchanges(b.Context(), lane, 0, 100)
	b.ok(err)
	ids := []string{}
	for _, e := range all {
		ids = append(ids, string(e.Job.Message.ID))
	}
	return ids
}

func linkBack(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.acceptJobs(asks("a", "a1", lane(a)), asks("z", "z1", lane(z)))
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	b.acceptJobs(asks("a", "a2", lane(z)))
	b.ok(b.Link(b.Context(), identity("a"), a.ID))
	if got := b.person(identity("a")); got != a {
		b.Errorf("person %+v", got)
	}
	b.acceptJobs(asks("a", "a3", lane(a)))
	if diff := cmp.Diff([]string{"a1", "a2", "a3"}, b.said(lane(a))); diff != "" {
		b.Error(diff)
	}
	if diff := cmp.Diff([]string{"z1"}, b.said(lane(z))); diff != "" {
		b.Error(diff)
	}
}

func linkChain(b *bundle) {
	a, m, z := b.person(identity("a")), b.person(identity("m")), b.person(identity("z"))
	b.ok(b.Link(b.Context(), identity("a"), m.ID))
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	b.ok(b.Link(b.Context(), identity("m"), z.ID))
	b.acceptJobs(asks("m", "m1", lane(m)))
	if diff := cmp.Diff([]string{"m1"}, b.said(lane(z))); diff != "" {
		b.Error(diff)
	}
	c, d := b.person(identity("c")), b.person(identity("d"))
	b.ok(b.Link(b.Context(), identity("c"), d.ID))
	ids, err := b.Identities(b.Context(), d.ID)
	b.ok(err)
	for _, who := range ids {
		b.ok(b.Link(b.Context(), who, z.ID))
	}
	b.acceptJobs(asks("c", "c1", lane(c)), asks("d", "d1", lane(d)))
	if diff := cmp.Diff([]string{"m1", "c1", "d1"}, b.said(lane(z))); diff != "" {
		b.Error(diff)
	}
	if got := b.said(lane(a)); len(got) != 0 {
		b.Errorf("left behind: %v", got)
	}
}

func linkAgain(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	for range 2 {
		b.ok(b.Link(b.Context(), identity("a"), z.ID))
	}
	if err := b.Link(b.Context(), identity("a"), "p_nobody"); bridge.KindOf(err) != bridge.KindNotFound {
		b.Errorf("error %v", err)
	}
	if got := b.person(identity("a")); got != z || got == a {
		b.Errorf("person %+v", got)
	}
}

// linkRace links two people to and fro while they write. Whatever happens,
// nothing may be lost or answered twice.
func linkRace(b *bundle) {
	const messages = 40
	a, z := b.person(identity("a")), b.person(identity("z"))
	var wg sync.WaitGroup
	for _, user := range []string{"a", "z"} {
		wg.Go(func() {
			for n := range messages {
				p, err := b.PersonOf(b.Context(), identity(user))
				if err == nil {
					_, err = b.Accept(b.Context(), []bridge.NewJob{asks(user, user+id(n), lane(p))})
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for n := range 6 {
			if err := b.Link(b.Context(), identity("a"), []string{z.ID, a.ID}[n%2]); err != nil {
				b.Error(err)
			}
		}
	})
	var mu sync.Mutex
	done := map[string]int{}
	wg.Go(func() {
		for range messages {
			jobs, err := b.Claim(b.Context(), node, agent, 3, lease)
			if err != nil {
				b.Error(err)
			}
			for _, j := range jobs {
				mu.Lock()
				done[string(j.Message.ID)]++
				mu.Unlock()
				b.settle(j, bridge.JobCompleted, 0)
			}
		}
	})
	wg.Wait()
	for _, name := range b.finish() {
		done[name]++
	}
	for _, user := range []string{"a", "z"} {
		for n := range messages {
			if got := done[user+id(n)]; got != 1 {
				b.Errorf("%s%s was handled %d times", user, id(n), got)
			}
		}
	}
	if n := b.waiting(); n != 0 {
		b.Errorf("%d wait", n)
	}
}

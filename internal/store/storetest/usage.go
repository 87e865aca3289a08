package storetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func usageChecks() []check {
	return []check{
		{"usage is counted once, when a question is finished", usageIsCounted},
		{"usage follows accounts when people are linked and unlinked", usageFollowsAccounts},
		{"usage outlasts what was said", usageOutlasts},
		{"usage by several things and days", usageByDays},
		{"prices add up by currency", pricesAddUp},
	}
}

// asked finishes a question of a user with what it cost.
func (b *bundle) asked(user, name string, r bridge.Reply) bridge.Job {
	b.Helper()
	m := message(fmt.Sprint("u", time.Now().UnixNano()))
	m.Sender = bridge.Sender{ID: bridge.UserID(user), Tenant: "tenant-1", Name: name}
	p, err := b.PersonOf(b.Context(), bridge.Identity{Platform: m.Platform, Tenant: m.Sender.Tenant, User: m.Sender.ID, Name: name})
	b.ok(err)
	b.acceptJobs(bridge.NewJob{Queue: agent, Lane: "p:" + p.ID + ":" + agent, Message: m})
	j := b.claim(1)[0]
	r.JobID = j.ID
	b.ok(b.SaveReply(b.Context(), r))
	b.settle(j, bridge.JobCompleted, 0)
	pass(time.Second)
	return j
}

func answered(of string, u bridge.Usage) bridge.Reply {
	return bridge.Reply{State: bridge.ReplyDelivered, Agent: of, Usage: u}
}

func (b *bundle) usage(q bridge.UsageQuery) []string {
	b.Helper()
	rows, err := b.Usage(b.Context(), q)
	b.ok(err)
	all := []string{}
	for _, r := range rows {
		all = append(all, fmt.Sprint(r.Name, r.Bot, r.Agent, r.Day, " ", r.Questions, " ", r.Answers, " ", r.Tokens, " ", r.Prices))
	}
	return all
}

func (b *bundle) wantUsage(q bridge.UsageQuery, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, b.usage(q)); diff != "" {
		b.Errorf("%+v: %s", q, diff)
	}
}

func usageIsCounted(b *bundle) {
	j := b.asked("ann", "Ann", answered("hr", bridge.Usage{Tokens: 10, Price: "0.000028", Currency: "USD"}))
	b.asked("ann", "Ann", bridge.Reply{State: bridge.ReplyFailed, Agent: "hr", Error: bridge.KindUnavailable})
	b.asked("ann", "Ann", bridge.Reply{State: bridge.ReplyDelivered, Text: "words of ours"})
	b.accept("p:x:y", "unfinished")
	retried := b.claim(1)[0]
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: retried.ID, Agent: "hr", Usage: bridge.Usage{Tokens: 5}}))
	b.settle(retried, bridge.JobRetryable, time.Hour)
	ours, err := b.Settle(b.Context(), node, bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted})
	if ours || err != nil {
		b.Errorf("settled twice: %v, %v", ours, err)
	}
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson}}, "Ann 2 1 10 [{0.000028 USD}]")
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByAgent}, NotAgent: "hr"}, []string{}...)
	b.reopen()
	rows, err := b.Usage(b.Context(), bridge.UsageQuery{})
	b.ok(err)
	if len(rows) != 1 || rows[0].Questions != 2 || rows[0].LastAt.IsZero() || rows[0].LastAt.After(time.Now()) {
		b.Errorf("%+v", rows)
	}
}

func usageFollowsAccounts(b *bundle) {
	b.asked("ann", "Ann", answered("hr", bridge.Usage{Tokens: 10}))
	b.asked("ann2", "Ann Two", answered("hr", bridge.Usage{Tokens: 3}))
	b.asked("bob", "Bob", answered("hr", bridge.Usage{Tokens: 1}))
	people := bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson}}
	b.wantUsage(people, "Ann 1 1 10 []", "Ann Two 1 1 3 []", "Bob 1 1 1 []")
	id := func(user string) bridge.Identity {
		return bridge.Identity{Platform: "one", Tenant: "tenant-1", User: bridge.UserID(user)}
	}
	ann, err := b.PersonOf(b.Context(), id("ann"))
	b.ok(err)
	two, err := b.PersonOf(b.Context(), id("ann2"))
	b.ok(err)
	b.ok(b.Merge(b.Context(), two.ID, ann.ID, bridge.Actor{}))
	b.wantUsage(people, "Ann 2 2 13 []", "Bob 1 1 1 []")
	b.wantUsage(bridge.UsageQuery{Person: ann.ID}, "Ann 2 2 13 []")
	b.asked("ann2", "Ann Two", answered("hr", bridge.Usage{Tokens: 4}))
	b.wantUsage(people, "Ann 3 3 17 []", "Bob 1 1 1 []")
	_, err = b.Unlink(b.Context(), id("ann2"), bridge.Actor{})
	b.ok(err)
	b.wantUsage(people, "Ann Two 2 2 7 []", "Ann 1 1 10 []", "Bob 1 1 1 []")
	b.wantUsage(bridge.UsageQuery{Person: ann.ID}, "Ann 1 1 10 []")
	b.wantUsage(bridge.UsageQuery{Person: "nobody"}, []string{}...)
}

func usageOutlasts(b *bundle) {
	b.asked("ann", "Ann", answered("hr", bridge.Usage{Tokens: 10}))
	pass(10 * 24 * time.Hour)
	n, err := b.Forget(b.Context(), time.Now(), time.Now())
	b.ok(err)
	if rows, err := b.Talks(b.Context(), bridge.TalkQuery{}); err != nil || n == 0 || len(rows) != 0 {
		b.Fatalf("forgot %d, left %v, %v", n, rows, err)
	}
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson}}, "Ann 1 1 10 []")
}

func usageByDays(b *bundle) {
	first := time.Now()
	b.asked("ann", "Ann", answered("hr", bridge.Usage{Tokens: 10}))
	b.asked("ann", "Ann", answered("it", bridge.Usage{Tokens: 1}))
	pass(40 * 24 * time.Hour)
	b.asked("bob", "Bob", answered("hr", bridge.Usage{Tokens: 100}))
	b.asked("bob", "Bob", answered("hr", bridge.Usage{Tokens: 100}))
	d1, d2 := first.Format(time.DateOnly), time.Now().Format(time.DateOnly)
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByDay}}, d1+" 2 2 11 []", d2+" 2 2 200 []")
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByMonth, bridge.UsageByAgent}},
		"hr"+d1[:7]+" 1 1 10 []", "it"+d1[:7]+" 1 1 1 []", "hr"+d2[:7]+" 2 2 200 []")
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson, bridge.UsageByBot}}, "Annbot-a 2 2 11 []", "Bobbot-a 2 2 200 []")
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByAgent}, From: d2}, "hr 2 2 200 []")
	b.wantUsage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByAgent}, To: d1}, "hr 1 1 10 []", "it 1 1 1 []")
	b.wantUsage(bridge.UsageQuery{}, " 4 4 211 []")
}

func pricesAddUp(b *bundle) {
	for _, u := range []bridge.Usage{
		{Tokens: 1, Price: "0.1", Currency: "USD"},
		{Tokens: 1, Price: "0.2", Currency: "USD"},
		{Tokens: 1, Price: "7.25", Currency: "RMB"},
		{Tokens: 1, Price: "0E-7", Currency: "USD"},
		{Tokens: 1, Price: "2.5e-6", Currency: "USD"},
		{Tokens: -4, Price: "-3", Currency: "USD"},
		{Price: "NaN", Currency: "USD"},
		{Price: "1e300", Currency: "USD"},
		{Price: "much", Currency: "USD"},
	} {
		b.asked("ann", "Ann", answered("hr", u))
	}
	b.wantUsage(bridge.UsageQuery{}, " 9 9 5 [{7.25 RMB} {0.3000025 USD}]")
}

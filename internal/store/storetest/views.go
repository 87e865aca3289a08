package storetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func viewChecks() []check {
	return []check{
		{"one row per lane, the latest first", talks},
		{"people without a name", namelessTalks},
		{"paging through conversations", talkPages},
		{"finding conversations", talkSearch},
		{"clicks are no questions", clicks},
		{"a question with everything that happened", exchanges},
		{"paging through a conversation", exchangePages},
		{"senders without a name", namelessSenders},
		{"everything, page by page", export},
		{"counts per bot", counts},
		{"nothing there yet", empty},
	}
}

// from is a question in a lane, from a bot on a platform.
func from(lane, id string, bot string, platform bridge.Platform) bridge.NewJob {
	n := job(lane, id)
	n.Message.Bot, n.Message.Platform = bot, platform
	return n
}

func inGroup(id, title string) bridge.NewJob {
	n := job("g:bot-a:chat-9:"+agent, id)
	n.Message.Chat = bridge.Chat{ID: "chat-9", Kind: bridge.Group, Title: title}
	return n
}

func talks(b *bundle) {
	p := b.person(identity("a"))
	b.acceptJobs(from(lane(p), "a1", "bot-a", "one"), from(lane(p), "a2", "bot-b", "two"), from(lane(p), "a3", "bot-a", "one"))
	pass(time.Minute)
	g := b.acceptJobs(inGroup("g1", "Sales"))[0]
	jobs := b.claim(10)
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: g, State: bridge.ReplyDelivered, Text: "answer"}))
	b.settle(jobs[1], bridge.JobCompleted, 0)
	pass(time.Minute)
	last := b.job(b.acceptJobs(from(lane(p), "a4", "bot-c", "three"))[0])
	got, err := b.Talks(b.Context(), bridge.TalkQuery{})
	b.ok(err)
	want := []bridge.TalkRow{
		{
			Lane: lane(p), Title: "Ann", Person: p.ID, Agent: agent, Platforms: []bridge.Platform{"three", "one", "two"},
			LastText: "question a4", LastAt: last.AcceptedAt, Questions: 4, State: bridge.JobAvailable,
		},
		{
			Lane: "g:bot-a:chat-9:" + agent, Title: "Sales", Agent: agent, Platforms: []bridge.Platform{"one"},
			LastText: "question g1", LastAt: b.job(g).AcceptedAt, Questions: 1, State: bridge.JobCompleted, ReplyState: bridge.ReplyDelivered,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	b.acceptJobs(inGroup("g2", "Sales and Marketing"))
	got, err = b.Talks(b.Context(), bridge.TalkQuery{Limit: 1})
	if err != nil || len(got) != 1 || got[0].Title != "Sales and Marketing" || got[0].Questions != 2 {
		b.Errorf("talks %+v, %v", got, err)
	}
}

func namelessTalks(b *bundle) {
	who := identity("ou_7")
	who.Name = ""
	p := b.person(who)
	b.acceptJobs(job(lane(p), "a1"))
	got, err := b.Talks(b.Context(), bridge.TalkQuery{})
	if err != nil || len(got) != 1 || got[0].Title != "ou_7" {
		b.Errorf("talks %+v, %v", got, err)
	}
}

func talkPages(b *bundle) {
	var jobs []bridge.NewJob
	for n := range 25 {
		jobs = append(jobs, job("p:"+id(n)+":x", id(n)))
	}
	b.acceptJobs(jobs...) // in one call, so at almost the same moment
	var seen []string
	q := bridge.TalkQuery{Limit: 10}
	for {
		rows, err := b.Talks(b.Context(), q)
		b.ok(err)
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			seen = append(seen, r.Lane)
			q.Before = r.LastAt
		}
	}
	var want []string
	for n := 24; n >= 0; n-- {
		want = append(want, "p:"+id(n)+":x")
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		b.Error(diff)
	}
}

func talkSearch(b *bundle) {
	p := b.person(identity("a"))
	q := job(lane(p), "a1")
	q.Message.Text = "How many Vacation days? 年假 100%_sure"
	first := b.acceptJobs(q)[0]
	b.acceptJobs(from(lane(p), "a2", "bot-a", "one"), inGroup("g1", "Sales Team"), from("p:b:"+agent, "b1", "bot-b", "two"))
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: first, State: bridge.ReplyDelivered, Text: `You have Twelve left \ 十二天`}))
	group := "g:bot-a:chat-9:" + agent
	searches := []search{
		{"a question, any case", bridge.TalkQuery{Text: "vacation DAYS"}, []string{lane(p)}},
		{"Chinese", bridge.TalkQuery{Text: "年假"}, []string{lane(p)}},
		{"an answer", bridge.TalkQuery{Text: "twelve"}, []string{lane(p)}},
		{"Chinese in an answer", bridge.TalkQuery{Text: "十二"}, []string{lane(p)}},
		{"a person", bridge.TalkQuery{Text: "ann"}, []string{lane(p)}},
		{"a group", bridge.TalkQuery{Text: "sales"}, []string{group}},
		{"wildcards mean themselves", bridge.TalkQuery{Text: "100%_s"}, []string{lane(p)}},
		{"no wildcard", bridge.TalkQuery{Text: "1%sure"}, nil},
		{"a backslash", bridge.TalkQuery{Text: `left \`}, []string{lane(p)}},
		{"nothing", bridge.TalkQuery{Text: "pension"}, nil},
		{"a bot", bridge.TalkQuery{Bot: "bot-b"}, []string{"p:b:" + agent}},
		{"part of a bot's id", bridge.TalkQuery{Bot: "bot"}, nil},
		{"a bot and a text", bridge.TalkQuery{Bot: "bot-b", Text: "vacation"}, nil},
		{"one character", bridge.TalkQuery{Text: "假"}, []string{lane(p)}},
		{"two characters, any case", bridge.TalkQuery{Text: "VA"}, []string{lane(p)}},
		{"one character of an answer", bridge.TalkQuery{Text: "天"}, []string{lane(p)}},
		{"the last two characters of an answer", bridge.TalkQuery{Text: "二天"}, []string{lane(p)}},
		{"the last two characters of a question", bridge.TalkQuery{Text: "rE"}, []string{lane(p)}},
		{"two characters that are not beside each other", bridge.TalkQuery{Text: "十天"}, nil},
		{"quotation marks", bridge.TalkQuery{Text: `"days" OR`}, nil},
		{"all", bridge.TalkQuery{Text: "question"}, []string{"p:b:" + agent, group, lane(p)}},
	}
	b.find("waiting", searches)
	b.finish()
	b.find("finished", searches)
	pass(30 * day)
	_, err := b.Forget(b.Context(), time.Now(), time.Time{})
	b.ok(err)
	b.find("forgotten", []search{
		{"a question", bridge.TalkQuery{Text: "vacation"}, nil},
		{"an answer", bridge.TalkQuery{Text: "十二天"}, nil},
		{"two characters", bridge.TalkQuery{Text: "年假"}, nil},
		{"a person", bridge.TalkQuery{Text: "ann"}, []string{lane(p)}},
	})
}

type search struct {
	name string
	q    bridge.TalkQuery
	want []string // lanes
}

func (b *bundle) find(state string, searches []search) {
	b.Helper()
	for _, c := range searches {
		rows, err := b.Talks(b.Context(), c.q)
		b.ok(err)
		var got []string
		for _, r := range rows {
			got = append(got, r.Lane)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			b.Errorf("%s, %s: %s", state, c.name, diff)
		}
	}
}

func clicks(b *bundle) {
	ids := b.acceptJobs(action("e1"))
	if rows, err := b.Talks(b.Context(), bridge.TalkQuery{}); err != nil || len(rows) != 0 {
		b.Errorf("talks %+v, %v", rows, err)
	}
	b.acceptJobs(job("p:a:x", "m1"))
	click := b.acceptJobs(action("e2"))[0]
	rows, err := b.Talks(b.Context(), bridge.TalkQuery{})
	if err != nil || len(rows) != 1 || rows[0].Questions != 1 || rows[0].LastText != "question m1" {
		b.Errorf("talks %+v, %v", rows, err)
	}
	if diff := cmp.Diff([]string{"m1"}, b.said("p:a:x")); diff != "" {
		b.Error(diff)
	}
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: click, State: bridge.ReplyDelivered, Text: "done again"}))
	if diff := cmp.Diff([]string{"m1", "e2"}, b.said("p:a:x")); diff != "" {
		b.Error("an action that was answered is part of the talk:", diff)
	}
	if diff := cmp.Diff([]string{"e1", "m1", "e2"}, b.finish()); diff != "" {
		b.Error(diff)
	}
	if got := b.job(ids[0]).State; got != bridge.JobCompleted {
		b.Errorf("state %s", got)
	}
	// A click is no question when it is forgotten either.
	pass(20 * day)
	b.acceptJobs(job("p:a:x", "m2"))
	if n, err := b.Forget(b.Context(), time.Now().Add(-10*day), time.Now().Add(-10*day)); err != nil || n != 3 {
		b.Fatal(n, err)
	}
	if rows, err := b.Talks(b.Context(), bridge.TalkQuery{}); err != nil || len(rows) != 1 || rows[0].Questions != 1 {
		b.Errorf("talks %+v, %v", rows, err)
	}
}

func exchanges(b *bundle) {
	ids := b.accept("p:a:x", "a1", "a2")
	b.accept("p:b:x", "b1")
	reply := fullReply(ids[0])
	b.ok(b.SaveReply(b.Context(), reply))
	b.ok(b.AppendEntries(b.Context(), []bridge.Entry{
		{Kind: bridge.EntryReceived, JobID: ids[0], At: time.Now()},
		{Kind: bridge.EntryReceived, JobID: ids[1], At: time.Now()},
		{Kind: bridge.EntryAsked, JobID: ids[0], At: time.Now(), Note: "agent"},
	}))
	got, err := b.Exchanges(b.Context(), "p:a:x", 0, 10)
	b.ok(err)
	if len(got) != 2 {
		b.Fatalf("%d exchanges", len(got))
	}
	if diff := cmp.Diff(reply, got[0].Reply); diff != "" {
		b.Error(diff)
	}
	if diff := cmp.Diff(bridge.Reply{}, got[1].Reply); diff != "" {
		b.Error(diff)
	}
	for i, id := range ids {
		if diff := cmp.Diff(b.job(id), got[i].Job); diff != "" {
			b.Error(diff)
		}
		entries, err := b.Entries(b.Context(), id)
		b.ok(err)
		if diff := cmp.Diff(entries, got[i].Entries); diff != "" || len(entries) != 2-i {
			b.Error(len(entries), diff)
		}
	}
}

// namelessSenders: where a platform sends only an id, the name is the one the
// person goes by.
func namelessSenders(b *bundle) {
	p := b.person(identity("a"))
	b.ok(b.Rename(b.Context(), p.ID, "Ann of Sales", bridge.Actor{}))
	known := job(lane(p), "a1")
	known.Message.Platform, known.Message.Sender = "one", bridge.Sender{ID: "a", Tenant: "tenant-1"}
	own := job(lane(p), "a2")
	own.Message.Platform, own.Message.Sender = "one", bridge.Sender{ID: "a", Tenant: "tenant-1", Name: "A."}
	elsewhere := job(lane(p), "a3")
	elsewhere.Message.Platform, elsewhere.Message.Sender = "one", bridge.Sender{ID: "a", Tenant: "tenant-2"}
	b.acceptJobs(known, own, elsewhere)
	got, err := b.Exchanges(b.Context(), lane(p), 0, 10)
	b.ok(err)
	var names []string
	for _, e := range got {
		names = append(names, e.Job.Message.Sender.Name)
	}
	if diff := cmp.Diff([]string{"Ann of Sales", "A.", ""}, names); diff != "" {
		b.Error(diff)
	}
}

// exported tells the questions of all pages, with who asked and the answer.
func (b *bundle) exported(q bridge.ExportQuery) []string {
	b.Helper()
	all := []string{}
	for {
		page, next, err := b.Export(b.Context(), q)
		b.ok(err)
		if len(page) > max(q.Limit, 1) {
			b.Errorf("a page of %d", len(page))
		}
		for _, r := range page {
			all = append(all, fmt.Sprint(r.Job.Message.Text, " ", r.Job.Message.Sender.Name, " ", r.Person != "", " ", r.Reply.Text))
		}
		if next == 0 {
			return all
		}
		if next <= q.After {
			b.Fatalf("the page after %d ends at %d", q.After, next)
		}
		q.After = next
	}
}

func export(b *bundle) {
	p := b.person(identity("user-1"))
	other := b.person(identity("user-2"))
	b.accept(lane(p), "a1", "a2")
	theirs := from(lane(other), "b1", "bot-b", "one")
	theirs.Message.Platform, theirs.Message.Sender = "one", bridge.Sender{ID: "user-2", Tenant: "tenant-1"}
	stranger := job("g:bot-a:chat-9:"+agent, "c1")
	stranger.Message.Sender = bridge.Sender{ID: "gone", Tenant: "tenant-1"}
	stranger.Queue = "demo"
	click := job(lane(p), "a3")
	click.Action = &bridge.Action{ID: "click", Bot: "bot-a"}
	ids := b.acceptJobs(theirs, stranger, click)
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[0], State: bridge.ReplyDelivered, Text: "42"}))
	pass(time.Hour)
	late := time.Now()
	b.accept(lane(p), "a4")
	mine := func(text string) string { return text + " Ann true " }
	for _, tt := range []struct {
		q    bridge.ExportQuery
		want []string
	}{
		{bridge.ExportQuery{}, []string{mine("question a1"), mine("question a2"), mine("question b1") + "42", "question c1  false ", mine("question a4")}},
		{bridge.ExportQuery{NotQueue: "demo", Bot: "bot-a"}, []string{mine("question a1"), mine("question a2"), mine("question a4")}},
		{bridge.ExportQuery{Person: p.ID}, []string{mine("question a1"), mine("question a2"), mine("question a4")}},
		{bridge.ExportQuery{Person: other.ID}, []string{mine("question b1") + "42"}},
		{bridge.ExportQuery{Since: late}, []string{mine("question a4")}},
		{bridge.ExportQuery{Bot: "none"}, []string{}},
	} {
		for _, tt.q.Limit = range []int{1, 2, 100} {
			if diff := cmp.Diff(tt.want, b.exported(tt.q)); diff != "" {
				b.Errorf("%+v: %s", tt.q, diff)
			}
		}
	}
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[2], State: bridge.ReplyDelivered, Text: "done"})) // of a click
	if got := b.exported(bridge.ExportQuery{Limit: 100}); len(got) != 6 {
		b.Errorf("with the answer to a click %q", got)
	}
}

func exchangePages(b *bundle) {
	for n := range 7 {
		b.accept("p:a:x", id(n))
		b.accept("p:b:x", "other"+id(n))
	}
	var pages [][]string
	before := int64(0)
	for {
		all, err := b.Exchanges(b.Context(), "p:a:x", before, 3)
		b.ok(err)
		if len(all) == 0 {
			break
		}
		before = all[0].Job.ID
		var ids []string
		for _, e := range all {
			ids = append(ids, string(e.Job.Message.ID))
		}
		pages = append(pages, ids)
	}
	if diff := cmp.Diff([][]string{{"m4", "m5", "m6"}, {"m1", "m2", "m3"}, {"m0"}}, pages); diff != "" {
		b.Error(diff)
	}
}

func counts(b *bundle) {
	b.acceptJobs(from("p:a:x", "old", "bot-b", "two"))
	b.finish()
	old := b.lastOf("bot-b")
	pass(24 * time.Hour)
	midnight := time.Now()
	b.acceptJobs(from("p:a:x", "a1", "bot-a", "one"), from("p:b:x", "a2", "bot-a", "one"), from("p:c:x", "a3", "bot-a", "one"),
		from("p:d:x", "a4", "bot-a", "one"), from("p:e:x", "c1", "bot-c", "three"), action("click"))
	jobs := b.claim(10)
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: jobs[0].ID, State: bridge.ReplyDelivered}))
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: jobs[1].ID, State: bridge.ReplyFailed}))
	b.settle(jobs[0], bridge.JobCompleted, 0)
	b.settle(jobs[1], bridge.JobCompleted, 0)
	b.settle(jobs[2], bridge.JobDiscarded, 0)
	b.settle(jobs[3], bridge.JobRetryable, time.Hour)
	got, err := b.Counts(b.Context(), midnight)
	b.ok(err)
	want := map[string]bridge.BotStatus{
		"bot-a": {ID: "bot-a", Received: 4, Answered: 1, Failed: 2, LastMessage: jobs[3].AcceptedAt},
		"bot-b": {ID: "bot-b", LastMessage: old},
		"bot-c": {ID: "bot-c", Received: 1, LastMessage: b.lastOf("bot-c")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
}

func (b *bundle) lastOf(bot string) time.Time {
	b.Helper()
	got, err := b.Counts(b.Context(), time.Time{})
	b.ok(err)
	if got[bot].Received == 0 {
		b.Errorf("%s received nothing", bot)
	}
	return got[bot].LastMessage
}

func empty(b *bundle) {
	talks, err := b.Talks(b.Context(), bridge.TalkQuery{Text: "x", Bot: "y", Before: time.Now()})
	if err != nil || len(talks) != 0 {
		b.Error(talks, err)
	}
	exchanges, err := b.Exchanges(b.Context(), "p:a:x", 0, 0)
	if err != nil || len(exchanges) != 0 {
		b.Error(exchanges, err)
	}
	if counts, err := b.Counts(b.Context(), time.Time{}); err != nil || len(counts) != 0 {
		b.Error(counts, err)
	}
	if waiting, err := b.Waiting(b.Context()); err != nil || len(waiting) != 0 {
		b.Error(waiting, err)
	}
	if _, due, err := b.NextDue(b.Context()); due || err != nil {
		b.Error(due, err)
	}
}

func noTalk(b *bundle) {
	a := b.person(identity("a"))
	b.acceptJobs(asks("a", "a1", lane(a)), asks("a", "stop", "o:"+lane(a)))
	if diff := cmp.Diff([]string{"a1", "stop"}, b.finish()); diff != "" {
		b.Error(diff)
	}
	talks, err := b.Talks(b.Context(), bridge.TalkQuery{})
	if err != nil || len(talks) != 1 || talks[0].Lane != lane(a) || talks[0].LastText != "question a1" {
		b.Errorf("talks %+v %v", talks, err)
	}
}

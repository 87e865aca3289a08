package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func careChecks() []check {
	return []check{
		{"old content is forgotten", forgetContent},
		{"old rows are dropped", forgetRows},
		{"a week is kept at least", forgetNotTooSoon},
		{"much to forget", forgetMuch},
		{"a sound database", sound},
		{"what was said lately", saidLately},
	}
}

const day = 24 * time.Hour

// withContent has content in every place it can be.
func withContent(lane, id string) bridge.NewJob {
	n := job(lane, id)
	n.Message.Quote = "quoted"
	n.Message.Files = []bridge.File{{Kind: bridge.FileOther, ID: "f", Name: "secret.pdf"}}
	return n
}

func forgetContent(b *bundle) {
	click := action("e1")
	ids := b.acceptJobs(withContent("p:a:x", "old"), click)
	b.ok(b.SaveReply(b.Context(), fullReply(ids[0])))
	b.ok(b.AppendEntries(b.Context(), []bridge.Entry{{Kind: bridge.EntryReceived, JobID: ids[0], At: time.Now()}}))
	b.finish()
	open := b.acceptJobs(withContent("p:b:x", "open"))[0]
	pass(91 * day)
	recent := b.acceptJobs(withContent("p:a:x", "recent"))[0]
	b.settle(b.claim(2)[1], bridge.JobCompleted, 0)

	n, err := b.Forget(b.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 2 {
		b.Errorf("forgot %d, %v", n, err)
	}
	j := b.job(ids[0])
	if j.Message.Text != "" || j.Message.Quote != "" || len(j.Message.Files) != 0 {
		b.Errorf("still there: %+v", j.Message)
	}
	if j.State != bridge.JobCompleted || j.Message.ID != "old" || j.Message.Sender.ID != "user-1" {
		b.Errorf("gone too: %+v", j)
	}
	if a := b.job(ids[1]).Action; a == nil || a.Kind != bridge.ActionButton || len(a.Value) != 0 {
		b.Errorf("action %+v", a)
	}
	r, found, err := b.Reply(b.Context(), ids[0])
	if err != nil || !found || r.Text != "" || len(r.Buttons) != 0 || r.State != bridge.ReplyDrafting || r.Usage.Tokens != 5 {
		b.Errorf("reply %+v %v %v", r, found, err)
	}
	if entries, err := b.Entries(b.Context(), ids[0]); err != nil || len(entries) != 1 {
		b.Errorf("entries %+v, %v", entries, err)
	}
	for _, id := range []int64{open, recent} {
		if b.job(id).Message.Text == "" || b.job(id).Message.Quote == "" {
			b.Errorf("job %d was forgotten", id)
		}
	}
	if n, err := b.Forget(b.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day)); err != nil || n != 0 {
		b.Errorf("forgot %d again, %v", n, err)
	}
}

func forgetRows(b *bundle) {
	ids := b.accept("p:a:x", "a1", "a2")
	gone := b.accept("p:b:x", "b1")[0]
	b.ok(b.SaveReply(b.Context(), fullReply(gone)))
	b.ok(b.AppendEntries(b.Context(), []bridge.Entry{
		{Kind: bridge.EntryReceived, JobID: gone, At: time.Now()}, {Kind: bridge.EntryRefused, At: time.Now()},
	}))
	b.finish()
	open := b.accept("p:c:x", "c1")[0]
	pass(400 * day)
	b.accept("p:a:x", "a3")
	n, err := b.Forget(b.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 3 {
		b.Errorf("forgot %d, %v", n, err)
	}
	for _, id := range append(ids, gone) {
		if _, err := b.Job(b.Context(), id); bridge.KindOf(err) != bridge.KindNotFound {
			b.Errorf("job %d: %v", id, err)
		}
	}
	if _, found, err := b.Reply(b.Context(), gone); found || err != nil {
		b.Error("the reply is still there", err)
	}
	if entries, err := b.Entries(b.Context(), gone); err != nil || len(entries) != 0 {
		b.Error("the entries are still there", err)
	}
	if b.job(open).State != bridge.JobAvailable {
		b.Error("an unfinished job is gone")
	}
	rows, err := b.Talks(b.Context(), bridge.TalkQuery{})
	b.ok(err)
	got := map[string]int{}
	for _, r := range rows {
		got[r.Lane] = r.Questions
	}
	if diff := cmp.Diff(map[string]int{"p:a:x": 1, "p:c:x": 1}, got); diff != "" {
		b.Error(diff)
	}
	next := b.accept("p:b:x", "b2")[0]
	if next <= gone {
		b.Errorf("id %d was given out again", next)
	}
	if diff := cmp.Diff([]string{"c1", "a3", "b2"}, b.finish()); diff != "" {
		b.Error(diff)
	}
}

func forgetNotTooSoon(b *bundle) {
	id := b.accept("p:a:x", "a1")[0]
	b.finish()
	pass(6 * day)
	n, err := b.Forget(b.Context(), time.Now(), time.Now())
	if err != nil || n != 1 {
		b.Errorf("forgot %d, %v", n, err)
	}
	if got := b.job(id); got.Message.Text != "" {
		b.Error("the content is still there")
	}
	pass(2 * day)
	n, err = b.Forget(b.Context(), time.Now(), time.Now())
	if err != nil || n != 1 {
		b.Errorf("dropped %d, %v", n, err)
	}
}

func forgetMuch(b *bundle) {
	var jobs []bridge.NewJob
	for n := range 450 {
		jobs = append(jobs, job("p:"+id(n%450)+":x", id(n)))
	}
	b.acceptJobs(jobs...)
	b.finish()
	pass(100 * day)
	n, err := b.Forget(b.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 450 {
		b.Errorf("forgot %d, %v", n, err)
	}
	pass(300 * day)
	n, err = b.Forget(b.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 450 {
		b.Errorf("dropped %d, %v", n, err)
	}
	if rows, err := b.Talks(b.Context(), bridge.TalkQuery{}); err != nil || len(rows) != 0 {
		b.Errorf("%d talks, %v", len(rows), err)
	}
}

func sound(b *bundle) {
	b.accept("p:a:x", "a1")
	b.ok(b.Check(b.Context()))
}

func saidLately(b *bundle) {
	ids := b.acceptJobs(job("p:a:x", "1"), job("p:a:x", "2"), job("p:a:x", "3"), action("e1"))
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[0], State: bridge.ReplyAnswered, Text: "an answer"}))
	got, err := b.Said(b.Context(), 2)
	want := []string{b.job(ids[2]).Message.Text, b.job(ids[1]).Message.Text, "an answer"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		b.Error(diff, err)
	}
}

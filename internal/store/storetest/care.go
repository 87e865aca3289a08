package storetest

import (
	"testing"
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

func forgetContent(t *testing.T, b *bundle) {
	click := action("e1")
	ids := b.acceptJobs(t, withContent("p:a:x", "old"), click)
	ok(t, b.SaveReply(t.Context(), fullReply(ids[0])))
	ok(t, b.AppendEntries(t.Context(), []bridge.Entry{{Kind: bridge.EntryReceived, JobID: ids[0], At: time.Now()}}))
	b.finish(t)
	open := b.acceptJobs(t, withContent("p:b:x", "open"))[0]
	pass(91 * day)
	recent := b.acceptJobs(t, withContent("p:a:x", "recent"))[0]
	b.settle(t, b.claim(t, 2)[1], bridge.JobCompleted, 0)

	n, err := b.Forget(t.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 2 {
		t.Errorf("forgot %d, %v", n, err)
	}
	j := b.job(t, ids[0])
	if j.Message.Text != "" || j.Message.Quote != "" || len(j.Message.Files) != 0 {
		t.Errorf("still there: %+v", j.Message)
	}
	if j.State != bridge.JobCompleted || j.Message.ID != "old" || j.Message.Sender.ID != "user-1" {
		t.Errorf("gone too: %+v", j)
	}
	if a := b.job(t, ids[1]).Action; a == nil || a.Kind != bridge.ActionButton || len(a.Value) != 0 {
		t.Errorf("action %+v", a)
	}
	r, found, err := b.Reply(t.Context(), ids[0])
	if err != nil || !found || r.Text != "" || r.State != bridge.ReplyDrafting || r.Usage.Tokens != 5 {
		t.Errorf("reply %+v %v %v", r, found, err)
	}
	if entries, err := b.Entries(t.Context(), ids[0]); err != nil || len(entries) != 1 {
		t.Errorf("entries %+v, %v", entries, err)
	}
	for _, id := range []int64{open, recent} {
		if b.job(t, id).Message.Text == "" || b.job(t, id).Message.Quote == "" {
			t.Errorf("job %d was forgotten", id)
		}
	}
	if n, err := b.Forget(t.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day)); err != nil || n != 0 {
		t.Errorf("forgot %d again, %v", n, err)
	}
}

func forgetRows(t *testing.T, b *bundle) {
	ids := b.accept(t, "p:a:x", "a1", "a2")
	gone := b.accept(t, "p:b:x", "b1")[0]
	ok(t, b.SaveReply(t.Context(), fullReply(gone)))
	ok(t, b.AppendEntries(t.Context(), []bridge.Entry{
		{Kind: bridge.EntryReceived, JobID: gone, At: time.Now()}, {Kind: bridge.EntryRefused, At: time.Now()},
	}))
	b.finish(t)
	open := b.accept(t, "p:c:x", "c1")[0]
	pass(400 * day)
	b.accept(t, "p:a:x", "a3")
	n, err := b.Forget(t.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 3 {
		t.Errorf("forgot %d, %v", n, err)
	}
	for _, id := range append(ids, gone) {
		if _, err := b.Job(t.Context(), id); bridge.KindOf(err) != bridge.KindNotFound {
			t.Errorf("job %d: %v", id, err)
		}
	}
	if _, found, err := b.Reply(t.Context(), gone); found || err != nil {
		t.Error("the reply is still there", err)
	}
	if entries, err := b.Entries(t.Context(), gone); err != nil || len(entries) != 0 {
		t.Error("the entries are still there", err)
	}
	if b.job(t, open).State != bridge.JobAvailable {
		t.Error("an unfinished job is gone")
	}
	rows, err := b.Talks(t.Context(), bridge.TalkQuery{})
	ok(t, err)
	got := map[string]int{}
	for _, r := range rows {
		got[r.Lane] = r.Questions
	}
	if diff := cmp.Diff(map[string]int{"p:a:x": 1, "p:c:x": 1}, got); diff != "" {
		t.Error(diff)
	}
	next := b.accept(t, "p:b:x", "b2")[0]
	if next <= gone {
		t.Errorf("id %d was given out again", next)
	}
	if diff := cmp.Diff([]string{"c1", "a3", "b2"}, b.finish(t)); diff != "" {
		t.Error(diff)
	}
}

func forgetNotTooSoon(t *testing.T, b *bundle) {
	id := b.accept(t, "p:a:x", "a1")[0]
	b.finish(t)
	pass(6 * day)
	n, err := b.Forget(t.Context(), time.Now(), time.Now())
	if err != nil || n != 1 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if got := b.job(t, id); got.Message.Text != "" {
		t.Error("the content is still there")
	}
	pass(2 * day)
	n, err = b.Forget(t.Context(), time.Now(), time.Now())
	if err != nil || n != 1 {
		t.Errorf("dropped %d, %v", n, err)
	}
}

func forgetMuch(t *testing.T, b *bundle) {
	var jobs []bridge.NewJob
	for n := range 450 {
		jobs = append(jobs, job("p:"+id(n%450)+":x", id(n)))
	}
	b.acceptJobs(t, jobs...)
	b.finish(t)
	pass(100 * day)
	n, err := b.Forget(t.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 450 {
		t.Errorf("forgot %d, %v", n, err)
	}
	pass(300 * day)
	n, err = b.Forget(t.Context(), time.Now().Add(-90*day), time.Now().Add(-365*day))
	if err != nil || n != 450 {
		t.Errorf("dropped %d, %v", n, err)
	}
	if rows, err := b.Talks(t.Context(), bridge.TalkQuery{}); err != nil || len(rows) != 0 {
		t.Errorf("%d talks, %v", len(rows), err)
	}
}

func sound(t *testing.T, b *bundle) {
	b.accept(t, "p:a:x", "a1")
	ok(t, b.Check(t.Context()))
}

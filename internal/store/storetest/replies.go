package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func replyChecks() []check {
	return []check{
		{"a reply comes back as it was saved last", replyRoundTrip},
		{"a job without a reply", noReply},
		{"an answer that waits for a decision", awaits},
		{"everything that waits for a decision", undecided},
		{"content stays as long as somebody may decide", waitingContent},
		{"entries of a job, in order", entriesOfJob},
		{"a session lives until its time is over", sessionTTL},
		{"a closed session stays closed", sessionClosed},
		{"one open session per lane and agent", oneSession},
	}
}

// fullReply has a value in every field, so that none is forgotten.
func fullReply(job int64) bridge.Reply {
	return bridge.Reply{
		JobID: job, State: bridge.ReplyDrafting,
		Draft: bridge.Address{
			Bot: "bot-a", Chat: "c", Kind: bridge.Group, User: "u", Name: "n", Thread: "t", ReplyTo: "m", Data: []byte(`{"card":"x"}`),
			Expires: time.Now().Add(time.Hour).UTC(), Key: "k", Repeat: true, Language: bridge.Chinese, Job: "7", Stop: "■",
		},
		Text: "答案 ✓", Sent: 1, Sending: 2, Messages: []bridge.MessageID{"a", "b"}, Uncertain: 3,
		Conversation: bridge.Conversation{ID: "conv", User: "switchboard-1"},
		Run:          bridge.Run{Task: "t", Run: "r", Message: "m"}, Failures: 4, Seen: true, Begun: true,
		Files: []bridge.FileAdded{{Kind: bridge.FileImage, Name: "a.png", URL: "https://example.com/a.png"}},
		Form: &bridge.Form{
			Token: "t", Text: "which?", Fields: []bridge.FormField{{Name: "f", Default: "d", Options: []string{"d", "e"}}},
			Choices: []bridge.FormChoice{{ID: "y", Title: "Yes", Style: bridge.ButtonPrimary}}, Expires: time.Now().Add(time.Hour).UTC(),
		},
		Usage:   bridge.Usage{Tokens: 5, Price: "0.01", Currency: "USD", Latency: time.Second},
		Buttons: []bridge.Button{{Text: "Why so?", Style: bridge.ButtonPrimary, Value: map[string]string{bridge.ValueDo: bridge.DoAsk}}},
		Error:   bridge.KindInterrupted, UpdatedAt: time.Now().Truncate(time.Microsecond),
	}
}

func replyRoundTrip(b *bundle) {
	id := b.accept("p:a:x", "m1")[0]
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: id, State: bridge.ReplyPlanned}))
	got, found, err := b.Reply(b.Context(), id)
	if !found || err != nil || got.State != bridge.ReplyPlanned || got.UpdatedAt.IsZero() {
		b.Fatalf("reply %+v %v %v", got, found, err)
	}
	want := fullReply(id)
	b.ok(b.SaveReply(b.Context(), want))
	b.reopen()
	got, _, err = b.Reply(b.Context(), id)
	b.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	want = bridge.Reply{JobID: id, State: bridge.ReplyDelivered, UpdatedAt: want.UpdatedAt.Add(time.Second)}
	b.ok(b.SaveReply(b.Context(), want))
	got, _, err = b.Reply(b.Context(), id)
	b.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
}

// awaits: a lane waits as long as one of its last answers before a job has a form.
func awaits(b *bundle) {
	ids := b.accept("p:a:x", "a1", "a2", "a3", "a4")
	other := b.accept("p:b:x", "b1")
	form := &bridge.Form{Token: "t", Choices: []bridge.FormChoice{{ID: "y", Title: "Yes"}}}
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[1], State: bridge.ReplyDelivered, Form: form}))
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[2], State: bridge.ReplyDelivered}))
	for _, c := range []struct {
		why    string
		lane   string
		before int64
		most   int
		want   bool
	}{
		{"it is two before", "p:a:x", ids[3], 10, true},
		{"it is the one before", "p:a:x", ids[2], 1, true},
		{"not so far back", "p:a:x", ids[3], 1, false},
		{"its own job", "p:a:x", ids[1], 10, false},
		{"another lane", "p:b:x", other[0] + 1, 10, false},
	} {
		if got, err := b.Awaits(b.Context(), c.lane, c.before, c.most); got != c.want || err != nil {
			b.Errorf("%s: %v %v", c.why, got, err)
		}
	}
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[1], State: bridge.ReplyDelivered}))
	if got, err := b.Awaits(b.Context(), "p:a:x", ids[3], 10); got || err != nil {
		b.Errorf("after the decision: %v %v", got, err)
	}
}

func undecided(b *bundle) {
	if all, err := b.Undecided(b.Context(), 10); len(all) > 0 || err != nil {
		b.Errorf("out of nothing: %+v, %v", all, err)
	}
	ids := append(b.accept("p:a:x", "a1", "a2", "a3"), b.accept("p:b:x", "b1")...)
	waits := fullReply(ids[1])
	b.ok(b.SaveReply(b.Context(), waits))
	b.ok(b.SaveReply(b.Context(), bridge.Reply{JobID: ids[2], State: bridge.ReplyDelivered}))
	b.ok(b.SaveReply(b.Context(), fullReply(ids[3])))
	b.reopen()
	all, err := b.Undecided(b.Context(), 10)
	b.ok(err)
	if len(all) != 2 || all[0].Job.ID != ids[3] || all[1].Job.ID != ids[1] || all[1].Job.Message.Text != "question a2" {
		b.Fatalf("%+v", all)
	}
	if diff := cmp.Diff(waits, all[1].Reply); diff != "" {
		b.Error(diff)
	}
	if all, err := b.Undecided(b.Context(), 1); len(all) != 1 || all[0].Job.ID != ids[3] || err != nil {
		b.Errorf("the latest: %+v, %v", all, err)
	}
	waits.Form = nil
	b.ok(b.SaveReply(b.Context(), waits))
	if all, err := b.Undecided(b.Context(), 10); len(all) != 1 || all[0].Job.ID != ids[3] || err != nil {
		b.Errorf("after the decision: %+v, %v", all, err)
	}
}

func waitingContent(b *bundle) {
	id := b.acceptJobs(withContent("p:a:x", "old"))[0]
	r := fullReply(id)
	b.ok(b.SaveReply(b.Context(), r))
	b.finish()
	forget := func() int {
		b.Helper()
		n, err := b.Forget(b.Context(), time.Now().Add(time.Second), time.Time{})
		b.ok(err)
		return n
	}
	pass(6 * 24 * time.Hour)
	if n := forget(); n != 0 || b.job(id).Message.Text == "" {
		b.Errorf("forgot %d", n)
	}
	if got, _, err := b.Reply(b.Context(), id); err != nil || got.Text == "" || len(got.Buttons) == 0 {
		b.Errorf("%+v, %v", got, err)
	}
	r.Form, r.UpdatedAt = nil, time.Now()
	b.ok(b.SaveReply(b.Context(), r))
	if n := forget(); n != 1 || b.job(id).Message.Text != "" {
		b.Errorf("after the decision: forgot %d", n)
	}
	id = b.acceptJobs(withContent("p:a:x", "older"))[0]
	b.ok(b.SaveReply(b.Context(), fullReply(id)))
	b.finish()
	pass(9 * 24 * time.Hour)
	if n := forget(); n != 1 || b.job(id).Message.Text != "" {
		b.Errorf("when nothing waits for so long: forgot %d", n)
	}
}

func noReply(b *bundle) {
	id := b.accept("p:a:x", "m1")[0]
	if _, found, err := b.Reply(b.Context(), id); found || err != nil {
		b.Error(found, err)
	}
}

func entriesOfJob(b *bundle) {
	b.ok(b.AppendEntries(b.Context(), nil))
	var want []bridge.Entry
	for n, kind := range bridge.EntryKinds() {
		e := bridge.Entry{
			At: time.Now().Add(-time.Duration(n) * time.Second).Truncate(time.Microsecond), Kind: kind, JobID: 7, Bot: "bot-a",
			Message: "m1", Attempt: n, Took: time.Duration(n), Note: "note ' %", Error: bridge.KindQuota,
		}
		want = append(want, e)
		b.ok(b.AppendEntries(b.Context(), []bridge.Entry{e, {Kind: kind, JobID: 8}, {Kind: kind}}))
	}
	got, err := b.Entries(b.Context(), 7)
	b.ok(err)
	for i := range got {
		if got[i].ID == 0 || i > 0 && got[i].ID <= got[i-1].ID {
			b.Errorf("entry %d has id %d", i, got[i].ID)
		}
		got[i].ID = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	if none, err := b.Entries(b.Context(), 0); err != nil || len(none) != 0 {
		b.Errorf("entries of no job: %d, %v", len(none), err)
	}
}

func session(id, lane string) bridge.Session {
	at := time.Now().Truncate(time.Microsecond)
	return bridge.Session{
		ID: id, Lane: lane, Agent: agent, Person: "a", Conversation: bridge.Conversation{ID: "conv-" + id, User: "switchboard-1"},
		LastPlatform: "one", Messages: 1, CreatedAt: at, LastActive: at,
	}
}

const week = 7 * 24 * time.Hour

// current returns the id of the session that a question now would continue.
func (b *bundle) current(lane string) string {
	b.Helper()
	s, found, err := b.Session(b.Context(), lane, agent, time.Now().Add(-week))
	b.ok(err)
	if found != (s.ID != "") {
		b.Errorf("found %v: %+v", found, s)
	}
	return s.ID
}

func sessionTTL(b *bundle) {
	if got := b.current("p:a:x"); got != "" {
		b.Errorf("session %q out of nothing", got)
	}
	want := session("s1", "p:a:x")
	b.ok(b.SaveSession(b.Context(), want))
	got, _, err := b.Session(b.Context(), "p:a:x", agent, time.Now().Add(-week))
	b.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	if _, found, err := b.Session(b.Context(), "p:a:x", "another", time.Time{}); found || err != nil {
		b.Error("another agent has it too", err)
	}
	pass(6 * 24 * time.Hour)
	want.Messages, want.LastActive, want.LastPlatform = 2, time.Now().Truncate(time.Microsecond), "two"
	want.Conversation.ID, want.Vault = "conv-2", bridge.NewSecret(`[{"value":"13812345678"}]`)
	b.ok(b.SaveSession(b.Context(), want))
	pass(6 * 24 * time.Hour)
	b.reopen()
	got, _, err = b.Session(b.Context(), "p:a:x", agent, time.Now().Add(-week))
	b.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	pass(2 * 24 * time.Hour)
	if got := b.current("p:a:x"); got != "" {
		b.Errorf("session %q outlived its time", got)
	}
}

func sessionClosed(b *bundle) {
	b.ok(b.SaveSession(b.Context(), session("s1", "p:a:x")))
	b.ok(b.SaveSession(b.Context(), session("s2", "p:b:x")))
	b.ok(b.CloseSessions(b.Context(), "p:a:x"))
	b.ok(b.SaveSession(b.Context(), session("s1", "p:a:x"))) // a late one
	if got := b.current("p:a:x"); got != "" {
		b.Errorf("session %q is open", got)
	}
	if got := b.current("p:b:x"); got != "s2" {
		b.Errorf("the neighbour's session is %q", got)
	}
	pass(time.Second)
	b.ok(b.SaveSession(b.Context(), session("s3", "p:a:x")))
	if got := b.current("p:a:x"); got != "s3" {
		b.Errorf("session %q", got)
	}
}

func oneSession(b *bundle) {
	b.ok(b.SaveSession(b.Context(), session("s1", "g:b:c:x")))
	pass(time.Hour)
	b.ok(b.SaveSession(b.Context(), session("s2", "g:b:c:x")))
	pass(time.Hour)
	b.ok(b.SaveSession(b.Context(), session("s1", "g:b:c:x")))
	if got := b.current("g:b:c:x"); got != "s2" {
		b.Errorf("session %q", got)
	}
}

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func replyChecks() []check {
	return []check{
		{"a reply comes back as it was saved last", replyRoundTrip},
		{"a job without a reply", noReply},
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
			Expires: time.Now().Add(time.Hour).UTC(), Key: "k", Repeat: true, Language: bridge.Chinese,
		},
		Text: "答案 ✓", Sent: 1, Sending: 2, Messages: []bridge.MessageID{"a", "b"}, Uncertain: 3,
		Conversation: bridge.Conversation{ID: "conv", User: "switchboard-1"},
		Run:          bridge.Run{Task: "t", Run: "r", Message: "m"}, Failures: 4, Seen: true,
		Usage: bridge.Usage{Tokens: 5, Price: "0.01", Currency: "USD", Latency: time.Second},
		Error: bridge.KindInterrupted, UpdatedAt: time.Now().Truncate(time.Microsecond),
	}
}

func replyRoundTrip(t *testing.T, b *bundle) {
	id := b.accept(t, "p:a:x", "m1")[0]
	ok(t, b.SaveReply(t.Context(), bridge.Reply{JobID: id, State: bridge.ReplyPlanned}))
	got, found, err := b.Reply(t.Context(), id)
	if !found || err != nil || got.State != bridge.ReplyPlanned || got.UpdatedAt.IsZero() {
		t.Fatalf("reply %+v %v %v", got, found, err)
	}
	want := fullReply(id)
	ok(t, b.SaveReply(t.Context(), want))
	b.reopen(t)
	got, _, err = b.Reply(t.Context(), id)
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = bridge.Reply{JobID: id, State: bridge.ReplyDelivered, UpdatedAt: want.UpdatedAt.Add(time.Second)}
	ok(t, b.SaveReply(t.Context(), want))
	got, _, err = b.Reply(t.Context(), id)
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func noReply(t *testing.T, b *bundle) {
	id := b.accept(t, "p:a:x", "m1")[0]
	if _, found, err := b.Reply(t.Context(), id); found || err != nil {
		t.Error(found, err)
	}
}

func entriesOfJob(t *testing.T, b *bundle) {
	ok(t, b.AppendEntries(t.Context(), nil))
	var want []bridge.Entry
	for n, kind := range bridge.EntryKinds() {
		e := bridge.Entry{
			At: time.Now().Add(-time.Duration(n) * time.Second).Truncate(time.Microsecond), Kind: kind, JobID: 7, Bot: "bot-a",
			Message: "m1", Attempt: n, Took: time.Duration(n), Note: "note ' %", Error: bridge.KindQuota,
		}
		want = append(want, e)
		ok(t, b.AppendEntries(t.Context(), []bridge.Entry{e, {Kind: kind, JobID: 8}, {Kind: kind}}))
	}
	got, err := b.Entries(t.Context(), 7)
	ok(t, err)
	for i := range got {
		if got[i].ID == 0 || i > 0 && got[i].ID <= got[i-1].ID {
			t.Errorf("entry %d has id %d", i, got[i].ID)
		}
		got[i].ID = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if none, err := b.Entries(t.Context(), 0); err != nil || len(none) != 0 {
		t.Errorf("entries of no job: %d, %v", len(none), err)
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
func (b *bundle) current(t *testing.T, lane string) string {
	t.Helper()
	s, found, err := b.Session(t.Context(), lane, agent, time.Now().Add(-week))
	ok(t, err)
	if found != (s.ID != "") {
		t.Errorf("found %v: %+v", found, s)
	}
	return s.ID
}

func sessionTTL(t *testing.T, b *bundle) {
	if got := b.current(t, "p:a:x"); got != "" {
		t.Errorf("session %q out of nothing", got)
	}
	want := session("s1", "p:a:x")
	ok(t, b.SaveSession(t.Context(), want))
	got, _, err := b.Session(t.Context(), "p:a:x", agent, time.Now().Add(-week))
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, found, err := b.Session(t.Context(), "p:a:x", "another", time.Time{}); found || err != nil {
		t.Error("another agent has it too", err)
	}
	pass(6 * 24 * time.Hour)
	want.Messages, want.LastActive, want.LastPlatform = 2, time.Now().Truncate(time.Microsecond), "two"
	want.Conversation.ID = "conv-2"
	ok(t, b.SaveSession(t.Context(), want))
	pass(6 * 24 * time.Hour)
	b.reopen(t)
	got, _, err = b.Session(t.Context(), "p:a:x", agent, time.Now().Add(-week))
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	pass(2 * 24 * time.Hour)
	if got := b.current(t, "p:a:x"); got != "" {
		t.Errorf("session %q outlived its time", got)
	}
}

func sessionClosed(t *testing.T, b *bundle) {
	ok(t, b.SaveSession(t.Context(), session("s1", "p:a:x")))
	ok(t, b.SaveSession(t.Context(), session("s2", "p:b:x")))
	ok(t, b.CloseSessions(t.Context(), "p:a:x"))
	ok(t, b.SaveSession(t.Context(), session("s1", "p:a:x"))) // a late one
	if got := b.current(t, "p:a:x"); got != "" {
		t.Errorf("session %q is open", got)
	}
	if got := b.current(t, "p:b:x"); got != "s2" {
		t.Errorf("the neighbour's session is %q", got)
	}
	pass(time.Second)
	ok(t, b.SaveSession(t.Context(), session("s3", "p:a:x")))
	if got := b.current(t, "p:a:x"); got != "s3" {
		t.Errorf("session %q", got)
	}
}

func oneSession(t *testing.T, b *bundle) {
	ok(t, b.SaveSession(t.Context(), session("s1", "g:b:c:x")))
	pass(time.Hour)
	ok(t, b.SaveSession(t.Context(), session("s2", "g:b:c:x")))
	pass(time.Hour)
	ok(t, b.SaveSession(t.Context(), session("s1", "g:b:c:x")))
	if got := b.current(t, "g:b:c:x"); got != "s2" {
		t.Errorf("session %q", got)
	}
}

package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

func inboxChecks() []check {
	return []check{
		{"a message is accepted once", acceptOnce},
		{"duplicates within one call", duplicatesInOneCall},
		{"many at once accept a message once", acceptRace},
		{"messages and actions do not collide", actionsAndMessages},
		{"another bot's message is another message", perBot},
		{"a job comes back as it went in", jobRoundTrip},
		{"odd characters", oddCharacters},
		{"ids grow", idsGrow},
		{"accepting nothing", acceptNothing},
		{"an ended context stores nothing", endedContext},
		{"an unknown job", unknownJob},
		{"a failing write leaves its neighbours alone", isolation},
		{"closing waits for what was begun", closing},
	}
}

func acceptOnce(b *bundle) {
	first := b.accept("p:a:x", "m1")[0]
	again := func() {
		b.Helper()
		got, err := b.Accept(b.Context(), []bridge.NewJob{job("p:a:x", "m1")})
		b.ok(err)
		if diff := cmp.Diff([]bridge.Accepted{{JobID: first, Duplicate: true}}, got); diff != "" {
			b.Error(diff)
		}
	}
	for range 4 {
		again()
	}
	b.reopen()
	again()
	if got := b.finish(); len(got) != 1 {
		b.Errorf("handled %v", got)
	}
	again()
	pass(7 * time.Hour)
	again()
	_, err := b.Forget(b.Context(), time.Now(), time.Now())
	b.ok(err)
	again()
	if got := b.finish(); len(got) != 0 {
		b.Errorf("handled again: %v", got)
	}
}

func duplicatesInOneCall(b *bundle) {
	got, err := b.Accept(b.Context(), []bridge.NewJob{job("p:a:x", "m1"), job("p:a:x", "m2"), job("p:a:x", "m1")})
	b.ok(err)
	if len(got) != 3 || got[0].Duplicate || got[1].Duplicate || !got[2].Duplicate || got[2].JobID != got[0].JobID || got[1].JobID == got[0].JobID {
		b.Errorf("accepted %+v", got)
	}
	if n := b.waiting(); n != 2 {
		b.Errorf("%d wait", n)
	}
}

func acceptRace(b *bundle) {
	const callers, messages = 16, 20
	got := make([][]bridge.Accepted, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for m := range messages {
				a, err := b.Accept(b.Context(), []bridge.NewJob{job("p:a:x", id(m))})
				if err != nil {
					b.Error(err)
					return
				}
				got[c] = append(got[c], a...)
			}
		})
	}
	wg.Wait()
	for m := range messages {
		fresh := 0
		for c := range callers {
			if got[c][m].JobID != got[0][m].JobID {
				b.Errorf("message %d is job %d and %d", m, got[c][m].JobID, got[0][m].JobID)
			}
			if !got[c][m].Duplicate {
				fresh++
			}
		}
		if fresh != 1 {
			b.Errorf("message %d was new to %d callers", m, fresh)
		}
	}
	if n := b.waiting(); n != messages {
		b.Errorf("%d wait", n)
	}
}

func action(id string) bridge.NewJob {
	n := job("p:a:x", id)
	n.Message.Text = ""
	n.Action = &bridge.Action{ID: id, Bot: n.Message.Bot, Platform: "one", Kind: bridge.ActionButton, At: n.Message.SentAt, Value: map[string]string{"do": "retry"}}
	return n
}

func actionsAndMessages(b *bundle) {
	ids := b.acceptJobs(job("p:a:x", "1"), action("1"))
	got, err := b.Accept(b.Context(), []bridge.NewJob{action("1"), job("p:a:x", "1")})
	b.ok(err)
	if diff := cmp.Diff([]bridge.Accepted{{JobID: ids[1], Duplicate: true}, {JobID: ids[0], Duplicate: true}}, got); diff != "" {
		b.Error(diff)
	}
	want := action("1").Action
	if diff := cmp.Diff(want, b.job(ids[1]).Action); diff != "" {
		b.Error(diff)
	}
	if b.job(ids[0]).Action != nil {
		b.Error("a message became an action")
	}
}

func perBot(b *bundle) {
	other := job("p:a:x", "m1")
	other.Message.Bot = "bot-b"
	b.acceptJobs(job("p:a:x", "m1"), other)
}

func jobRoundTrip(b *bundle) {
	n := job("p:a:x", "m1")
	n.Message.SentAt = time.Now().UTC()
	n.Message.Quote = "quoted 引用"
	n.Message.Chat.Title, n.Message.Chat.Thread = "title", "thread"
	n.Message.Sender.Alias = map[string]string{"union_id": "on_1"}
	n.Message.Files = []bridge.File{{Kind: bridge.FileImage, ID: "f1", Name: "a.png", Size: 7, Duration: time.Second, Extra: map[string]string{"a": "b"}}}
	n.Message.Address.Expires = time.Now().Add(time.Hour).UTC()
	accepted := time.Now()
	got := b.job(b.acceptJobs(n)[0])
	want := bridge.Job{
		ID: got.ID, Message: n.Message, Queue: agent, Lane: "p:a:x", State: bridge.JobAvailable, AcceptedAt: got.AcceptedAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	if d := got.AcceptedAt.Sub(accepted); d < -time.Millisecond || d > time.Second {
		b.Errorf("accepted %v after the call", d)
	}
	claimed := b.claim(1)[0]
	if diff := cmp.Diff(claimed, b.job(claimed.ID)); diff != "" {
		b.Error("claimed and stored differ:", diff)
	}
}

func oddCharacters(b *bundle) {
	n := job("p:a:x", "m1")
	n.Message.Text = "a\x00b \xff % _ ' \" ? $1 😀"
	n.Message.Chat.Title = "x\x00y"
	got := b.job(b.acceptJobs(n)[0])
	if want := "ab \uFFFD % _ ' \" ? $1 😀"; got.Message.Text != want {
		b.Errorf("text %q", got.Message.Text)
	}
}

func idsGrow(b *bundle) {
	last := int64(0)
	for n := range 5 {
		for _, got := range b.accept("p:a:x", id(2*n), id(2*n+1)) {
			if got <= last {
				b.Errorf("id %d after %d", got, last)
			}
			last = got
		}
	}
}

func acceptNothing(b *bundle) {
	if got, err := b.Accept(b.Context(), nil); err != nil || len(got) != 0 {
		b.Error(got, err)
	}
}

func endedContext(b *bundle) {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if _, err := b.Accept(ctx, []bridge.NewJob{job("p:a:x", "m1")}); !errors.Is(err, context.Canceled) {
		b.Errorf("error %v", err)
	}
	if n := b.waiting(); n != 0 {
		b.Errorf("%d wait", n)
	}
	b.accept("p:a:x", "m1") // new, so it was not stored
}

func unknownJob(b *bundle) {
	if _, err := b.Job(b.Context(), 4711); bridge.KindOf(err) != bridge.KindNotFound {
		b.Errorf("error %v", err)
	}
	if ours, err := b.Settle(b.Context(), node, bridge.Settlement{JobID: 4711, Attempt: 1, State: bridge.JobCompleted}); ours || err != nil {
		b.Errorf("settled an unknown job: %v, %v", ours, err)
	}
}

// isolation mixes writes that fail, after having changed something, with writes
// that must not.
func isolation(b *bundle) {
	const callers = 24
	who := bridge.Identity{Platform: "one", Tenant: "t", User: "u", Name: "Ann"}
	before, err := b.PersonOf(b.Context(), who)
	b.ok(err)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			if c%3 == 0 {
				s := bridge.Settlement{JobID: 1, Attempt: 1, State: bridge.JobRunning}
				if _, err := b.Settle(b.Context(), node, s); bridge.KindOf(err) != bridge.KindInvalid {
					b.Errorf("a settlement that makes no sense: %v", err)
				}
				if err := b.Link(b.Context(), who, "p_nobody"); bridge.KindOf(err) != bridge.KindNotFound {
					b.Errorf("linked to nobody: %v", err)
				}
				return
			}
			if _, err := b.Accept(b.Context(), []bridge.NewJob{job("p:a:x", id(c))}); err != nil {
				b.Error(err)
			}
			if err := b.SaveReply(b.Context(), bridge.Reply{JobID: int64(c + 1000), State: bridge.ReplyPlanned}); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	if n := b.waiting(); n != callers*2/3 {
		b.Errorf("%d wait", n)
	}
	if after, err := b.PersonOf(b.Context(), who); err != nil || after != before {
		b.Errorf("the failed link left %+v, %v", after, err)
	}
}

func closing(b *bundle) {
	var mu sync.Mutex
	var acked []string
	var wg sync.WaitGroup
	started := make(chan struct{}, 8)
	for c := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				name := id(100*c + n)
				_, err := b.Accept(b.Context(), []bridge.NewJob{job("p:a:x", name)})
				if err != nil {
					if !errors.Is(err, store.ErrClosed) {
						b.Errorf("accept while closing: %v", err)
					}
					return
				}
				mu.Lock()
				acked = append(acked, name)
				mu.Unlock()
				if n == 3 {
					started <- struct{}{}
				}
			}
		})
	}
	<-started
	b.ok(b.Close())
	b.ok(b.Close())
	wg.Wait()
	b.Store = b.open()
	if n := b.waiting(); n != len(acked) {
		b.Errorf("%d acknowledged, %d there", len(acked), n)
	}
}

package app_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// TestSameMessageAgain: five deliveries, after a restart and seven hours later,
// are one answer.
func TestSameMessageAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		first := begin(t, data, oneBot, l, nil)
		again := packed(t, message("one", "m1", "how are you?"))
		five := func(r *life) {
			for range 5 {
				if status := r.request(t, r.door, "POST", "/hook/one", again); status != 200 {
					t.Errorf("the door answers %d", status)
				}
			}
			rest(time.Minute)
			if got := l.chat.Texts(); len(got) != 1 || !strings.Contains(got[0], "how are you?") {
				t.Errorf("shown %q", got)
			}
		}
		five(first)
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		second := begin(t, data, oneBot, l, nil)
		five(second)
		rest(7 * time.Hour)
		five(second)
		if err := second.stop(); err != nil {
			t.Fatal(err)
		}
		rest(6 * 24 * time.Hour)
		five(begin(t, data, oneBot, l, nil))
	})
}

// TestOnePartFails: a connection that panics, one that is refused and a bot that
// cannot be opened leave the others alone, and each says what is wrong.
func TestOnePartFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLamp()
		var mu sync.Mutex
		tries := map[string]int{}
		l.listen = func(ctx context.Context, bot string, accept func(context.Context, bridge.Delivery) error) error {
			mu.Lock()
			tries[bot]++
			n := tries[bot]
			mu.Unlock()
			switch {
			case bot == "locked":
				return &bridge.Error{Kind: bridge.KindCredential, Op: "lamp: listen"}
			case n <= 3:
				panic("hunter2")
			}
			if err := accept(ctx, bridge.Delivery{Messages: []bridge.Message{message(bot, "m2", "over the air")}}); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			return nil
		}
		r := begin(t, t.TempDir(), `bots:
  - {id: one, platform: lamp}
  - {id: dark, platform: lamp}
  - {id: wild, platform: lamp, mode: radio}
  - {id: locked, platform: lamp, mode: radio}
`, l, nil)
		if status := r.deliver(t, "m1", "how are you?"); status != 200 {
			t.Errorf("the door answers %d", status)
		}
		rest(500 * time.Millisecond)
		if got := l.chat.Texts(); len(got) != 1 || !strings.Contains(got[0], "how are you?") {
			t.Errorf("shown %q while others fail", got)
		}
		want := func(ids ...string) {
			t.Helper()
			got := map[string]bool{}
			for _, n := range r.Notices(bridge.English) {
				got[n.ID] = true
				if n.Title == "" || n.Next == "" || strings.Contains(n.Title+n.Detail+n.Next, "hunter2") {
					t.Errorf("notice %+v", n)
				}
			}
			for _, id := range ids {
				if !got[id] || len(got) != len(ids) {
					t.Errorf("notices %v, want %v", got, ids)
				}
			}
		}
		want("bot_broken dark", "bot_disconnected wild", "bot_disconnected locked")
		rest(time.Minute)
		want("bot_broken dark", "bot_disconnected locked")
		if got := l.chat.Texts(); len(got) != 2 || !strings.Contains(got[1], "over the air") {
			t.Errorf("shown %q", got)
		}
		if tries["wild"] != 4 || tries["locked"] != 1 {
			t.Errorf("tries %v", tries)
		}
	})
}

// flaky is a listener that breaks.
type flaky struct {
	*pipes
	broken chan struct{}
}

func (f *flaky) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.broken:
		return nil, errors.New("the network card is gone")
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// TestDoorComesBack: an address that is taken and a listener that breaks are
// warnings; answering goes on, and the door is opened again.
func TestDoorComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLamp()
		taken, broken, last := 3, make(chan struct{}), ""
		r := begin(t, t.TempDir(), oneBot, l, func(o *app.Options) {
			open := o.Listen
			o.Patient = true
			o.Listen = func(ctx context.Context, address string) (net.Listener, error) {
				if address == "127.0.0.1:2" {
					return open(ctx, address)
				}
				last = address
				if taken--; taken >= 0 {
					return nil, errors.New("address already in use")
				}
				ours, err := open(ctx, address)
				if first, ok := ours.(*pipes); ok && taken == -1 {
					return &flaky{first, broken}, err
				}
				return ours, err
			}
		})
		if n := r.Notices(bridge.English); len(n) != 1 || n[0].ID != "door_closed door" || !strings.Contains(n[0].Detail, "127.0.0.1:1: address already in use") {
			t.Errorf("notices %+v", n)
		}
		if status := r.request(t, r.admin, "GET", "/readyz", nil); status != 503 {
			t.Errorf("/readyz is %d while the door is closed", status)
		}
		rest(10 * time.Second)
		if n := r.Notices(bridge.English); len(n) != 0 {
			t.Errorf("notices %+v", n)
		}
		if status := r.request(t, r.admin, "GET", "/readyz", nil); status != 200 {
			t.Errorf("/readyz is %d while the door is open", status)
		}
		if status := r.deliver(t, "m1", "first"); status != 200 {
			t.Errorf("the door answers %d", status)
		}
		r.door = newPipes() // what is opened next
		close(broken)
		synctest.Wait()
		if n := r.Notices(bridge.English); len(n) != 1 || n[0].ID != "part_failing door" || !strings.Contains(n[0].Title, "public listener") {
			t.Errorf("notices %+v", n)
		}
		rest(time.Minute)
		if n := r.Notices(bridge.English); len(n) != 0 {
			t.Errorf("notices %+v", n)
		}
		if status := r.deliver(t, "m2", "second"); status != 200 {
			t.Errorf("the door answers %d", status)
		}
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 2 {
			t.Errorf("shown %q", got)
		}
		if last != "127.0.0.1:7" {
			t.Errorf("it was opened again at %s, not where it was", last)
		}
	})
}

// TestStreaming counts what each setting asks of the platform for one answer
// that takes the agent about a second.
func TestStreaming(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]struct{ begin, least, most, finish, send int }{
		"auto":    {1, 10, 60, 1, 0},
		"smooth":  {1, 10, 60, 1, 0},
		"economy": {1, 1, 1, 1, 0},
		"off":     {0, 0, 0, 0, 1},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLamp()
				r := begin(t, t.TempDir(), oneBot+"engine: {streaming: "+setting+"}\n", l, nil)
				r.deliver(t, "m1", strings.Repeat("many words make a long answer ", 10))
				rest(time.Minute)
				if got := l.chat.Shown(); len(got) != 1 || got[0].Growing || !strings.Contains(got[0].Text, "many words") {
					t.Errorf("shown %+v", got)
				}
				c := l.chat.Calls
				if c("begin") != want.begin || c("update") < want.least || c("update") > want.most || c("finish") != want.finish || c("send") != want.send {
					t.Errorf("begin %d, update %d, finish %d, send %d; want %+v", c("begin"), c("update"), c("finish"), c("send"), want)
				}
			})
		})
	}
}

// TestNothingIsKept: without stored content nothing of a question or an answer
// is in the store a moment after it was delivered, also of a failed one and of
// one that was finished before the program ended.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		const private = oneBot + "privacy: {store_content: false}\n"
		empty := func(r *life, questions int) {
			t.Helper()
			talks, err := r.Talks(t.Context(), bridge.TalkQuery{})
			if err != nil || len(talks) != 1 || talks[0].LastText != "" || talks[0].Questions != questions {
				t.Errorf("talks %+v, %v", talks, err)
				return
			}
			all, err := r.Exchanges(t.Context(), talks[0].Lane, 0, 10)
			if err != nil || len(all) != questions {
				t.Errorf("%d exchanges, %v", len(all), err)
			}
			for _, e := range all {
				if e.Job.Message.Text != "" || e.Reply.Text != "" {
					t.Errorf("kept %q, %q", e.Job.Message.Text, e.Reply.Text)
				}
			}
			if found, err := r.Talks(t.Context(), bridge.TalkQuery{Text: "marigold"}); err != nil || len(found) != 0 {
				t.Errorf("the search finds %+v, %v", found, err)
			}
			if err := r.Retry(t.Context(), all[0].Job.ID); bridge.KindOf(err) != bridge.KindUnsupported {
				t.Errorf("asking again is %v", err)
			}
		}
		first := begin(t, data, private, l, nil)
		first.deliver(t, "m1", "marigold, please")
		rest(20 * time.Millisecond)
		if talks, err := first.Talks(t.Context(), bridge.TalkQuery{}); err != nil || len(talks) != 1 || talks[0].LastText == "" {
			t.Errorf("a crash now would lose the question: %+v, %v", talks, err)
		}
		rest(10 * time.Second)
		empty(first, 1)
		first.deliver(t, "m2", "!fail marigold")
		rest(10 * time.Second)
		empty(first, 2)
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		kept := begin(t, data, oneBot, l, nil)
		kept.deliver(t, "m3", "marigold once more")
		rest(10 * time.Second)
		if err := kept.stop(); err != nil {
			t.Fatal(err)
		}
		third := begin(t, data, private, l, nil)
		rest(time.Second)
		empty(third, 3)
		if got := l.chat.Texts(); len(got) != 3 {
			t.Errorf("shown %q", got)
		}
	})
}

// TestLimitsOutliveARestart: the day is not begun anew, and the demonstration is
// free of limits.
func TestLimitsOutliveARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		const few = oneBot + "limits: {per_person_per_day: 3}\n"
		r := begin(t, data, few, l, nil)
		for n := range 2 {
			r.deliver(t, say(n), say(n))
		}
		rest(4 * time.Second) // before it is written down by itself
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r = begin(t, data, few, l, nil)
		for n := range 5 {
			r.deliver(t, say(n+2), say(n+2))
			rest(time.Minute)
		}
		got := l.chat.Texts()
		if len(got) != 4 || !strings.Contains(got[2], say(2)) || !strings.Contains(got[3], "limit of 3 questions") {
			t.Errorf("shown %q", got)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		rest(24 * time.Hour)
		begin(t, data, few, l, nil).deliver(t, "tomorrow", "a new day")
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 5 || !strings.Contains(got[4], "a new day") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestDomainProof: the file a platform gave the admin is served from the data
// directory, and nothing else of it is.
func TestDomainProof(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		for name, text := range map[string]string{"WW_verify_aB3.txt": "proof", "secret.txt": "no", "WW_verify_big.txt": strings.Repeat("x", 5000)} {
			if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := begin(t, data, oneBot, newLamp(), nil)
		if status, text := r.ask(t, r.door, "GET", "/WW_verify_aB3.txt", nil, nil); status != 200 || text != "proof" {
			t.Errorf("got %d %q", status, text)
		}
		for _, path := range []string{"/WW_verify_none.txt", "/WW_verify_big.txt", "/secret.txt", "/switchboard.yaml", "/limits.json"} {
			if status := r.request(t, r.door, "GET", path, nil); status != 404 {
				t.Errorf("%s is %d", path, status)
			}
		}
	})
}

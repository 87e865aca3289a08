package app_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// TestCatchUpAfterASleepDuringIt: what was written after a chat was listed, in a
// sleep that came before the last one was, is looked for too.
func TestCatchUpAfterASleepDuringIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, clock := newLamp(), &sleeper{}
		a := &archive{}
		var first sync.Once
		listed, goOn := make(chan struct{}), make(chan struct{})
		l.missed = func(chat bridge.Chat, since time.Time) ([]bridge.Message, error) {
			all, err := a.missed(chat, since)
			first.Do(func() { close(listed); <-goOn })
			return all, err
		}
		r := begin(t, t.TempDir(), listingBot, l, func(o *app.Options) { o.Clock = clock.now })
		r.deliver(t, "m0", "known")
		rest(time.Minute)
		clock.sleep(time.Minute)
		<-listed
		rest(10 * time.Second)
		slept := clock.now()
		clock.sleep(time.Hour)
		rest(10 * time.Second)
		a.list = []bridge.Message{ago(0, "m1", "while it slept")}
		close(goOn)
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 2 || !strings.Contains(got[1], "while it slept") {
			t.Errorf("shown %q", got)
		}
		if n := a.asked(); n != 2 || slept.Sub(a.since[1]) < time.Minute || slept.Sub(a.since[1]) > 2*time.Minute {
			t.Errorf("asked %d times, since %v; it fell asleep %v", n, a.since, slept)
		}
	})
}

// TestCatchUpWithAWrongClock: a clock that was ahead, and was put right, does not hide
// that nobody was there since. What was noted by one that is weeks off and was put
// right while nobody was there tells nothing: who knows how much would have to be
// listed.
func TestCatchUpWithAWrongClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration
		off   bool // put right while the program does not run
		asked int
	}{
		"hours":      {8 * time.Hour, false, 1},
		"hours, off": {8 * time.Hour, true, 1},
		"weeks":      {30 * 24 * time.Hour, false, 1},
		"weeks, off": {30 * 24 * time.Hour, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, a, clock, data := newLamp(), &archive{}, &sleeper{}, t.TempDir()
				l.missed = a.missed
				run := func() *life { return begin(t, data, listingBot, l, func(o *app.Options) { o.Clock = clock.now }) }
				r := run()
				r.deliver(t, "m0", "known")
				rest(time.Minute)
				clock.sleep(c.ahead)
				rest(2 * time.Minute)
				if !c.off {
					clock.sleep(-c.ahead)
				}
				rest(time.Minute)
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
				if c.off {
					clock.sleep(-c.ahead)
				}
				before := a.asked()
				rest(time.Hour)
				a.list = []bridge.Message{ago(10*time.Minute, "m1", "missed")}
				run()
				rest(10 * time.Minute)
				if got := l.chat.Texts(); len(got) != 1+c.asked || a.asked() != before+c.asked {
					t.Errorf("shown %q, asked %d times", got, a.asked()-before)
				}
			})
		})
	}
}

// TestCatchUpInSomeChats: what was found is answered, though another chat cannot be
// listed; one that never can keeps no others from being listed.
func TestCatchUpInSomeChats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		asked string // chats, in order
		shown string
	}{
		"the month's calls": {&bridge.Error{Kind: bridge.KindQuota}, "e d", "from e"},
		"odd":               {&bridge.Error{Kind: bridge.KindInvalid}, "e d c", "from c, from e"},
		"unknown":           {&bridge.Error{Kind: bridge.KindInternal}, "e d c", "from c, from e"},
		"busy":              {&bridge.Error{Kind: bridge.KindUnavailable}, "e d e d e d e d e d", "from e"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, data := newLamp(), t.TempDir()
				var mu sync.Mutex
				var asked []string
				at := func(chat, id, text string) bridge.Message {
					m := message("one", id, text)
					m.Chat.ID, m.Address.Chat, m.Sender.ID = chat, chat, bridge.UserID("of "+chat)
					return m
				}
				l.missed = func(chat bridge.Chat, _ time.Time) ([]bridge.Message, error) {
					mu.Lock()
					defer mu.Unlock()
					asked = append(asked, chat.ID)
					if chat.ID == "d" {
						return nil, c.err
					}
					return []bridge.Message{at(chat.ID, "missed in "+chat.ID, "from "+chat.ID)}, nil
				}
				r := begin(t, data, listingBot, l, nil)
				for _, chat := range []string{"c", "d", "e"} {
					r.request(t, r.door, "POST", "/hook/one", packed(t, at(chat, "known in "+chat, "known")))
					rest(10 * time.Second)
				}
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
				rest(time.Hour)
				begin(t, data, listingBot, l, nil)
				rest(time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if diff := cmp.Diff(c.asked, strings.Join(asked, " ")); diff != "" {
					t.Error(diff)
				}
				var shown []string
				for _, text := range l.chat.Texts()[3:] {
					shown = append(shown, text[strings.Index(text, "from"):][:len("from x")])
				}
				slices.Sort(shown) // chats are answered beside one another
				if diff := cmp.Diff(c.shown, strings.Join(shown, ", ")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

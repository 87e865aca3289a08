package webhook_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/webhook"
)

// judge is a bot that says one thing about every request.
type judge struct {
	bridge.Bot
	delivery bridge.Delivery
	err      error
}

func (j judge) Receive(context.Context, bridge.Request) (bridge.Delivery, error) {
	return j.delivery, j.err
}

// judged is a door to a judge, whatever the bot is called.
func judged(j judge, opt webhook.Options) *bundle {
	b := &bundle{}
	opt.Record = func(e bridge.Entry) { b.notes = append(b.notes, e) }
	b.server = webhook.New(func(string) (bridge.Bot, bool) { return j, true },
		func(context.Context, string, bridge.Delivery) error { return nil }, slog.New(slog.DiscardHandler), opt)
	return b
}

// TestPatience: by default a header has to come within five seconds, a request
// within ten, the next one within two minutes, and an answer is to be read within
// fifteen.
func TestPatience(t *testing.T) {
	t.Parallel()
	const header = "POST /hook/b1 HTTP/1.1\r\nHost: x\r\n"
	for name, c := range map[string]struct {
		says   string
		unread bool
		after  time.Duration
	}{
		"half a header":   {header, false, 5 * time.Second},
		"half a body":     {header + "Content-Length: 10\r\n\r\nhalf", false, 10 * time.Second},
		"no next request": {header + "Content-Length: 4\r\n\r\nhalf", false, 2 * time.Minute},
		"an answer":       {header + "Content-Length: 4\r\n\r\nhalf", true, 15 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := judged(judge{delivery: bridge.Delivery{Response: bridge.Response{Body: []byte(strings.Repeat("x", 1<<20))}}}, webhook.Options{})
			ctx, stop := context.WithCancel(t.Context())
			pipes := bridgetest.NewPipes()
			over := make(chan error, 1)
			go func() { over <- b.server.Serve(ctx, pipes) }()
			conn := pipes.Dial()
			start := time.Now()
			go func() { _, _ = io.WriteString(conn, c.says) }()
			if c.unread {
				time.Sleep(time.Minute)
				synctest.Wait()
			}
			answer, _ := io.ReadAll(conn)
			if c.unread && len(answer) > 0 { // what the pipe still held
				t.Errorf("%s: %d bytes can be read after a minute", name, len(answer))
			}
			if got := time.Since(start).Truncate(time.Second); !c.unread && got != c.after {
				t.Errorf("%s: hung up on after %v", name, got)
			}
			stop()
			if err := <-over; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWhatCounts: requests that prove nothing make a caller suspect, and what is
// somebody else's fault does not.
func TestWhatCounts(t *testing.T) {
	t.Parallel()
	for kind, want := range map[bridge.Kind]struct{ status, later int }{
		bridge.KindUnauthenticated: {401, 429}, bridge.KindInvalid: {400, 429}, bridge.KindTooLarge: {413, 429},
		bridge.KindForbidden: {403, 403}, bridge.KindUnsupported: {405, 405}, bridge.KindInternal: {500, 500}, bridge.KindUnavailable: {500, 500},
	} {
		b := judged(judge{err: &bridge.Error{Kind: kind}}, webhook.Options{Failures: 3})
		for n := range 5 {
			w := b.from("203.0.113.7:1", "x")
			if n < 3 && w.Code != want.status || n >= 3 && w.Code != want.later {
				t.Errorf("%s: request %d gets %d", kind, n, w.Code)
			}
		}
		if len(b.notes) != 1 || b.notes[0].Error != kind {
			t.Errorf("%s: noted %+v", kind, b.notes)
		}
	}
	b := judged(judge{}, webhook.Options{Failures: 1})
	for _, want := range []int{413, 429} {
		if w := b.from("203.0.113.7:1", strings.Repeat("x", 1<<20+1)); w.Code != want {
			t.Errorf("a body that is too large gets %d, want %d", w.Code, want)
		}
	}
	if len(b.notes) != 1 || b.notes[0].Error != bridge.KindTooLarge {
		t.Errorf("noted %+v", b.notes)
	}
}

// TestRefusalsAreSummedUp: a minute later there is another entry, which tells of
// those between.
func TestRefusalsAreSummedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		for range 7 {
			b.from("203.0.113.7:1", "forged")
		}
		time.Sleep(time.Minute)
		for range 2 {
			b.from("198.51.100.9:1", "forged")
		}
		if len(b.notes) != 2 || b.notes[0].Note != "from 203.0.113.7" || b.notes[1].Note != "from 198.51.100.9, and 6 more before" {
			t.Errorf("noted %+v", b.notes)
		}
	})
}

// TestSuspectDelivery: who keeps the house is told of what is genuine and cannot be
// read.
func TestSuspectDelivery(t *testing.T) {
	t.Parallel()
	told := ""
	b := judged(judge{delivery: bridge.Delivery{Note: "odd", Suspect: true}}, webhook.Options{Suspect: func(bot string, d bridge.Delivery) { told += bot + ": " + d.Note }})
	if w := b.from("203.0.113.7:1", "x"); w.Code != 200 || told != "b1: odd" {
		t.Errorf("%d, told %q", w.Code, told)
	}
}

// TestNamesAreStrict: however willing those behind it are, the door asks them only
// for plain names.
func TestNamesAreStrict(t *testing.T) {
	t.Parallel()
	b := judged(judge{}, webhook.Options{
		Proof:    func(string) ([]byte, bool) { return []byte("proof"), true },
		SelfTest: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "loop") }),
	})
	for path, want := range map[string]string{
		"/hook/b1": "", "/hook/~proof": "loop", "/WW_verify_aB3.txt": "proof",
		"/hook/b1/x": "Not Found\n", "/hook/%7Eproof": "Not Found\n", "/hook/~proof/": "Not Found\n", "/hook/": "Not Found\n",
		"/WW_verify_.txt": "Not Found\n", "/WW_verify_a-b.txt": "Not Found\n", "/WW_verify_a.b.txt": "Not Found\n", "/WW_verify_..%5cx.txt": "Not Found\n",
		"/WW_verify_%61.txt": "Not Found\n", "/WW_verify_名.txt": "Not Found\n", "/WW_verify_a.TXT": "Not Found\n",
	} {
		w := b.do(http.MethodGet, path, "")
		if w.Body.String() != want || w.Header().Get("X-Content-Type-Options") != "nosniff" && want != "loop" {
			t.Errorf("%s: %d %q %v", path, w.Code, w.Body, w.Header())
		}
	}
	if w := b.do(http.MethodDelete, "/hook/b1", ""); w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := b.do(http.MethodHead, "/WW_verify_a.txt", ""); w.Code != 200 {
		t.Errorf("HEAD gets %d", w.Code)
	}
}

// TestManyCallers: with thousands of callers the guard forgets the oldest, not the
// ones of a moment ago; an IPv4 address in an IPv6 one is a caller of its own, and
// one on several networks of ours is not.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := judged(judge{err: &bridge.Error{Kind: bridge.KindUnauthenticated}}, webhook.Options{Failures: 2})
		say := func(remote, bot string) int {
			r := httptest.NewRequest(http.MethodPost, "/hook/"+bot, strings.NewReader("x"))
			r.RemoteAddr = remote
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, r)
			return w.Code
		}
		for range 2 {
			say("203.0.113.7:1", "first")
		}
		for n := range 2100 { // each is two to remember
			say(fmt.Sprintf("10.%d.%d.1:1", n/250, n%250), fmt.Sprint("b", n))
		}
		if got := say("203.0.113.7:1", "b"); got != 429 {
			t.Errorf("after 2,100 others a suspect gets %d", got)
		}
		for n := range 4200 {
			say(fmt.Sprintf("11.%d.%d.1:1", n/250, n%250), fmt.Sprint("c", n))
		}
		if got := say("203.0.113.7:1", "c"); got != 401 {
			t.Errorf("after 6,300 others it gets %d", got)
		}
		for n := range 3 {
			if got := say(fmt.Sprintf("[::ffff:192.0.2.%d]:1", n), fmt.Sprint("d", n)); got != 401 {
				t.Errorf("another IPv4 caller gets %d", got)
			}
			if got, want := say("[fe80::1%eth"+fmt.Sprint(n)+"]:1", fmt.Sprint("e", n)), map[bool]int{true: 401, false: 429}[n < 2]; got != want {
				t.Errorf("a neighbour gets %d, want %d", got, want)
			}
		}
	})
}

// TestGivingUpTheTurn: a suspect that hangs up while it waits is not waited for.
func TestGivingUpTheTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bot := slowBot{(&bridgetest.Chat{}).Bot(), make(chan struct{}, 2), make(chan struct{})}
		b := &bundle{}
		b.server = webhook.New(func(string) (bridge.Bot, bool) { return bot, true }, func(context.Context, string, bridge.Delivery) error { return nil },
			slog.New(slog.DiscardHandler), webhook.Options{Failures: 1})
		b.from("203.0.113.7:1", "forged")
		over := make(chan int, 3)
		for range 2 {
			go func() { over <- b.from("203.0.113.7:1", "slow").Code }()
		}
		synctest.Wait()
		ctx, hangUp := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/hook/b1", strings.NewReader("x"))
		r.RemoteAddr = "203.0.113.7:1"
		start := time.Now()
		time.AfterFunc(time.Second, hangUp)
		w := httptest.NewRecorder()
		b.server.ServeHTTP(w, r)
		if after := time.Since(start); after != time.Second {
			t.Errorf("after %v", after)
		}
		if w = b.from("203.0.113.7:1", "x"); w.Code != 429 || w.Header().Get("Retry-After") == "" || w.Header().Get("Connection") != "close" || time.Since(start) != 3*time.Second {
			t.Errorf("who waits in vain gets %d %v after %v", w.Code, w.Header(), time.Since(start))
		}
		close(bot.free)
		<-over
		<-over
	})
}

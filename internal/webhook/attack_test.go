package webhook_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/webhook"
)

// open serves a door on a real socket and returns its address and what it stored.
func open(t *testing.T, opt webhook.Options) (addr string, stored func() int) {
	t.Helper()
	return openWith(t, (&bridgetest.Chat{}).Bot(), opt)
}

func openWith(t *testing.T, bot bridge.Bot, opt webhook.Options) (addr string, stored func() int) {
	t.Helper()
	var mu sync.Mutex
	count := 0
	server := webhook.New(
		func(id string) (bridge.Bot, bool) { return bot, id == "b1" },
		func(context.Context, string, bridge.Delivery) error { mu.Lock(); count++; mu.Unlock(); return nil },
		slog.New(slog.DiscardHandler), opt)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), func() int { mu.Lock(); defer mu.Unlock(); return count }
}

// raw sends bytes on a connection of its own and returns the status of the
// answer, 0 when the door hangs up without one. It blocks until then.
func raw(t *testing.T, addr, text string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, text) // the door may have hung up already
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func post(target, extra, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", target, extra, len(body), body)
}

func TestPathTricks(t *testing.T) {
	t.Parallel()
	addr, stored := open(t, webhook.Options{Proof: func(name string) ([]byte, bool) { return []byte("proof"), name == "WW_verify_aB3.txt" }})
	good := delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})
	for target, want := range map[string]int{
		"/hook/b1":                         200,
		"/hook/b1?timestamp=1&nonce=%2F":   200,
		"http://elsewhere.example/hook/b1": 200, // the Host does not matter
		"/hook/../hook/b1":                 404,
		"/hook/x/../b1":                    404,
		"/hook/./b1":                       404,
		"//hook/b1":                        404,
		"/hook//b1":                        404,
		"/hook/b1/":                        404,
		"/hook/b1/..":                      404,
		"/hook/%62%31":                     404,
		"/hook/b1%2f":                      404,
		"/hook%2fb1":                       404,
		"/hook/%2e%2e/hook/b1":             404,
		"/hook/b1%00":                      404,
		"/hook/b1%20":                      404,
		"/hook/b1;x":                       404,
		"/hook/b1#x":                       404,
		"/HOOK/b1":                         404,
		"/hook/B1":                         404,
		`/hook\b1`:                         404,
		"/":                                404,
		"/healthz":                         404,
		"/metrics":                         404,
		"/api/v1/status":                   404,
		"/WW_verify_aB3.txt":               404, // not by POST
		"/hook/b1%zz":                      400,
		"hook/b1":                          400,
	} {
		before := stored()
		if got := raw(t, addr, post(target, "", good)); got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
		if took := stored() - before; (took == 1) != (want == 200) {
			t.Errorf("%s: stored %d", target, took)
		}
	}
	for target, want := range map[string]int{
		"/WW_verify_aB3.txt":         200,
		"/WW_verify_other.txt":       404,
		"/WW_verify_.txt":            404,
		"/WW_verify_../secret.txt":   404,
		"/WW_verify_%2e%2e%2fx.txt":  404,
		"/WW_verify_a%423.txt":       404,
		"/x/WW_verify_aB3.txt":       404,
		"/WW_verify_aB3.txt/":        404,
		"/WW_verify_aB3.txt%00.html": 404,
	} {
		if got := raw(t, addr, "GET "+target+" HTTP/1.1\r\nHost: x\r\n\r\n"); got != want {
			t.Errorf("GET %s: %d, want %d", target, got, want)
		}
	}
}

// TestRudeCallers are cut off or refused, and nothing of theirs is stored.
func TestRudeCallers(t *testing.T) {
	t.Parallel()
	addr, stored := open(t, webhook.Options{HeaderTimeout: 100 * time.Millisecond, ReadTimeout: 200 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
	good := delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(good))
	_ = z.Close()
	for name, c := range map[string]struct {
		text string
		want []int
	}{
		"says nothing":             {"", []int{0}},
		"half a request line":      {"POST /hook/b1 HT", []int{0, 400, 408}},
		"half a header":            {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nX-Slow: ", []int{0, 400, 408}},
		"half a body":              {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", []int{0, 400, 408}},
		"half a chunk":             {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{", []int{0, 400, 408}},
		"a header bomb":            {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", []int{431}},
		"many headers":             {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: a\r\n", 20<<10) + "\r\n", []int{431}},
		"two lengths":              {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", []int{400}},
		"a negative length":        {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", []int{400}},
		"a huge length":            {"POST /hook/b1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", []int{0, 400, 408, 413}},
		"no host":                  {"POST /hook/b1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", []int{400}},
		"TLS on a plain port":      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{0, 400}},
		"garbage":                  {"\x00\x01\x02\r\n\r\n", []int{400}},
		"a packed body":            {post("/hook/b1", "Content-Encoding: gzip\r\n", packed.String()), []int{415}},
		"a body said to be packed": {post("/hook/b1", "Content-Encoding: deflate, gzip\r\n", good), []int{415}},
		"another method":           {"CONNECT /hook/b1 HTTP/1.1\r\nHost: x\r\n\r\n", []int{400, 404, 405}},
		"asterisk":                 {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", []int{404}}, // net/http would answer this itself
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := raw(t, addr, c.text)
			for _, want := range c.want {
				if got == want {
					return
				}
			}
			t.Errorf("%d, want one of %v", got, c.want)
		})
	}
	t.Cleanup(func() {
		if stored() != 0 {
			t.Errorf("stored %d", stored())
		}
		if got := raw(t, addr, post("/hook/b1", "Content-Encoding: identity\r\n", good)); got != 200 {
			t.Errorf("after all that a good request gets %d", got)
		}
	})
}

func (b *bundle) from(remote, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hook/b1", strings.NewReader(body))
	r.RemoteAddr = remote
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return w
}

// TestGuessing: who keeps failing is told to slow down and hung up on; who is
// genuine is served at once, from the same address too; and it is forgotten.
func TestGuessing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		good := delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})
		const bad, other = "203.0.113.7:1", "198.51.100.9:1"
		for n := range 100 {
			w := b.from(bad, "forged")
			if want := map[bool]int{true: 401, false: 429}[n < 30]; w.Code != want {
				t.Fatalf("guess %d gets %d, want %d", n, w.Code, want)
			}
			if w.Code == 429 && (w.Header().Get("Connection") != "close" || w.Header().Get("Retry-After") == "") {
				t.Fatal("the caller is not hung up on")
			}
		}
		begun := time.Now()
		for _, from := range []string{bad, other} {
			for range 500 { // a platform's burst
				if w := b.from(from, good); w.Code != 200 {
					t.Fatalf("a genuine request from %s gets %d", from, w.Code)
				}
			}
		}
		if w := b.from(other, "forged"); w.Code != 401 || time.Since(begun) != 0 {
			t.Errorf("somebody else gets %d after %v", w.Code, time.Since(begun))
		}
		time.Sleep(2 * time.Minute)
		if w := b.from(bad, "forged"); w.Code != 401 {
			t.Errorf("two minutes later it gets %d", w.Code)
		}
	})
}

// TestGuessingFromEverywhere: a bot that many callers guess at is watched, and
// one subscriber with many IPv6 addresses is one caller.
func TestGuessingFromEverywhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n := range 300 {
		b.from(fmt.Sprintf("203.0.%d.%d:1", n/100, n%100), "forged")
	}
	if w := b.from("198.51.100.9:1", "forged"); w.Code != 429 {
		t.Errorf("guess 301 at a bot gets %d", w.Code)
	}
	if w := b.from("198.51.100.9:1", delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})); w.Code != 200 {
		t.Errorf("a genuine request gets %d", w.Code)
	}
	b = setup(t)
	for n := range 30 {
		b.from(fmt.Sprintf("[2001:db8:1:2::%x]:1", n), "forged")
	}
	if w := b.from("[2001:db8:1:2:ffff::1]:1", "forged"); w.Code != 429 {
		t.Errorf("the same network gets %d", w.Code)
	}
	if w := b.from("[2001:db8:1:3::1]:1", "forged"); w.Code != 401 {
		t.Errorf("another network gets %d", w.Code)
	}
}

// slowBot takes its time, so that requests meet.
type slowBot struct {
	bridge.Bot
	entered, free chan struct{}
}

func (s slowBot) Receive(ctx context.Context, r bridge.Request) (bridge.Delivery, error) {
	if string(r.Body) == "slow" {
		s.entered <- struct{}{}
		<-s.free
	}
	return s.Bot.Receive(ctx, r)
}

// TestSuspectsTakeTurns: however many requests a suspect sends at once, two are
// looked at, and nobody else waits for them.
func TestSuspectsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bot := slowBot{(&bridgetest.Chat{}).Bot(), make(chan struct{}, 100), make(chan struct{})}
		b := &bundle{}
		b.server = webhook.New(func(string) (bridge.Bot, bool) { return bot, true }, func(context.Context, string, bridge.Delivery) error { return nil },
			slog.New(slog.DiscardHandler), webhook.Options{Failures: 1})
		const bad = "203.0.113.7:1"
		b.from(bad, "forged")
		var group sync.WaitGroup
		codes := make(chan int, 50)
		for range 50 {
			group.Go(func() { codes <- b.from(bad, "slow").Code })
		}
		synctest.Wait()
		if n := len(bot.entered); n != 2 {
			t.Errorf("%d requests of a suspect are looked at together", n)
		}
		if w := b.from("198.51.100.9:1", delivery(t, bridge.Delivery{})); w.Code != 200 {
			t.Errorf("somebody else gets %d", w.Code)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if n := len(codes); n != 48 {
			t.Errorf("%d were told to come back", n)
		}
		close(bot.free)
		group.Wait()
		close(codes)
		for code := range codes {
			if code != 429 {
				t.Errorf("a suspect gets %d", code)
			}
		}
	})
}

// TestGenuineWaitForNobody: who is genuine but shares a suspect's address is not
// held up by what is being stored for others.
func TestGenuineWaitForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{}) // the disk
		b := &bundle{}
		b.server = webhook.New(
			func(string) (bridge.Bot, bool) { return (&bridgetest.Chat{}).Bot(), true },
			func(context.Context, string, bridge.Delivery) error { <-slow; return nil },
			slog.New(slog.DiscardHandler), webhook.Options{Failures: 1})
		const shared = "203.0.113.7:1"
		b.from(shared, "forged")
		good := delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})
		codes := make(chan int, 100)
		var group sync.WaitGroup
		for range cap(codes) {
			group.Go(func() { codes <- b.from(shared, good).Code })
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(codes) != 0 {
			t.Errorf("%d of them are turned away", len(codes))
		}
		close(slow)
		group.Wait()
		close(codes)
		for code := range codes {
			if code != 200 {
				t.Errorf("a genuine request gets %d", code)
			}
		}
	})
}

// TestCrowd: somebody who opens many connections and says little on each does not
// keep others out, and holds no more than a few of them.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const most = 20
	bot := slowBot{(&bridgetest.Chat{}).Bot(), make(chan struct{}, 1), make(chan struct{})}
	addr, stored := openWith(t, bot, webhook.Options{HeaderTimeout: time.Hour, ReadTimeout: time.Hour, IdleTimeout: time.Hour, Waiting: most})
	good := delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})
	var busy sync.WaitGroup
	busy.Go(func() { // is being answered all the time, and stays
		if got := raw(t, addr, post("/hook/b1", "", "slow")); got != http.StatusUnauthorized {
			t.Errorf("who is being answered gets %d", got)
		}
	})
	<-bot.entered
	var slow []net.Conn
	for n := range 3 * most {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, []string{"", "POST /hook/b1 HT", "POST /hook/b1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"}[n%3]); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, conn)
	}
	for range 3 {
		if got := raw(t, addr, post("/hook/b1", "Connection: close\r\n", good)); got != http.StatusOK {
			t.Errorf("a good request gets %d", got)
		}
	}
	if stored() != 3 {
		t.Errorf("stored %d", stored())
	}
	for _, conn := range slow[:2*most] { // hung up on; the test hangs otherwise
		_, _ = io.Copy(io.Discard, conn)
	}
	close(bot.free)
	busy.Wait()
}

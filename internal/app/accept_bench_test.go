package app_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	callers = 64   // keep-alive connections
	turn    = 2000 // requests to one server before it is the other's turn
)

// BenchmarkAccept compares accepting messages durably with a server that merely
// sends back what it gets: 64 connections to the real door, signed messages of
// 1,000 people, every answer given after the flush of the disk. Both servers are
// asked in turns in one run, so what disturbs the machine disturbs both; the
// ratio is what counts. Answering is paused; the journal is written.
func BenchmarkAccept(b *testing.B) {
	b.Setenv("SWITCHBOARD_BENCH_SECRET", "a secret")
	a, ctx := house(b, b.TempDir(), `
agents: [{id: help, kind: echo}]
bots: [{id: dt, platform: dingtalk, mode: webhook, settings: {client_id: dingabcdefghijklmnop}}]
secrets: {bot/dt/client_secret: "env:SWITCHBOARD_BENCH_SECRET"}
`)
	if err := a.Pause(ctx, true); err != nil {
		b.Fatal(err)
	}
	o, err := a.Overview(ctx)
	if err != nil {
		b.Fatal(err)
	}
	door, echo := dial(b, o.Listen), dial(b, echoServer(b))
	signed := signature("a secret", time.Now())
	push := func(n int) []byte { return request("/hook/dt", signed, pushOf(n)) }
	flood(b, door, 0, turn, push) // everybody is known after this
	var accepts, echoes []time.Duration
	var accepting, echoing time.Duration
	next := turn
	b.ResetTimer()
	b.StopTimer()
	for left := b.N; left > 0; left -= turn {
		took, each := flood(b, echo, next, min(left, turn), push)
		echoing, echoes = echoing+took, append(echoes, each...)
		b.StartTimer()
		took, each = flood(b, door, next, min(left, turn), push)
		b.StopTimer()
		accepting, accepts = accepting+took, append(accepts, each...)
		next += turn
	}
	b.ReportMetric(float64(b.N)/accepting.Seconds(), "accepts/s")
	b.ReportMetric(float64(b.N)/echoing.Seconds(), "echoes/s")
	b.ReportMetric(echoing.Seconds()/accepting.Seconds(), "of-echo")
	b.ReportMetric(percentile(accepts, 99).Seconds()*1000, "p99-ms")
	b.ReportMetric(percentile(echoes, 99).Seconds()*1000, "echo-p99-ms")
}

func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[len(all)*p/100]
}

// signature makes the headers that DingTalk signs a request with.
func signature(secret string, at time.Time) string {
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "\n" + secret))
	return "timestamp: " + stamp + "\r\nsign: " + base64.StdEncoding.EncodeToString(mac.Sum(nil)) + "\r\n"
}

// pushOf is a message as DingTalk delivers it, about 1 KiB.
func pushOf(n int) string {
	return fmt.Sprintf(`{"conversationId":"cid%04d==","atUsers":[{"dingtalkId":"$:LWCP_v1:$robot"}],"chatbotCorpId":"ding9f50abc6741",
"chatbotUserId":"$:LWCP_v1:$robot","msgId":"msg%028d==","senderNick":"小钉%d","isAdmin":false,"senderStaffId":"4525232859398%05d",
"sessionWebhookExpiredTime":%d,"createAt":%d,"senderCorpId":"ding9f50abc6741","conversationType":"1","senderId":"$:LWCP_v1:$Cpn%05d",
"sessionWebhook":"https://oapi.dingtalk.com/robot/sendBySession?session=c610ee93e4d96899d9236bd4bea185dd",
"robotCode":"dingabcdefghijklmnop","msgtype":"text","text":{"content":"请问今年的年假还剩几天？怎么申请跨年休假？%s"}}`,
		n%1000, n, n%1000, n%1000, time.Now().Add(time.Hour).UnixMilli(), time.Now().UnixMilli(), n%1000, strings.Repeat("谢谢", 25))
}

func request(path, header, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s",
		path, len(body), header, body)
}

// echoServer sends back what it gets, after reading all of it.
func echoServer(b *testing.B) string {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	return l.Addr().String()
}

// caller is a connection that is kept alive. It knows only as much of HTTP as
// it needs: the client runs on the same machine and should not weigh much.
type caller struct {
	net.Conn

	in *bufio.Reader
}

func dial(b *testing.B, address string) []*caller {
	b.Helper()
	all := make([]*caller, callers)
	for i := range all {
		conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		all[i] = &caller{conn, bufio.NewReader(conn)}
	}
	return all
}

// flood sends n requests over all connections and returns how long it took and
// how long each answer took. The requests are made before the clock starts.
func flood(b *testing.B, through []*caller, first, n int, one func(int) []byte) (time.Duration, []time.Duration) {
	b.Helper()
	waiting := requests(first, n, one)
	var all []time.Duration
	var mu sync.Mutex
	var done sync.WaitGroup
	begun := time.Now()
	for _, c := range through {
		done.Go(func() {
			var own []time.Duration
			for r := range waiting {
				sent := time.Now()
				if err := c.post(r); err != nil {
					b.Error(err)
					return
				}
				own = append(own, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	done.Wait()
	return time.Since(begun), all
}

func requests(first, n int, one func(int) []byte) <-chan []byte {
	waiting := make(chan []byte, n)
	for i := range n {
		waiting <- one(first + i)
	}
	close(waiting)
	return waiting
}

func (c *caller) post(r []byte) error {
	if _, err := c.Write(r); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("answered %q", status)
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	_, err = c.in.Discard(length)
	return err
}

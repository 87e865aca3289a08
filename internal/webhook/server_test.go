package webhook_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/webhook"
)

type bundle struct {
	server *webhook.Server
	mu     sync.Mutex
	stored []bridge.Delivery
	notes  []bridge.Entry
	fail   error
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{}
	bot := (&bridgetest.Chat{}).Bot()
	b.server = webhook.New(
		func(id string) (bridge.Bot, bool) { return bot, id == "b1" },
		func(_ context.Context, _ string, d bridge.Delivery) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.fail != nil {
				return b.fail
			}
			b.stored = append(b.stored, d)
			return nil
		},
		slog.New(slog.DiscardHandler),
		webhook.Options{Record: func(e bridge.Entry) { b.mu.Lock(); b.notes = append(b.notes, e); b.mu.Unlock() }},
	)
	return b
}

func (b *bundle) do(method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func delivery(t *testing.T, d bridge.Delivery) string {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestDoor(t *testing.T) {
	t.Parallel()
	good := delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}, Response: bridge.Response{Type: "application/json", Body: []byte(`{"ok":1}`)}})
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"a delivery", "POST", "/hook/b1", good, 200, `{"ok":1}`},
		{"unknown path", "POST", "/", good, 404, "Not Found\n"},
		{"unknown bot", "POST", "/hook/nobody", good, 404, "Not Found\n"},
		{"no bot", "POST", "/hook/", good, 404, "Not Found\n"},
		{"below a bot", "POST", "/hook/b1/x", good, 404, "Not Found\n"},
		{"wrong method", "DELETE", "/hook/b1", good, 405, "Method Not Allowed\n"},
		{"not authentic", "POST", "/hook/b1", "garbage", 401, "Unauthorized\n"},
		{"too large", "POST", "/hook/b1", strings.Repeat("x", 1<<20+1), 413, "Request Entity Too Large\n"},
		{"panic", "POST", "/hook/b1", "panic", 500, "Internal Server Error\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.do(c.method, c.path, c.body)
			if w.Code != c.status || w.Body.String() != c.answer {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body.String(), c.status, c.answer)
			}
			if stored := len(b.stored) > 0; stored != (c.status == 200) {
				t.Errorf("stored: %v", b.stored)
			}
		})
	}
}

// TestAnswerOnlyAfterCommit: a message that is not stored must not be
// acknowledged, or the platform will not deliver it again.
func TestAnswerOnlyAfterCommit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fail = errors.New("disk full")
	w := b.do("POST", "/hook/b1", delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}, Response: bridge.Response{Body: []byte("success")}}))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "success") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestNotesAndRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.do("POST", "/hook/b1", delivery(t, bridge.Delivery{Note: "challenge"}))
	for range 50 {
		b.do("POST", "/hook/b1", "forged")
	}
	if b.server.Refused() != 50 {
		t.Errorf("counted %d refusals", b.server.Refused())
	}
	if len(b.notes) != 2 || b.notes[0].Kind != bridge.EntryIgnored || b.notes[1].Kind != bridge.EntryRefused || b.notes[1].Error != bridge.KindUnauthenticated {
		t.Errorf("a flood of forgeries wrote %d entries: %+v", len(b.notes), b.notes)
	}
	for _, n := range b.notes {
		if strings.Contains(fmt.Sprint(n), "forged") {
			t.Errorf("content in the journal: %+v", n)
		}
	}
}

// TestServe talks to the real listener: header bombs and slow callers are cut
// off, and stopping lets a running request finish.
func TestServe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.server.Serve(ctx, l) }()

	url := "http://" + l.Addr().String() + "/hook/b1"
	resp, err := http.Post(url, "application/json", strings.NewReader(delivery(t, bridge.Delivery{Messages: []bridge.Message{{ID: "m"}}})))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %d", resp.StatusCode)
	}
	if got := headerBomb(t, l.Addr().String()); got != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header bomb got %d", got)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not stop")
	}
}

func headerBomb(t *testing.T, addr string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var req bytes.Buffer
	req.WriteString("POST /hook/b1 HTTP/1.1\r\nHost: x\r\nX-Bomb: " + strings.Repeat("a", 64<<10) + "\r\n\r\n")
	go func() { _, _ = io.Copy(conn, &req) }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
)

// lamp is a platform without a network, so that the whole program runs in
// virtual time.
type lamp struct {
	chat   *bridgetest.Chat
	listen func(ctx context.Context, bot string, accept func(context.Context, bridge.Delivery) error) error
	calls  int                   // its monthly allowance
	env    map[string]bridge.Env // by bot
	missed func(chat bridge.Chat, since time.Time) ([]bridge.Message, error)

	renewed atomic.Int64 // how often a bot was to make new connections
}

func newLamp() *lamp { return &lamp{chat: &bridgetest.Chat{Keyed: true}, env: map[string]bridge.Env{}} }

// spend makes n calls of a bot that count.
func (l *lamp) spend(bot string, n int) {
	for range n {
		l.env[bot].Count("send")
	}
}

func (l *lamp) connector() bridge.Connector {
	able := bridge.Capabilities{MaxMarkdown: 4000, MaxDraft: 4000, Keyed: true, Stream: true, UpdateInterval: 100 * time.Millisecond, MonthlyCalls: l.calls}
	listing := able
	listing.Backfill = true
	return bridge.Connector{
		Platform: "lamp",
		Modes: []bridge.Mode{
			{ID: "wire", Webhook: true, Capabilities: able},
			{ID: "radio", Listens: true, Capabilities: able},
			{ID: "post", Webhook: true, Capabilities: listing},
		},
		Open: func(c bridge.Config, env bridge.Env) (bridge.Bot, error) {
			env.Count("send")
			l.env[c.ID] = env
			if c.ID == "dark" {
				return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: "lamp: open", Detail: "no bulb"}
			}
			if c.Mode == "radio" {
				bot := l.chat.StreamingBot()
				streamer, _ := bot.(bridge.Streamer)
				return radio{streamer, bot, l, c.ID}, nil
			}
			if c.Mode == "post" {
				bot := l.chat.StreamingBot()
				streamer, _ := bot.(bridge.Streamer)
				return post{streamer, bot, l}, nil
			}
			return l.chat.StreamingBot(), nil
		},
	}
}

// post is a bot that can list what was written.
type post struct {
	bridge.Streamer
	bridge.Bot
	lamp *lamp
}

func (p post) Missed(_ context.Context, chat bridge.Chat, since time.Time) iter.Seq2[bridge.Message, error] {
	return func(yield func(bridge.Message, error) bool) {
		all, err := p.lamp.missed(chat, since)
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
		if err != nil {
			yield(bridge.Message{}, err)
		}
	}
}

// radio is a bot with a connection of its own.
type radio struct {
	bridge.Streamer
	bridge.Bot
	lamp *lamp
	id   string
}

func (r radio) Listen(ctx context.Context, accept func(context.Context, bridge.Delivery) error) error {
	return r.lamp.listen(ctx, r.id, accept)
}

func (r radio) Renew() { r.lamp.renewed.Add(1) }

// pipes is a listener without a network.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7} }

// dial connects to the listener.
func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// life is one run of the program.
type life struct {
	*app.App
	ctx         context.Context //nolint:containedctx // of the test
	door, admin *pipes
	stop        func() error
}

// begin starts the program on a lamp; it runs until stop or the test's end.
func begin(t *testing.T, data, extra string, l *lamp, change func(*app.Options)) *life {
	t.Helper()
	write(t, data, "server: {listen: \"127.0.0.1:1\", admin: \"127.0.0.1:2\"}\nagents: [{id: help, kind: echo}]\n"+extra)
	r := &life{ctx: t.Context(), door: newPipes(), admin: newPipes()}
	o := app.Options{
		Data: data, Version: "test", Log: slog.New(slog.DiscardHandler), Connectors: []bridge.Connector{l.connector()},
		Listen: func(_ context.Context, address string) (net.Listener, error) {
			if address == "127.0.0.1:2" {
				return r.admin, nil
			}
			return r.door, nil
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if r.App, err = app.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, r.Close(context.WithoutCancel(ctx)))
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return r
}

// deliver hands a message for bot one to the door over HTTP and returns the status.
func (r *life) deliver(t *testing.T, id, text string) int {
	t.Helper()
	return r.request(t, r.door, "POST", "/hook/one", packed(t, message("one", id, text)))
}

func message(bot, id, text string) bridge.Message {
	return bridge.Message{
		ID: bridge.MessageID(id), Bot: bot, Platform: "lamp", Text: text, SentAt: time.Now(), Sender: bridge.Sender{ID: "u", Name: "Li"},
		Chat: bridge.Chat{ID: "c", Kind: bridge.Direct}, Address: bridge.Address{Bot: bot, Chat: "c"},
	}
}

func packed(t *testing.T, m ...bridge.Message) []byte {
	t.Helper()
	text, err := json.Marshal(bridge.Delivery{Messages: m})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// request makes one HTTP request on a connection of its own.
func (r *life) request(t *testing.T, to *pipes, method, path string, body []byte) int {
	t.Helper()
	status, _ := r.ask(t, to, method, path, body, nil)
	return status
}

func (r *life) ask(t *testing.T, to *pipes, method, path string, body []byte, header http.Header) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return to.dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(r.ctx, method, "http://127.0.0.1"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range header {
		req.Header[key] = values
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// rest lets time pass.
func rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const oneBot = "bots: [{id: one, platform: lamp}]\n"

func say(n int) string { return fmt.Sprintf("question %d", n) }

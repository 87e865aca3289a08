package app_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/tunnel/tunneltest"
)

// sleeper is a clock that can be put forward, as it is when a computer wakes.
type sleeper struct{ asleep atomic.Int64 }

func (s *sleeper) now() time.Time { return time.Now().Add(time.Duration(s.asleep.Load())) }

func (s *sleeper) sleep(d time.Duration) { s.asleep.Add(int64(d)) }

// TestWake: after a sleep every connection of a bot is made anew within five
// seconds, and only then.
func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, clock := newLamp(), &sleeper{}
		var mu sync.Mutex
		begun, ended := map[string]int{}, map[string]int{}
		l.listen = func(ctx context.Context, bot string, _ func(context.Context, bridge.Delivery) error) error {
			mu.Lock()
			begun[bot]++
			mu.Unlock()
			if bot == "wild" {
				return &bridge.Error{Kind: bridge.KindCredential, Op: "lamp: listen"}
			}
			<-ctx.Done()
			mu.Lock()
			ended[bot]++
			mu.Unlock()
			return nil
		}
		var log bytes.Buffer
		r := begin(t, t.TempDir(), `bots:
  - {id: one, platform: lamp}
  - {id: far, platform: lamp, mode: radio}
  - {id: wild, platform: lamp, mode: radio}
`, l, func(o *app.Options) { o.Clock, o.Log = clock.now, slog.New(slog.NewTextHandler(&log, nil)) })
		want := func(when string, times int) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if begun["far"] != times || ended["far"] != times-1 || begun["wild"] != times {
				t.Errorf("%s: connections begun %v, ended %v; want %d", when, begun, ended, times)
			}
			if n := int(l.renewed.Load()); n != 2*(times-1) { // of two bots
				t.Errorf("%s: the bots had to make new connections %d times", when, n)
			}
			if n := strings.Count(log.String(), "awake again"); n != times-1 {
				t.Errorf("%s: the log says %d times that we slept", when, n)
			}
		}
		rest(time.Hour)
		want("an hour later", 1)
		clock.sleep(14 * time.Second)
		rest(10 * time.Second)
		want("after a short jump", 1)
		clock.sleep(-time.Hour)
		rest(10 * time.Second)
		want("after the clock was put back", 1)
		clock.sleep(time.Minute)
		rest(5 * time.Second)
		want("after a sleep", 2)
		if n := r.Notices(bridge.English); len(n) != 1 || n[0].ID != "bot_disconnected wild" {
			t.Errorf("notices %+v", n)
		}
		rest(time.Hour)
		want("an hour after it", 2)
		clock.sleep(8 * time.Hour)
		rest(5 * time.Second)
		want("after a night", 3)
		if status := r.deliver(t, "m1", "good morning"); status != 200 {
			t.Errorf("the door answers %d", status)
		}
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 1 {
			t.Errorf("shown %q", got)
		}
		clock.sleep(time.Hour) // noticed while it stops
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestWakeHangs: a connection that does not end after a sleep is no other sleep, so
// everything connects anew once.
func TestWakeHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, clock, goOn := newLamp(), &sleeper{}, make(chan struct{})
		var begun atomic.Int64
		l.listen = func(ctx context.Context, _ string, _ func(context.Context, bridge.Delivery) error) error {
			begun.Add(1)
			<-ctx.Done()
			<-goOn
			return nil
		}
		var log bytes.Buffer
		r := begin(t, t.TempDir(), "bots: [{id: far, platform: lamp, mode: radio}]\n", l, func(o *app.Options) {
			o.Clock, o.Log = clock.now, slog.New(slog.NewTextHandler(&log, nil))
		})
		rest(time.Minute)
		for times := range 2 {
			clock.sleep(time.Hour)
			rest(10 * time.Minute)
			if n := strings.Count(log.String(), "awake again"); n != times+1 || int(begun.Load()) != times+2 {
				t.Errorf("awake %d times, connected %d times", n, begun.Load())
			}
		}
		close(goOn)
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestWakeCalls: an agent is asked on a new connection after a sleep, as the one
// from before may be dead.
func TestWakeCalls(t *testing.T) {
	t.Parallel()
	agent, clock, woke := newSick(t, nil), &sleeper{}, make(chan struct{}, 1)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("app-key"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("agents: [{id: help, kind: dify, base_url: %q}]\nsecrets: {agent/help/api_key: %q}\n", agent.address, "file:"+file)
	s, ctx := houseWith(t, t.TempDir(), settings, func(o *app.Options) {
		o.Clock, o.Log = clock.now, slog.New(slog.NewTextHandler(alarm{woke}, nil))
	})
	check := func() int { return len(s.Check(ctx, bridge.English)) }
	check()
	before := agent.connections.Load()
	check()
	if n := agent.connections.Load(); n != before || n == 0 {
		t.Errorf("%d connections, and %d a moment later", before, n)
	}
	clock.sleep(time.Minute)
	select {
	case <-woke:
	case <-ctx.Done():
	}
	until(t, func() bool {
		check()
		return agent.connections.Load() > before
	})
}

// alarm hears from the log that the program is awake again.
type alarm struct{ woke chan<- struct{} }

func (a alarm) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("awake again")) {
		a.woke <- struct{}{}
	}
	return len(line), nil
}

// TestWakeTunnel: the tunnel's connection, which may be dead without anybody
// having said so, is made anew.
func TestWakeTunnel(t *testing.T) {
	t.Parallel()
	edge, clock := tunneltest.New(t), &sleeper{}
	a, _ := tunnelledWith(t, edge, func(o *app.Options) { o.Clock = clock.now })
	until(t, func() bool { return public(t, a) != "" && len(a.Notices(bridge.English)) == 0 })
	before := len(edge.Auths())
	clock.sleep(time.Minute)
	until(t, func() bool { return len(edge.Auths()) > before && len(a.Notices(bridge.English)) == 0 })
}

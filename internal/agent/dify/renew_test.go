package dify_test

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
)

// TestRenewHurries: after a sleep an answer on which nothing comes is given up
// when a ping is missing. TestSlowCaller has the one whose listener is busy.
func TestRenewHurries(t *testing.T) {
	t.Parallel()
	hello := `{"event":"message",` + ids + `,"answer":"Hi"}`
	end := `{"event":"message_end",` + ids + `}`
	for name, test := range map[string]struct {
		answer       answer
		renew, after time.Duration
		kind         bridge.Kind
	}{
		"no header":     {answer{}, 30 * time.Second, 45 * time.Second, bridge.KindUnavailable},
		"in the middle": {streamAnswer(hello), 30 * time.Second, 45 * time.Second, bridge.KindInterrupted},
		"after the end": {streamAnswer(hello, end), time.Second, 4 * time.Second, ""}, // not longer than without the sleep
	} {
		synctest.Test(t, func(t *testing.T) {
			a := open(t, dify.Config{Transport: silence("chat", test.answer)})
			start := time.Now()
			time.AfterFunc(test.renew, a.Renew)
			h := ask(t.Context(), a, bridge.Question{})
			if bridge.KindOf(h.err) != test.kind || time.Since(start) != test.after {
				t.Errorf("%s: after %v: %v", name, time.Since(start), h)
			}
			if n := a.Waiting(); n != 0 {
				t.Errorf("%s: %d answers are waited for that are over", name, n)
			}
		})
	}
}

// counted is a server that counts the connections made to it.
func counted(t *testing.T, answer string) (string, *atomic.Int64) {
	t.Helper()
	var made atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, answer)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, &made
}

// TestRenewConnects: a connection is kept, and after a sleep it is not used; those
// to where the files of answers are neither.
func TestRenewConnects(t *testing.T) {
	t.Parallel()
	base, made := counted(t, `{"mode":"chat"}`)
	files, there := counted(t, "picture")
	a, err := dify.New(dify.Config{BaseURL: base, Key: bridge.NewSecret(key)})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []int64{1, 1, 2, 2} {
		if n == 2 {
			a.Renew()
		}
		if _, err := a.Check(t.Context()); err != nil || made.Load() != want {
			t.Errorf("request %d: %d connections, want %d, %v", n, made.Load(), want, err)
		}
		if _, err := a.Fetch(t.Context(), bridge.FileAdded{URL: files}); err != nil || there.Load() != want {
			t.Errorf("file %d: %d connections, want %d, %v", n, there.Load(), want, err)
		}
	}
	a.Renew()
}

// TestSilenceRenews: where a server is silent, the next request makes a new
// connection. Another one that is kept is as old, and may be as dead.
func TestSilenceRenews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		var asked atomic.Int32
		both := make(chan struct{})
		p := bridgetest.NewPipes()
		server := &http.Server{ReadHeaderTimeout: time.Hour, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch n := asked.Add(1); {
			case n <= 2: // until the other one is there
				select {
				case both <- struct{}{}:
				case <-both:
				}
			case dead.Load() && p.Count() == 2:
				<-r.Context().Done()
				return
			}
			_, _ = io.WriteString(w, `{"mode":"chat"}`)
		})}
		go func() { _ = server.Serve(p) }()
		a := open(t, dify.Config{BaseURL: "http://dify.example"})
		a.Dial(p.Dial)
		check := func() error {
			found, err := a.Check(t.Context())
			return cmp.Or(err, found[0].Err)
		}
		var crowd sync.WaitGroup
		for range 2 {
			crowd.Go(func() {
				if err := check(); err != nil {
					t.Error(err)
				}
			})
		}
		crowd.Wait()
		dead.Store(true)
		start := time.Now()
		if err := check(); bridge.KindOf(err) != bridge.KindUnavailable || time.Since(start) != 30*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if err := check(); err != nil || time.Since(start) != 30*time.Second || p.Count() != 3 {
			t.Errorf("the next one: after %v, %d connections, %v", time.Since(start), p.Count(), err)
		}
		a.Renew()
		_ = server.Close()
	})
}

package tunnel_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

// TestRequestArrives: a POST to the public address is answered by the door.
func TestRequestArrives(t *testing.T) {
	t.Parallel()
	var counted atomic.Int32
	h := open(t, tunneltest.New(t), echo("door"), func(_ *tunnel.Config, o *tunnel.Options) { o.Count = func() { counted.Add(1) } })
	s := h.awaitState(t, tunnel.StateOnline)
	if s.URL != address || s.Plan != tunneltest.Plan || s.Err != nil || s.Since.IsZero() {
		t.Errorf("got %+v", s)
	}
	for i := range 3 {
		body := strings.Repeat("x", i*300_000)
		status, text := post(t, h.edge, address+"/hook/b1", body)
		if want := "door 203.0.113.7:4711 " + domain + " " + body; status != http.StatusOK || text != want {
			t.Fatalf("got %d, %d bytes", status, len(text))
		}
	}
	if got := counted.Load(); got != 3 {
		t.Errorf("counted %d requests", got)
	}
	if a := h.edge.Auths(); len(a) != 1 || a[0].Extra.Authtoken != token {
		t.Errorf("authenticated %d times", len(a))
	}
}

// TestAssignedDomain: without a domain of ours the service chooses one.
func TestAssignedDomain(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"), noDomain)
	s := h.awaitState(t, tunnel.StateOnline)
	if !strings.HasPrefix(s.URL, "https://assigned-") {
		t.Fatalf("got %q", s.URL)
	}
	if status, _ := post(t, h.edge, s.URL+"/hook/b1", ""); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
}

// TestOnlyOurPaths: the rest is turned away by the service.
func TestOnlyOurPaths(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"), func(_ *tunnel.Config, o *tunnel.Options) {
		o.Paths = []string{"/WW_verify_*.txt", "/web/", "/logo.png"}
	})
	h.awaitState(t, tunnel.StateOnline)
	for path, want := range map[string]int{
		"/hook/b1": 200, "/hook/a/b": 200, "/WW_verify_abc.txt": 200, "/web/": 200, "/web/a.js": 200, "/logo.png": 200,
		"/": 404, "/hook": 404, "/admin": 404, "/x/hook/b1": 404, "/WW_verify_a/b.txt": 404, "/WW_verify_abcxtxt": 404, "/webs": 404, "/logo.png/x": 404,
		"/metrics": 404,
	} {
		if got, _ := post(t, h.edge, address+path, ""); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

// TestReconnect: cut connections are taken up again in the same session.
func TestReconnect(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"))
	h.awaitState(t, tunnel.StateOnline)
	for range 3 {
		h.edge.Drop()
		lost := h.awaitState(t, tunnel.StateReconnecting)
		if code, _, kind := trouble(lost.Err); code != "dropped" || kind != bridge.KindUnavailable || lost.URL != address {
			t.Errorf("got %+v", lost)
		}
		if s := h.awaitState(t, tunnel.StateOnline); s.Err != nil {
			t.Errorf("still in trouble: %v", s.Err)
		}
		if status, _ := post(t, h.edge, address+"/hook/b1", ""); status != http.StatusOK {
			t.Errorf("got %d", status)
		}
	}
	auths := h.edge.Auths()
	if len(auths) != 4 || auths[0].Extra.Cookie != "" || auths[3].Extra.Cookie == "" {
		t.Errorf("the session was not taken up again: %+v", auths)
	}
}

// TestBlackHole: a connection that is dead without being closed is noticed.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"), beats)
	h.awaitState(t, tunnel.StateOnline)
	h.edge.Freeze()
	h.awaitState(t, tunnel.StateReconnecting)
	h.awaitState(t, tunnel.StateOnline)
	if status, _ := post(t, h.edge, address+"/hook/b1", ""); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
}

// TestMuteService: a service that takes the connection and says nothing is given up
// on in time, at the start and later, and tried again.
func TestMuteService(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	edge.Mute(true)
	h := open(t, edge, echo("door"), beats)
	inTrouble := func(s tunnel.Status) bool { return s.Err != nil }
	for range 2 {
		s := h.await(t, "given up on", inTrouble)
		if code, _, kind := trouble(s.Err); code != "dropped" || kind != bridge.KindUnavailable || s.State == tunnel.StateOnline {
			t.Errorf("got %+v", s)
		}
		told(t, s.Err)
		edge.Mute(false)
		h.awaitState(t, tunnel.StateOnline)
		if status, _ := post(t, edge, address+"/hook/b1", ""); status != http.StatusOK {
			t.Errorf("got %d", status)
		}
		edge.Mute(true)
		edge.Drop()
		h.await(t, "cut off", inTrouble)
	}
}

// TestHeartbeat: by default a dead connection is noticed within 8 seconds.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"), func(_ *tunnel.Config, o *tunnel.Options) { o.Interval, o.Tolerance = 0, 0 })
	h.awaitState(t, tunnel.StateOnline)
	a := h.edge.Auths()[0].Extra
	if sum := time.Duration(a.HeartbeatInterval + a.HeartbeatTolerance); sum <= 0 || sum >= 8*time.Second {
		t.Errorf("noticed after %s", sum)
	}
}

// TestHeartbeatRefused: the service may want a slower one.
func TestHeartbeatRefused(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	edge.Refuse(tunneltest.Refusal{Code: "ERR_NGROK_111", Text: "The heartbeat interval you specified is not valid."})
	h := open(t, edge, echo("door"))
	h.awaitState(t, tunnel.StateOnline)
	a := edge.Auths()
	if got := time.Duration(a[len(a)-1].Extra.HeartbeatInterval); got != 10*time.Second {
		t.Errorf("asked for %s", got)
	}
}

// TestForcedReconnect: a connection that looks alive is renewed on demand.
func TestForcedReconnect(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"))
	h.awaitState(t, tunnel.StateOnline)
	h.edge.Freeze() // as after sleep; the heartbeat of this test would take a minute
	h.Reconnect()
	h.awaitState(t, tunnel.StateReconnecting)
	h.awaitState(t, tunnel.StateOnline)
	if status, _ := post(t, h.edge, address+"/hook/b1", ""); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	if a := h.edge.Auths(); a[len(a)-1].Extra.Cookie == "" {
		t.Error("a new session instead of the same")
	}
}

// TestReconnectWhileConnecting: what is under way is begun anew.
func TestReconnectWhileConnecting(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	refused := tunneltest.Refusal{Code: "ERR_NGROK_9999", Text: "Something is wrong here."}
	edge.Refuse(refused, refused, refused, refused, refused)
	h := open(t, edge, echo("door"))
	s := h.await(t, "refused", func(s tunnel.Status) bool { return s.Err != nil })
	if code, ngrok, kind := trouble(s.Err); code != "other" || ngrok != "ERR_NGROK_9999" || kind != bridge.KindUnavailable || s.State != tunnel.StateStarting {
		t.Errorf("got %+v", s)
	}
	for range 5 {
		h.Reconnect()
		if s = h.await(t, "refused or online", func(s tunnel.Status) bool { return s.Err != nil || s.State == tunnel.StateOnline }); s.State == tunnel.StateOnline {
			return
		}
	}
	t.Errorf("still %+v", s)
}

// TestStopped: an endpoint that the service closes is asked for again.
func TestStopped(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"))
	h.awaitState(t, tunnel.StateOnline)
	if err := h.edge.Stop(address, tunneltest.Refusal{Text: "Stopped from the dashboard"}); err != nil {
		t.Fatal(err)
	}
	s := h.awaitState(t, tunnel.StateReconnecting)
	if code, _, _ := trouble(s.Err); code != "stopped" || !strings.Contains(s.Err.Error(), "from the dashboard") {
		t.Errorf("got %v", s.Err)
	}
	h.awaitState(t, tunnel.StateOnline)
	if status, _ := post(t, h.edge, address+"/hook/b1", ""); status != http.StatusOK || h.edge.Online(address) != 1 {
		t.Errorf("got %d from %d endpoints", status, h.edge.Online(address))
	}
	h.edge.Drop() // the dead endpoint must not come back with the session
	h.awaitState(t, tunnel.StateOnline)
	if n := h.edge.Online(address); n != 1 {
		t.Errorf("%d endpoints are online", n)
	}
}

// TestStoppedForGood: with a reason that lasts it stays down.
func TestStoppedForGood(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"))
	h.awaitState(t, tunnel.StateOnline)
	if err := h.edge.Stop(address, tunneltest.Refusal{Code: "ERR_NGROK_300", Text: "The authtoken credential has been revoked."}); err != nil {
		t.Fatal(err)
	}
	s := h.awaitState(t, tunnel.StateDown)
	if code, _, kind := trouble(s.Err); code != "token" || kind != bridge.KindCredential || !s.Retry.IsZero() {
		t.Errorf("got %+v", s)
	}
}

// TestPool: two machines answer under one address, and one of them may go.
func TestPool(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	first, second := open(t, edge, echo("first"), pooling), open(t, edge, echo("second"), pooling)
	first.awaitState(t, tunnel.StateOnline)
	second.awaitState(t, tunnel.StateOnline)
	seen := map[string]int{}
	ask := func() {
		status, text := post(t, edge, address+"/hook/b1", "")
		if status != http.StatusOK {
			t.Errorf("got %d", status)
		}
		name, _, _ := strings.Cut(text, " ")
		seen[name]++
	}
	for range 10 {
		ask()
	}
	if seen["first"] != 5 || seen["second"] != 5 {
		t.Errorf("answered by %v", seen)
	}
	first.stop()
	for range 10 {
		ask()
	}
	if seen["first"] != 5 || seen["second"] != 15 {
		t.Errorf("answered by %v", seen)
	}
}

// TestStop lets a running request finish and takes nothing new.
func TestStop(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}), make(chan struct{})
	h := open(t, tunneltest.New(t), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-release
		_, _ = io.WriteString(w, "finished")
	}))
	h.awaitState(t, tunnel.StateOnline)
	var wg sync.WaitGroup
	wg.Go(func() {
		if status, text := post(t, h.edge, address+"/hook/b1", ""); text != "finished" {
			t.Errorf("got %d %q", status, text)
		}
	})
	<-inside
	wg.Go(h.stop)
	for h.edge.Online(address) != 0 {
		// The endpoint goes first.
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the endpoint stays")
		}
	}
	close(release)
	wg.Wait()
	if s := h.Status(); s.State != tunnel.StateOff || s.URL != "" || s.Err != nil {
		t.Errorf("got %+v", s)
	}
}

// TestStress drops the connection again and again while requests run: each is
// answered by the door or refused by the edge, and in the end all is well.
func TestStress(t *testing.T) {
	t.Parallel()
	h := open(t, tunneltest.New(t), echo("door"))
	h.awaitState(t, tunnel.StateOnline)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 25 {
				body := fmt.Sprintf("%d/%d", i, j)
				status, text := post(t, h.edge, address+"/hook/b1", body)
				if status == http.StatusOK && !strings.HasSuffix(text, " "+body) {
					t.Errorf("asked %s, got %q", body, text)
				}
			}
		})
	}
	for range 5 {
		h.edge.Drop()
		h.awaitState(t, tunnel.StateOnline)
	}
	wg.Wait()
	if status, _ := post(t, h.edge, address+"/hook/b1", ""); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
}

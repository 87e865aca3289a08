package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

// tunnelled runs a house behind a tunnel to an edge, with simulated platforms
// that reach it through the edge's public side.
func tunnelled(t *testing.T, edge *tunneltest.Edge) (*app.App, *simulator.Simulator) {
	t.Helper()
	return tunnelledWith(t, edge, func(*app.Options) {})
}

// tunnelledWith is tunnelled with options changed.
func tunnelledWith(t *testing.T, edge *tunneltest.Edge, change func(*app.Options)) (*app.App, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), simulator.Options{Transport: edge.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	data := t.TempDir()
	token := filepath.Join(data, "token")
	if err := os.WriteFile(token, []byte("2abCdEfGhIjKlMnOpQrStUvWxYz_NotARealTokenAtAll"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _ := houseWith(t, data,
		"tunnel: {kind: ngrok, domain: team.edge.test}\nagents: [{id: help, kind: echo}]\n"+channels(t, sim.Configs())+fmt.Sprintf("  tunnel/authtoken: %q\n", "file:"+token),
		func(o *app.Options) {
			o.Tunnel = tunnel.Options{Server: edge.Addr(), CAs: edge.CAs(), Transport: edge.Transport()}
			change(o)
		})
	return a, sim
}

// TestThroughTunnel is the whole way: a platform calls the public address, the
// tunnel's service passes the request on, the bot reads it and answers.
func TestThroughTunnel(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	a, sim := tunnelled(t, edge)
	until(t, func() bool { return public(t, a) != "" && len(a.Notices(bridge.English)) == 0 })
	if public(t, a) != "https://team.edge.test" {
		t.Fatalf("the public address is %q", public(t, a))
	}
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, public(t, a)+"/hook/"+c.ID)
		if err := sim.Verify(t.Context(), c.ID); err != nil {
			t.Errorf("%s: the address cannot be saved: %v", c.ID, err)
		}
	}
	for _, p := range sim.Employees()[0].Platforms {
		if _, err := sim.Say(t.Context(), "li", p, "over the tunnel on "+string(p)); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool {
			all := sim.Bubbles("li")
			last := all[len(all)-1]
			return last.FromBot && !last.Growing && strings.Contains(last.Text, "over the tunnel on "+string(p))
		})
	}
	for _, line := range a.Check(t.Context(), bridge.English) {
		if line.Who == "tunnel" && !line.OK {
			t.Errorf("the check says %+v", line)
		}
	}
	closedTo(t, &http.Client{Transport: edge.Transport()}, public(t, a))
	edge.Drop()
	until(t, func() bool { return len(edge.Auths()) > 1 && len(a.Notices(bridge.English)) == 0 })
	if _, err := sim.Say(t.Context(), "zhang", sim.Employees()[0].Platforms[0], "after the break"); err != nil {
		t.Error(err)
	}
}

func public(t *testing.T, a *app.App) string {
	t.Helper()
	o, err := a.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o.PublicURL
}

// closedTo makes sure that nothing but webhooks can be reached from outside.
func closedTo(t *testing.T, stranger *http.Client, base string) {
	t.Helper()
	for _, path := range []string{"/healthz", "/metrics", "/api/v1/status", "/", "/hook/"} {
		resp, err := stranger.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s is open to the world: %s", path, resp.Status)
		}
	}
}

// TestTunnelRefused: the admin reads what is wrong with the token and what to
// do, and nothing else stops.
func TestTunnelRefused(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	edge.Refuse(tunneltest.Refusal{Code: "ERR_NGROK_107", Text: "The authtoken you specified is properly formed, but it is invalid."})
	a, _ := tunnelled(t, edge)
	until(t, func() bool { return len(a.Notices(bridge.English)) == 1 })
	n := a.Notices(bridge.English)[0]
	if !strings.Contains(fmt.Sprint(n), "authtoken") || !strings.Contains(fmt.Sprint(n), "dashboard.ngrok.com") {
		t.Errorf("the notice says %+v", n)
	}
	if len(edge.Auths()) != 1 {
		t.Errorf("the token was tried %d times", len(edge.Auths()))
	}
	a.Reconnect()
	until(t, func() bool { return len(a.Notices(bridge.English)) == 0 })
}

// TestTunnelAfterKeyring: a tunnel whose token is in a keyring that is locked at the
// start is opened soon after that is unlocked, and carries messages.
func TestTunnelAfterKeyring(t *testing.T) {
	t.Parallel()
	edge, k, l := tunneltest.New(t), &ring{entries: map[string]string{"tunnel/authtoken": "2abCdEfGhIjKlMnOpQrStUvWxYz_NotARealTokenAtAll"}, locked: true}, newLamp()
	a, ctx := houseWith(t, t.TempDir(), "tunnel: {kind: ngrok, domain: team.edge.test}\nagents: [{id: help, kind: echo}]\n"+oneBot, func(o *app.Options) {
		o.Tunnel = tunnel.Options{Server: edge.Addr(), CAs: edge.CAs(), Transport: edge.Transport()}
		o.Keyring, o.Connectors = glass{k}, []bridge.Connector{l.connector()}
	})
	if n := a.Notices(bridge.English); len(n) != 1 || !strings.HasPrefix(n[0].ID, "tunnel_down") || !strings.Contains(n[0].Detail, "locked") {
		t.Errorf("the notices are %+v", n)
	}
	for _, line := range a.Check(ctx, bridge.English) {
		if line.Who == "tunnel" && line.OK {
			t.Errorf("the check says %+v", line)
		}
	}
	a.Reconnect()
	k.unlock()
	until(t, func() bool { return public(t, a) == "https://team.edge.test" && len(a.Notices(bridge.English)) == 0 })
	resp, err := (&http.Client{Transport: edge.Transport()}).Post(public(t, a)+"/hook/one", "application/json", bytes.NewReader(packed(t, message("one", "m1", "how are you?"))))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	until(t, func() bool { all := l.chat.Texts(); return len(all) == 1 && strings.Contains(all[0], "how are you?") })
	if o, err := a.Overview(ctx); err != nil || len(o.Budgets) != 1 || len(edge.Auths()) != 1 {
		t.Errorf("%+v, %v, %d times connected", o.Budgets, err, len(edge.Auths()))
	}
}

// TestTunnelLacksToken: an unlocked keyring without the token ends the waiting, and
// what is missing is said.
func TestTunnelLacksToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &ring{locked: true}
		r := begin(t, t.TempDir(), "tunnel: {kind: ngrok}\n"+oneBot, newLamp(), func(o *app.Options) { o.Keyring = glass{k} })
		k.unlock()
		rest(time.Minute)
		n := r.Notices(bridge.English)
		if len(n) != 1 || !strings.HasPrefix(n[0].ID, "tunnel_down") || !strings.Contains(n[0].Detail, "not in the keyring") {
			t.Errorf("the notices are %+v", n)
		}
	})
}

// TestCheckBeforeDoor: a program whose door is still to open does that itself; the
// check does not open it in between.
func TestCheckBeforeDoor(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	write(t, data, "server: {public_url: \"https://door.example\"}\nagents: [{id: help, kind: echo}]\n")
	var asked atomic.Int64
	opt := app.Options{Data: data, Version: "test", Log: slog.New(slog.DiscardHandler), Patient: true, Listen: func(ctx context.Context, _ string) (net.Listener, error) {
		if asked.Add(1) > 2 { // the door and the administration
			return nil, errors.ErrUnsupported
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	opt.Tunnel.Transport = nowhere{}
	a, err := app.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	until(t, func() bool { return asked.Load() == 2 })
	lines := a.Check(t.Context(), bridge.English)
	if lines[0].Who != "tunnel" || lines[0].OK || asked.Load() != 2 {
		t.Errorf("%d listeners opened, and the check says %+v", asked.Load(), lines)
	}
	stop()
	if err := errors.Join(<-ended, a.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

// nowhere is a network that reaches nothing.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }

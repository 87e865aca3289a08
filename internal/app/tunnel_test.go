package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

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
	t.Setenv("SB_TEST_TUNNEL", "2abCdEfGhIjKlMnOpQrStUvWxYz_NotARealTokenAtAll")
	a, _ := houseWith(t, t.TempDir(),
		"tunnel: {kind: ngrok, domain: team.edge.test}\nagents: [{id: help, kind: echo}]\n"+channels(t, sim.Configs())+"  tunnel/authtoken: env:SB_TEST_TUNNEL\n",
		func(o *app.Options) {
			o.Tunnel = tunnel.Options{Server: edge.Addr(), CAs: edge.CAs(), Transport: edge.Transport()}
			change(o)
		})
	return a, sim
}

// TestThroughTunnel is the whole way: a platform calls the public address, the
// tunnel's service passes the request on, the bot reads it and answers.
func TestThroughTunnel(t *testing.T) { //nolint:paralleltest // sets the environment
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
func TestTunnelRefused(t *testing.T) { //nolint:paralleltest // sets the environment
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

package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// server plays a Dify chat app well enough for the way to it.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer app-right" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"code":"unauthorized","message":"Access token is invalid","status":401}`)
			return
		}
		switch r.URL.Path {
		case "/v1/info":
			_, _ = fmt.Fprint(w, `{"name":"Help","mode":"chat"}`)
		case "/v1/parameters":
			_, _ = fmt.Fprint(w, `{}`)
		default:
			var q struct {
				Query        string `json:"query"`
				Conversation string `json:"conversation_id"`
			}
			_ = json.NewDecoder(r.Body).Decode(&q)
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			const ids = `"conversation_id":"11111111-2222-4333-8444-555555555555","message_id":"m","task_id":"t"`
			_, _ = fmt.Fprintf(w, "data: {\"event\":\"message\",%s,\"answer\":\"Dify heard %s in [%s]\"}\n\ndata: {\"event\":\"message_end\",%s,\"metadata\":{}}\n\n", ids, q.Query, q.Conversation, ids)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestSaveAgent is the first-run page: try, save, and find it at the next start.
func TestSaveAgent(t *testing.T) { //nolint:paralleltest // the keyring's library has a global
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere") // for the library there is a session
	keyring.MockInit()
	dify, data := server(t), t.TempDir()
	a, ctx := house(t, data, "")
	found, err := a.CheckAgent(ctx, dify.URL, bridge.NewSecret("app-wrong"))
	if err != nil || allGood(found) {
		t.Errorf("a wrong key is %+v, %v", found, err)
	}
	if found, err = a.CheckAgent(ctx, dify.URL, bridge.NewSecret("app-right")); err != nil || !allGood(found) {
		t.Errorf("the right key is %+v, %v", found, err)
	}
	if err := a.SaveAgent(ctx, dify.URL, bridge.NewSecret("app-right")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(data, "switchboard.yaml"))
	if err != nil || strings.Contains(string(text), "app-right") || !strings.Contains(string(text), dify.URL) {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if o, err := a.Overview(ctx); err != nil || len(o.Agents) != 1 || o.Agents[0].Err != nil {
		t.Errorf("agents %+v, %v", o.Agents, err)
	}
}

// TestKeepInFile is the first-run page where there is no keyring: nothing is stored
// until somebody chose a passphrase; then the key is in the encrypted file alone.
func TestKeepInFile(t *testing.T) { //nolint:paralleltest // the keyring's library has a global
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	keyring.MockInitWithError(errors.New("The name org.freedesktop.secrets was not provided by any .service files"))
	t.Cleanup(keyring.MockInit)
	dify, data := server(t), t.TempDir()
	a, ctx := house(t, data, "")
	file := filepath.Join(data, "secrets.age")
	save := func() error { return a.SaveAgent(ctx, dify.URL, bridge.NewSecret("app-right")) }
	if err := save(); !a.Keyless(err) {
		t.Errorf("without a keyring it is %v", err)
	}
	if a.Keyless(nil) || a.Keyless(&bridge.Error{Kind: bridge.KindUnavailable, Code: "keyring_locked"}) {
		t.Error("a keyring that is there is taken for none")
	}
	if err := a.KeepInFile(ctx, bridge.NewSecret("short")); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("a short passphrase is %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("there is a file already: %v", err)
	}
	if err := a.KeepInFile(ctx, bridge.NewSecret("correct horse")); err != nil {
		t.Fatal(err)
	}
	if err := save(); err != nil {
		t.Fatal(err)
	}
	if err := a.KeepInFile(ctx, bridge.NewSecret("another horse")); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("a second file is %v", err)
	}
	for _, path := range []string{file, filepath.Join(data, "switchboard.yaml")} {
		text, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(text), "app-right") || strings.Contains(string(text), "horse") {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}
	if o, err := a.Overview(ctx); err != nil || len(o.Agents) != 1 || o.Agents[0].Err != nil {
		t.Errorf("agents %+v, %v", o.Agents, err)
	}
}

// onSimulator runs a house whose bots and secrets come from the settings, on
// simulated platforms that deliver to it.
func onSimulator(tb testing.TB, agents string) (*app.App, context.Context, *simulator.Simulator) {
	tb.Helper()
	return onPlatforms(tb, agents, nil)
}

// onPlatforms is onSimulator with settings changed on their way.
func onPlatforms(tb testing.TB, agents string, change func([]bridge.Config) []bridge.Config) (*app.App, context.Context, *simulator.Simulator) {
	tb.Helper()
	sim, err := simulator.Start(tb.Context(), simulator.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = sim.Close() })
	configs := sim.Configs()
	if change != nil {
		configs = change(configs)
	}
	a, ctx := house(tb, tb.TempDir(), agents+channels(tb, configs))
	o, err := a.Overview(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
	}
	return a, ctx, sim
}

// channels writes the settings of bots, and puts their secrets into the
// environment.
func channels(tb testing.TB, configs []bridge.Config) string {
	tb.Helper()
	bots, secrets, dir := "bots:\n", "secrets:\n", tb.TempDir()
	keep := func(name, value string) {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			tb.Fatal(err)
		}
		secrets += fmt.Sprintf("  %s: %q\n", name, "file:"+file)
	}
	for agent, key := range map[string]string{"help": "app-right", "hr": "app-hr", "it": "app-it"} {
		keep("agent/"+agent+"/api_key", key)
	}
	for _, c := range configs {
		settings, err := json.Marshal(c.Settings) // JSON is YAML
		if err != nil {
			tb.Fatal(err)
		}
		bots += fmt.Sprintf("  - {id: %s, platform: %s, mode: %s, settings: %s}\n", c.ID, c.Platform, c.Mode, settings)
		for key, value := range c.Secrets {
			keep("bot/"+c.ID+"/"+key, value.Reveal())
		}
	}
	return bots + secrets
}

// TestDifyAnswers is the main job with a Dify app: one conversation over two
// messages, on each platform.
func TestDifyAnswers(t *testing.T) {
	t.Parallel()
	_, ctx, sim := onSimulator(t, fmt.Sprintf("agents: [{id: help, kind: dify, base_url: %q}]\n", server(t).URL))
	for _, p := range sim.Employees()[0].Platforms {
		for n, want := range []string{"Dify heard one in []", "Dify heard two in [11111111-2222-4333-8444-555555555555]"} {
			if _, err := sim.Say(ctx, "li", p, []string{"one", "two"}[n]); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool {
				all := sim.Bubbles("li")
				return len(all) > 0 && all[len(all)-1].FromBot && all[len(all)-1].Text == want
			})
		}
	}
	if v := sim.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// TestPlatformFaults: a busy platform, a token that ran out and a message that
// comes five times cost nobody an answer and double none. A connection that
// breaks after the platform took the answer doubles it only where the platform
// knows no idempotency key.
func TestPlatformFaults(t *testing.T) {
	t.Parallel()
	a, ctx, sim := onSimulator(t, "agents: [{id: help, kind: echo}]\n")
	for _, p := range sim.Employees()[0].Platforms {
		for name, c := range map[string]struct {
			faults simulator.Faults
			most   int
		}{
			"busy":    {simulator.Faults{Refuse: 1}, 1},
			"expired": {simulator.Faults{Expire: true}, 1},
			"broken":  {simulator.Faults{Break: 1}, map[bool]int{true: 1, false: 2}[p == "wecom"]},
		} {
			sim.SetFaults(c.faults)
			marker := string(p) + "-" + name
			id, err := sim.Say(ctx, "zhang", p, marker)
			if err != nil {
				t.Fatal(err)
			}
			for range 4 {
				if err := sim.Redeliver(ctx, id); err != nil {
					t.Fatal(err)
				}
			}
			until(t, func() bool { return delivered(t, ctx, a, marker) })
			n := 0
			for _, b := range sim.Bubbles("zhang") {
				if b.FromBot && strings.Contains(b.Text, "**"+marker+"**") {
					n++
				}
			}
			if n < 1 || n > c.most {
				t.Errorf("%s: shown %d times", marker, n)
			}
		}
	}
	if v := sim.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// delivered says whether the question with a marker is over and done with.
func delivered(t *testing.T, ctx context.Context, a *app.App, marker string) bool { //nolint:revive // t comes first
	t.Helper()
	rows, err := a.Talks(ctx, bridge.TalkQuery{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.LastText == marker {
			return r.State == bridge.JobCompleted && r.ReplyState == bridge.ReplyDelivered
		}
	}
	return false
}

// TestPortTaken: the window stays, says what is wrong and what to do.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	data := t.TempDir()
	write(t, data, fmt.Sprintf("server: {listen: %q, admin: \"127.0.0.1:0\"}\n", l.Addr()))
	a, err := app.Open(t.Context(), app.Options{Data: data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close(context.WithoutCancel(t.Context())) }()
	if err := a.Run(t.Context()); err == nil {
		t.Error("it runs on a taken port")
	}
	if n := a.Notices(bridge.English); len(n) != 1 || !strings.Contains(n[0].Detail, l.Addr().String()) || n[0].Next == "" {
		t.Errorf("notices %+v", n)
	}
}

func allGood(found []bridge.Finding) bool {
	for _, f := range found {
		if !f.OK {
			return false
		}
	}
	return len(found) > 0
}

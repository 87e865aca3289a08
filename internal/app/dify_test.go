package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

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
	if err := a.SaveAgent(ctx, dify.URL, bridge.NewSecret("app-right")); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("an existing file was replaced: %v", err)
	}
	if err := os.Remove(filepath.Join(data, "switchboard.yaml")); err != nil {
		t.Fatal(err)
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

// TestDifyAnswers is the main job with a Dify app: bots and their secrets from
// the settings, one conversation over two messages.
func TestDifyAnswers(t *testing.T) { //nolint:paralleltest // sets the environment
	dify := server(t)
	sim, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	t.Setenv("SB_TEST_DIFY", "app-right")
	yaml, secrets := fmt.Sprintf("agents: [{id: help, kind: dify, base_url: %q}]\nbots:\n", dify.URL), "secrets:\n  agent/help/api_key: env:SB_TEST_DIFY\n"
	for n, c := range sim.Configs() {
		settings, err := json.Marshal(c.Settings) // JSON is YAML
		if err != nil {
			t.Fatal(err)
		}
		yaml += fmt.Sprintf("  - {id: %s, platform: %s, mode: %s, settings: %s}\n", c.ID, c.Platform, c.Mode, settings)
		for key, value := range c.Secrets {
			name := fmt.Sprintf("SB_TEST_%d_%s", n, key)
			t.Setenv(name, value.Reveal())
			secrets += fmt.Sprintf("  bot/%s/%s: env:%s\n", c.ID, key, name)
		}
	}
	a, ctx := house(t, t.TempDir(), yaml+secrets)
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
	}
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

func allGood(found []bridge.Finding) bool {
	for _, f := range found {
		if !f.OK {
			return false
		}
	}
	return len(found) > 0
}

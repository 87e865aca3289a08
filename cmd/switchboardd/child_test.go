//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"switchboard/internal/platform/simulator"
)

// child writes the settings for the simulated bots and an agent, and returns
// how to start the program on them.
func child(t *testing.T, sim *simulator.Simulator, agent string) func() *exec.Cmd {
	t.Helper()
	h := household(t, sim, agent)
	return func() *exec.Cmd { return h.start(t, os.Args[0], "run", "--data", h.data) }
}

// home is a data directory with settings, and the secrets for them.
type home struct {
	data string
	env  []string
}

// household writes the settings for the simulated bots and an agent.
func household(t *testing.T, sim *simulator.Simulator, agent string) home {
	t.Helper()
	data, listen := t.TempDir(), free(t)
	yaml := fmt.Sprintf("server: {listen: %q, admin: %q}\nlimits: {per_person_per_minute: 0}\nbudgets: {feishu: {calls: 0}, dingtalk: {calls: 0, pushes: 0}}\nagents: [{id: help, kind: dify, base_url: %q, max_concurrent: 200}]\nbots:\n", listen, free(t), agent)
	secrets := "secrets:\n  agent/help/api_key: env:AGENT_KEY\n"
	env := append(os.Environ(), "SWITCHBOARD_TEST_CHILD=1", "AGENT_KEY=app-key")
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, "http://"+listen+"/hook/"+c.ID)
		settings, err := json.Marshal(c.Settings) // JSON is YAML
		if err != nil {
			t.Fatal(err)
		}
		yaml += fmt.Sprintf("  - {id: %s, platform: %s, mode: %s, settings: %s}\n", c.ID, c.Platform, c.Mode, settings)
		for key, value := range c.Secrets {
			name := strings.ToUpper(strings.ReplaceAll(c.ID, "-", "_") + "_" + key)
			secrets += fmt.Sprintf("  bot/%s/%s: env:%s\n", c.ID, key, name)
			env = append(env, name+"="+value.Reveal())
		}
	}
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(yaml+secrets), 0o600); err != nil {
		t.Fatal(err)
	}
	return home{data, env}
}

// start starts a program that ends with the test.
func (h home) start(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	p := exec.CommandContext(t.Context(), program, args...)
	p.Env, p.SysProcAttr = h.env, &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if os.Getenv("CHAOS_LOG") != "" {
		p.Stderr = os.Stderr
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// free finds a free port.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// ending closes every answer of the agent.
const ending = "(that is all)"

// flaky is a Dify chat app that gives the question back. Of the questions it
// hears for the first time, some are refused before the first text, and the
// stream of some breaks off in the middle.
func flaky(t *testing.T) string {
	t.Helper()
	var mu sync.Mutex
	heard, count := map[string]bool{}, 0
	trouble := func(question string) int {
		mu.Lock()
		defer mu.Unlock()
		if heard[question] {
			return 0
		}
		if len(heard) > 100000 {
			clear(heard)
		}
		heard[question] = true
		count++
		return count % 50
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/info":
			_, _ = io.WriteString(w, `{"name":"Help","mode":"chat"}`)
		case "/v1/parameters":
			_, _ = io.WriteString(w, `{}`)
		case "/v1/chat-messages":
			var q struct {
				Query string `json:"query"`
			}
			_ = json.NewDecoder(r.Body).Decode(&q)
			speak(w, q.Query, trouble(q.Query))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func speak(w http.ResponseWriter, question string, trouble int) {
	if trouble == 1 {
		http.Error(w, "upstream is away", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	say := func(event, text string) {
		const ids = `"conversation_id":"11111111-2222-4333-8444-555555555555","message_id":"m","task_id":"t"`
		_, _ = fmt.Fprintf(w, "data: {\"event\":%q,%s,\"answer\":%q,\"metadata\":{}}\n\n", event, ids, text)
		_ = http.NewResponseController(w).Flush()
	}
	say("message", "You asked "+question)
	if trouble == 2 {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	pause(10e6)
	say("message", " and hear this. ")
	say("message", ending)
	say("message_end", "")
}

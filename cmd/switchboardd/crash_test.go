//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCrashOutput: what the program leaves behind when it dies in mid-answer, with
// the stacks of all that ran, holds no secret and nothing that people wrote; and
// what it had accepted is answered by the next one.
func TestCrashOutput(t *testing.T) {
	t.Parallel()
	agent := newHalting(t)
	r := newRough(t, agent.address)
	file := filepath.Join(t.TempDir(), "stderr")
	p := r.run("sh", "-c", `GOTRACEBACK=all exec "$@" 2>"$0"`, file)
	const words = "marigolds in the greenhouse"
	if refused := r.ask(words); len(refused) > 0 {
		t.Fatalf("refused: %v", refused)
	}
	for range r.asked {
		<-agent.half
	}
	if err := p.Process.Signal(syscall.SIGQUIT); err != nil { // the runtime writes what it writes after a panic
		t.Fatal(err)
	}
	_ = p.Wait() // it does not end well
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SIGQUIT", "goroutine ", "internal/engine"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("nothing of %q in %d bytes", want, len(text))
		}
	}
	hidden := map[string]string{"the agent's key": "app-key", "a question": words}
	for _, c := range r.sim.Configs() {
		for key, value := range c.Secrets {
			hidden[c.ID+"/"+key] = value.Reveal()
		}
	}
	for name, value := range hidden {
		if at := strings.Index(string(text), value); at >= 0 {
			t.Errorf("%s is in what was left: %.200q", name, text[max(0, at-100):])
		}
	}
	close(agent.goOn)
	r.run()
	r.answered(nil)
}

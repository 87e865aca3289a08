package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestMain lets the test binary be the program itself, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("SWITCHBOARD_TEST_CHILD") != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestKilled kills the real program at random moments while three people write
// on two platforms. Every accepted question gets its answer, in order; WeCom
// shows it once, and DingTalk, which knows no idempotency key, at least once.
func TestKilled(t *testing.T) {
	t.Parallel()
	sim, err := simulator.Start(t.Context(), simulator.Options{RetryPause: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	start := child(t, sim)
	var writers sync.WaitGroup
	for _, e := range sim.Employees() {
		writers.Go(func() { write(t, sim, e) })
	}
	written := make(chan struct{})
	go func() { writers.Wait(); close(written) }()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 6 {
		p := start()
		pause(time.Duration(200+rng.IntN(500)) * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait() // killed
	}
	last := start()
	defer func() { _ = last.Process.Kill(); _ = last.Wait() }()
	<-written
	for _, e := range sim.Employees() {
		check(t, sim, e)
	}
	if v := sim.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

const questions = 16 // of each person

func marker(e bridge.Employee, n int) string { return fmt.Sprintf("question-%s-%02d", e.ID, n) }

// write says everything one person has to say, again until it is accepted.
func write(t *testing.T, sim *simulator.Simulator, e bridge.Employee) {
	t.Helper()
	for n := range questions {
		id, err := sim.Say(t.Context(), e.ID, e.Platforms[n%len(e.Platforms)], marker(e, n))
		for err != nil && t.Context().Err() == nil {
			pause(50 * time.Millisecond)
			err = sim.Redeliver(t.Context(), id)
		}
	}
}

// check waits for all answers to a person and looks at their number and order.
func check(t *testing.T, sim *simulator.Simulator, e bridge.Employee) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		missing, order := "", []int{}
		for n := range questions {
			at := shown(sim, e, marker(e, n))
			if len(at) == 0 {
				missing = marker(e, n)
				break
			}
			if len(at) > 1 && e.Platforms[n%len(e.Platforms)] == "wecom" {
				t.Errorf("%s is answered %d times", marker(e, n), len(at))
			}
			order = append(order, at[0])
		}
		if missing == "" {
			// Nobody linked the accounts, so each platform is a lane of its own.
			for n := len(e.Platforms); n < len(order); n++ {
				if order[n] < order[n-len(e.Platforms)] {
					t.Errorf("%s is answered before the question before it", marker(e, n))
				}
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no answer", missing)
		}
		pause(20 * time.Millisecond)
	}
}

// shown returns where on a person's screens the answers to a question stand.
func shown(sim *simulator.Simulator, e bridge.Employee, marker string) []int {
	var at []int
	for n, b := range sim.Bubbles(e.ID) {
		if b.FromBot && strings.Contains(b.Text, "**"+marker+"**") {
			at = append(at, n)
		}
	}
	return at
}

func pause(d time.Duration) { <-time.NewTimer(d).C }

// child writes the settings for the simulated bots and returns how to start the
// program on them.
func child(t *testing.T, sim *simulator.Simulator) func() *exec.Cmd {
	t.Helper()
	data := t.TempDir()
	listen := free(t)
	yaml := fmt.Sprintf("server: {listen: %q, admin: %q}\nagents: [{id: echo, kind: echo}]\nbots:\n", listen, free(t))
	secrets, env := "secrets:\n", append(os.Environ(), "SWITCHBOARD_TEST_CHILD=1")
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, "http://"+listen+"/hook/"+c.ID)
		yaml += fmt.Sprintf("  - {id: %s, platform: %s, mode: %s, settings: {", c.ID, c.Platform, c.Mode)
		for key, value := range c.Settings {
			yaml += fmt.Sprintf("%s: %q, ", key, value)
		}
		yaml += "}}\n"
		for key, value := range c.Secrets {
			name := strings.ToUpper(strings.ReplaceAll(c.ID, "-", "_") + "_" + key)
			secrets += fmt.Sprintf("  bot/%s/%s: env:%s\n", c.ID, key, name)
			env = append(env, name+"="+value.Reveal())
		}
	}
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(yaml+secrets), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() *exec.Cmd {
		p := exec.CommandContext(t.Context(), os.Args[0], "run", "--data", data)
		p.Env = env
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		return p
	}
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

package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

const (
	crashPath  = "SWITCHBOARD_TEST_CRASH_PATH"
	crashRound = "SWITCHBOARD_TEST_CRASH_ROUND"
)

// TestCrash kills a process that accepts and settles at random moments, again
// and again. Whatever it had said is stored must be there, and the queue must be
// whole.
func TestCrash(t *testing.T) {
	t.Parallel()
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	path := filepath.Join(t.TempDir(), "switchboard.db")
	acked, settled := map[string]bool{}, map[string]bool{}
	for round := range rounds {
		for _, line := range killed(t, path, round) {
			if name, ok := strings.CutPrefix(line, "accepted "); ok {
				acked[name] = true
			} else if name, ok := strings.CutPrefix(line, "settled "); ok {
				settled[name] = true
			}
		}
	}
	if len(acked) < rounds || len(settled) == 0 {
		t.Fatalf("%d accepted, %d settled: nothing was tested", len(acked), len(settled))
	}
	t.Logf("%d accepted, %d settled before a kill", len(acked), len(settled))
	wantWhole(t, path, acked, settled)
}

// killed runs a child until it is killed and returns the lines it completed.
func killed(t *testing.T, path string, round int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashPath+"="+path, fmt.Sprintf("%s=%d", crashRound, round))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(out)
	var lines []string
	kill := sync.OnceFunc(func() {
		time.AfterFunc(time.Duration(rand.IntN(300))*time.Millisecond, func() { _ = child.Process.Kill() })
	})
	for {
		line, err := reader.ReadString('\n')
		if err != nil { // an incomplete line was not said
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		kill() // from the first line on
		lines = append(lines, strings.TrimSpace(line))
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return lines
}

// TestCrashChild is the process that is killed.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashPath)
	if path == "" {
		t.Skip("only run by TestCrash")
	}
	s := openAt(t, path)
	if _, err := s.Rescue(t.Context(), "node"); err != nil {
		t.Fatal(err)
	}
	say := func(what string, id bridge.MessageID) { _, _ = os.Stdout.WriteString(what + " " + string(id) + "\n") }
	for g := range 6 {
		go func() {
			for n := 0; ; n++ {
				q := question(int64(g))
				q.Message.ID = bridge.MessageID(fmt.Sprintf("%s-%d-%d", os.Getenv(crashRound), g, n))
				if _, err := s.Accept(t.Context(), []bridge.NewJob{q}); err != nil {
					panic(err)
				}
				say("accepted", q.Message.ID)
			}
		}()
	}
	for {
		for _, j := range claimAll(t, s) {
			if err := s.SaveReply(t.Context(), bridge.Reply{JobID: j.ID, State: bridge.ReplyDelivered}); err != nil {
				t.Fatal(err)
			}
			settle(t, s, j)
			say("settled", j.Message.ID)
		}
	}
}

func claimAll(t *testing.T, s *store.Store) []bridge.Job {
	t.Helper()
	jobs, err := s.Claim(t.Context(), "node", "helpdesk", 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func settle(t *testing.T, s *store.Store, j bridge.Job) {
	t.Helper()
	ours, err := s.Settle(t.Context(), "node", bridge.Settlement{JobID: j.ID, Attempt: j.Attempt, State: bridge.JobCompleted})
	if err != nil || !ours {
		t.Fatalf("settle: %v, %v", ours, err)
	}
}

// wantWhole opens the database after the last crash and works it off.
func wantWhole(t *testing.T, path string, acked, settled map[string]bool) {
	t.Helper()
	s := openAt(t, path)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for name := range acked {
		q := question(0)
		q.Message.ID = bridge.MessageID(name)
		got, err := s.Accept(t.Context(), []bridge.NewJob{q})
		if err != nil || !got[0].Duplicate {
			t.Fatalf("%s was acknowledged and is lost (%v)", name, err)
		}
		j, err := s.Job(t.Context(), got[0].JobID)
		if err != nil {
			t.Fatal(err)
		}
		if settled[name] != (j.State == bridge.JobCompleted) && settled[name] {
			t.Errorf("%s was settled and is %s", name, j.State)
		}
	}
	drain(t, s, settled)
}

// drain wants everything that is left to come once, and nothing that was
// settled.
func drain(t *testing.T, s *store.Store, settled map[string]bool) {
	t.Helper()
	if _, err := s.Rescue(t.Context(), "node"); err != nil {
		t.Fatal(err)
	}
	waiting, err := s.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for jobs := claimAll(t, s); len(jobs) > 0; jobs = claimAll(t, s) {
		for _, j := range jobs {
			if settled[string(j.Message.ID)] {
				t.Errorf("%s is to be answered again", j.Message.ID)
			}
			left++
			settle(t, s, j)
		}
	}
	if left != waiting["helpdesk"] {
		t.Errorf("%d were waiting, %d came", waiting["helpdesk"], left)
	}
}

// openAt opens a SQLite file for the length of a test.
func openAt(tb testing.TB, path string) *store.Store {
	tb.Helper()
	s, err := store.Open(context.WithoutCancel(tb.Context()), store.Options{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

//go:build linux

package main

import (
	"bytes"
	"database/sql" //nolint:depguard // it plays a newer version
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// halting is a Dify chat app that stops in the middle of each answer until it
// may go on. Those that hang up meanwhile are not counted.
type halting struct {
	address string
	half    chan string   // the questions that are half answered
	goOn    chan struct{} // closed when all answers may end
}

func newHalting(t *testing.T) *halting {
	t.Helper()
	h := &halting{half: make(chan string, 100), goOn: make(chan struct{})}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	h.address = s.URL
	return h
}

func (h *halting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/info":
		_, _ = io.WriteString(w, `{"name":"Help","mode":"chat"}`)
		return
	case "/v1/parameters":
		_, _ = io.WriteString(w, `{}`)
		return
	}
	var q struct {
		Query string `json:"query"`
	}
	_ = json.NewDecoder(r.Body).Decode(&q)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	say := func(event, text string) {
		const ids = `"conversation_id":"11111111-2222-4333-8444-555555555555","message_id":"m","task_id":"t"`
		_, _ = fmt.Fprintf(w, "data: {\"event\":%q,%s,\"answer\":%q,\"metadata\":{}}\n\n", event, ids, text)
		_ = http.NewResponseController(w).Flush()
	}
	say("message", "You asked "+q.Query+" ") // the blank ends the word, which is held back until then
	h.half <- q.Query
	select {
	case <-h.goOn:
	case <-r.Context().Done():
		return
	}
	say("message", "and hear this. "+ending)
	say("message_end", "")
}

// rough is the program on simulated platforms.
type rough struct {
	*testing.T
	sim   *simulator.Simulator
	home  home
	asked []question
}

func newRough(t *testing.T, agent string) *rough {
	t.Helper()
	sim, err := simulator.Start(t.Context(), simulator.Options{RetryPause: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return &rough{T: t, sim: sim, home: household(t, sim, agent)}
}

// run starts the program and waits until it can be asked.
func (r *rough) run(before ...string) *exec.Cmd {
	r.Helper()
	all := slices.Concat(before, []string{os.Args[0], "run", "--data", r.home.data})
	p := r.home.start(r.T, all[0], all[1:]...)
	r.until(func() bool {
		_, err := os.Stat(filepath.Join(r.home.data, "admin.address"))
		return err == nil && r.sim.Verify(r.Context(), r.sim.Configs()[0].ID) == nil
	})
	return p
}

// ask writes on each platform and keeps what was accepted apart from the rest.
func (r *rough) ask(text string) (refused []question) {
	r.Helper()
	for _, c := range r.sim.Configs() {
		q := question{platform: c.Platform, text: fmt.Sprintf("%s on %s.", text, c.Platform)}
		var err error
		q.id, err = r.sim.Say(r.Context(), "li", c.Platform, q.text)
		if err == nil {
			r.asked = append(r.asked, q)
			continue
		}
		if !strings.Contains(err.Error(), "answered 5") {
			r.Errorf("the platform is not told with a 5xx: %v", err)
		}
		refused = append(refused, q)
	}
	return refused
}

func (r *rough) until(ok func() bool) {
	r.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			r.Fatal("it does not happen")
		}
		pause(10 * time.Millisecond)
	}
}

func (r *rough) answers(q question) []simulator.Answer {
	trace, _ := r.sim.Trace(q.id)
	return trace.Answers
}

// answered waits until every accepted question has its whole answer, and then a
// moment longer, for answers that are too many.
func (r *rough) answered(most map[bridge.Platform]int) {
	r.Helper()
	for _, q := range r.asked {
		r.until(func() bool { all := r.answers(q); return len(all) > 0 && whole(q, all[0]) })
	}
	pause(300 * time.Millisecond)
	for _, q := range r.asked {
		if n := len(r.answers(q)); n > max(most[q.platform], 1) {
			r.Errorf("%s is answered %d times", q.text, n)
		}
	}
	if v := r.sim.Violations(); len(v) > 0 {
		r.Errorf("rules of the platforms were broken: %v", v)
	}
}

// end asks the program to end and returns its exit code.
func (r *rough) end(p *exec.Cmd) int {
	r.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		r.Fatal(err)
	}
	_ = p.Wait() // the code tells
	return p.ProcessState.ExitCode()
}

// TestTermWhileAnswering ends the program in the middle of answers that take
// longer than it waits. The next run ends them where they stand.
func TestTermWhileAnswering(t *testing.T) {
	t.Parallel()
	agent := newHalting(t)
	r := newRough(t, agent.address)
	p := r.run()
	if refused := r.ask("In the middle"); len(refused) > 0 {
		t.Fatalf("%d were refused", len(refused))
	}
	for range r.asked {
		<-agent.half
	}
	feishu := r.asked[0]
	r.until(func() bool {
		all := r.answers(feishu)
		return len(all) == 1 && all[0].Growing && strings.Contains(all[0].Text, feishu.text)
	})
	draft := r.answers(feishu)[0].ID
	if code := r.end(p); code != exitOK {
		t.Errorf("it exits with %d", code)
	}
	if all := r.answers(feishu); len(all) != 1 || !all[0].Growing {
		t.Errorf("after the end stands %+v", all)
	}
	close(agent.goOn)
	p = r.run()
	r.answered(nil)
	if all := r.answers(feishu); all[0].ID != draft {
		t.Error("the answer is another message than its beginning")
	}
	if code := r.end(p); code != exitOK {
		t.Errorf("at rest it exits with %d", code)
	}
}

// TestTermWaits ends the program shortly before answers are complete: they are
// shown before it is gone.
func TestTermWaits(t *testing.T) {
	t.Parallel()
	agent := newHalting(t)
	r := newRough(t, agent.address)
	p := r.run()
	r.ask("At the end")
	for range r.asked {
		<-agent.half
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	pause(300 * time.Millisecond)
	close(agent.goOn)
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	for _, q := range r.asked {
		if all := r.answers(q); len(all) != 1 || !whole(q, all[0]) {
			t.Errorf("%s shows %+v", q.text, all)
		}
	}
}

// TestAsleep stops the program for longer than a platform waits, in the middle
// of answers and while more is asked.
func TestAsleep(t *testing.T) {
	t.Parallel()
	agent := newHalting(t)
	r := newRough(t, agent.address)
	p := r.run()
	r.ask("Before it sleeps")
	for range r.asked {
		<-agent.half
	}
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	close(agent.goOn)
	said := make(chan []question)
	go func() { said <- r.ask("While it sleeps") }()
	pause(4 * time.Second)
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if refused := <-said; len(refused) > 0 {
		t.Errorf("%d were refused", len(refused))
	}
	r.answered(map[bridge.Platform]int{"dingtalk": 2})
	if code := r.end(p); code != exitOK {
		t.Errorf("it exits with %d", code)
	}
}

// TestFullDisk lets no file grow any more at some moment. The platforms are told
// that what is asked then was not accepted; what was accepted is answered when
// there is room again, and so is the rest, which platforms deliver again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	r := newRough(t, flaky(t))
	const most = "4000" // blocks of 512 bytes
	p := r.run("/bin/sh", "-c", "ulimit -f "+most+`; exec "$0" "$@"`)
	var refused []question
	for n := 0; len(refused) == 0; n++ {
		if n == 500 {
			t.Fatal("the disk is never full")
		}
		refused = r.ask(fmt.Sprintf("Number %d", n))
	}
	refused = append(refused, r.ask("On a full disk")...)
	accepted := len(r.asked)
	if err := r.sim.Verify(t.Context(), r.sim.Configs()[0].ID); err != nil {
		t.Errorf("it does not live through a full disk: %v", err)
	}
	_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
	_ = p.Wait() // killed
	p = r.run()
	for _, q := range refused {
		if err := r.sim.Redeliver(t.Context(), q.id); err != nil {
			t.Error(err)
		}
		r.asked = append(r.asked, q)
	}
	r.answered(map[bridge.Platform]int{"dingtalk": 2})
	t.Logf("%d were accepted and %d refused; all are answered", accepted, len(refused))
	if code := r.end(p); code != exitOK {
		t.Errorf("it exits with %d", code)
	}
}

// TestReadOnlyData says what is wrong in words.
func TestReadOnlyData(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting is not allowed here:", err)
	}
	defer func() { _ = syscall.Unmount(data, syscall.MNT_DETACH) }()
	closed := "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(closed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", data, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	for _, c := range []string{"run", "check"} {
		refuses(t, c, data, "cannot be written to", "--data")
	}
	refuses(t, "run", filepath.Join(data, "none", "such"), "cannot be written to", "--data")
}

// TestNewerData leaves alone what a newer version has written.
func TestNewerData(t *testing.T) {
	t.Parallel()
	r := newRough(t, flaky(t))
	if code := r.end(r.run()); code != exitOK {
		t.Fatalf("it exits with %d", code)
	}
	file := filepath.Join(r.home.data, "switchboard.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "run", r.home.data, "newer version", "9999")
}

// refuses starts the program, which is to say why it cannot.
func refuses(t *testing.T, name, data string, words ...string) {
	t.Helper()
	p := exec.CommandContext(t.Context(), os.Args[0], name, "--data", data)
	var said bytes.Buffer
	p.Env, p.Stderr = append(os.Environ(), "SWITCHBOARD_TEST_CHILD=1", "LC_ALL=en"), &said
	_ = p.Run() // the code tells
	if code := p.ProcessState.ExitCode(); code != exitTrouble {
		t.Errorf("%s exits with %d", name, code)
	}
	for _, word := range words {
		if !strings.Contains(said.String(), word) {
			t.Errorf("%s says %q, without %q", name, said.String(), word)
		}
	}
}

package app_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchboard/internal/agent/echo"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// The length of the soak; 40,000 messages are many days of an office in some
// minutes.
var (
	soakMessages = flag.Int("soak.messages", 2000, "messages of the soak, in four equal parts")
	soakProfiles = flag.String("soak.profiles", "", "a directory for a heap profile after each part")
)

// soakPeople write in turns, soakWriters at a time. Their number is a prime, so
// that everybody writes on every platform.
const (
	soakPeople  = 397
	soakWriters = 24
	// soakBefore are asked before anything is measured: all are looked up once, at the
	// platforms' pace, and then as many talk at a time as later.
	soakBefore = soakPeople + 1000
)

// size is how large the program is at a moment of rest.
type size struct {
	goroutines, files int
	heap              uint64
}

// TestSoak lets many people ask for a long time. The first of four parts warms
// everything up; from then on there are not more goroutines and open files after
// a part than after the one before, and not more memory. At the end nothing runs
// any more.
func TestSoak(t *testing.T) { //nolint:paralleltest // counts what the process holds
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	sim, err := simulator.Start(t.Context(), simulator.Options{Crowd: soakPeople, Remember: 1000, History: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	a, ctx := houseWith(t, t.TempDir(), "limits: {per_person_per_minute: 0}\nbudgets: {feishu: {calls: 0}, dingtalk: {calls: 0, pushes: 0}}\nagents: [{id: help, kind: echo, max_concurrent: 24}]\n"+channels(t, sim.Configs()), func(o *app.Options) {
		o.Echo = echo.Options{Delay: -1}
	})
	o, err := a.Overview(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range sim.Configs() {
		sim.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
	}
	var next atomic.Int64
	everybodyAsks(ctx, t, sim, &next, soakBefore)
	var sizes []size
	for part := 0; part < 4 && !t.Failed(); part++ {
		began := time.Now()
		everybodyAsks(ctx, t, sim, &next, soakBefore+int64(part+1)*int64(*soakMessages)/4)
		s := atRest(t, sizes)
		sizes = append(sizes, s)
		profile(t, part)
		t.Logf("after %d messages, the last at %.0f a second: %d goroutines, %d files, %.1f MiB in use",
			next.Load(), float64(*soakMessages)/4/time.Since(began).Seconds(), s.goroutines, s.files, float64(s.heap)/(1<<20))
	}
	if v := sim.Violations(); len(v) > 0 {
		t.Errorf("rules of the platforms were broken: %v", v)
	}
	if n := a.Notices(bridge.English); len(n) > 0 {
		t.Errorf("notices %+v", n)
	}
}

// everybodyAsks has questions asked and answered until there were so many.
func everybodyAsks(ctx context.Context, t *testing.T, sim *simulator.Simulator, next *atomic.Int64, until int64) {
	t.Helper()
	var writers sync.WaitGroup
	people := sim.Employees()
	for range soakWriters {
		writers.Go(func() {
			for n := next.Add(1); n <= until && !t.Failed(); n = next.Add(1) {
				askAndRead(ctx, t, sim, people[n%soakPeople], n)
			}
		})
	}
	writers.Wait()
	next.Store(until) // each writer has tried one more
}

// askAndRead asks one question and waits for its one answer. Most of it is on
// DingTalk, because the program keeps the other platforms' limits of calls.
func askAndRead(ctx context.Context, t *testing.T, sim *simulator.Simulator, who bridge.Employee, n int64) {
	t.Helper()
	p := who.Platforms[2]
	switch {
	case n%100 == 0:
		p = who.Platforms[0]
	case n%10 == 1:
		p = who.Platforms[1]
	}
	text := fmt.Sprintf("soaked-%d.", n)
	id, err := sim.Say(ctx, who.ID, p, text)
	if err != nil {
		t.Error(err)
		return
	}
	deadline := time.Now().Add(time.Minute)
	for {
		trace, _ := sim.Trace(id)
		if all := trace.Answers; len(all) > 0 && !all[0].Growing && strings.Contains(all[0].Text, text) {
			if len(all) > 1 {
				t.Errorf("%s on %s is answered %d times", text, p, len(all))
			}
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s on %s has no answer: %+v", text, p, trace)
			return
		}
		sleep(ctx, 3*time.Millisecond)
	}
}

// atRest waits until everything that is temporary is gone, and measures. After
// the first part nothing may have grown; a few connections more or less, each with
// both its ends in this process, are kept open at different times.
func atRest(t *testing.T, earlier []size) size {
	t.Helper()
	const few = 24
	s := measure()
	if len(earlier) == 0 {
		sleep(t.Context(), time.Second)
		return measure()
	}
	first := earlier[0]
	grown := func() bool {
		s = measure()
		return s.goroutines > first.goroutines+2*few || s.files > first.files+few || s.heap > first.heap+first.heap/4+(2<<20)
	}
	for tries := 0; grown(); tries++ {
		if tries == 20 {
			t.Errorf("it has grown from %+v to %+v", first, s)
			break
		}
		sleep(t.Context(), 250*time.Millisecond)
	}
	return s
}

func measure() size {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what was finalized in the first one
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // none elsewhere
	return size{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}

// profile keeps what is in use, for `go tool pprof -diff_base`.
func profile(t *testing.T, part int) {
	t.Helper()
	if *soakProfiles == "" {
		return
	}
	f, err := os.Create(filepath.Join(*soakProfiles, fmt.Sprintf("heap-%d.pprof", part)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close()); err != nil {
		t.Error(err)
	}
}

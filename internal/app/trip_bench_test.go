package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// paced is a Dify app that answers each question over a set time: silence, then
// the question itself as the first text, then filler, then a closing word.
type paced struct {
	silence, rest time.Duration

	mu    sync.Mutex
	wrote map[string]time.Time // when the first text of a question left
}

const closing = "(end)"

func (p *paced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	out := http.NewResponseController(w)
	_ = out.Flush()
	say := func(event, text string) {
		_, _ = fmt.Fprintf(w, "data: {\"event\":%q,\"conversation_id\":\"11111111-2222-4333-8444-555555555555\",\"message_id\":\"m\",\"task_id\":\"t\",\"answer\":%q,\"metadata\":{}}\n\n", event, text)
		_ = out.Flush()
	}
	if !sleep(r.Context(), p.silence) {
		return
	}
	p.mu.Lock()
	p.wrote[q.Query] = time.Now()
	p.mu.Unlock()
	say("message", q.Query+" ")
	const parts = 20
	for range parts {
		if !sleep(r.Context(), p.rest/parts) {
			return
		}
		say("message", "word ")
	}
	say("message", closing)
	say("message_end", "")
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// tap stands between us and the simulated platforms and notes when a call with
// a question's text first came by.
type tap struct {
	mu   sync.Mutex
	want map[string]chan time.Time
}

func (t *tap) expect(text string) <-chan time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.want[text] = make(chan time.Time, 1)
	return t.want[text]
}

func (t *tap) seen(body []byte) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for text, found := range t.want {
		if bytes.Contains(body, []byte(text)) {
			found <- now
			delete(t.want, text)
		}
	}
}

// through sends the calls of all bots through the tap.
func (t *tap) through(b *testing.B, configs []bridge.Config) []bridge.Config {
	b.Helper()
	for n, c := range configs {
		for key, value := range c.Settings {
			if key != "base_url" && key != "oapi_url" {
				continue
			}
			to, err := url.Parse(value)
			if err != nil {
				b.Fatal(err)
			}
			pass := httputil.NewSingleHostReverseProxy(to)
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				t.seen(body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				r.Host = to.Host
				pass.ServeHTTP(w, r)
			}))
			b.Cleanup(front.Close)
			configs[n].Settings[key] = front.URL
		}
	}
	return configs
}

// BenchmarkFirstText is the time from the agent's first text to the call that
// shows it, on platforms where an answer grows on screen. The draft is on
// screen by then, so no pause between two updates is in it.
func BenchmarkFirstText(b *testing.B) {
	agent := &paced{silence: 1500 * time.Millisecond, rest: 100 * time.Millisecond, wrote: map[string]time.Time{}}
	dify := httptest.NewServer(agent)
	b.Cleanup(dify.Close)
	taps := &tap{want: map[string]chan time.Time{}}
	_, ctx, sim := onPlatforms(b, fmt.Sprintf("limits: {per_person_per_minute: 0}\nagents: [{id: help, kind: dify, base_url: %q, max_concurrent: 20}]\n", dify.URL),
		func(c []bridge.Config) []bridge.Config { return taps.through(b, c) })
	var mu sync.Mutex
	var all []time.Duration
	round := 0
	for b.Loop() {
		round++
		var group sync.WaitGroup
		for _, e := range sim.Employees() {
			group.Go(func() {
				text := fmt.Sprintf("question-%d-of-%s", round, e.ID)
				found := taps.expect(text)
				screen := closed(ctx, sim, text)
				if _, err := sim.Say(ctx, e.ID, growing(b), text); err != nil {
					b.Error(err)
					return
				}
				at := <-found
				<-screen
				agent.mu.Lock()
				defer agent.mu.Unlock()
				mu.Lock()
				defer mu.Unlock()
				all = append(all, at.Sub(agent.wrote[text]))
			})
		}
		group.Wait()
	}
	slices.Sort(all)
	b.ReportMetric(milliseconds(all[len(all)/2]), "p50-ms")
	b.ReportMetric(milliseconds(all[len(all)*99/100]), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRoundTrip compares a question through us, from the platform's
// webhook to the whole answer on screen, with asking the agent directly.
func BenchmarkRoundTrip(b *testing.B) {
	agent := &paced{silence: 200 * time.Millisecond, rest: 1800 * time.Millisecond, wrote: map[string]time.Time{}}
	dify := httptest.NewServer(agent)
	b.Cleanup(dify.Close)
	_, ctx, sim := onPlatforms(b, fmt.Sprintf("limits: {per_person_per_minute: 0}\nagents: [{id: help, kind: dify, base_url: %q}]\n", dify.URL), nil)
	for _, p := range sim.Employees()[0].Platforms {
		b.Run(string(p), func(b *testing.B) {
			var direct, ours time.Duration
			round := 0
			for b.Loop() {
				round++
				start := time.Now()
				askDirectly(b, dify.URL, fmt.Sprintf("direct-%d", round))
				direct += time.Since(start)
				text := fmt.Sprintf("%s-%d-%d", p, b.N, round)
				screen := closed(ctx, sim, text)
				start = time.Now()
				if _, err := sim.Say(ctx, "zhang", p, text); err != nil {
					b.Fatal(err)
				}
				<-screen
				ours += time.Since(start)
			}
			b.ReportMetric(float64(ours)/float64(direct), "x-direct")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// growing is a platform whose answers grow on screen.
func growing(b *testing.B) bridge.Platform {
	b.Helper()
	for _, c := range app.Connectors() {
		if c.Modes[0].Capabilities.Stream {
			return c.Platform
		}
	}
	b.Skip("no platform streams")
	return ""
}

// closed is ready once the whole answer to a question is on screen.
func closed(ctx context.Context, sim *simulator.Simulator, text string) <-chan struct{} {
	done := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	changes := sim.Watch(ctx)
	go func() {
		defer stop()
		for bubble := range changes {
			if bubble.FromBot && strings.Contains(bubble.Text, text) && strings.Contains(bubble.Text, closing) {
				close(done)
				return
			}
		}
	}()
	return done
}

func askDirectly(b *testing.B, address, text string) {
	b.Helper()
	body := fmt.Sprintf(`{"query":%q,"user":"u","response_mode":"streaming","inputs":{}}`, text)
	resp, err := http.Post(address+"/v1/chat-messages", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), "message_end") {
			return
		}
	}
	b.Fatal("no end")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

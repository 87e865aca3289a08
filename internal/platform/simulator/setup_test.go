package simulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// bench is a simulator, with a callback that keeps what it is delivered.
type bench struct {
	*simulator.Simulator

	t    *testing.T
	bots map[bridge.Platform]bridge.Config

	mu     sync.Mutex
	hooks  map[string]string
	got    []callback
	answer http.HandlerFunc // in place of the good answer
}

// callback is one request to the callback.
type callback struct {
	bot    string
	method string
	query  map[string][]string
	header http.Header
	body   []byte
}

func setup(t *testing.T, opt simulator.Options) *bench {
	t.Helper()
	if opt.Platforms == nil {
		opt.Platforms = []bridge.Platform{"feishu", "wecom", "dingtalk"}
	}
	sim, err := simulator.Start(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Simulator: sim, t: t, bots: map[bridge.Platform]bridge.Config{}, hooks: map[string]string{}}
	hook := httptest.NewServer(http.HandlerFunc(b.callback))
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
		hook.Close()
	})
	for _, c := range sim.Configs() {
		b.bots[c.Platform] = c
		b.hooks[c.ID] = hook.URL + "/" + c.ID
		sim.Attach(c.ID, b.hooks[c.ID])
	}
	return b
}

func (b *bench) callback(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	b.got = append(b.got, callback{strings.TrimPrefix(r.URL.Path, "/"), r.Method, r.URL.Query(), r.Header.Clone(), body})
	answer := b.answer
	b.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

// answers changes what the callback does.
func (b *bench) answers(h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = h
}

// delivered returns what the callback was delivered so far.
func (b *bench) delivered() []callback {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]callback(nil), b.got...)
}

// result is the answer of an API.
type result struct {
	status int
	header http.Header
	body   string
	fields map[string]any
}

// at finds a value by its path.
func (r result) at(path string) any {
	var v any = r.fields
	for _, key := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// text is at for a text.
func (r result) text(path string) string {
	s, _ := r.at(path).(string)
	return s
}

// code is the platform's code, whichever name it has.
func (r result) code() any {
	for _, key := range []string{"code", "errcode"} {
		switch v := r.fields[key].(type) {
		case float64:
			return int(v)
		case string:
			return v
		}
	}
	return nil
}

// call calls an API below a bot's base_url.
func (b *bench) call(p bridge.Platform, method, path string, header map[string]string, body any) result {
	b.t.Helper()
	r, err := b.try(b.bots[p].Settings["base_url"]+path, method, header, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// try calls an address; the error is that of a lost connection.
func (b *bench) try(address, method string, header map[string]string, body any) (result, error) {
	b.t.Helper()
	var data []byte
	switch body := body.(type) {
	case nil:
	case string:
		data = []byte(body)
	default:
		var err error
		if data, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for key, value := range header {
		req.Header.Set(key, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return result{}, err //nolint:wrapcheck // looked at by the test
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return result{}, err //nolint:wrapcheck // looked at by the test
	}
	r := result{status: resp.StatusCode, header: resp.Header, body: string(answer)}
	_ = json.Unmarshal(answer, &r.fields) // a page of a gateway is none
	return r, nil
}

// lines returns the texts on an employee's screens, the bot's with a star.
func (b *bench) lines(employee string) []string {
	var all []string
	for _, bubble := range b.Bubbles(employee) {
		mark := ""
		if bubble.FromBot {
			mark = "*"
		}
		if bubble.Growing {
			mark += "…"
		}
		all = append(all, mark+bubble.Text)
	}
	return all
}

// noViolations is for the end of good conversations.
func (b *bench) noViolations() {
	b.t.Helper()
	if v := b.Violations(); len(v) > 0 {
		b.t.Errorf("violations: %q", v)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

package dify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

const key = "app-0123456789abcdef"

// answer is what a fake server says.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func jsonAnswer(status int, body string) answer {
	return answer{status, http.Header{"Content-Type": {"application/json"}, "X-Version": {"1.16.0"}}, []byte(body)}
}

func streamAnswer(events ...string) answer {
	body := "event: ping\n\n"
	for _, e := range events {
		body += "data: " + e + "\n\n"
	}
	return answer{200, http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}, []byte(body)}
}

// capture reads the recorded answer of a real server.
func capture(tb testing.TB, name string) answer {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "captures", name+".http"))
	if err != nil {
		tb.Fatal(err)
	}
	text = bytes.TrimPrefix(text, []byte("HTTP/1.1 100 Continue\r\n\r\n"))
	head, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	a := answer{header: http.Header{}, body: body}
	lines := strings.Split(string(head), "\r\n")
	if _, err := fmt.Sscanf(lines[0], "HTTP/1.1 %d", &a.status); err != nil {
		tb.Fatal(err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Content-Type", "X-Version", "Www-Authenticate":
			a.header.Set(name, value)
		}
	}
	return a
}

// request is what a fake server heard.
type request struct {
	method, path string
	header       http.Header
	body         map[string]any // of a form, the fields
	file         []byte
	part         string // the file's Content-Disposition and type
}

// parse reads a form as strictly as the server: one file with a name and a type,
// and the user.
func (q *request) parse(r *http.Request) error {
	if r.ContentLength <= 0 {
		return errors.New("a form without a length")
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return err
	}
	q.body = map[string]any{}
	for name, values := range r.MultipartForm.Value {
		q.body[name] = values[0]
	}
	for _, head := range r.MultipartForm.File["file"] {
		file, err := head.Open()
		if err != nil {
			return err
		}
		q.part = head.Filename + " " + head.Header.Get("Content-Type")
		if q.file, err = io.ReadAll(file); err != nil {
			return err
		}
	}
	return nil
}

// fake is a Dify server without a network: the next answer of a path is given,
// the last one for ever.
type fake struct {
	mu      sync.Mutex
	answers map[string][]answer
	heard   []request
	body    func([]byte) io.ReadCloser
}

func newFake(mode string, answers map[string][]answer) *fake {
	f := &fake{answers: map[string][]answer{"/v1/info": {jsonAnswer(200, `{"name":"Help","mode":"`+mode+`"}`)}}}
	for path, a := range answers {
		f.answers[path] = a
	}
	return f
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	heard := request{method: r.Method, path: r.URL.RequestURI(), header: r.Header}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := heard.parse(r); err != nil {
			return nil, err
		}
	} else if r.Body != nil {
		if err := json.NewDecoder(r.Body).Decode(&heard.body); err != nil {
			return nil, err
		}
	}
	f.heard = append(f.heard, heard)
	all := f.answers[r.URL.Path]
	if len(all) == 0 {
		return nil, errors.New("no answer to " + r.URL.Path)
	}
	if len(all) > 1 {
		f.answers[r.URL.Path] = all[1:]
	}
	a := all[0]
	body := io.NopCloser(bytes.NewReader(a.body))
	if f.body != nil && strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
		body = f.body(a.body)
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: body, Request: r}, nil
}

func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]request(nil), f.heard...)
}

func (f *fake) paths() []string {
	var all []string
	for _, r := range f.requests() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}

func open(tb testing.TB, c dify.Config) *dify.Agent {
	tb.Helper()
	if c.BaseURL == "" {
		c.BaseURL = "https://dify.example/v1"
	}
	c.Key = bridge.NewSecret(key)
	a, err := dify.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// pathOf is where an app of a mode is asked.
func pathOf(mode string) string {
	switch mode {
	case "workflow":
		return "/v1/workflows/run"
	case "completion":
		return "/v1/completion-messages"
	default:
		return "/v1/chat-messages"
	}
}

// heard is everything of an answer.
type heard struct {
	events []bridge.Event
	err    error
}

func ask(ctx context.Context, a bridge.Agent, q bridge.Question) heard {
	if q.Conversation.User == "" {
		q.Conversation.User = "u1"
	}
	if q.Text == "" {
		q.Text = "hello"
	}
	var h heard
	for event, err := range a.Ask(ctx, q) {
		if err != nil {
			h.err = err
			continue
		}
		h.events = append(h.events, event)
	}
	return h
}

// text is what a person sees in the end.
func (h heard) text() string {
	var text string
	for _, event := range h.events {
		switch e := event.(type) {
		case bridge.TextAdded:
			text += e.Text
		case bridge.TextReplaced:
			text = e.Text
		}
	}
	return text
}

func count[E bridge.Event](h heard) (n int, last E) {
	for _, event := range h.events {
		if e, ok := event.(E); ok {
			n, last = n+1, e
		}
	}
	return n, last
}

// String is the form of the golden files.
func (h heard) String() string {
	var b strings.Builder
	for _, event := range h.events {
		line, err := json.Marshal(event)
		if err != nil {
			line = []byte(err.Error())
		}
		fmt.Fprintf(&b, "%s %s\n", strings.TrimPrefix(fmt.Sprintf("%T", event), "bridge."), line)
	}
	if h.err != nil {
		fmt.Fprintf(&b, "error %s: %v\n", bridge.KindOf(h.err), h.err)
	}
	return b.String()
}

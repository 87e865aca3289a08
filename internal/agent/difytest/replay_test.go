package difytest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/difytest"
)

const captures = "../dify/testdata/captures"

// TestRecordedAnswers asks the fake what a real server of version 1.16.0 was asked,
// in the same order, and compares all that comes back.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	r := newReplay(t)
	for _, q := range requests(t) {
		r.prepare(q)
		r.replay(q)
	}
	r.strangers()
	all, err := filepath.Glob(captures + "/*.http")
	if err != nil || len(all) == 0 {
		t.Fatal(err, len(all))
	}
	for _, file := range all {
		name := strings.TrimSuffix(filepath.Base(file), ".http")
		if !r.compared[name] {
			t.Errorf("%s: not compared", name)
		}
	}
	t.Logf("%d of %d recorded answers compared", len(r.compared), len(all))
}

// replay is a session with the fake.
type replay struct {
	*testing.T

	server   *difytest.Server
	client   *http.Client
	ids      map[string]string // ours of each recorded
	recorded map[string]string // and the other way round
	compared map[string]bool
	running  map[string]*stream
	held     map[string]chan struct{}
	picture  []byte
}

// request is what a real server was asked.
type request struct{ name, method, path, app, body string }

// requests are those of the record, each once: what was asked twice was asked in
// vain before.
func requests(t *testing.T) []request {
	t.Helper()
	text, err := os.ReadFile(captures + "/requests.log")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^(\S+) (\S+) (\S+) app=(\S+) body=(.*) rc=\d+$`)
	var all []request
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		q := request{m[1], m[2], m[3], m[4], m[5]}
		all = slices.DeleteFunc(all, func(old request) bool { return old.name == q.name })
		all = append(all, q)
	}
	return all
}

// answer is an answer over the wire.
type answer struct {
	status int
	header http.Header
	body   string
}

func capture(t *testing.T, name string) answer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(captures, name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.TrimPrefix(text, []byte("HTTP/1.1 100 Continue\r\n\r\n"))
	head, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	a := answer{header: http.Header{}, body: string(body)}
	lines := strings.Split(string(head), "\r\n")
	if _, err := fmt.Sscanf(lines[0], "HTTP/1.1 %d", &a.status); err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, ": ")
		a.header.Set(key, value)
	}
	return a
}

// stream is an answer that is not over.
type stream struct {
	answer
	rest io.ReadCloser
}

func (r *replay) begin(q request) *stream {
	r.Helper()
	method, path, body := q.method, r.translate(q.path), r.translate(q.body)
	ctx, cancel := context.WithCancel(r.Context())
	r.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, r.server.URL+"/v1"+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer app-"+q.app)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return r.send(req)
}

func (r *replay) send(req *http.Request) *stream {
	r.Helper()
	res, err := r.client.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = res.Body.Close() })
	return &stream{answer{res.StatusCode, res.Header, ""}, res.Body}
}

// hear reads until something is heard, or to the end, which for some answers is an
// error.
func (s *stream) hear(until string) {
	piece := make([]byte, 4096)
	for err := error(nil); err == nil && (until == "" || !strings.Contains(s.body, until)); {
		var n int
		n, err = s.rest.Read(piece)
		s.body += string(piece[:n])
	}
}

// meanwhile are the answers that were running while something else was asked, and
// what had been heard of them.
func meanwhile(name string) (running, heard string) {
	switch name {
	case "stop_chat_wronguser":
		return "stop_chat_stream", `age to st","from_variable_selector":[]}` + "\n\n"
	case "stop_chatflow_wronguser":
		return "stop_chatflow_stream", `long mess","from_variable_selector":["llm1","text"]}` + "\n\n"
	case "conc_second_stream":
		return "conc_first", `you said: ","from_variable_selector":[]}` + "\n\n"
	case "hitl_form_submit":
		return "hitl_events_live", `"status":"paused","created_at":`
	}
	return "", ""
}

// prepare makes the server be as it was when something was asked.
func (r *replay) prepare(q request) {
	r.Helper()
	limit := func(app string, most int) { r.server.Edit("app-"+app, func(a *difytest.App) { a.Most = most }) }
	switch q.name {
	case "disc_chat":
		r.begin(request{"", "POST", "/chat-messages", "chat", `{"inputs":{},"query":"!slow 25","user":"u1","response_mode":"streaming"}`}).hear("")
	case "conc_second_stream":
		limit("chat", 1)
	case "conc_flow_first":
		limit("chat", 0)
		limit("chatflow", 1)
	case "fb_null_first":
		limit("chatflow", 0)
	case "file_chat_ok":
		r.uploads()
	}
	name, heard := meanwhile(q.name)
	if name == "" {
		return
	}
	all := requests(r.T)
	s := r.begin(all[slices.IndexFunc(all, func(q request) bool { return q.name == name })])
	s.hear(heard)
	r.bind(capture(r.T, name).body, s.body)
	r.running[name] = s
}

// replay asks what a real server was asked and compares the answers.
func (r *replay) replay(q request) {
	r.Helper()
	s := r.running[q.name]
	if s == nil {
		s = r.begin(q)
	} else if held := r.held[q.name]; held != nil {
		close(held)
	}
	s.hear("")
	for q.name == "disc_chatflow_messages" && strings.Contains(s.body, `"answer": ""`) { // it goes on without us
		s = r.begin(q)
		s.hear("")
	}
	r.compare(q.name, s.answer)
}

var volatile = []struct{ what, with string }{
	{`("(?:latency|time_to_first_token|time_to_generate|elapsed_time|provider_response_latency)": ?)[0-9.]+`, "${1}D"},
	{`("(?:created_at|finished_at|updated_at|expiration_time)": ?)\d{10}\b`, "${1}T"},
	{`("\d": ?)0\.\d+`, "${1}D"}, // of the rounds of a loop
	{`("(?:created_at|updated_at)": ?)"[-0-9T:]{19}"`, `${1}"T"`},
	{`http://127\.0\.0\.1:\d+`, "http://HOST"},
	{`timestamp=\d{10}&nonce=[0-9a-f]{32}&sign=[A-Za-z0-9_-]{43}%3D`, "SIGNED"},
}

const anID = `\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9]{22})\b`

// still is a body without what differs from time to time.
func still(body string) string {
	for _, v := range volatile {
		body = regexp.MustCompile(v.what).ReplaceAllString(body, v.with)
	}
	return regexp.MustCompile(anID).ReplaceAllString(body, "ID")
}

func (r *replay) compare(name string, got answer) {
	r.Helper()
	want := capture(r.T, name)
	r.compared[name] = true
	for _, h := range []http.Header{want.header, got.header} {
		for _, key := range []string{"Server", "Date", "Connection", "Content-Length", "Transfer-Encoding"} {
			h.Del(key)
		}
	}
	if name == "hitl_form_get_bad" { // what it takes for similar depends on the token
		want.body = regexp.MustCompile(` or /api/form.*\?`).ReplaceAllString(want.body, " ?")
	}
	if diff := cmp.Diff(want.header, got.header); diff != "" || want.status != got.status {
		r.Errorf("%s: status %d instead of %d, header:\n%s", name, got.status, want.status, diff)
	}
	if diff := cmp.Diff(lines(want.body), lines(got.body)); diff != "" {
		r.Errorf("%s:\n%s", name, diff)
		return
	}
	r.bind(want.body, got.body)
}

func lines(body string) []string { return strings.Split(still(body), "\n") }

// bind makes sure that whatever had the same id has it here too.
func (r *replay) bind(want, got string) {
	r.Helper()
	id := regexp.MustCompile(anID)
	all := id.FindAllString(want, -1)
	for i, ours := range id.FindAllString(got, -1) {
		theirs := all[i]
		if known, ok := r.ids[theirs]; ok && known != ours {
			r.Errorf("%s was %s before, and is %s now", theirs, known, ours)
		}
		if known, ok := r.recorded[ours]; ok && known != theirs {
			r.Errorf("%s was %s before, and is %s now", ours, known, theirs)
		}
		r.ids[theirs], r.recorded[ours] = ours, theirs
	}
}

// translate puts our ids into what a real server was asked.
func (r *replay) translate(text string) string {
	return regexp.MustCompile(anID).ReplaceAllStringFunc(text, func(id string) string {
		if ours := r.ids[id]; ours != "" {
			return ours
		}
		return id
	})
}

// uploads compares what comes of files.
func (r *replay) uploads() {
	r.Helper()
	r.picture = []byte(capture(r.T, "img_preview").body)
	text := []byte("hello file")
	for _, u := range []struct {
		name, app, user, file, kind string
		data                        []byte
		count                       int
	}{
		{"up_png", "chat", "u1", "p.png", "image/png", r.picture, 1},
		{"up_txt", "chatflow", "u1", "t.txt", "text/plain", text, 1},
		{"up_opus", "chatflow", "u1", "a.opus", "audio/opus", make([]byte, 104), 1},
		{"up_amr", "chatflow", "u1", "a.amr", "audio/amr", make([]byte, 106), 1},
		{"up_cn", "chat", "u1", "报告 2026.txt", "text/plain", text, 1},
		{"up_noext", "chat", "u1", "noext", "application/octet-stream", text, 1},
		{"up_nouser", "chat", "", "p.png", "image/png", r.picture, 1},
		{"up_bigpng", "chat", "u1", "p.png", "image/png", make([]byte, 10<<20+1), 1},
		{"up_bigpdf", "chat", "u1", "p.pdf", "application/pdf", make([]byte, 15<<20+1), 1},
		{"up_slash", "chat", "u1", "a/b.txt", "text/plain", text, 1},
		{"up_two", "chat", "u1", "p.png", "image/png", text, 2},
		{"up_nofile", "chat", "u1", "", "", nil, 0},
		{"", "chatimg", "u1", "p.png", "image/png", r.picture, 1},
	} {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		for range u.count {
			part, err := w.CreatePart(textproto.MIMEHeader{
				"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename="%s"`, u.file)}, "Content-Type": {u.kind},
			})
			if err != nil {
				r.Fatal(err)
			}
			_, _ = part.Write(u.data)
		}
		if u.user != "" {
			_ = w.WriteField("user", u.user)
		}
		_ = w.Close()
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.server.URL+"/v1/files/upload", &form)
		if err != nil {
			r.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer app-"+u.app)
		req.Header.Set("Content-Type", w.FormDataContentType())
		s := r.send(req)
		s.hear("")
		if u.name == "" { // it was not recorded, but used
			r.bind(`"7d2116f6-a8b1-47ce-9676-e8a3aeb95b2b"`, s.body[:46])
			continue
		}
		r.compare(u.name, s.answer)
	}
}

// strangers compares what comes of requests without the right key or type.
func (r *replay) strangers() {
	r.Helper()
	for _, q := range []struct{ name, method, path, authorization string }{
		{"err_badauth", "GET", "/info", "Bearer app-wrong"},
		{"err_noauth", "POST", "/chat-messages", ""},
		{"err_no_ctype", "POST", "/chat-messages", "Bearer app-chat"},
	} {
		req, err := http.NewRequestWithContext(r.Context(), q.method, r.server.URL+"/v1"+q.path, strings.NewReader("x=1"))
		if err != nil {
			r.Fatal(err)
		}
		req.Header.Set("Authorization", q.authorization)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s := r.send(req)
		s.hear("")
		r.compare(q.name, s.answer)
	}
}

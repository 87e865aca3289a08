package dify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

// modes tells of which kind the app of each recorded answer was.
func modes(tb testing.TB) map[string]string {
	tb.Helper()
	text, err := os.ReadFile("testdata/captures/modes.txt")
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, mode, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = mode
	}
	return all
}

// serve answers over a real connection, byte by byte.
func serve(t *testing.T, mode string, a answer) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/info":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"name":"x","mode":"`+mode+`"}`)
			return
		case "/v1/parameters":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"user_input_form":[]}`)
			return
		case pathOf(mode):
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.status)
		for i := range a.body {
			if _, err := w.Write(a.body[i : i+1]); err != nil {
				return // the client has heard enough
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestRecordedAnswers replays what a real server of version 1.16.0 sent.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	for name, mode := range modes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, dify.Config{BaseURL: serve(t, mode, capture(t, name))})
			got := ask(t.Context(), a, bridge.Question{}).String()
			golden := filepath.Join("testdata", "golden", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// pieces is a body that comes in random pieces.
type pieces struct {
	rest []byte
	dice *rand.Rand
}

func (p *pieces) Read(into []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(into, p.rest[:min(len(p.rest), 1+p.dice.IntN(700))])
	p.rest = p.rest[n:]
	return n, nil
}

func (*pieces) Close() error { return nil }

// replay answers with a body without a network.
func replay(t *testing.T, mode string, a answer, body func([]byte) io.ReadCloser) heard {
	t.Helper()
	f := newFake(mode, map[string][]answer{pathOf(mode): {a}, "/v1/parameters": {jsonAnswer(200, `{}`)}})
	f.body = body
	return ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{})
}

func TestPiecesMakeNoDifference(t *testing.T) {
	t.Parallel()
	for name, mode := range modes(t) {
		a := capture(t, name)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
			continue
		}
		want := replay(t, mode, a, nil).String()
		for seed := range uint64(20) {
			dice := rand.New(rand.NewPCG(seed, 1))
			got := replay(t, mode, a, func(all []byte) io.ReadCloser { return &pieces{all, dice} }).String()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, seed %d: %s", name, seed, diff)
			}
		}
		crlf := a
		crlf.body = bytes.ReplaceAll(a.body, []byte("\n"), []byte("\r\n"))
		crlf.body = append([]byte("\ufeff: a comment\r\nid: 7\r\nretry: 5\r\n\r\n"), crlf.body...)
		if diff := cmp.Diff(want, replay(t, mode, crlf, nil).String()); diff != "" {
			t.Errorf("%s with CRLF: %s", name, diff)
		}
	}
}

// endOf is where the event that makes an answer good or paused begins.
func endOf(body []byte) int {
	at := len(body)
	for _, name := range []string{"message_end", "workflow_finished", "workflow_paused"} {
		if i := bytes.Index(body, []byte(`data: {"event":"`+name+`"`)); i >= 0 {
			at = min(at, i)
		}
	}
	return at
}

// TestCutAnswerHasNoEnd cuts every stream everywhere before its end: it is
// never taken for a whole answer, and what was shown is a part of the whole.
func TestCutAnswerHasNoEnd(t *testing.T) {
	t.Parallel()
	for name, mode := range modes(t) {
		a := capture(t, name)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
			continue
		}
		end := endOf(a.body)
		dice := rand.New(rand.NewPCG(7, 7))
		for range 60 {
			cut := a
			// The last bytes of the line may be missing; then it is not yet JSON.
			cut.body = a.body[:dice.IntN(end+1)]
			h := replay(t, mode, cut, nil)
			ended, _ := count[bridge.Ended](h)
			paused, _ := count[bridge.Paused](h)
			if ended+paused > 0 || h.err == nil {
				t.Fatalf("%s cut at %d of %d:\n%s", name, len(cut.body), len(a.body), h)
			}
			kind := bridge.KindOf(h.err)
			if kind != bridge.KindAgentFailed && kind != bridge.KindRateLimited && (h.text() == "") != (kind == bridge.KindUnavailable) {
				t.Errorf("%s cut at %d: text %q, error %v", name, len(cut.body), h.text(), kind)
			}
		}
	}
}

const ids = `"conversation_id":"11111111-2222-4333-8444-555555555555","message_id":"m","task_id":"t"`

// TestOrders covers orders of events that the recorded server did not send.
func TestOrders(t *testing.T) {
	t.Parallel()
	message := func(kind, text string) string {
		return fmt.Sprintf(`{"event":%q,%s,"answer":%q}`, kind, ids, text)
	}
	end := `{"event":"message_end",` + ids + `,"metadata":{"usage":{"total_tokens":3,"total_price":"0E-7","currency":"USD","latency":1.5},` +
		`"retriever_resources":[{"document_name":"Rules.pdf","score":0.9,"content":"…"},{"document_name":"Rules.pdf","score":0.2},{"document_name":null,"score":null}]},` +
		`"files":[{"type":"image","url":"/files/1/a.png?sign=2","belongs_to":"assistant","filename":"a.png"}]}`
	finished := func(status, why string) string {
		return fmt.Sprintf(`{"event":"workflow_finished",%s,"workflow_run_id":"r","data":{"status":%q,"error":%q,"outputs":{"answer":"from the outputs"}}}`, ids, status, why)
	}
	for _, test := range []struct {
		name, mode string
		events     []string
		text       string
		kind       bridge.Kind // "" for a good end
		check      func(*testing.T, heard)
	}{
		{name: "new agent repeats its answer", mode: "agent", events: []string{message("agent_message", "Hel"), message("agent_message", "lo"), message("message", "Hello"), end}, text: "Hello"},
		{name: "new agent corrects its answer", mode: "agent", events: []string{message("agent_message", "Hel"), message("message", "Hello!"), end}, text: "Hello!"},
		{name: "older order", mode: "advanced-chat", events: []string{message("message", "Hi"), finished("succeeded", ""), end}, text: "Hi", check: func(t *testing.T, h heard) {
			t.Helper()
			if _, e := count[bridge.Ended](h); e.Usage.Tokens != 3 || e.Usage.Price != "0" || len(e.Sources) != 1 || e.Sources[0].Title != "Rules.pdf" || e.Sources[0].Score != 0.9 {
				t.Errorf("%+v", e)
			}
		}},
		{name: "message_end lost", mode: "advanced-chat", events: []string{message("message", "Hi"), finished("succeeded", "")}, text: "Hi"},
		{name: "nothing streamed", mode: "advanced-chat", events: []string{finished("succeeded", "")}, text: "from the outputs"},
		{name: "fails after its end", mode: "advanced-chat", events: []string{message("message", "Hi"), end, finished("failed", "Workflow stream ended without a terminal event")}, text: "Hi"},
		{name: "error after its end", mode: "chat", events: []string{message("message", "Hi"), end, `{"event":"error","code":"x","status":500}`}, text: "Hi"},
		{name: "fails", mode: "advanced-chat", events: []string{message("message", "Hi"), finished("failed", "boom"), message("message", "!")}, text: "Hi", kind: bridge.KindAgentFailed},
		{name: "its form misses something", mode: "advanced-chat", events: []string{finished("failed", "city is required in input form")}, kind: bridge.KindIncomplete},
		{name: "a step misses something", mode: "advanced-chat", events: []string{`{"event":"node_started",` + ids + `,"data":{}}`, finished("failed", "city is required in input form")}, kind: bridge.KindAgentFailed},
		{name: "nothing after an error", mode: "chat", events: []string{`{"event":"error","code":"rate_limit_error","status":429}`, message("message", "x"), end}, kind: bridge.KindRateLimited},
		{name: "text in message_file", mode: "chat", events: []string{
			message("message", "Look: "), `{"event":"message_file",` + ids + `,"id":"f","type":"image","belongs_to":"assistant","url":"https://x/a.png?sign=1"}`,
			`{"event":"message_file",` + ids + `,"answer":"nice"}`, `{"event":"message_file",` + ids + `,"type":"image","belongs_to":"user","url":"https://x/b.png"}`,
			`{"event":"message_file",` + ids + `,"id":"f","type":"image","belongs_to":"assistant","url":"https://x/a.png?sign=2"}`, end,
		}, text: "Look: nice", check: func(t *testing.T, h heard) {
			t.Helper()
			n, f := count[bridge.FileAdded](h)
			if want := (bridge.FileAdded{Kind: bridge.FileImage, Name: "a.png", URL: "https://dify.example/files/1/a.png?sign=2"}); n != 2 || f != want {
				t.Errorf("%d files, %+v", n, f)
			}
		}},
		{name: "unknown and odd events", mode: "chat", events: []string{
			`{"event":"hologram","data":[1]}`, `{"event":"node_started","data":"a string"}`, `not json`, `[]`, `7`, `{}`,
			`{"event":"message",` + ids + `,"answer":"Hi","created_at":"soon","tool_labels":[]}`, `{"event":"tts_message","audio":"//"}`, end, `{"event":"tts_message_end"}`,
		}, text: "Hi"},
		{name: "reasoning", mode: "chat", events: []string{message("message", "<th"), message("message", "ink>hm</thi"), message("message", "nk>\n\nHi"), end}, text: "Hi"},
		{name: "reasoning replaced", mode: "chat", events: []string{message("message", "<think>secret"), message("message_replace", "blocked"), end}, text: "blocked"},
		{name: "ends like a tag", mode: "chat", events: []string{message("message", "1 <"), end}, text: "1 <"},
		{name: "replaced", mode: "chat", events: []string{message("message", "secret"), message("message_replace", "blocked"), end}, text: "blocked"},
		{name: "workflow replaces", mode: "workflow", events: []string{`{"event":"text_chunk","data":{"text":"a"}}`, `{"event":"text_replace","data":{"text":"b"}}`, finished("succeeded", "")}, text: "b"},
		{name: "replaced by nothing", mode: "advanced-chat", events: []string{message("message", "secret"), message("message_replace", ""), finished("succeeded", ""), end}, text: ""},
		{name: "partly", mode: "workflow", events: []string{finished("partial-succeeded", "")}, text: "from the outputs"},
		{name: "stopped", mode: "advanced-chat", events: []string{message("message", "Hi"), finished("stopped", "Aborted")}, text: "Hi", check: func(t *testing.T, h heard) {
			t.Helper()
			if _, e := count[bridge.Ended](h); !e.Stopped {
				t.Error("not said to be stopped")
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := replay(t, test.mode, streamAnswer(test.events...), nil)
			ended, _ := count[bridge.Ended](h)
			if h.text() != test.text || bridge.KindOf(h.err) != test.kind || (ended == 1) != (test.kind == "") {
				t.Errorf("text %q, want %q; ended %d\n%s", h.text(), test.text, ended, h)
			}
			if test.check != nil {
				test.check(t, h)
			}
		})
	}
}

// TestLinks: files of the server's that stand as links in a text come as files,
// wherever the text is cut, and all other links stay.
func TestLinks(t *testing.T) {
	t.Parallel()
	long := "[" + strings.Repeat("x", 300) + "](/files/a.png)"
	for _, test := range []struct{ said, text, files string }{
		{"Look: ![a cat](/files/tools/7.png?sign=1) Nice!", "Look:  Nice!", "image 7.png https://dify.example/files/tools/7.png?sign=1"},
		{"![](https://dify.example/files/9/file-preview?sign=2)", "", "image file-preview https://dify.example/files/9/file-preview?sign=2"},
		{"Read [the report.pdf](/files/tools/8.pdf), please.", "Read the report.pdf, please.", "file the report.pdf https://dify.example/files/tools/8.pdf"},
		{"[x](https://example.com/files/a.png) ![y](https://example.com/b.png) [z](/help)", "[x](https://example.com/files/a.png) ![y](https://example.com/b.png) [z](/help)", ""},
		{"As in [1] and [2](see below)!", "As in [1] and [2](see below)!", ""},
		{"[![in](/files/a.png)](https://x) a[0]![", "[](https://x) a[0]![", "image a.png https://dify.example/files/a.png"},
		{"[never\nclosed](/files/a.png)" + long, "[never\nclosed](/files/a.png)" + long, ""},
		{"![twice](/files/a.png?sign=1)![twice](/files/a.png?sign=2)", "", "image a.png https://dify.example/files/a.png?sign=1"},
	} {
		for size := 1; size < 40; size += 3 {
			var events []string
			for piece := range slices.Chunk([]byte(test.said), size) {
				text, err := json.Marshal(string(piece))
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, `{"event":"message",`+ids+`,"answer":`+string(text)+`}`)
			}
			h := replay(t, "chat", streamAnswer(append(events, `{"event":"message_end",`+ids+`}`)...), nil)
			var files []string
			for _, event := range h.events {
				if f, ok := event.(bridge.FileAdded); ok {
					files = append(files, fmt.Sprint(f.Kind, " ", f.Name, " ", f.URL))
				}
			}
			if got := strings.Join(files, ", "); h.text() != test.text || got != test.files || h.err != nil {
				t.Fatalf("%q in pieces of %d: %q, files %q; %v", test.said, size, h.text(), got, h.err)
			}
		}
	}
}

// TestOutputs finds the answer of a workflow that streams nothing.
func TestOutputs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ outputs, key, want string }{
		{`{"text":"T","other":"O"}`, "", "T"},
		{`{"text":"T","other":"O"}`, "other", "O"},
		{`{"text":null,"summary":"S","n":1}`, "", "S"},
		{`{"result":{"a":1}}`, "", `{"a":1}`},
		{`{"a":"1","b":"2"}`, "", "```json\n{\n  \"a\": \"1\",\n  \"b\": \"2\"\n}\n```"},
		{`{"a":"1"}`, "missing", "1"},
		{`{}`, "", ""},
	} {
		f := newFake("workflow", map[string][]answer{
			"/v1/workflows/run": {streamAnswer(`{"event":"workflow_finished","workflow_run_id":"r","task_id":"t","data":{"status":"succeeded","outputs":` + test.outputs + `}}`)},
			"/v1/parameters":    {jsonAnswer(200, `{}`)},
		})
		h := ask(t.Context(), open(t, dify.Config{Transport: f, OutputKey: test.key}), bridge.Question{})
		if h.text() != test.want || h.err != nil {
			t.Errorf("%s: %q, want %q; %v", test.outputs, h.text(), test.want, h.err)
		}
	}
}

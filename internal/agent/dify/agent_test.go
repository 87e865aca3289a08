package dify_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

const (
	conversation = "11111111-2222-4333-8444-555555555555"
)

func good() answer {
	return streamAnswer(`{"event":"message",`+ids+`,"answer":"Hi"}`, `{"event":"message_end",`+ids+`}`)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://api.dify.ai":            "https://api.dify.ai/v1/info",
		"https://api.dify.ai/v1/":        "https://api.dify.ai/v1/info",
		" http://10.0.0.2:8080/dify/v1 ": "http://10.0.0.2:8080/dify/v1/info",
		"http://[::1]/dify":              "http://[::1]/dify/v1/info",
	} {
		got := ""
		a, err := dify.New(dify.Config{BaseURL: base, Key: bridge.NewSecret(" " + key + "\n"), Transport: transport(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			if r.Header.Get("Authorization") != "Bearer "+key {
				t.Errorf("authorization %q", r.Header.Get("Authorization"))
			}
			return nil, io.ErrUnexpectedEOF
		})})
		if err != nil {
			t.Fatal(err)
		}
		_ = ask(t.Context(), a, bridge.Question{})
		if got != want {
			t.Errorf("%q: %q", base, got)
		}
	}
	for _, c := range []dify.Config{
		{BaseURL: "api.dify.ai", Key: bridge.NewSecret(key)},
		{BaseURL: "ftp://x", Key: bridge.NewSecret(key)},
		{BaseURL: "https://u:p@x", Key: bridge.NewSecret(key)},
		{BaseURL: "https://x?a=b", Key: bridge.NewSecret(key)},
		{BaseURL: "https://x"},
		{BaseURL: "https://x", Key: bridge.NewSecret("app-1\nHost: y")},
		{BaseURL: "https://x", Key: bridge.NewSecret(key), AppType: "oracle"},
	} {
		if _, err := dify.New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestQuestions states what each kind of app is asked.
func TestQuestions(t *testing.T) {
	t.Parallel()
	form := jsonAnswer(200, `{"file_upload":{"enabled":true},"user_input_form":[{"text-input":{"variable":"platform","max_length":3}},{"select":{"variable":"color","options":["red"]}},{"select":{"variable":"lang"}},{"text-input":{"variable":"note"}},{"paragraph":{"variable":"frage","required":true,"default":"none"}}]}`)
	q := bridge.Question{
		ID: "job-7", Text: "why?", Conversation: bridge.Conversation{ID: conversation, User: "p1"}, Known: map[string]string{"platform": "wecom", "color": "blue", "user_name": "Li"},
		Files: []bridge.UploadedFile{{Kind: bridge.FileOther, ID: "f1"}, {Kind: bridge.FileImage, ID: "f2"}},
	}
	files := []any{
		map[string]any{"type": "document", "transfer_method": "local_file", "upload_file_id": "f1"},
		map[string]any{"type": "image", "transfer_method": "local_file", "upload_file_id": "f2"},
	}
	for _, test := range []struct {
		mode  string
		input string
		want  map[string]any
	}{
		{"chat", "", map[string]any{"query": "why?", "inputs": map[string]any{"platform": "wec", "frage": "none"}, "conversation_id": conversation, "auto_generate_name": false}},
		{"completion", "", map[string]any{"query": "why?", "inputs": map[string]any{"platform": "wec", "frage": "why?"}}},
		{"workflow", "", map[string]any{"inputs": map[string]any{"platform": "wec", "frage": "why?"}}},
		{"workflow", "note", map[string]any{"inputs": map[string]any{"platform": "wec", "note": "why?", "frage": "none"}}},
	} {
		f := newFake(test.mode, map[string][]answer{pathOf(test.mode): {good()}, "/v1/parameters": {form}})
		a := open(t, dify.Config{Transport: f, InputKey: test.input})
		for range 2 {
			if h := ask(t.Context(), a, q); h.err != nil || h.text() != "Hi" {
				t.Fatalf("%s: %s", test.mode, h)
			}
		}
		var asked []request
		for _, r := range f.requests() {
			if r.method == http.MethodPost {
				asked = append(asked, r)
			}
		}
		test.want["user"], test.want["response_mode"], test.want["files"] = "p1", "streaming", files
		if diff := cmp.Diff(test.want, asked[0].body); diff != "" || asked[0].path != pathOf(test.mode) || asked[0].header.Get("X-Trace-Id") != "job-7" {
			t.Errorf("%s: %s %s", test.mode, asked[0].path, diff)
		}
		if n := strings.Count(strings.Join(f.paths(), " "), "/v1/info"); n != 1 {
			t.Errorf("%s: looked the app up %d times", test.mode, n)
		}
	}
}

func TestUnknownMode(t *testing.T) {
	t.Parallel()
	old := jsonAnswer(200, `{"name":"x"}`)
	f := newFake("", map[string][]answer{"/v1/info": {old}, "/v1/chat-messages": {good()}})
	if h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{}); h.err != nil {
		t.Error(h)
	}
	f = newFake("", map[string][]answer{"/v1/completion-messages": {good()}})
	if h := ask(t.Context(), open(t, dify.Config{Transport: f, AppType: "completion", InputKey: "q"}), bridge.Question{}); h.err != nil || len(f.paths()) != 1 {
		t.Error(h, f.paths())
	}
}

// TestChangedApp: an app replaced by one of another kind is looked up anew; the
// refused question was not asked, so it is asked again, once.
func TestChangedApp(t *testing.T) {
	t.Parallel()
	wrong := jsonAnswer(400, `{"code":"not_chat_app","message":"Please check","status":400}`)
	f := newFake("chat", map[string][]answer{
		"/v1/info":          {jsonAnswer(200, `{"mode":"chat"}`), jsonAnswer(200, `{"mode":"workflow"}`)},
		"/v1/chat-messages": {wrong}, "/v1/workflows/run": {streamAnswer(`{"event":"workflow_finished","data":{"status":"succeeded","outputs":{"text":"Hi"}}}`)},
		"/v1/parameters": {jsonAnswer(200, `{}`)},
	})
	a := open(t, dify.Config{Transport: f})
	if h := ask(t.Context(), a, bridge.Question{}); h.err != nil || h.text() != "Hi" {
		t.Error(h)
	}
	want := []string{"GET /v1/info", "POST /v1/chat-messages", "GET /v1/info", "GET /v1/parameters", "POST /v1/workflows/run"}
	if diff := cmp.Diff(want, f.paths()); diff != "" {
		t.Error(diff)
	}
	f = newFake("chat", map[string][]answer{"/v1/chat-messages": {wrong}})
	if h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{}); bridge.KindOf(h.err) != bridge.KindAgentFailed || len(f.paths()) != 3 {
		t.Error(h, f.paths())
	}
}

// TestRefusals is the table of errors.
func TestRefusals(t *testing.T) {
	t.Parallel()
	dify400 := func(code, message string) answer {
		return jsonAnswer(400, fmt.Sprintf(`{"code":%q,"message":%q,"status":400}`, code, message))
	}
	html := func(status int) answer {
		return answer{status, http.Header{"Content-Type": {"text/html"}}, []byte("<html><title>Bad Gateway</title></html>")}
	}
	for name, test := range map[string]struct {
		answer answer
		kind   bridge.Kind
		code   string
	}{
		"key":              {capture(t, "err_badauth"), bridge.KindCredential, "unauthorized"},
		"forbidden":        {jsonAnswer(403, `{"code":"forbidden","message":"off","status":403}`), bridge.KindForbidden, "forbidden"},
		"busy, documented": {jsonAnswer(429, `{"code":"too_many_requests","message":"x","status":429}`), bridge.KindRateLimited, "too_many_requests"},
		"busy, real":       {capture(t, "conc_second_stream"), bridge.KindRateLimited, "invalid_param"},
		"plan":             {jsonAnswer(429, `{"code":"rate_limit_error","message":"x","status":429}`), bridge.KindQuota, "rate_limit_error"},
		"lost":             {capture(t, "err_conv_missing_chat_stream"), bridge.KindConversationLost, "not_found"},
		"completed":        {dify400("conversation_completed", "x"), bridge.KindConversationLost, "conversation_completed"},
		"other 404":        {capture(t, "err_workflow_id2"), bridge.KindNotFound, "not_found"},
		"no provider":      {dify400("provider_not_initialize", "x"), bridge.KindAgentFailed, "provider_not_initialize"},
		"model":            {dify400("completion_request_error", "x"), bridge.KindAgentFailed, "completion_request_error"},
		"request":          {dify400("invalid_param", "city is required"), bridge.KindInvalid, "invalid_param"},
		"server":           {jsonAnswer(500, `{"code":"internal_server_error","message":"x","status":500}`), bridge.KindUnavailable, "internal_server_error"},
		"plugin":           {jsonAnswer(502, `{"code":"plugin_runtime_error","message":"x"}`), bridge.KindUnavailable, "plugin_runtime_error"},
		"proxy 502":        {html(502), bridge.KindUnavailable, "http_502"},
		"proxy 404":        {html(404), bridge.KindUnavailable, "http_404"},
		"proxy 401":        {html(401), bridge.KindUnavailable, "http_401"},
		"proxy 429":        {html(429), bridge.KindRateLimited, "http_429"},
		"page":             {html(200), bridge.KindUnavailable, "not_dify"},
		"other JSON":       {jsonAnswer(200, `{"hello":"world"}`), bridge.KindUnavailable, "not_dify"},
		"redirect":         {answer{301, http.Header{"Location": {"https://elsewhere/v1"}}, nil}, bridge.KindInvalid, "http_301"},
		"too large":        {jsonAnswer(413, `{"code":"file_too_large","message":""}`), bridge.KindTooLarge, "file_too_large"},
	} {
		f := newFake("chat", map[string][]answer{"/v1/chat-messages": {test.answer}})
		h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{Conversation: bridge.Conversation{ID: conversation}})
		var e *bridge.Error
		if !errors.As(h.err, &e) || e.Kind != test.kind || e.Code != test.code || len(h.events) > 0 {
			t.Errorf("%s: %v %v %+v", name, bridge.KindOf(h.err), h, e)
		}
		if len(f.paths()) != 2 {
			t.Errorf("%s: asked again: %v", name, f.paths())
		}
	}
}

// TestKeyStaysSecret: not even a server that repeats the key gets it into a log.
func TestKeyStaysSecret(t *testing.T) {
	t.Parallel()
	body := `{"code":"unauthorized","message":"the key ` + key + ` is wrong"}`
	for _, a := range []answer{
		jsonAnswer(401, body),
		{307, http.Header{"Location": {"https://x/?k=" + key}}, nil},
		streamAnswer(`{"event":"error","code":"x","message":"` + key + `"}`),
		streamAnswer(`{"event":"workflow_finished","data":{"status":"failed","error":"` + key + `"}}`),
	} {
		f := newFake("chat", map[string][]answer{"/v1/chat-messages": {a}})
		if h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{}); h.err == nil || strings.Contains(fmt.Sprintf("%v %+v", h.err, h.err), key) {
			t.Errorf("%v", h.err)
		}
	}
	a := open(t, dify.Config{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("bad " + key) })})
	if h := ask(t.Context(), a, bridge.Question{}); h.err == nil || strings.Contains(h.err.Error(), key) {
		t.Errorf("%v", h.err)
	}
	if strings.Contains(fmt.Sprintf("%v", dify.Config{Key: bridge.NewSecret(key)}), key) {
		t.Error("the config shows its key")
	}
}

func TestConnectionErrors(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	untrusted := &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
	for _, test := range []struct {
		err       error
		uncertain bool
	}{{refused, false}, {untrusted, false}, {io.ErrUnexpectedEOF, true}} {
		f := newFake("chat", nil)
		a := open(t, dify.Config{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return f.RoundTrip(r)
			}
			return nil, test.err
		})})
		h := ask(t.Context(), a, bridge.Question{})
		var e *bridge.Error
		if !errors.As(h.err, &e) || e.Kind != bridge.KindUnavailable || e.Uncertain != test.uncertain {
			t.Errorf("%v: %+v", test.err, e)
		}
	}
}

// TestNothingAsked: when not even the app could be looked up, it is certain
// that the question was not asked.
func TestNothingAsked(t *testing.T) {
	t.Parallel()
	f := newFake("", map[string][]answer{"/v1/info": {jsonAnswer(500, `{"code":"unknown"}`)}})
	h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{})
	var e *bridge.Error
	if !errors.As(h.err, &e) || e.Kind != bridge.KindUnavailable || e.Uncertain || len(f.paths()) != 1 {
		t.Errorf("%+v, %v", e, f.paths())
	}
}

// TestConversationLost covers what does not come as a refusal.
func TestConversationLost(t *testing.T) {
	t.Parallel()
	lost := jsonAnswer(404, `{"code":"not_found","message":"Conversation Not Exists. …","status":404}`)
	q := bridge.Question{Conversation: bridge.Conversation{ID: conversation, User: "u"}}
	f := newFake("advanced-chat", map[string][]answer{"/v1/chat-messages": {streamAnswer()}, "/v1/messages": {lost}})
	if h := ask(t.Context(), open(t, dify.Config{Transport: f}), q); bridge.KindOf(h.err) != bridge.KindConversationLost {
		t.Errorf("silence: %v", h)
	}
	f = newFake("advanced-chat", map[string][]answer{"/v1/chat-messages": {streamAnswer()}, "/v1/messages": {jsonAnswer(200, `{"data":[]}`)}})
	if h := ask(t.Context(), open(t, dify.Config{Transport: f}), q); bridge.KindOf(h.err) != bridge.KindUnavailable {
		t.Errorf("silence, but known: %v", h)
	}
	f = newFake("chat", nil)
	q.Conversation.ID = "echo-1"
	if h := ask(t.Context(), open(t, dify.Config{Transport: f}), q); bridge.KindOf(h.err) != bridge.KindConversationLost || len(f.paths()) != 1 {
		t.Errorf("another agent's id: %v %v", h, f.paths())
	}
}

func TestLongUser(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("用", 300)
	f := newFake("chat", map[string][]answer{"/v1/chat-messages": {good()}})
	h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{Conversation: bridge.Conversation{User: long}})
	_, started := count[bridge.Started](h)
	sent, _ := f.requests()[1].body["user"].(string)
	if started.Conversation.User != long || sent == "" || len(sent) > 255 {
		t.Errorf("sent %q, told %q", sent, started.Conversation.User)
	}
}

// silent is a body that says something and then nothing until the request ends.
type silent struct {
	ctx  context.Context //nolint:containedctx // as in a real connection
	rest io.Reader
}

func (s *silent) Read(into []byte) (int, error) {
	if n, _ := s.rest.Read(into); n > 0 {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (*silent) Close() error { return nil }

// silence is a server that is silent after some text; without any it does not
// even send a header.
func silence(mode string, a answer) transport {
	f := newFake(mode, map[string][]answer{"/v1/parameters": {jsonAnswer(200, `{}`)}})
	return func(r *http.Request) (*http.Response, error) {
		switch {
		case r.URL.Path == "/v1/info", r.URL.Path == "/v1/parameters":
			return f.RoundTrip(r)
		case len(a.body) == 0:
			<-r.Context().Done()
			return nil, r.Context().Err()
		default:
			return &http.Response{StatusCode: http.StatusOK, Header: a.header, Body: &silent{r.Context(), strings.NewReader(string(a.body))}}, nil
		}
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	hello := `{"event":"message",` + ids + `,"answer":"Hi"}`
	end := `{"event":"message_end",` + ids + `}`
	for name, test := range map[string]struct {
		answer  answer
		timeout time.Duration
		after   time.Duration
		kind    bridge.Kind
	}{
		"no header":       {answer{}, 0, time.Minute, bridge.KindUnavailable},
		"pings only":      {streamAnswer(), 0, time.Minute, bridge.KindUnavailable},
		"in the middle":   {streamAnswer(hello), 0, time.Minute, bridge.KindInterrupted},
		"after the end":   {streamAnswer(hello, end), 0, 3 * time.Second, ""},
		"altogether":      {streamAnswer(hello), 20 * time.Second, 20 * time.Second, bridge.KindInterrupted},
		"before a header": {answer{}, 20 * time.Second, 20 * time.Second, bridge.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := open(t, dify.Config{Transport: silence("chat", test.answer), Timeout: test.timeout})
				start := time.Now()
				h := ask(t.Context(), a, bridge.Question{})
				if bridge.KindOf(h.err) != test.kind || time.Since(start) != test.after {
					t.Errorf("after %v: %v", time.Since(start), h)
				}
			})
		})
	}
}

// TestSlowCaller: the silence of a caller who is busy is not the server's, even if
// this computer slept meanwhile.
func TestSlowCaller(t *testing.T) {
	t.Parallel()
	for _, slept := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("chat", map[string][]answer{"/v1/chat-messages": {good()}})
			a := open(t, dify.Config{Transport: transport(func(r *http.Request) (*http.Response, error) {
				res, err := f.RoundTrip(r)
				if err == nil && r.Method == http.MethodPost {
					res.Body = &drips{r.Context(), res.Body}
				}
				return res, err
			})})
			ended := false
			for event, err := range a.Ask(t.Context(), bridge.Question{Text: "x", Conversation: bridge.Conversation{User: "u"}}) {
				if err != nil {
					t.Fatal(err)
				}
				_, ended = event.(bridge.Ended)
				if slept {
					a.Renew()
				}
				<-time.After(2 * time.Minute)
			}
			if !ended {
				t.Errorf("no end, slept: %t", slept)
			}
		})
	}
}

// drips is a connection that gives one byte at a time, until it is closed.
type drips struct {
	ctx context.Context //nolint:containedctx // as in a real connection
	io.ReadCloser
}

func (d *drips) Read(into []byte) (int, error) {
	if d.ctx.Err() != nil {
		return 0, d.ctx.Err()
	}
	return d.ReadCloser.Read(into[:1])
}

// TestLeaving: breaking out or canceling ends the request at once.
func TestLeaving(t *testing.T) {
	t.Parallel()
	hello := streamAnswer(`{"event":"message",` + ids + `,"answer":"Hi"}`)
	synctest.Test(t, func(t *testing.T) {
		var request *http.Request
		server := silence("chat", hello)
		a := open(t, dify.Config{Transport: transport(func(r *http.Request) (*http.Response, error) {
			request = r
			return server(r)
		})})
		start := time.Now()
		for event, err := range a.Ask(t.Context(), bridge.Question{Text: "x", Conversation: bridge.Conversation{User: "u"}}) {
			if _, ok := event.(bridge.TextAdded); ok || err != nil {
				break
			}
		}
		if request.Context().Err() == nil || time.Since(start) != 0 {
			t.Error("the connection is still open")
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, stop)
		h := ask(ctx, a, bridge.Question{})
		if bridge.KindOf(h.err) != bridge.KindCanceled || !errors.Is(h.err, context.Canceled) || time.Since(start) != 5*time.Second {
			t.Errorf("%v", h)
		}
	})
}

package difytest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/internal/agent/difytest"
)

// post asks the only app of a server, and returns the body of the answer.
func post(t *testing.T, s *difytest.Server, path, body string) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+difytest.Key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res.Body
}

// until reads a stream until something is in it, or to its end.
func until(body io.Reader, what string) string {
	heard, piece := "", make([]byte, 1)
	for what == "" || !strings.Contains(heard, what) {
		n, err := io.ReadFull(body, piece)
		heard += string(piece[:n])
		if err != nil {
			break
		}
	}
	return heard
}

// halfWay is an answer of two words, of which the second one waits until on is
// closed.
func halfWay(on <-chan struct{}) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if yield("one ") {
			<-on
			yield("two")
		}
	}
}

// stop stops the answer on a path of which something was heard.
func stop(t *testing.T, s *difytest.Server, path, heard, user string) {
	t.Helper()
	_, task, _ := strings.Cut(heard, `"task_id":"`)
	task, _, _ = strings.Cut(task, `"`)
	_ = until(post(t, s, path+"/"+task+"/stop", `{"user":"`+user+`"}`), "")
}

const asked = `{"inputs":{},"query":"hello","user":"u1","response_mode":"streaming"}`

// TestStopByOthers: only a flow is stopped by anybody.
func TestStopByOthers(t *testing.T) {
	t.Parallel()
	for mode, end := range map[string]string{"chat": "one two", "agent-chat": "one two", "advanced-chat": "Aborted: User requested stop"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			on := make(chan struct{})
			s := difytest.New(t, difytest.App{Mode: mode, Answer: func(difytest.Question) difytest.Answer {
				return difytest.Answer{Parts: halfWay(on)}
			}})
			body := post(t, s, "/chat-messages", asked)
			heard := until(body, `"one "`)
			stop(t, s, "/chat-messages", heard, "u2")
			close(on)
			heard += until(body, "")
			if stopped := !strings.Contains(heard, `"two"`); stopped != strings.HasPrefix(end, "Aborted") || stopped && !strings.Contains(heard, end) {
				t.Errorf("heard %s", heard)
			}
		})
	}
}

// TestSilence: pings come while nothing else does, in a chat before anything.
func TestSilence(t *testing.T) {
	t.Parallel()
	on := make(chan struct{})
	s := difytest.New(t, difytest.App{Ping: time.Millisecond, Answer: func(difytest.Question) difytest.Answer {
		<-on
		return difytest.Answer{Text: "late"}
	}})
	body := post(t, s, "/chat-messages", asked)
	heard := until(body, "event: ping\n\nevent: ping\n\n")
	close(on)
	if heard += until(body, ""); strings.Index(heard, "late") < strings.Index(heard, "ping") || !strings.Contains(heard, "message_end") {
		t.Errorf("heard %s", heard)
	}
}

// TestCut: a connection that breaks ends without an end; a chatflow goes on
// without it, a chat is lost.
func TestCut(t *testing.T) {
	t.Parallel()
	for mode, kept := range map[string]string{"chat": `"answer": ""`, "advanced-chat": `"answer": "one two"`} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := difytest.New(t, difytest.App{Mode: mode, Answer: func(difytest.Question) difytest.Answer {
				return difytest.Answer{Cut: 1, Parts: func(yield func(string) bool) { _ = yield("one ") && yield("two") }}
			}})
			body := post(t, s, "/chat-messages", asked)
			heard := until(body, "")
			if _, err := body.Read(make([]byte, 1)); err == nil || err == io.EOF || strings.Contains(heard, "two") {
				t.Errorf("%v, heard %s", err, heard)
			}
			_, talk, _ := strings.Cut(heard, `"conversation_id":"`)
			talk, _, _ = strings.Cut(talk, `"`)
			for got := ""; !strings.Contains(got, kept); {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/messages?user=u1&conversation_id="+talk, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+difytest.Key)
				list, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got = until(list.Body, "")
				_ = list.Body.Close()
			}
		})
	}
}

// get asks one app something, and returns the status and the body.
func get(t *testing.T, s *difytest.Server, key, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, until(res.Body, "")
}

// TestWrongMode: paths are for apps of some modes only.
func TestWrongMode(t *testing.T) {
	t.Parallel()
	s := difytest.New(t, difytest.App{Key: "app-chat"}, difytest.App{Key: "app-flow", Mode: "advanced-chat"}, difytest.App{Key: "app-work", Mode: "workflow"})
	const id = "22222222-3333-4444-8555-000000000000"
	for _, c := range []struct{ key, method, path, code string }{
		{"app-work", "POST", "/chat-messages/x/stop", "not_chat_app"},
		{"app-chat", "POST", "/completion-messages/x/stop", "app_unavailable"},
		{"app-flow", "POST", "/workflows/tasks/x/stop", "not_workflow_app"},
		{"app-chat", "GET", "/workflows/run/x", "not_workflow_app"},
		{"app-chat", "GET", "/workflow/x/events?user=u1", "not_workflow_app"},
		{"app-work", "GET", "/messages?user=u1&conversation_id=" + id, "not_chat_app"},
		{"app-work", "GET", "/messages/" + id + "/suggested?user=u1", "not_chat_app"},
		{"app-work", "GET", "/conversations?user=u1", "not_chat_app"},
		{"app-work", "DELETE", "/conversations/" + id, "not_chat_app"},
		{"app-work", "POST", "/conversations/" + id + "/name", "not_chat_app"},
		{"app-work", "GET", "/conversations/" + id + "/variables?user=u1", "not_chat_app"},
		{"app-flow", "POST", "/workflows/tasks/x/stop", "not_workflow_app"},
	} {
		body := ""
		if c.method != "GET" {
			body = `{"user":"u1","name":"x"}`
		}
		if status, got := get(t, s, c.key, c.method, c.path, body); status != 400 || !strings.Contains(got, `"code": "`+c.code+`"`) {
			t.Errorf("%s %s of %s: %d %s", c.method, c.path, c.key, status, got)
		}
	}
}

// TestLists: of lists one gets a page, in the order one wants.
func TestLists(t *testing.T) {
	t.Parallel()
	s := difytest.New(t)
	talk := ""
	for _, q := range []string{"one", "two", "three"} {
		_, got := get(t, s, difytest.Key, "POST", "/chat-messages", `{"inputs":{},"query":"`+q+`","user":"u1","conversation_id":"`+talk+`"}`)
		_, talk, _ = strings.Cut(got, `"conversation_id": "`)
		talk, _, _ = strings.Cut(talk, `"`)
	}
	_, _ = get(t, s, difytest.Key, "POST", "/chat-messages", `{"inputs":{},"query":"other","user":"u1"}`)
	all := "/messages?user=u1&conversation_id=" + talk
	_, newest := get(t, s, difytest.Key, "GET", all+"&limit=1", "")
	_, first, _ := strings.Cut(newest, `"id": "`)
	first, _, _ = strings.Cut(first, `"`)
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{all + "&limit=1", 200, `"query": "three"`},
		{all + "&limit=1&first_id=" + first, 200, `"query": "two"`},
		{all + "&first_id=nobody", 404, "First Message Not Exists."},
		{all + "&limit=101", 400, "1 validation error for MessageListQuery\\nlimit\\n  Input should be less than or equal to 100 [type=less_than_equal, input_value='101', input_type=str]"},
		{"/conversations?user=u1&limit=0", 400, "Input should be greater than or equal to 1"},
		{"/conversations?user=u1&limit=x", 400, "unable to parse string as an integer"},
		{"/conversations?user=u1&limit=1", 200, `"name": "other"`},
		{"/conversations?user=u1&limit=1&sort_by=created_at", 200, `"name": "one"`},
		{"/conversations?user=u1&sort_by=name", 400, "Input should be 'created_at', '-created_at', 'updated_at' or '-updated_at'"},
		{"/conversations?user=" + strings.Repeat("u", 256), 500, `{"message": "Internal Server Error", "code": "unknown", "status": 500}`},
		{"/conversations?user=" + strings.Repeat("u", 255), 200, `"data": []`},
	} {
		if status, got := get(t, s, difytest.Key, "GET", c.path, ""); status != c.status || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s", c.path, status, got)
		}
	}
}

// TestNewAgent: the newer kind of agent says its answer twice, and cannot do
// otherwise than stream.
func TestNewAgent(t *testing.T) {
	t.Parallel()
	s := difytest.New(t, difytest.App{Mode: "agent", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Text: "Hi", Sources: []string{"Rules"}}
	}})
	if status, got := get(t, s, difytest.Key, "POST", "/chat-messages", strings.Replace(asked, "streaming", "blocking", 1)); status != 400 || !strings.Contains(got, "bad_request") {
		t.Errorf("blocking: %d %s", status, got)
	}
	_, got := get(t, s, difytest.Key, "POST", "/chat-messages", strings.Replace(asked, `,"response_mode":"streaming"`, "", 1))
	pieces, rest, _ := strings.Cut(got, `"event":"message",`)
	whole, end, _ := strings.Cut(rest, "message_end")
	if !strings.Contains(pieces, `"agent_message"`) || !strings.Contains(whole, `"answer":"Hi"`) || end == "" || strings.Contains(got, "Rules") {
		t.Errorf("heard %s", got)
	}
}

// TestStopCompletion: who asked stops it.
func TestStopCompletion(t *testing.T) {
	t.Parallel()
	on := make(chan struct{})
	s := difytest.New(t, difytest.App{Mode: "completion", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Parts: halfWay(on)}
	}})
	body := post(t, s, "/completion-messages", asked)
	heard := until(body, `"one "`)
	stop(t, s, "/completion-messages", heard, "u1")
	close(on)
	if heard += until(body, ""); strings.Contains(heard, `"two"`) || !strings.Contains(heard, "message_end") {
		t.Errorf("heard %s", heard)
	}
}

// TestStopKeeps: what was said before a stop is kept, unless the connection broke
// before it.
func TestStopKeeps(t *testing.T) {
	t.Parallel()
	for mode, path := range map[string]string{"chat": "/chat-messages", "agent-chat": "/chat-messages", "completion": "/completion-messages"} {
		for cut, want := range []string{"one ", ""} {
			t.Run(fmt.Sprint(mode, cut), func(t *testing.T) {
				t.Parallel()
				on := make(chan struct{})
				defer close(on)
				s := difytest.New(t, difytest.App{Mode: mode, Answer: func(difytest.Question) difytest.Answer {
					return difytest.Answer{Cut: cut, Parts: func(yield func(string) bool) {
						if yield("one ") {
							<-on
						}
					}}
				}})
				body := post(t, s, path, asked)
				heard := until(body, `"one "`)
				for range 2 {
					stop(t, s, path, heard, "u1")
				}
				_ = until(body, "") // the model is silent, and the end comes all the same
				if got := s.Kept("u1"); got["hello"] != want {
					t.Errorf("kept %q", got)
				}
			})
		}
	}
}

// TestLateForm: after its time a form cannot be filled in.
func TestLateForm(t *testing.T) {
	t.Parallel()
	s := difytest.New(t, difytest.App{Mode: "advanced-chat", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Form: "Really?", Within: -time.Minute}
	}})
	_, got := get(t, s, difytest.Key, "POST", "/chat-messages", asked)
	_, token, _ := strings.Cut(got, `"form_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if status, got := get(t, s, difytest.Key, "POST", "/form/human_input/"+token, `{"inputs":{"comment":"x"},"action":"approve","user":"u1"}`); status != 412 || !strings.Contains(got, "human_input_form_expired") {
		t.Errorf("%d %s", status, got)
	}
}

package dify_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

const runID = "99999999-2222-4333-8444-555555555555"

func resumed(run string) bridge.Question {
	return bridge.Question{Conversation: bridge.Conversation{ID: conversation, User: "u"}, Run: bridge.Run{Run: run}}
}

func TestResume(t *testing.T) {
	t.Parallel()
	const path = "/v1/workflows/run/" + runID
	running := jsonAnswer(200, `{"status":"running"}`)
	for name, test := range map[string]struct {
		mode    string
		answers []answer
		text    string
		kind    bridge.Kind
		after   time.Duration
		stopped bool
	}{
		"workflow":          {"workflow", []answer{jsonAnswer(200, `{"status":"partial-succeeded","outputs":{"text":"<think>x</think>Hi"}}`)}, "Hi", "", 0, false},
		"stopped":           {"workflow", []answer{jsonAnswer(200, `{"status":"stopped","outputs":{"text":"Hi"}}`)}, "Hi", "", 0, true},
		"failed":            {"workflow", []answer{jsonAnswer(200, `{"status":"failed","error":"boom"}`)}, "", bridge.KindAgentFailed, 0, false},
		"never ends":        {"workflow", []answer{running}, "", bridge.KindUnavailable, 10 * time.Minute, false},
		"takes long":        {"workflow", slices.Concat(slices.Repeat([]answer{running}, 52), []answer{jsonAnswer(200, `{"status":"succeeded","outputs":{"text":"Hi"}}`)}), "Hi", "", 203 * time.Second, false},
		"away":              {"workflow", slices.Concat(slices.Repeat([]answer{running}, 10), []answer{jsonAnswer(502, "<html>")}), "", bridge.KindUnavailable, 91 * time.Second, false},
		"unknown":           {"workflow", []answer{jsonAnswer(404, `{"code":"not_found","message":"Workflow run not found"}`)}, "", bridge.KindNotFound, 0, false},
		"refused":           {"workflow", []answer{capture(t, "err_badauth")}, "", bridge.KindCredential, 0, false},
		"chat cannot":       {"chat", nil, "", bridge.KindUnsupported, 0, false},
		"agent cannot":      {"agent", nil, "", bridge.KindUnsupported, 0, false},
		"completion cannot": {"completion", nil, "", bridge.KindUnsupported, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(test.mode, map[string][]answer{path: test.answers, "/v1/parameters": {jsonAnswer(200, `{}`)}})
				start := time.Now()
				h := ask(t.Context(), open(t, dify.Config{Transport: f}), resumed(runID))
				ended, end := count[bridge.Ended](h)
				if h.text() != test.text || bridge.KindOf(h.err) != test.kind || (ended == 1) != (test.kind == "") || time.Since(start) != test.after || end.Stopped != test.stopped {
					t.Errorf("after %v: %v", time.Since(start), h)
				}
				if test.kind != "" && len(h.events) > 0 {
					t.Errorf("told something before: %v", h)
				}
				for _, p := range f.paths() {
					if strings.HasPrefix(p, "POST") {
						t.Errorf("asked: %s", p)
					}
				}
			})
		})
	}
}

// TestResumeChatflow takes the answer from the message, once it is saved, and
// never from the run: what the run put out was not moderated.
func TestResumeChatflow(t *testing.T) {
	t.Parallel()
	const kept = "0215aac5-7714-4655-b1e6-65c84b079116" // in the recorded list
	running, empty := jsonAnswer(200, `{"status":"running"}`), jsonAnswer(200, `{"data":[{"id":"`+kept+`","answer":""}]}`)
	leaky := jsonAnswer(200, `{"status":"succeeded","outputs":{"answer":"The password is secret"}}`)
	blocked := jsonAnswer(200, `{"data":[{"id":"other","answer":"no"},{"id":"`+kept+`","answer":"OUTPUT BLOCKED"}]}`)
	for name, test := range map[string]struct {
		runs, messages []answer
		message, text  string
		kind           bridge.Kind
		after          time.Duration
	}{
		"recorded":    {[]answer{running, jsonAnswer(502, "<html>"), capture(t, "disc_chatflow_run")}, []answer{capture(t, "disc_chatflow_messages")}, kept, "你好，you said: !gap 1 abcdefghijklmnopqrstuvwxyz ✅\n\n- **a**\n- b", "", 3 * time.Second},
		"moderated":   {[]answer{leaky}, []answer{blocked}, kept, "OUTPUT BLOCKED", "", 0},
		"saved later": {[]answer{leaky}, []answer{empty, blocked}, kept, "OUTPUT BLOCKED", "", time.Second},
		"never saved": {[]answer{leaky}, []answer{empty}, kept, "", bridge.KindUnavailable, time.Minute},
		"lost":        {[]answer{leaky}, []answer{capture(t, "err_conv_missing_chat_stream")}, kept, "", bridge.KindConversationLost, 0},
		"not known":   {[]answer{leaky}, nil, "", "", bridge.KindUnsupported, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake("advanced-chat", map[string][]answer{"/v1/workflows/run/" + runID: test.runs, "/v1/messages": test.messages})
				q, start := resumed(runID), time.Now()
				q.Run.Message = test.message
				h := ask(t.Context(), open(t, dify.Config{Transport: f}), q)
				if h.text() != test.text || bridge.KindOf(h.err) != test.kind || time.Since(start) != test.after || strings.Contains(h.text(), "secret") {
					t.Errorf("after %v: %v", time.Since(start), h)
				}
				if test.kind != "" && len(h.events) > 0 {
					t.Errorf("told something before: %v", h)
				}
			})
		})
	}
}

// TestResumeWithoutRun: what is known of an answer may not be its run.
func TestResumeWithoutRun(t *testing.T) {
	t.Parallel()
	q := resumed("")
	q.Run = bridge.Run{Task: "t", Message: "m"}
	h := ask(t.Context(), open(t, dify.Config{Transport: newFake("advanced-chat", nil)}), q)
	if bridge.KindOf(h.err) != bridge.KindUnsupported || len(h.events) > 0 {
		t.Error(h)
	}
}

// TestResumePaused shows the form again.
func TestResumePaused(t *testing.T) {
	t.Parallel()
	f := newFake("advanced-chat", map[string][]answer{
		"/v1/workflows/run/" + runID: {jsonAnswer(200, `{"status":"paused"}`)}, "/v1/workflow/" + runID + "/events": {capture(t, "hitl_events_live")},
	})
	h := ask(t.Context(), open(t, dify.Config{Transport: f}), resumed(runID))
	n, paused := count[bridge.Paused](h)
	if n != 1 || paused.Form.Token == "" || h.text() != "before " || h.err != nil {
		t.Error(h)
	}
	if want := "GET /v1/workflow/" + runID + "/events?include_state_snapshot=true&user=u"; f.paths()[2] != want {
		t.Errorf("%q", f.paths())
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"chat": "/v1/chat-messages/t/stop", "advanced-chat": "/v1/chat-messages/t/stop",
		"completion": "/v1/completion-messages/t/stop", "workflow": "/v1/workflows/tasks/t/stop",
	} {
		f := newFake(mode, map[string][]answer{want: {capture(t, "stop_chat")}, "/v1/parameters": {jsonAnswer(200, `{}`)}})
		err := open(t, dify.Config{Transport: f}).Stop(t.Context(), bridge.Conversation{User: "u"}, bridge.Run{Task: "t"})
		all := f.requests()
		if last := all[len(all)-1]; err != nil || last.path != want || last.body["user"] != "u" {
			t.Errorf("%s: %v, %+v", mode, err, last)
		}
	}
	err := open(t, dify.Config{Transport: newFake("chat", nil)}).Stop(t.Context(), bridge.Conversation{User: "u"}, bridge.Run{})
	if bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("no task: %v", err)
	}
}

// TestStoppedChat: the end of a stopped chat answer looks like any other, so we
// remember who asked for it.
func TestStoppedChat(t *testing.T) {
	t.Parallel()
	f := newFake("chat", map[string][]answer{"/v1/chat-messages": {good()}, "/v1/chat-messages/t/stop": {capture(t, "stop_chat")}})
	a := open(t, dify.Config{Transport: f})
	var end bridge.Ended
	for event, err := range a.Ask(t.Context(), bridge.Question{Text: "x", Conversation: bridge.Conversation{User: "u"}}) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case bridge.Started:
			if err := a.Stop(t.Context(), e.Conversation, e.Run); err != nil {
				t.Fatal(err)
			}
		case bridge.Ended:
			end = e
		}
	}
	if !end.Stopped {
		t.Error("not said to be stopped")
	}
	if _, end := count[bridge.Ended](ask(t.Context(), a, bridge.Question{})); end.Stopped {
		t.Error("the next answer of the same task id is said to be stopped")
	}
}

// TestStopFailed: an answer that could not be stopped was not stopped.
func TestStopFailed(t *testing.T) {
	t.Parallel()
	f := newFake("chat", map[string][]answer{"/v1/chat-messages": {good()}, "/v1/chat-messages/t/stop": {capture(t, "stop_nouser")}})
	a := open(t, dify.Config{Transport: f})
	for event, err := range a.Ask(t.Context(), bridge.Question{Text: "x", Conversation: bridge.Conversation{User: "u"}}) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case bridge.Started:
			if err := a.Stop(t.Context(), e.Conversation, e.Run); bridge.KindOf(err) != bridge.KindInvalid {
				t.Errorf("stopped: %v", err)
			}
		case bridge.Ended:
			if e.Stopped {
				t.Error("said to be stopped")
			}
		}
	}
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	const path = "/v1/messages/m/feedbacks"
	for _, test := range []struct {
		rating bridge.Rating
		answer string
		want   any
		kind   bridge.Kind
	}{
		{bridge.RatingGood, "fb_like", "like", ""},
		{bridge.RatingBad, "fb_like", "dislike", ""},
		{bridge.RatingNone, "fb_null_first", nil, ""},
		{bridge.RatingGood, "fb_deleted", "like", bridge.KindNotFound},
	} {
		f := newFake("chat", map[string][]answer{path: {capture(t, test.answer)}})
		err := open(t, dify.Config{Transport: f}).Feedback(t.Context(), bridge.Conversation{User: "u"}, bridge.Run{Message: "m"}, test.rating)
		sent := f.requests()[0].body
		if bridge.KindOf(err) != test.kind || sent["rating"] != test.want || sent["user"] != "u" || len(sent) != 2 {
			t.Errorf("%q: %v, %v", test.rating, err, sent)
		}
	}
	err := open(t, dify.Config{Transport: newFake("chat", nil)}).Feedback(t.Context(), bridge.Conversation{User: "u"}, bridge.Run{}, bridge.RatingGood)
	if bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("no message: %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	refuse := func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: io.ErrClosedPipe}
	}
	info := func(info answer, form string) http.RoundTripper {
		return newFake("", map[string][]answer{"/v1/info": {info}, "/v1/parameters": {capture(t, form)}})
	}
	for name, test := range map[string]struct {
		server http.RoundTripper
		input  string
		want   string
	}{
		"chatflow":         {info(capture(t, "chatflow_info"), "chatflow_parameters"), "", "+reachable +credential +app_type"},
		"workflow":         {info(capture(t, "workflow_info"), "workflow_parameters"), "", "+reachable +credential +app_type"},
		"workflow, no key": {info(capture(t, "workflow_info"), "workflow_parameters"), "nope", "+reachable +credential -app_type"},
		"completion":       {info(capture(t, "completion_info"), "completion_parameters"), "query", "+reachable +credential +app_type"},
		"no form":          {info(capture(t, "completion_info"), "chatflow_parameters"), "", "+reachable +credential -app_type"},
		"not published":    {info(capture(t, "chat_info"), "err_wrong_mode_completion_on_chat"), "", "+reachable +credential -app_type"},
		"unknown type":     {info(jsonAnswer(200, `{"mode":"channel"}`), "chatflow_parameters"), "", "+reachable +credential -app_type"},
		"wrong key":        {info(capture(t, "err_badauth"), "chatflow_parameters"), "", "+reachable -credential"},
		"switched off":     {info(jsonAnswer(403, `{"code":"forbidden"}`), "chatflow_parameters"), "", "+reachable -credential"},
		"a page":           {info(answer{200, http.Header{"Content-Type": {"text/html"}}, []byte("<html>")}, "chatflow_parameters"), "", "-reachable"},
		"refused":          {transport(refuse), "", "-reachable"},
	} {
		found, err := open(t, dify.Config{Transport: test.server, InputKey: test.input}).Check(t.Context())
		var got []string
		for _, f := range found {
			sign := "-"
			if f.OK {
				sign = "+"
			}
			got = append(got, sign+f.Code)
			for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
				args := []any{}
				for name, value := range f.Args {
					args = append(args, name, value)
				}
				if text := i18n.Text(lang, "finding.dify."+f.Code, args...); strings.Contains(text, "{") && f.OK || strings.HasPrefix(text, "finding.") {
					t.Errorf("%s: %q", name, text)
				}
			}
		}
		if s := strings.Join(got, " "); s != test.want || err != nil {
			t.Errorf("%s: %s, want %s; %v", name, s, test.want, err)
		}
	}
	found, err := open(t, dify.Config{Transport: info(capture(t, "chatflow_info"), "chatflow_parameters")}).Check(t.Context())
	if err != nil || found[2].Args["version"] != "1.16.0" || found[2].Args["mode"] != "advanced-chat" {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestVersion is known from any answer of the server, refusals too.
func TestVersion(t *testing.T) {
	t.Parallel()
	a := open(t, dify.Config{Transport: newFake("", map[string][]answer{"/v1/info": {capture(t, "err_badauth")}})})
	if got := a.Version(); got != "" {
		t.Errorf("before the first answer it is %q", got)
	}
	if _, err := a.Check(t.Context()); err != nil || a.Version() != "1.16.0" {
		t.Errorf("version %q, %v", a.Version(), err)
	}
}

package difytest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/agent/difytest"
)

// The forms and rules of apps whose parameters were not recorded.
const (
	wantsCity  = `{"user_input_form":[{"text-input":{"variable":"city","required":true,"max_length":48}}]}`
	wantsImage = `{"file_upload":{"enabled":true,"allowed_file_types":["image"],"image":{"enabled":true,"number_limits":3}}}`
	moderates  = `{"sensitive_word_avoidance":{"enabled":true}}`
)

// newReplay is a server with the apps of the record.
func newReplay(t *testing.T) *replay {
	t.Helper()
	r := &replay{
		T: t, client: &http.Client{Transport: &http.Transport{}}, ids: map[string]string{}, recorded: map[string]string{},
		compared: map[string]bool{}, running: map[string]*stream{},
		held: map[string]chan struct{}{"stop_chat_stream": make(chan struct{}), "stop_chatflow_stream": make(chan struct{}), "conc_first": make(chan struct{})},
	}
	t.Cleanup(r.client.CloseIdleConnections)
	var apps []difytest.App
	for _, a := range []struct{ name, mode, parameters string }{
		{"chat", "chat", ""},
		{"chatvar", "chat", ""},
		{"agent", "agent-chat", ""},
		{"completion", "completion", ""},
		{"chatflow", "advanced-chat", ""},
		{"workflow", "workflow", ""},
		{"chatflowreq", "advanced-chat", wantsCity},
		{"chatflowhitl", "advanced-chat", "{}"},
		{"workflowhitl", "workflow", "{}"},
		{"chatmod", "chat", moderates},
		{"chatflowmod", "advanced-chat", moderates},
		{"chatimg", "chat", wantsImage},
		{"flowretry", "advanced-chat", "{}"},
		{"flowpartial", "advanced-chat", "{}"},
		{"flowloop", "advanced-chat", "{}"},
		{"flowloop2", "advanced-chat", "{}"},
	} {
		if a.parameters == "" {
			a.parameters = capture(t, a.name+"_parameters").body
		}
		app := difytest.App{
			Key: "app-" + a.name, Name: a.name, Mode: a.mode, Parameters: a.parameters,
			Answer: func(q difytest.Question) difytest.Answer { return r.model(a.name, q) },
		}
		switch a.name {
		case "chatflow":
			app.Variables = []difytest.Variable{{ID: "8f2c0d3e-0000-4000-8000-000000000001", Name: "counter", Value: "x"}}
		case "agent":
			app.Icons = map[string]string{"current_time": "http://127.0.0.1:5801/console/api/workspaces/current/tool-provider/builtin/time/icon"}
		}
		apps = append(apps, app)
	}
	r.server = difytest.New(t, apps...)
	return r
}

// graphs are the flows that are not the usual one.
func graphs() map[string][]difytest.Step {
	const request = "GET /none HTTP/1.1\r\nHost: 127.0.0.1:5899\r\n\r\n"
	return map[string][]difytest.Step{
		"flowretry":   {{Node: "ans0", Says: "partial "}, {Node: "h1", Request: request}, {Node: "ans1", Says: "ok"}},
		"flowpartial": {{Node: "h1", Request: request, Instead: "fallback answer"}},
		"flowloop":    {{Node: "lo1", Times: 2, Loop: []difytest.Step{{Node: "lollm", Asks: "!raw loop"}, {Node: "loans", Says: "[loop]"}}}},
		"flowloop2":   {{Node: "lo1", Times: 2, Loop: []difytest.Step{{Node: "loans", Says: "[step]"}}}, {Node: "ans1", Says: "done"}},
	}
}

// model is the stand-in for a model behind the real server.
func (r *replay) model(app string, q difytest.Question) difytest.Answer {
	if steps := graphs()[app]; steps != nil {
		return difytest.Answer{Steps: steps}
	}
	text := q.Query
	for _, name := range []string{"q", "query"} {
		if value, ok := q.Inputs[name].(string); ok {
			text = value
		}
	}
	if app == "completion" && !strings.HasPrefix(text, "!") {
		text += "\n" // of the prompt
	}
	command, rest, _ := strings.Cut(text, " ")
	switch {
	case strings.HasSuffix(app, "hitl"):
		before := map[string]string{"chatflowhitl": "before "}[app]
		return difytest.Answer{Text: before, Form: "Please review: {{#$output.comment#}}", After: map[string]string{"approve": "approved: "}}
	case text == "forbidden word":
		return difytest.Answer{Blocked: "INPUT BLOCKED"}
	case command == "!err":
		message := "fake upstream failure: " + rest
		if rest == "auth" {
			message = "Incorrect API key provided"
		}
		return difytest.Answer{Fault: &difytest.Fault{Message: message, Limited: rest == "ratelimit"}}
	case command == "!midfail":
		return difytest.Answer{Parts: slices.Values([]string{"你好", "，", "you said: "}), Fault: &difytest.Fault{Message: "dropped"}}
	case command == "!think":
		return difytest.Answer{Parts: slices.Values([]string{"<think>", "hmm ", "ok", "</think>", "\n\n", "Answer ", "done"})}
	case command == "!leak":
		return difytest.Answer{Parts: slices.Values([]string{"The ", "password is ", "secret", "out", " ok?"}), Replaced: "OUTPUT BLOCKED"}
	case command == "!tool":
		return difytest.Answer{Parts: slices.Values([]string{"The ", "tool ", "answered."}), Tools: []difytest.Tool{{
			Name: "current_time", Chinese: "获取当前时间", English: "Current Time", Before: "Let me check the time. ", Heard: `{"current_time": "2026-11-22 06:32:40"}`,
		}}}
	case strings.Contains(text, "!raw "):
		_, raw, _ := strings.Cut(text, "!raw ")
		return difytest.Answer{Parts: slices.Values(pieces(raw, 7))}
	}
	return r.echo(app, text)
}

// echo is the usual answer, held or cut where the recorded one was.
func (r *replay) echo(app, text string) difytest.Answer {
	all := slices.Concat([]string{"你好", "，", "you said: "}, pieces(text, 9), []string{" ✅", "\n\n", "- **a**\n- b"})
	var a difytest.Answer
	held, at := map[string]chan struct{}{"chat": r.held["stop_chat_stream"], "chatflow": r.held["stop_chatflow_stream"]}[app], map[string]int{"chat": 6, "chatflow": 5}[app]
	switch {
	case text == "!gap 1 abcdefghijklmnopqrstuvwxyz":
		a.Cut = 3
		held = nil
	case text == "!slow 5":
		held, at = r.held["conc_first"], 3
	case !strings.HasPrefix(text, "!gap"):
		held = nil
	}
	a.Parts = func(yield func(string) bool) {
		for n, piece := range all {
			if n == at && held != nil {
				<-held
			}
			if !yield(piece) {
				return
			}
		}
	}
	return a
}

func pieces(text string, size int) []string {
	var all []string
	runes := []rune(text)
	for chunk := range slices.Chunk(runes, size) {
		all = append(all, string(chunk))
	}
	return all
}

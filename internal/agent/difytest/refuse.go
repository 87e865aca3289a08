package difytest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Refusal is an answer that is none.
type Refusal struct {
	Status  int
	Code    string
	Message string
}

func invalidParam(message string) *Refusal {
	return &Refusal{http.StatusBadRequest, "invalid_param", message}
}

func badRequest(message string) *Refusal {
	return &Refusal{http.StatusBadRequest, "bad_request", message}
}

func notFound(message string) *Refusal {
	return &Refusal{http.StatusNotFound, "not_found", message}
}

// guessed is notFound where the server goes on to guess what was meant. Which
// paths it takes for similar, it computes; these are of its recorded answers.
func guessed(path, message string) *Refusal {
	meant := map[string]string{
		"/v1/chat-messages": "/v1/chat-messages or /api/chat-messages or /v1/chat-messages/<string:task_id>/stop",
		"/v1/messages":      "/v1/messages or /v1/chat-messages or /api/messages",
		"/v1/conversations": "/v1/conversations or /v1/conversations/<uuid:c_id>/variables/<uuid:variable_id> or /api/conversations",
	}[path]
	if meant == "" {
		meant = "/v1/form/human_input/<string:form_token>"
	}
	return notFound(message + " You have requested this URI [" + path + "] but did you mean " + meant + " ?")
}

// send answers with the refusal.
func (f *Refusal) send(w http.ResponseWriter) {
	if f.Code == "unknown" { // nobody has caught it
		say(w, f.Status, object{"message", f.Message, "code", f.Code, "status", f.Status})
		return
	}
	say(w, f.Status, object{"code", f.Code, "message", f.Message, "status", f.Status})
}

// say answers with JSON.
func say(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, spaced(body)+"\n")
}

// noPage is what comes of paths that do not exist.
func noPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprint(w, "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n")
}

// fault is one thing that is wrong with a body.
type fault struct {
	field, text, kind string
	input             any
}

func missing(field string, body object) fault {
	return fault{field, "Field required", "missing", body}
}

func noValue(field, text string, input any) fault {
	return fault{field, "Value error, " + text, "value_error", input}
}

// oneOf checks that a field of a body, if it is there, has one of the values.
func oneOf(body object, field, values string) []fault {
	v := body.get(field)
	if v == nil || strings.Contains(values, repr(v)) {
		return nil
	}
	return []fault{{field, "Input should be " + values, "literal_error", v}}
}

// unfit says what is wrong with a body, nil if nothing is.
func unfit(model string, faults []fault) *Refusal {
	if len(faults) == 0 {
		return nil
	}
	plural := map[bool]string{true: "s"}[len(faults) > 1]
	text := fmt.Sprintf("%d validation error%s for %s", len(faults), plural, model)
	for _, f := range faults {
		if f.field != "" {
			text += "\n" + f.field
		}
		text += fmt.Sprintf("\n  %s [type=%s, input_value=%s, input_type=%s]\n    For further information visit https://errors.pydantic.dev/2.10/v/%s",
			f.text, f.kind, short(repr(f.input)), typeName(f.input), f.kind)
	}
	return invalidParam(text)
}

func short(s string) string {
	if runes := []rune(s); len(runes) > 50 {
		return string(runes[:25]) + "..." + string(runes[len(runes)-24:])
	}
	return s
}

// What is answered where an app is of another mode than the path is for.
func notChat() *Refusal {
	return &Refusal{http.StatusBadRequest, "not_chat_app", otherMode}
}

func notWorkflow() *Refusal {
	return &Refusal{http.StatusBadRequest, "not_workflow_app", otherMode}
}

func wrongApp() *Refusal {
	return &Refusal{http.StatusBadRequest, "app_unavailable", "App unavailable, please check your app configurations."}
}

// of lets only apps of some modes through.
func of(handle func(*call), refusal func() *Refusal, modes ...string) func(*call) {
	return func(c *call) {
		if !slices.Contains(modes, c.app.Mode) {
			refusal().send(c)
			return
		}
		handle(c)
	}
}

func talking(handle func(*call)) func(*call) {
	return of(handle, notChat, chat, agentChat, chatflow, agent)
}

func flowing(handle func(*call)) func(*call) { return of(handle, notWorkflow, chatflow, workflow) }

// upTo checks a number of a query, if it is there: from 1 to the most.
func (c *call) upTo(name string, most int) []fault {
	text := c.r.URL.Query().Get(name)
	if text == "" {
		return nil
	}
	switch n, err := strconv.Atoi(text); {
	case err != nil:
		return []fault{{name, "Input should be a valid integer, unable to parse string as an integer", "int_parsing", text}}
	case n < 1:
		return []fault{{name, "Input should be greater than or equal to 1", "greater_than_equal", text}}
	case n > most:
		return []fault{{name, fmt.Sprintf("Input should be less than or equal to %d", most), "less_than_equal", text}}
	}
	return nil
}

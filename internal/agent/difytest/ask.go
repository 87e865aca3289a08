package difytest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const otherMode = "Please check if your app mode matches the right API route."

func (s *Server) chat(c *call) {
	if c.app.Mode == workflow || c.app.Mode == completion {
		notChat().send(c)
		return
	}
	var faults []fault
	if c.body.get("query") == nil {
		faults = append(faults, missing("query", c.body))
	}
	faults = append(faults, oneOf(c.body, "response_mode", "'blocking' or 'streaming'")...)
	if id := c.field("conversation_id"); id != "" && !isID(id) {
		faults = append(faults, noValue("conversation_id", "conversation_id must be a valid UUID", id))
	}
	s.ask(c, "ChatRequestPayload", faults)
}

func (s *Server) complete(c *call) {
	if c.app.Mode != completion {
		wrongApp().send(c)
		return
	}
	s.ask(c, "CompletionRequestPayload", oneOf(c.body, "response_mode", "'blocking' or 'streaming'"))
}

func (s *Server) work(c *call) {
	if c.app.Mode != workflow {
		notWorkflow().send(c)
		return
	}
	s.ask(c, "WorkflowRunPayload", oneOf(c.body, "response_mode", "'blocking' or 'streaming'"))
}

// ask looks at a question as the server does, in its order, and answers it.
func (s *Server) ask(c *call, model string, faults []fault) {
	if c.body.get("inputs") == nil {
		faults = append([]fault{missing("inputs", c.body)}, faults...)
	}
	refusal := unfit(model, faults)
	var q Question
	if refusal == nil && decode(c.body, &q) != nil {
		refusal = badRequest("the test asks for what no server was recorded to refuse")
	}
	q.User = c.user
	q.inputs, _ = c.body.get("inputs").(object)
	streamed := q.Mode == "streaming" || c.app.Mode == agent && q.Mode == ""
	if session, given := c.body.get("trace_session_id").(string); refusal == nil && given && !traceable(session) {
		refusal = badRequest("trace_session_id must be 1 to 200 characters after trimming.")
	}
	if refusal == nil {
		refusal = c.app.crowded(streamed)
	}
	if refusal == nil {
		refusal = s.fits(c, q)
	}
	if refusal == nil && (!c.app.flows() || !streamed) {
		refusal = s.late(c.app, &q)
	}
	if refusal == nil && c.app.Refuse != nil {
		refusal = c.app.Refuse(q)
	}
	if refusal != nil {
		refusal.send(c)
		return
	}
	s.answer(c, q, streamed)
}

func traceable(session string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(session))
	return n > 0 && n <= 200
}

// crowded refuses what is too much at once. A stream of a flow takes two places.
func (a *app) crowded(streamed bool) *Refusal {
	places := 1
	if streamed && a.flows() {
		places = 2
	}
	if a.Most == 0 || a.active+places <= a.Most {
		return nil
	}
	return invalidParam(fmt.Sprintf("Too many requests. Please try again later. The current maximum concurrent requests allowed for %s is %d.", a.id, a.Most))
}

// fits refuses what every app refuses at once.
func (*Server) fits(c *call, q Question) *Refusal {
	a, talks := c.app, c.app.Mode != workflow && c.app.Mode != completion
	version := c.field("workflow_id")
	switch t := a.talks[q.Conversation]; {
	case a.Mode == agentChat && q.Mode != "streaming":
		return invalidParam("Agent Chat App does not support blocking mode")
	case a.Mode == agent && q.Mode == "blocking":
		return badRequest("Agent App does not support blocking mode")
	case a.Mode == chatflow && version != "" && !isID(version):
		return badRequest("Invalid workflow_id format: '" + version + "'. ")
	case a.Mode == chatflow && version != "" && version != a.flow:
		return guessed(c.r.URL.Path, "Workflow not found with id: "+version+".")
	case talks && !a.flows() && q.Query == "":
		return invalidParam("query is required")
	case talks && q.Conversation != "" && (t == nil || t.user != q.User):
		return guessed(c.r.URL.Path, "Conversation Not Exists.")
	}
	return nil
}

// late refuses what a flow that is streamed refuses only when it has begun.
func (s *Server) late(a *app, q *Question) *Refusal {
	if a.Mode == chatflow && q.Query == "" {
		return invalidParam("query is required")
	}
	if refusal := s.attach(a, q); refusal != nil {
		return refusal
	}
	return a.wants.refuse(q.Inputs)
}

// refuse wants every required variable of the form, and the right values.
func (p parameters) refuse(inputs map[string]any) *Refusal {
	for _, item := range p.Form {
		for kind, v := range item {
			value, have := inputs[v.Variable]
			text, isText := value.(string)
			switch {
			case v.Required && (!have || isText && text == ""):
				return invalidParam(v.Variable + " is required in input form")
			case !have || isText && text == "":
			case kind == "select" && !slices.Contains(v.Options, value):
				return invalidParam(v.Variable + " in input form must be one of the following: " + repr(v.Options))
			case (kind == "text-input" || kind == "paragraph") && !isText:
				return invalidParam(v.Variable + " in input form must be a string")
			case v.Most > 0 && utf8.RuneCountInString(text) > v.Most:
				return invalidParam(fmt.Sprintf("%s in input form must be less than %d characters", v.Variable, v.Most))
			}
		}
	}
	return nil
}

// attach looks the files up: only the user's own count, and none where the app
// has not enabled them.
func (s *Server) attach(a *app, q *Question) *Refusal {
	upload := a.wants.Upload
	if !upload.Enabled {
		return nil
	}
	pictures := 0
	for _, ref := range q.Files {
		file := s.files[ref.ID]
		switch {
		case ref.Method == "", ref.Method == "remote_url": // the first is skipped without a word, the second fetched
			continue
		case !isID(ref.ID):
			return invalidParam("Invalid upload file id format")
		case file == nil || file.User != q.User || file.app != a:
			return invalidParam("Invalid upload file")
		case len(upload.Types) > 0 && !slices.Contains(upload.Types, ref.Type):
			return invalidParam("File validation failed for file: " + file.Name)
		}
		if ref.Type == "image" {
			pictures++
		}
		q.Sent = append(q.Sent, *file)
	}
	switch most := upload.Image.Most; {
	case most > 0 && pictures > most:
		return invalidParam(fmt.Sprintf("Number of image files exceeds the maximum limit %d", most))
	case upload.Most > 0 && len(q.Sent) > upload.Most:
		return invalidParam(fmt.Sprintf("Number of files exceeds the maximum limit %d", upload.Most))
	}
	for _, ref := range q.Files {
		if file := s.files[ref.ID]; file != nil {
			file.attached = true
		}
	}
	return nil
}

// stop stops an answer: in a flow whoever's it is, elsewhere only the user's own.
// It always says that it did.
func (*Server) stop(c *call) {
	if r := c.app.runs[c.r.PathValue("task")]; r != nil && (c.app.flows() || r.question.User == c.user) && !r.isStopped() {
		close(r.stopped)
	}
	say(c, http.StatusOK, object{"result", "success"})
}

// outcome tells how a run went.
func (*Server) outcome(c *call) {
	r := c.app.runs[c.r.PathValue("run")]
	if r == nil || r.id != c.r.PathValue("run") {
		notFound("Workflow run not found").send(c)
		return
	}
	var failure, finished any
	if r.failure != "" {
		failure = r.failure
	}
	if r.over && r.status != paused {
		finished = now()
	}
	say(c, http.StatusOK, object{
		"id", r.id, "workflow_id", c.app.flow, "status", r.status, "inputs", spaced(r.variables()), "outputs", r.outputs, "error", failure,
		"total_steps", r.steps, "total_tokens", r.tokens(), "created_at", r.made, "finished_at", finished, "elapsed_time", 0.1,
	})
}

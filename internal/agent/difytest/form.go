package difytest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// form is one that a run waits for.
type form struct {
	id, token, content string
	expires            int64
	before             string // what was said before
	node               *node
	decided            bool
	choice, comment    string
	lapsed             bool // nobody decided in time
	wants, proof       string
}

// ask begins a run that asks a person something.
func (r *run) ask() {
	within := cmp.Or(r.answer.Within, 72*time.Hour)
	f := &form{id: r.server.id(), content: r.answer.Form, wants: r.answer.Wants, expires: time.Now().Add(within).Unix()}
	f.token = "token" + f.id[len(f.id)-12:] + "abcde"
	r.form = f
	r.app.forms[f.token] = r
	r.started("initial")
	if r.app.Mode == chatflow {
		r.say(r.said("ans0", "answer"))
		f.before = r.text
		r.pass("start1", "start", "Start", r.given(), r.given())
		r.pass("ans0", "answer", "Answer", object{}, object{"answer", f.before, "files", []any{}})
	} else {
		r.pass("start1", "start", "Start", r.given(), r.given())
	}
	f.node = r.open("hi1", "human-input", "Approval")
	f.node.status = paused
	r.status, r.outputs = paused, object{}
	if r.message != nil {
		r.message.status, r.message.answer = paused, f.before
	}
	r.publish(r.flowEvent("human_input_required", f.required()))
	r.publish(r.flowEvent("workflow_paused", r.pausing(object{})))
	r.end()
	if r.answer.Lapsed != "" {
		time.AfterFunc(time.Until(time.Unix(f.expires+1, 0)), r.lapse)
	}
}

// lapse goes on without a decision.
func (r *run) lapse() {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	f := r.form
	if f.decided {
		return // in time
	}
	f.lapsed, r.over, r.status, r.made = true, false, running, now()
	r.started("resumption")
	r.reopen(f.node)
	r.publish(r.flowEvent("human_input_form_timeout", object{"node_id", "hi1", "node_title", "Approval", "expiration_time", f.expires}))
	r.shut(f.node, "succeeded", object{}, object{}, object{}, nil, nil)
	r.text = r.answer.Lapsed
	r.publish(r.said("ans1", "answer")(r.text))
	r.conclude(none, 0)
	if r.message != nil {
		r.message.status = "normal"
	}
}

func (f *form) inputs() []any {
	all := []any{object{"output_variable_name", "comment", "type", "paragraph", "default", object{"type", "constant", "selector", []any{}, "value", "looks fine"}}}
	if f.wants == "" {
		return all
	}
	proof := object{"output_variable_name", "proof", "type", f.wants, "allowed_file_types", []any{"document", "image"}, "allowed_file_extensions", []any{}, "allowed_file_upload_methods", []any{"local_file"}}
	if f.wants == "file-list" {
		proof = proof.with("number_limits", 2)
	}
	return append(all, proof)
}

func (*form) actions() []any {
	return []any{object{"id", "approve", "title", "Approve", "button_style", "primary"}, object{"id", "reject", "title", "Reject", "button_style", "default"}}
}

func (f *form) required() object {
	return object{
		"form_id", f.id, "node_id", "hi1", "node_title", "Approval", "form_content", f.content, "inputs", f.inputs(), "actions", f.actions(), "display_in_ui", true,
		"form_token", f.token, "approval_channels",
		[]any{"console"},
		"resolved_default_values",
		object{},
		"expiration_time", f.expires,
	}
}

func (f *form) reason() object {
	return object{
		"TYPE", "human_input_required", "form_id", f.id, "form_content", f.content, "inputs", f.inputs(), "actions", f.actions(), "node_id", "hi1", "node_title", "Approval",
		"resolved_default_values",
		object{},
		"form_token", f.token, "approval_channels",
		[]any{"console"},
		"expiration_time", f.expires,
	}
}

func (r *run) pausing(outputs object) object {
	return object{
		"workflow_run_id", r.id, "paused_nodes",
		[]any{"hi1"},
		"outputs", outputs, "reasons",
		[]any{r.form.reason()},
		"status", paused, "created_at", r.made,
		"elapsed_time", 0.1, "total_tokens", 0, "total_steps", r.steps,
	}
}

// waiting is the rest of an answer that is not streamed and waits.
func (r *run) waiting() object {
	meta := object{"annotation_reply", nil, "retriever_resources", []any{}, "usage", nil, "reasoning", object{}}
	return object{"metadata", meta, "created_at", r.made, "workflow_run_id", r.id, "data", object{
		"id", r.message.id, "mode", r.app.Mode, "conversation_id", r.talk.id, "message_id", r.message.id, "workflow_run_id", r.id, "answer", r.text, "metadata", meta,
		"created_at", r.made, "paused_nodes",
		[]any{"hi1"},
		"reasons",
		[]any{r.form.reason()},
		"status", paused, "elapsed_time", 0.1, "total_tokens", 0,
		"total_steps", r.steps,
	}}
}

// form is the run that waits for the form of a path.
func (c *call) form() *run {
	r := c.app.forms[c.r.PathValue("token")]
	switch {
	case r == nil:
		guessed(c.r.URL.Path, "Form not found.").send(c)
	case r.form.decided:
		(&Refusal{http.StatusPreconditionFailed, "human_input_form_submitted", "This form has already been submitted by another user, form_id=" + r.form.id}).send(c)
	case r.form.lapsed, r.form.expires < now():
		(&Refusal{http.StatusPreconditionFailed, "human_input_form_expired", "This form has expired, form_id=" + r.form.id}).send(c)
	default:
		return r
	}
	return nil
}

func (*Server) showForm(c *call) {
	if r := c.form(); r != nil {
		f := r.form
		c.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(c, spaced(object{
			"form_content", f.content, "inputs", f.inputs(), "resolved_default_values", object{}, "user_actions", f.actions(), "expiration_time", f.expires,
		}))
	}
}

func (s *Server) decide(c *call) {
	r := c.form()
	if r == nil {
		return
	}
	inputs, _ := c.body.get("inputs").(object)
	choice := c.field("action")
	comment, given := inputs.get("comment").(string)
	wrong := func(message string) { (&Refusal{http.StatusBadRequest, "invalid_form_data", message}).send(c) }
	switch {
	case len(c.body) != 6: // inputs, action, user
		invalidParam("extra keys").send(c)
	case choice != "approve" && choice != "reject":
		wrong("Invalid action: " + choice)
	case !given:
		wrong("Missing required inputs: comment")
	case r.form.wants != "" && inputs.get("proof") == nil:
		wrong("Missing required inputs: proof")
	case r.form.wants != "" && !r.form.prove(s, c, inputs.get("proof")):
		wrong("Invalid value for proof")
	default:
		r.decide(choice, comment)
		say(c, http.StatusOK, object{})
	}
}

// prove takes the files that a form asks for: each was uploaded by who decides. No
// recorded answer shows that; it is as
// https://docs.dify.ai/en/api-reference/human-input/submit-human-input-form says.
func (f *form) prove(s *Server, c *call, value any) bool {
	list, several := value.([]any)
	if !several {
		list = []any{value}
	}
	if several != (f.wants == "file-list") || len(list) > 2 {
		return false
	}
	for _, v := range list {
		ref, ok := v.(object)
		id, _ := ref.get("upload_file_id").(string)
		file := s.files[id]
		kind, _ := ref.get("type").(string)
		if !ok || ref.get("transfer_method") != "local_file" || kind != "document" && kind != "image" || file == nil || file.User != c.user || file.app != c.app {
			return false
		}
		f.proof += " [" + file.Name + "]"
	}
	return true
}

// Decide decides every form that waits, as somebody does on a page of the server's
// own, and returns how many these are.
func (s *Server) Decide(choice, comment string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.apps {
		for _, r := range a.forms {
			if !r.form.decided && !r.form.lapsed {
				r.decide(choice, comment)
				n++
			}
		}
	}
	return n
}

// Waiting counts the forms that wait.
func (s *Server) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.apps {
		for _, r := range a.forms {
			if !r.form.decided && !r.form.lapsed {
				n++
			}
		}
	}
	return n
}

func (r *run) decide(choice, comment string) {
	r.form.decided, r.form.choice, r.form.comment = true, choice, comment
	r.over, r.status, r.made = false, running, now()
	go r.resume()
}

// resume goes on after the decision.
func (r *run) resume() {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	f := r.form
	r.started("resumption")
	r.reopen(f.node)
	r.text = r.answer.After[f.choice] + f.comment + f.proof
	if r.app.Mode == chatflow {
		r.publish(r.said("ans1", "answer")(r.answer.After[f.choice]))
		r.publish(r.said("hi1", "comment")(f.comment + f.proof))
	}
	title := map[string]string{"approve": "Approve", "reject": "Reject"}[f.choice]
	r.shut(f.node, "succeeded", object{"comment", object{"value_type", "string", "value", f.comment}}, object{}, object{
		"comment", f.comment, "__action_id", f.choice, "__action_value", title,
		"__rendered_content", strings.ReplaceAll(f.content, "{{#$output.comment#}}", f.comment),
	}, nil, nil)
	r.conclude(none, 0)
	if r.message != nil {
		r.message.status = "normal"
	}
}

// events tell what a run does from now on, and before that, if wished, how it
// stands. Of a run that is over they tell the end only.
func (*Server) events(c *call) {
	r := c.app.runs[c.r.PathValue("run")]
	if r == nil || r.question.User != c.user || r.id != c.r.PathValue("run") {
		notFound("Workflow run not found").send(c)
		return
	}
	c.Header().Set("Cache-Control", "no-cache")
	if r.over && r.status != paused {
		c.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = fmt.Fprint(c, "data: "+spaced(object{"event", "workflow_finished", "task_id", r.id, "workflow_run_id", r.id, "data", r.ending(0)})+"\n\n")
		return
	}
	query := c.r.URL.Query()
	var before []string
	snapshot := query.Get("include_state_snapshot") == "true"
	if snapshot {
		before = r.soFar()
	}
	r.relay(c, before, len(r.events), !snapshot || query.Get("continue_on_pause") == "true")
}

// soFar tells how a run stands.
func (r *run) soFar() []string {
	var all []string
	tell := func(event string, more ...any) {
		o := object{"event", event, "task_id", r.task}.with(more...)
		if r.app.Mode == chatflow {
			o = o.with("conversation_id", r.talk.id, "message_id", r.message.id, "created_at", r.made)
		}
		all = append(all, "data: "+compact(o)+"\n\n")
	}
	flow := func(event string, data object) { tell(event, "workflow_run_id", r.id, "data", data) }
	flow("workflow_started", r.beginning(r.variables(), "initial"))
	if r.app.Mode == chatflow && r.text != "" {
		tell("message_replace", "answer", r.text, "reason", "")
	}
	for i, n := range r.nodes {
		flow("node_started", n.head(i+1).with("inputs", nil, "created_at", n.begun, "extras", object{}, "iteration_id", nil, "loop_id", nil))
		if n.status != running {
			flow("node_finished", n.head(i+1).with("inputs", nil, "process_data", nil, "outputs", nil, "status", n.status, "error", nil, "elapsed_time", 0.1,
				"execution_metadata", nil, "created_at", n.begun, "finished_at", now(), "files", []any{}, "iteration_id", nil, "loop_id", nil))
		}
	}
	if r.status == paused {
		outputs := object{}
		if r.app.Mode == chatflow {
			outputs = object{"answer", r.text, "files", object{"value_type", "array[file]", "value", []any{}}}
		}
		flow("human_input_required", r.form.required())
		flow("workflow_paused", r.pausing(outputs))
	}
	return all
}

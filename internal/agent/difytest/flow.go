package difytest

// node is one node of a run.
type node struct {
	id, name, kind, title string
	status                string
	loop                  string // that it is in
	begun                 int64
}

// flow is the answer of a chatflow or a workflow.
func (r *run) flow() {
	a := r.answer
	switch {
	case a.Blocked != "":
		r.publish(r.said()(a.Blocked))
		r.finish(a.Blocked, none, 0)
		r.stillborn("Workflow stream ended without a terminal event")
		return
	case a.Form != "":
		r.ask()
		return
	case a.Steps != nil:
		r.pace(a.Steps)
		return
	}
	r.started("initial")
	r.pass("start1", "start", "Start", r.given(), r.given())
	for _, tool := range a.Tools {
		r.pass(tool.Name, "tool", tool.English, object{}, object{"text", tool.Heard})
	}
	model := r.open("llm1", "llm", "LLM")
	inputs := object{"model_provider", "tester/fake/fake", "model_name", "fake-1"}
	if whole := r.say(r.said("llm1", "text")); !whole {
		r.finished("stopped", object{}, "Aborted: User requested stop", 0)
		return
	}
	if a.Fault != nil {
		r.shut(model, "failed", inputs, object{}, object{}, a.Fault.Message, nil)
		if r.message != nil {
			r.message.status, r.message.failure = "error", a.Fault.Message
		}
		r.refusal = invalidParam("Run failed: " + a.Fault.Message)
		if r.app.Mode == workflow {
			r.refusal = nil // it is in the answer
		}
		r.finished("failed", object{}, a.Fault.Message, 1)
		return
	}
	r.publish(r.said("llm1", "text")(""))
	r.publish(r.said("llm1", "text")(""))
	r.shut(model, "succeeded", inputs, r.prompt(), object{"text", r.text, "reasoning_content", "", "usage", r.spent(), "finish_reason", "stop"}, nil,
		object{"total_tokens", 20, "total_price", "0.000028", "currency", "USD"})
	r.conclude(spent, 1)
}

// conclude ends a run with the words it has said.
func (r *run) conclude(how spending, rounds int) {
	if r.app.Mode == workflow {
		out := object{"result", r.text}
		r.pass("end1", "end", "End", out, out)
		r.finished("succeeded", out, nil, 0)
		return
	}
	before := ""
	if r.form != nil {
		before = r.form.before
	}
	r.pass("ans1", "answer", "Answer", object{}, object{"answer", r.text, "files", []any{}})
	out := object{"answer", before + r.text, "files", []any{}}
	r.moderate("output_moderation")
	r.show(r.answer.Picture)
	r.finish(before+r.text, how, rounds)
	r.finished("succeeded", out, nil, 0)
}

// given is what the start of a run gets.
func (r *run) given() object {
	if r.app.wants.Moderates.Enabled {
		return r.question.inputs.with("query__", r.question.Query)
	}
	return r.question.inputs
}

// variables are what a run begins with.
func (r *run) variables() object {
	o := r.question.inputs
	if r.app.Mode == chatflow {
		o = o.with("sys.query", r.question.Query)
	}
	o = o.with("sys.files", []any{}, "sys.user_id", r.question.User)
	if r.app.Mode == chatflow {
		o = o.with("sys.dialogue_count", r.turn)
	}
	return o.with("sys.app_id", r.app.id, "sys.workflow_id", r.app.flow, "sys.workflow_run_id", r.id)
}

func (r *run) started(reason string) {
	if r.talk != nil {
		r.talk.turns++
		r.turn = r.talk.turns
	}
	r.publish(r.flowEvent("workflow_started", r.beginning(r.variables(), reason)))
}

func (r *run) beginning(inputs object, reason string) object {
	return object{"id", r.id, "workflow_id", r.app.flow, "inputs", inputs, "created_at", r.made, "reason", reason}
}

func (r *run) flowEvent(event string, data object) object {
	o := r.envelope(event)
	if r.app.Mode == chatflow {
		o = o.with("workflow_run_id", r.id)
	}
	return o.with("data", data)
}

func (r *run) open(name, kind, title string) *node {
	return r.openIn(nil, name, kind, title)
}

func (r *run) reopen(n *node) {
	r.steps++
	r.publish(r.flowEvent("node_started", n.head(1).with("inputs", nil, "inputs_truncated", false, "created_at", n.begun, "extras", object{},
		"iteration_id", nil, "loop_id", n.inLoop(), "agent_strategy", nil)))
}

func (n *node) inLoop() any {
	if n.loop == "" {
		return nil
	}
	return n.loop
}

func (n *node) head(index int) object {
	return object{"id", n.id, "node_id", n.name, "node_type", n.kind, "title", n.title, "index", index, "predecessor_node_id", nil}
}

func (r *run) shut(n *node, status string, inputs, process, outputs object, failure, cost any) {
	n.status = status
	r.publish(r.flowEvent("node_finished", n.end(status, inputs, process, outputs, failure, cost)))
}

func (n *node) end(status string, inputs, process, outputs object, failure, cost any) object {
	return n.head(1).with(
		"inputs", inputs, "inputs_truncated", false, "process_data", process, "process_data_truncated", false, "outputs", outputs, "outputs_truncated", false,
		"status", status, "error", failure, "elapsed_time", 0.1, "execution_metadata", cost, "created_at", n.begun, "finished_at", now(), "files", []any{},
		"iteration_id", nil, "loop_id", n.inLoop())
}

// pass goes through a node.
func (r *run) pass(name, kind, title string, inputs, outputs object) {
	r.shut(r.open(name, kind, title), "succeeded", inputs, object{}, outputs, nil, nil)
}

// spent is what the model took.
func (*run) spent() object {
	return usage(spent, 1).with("time_to_first_token", 0.05, "time_to_generate", 0.1)
}

// prompt is what the model was asked.
func (r *run) prompt() object {
	asked := r.question.Query
	if r.app.Mode == workflow {
		asked = ""
		for i := 1; i < len(r.question.inputs); i += 2 {
			text, _ := r.question.inputs[i].(string)
			asked += text
		}
	}
	return r.prompted(asked)
}

func (r *run) prompted(asked string) object {
	return object{
		"model_mode", "chat", "prompts",
		[]any{object{"role", "system", "text", "be nice", "files", []any{}}, object{"role", "user", "text", asked, "files", []any{}}},
		"usage", r.spent(), "finish_reason", "stop", "model_provider", "tester/fake/fake", "model_name", "fake-1",
	}
}

// tokens are those the whole run took.
func (r *run) tokens() int {
	if r.status == "succeeded" && r.form == nil && r.answer.Steps == nil {
		return 20
	}
	return 0
}

// finished ends a run.
func (r *run) finished(status string, outputs object, failure any, exceptions int) {
	r.status, r.outputs = status, outputs
	r.failure, _ = failure.(string)
	r.publish(r.flowEvent("workflow_finished", r.ending(exceptions)))
	r.end()
}

func (r *run) ending(exceptions int) object {
	return r.result().with("elapsed_time", 0.1, "total_tokens", r.tokens(), "total_steps", r.steps,
		"created_by", object{"id", r.server.user(r.app, r.question.User), "user", r.question.User}, "created_at", r.made, "finished_at", now(),
		"exceptions_count", exceptions, "files", []any{})
}

func (r *run) result() object {
	var failure any
	if r.failure != "" {
		failure = r.failure
	}
	return object{"id", r.id, "workflow_id", r.app.flow, "status", r.status, "outputs", r.outputs, "error", failure}
}

// summary is a run in an answer that is not streamed.
func (r *run) summary() object {
	o := r.result().with("elapsed_time", 0.1, "total_tokens", r.tokens(), "total_steps", r.steps, "created_at", r.made)
	if r.status == paused {
		return o.with("finished_at", nil, "paused_nodes", []any{"hi1"}, "reasons", []any{r.form.reason()})
	}
	return o.with("finished_at", now())
}

// stillborn is what the server says of a run that never began. Its id leads
// nowhere, and is that of the task, too, if there never was one.
func (r *run) stillborn(why string) {
	id := r.server.id()
	task := r.task
	if r.message == nil {
		task = id
	}
	event := func(name string, data object) object {
		return object{"event", name, "task_id", task, "workflow_run_id", id, "data", data}
	}
	r.publish(event("workflow_started", object{"id", id, "workflow_id", r.app.flow, "inputs", object{}, "created_at", now(), "reason", "initial"}))
	r.publish(event("workflow_finished", object{
		"id", id, "workflow_id", r.app.flow, "status", "failed", "outputs", nil, "error", why, "elapsed_time", 0.0, "total_tokens", 0, "total_steps", 0,
		"created_by",
		object{},
		"created_at", now(), "finished_at", now(), "exceptions_count", 1, "files",
		[]any{},
	}))
	r.end()
}

package difytest

import (
	"fmt"
	"net/http"
)

// envelope is what is in every event of an answer.
func (r *run) envelope(event string) object {
	o := object{"event", event}
	switch r.app.Mode {
	case workflow:
		return o.with("workflow_run_id", r.id, "task_id", r.task)
	case completion:
	default:
		o = o.with("conversation_id", r.talk.id)
	}
	return o.with("message_id", r.message.id, "created_at", r.made, "task_id", r.task)
}

// said is the event of a piece of text.
func (r *run) said(selector ...any) func(string) object {
	if selector == nil {
		selector = []any{}
	}
	return func(piece string) object {
		if r.app.Mode == agentChat || r.app.Mode == agent {
			return r.envelope("agent_message").with("id", r.message.id, "answer", piece)
		}
		if r.app.Mode == workflow {
			return r.envelope("text_chunk").with("data", object{"text", piece, "from_variable_selector", selector})
		}
		return r.envelope("message").with("id", r.message.id, "answer", piece, "from_variable_selector", selector)
	}
}

// speak is the answer of an app that is no flow.
func (r *run) speak() {
	defer r.end()
	a := r.answer
	switch {
	case a.Blocked != "":
		for _, letter := range a.Blocked {
			r.publish(r.said()(string(letter)))
		}
		r.finish(a.Blocked, none, 0)
		return
	case a.Fault != nil && a.Text == "" && a.Parts == nil:
		r.fail()
		return
	}
	r.use(a.Tools)
	thought := r.think(len(a.Tools)+1, Tool{})
	before := len(r.text)
	whole := r.say(r.said())
	switch {
	case r.left:
	case !whole:
		r.finish(r.text, aborted, 0)
	case a.Fault != nil:
		r.fail()
	default:
		r.publish(r.said()(""))
		thought("", r.text[before:])
		if r.app.Mode == agent { // the whole again, in one piece
			r.publish(r.envelope("message").with("id", r.message.id, "answer", r.text, "from_variable_selector", []any{}))
		}
		r.moderate("")
		r.show(a.Picture)
		r.finish(r.text, spent, len(a.Tools)+1)
	}
}

// think returns what tells a thought of an agent, the beginning of which it has
// told already: a tool, what came of it, and what was said.
func (r *run) think(position int, tool Tool) func(heard, said string) {
	id := r.server.id()
	tell := func(tool Tool, heard, said string) {
		labels, input := object{}, ""
		if tool.Name != "" {
			labels = object{tool.Name, object{"zh_Hans", tool.Chinese, "en_US", tool.English, "pt_BR", tool.English, "ja_JP", tool.English}}
			input = fmt.Sprintf(`{"%s": {}}`, tool.Name)
		}
		if r.app.Mode == agentChat || r.app.Mode == agent {
			r.publish(r.envelope("agent_thought").with("id", id, "position", position, "thought", said, "observation", heard, "tool", tool.Name,
				"tool_labels", labels, "tool_input", input, "message_files", []any{}))
		}
	}
	tell(Tool{}, "", "")
	return func(heard, said string) { tell(tool, heard, said) }
}

// use uses the tools of an agent.
func (r *run) use(tools []Tool) {
	if r.app.Mode != agentChat && r.app.Mode != agent {
		return
	}
	for n, tool := range tools {
		thought := r.think(n+1, tool)
		r.publish(r.said()(tool.Before))
		r.publish(r.said()(""))
		r.text += tool.Before
		thought("", tool.Before)
		thought(tool.Heard, tool.Before)
	}
}

// moderate takes the answer back, if the app does that.
func (r *run) moderate(reason string) {
	if r.answer.Replaced == "" {
		return
	}
	r.text = r.answer.Replaced
	r.publish(r.envelope("message_replace").with("answer", r.text, "reason", reason))
}

// show shows a picture.
func (r *run) show(picture []byte) {
	if picture == nil {
		return
	}
	id := r.server.id()
	r.server.files[id] = &File{Name: "picture.png", Data: picture, app: r.app, attached: true}
	r.publish(r.envelope("message_file").with("id", id, "type", "image", "belongs_to", "assistant", "url", signedPath(id)))
}

// finish ends the answer in good order.
func (r *run) finish(text string, how spending, rounds int) {
	r.message.answer, r.message.tokens = text, rounds
	r.text = text
	r.publish(r.envelope("message_end").with("id", r.message.id, "metadata", r.metadata(how, rounds, true), "files", []any{}))
}

// fail ends it otherwise. A model's own limit has a code of its own, but only in a
// stream.
func (r *run) fail() {
	f := r.answer.Fault
	code, status := "completion_request_error", http.StatusBadRequest
	r.refusal = &Refusal{status, code, f.Message}
	if f.Limited {
		code, status = "rate_limit_error", http.StatusTooManyRequests
	}
	r.message.status, r.message.failure = "error", f.Message
	event := r.envelope("error")
	r.publish(event[:len(event)-2].with("code", code, "status", status, "message", f.Message)) // without the task
}

// spending is how an answer was paid for.
type spending int

const (
	spent   spending = iota
	none             // there was no model
	aborted          // the bill never came
)

// metadata is what stands behind an answer.
func (r *run) metadata(how spending, rounds int, streamed bool) object {
	o := object{}
	if r.app.flows() || !streamed {
		o = object{"annotation_reply", nil}
	}
	sources := []any{}
	if r.app.Mode == agent { // knows none
		r.answer.Sources = nil
	}
	for n, title := range r.answer.Sources {
		sources = append(sources, object{
			"position", n + 1, "dataset_id", r.app.id, "dataset_name", "Handbook", "document_id", r.app.flow, "document_name", title, "data_source_type", "upload_file",
			"segment_id", r.app.flow, "retriever_from", "api", "score", 0.9, "content", "…",
		})
	}
	u := usage(how, rounds)
	switch {
	case r.app.flows():
		u = u.with("time_to_first_token", 0.05, "time_to_generate", 0.1)
	case !streamed:
		u = u.with("time_to_first_token", nil, "time_to_generate", nil)
	}
	return o.with("retriever_resources", sources, "usage", u, "reasoning", object{})
}

func usage(how spending, rounds int) object {
	unit, output, zero := "0.001", "0.002", "0E-7"
	if how == none {
		unit, output, zero = "0.0", "0.0", "0.0"
	}
	price := func(each float64) string {
		if how != spent {
			return zero
		}
		return fmt.Sprintf("%.6f", each*float64(rounds))
	}
	per := unit
	return object{
		"prompt_tokens", 12 * rounds, "prompt_unit_price", unit, "prompt_price_unit", per, "prompt_price", price(0.000012),
		"completion_tokens", 8 * rounds, "completion_unit_price", output, "completion_price_unit", per, "completion_price", price(0.000016),
		"total_tokens", 20 * rounds, "total_price", price(0.000028), "currency", "USD", "latency", 0.15,
	}
}

// whole is the answer that is not streamed.
func (r *run) whole() object {
	if r.app.Mode == workflow {
		return object{"task_id", r.task, "workflow_run_id", r.id, "data", r.summary()}
	}
	how, rounds := spent, r.message.tokens
	if rounds == 0 {
		how = none
	}
	o := object{"event", "message", "task_id", r.task, "id", r.message.id, "message_id", r.message.id}
	if r.talk != nil {
		o = o.with("conversation_id", r.talk.id)
	}
	o = o.with("mode", r.app.Mode, "answer", r.text)
	if r.form != nil {
		o[1] = "workflow_paused"
		return o.with(r.waiting()...)
	}
	return o.with("metadata", r.metadata(how, rounds, false), "created_at", r.made)
}

package difytest

import (
	"slices"
	"strings"
)

// Step is a node of a chatflow that is gone through instead of the usual ones. One
// of Says, Asks, Request and Loop says what it does.
type Step struct {
	// Node is its id.
	Node string
	// Says is what an answer node says.
	Says string
	// Asks is what a model is asked, which says what stands behind !raw.
	Asks string
	// Request is a request over HTTP that is refused, and tried twice again;
	// Instead are the words of the answer node ans2 that is next then. Without,
	// the run fails.
	Request, Instead string
	// Loop are steps that are gone through Times times.
	Loop  []Step
	Times int
}

// loop is where in which loop a node is.
type loop struct {
	node  string
	index int
}

// pace goes through steps, and says with what the run ended.
func (r *run) pace(steps []Step) {
	r.started("initial")
	r.announce(steps)
	r.pass("start1", "start", "Start", r.given(), r.given())
	said, status, exceptions := "", "succeeded", 0
	for n, s := range steps {
		failure := ""
		switch {
		case s.Request != "":
			exceptions += 3
			if failure = r.request(s); failure == "" {
				said, status = said+s.Instead, "partial-succeeded"
			}
		case s.Loop != nil:
			var whole string
			whole, failure = r.loop(s, steps[n+1:])
			said += whole
		default:
			r.reply(s, nil, steps[n+1:])
			said += s.Says
		}
		if failure != "" {
			r.refusal = invalidParam("Run failed: " + failure)
			r.finished("failed", object{"answer", said, "files", []any{}}, failure, exceptions)
			return
		}
	}
	r.finish(r.text, none, 0)
	r.finished(status, object{"answer", said, "files", []any{}}, nil, exceptions)
}

// announce says the words of the next answer node as soon as nothing can come
// between any more, which is long before its turn.
func (r *run) announce(steps []Step) {
	at := slices.IndexFunc(steps, func(s Step) bool { return s.Says != "" || s.Loop != nil })
	if at >= 0 && steps[at].Says != "" {
		r.text += steps[at].Says
		r.publish(r.said(steps[at].Node, "answer")(steps[at].Says))
	}
}

// reply goes through an answer node whose words were said before, or are not said
// because it is in a loop.
func (r *run) reply(s Step, in *loop, next []Step) {
	n := r.openIn(in, s.Node, "answer", "Answer")
	if in == nil {
		r.announce(next)
	}
	r.shut(n, "succeeded", object{}, object{}, object{"answer", s.Says, "files", []any{}}, nil, in.place())
}

func (l *loop) place() any {
	if l == nil {
		return nil
	}
	return object{"loop_id", l.node, "loop_index", l.index}
}

// openIn opens a node, in a loop if there is one: those are not counted.
func (r *run) openIn(in *loop, name, kind, title string) *node {
	n := &node{id: r.server.id(), name: name, kind: kind, title: title, status: running, begun: now()}
	if in != nil {
		n.loop = in.node
		r.steps--
	}
	r.nodes = append(r.nodes, n)
	r.reopen(n)
	return n
}

// request goes through a request that is refused. It returns why the run fails, ""
// where there is another way.
func (r *run) request(s Step) string {
	const why = "[Errno 111] Connection refused"
	sent := object{"request", s.Request}
	n := r.openIn(nil, s.Node, "http-request", "HTTP")
	for again := range 2 {
		r.steps++
		r.publish(r.flowEvent("node_retry", n.end("retry", object{}, sent, object{}, why, nil).with("retry_index", again+1)))
	}
	if s.Instead == "" {
		r.shut(n, "failed", object{}, sent, object{}, why, nil)
		return why
	}
	instead := Step{Node: "ans2", Says: s.Instead}
	r.announce([]Step{instead})
	r.shut(n, "exception", object{}, sent, object{"error_message", why, "error_type", "HttpRequestNodeError"}, "Unknown error", object{"error_strategy", "fail-branch"})
	r.reply(instead, nil, nil)
	return ""
}

// loop goes through a loop, and returns what its answer nodes said, and why the run
// fails: a model can be asked once there.
func (r *run) loop(s Step, next []Step) (said, failure string) {
	begun := now()
	head := object{"id", s.Node, "node_id", s.Node, "node_type", "loop", "title", "Loop"}
	inputs := object{"loop_count", s.Times}
	tell := func(event string, more ...any) { r.publish(r.flowEvent(event, head.with(more...))) }
	r.steps++
	tell("loop_started", "created_at", begun, "extras", object{}, "metadata", object{"loop_length", s.Times}, "inputs", inputs, "inputs_truncated", false)
	took, values := object{}, object{}
	for round := range s.Times {
		in := &loop{s.Node, round}
		for _, step := range s.Loop {
			if step.Asks == "" {
				r.reply(step, in, nil)
				said += step.Says
			} else if failure := r.consult(step, in); failure != "" {
				return said, failure
			}
		}
		took, values = took.with(string(rune('0'+round)), 0.1), values.with(string(rune('0'+round)), object{})
		tell("loop_next", "index", round+1, "created_at", now(), "pre_loop_output", object{}, "extras", object{})
	}
	tell("loop_completed", "outputs", object{"loop_round", s.Times}, "outputs_truncated", false, "created_at", begun, "extras", object{}, "inputs", inputs,
		"inputs_truncated", false, "status", "succeeded", "error", nil, "elapsed_time", 0.4, "total_tokens", 0, "execution_metadata", object{
			"total_tokens", 0, "total_price", "0.0", "currency", "USD", "loop_duration_map", took, "loop_variable_map", values, "completed_reason", "loop_completed",
		}, "finished_at", now(), "steps", s.Times)
	r.announce(next)
	return said, ""
}

// consult asks a model in a loop.
func (r *run) consult(s Step, in *loop) string {
	n := r.openIn(in, s.Node, "llm", "LLM")
	if in.index > 0 {
		return "Stream " + s.Node + ".text is already closed"
	}
	_, text, _ := strings.Cut(s.Asks, "!raw ")
	r.shut(n, "succeeded", object{"model_provider", "tester/fake/fake", "model_name", "fake-1"}, r.prompted(s.Asks),
		object{"text", text, "reasoning_content", "", "usage", r.spent(), "finish_reason", "stop"}, nil,
		object{"total_tokens", 20, "total_price", "0.000028", "currency", "USD", "loop_id", in.node, "loop_index", in.index})
	return ""
}

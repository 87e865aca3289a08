package dify_test

import (
	"errors"
	"net/http"
	"testing"

	"switchboard/internal/agent/agenttest"
	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

// said is an answer of an app of any kind.
func said(mode string) answer {
	if mode == "workflow" {
		return streamAnswer(
			`{"event":"workflow_started","task_id":"t","workflow_run_id":"`+runID+`","data":{"id":"`+runID+`"}}`,
			`{"event":"text_chunk","task_id":"t","workflow_run_id":"`+runID+`","data":{"text":"Hi"}}`,
			`{"event":"workflow_finished","task_id":"t","workflow_run_id":"`+runID+`","data":{"id":"`+runID+`","status":"succeeded","outputs":{"text":"Hi"}}}`,
		)
	}
	return good()
}

// opens is how to open an app of some kind that answers so.
func opens(mode string, answers ...answer) func(testing.TB) bridge.Agent {
	return func(tb testing.TB) bridge.Agent {
		tb.Helper()
		done := jsonAnswer(200, `{"result":"success"}`)
		return open(tb, dify.Config{Transport: newFake(mode, map[string][]answer{
			pathOf(mode): answers, "/v1/parameters": {jsonAnswer(200, `{"user_input_form":[{"paragraph":{"variable":"query"}}],"file_upload":{"enabled":true},"suggested_questions_after_answer":{"enabled":true}}`)},
			"/v1/files/upload": {capture(tb, "up_png")}, "/v1/messages/m/suggested": {jsonAnswer(200, `{"result":"success","data":["And then?"," "]}`)},
			"/v1/messages/m/feedbacks": {done}, pathOf(mode) + "/t/stop": {done}, "/v1/workflows/tasks/t/stop": {done},
		})})
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"chat", "agent-chat", "advanced-chat", "agent", "workflow", "completion"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			k := kit(t, mode)
			if mode == "advanced-chat" || mode == "workflow" {
				k.Resumes = func(tb testing.TB) (bridge.Agent, bridge.Question) {
					tb.Helper()
					return taken(tb, mode)
				}
			}
			if k.Talks {
				k.Lost = func(tb testing.TB) (bridge.Agent, bridge.Conversation) {
					tb.Helper()
					return opens(mode, capture(tb, "err_conv_missing_chat_stream"))(tb), bridge.Conversation{ID: conversation, User: "person-1"}
				}
			}
			agenttest.Run(t, k)
		})
	}
}

func kit(tb testing.TB, mode string) agenttest.Kit {
	tb.Helper()
	hello := `{"event":"message",` + ids + `,"answer":"Hi"}`
	if mode == "workflow" {
		hello = `{"event":"text_chunk","task_id":"t","data":{"text":"Hi"}}`
	}
	silent := func(a answer) func(testing.TB) bridge.Agent {
		return func(tb testing.TB) bridge.Agent {
			tb.Helper()
			return open(tb, dify.Config{Transport: silence(mode, a), InputKey: "query"})
		}
	}
	return agenttest.Kit{
		Name: "dify", Talks: mode != "workflow" && mode != "completion", Hidden: []string{key},
		Open: opens(mode, said(mode)), Slow: silent(streamAnswer(hello)), Silent: silent(answer{}),
		Failures: []agenttest.Failure{
			{Name: "key", Open: opens(mode, capture(tb, "err_badauth")), Kind: bridge.KindCredential},
			{Name: "busy", Open: opens(mode, jsonAnswer(429, `{"code":"too_many_requests","message":"x"}`)), Kind: bridge.KindRateLimited},
			{Name: "plan", Open: opens(mode, jsonAnswer(429, `{"code":"rate_limit_error","message":"x"}`)), Kind: bridge.KindQuota},
			{Name: "server", Open: opens(mode, jsonAnswer(500, `{"code":"internal_server_error","message":"`+key+`"}`)), Kind: bridge.KindUnavailable, Uncertain: true},
			{Name: "page", Open: opens(mode, answer{200, http.Header{"Content-Type": {"text/html"}}, []byte("<html>" + key)}), Kind: bridge.KindUnavailable, Uncertain: true},
			{Name: "model", Open: opens(mode, streamAnswer(`{"event":"error","code":"completion_request_error","message":"`+key+`"}`)), Kind: bridge.KindAgentFailed},
			{Name: "model, later", Open: opens(mode, streamAnswer(hello, `{"event":"error","message":"boom"}`)), Kind: bridge.KindAgentFailed, Shown: true},
			{Name: "cut off", Open: opens(mode, streamAnswer(hello)), Kind: bridge.KindInterrupted, Uncertain: true, Shown: true},
			{Name: "no connection", Kind: bridge.KindUnavailable, Open: func(tb testing.TB) bridge.Agent {
				tb.Helper()
				return open(tb, dify.Config{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route with " + key) })})
			}},
		},
	}
}

// taken is an app whose run has ended without us.
func taken(tb testing.TB, mode string) (bridge.Agent, bridge.Question) {
	tb.Helper()
	f := newFake(mode, map[string][]answer{
		"/v1/workflows/run/" + runID: {jsonAnswer(200, `{"status":"succeeded","outputs":{"text":"Hi"}}`)},
		"/v1/messages":               {jsonAnswer(200, `{"data":[{"id":"m","answer":"Hi"}]}`)},
		"/v1/parameters":             {jsonAnswer(200, `{}`)},
	})
	q := resumed(runID)
	q.Run.Message = "m"
	return open(tb, dify.Config{Transport: f}), q
}

package dify_test

import (
	"slices"
	"strings"
	"testing"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

const (
	formToken = "S4yvuaTw0ZiBt4AMPcDOtK"
	formRun   = "6a7396ca-2ccf-482f-9d15-0a818d22eb90"
)

// TestFormState: what became of a form is read from the form, and after its time
// from the run.
func TestFormState(t *testing.T) {
	t.Parallel()
	expired := jsonAnswer(412, `{"code":"human_input_form_expired","message":"This form has expired, form_id=x","status":412}`)
	status := func(s string) *answer { a := jsonAnswer(200, `{"status":"`+s+`"}`); return &a }
	refused := func(code int, body string) *answer { a := jsonAnswer(code, body); return &a }
	pausedAt := func(token string) *answer {
		a := streamAnswer(
			`{"event":"workflow_started",`+ids+`,"workflow_run_id":"`+formRun+`","data":{}}`,
			`{"event":"human_input_required",`+ids+`,"workflow_run_id":"`+formRun+`","data":{"form_token":"`+token+`"}}`,
			`{"event":"workflow_paused",`+ids+`,"data":{"reasons":[{"TYPE":"human_input_required","form_token":"`+token+`"}]}}`,
		)
		return &a
	}
	for name, test := range map[string]struct {
		token             string
		form, run, events *answer
		want              bridge.FormState
		kind              bridge.Kind
	}{
		"waits":             {token: formToken, form: pointer(capture(t, "hitl_form_get")), want: bridge.FormOpen},
		"decided":           {token: formToken, form: pointer(capture(t, "hitl_form_get_again")), want: bridge.FormDecided},
		"unknown":           {token: formToken, form: pointer(capture(t, "hitl_form_get_bad")), want: bridge.FormDropped},
		"another app's":     {token: formToken, form: pointer(capture(t, "hitl_form_get_otherapp")), want: bridge.FormDropped},
		"no server":         {token: formToken, form: refused(500, `{"code":"internal_server_error","message":"x"}`), kind: bridge.KindUnavailable},
		"no Dify":           {token: formToken, form: refused(404, `<html>`), kind: bridge.KindUnavailable},
		"went on":           {token: formToken, form: &expired, run: status("running"), want: bridge.FormLapsed},
		"went to its end":   {token: formToken, form: &expired, run: status("succeeded"), want: bridge.FormLapsed},
		"came to nothing":   {token: formToken, form: &expired, run: status("stopped"), want: bridge.FormDropped},
		"failed":            {token: formToken, form: &expired, run: status("failed"), want: bridge.FormDropped},
		"no run":            {token: formToken, form: &expired, run: refused(404, `{"code":"not_found","message":"x"}`), want: bridge.FormDropped},
		"run not told":      {token: formToken, form: &expired, run: refused(502, `x`), kind: bridge.KindUnavailable},
		"not noticed":       {token: formToken, form: &expired, run: status("paused"), events: pausedAt(formToken), want: bridge.FormExpired},
		"the next one":      {token: formToken, form: &expired, run: status("paused"), events: pausedAt("second"), want: bridge.FormLapsed},
		"unseen":            {run: status("paused"), want: bridge.FormOpen},
		"unseen, decided":   {run: status("running"), want: bridge.FormDecided},
		"unseen, no run":    {run: refused(404, `{"code":"not_found","message":"x"}`), want: bridge.FormDropped},
		"unseen, not told":  {run: refused(500, `{"code":"unknown","message":"x"}`), kind: bridge.KindUnavailable},
		"unseen, to an end": {run: status("failed"), want: bridge.FormDropped},
	} {
		all := map[string][]answer{}
		for path, a := range map[string]*answer{
			"/v1/form/human_input/" + formToken: test.form, "/v1/workflows/run/" + formRun: test.run, "/v1/workflow/" + formRun + "/events": test.events,
		} {
			if a != nil {
				all[path] = []answer{*a}
			}
		}
		f := newFake("advanced-chat", all)
		got, err := open(t, dify.Config{Transport: f}).FormState(t.Context(), bridge.Conversation{ID: conversation, User: "u1"}, bridge.Run{Run: formRun}, test.token)
		if got != test.want || bridge.KindOf(err) != test.kind {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		for _, path := range f.paths() {
			if strings.Contains(path, "/form/") && !strings.Contains(path, "user=u1") || strings.Contains(path, "/events") && (!strings.Contains(path, "user=u1") || strings.Contains(path, "continue_on_pause")) {
				t.Errorf("%s: asked %s", name, path)
			}
		}
	}
	f := newFake("advanced-chat", nil)
	if _, err := open(t, dify.Config{Transport: f}).FormState(t.Context(), bridge.Conversation{User: "u1"}, bridge.Run{}, formToken); bridge.KindOf(err) != bridge.KindUnsupported || len(f.paths()) > 0 {
		t.Errorf("without a run: %v, %v", err, f.paths())
	}
}

func pointer(a answer) *answer { return &a }

// TestGoOn tells what came of a form that nobody filled in here, and decides
// nothing.
func TestGoOn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hitl_events_live", "hitl_events_after"} {
		for _, token := range []string{formToken, ""} {
			f := newFake("advanced-chat", map[string][]answer{
				"/v1/workflow/" + formRun + "/events": {capture(t, name)}, "/v1/workflows/run/" + formRun: {jsonAnswer(200, `{"status":"succeeded","outputs":{"answer":"not moderated"}}`)},
				"/v1/messages": {jsonAnswer(200, `{"data":[{"id":"m","answer":"before approved: as kept"}]}`)}, "/v1/parameters": {jsonAnswer(200, `{}`)},
			})
			var h heard
			for event, err := range open(t, dify.Config{Transport: f}).GoOn(t.Context(), bridge.Conversation{ID: conversation, User: "u1"}, bridge.Run{Run: formRun, Message: "m"}, token) {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				h.events = append(h.events, event)
			}
			ended, _ := count[bridge.Ended](h)
			if paused, _ := count[bridge.Paused](h); token == "" && name == "hitl_events_live" {
				if paused != 1 { // the snapshot is from before the decision
					t.Errorf("%s without a token: %s", name, h)
				}
			} else if want := map[string]string{"hitl_events_live": "before approved: ship it", "hitl_events_after": "before approved: as kept"}[name]; ended != 1 || h.text() != want {
				t.Errorf("%s %q: %q\n%s", name, token, h.text(), h)
			}
			if slices.ContainsFunc(f.paths(), func(path string) bool { return strings.Contains(path, "/form/") }) {
				t.Errorf("asked %v", f.paths())
			}
		}
	}
	for _, err := range open(t, dify.Config{Transport: newFake("advanced-chat", nil)}).GoOn(t.Context(), bridge.Conversation{User: "u1"}, bridge.Run{}, formToken) {
		if bridge.KindOf(err) != bridge.KindUnsupported {
			t.Errorf("without a run: %v", err)
		}
	}
}

package dify_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	c, r := bridge.Conversation{ID: conversation, User: "p1"}, bridge.Run{Message: "m"}
	path := "/v1/messages/m/suggested"
	f := newFake("chat", map[string][]answer{
		"/v1/parameters": {capture(t, "chat_parameters")}, path: {jsonAnswer(200, `{"result":"success","data":["Why?",""," How? "]}`), capture(t, "suggested"), capture(t, "suggested_nouser")},
	})
	a := open(t, dify.Config{Transport: f})
	if got, err := a.Suggest(t.Context(), c, r); err != nil || cmp.Diff([]string{"Why?", "How?"}, got) != "" {
		t.Errorf("%q, %v", got, err)
	}
	if got := f.requests()[1].path; got != path+"?user=p1" {
		t.Errorf("asked %s", got)
	}
	if got, err := a.Suggest(t.Context(), c, r); err != nil || len(got) > 0 {
		t.Errorf("none: %q, %v", got, err)
	}
	if _, err := a.Suggest(t.Context(), c, r); bridge.KindOf(err) != bridge.KindInvalid {
		t.Error(err)
	}
	off := newFake("chat", map[string][]answer{"/v1/parameters": {jsonAnswer(200, `{}`)}})
	if _, err := open(t, dify.Config{Transport: off}).Suggest(t.Context(), c, r); bridge.KindOf(err) != bridge.KindUnsupported || len(off.paths()) != 1 {
		t.Errorf("switched off: %v, %v", err, off.paths())
	}
}

// TestGreet: what an app says first is asked for once in a while.
func TestGreet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake("advanced-chat", map[string][]answer{"/v1/parameters": {capture(t, "chatflow_parameters"), jsonAnswer(200, `{"opening_statement":null}`)}})
		a := open(t, dify.Config{Transport: f})
		want := bridge.Greeting{Text: "Hello! I am the test bot.", Questions: []string{"What can you do?"}}
		for range 3 {
			if got, err := a.Greet(t.Context()); err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("%+v, %v", got, err)
			}
		}
		time.Sleep(10 * time.Minute)
		if got, err := a.Greet(t.Context()); err != nil || cmp.Diff(bridge.Greeting{}, got) != "" {
			t.Errorf("later: %+v, %v", got, err)
		}
		if n := strings.Count(strings.Join(f.paths(), " "), "parameters"); n != 2 {
			t.Errorf("asked %d times", n)
		}
		workflow := newFake("workflow", map[string][]answer{"/v1/parameters": {capture(t, "workflow_parameters")}})
		if got, err := open(t, dify.Config{Transport: workflow}).Greet(t.Context()); err != nil || got.Text != "" {
			t.Errorf("a workflow: %+v, %v", got, err)
		}
	})
}

// TestFill decides and hears the rest of the answer, from its beginning on.
func TestFill(t *testing.T) {
	t.Parallel()
	const token, run = "S4yvuaTw0ZiBt4AMPcDOtK", "6a7396ca-2ccf-482f-9d15-0a818d22eb90"
	c, r := bridge.Conversation{ID: conversation, User: "u1"}, bridge.Run{Run: run, Message: "m"}
	form, events := "/v1/form/human_input/"+token, "/v1/workflow/"+run+"/events"
	fill := func(f *fake, values map[string]bridge.FormValue) heard {
		var h heard
		for event, err := range open(t, dify.Config{Transport: f}).Fill(t.Context(), c, r, token, "approve", values) {
			if err != nil {
				h.err = err
				continue
			}
			h.events = append(h.events, event)
		}
		return h
	}
	for _, name := range []string{"hitl_events_live", "hitl_events_after"} {
		f := newFake("advanced-chat", map[string][]answer{
			form: {capture(t, "hitl_form_submit")}, events: {capture(t, name)}, "/v1/workflows/run/" + run: {jsonAnswer(200, `{"status":"succeeded"}`)},
			"/v1/messages": {jsonAnswer(200, `{"data":[{"id":"m","answer":"before approved: ship it"}]}`)},
		})
		h := fill(f, map[string]bridge.FormValue{"comment": {Text: "ship it"}})
		if ended, _ := count[bridge.Ended](h); h.err != nil || h.text() != "before approved: ship it" || ended != 1 {
			t.Errorf("%s: %q\n%s", name, h.text(), h)
		}
		sent := f.requests()[1]
		want := map[string]any{"inputs": map[string]any{"comment": "ship it"}, "action": "approve", "user": "u1"}
		if diff := cmp.Diff(want, sent.body); diff != "" || !strings.Contains(f.paths()[2], "user=u1") {
			t.Errorf("%s, %v", diff, f.paths())
		}
	}
	for name, kind := range map[string]bridge.Kind{
		"hitl_form_submit_badaction": bridge.KindInvalid, "hitl_form_submit_missing": bridge.KindInvalid,
		"hitl_form_get_bad": bridge.KindNotFound,
	} {
		f := newFake("advanced-chat", map[string][]answer{form: {capture(t, name)}})
		if h := fill(f, nil); bridge.KindOf(h.err) != kind || len(h.events) > 0 {
			t.Errorf("%s: %s", name, h)
		}
	}
	if h := fill(newFake("advanced-chat", map[string][]answer{form: {jsonAnswer(412, `{"code":"human_input_form_expired","message":"This form has expired, form_id=x","status":412}`)}}), nil); bridge.KindOf(h.err) != bridge.KindExpired || len(h.events) > 0 {
		t.Errorf("expired: %s", h)
	}
	// A second form, after the first, is a pause like any other.
	again := streamAnswer(
		`{"event":"human_input_required",`+ids+`,"workflow_run_id":"`+run+`","data":{"form_token":"`+token+`"}}`,
		`{"event":"workflow_paused",`+ids+`,"data":{"reasons":[{"form_token":"`+token+`"}]}}`,
		`{"event":"human_input_required",`+ids+`,"workflow_run_id":"`+run+`","data":{"form_token":"second","form_content":"And?"}}`,
		`{"event":"workflow_paused",`+ids+`,"data":{"reasons":[{"form_token":"second"}]}}`,
	)
	h := fill(newFake("advanced-chat", map[string][]answer{form: {capture(t, "hitl_form_submit")}, events: {again}}), nil)
	if n, paused := count[bridge.Paused](h); n != 1 || paused.Form.Token != "second" || h.err != nil {
		t.Errorf("%s", h)
	}
}

// TestDecidedBefore: whoever decided, what came of it is told: from the message when
// the run is over, because what the run put out was not moderated.
func TestDecidedBefore(t *testing.T) {
	t.Parallel()
	const token, run = "S4yvuaTw0ZiBt4AMPcDOtK", "6a7396ca-2ccf-482f-9d15-0a818d22eb90"
	over := streamAnswer(`{"event":"workflow_finished","task_id":"x","workflow_run_id":"x","data":{"status":"succeeded","outputs":{"answer":"The password is secret"}}}`)
	for name, test := range map[string]struct {
		mode, text string
		events     answer
	}{
		"goes on":  {"advanced-chat", "before approved: ship it", capture(t, "hitl_events_live")},
		"is over":  {"advanced-chat", "BLOCKED", over},
		"workflow": {"workflow", "The password is secret", over},
	} {
		f := newFake(test.mode, map[string][]answer{
			"/v1/form/human_input/" + token: {capture(t, "hitl_form_submit_again")}, "/v1/workflow/" + run + "/events": {test.events}, "/v1/parameters": {jsonAnswer(200, `{}`)},
			"/v1/workflows/run/" + run: {jsonAnswer(200, `{"status":"succeeded","outputs":{"answer":"The password is secret"}}`)},
			"/v1/messages":             {jsonAnswer(200, `{"data":[{"id":"m","answer":"BLOCKED"}]}`)},
		})
		var h heard
		for event, err := range open(t, dify.Config{Transport: f}).Fill(t.Context(), bridge.Conversation{ID: conversation, User: "u1"}, bridge.Run{Run: run, Message: "m"}, token, "reject", nil) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			h.events = append(h.events, event)
		}
		decided, _ := count[bridge.Decided](h)
		if ended, _ := count[bridge.Ended](h); decided != 1 || ended != 1 || h.text() != test.text {
			t.Errorf("%s: %q\n%s", name, h.text(), h)
		}
	}
}

// TestFormForFiles: a form says which files it takes, and what cannot be sent from
// here is for elsewhere.
func TestFormForFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		input string
		token string
		want  *bridge.FormFiles
	}{
		"words":     {`"type":"paragraph"`, "x", nil},
		"one":       {`"type":"file","allowed_file_types":["document","custom"],"allowed_file_extensions":[".log"],"allowed_file_upload_methods":["local_file","remote_url"]`, "x", &bridge.FormFiles{Most: 1, Kinds: []bridge.FileKind{bridge.FileOther}, Types: []string{"document", "custom"}, Extensions: []string{".log"}}},
		"several":   {`"type":"file-list","allowed_file_types":["image","video","audio"],"number_limits":3`, "x", &bridge.FormFiles{Most: 3, List: true, Kinds: []bridge.FileKind{bridge.FileImage, bridge.FileVideo, bridge.FileAudio}, Types: []string{"image", "video", "audio"}}},
		"any":       {`"type":"file-list"`, "x", &bridge.FormFiles{Most: 5, List: true}},
		"by a link": {`"type":"file","allowed_file_upload_methods":["remote_url"]`, "", nil},
	} {
		h := replay(t, "workflow", streamAnswer(
			`{"event":"human_input_required","workflow_run_id":"r","data":{"form_token":"x","form_content":"Proof? {{#$output.proof#}}","inputs":[{`+test.input+`,"output_variable_name":"proof"}]}}`,
			`{"event":"workflow_paused","workflow_run_id":"r","data":{"reasons":[]}}`,
		), nil)
		n, paused := count[bridge.Paused](h)
		if n != 1 || paused.Form.Token != test.token || paused.Form.Text != "Proof? " || len(paused.Form.Fields) != 1 {
			t.Fatalf("%s: %s", name, h)
		}
		if diff := cmp.Diff(test.want, paused.Form.Fields[0].Takes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestFillWithFiles: files go to the server with the user who fills the form in, by
// the rules of the field and not by those for questions, and into the form as
// references.
func TestFillWithFiles(t *testing.T) {
	t.Parallel()
	f := newFake("advanced-chat", map[string][]answer{
		"/v1/parameters": {jsonAnswer(200, `{}`)}, "/v1/files/upload": {jsonAnswer(201, `{"id":"f1"}`)},
		"/v1/form/human_input/" + formToken: {capture(t, "hitl_form_submit")}, "/v1/workflow/" + formRun + "/events": {capture(t, "hitl_events_live")},
	})
	a := open(t, dify.Config{Transport: f})
	up, err := a.UploadTo(t.Context(), "u1", bridge.FormFiles{Types: []string{"document"}}, bridge.File{Kind: bridge.FileOther, Name: "a.pdf"}, strings.NewReader("%PDF-1.7"))
	if err != nil || up.ID != "f1" || up.Type != "document" || f.requests()[1].body["user"] != "u1" {
		t.Fatalf("%+v, %v", up, err)
	}
	if _, err := a.UploadTo(t.Context(), "u1", bridge.FormFiles{Types: []string{"image"}}, bridge.File{Kind: bridge.FileOther, Name: "a.pdf"}, strings.NewReader("%PDF-1.7")); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Error(err)
	}
	for _, err := range a.Fill(t.Context(), bridge.Conversation{ID: conversation, User: "u1"}, bridge.Run{Run: formRun, Message: "m"}, formToken, "approve", map[string]bridge.FormValue{
		"one": {Files: []bridge.UploadedFile{up}}, "some": {Files: []bridge.UploadedFile{up, {ID: "f2", Type: "image"}}, List: true}, "none": {List: true}, "comment": {Text: "ok"},
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var sent map[string]any
	for _, r := range f.requests() {
		if strings.HasPrefix(r.path, "/v1/form/") {
			sent = r.body
		}
	}
	ref := func(id, kind string) any {
		return map[string]any{"type": kind, "transfer_method": "local_file", "upload_file_id": id}
	}
	want := map[string]any{"action": "approve", "user": "u1", "inputs": map[string]any{
		"one": ref("f1", "document"), "some": []any{ref("f1", "document"), ref("f2", "image")}, "none": []any{}, "comment": "ok",
	}}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
}

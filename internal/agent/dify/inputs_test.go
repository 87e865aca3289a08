package dify_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
)

const everyField = `{"file_upload":{"enabled":true},"user_input_form":[
	{"text-input":{"label":"City","variable":"city","required":true,"max_length":48,"default":""}},
	{"select":{"label":"Tone","variable":"tone","options":["plain","warm"],"default":"warm"}},
	{"number":{"variable":"years","default":3,"max_length":48}},
	{"checkbox":{"variable":"brief","default":false}},
	{"json_object":{"variable":"extra"}},
	{"external_data_tool":{"variable":"weather","required":true}},
	{"file":{"variable":"photo","required":false,"allowed_file_types":["image"]}},
	{"select":{"variable":"odd","options":["x"],"default":"gone"}},
	{"paragraph":{"variable":"query","required":true}}]}`

// TestForm tells what an app asks for; what takes the question is not part of it.
func TestForm(t *testing.T) {
	t.Parallel()
	want := []bridge.Input{
		{Name: "city", Label: "City", Kind: bridge.InputText, Required: true, MaxLength: 48},
		{Name: "tone", Label: "Tone", Kind: bridge.InputSelect, Options: []string{"plain", "warm"}, Default: "warm"},
		{Name: "years", Kind: bridge.InputNumber, Default: "3"},
		{Name: "brief", Kind: bridge.InputCheckbox, Default: "false"},
		{Name: "extra", Kind: bridge.InputJSON},
		{Name: "photo", Kind: bridge.InputFile},
		{Name: "odd", Kind: bridge.InputSelect, Options: []string{"x"}},
		{Name: "query", Kind: bridge.InputParagraph, Required: true},
	}
	for mode, want := range map[string][]bridge.Input{"workflow": want[:7], "completion": want[:7], "advanced-chat": want, "chat": want} {
		f := newFake(mode, map[string][]answer{"/v1/parameters": {jsonAnswer(200, everyField)}})
		got, err := open(t, dify.Config{Transport: f}).Inputs(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", mode, err, diff)
		}
	}
}

// TestTypedInputs: numbers, flags and objects are sent as such, and what the app
// has defaults for is left to it.
func TestTypedInputs(t *testing.T) {
	t.Parallel()
	f := newFake("workflow", map[string][]answer{"/v1/parameters": {jsonAnswer(200, everyField)}, pathOf("workflow"): {said("workflow")}})
	a := open(t, dify.Config{Transport: f, Inputs: map[string]string{"city": "Berlin", "years": "7"}})
	q := bridge.Question{
		Text: "why?", Inputs: map[string]string{"years": "8.5", "brief": "true", "extra": `{"a":[1]}`, "nobody": "asks"},
		Known: map[string]string{"city": "Hof", "user_name": "Li"},
	}
	if h := ask(t.Context(), a, q); h.err != nil {
		t.Fatal(h)
	}
	want := map[string]any{"city": "Berlin", "years": 8.5, "brief": true, "extra": map[string]any{"a": []any{1.0}}, "query": "why?"}
	if diff := cmp.Diff(want, f.requests()[len(f.requests())-1].body["inputs"]); diff != "" {
		t.Error(diff)
	}
}

// TestMissingInput: a question that the app would refuse is not asked, and it is
// said what is missing. The form is read anew first: somebody may have changed it.
func TestMissingInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		loose := jsonAnswer(200, `{"user_input_form":[]}`)
		strict := jsonAnswer(200, strings.Replace(everyField, `"photo","required":false`, `"photo","required":true`, 1))
		f := newFake("chat", map[string][]answer{"/v1/parameters": {strict, strict, loose}, "/v1/chat-messages": {good(), good()}})
		a := open(t, dify.Config{Transport: f})
		question := func(city string) error {
			return ask(t.Context(), a, bridge.Question{Text: "why?", Inputs: map[string]string{"city": city, "query": "x"}, Known: map[string]string{"role": "member"}}).err
		}
		for _, c := range []struct{ city, fields, by, code string }{{"", "City", "", "missing_input"}, {"Berlin", "photo", "person", "missing_file"}} {
			var e *bridge.Error
			err := question(c.city)
			if !errors.As(err, &e) || e.Kind != bridge.KindIncomplete || e.Args["fields"] != c.fields || e.Args["by"] != c.by || e.Code != c.code {
				t.Errorf("%q: %v %+v", c.city, err, e)
			}
		}
		if n := len(asked(f)); n != 0 {
			t.Fatalf("asked %d times", n)
		}
		time.Sleep(10 * time.Second) // not yet five minutes
		if err := question(""); bridge.KindOf(err) != bridge.KindIncomplete {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		if err := question(""); err != nil || len(asked(f)) != 1 {
			t.Errorf("the app asks for nothing any more, and still: %v, %v", err, f.paths())
		}
	})
}

func asked(f *fake) (all []request) {
	for _, r := range f.requests() {
		if r.method == http.MethodPost {
			all = append(all, r)
		}
	}
	return all
}

// TestServerMissesInput: a server that knows better is believed.
func TestServerMissesInput(t *testing.T) {
	t.Parallel()
	refused := jsonAnswer(400, `{"code":"invalid_param","message":"city is required in input form","status":400}`)
	f := newFake("chat", map[string][]answer{"/v1/parameters": {jsonAnswer(200, `{}`)}, "/v1/chat-messages": {refused}})
	var e *bridge.Error
	h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{Text: "why?"})
	if !errors.As(h.err, &e) || e.Kind != bridge.KindIncomplete || e.Args["fields"] != "city" {
		t.Error(fmt.Sprint(h), e)
	}
}

// TestUnknownForm: an app that does not say what it asks for is told what the
// settings name, and nothing about the person.
func TestUnknownForm(t *testing.T) {
	t.Parallel()
	missing := jsonAnswer(404, `{"code":"not_found","message":"x","status":404}`)
	f := newFake("chat", map[string][]answer{"/v1/parameters": {missing}, "/v1/chat-messages": {good()}})
	a := open(t, dify.Config{Transport: f, Inputs: map[string]string{"city": "Berlin", "tone": "warm"}})
	q := bridge.Question{Text: "why?", Inputs: map[string]string{"tone": "plain", "years": ""}, Known: map[string]string{"email": "li@example.com"}}
	if h := ask(t.Context(), a, q); h.err != nil {
		t.Fatal(h)
	}
	if diff := cmp.Diff(map[string]any{"city": "Berlin", "tone": "plain"}, asked(f)[0].body["inputs"]); diff != "" {
		t.Error(diff)
	}
}

// TestRenamedVariable: the question goes where the form takes it now, also when
// the variable was renamed a moment ago.
func TestRenamedVariable(t *testing.T) {
	t.Parallel()
	form := func(name string) answer {
		return jsonAnswer(200, `{"user_input_form":[{"paragraph":{"variable":"`+name+`","required":true}}]}`)
	}
	refused := map[string]answer{
		"workflow":   streamAnswer(`{"event":"workflow_finished","task_id":"t","workflow_run_id":"t","data":{"status":"failed","error":"frage is required in input form"}}`),
		"completion": jsonAnswer(400, `{"code":"invalid_param","message":"frage is required in input form","status":400}`),
	}
	for mode, refused := range refused {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(mode, map[string][]answer{"/v1/parameters": {form("q"), form("frage"), form("text")}, pathOf(mode): {said(mode), refused, said(mode)}})
			a := open(t, dify.Config{Transport: f})
			for range 3 {
				if h := ask(t.Context(), a, bridge.Question{Text: "why?"}); h.err != nil {
					t.Errorf("%s: %s", mode, h)
				}
				time.Sleep(time.Minute)
			}
			time.Sleep(10 * time.Minute)
			if h := ask(t.Context(), a, bridge.Question{Text: "why?"}); h.err != nil {
				t.Errorf("%s: %s", mode, h)
			}
			var got []string
			for _, r := range asked(f) {
				got = append(got, fmt.Sprint(r.body["inputs"]))
			}
			want := []string{"map[q:why?]", "map[q:why?]", "map[frage:why?]", "map[frage:why?]", "map[text:why?]"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", mode, diff)
			}
		})
	}
}

package difytest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// pause ends a stream with a form: a comment, and two ways to decide.
func (s *Server) pause(stream func(string, ...any), a Answer, ids, run, user string) {
	token := "token-" + run
	s.forms[token] = &waiting{run: run, user: user, ids: ids, text: a.Text, after: a.After}
	content, _ := json.Marshal(a.Form)
	form := fmt.Sprintf(`"form_content":%s,"inputs":[{"output_variable_name":"comment","type":"paragraph","default":{"type":"constant","selector":[],"value":"looks fine"}}],`+
		`"actions":[{"id":"approve","title":"Approve","button_style":"primary"},{"id":"reject","title":"Reject","button_style":"default"}],`+
		`"form_token":%q,"resolved_default_values":{},"expiration_time":4102444800`, content, token)
	stream(`{"event":"human_input_required",%s,"data":{"form_id":"f","node_id":"hi1","node_title":"Approval",%s}}`, ids, form)
	stream(`{"event":"workflow_paused",%s,"data":{"workflow_run_id":%q,"paused_nodes":["hi1"],"outputs":{},"reasons":[{"TYPE":"human_input_required",%s}],"status":"paused"}}`, ids, run, form)
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	var d map[string]json.RawMessage
	if !read(w, r, &d) {
		return
	}
	var inputs map[string]string
	var action string
	_, _ = json.Unmarshal(d["inputs"], &inputs), json.Unmarshal(d["action"], &action)
	form := s.forms[r.PathValue("token")]
	comment, given := inputs["comment"]
	switch {
	case form == nil:
		refuse(w, http.StatusNotFound, "not_found", "Form not found.")
	case form.decided != "":
		refuse(w, http.StatusPreconditionFailed, "human_input_form_submitted", "This form has already been submitted by another user, form_id=f")
	case len(d) != 3:
		refuse(w, http.StatusBadRequest, "invalid_param", "extra keys")
	case action != "approve" && action != "reject":
		refuse(w, http.StatusBadRequest, "invalid_form_data", "Invalid action: "+action)
	case !given:
		refuse(w, http.StatusBadRequest, "invalid_form_data", "Missing required inputs: comment")
	default:
		form.decided = action + ": " + comment
		say(w, http.StatusOK, "{}")
	}
}

// events tell what came after the decision, from the beginning of the answer on.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	form := s.forms["token-"+r.PathValue("run")]
	if form == nil || form.user != r.FormValue("user") || form.decided == "" {
		refuse(w, http.StatusNotFound, "not_found", "Workflow run not found")
		return
	}
	stream := begin(w)
	before, _ := json.Marshal(form.text)
	after, _ := json.Marshal(form.after + form.decided)
	stream(`{"event":"message_replace",%s,"answer":%s,"reason":""}`, form.ids, before)
	stream(`{"event":"workflow_paused",%s,"data":{"reasons":[{"TYPE":"human_input_required","form_token":"token-%s"}],"status":"paused"}}`, form.ids, form.run)
	stream(`{"event":"message",%s,"answer":%s}`, form.ids, after)
	stream(`{"event":"message_end",%s,"metadata":{},"files":[]}`, form.ids)
	stream(`{"event":"workflow_finished",%s,"data":{"status":"succeeded","outputs":{},"files":[]}}`, form.ids)
}

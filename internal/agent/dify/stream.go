package dify

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	opAsk      = "dify: ask"
	maxExcerpt = 300 // runes
)

// answer is what was heard of an answer so far. It turns Dify's events into
// ours and knows when the answer is over.
type answer struct {
	client *client
	app    app
	output string // the wished-for output of a workflow
	lang   bridge.Language

	started   bridge.Started
	announced bridge.Started
	raw       strings.Builder // as Dify sent it
	think     thinking
	links     links
	shown     bool // the caller has text
	spoke     bool // agent_message was heard
	replaced  bool // the text was taken back once
	heard     bool // anything was heard but pings
	begun     bool // a flow has passed its form
	tools     map[string]bool
	files     map[string]bool
	form      *wireForm
	filled    string // the token of a form that is no reason to wait any more

	good  bool // the answer is whole; only details may follow
	over  bool // nothing more is to come
	ended bridge.Ended
	out   []bridge.Event // to be yielded
}

// hear takes one event. An error is the end of the answer.
func (a *answer) hear(e event) error {
	if e.Event == "" || e.Event == "ping" {
		return nil
	}
	a.heard = true
	a.note(e)
	switch e.Event {
	case "message", "agent_message", "message_replace", "text_chunk", "text_replace":
		a.hearText(e)
	case "message_file":
		a.hearFile(e)
	case "agent_thought":
		a.hearTools(e)
	case "node_started":
		a.begun = true
		if e.Data.NodeType == "tool" && e.Data.Title != "" {
			a.say(bridge.Working{Tool: e.Data.Title})
		}
	case "message_end":
		a.hearEnd(e)
	case "human_input_required":
		if form := e.Data.wireForm; (a.form == nil || a.form.FormToken == "") && !a.isFilled(form) {
			a.form = &form
		}
	case "workflow_paused":
		if a.waits(e.Data) {
			a.pause(e.Data)
		}
	case "workflow_finished":
		return a.hearFinished(e.Data)
	case "error":
		if !a.good {
			return incomplete(a.client.failed(opAsk, e.Code, e.Status, e.Message))
		}
	}
	return nil // newer servers may have more; none of it is an answer
}

func (a *answer) say(e bridge.Event) { a.out = append(a.out, e) }

// note announces the ids as they become known. Events that a server makes up
// for a run that never began carry no conversation, and their ids lead nowhere.
func (a *answer) note(e event) {
	if a.good || a.app.talks() && e.ConversationID == "" {
		return
	}
	s := &a.started
	if e.MessageID == "" && (e.Event == "message" || e.Event == "agent_message") {
		e.MessageID = e.ID
	}
	for _, known := range []struct {
		to   *string
		from string
	}{{&s.Conversation.ID, e.ConversationID}, {&s.Run.Task, e.TaskID}, {&s.Run.Run, e.WorkflowRunID}, {&s.Run.Message, e.MessageID}} {
		if known.from != "" {
			*known.to = known.from
		}
	}
	if a.started != a.announced {
		a.announced = a.started
		a.say(a.started)
	}
}

func (a *answer) hearText(e event) {
	text := e.Data.Text
	if e.Answer != nil {
		text = *e.Answer
	}
	switch {
	case e.Event == "message_replace" || e.Event == "text_replace":
		a.replace(text)
	case e.Event == "message" && a.spoke: // the whole again
		if text != "" && text != a.raw.String() {
			a.replace(text)
		}
	default:
		a.spoke = a.spoke || e.Event == "agent_message"
		a.add(text)
	}
}

func (a *answer) add(text string) {
	a.raw.WriteString(text)
	text, files := a.links.add(a.think.add(text))
	a.append(text)
	a.hearLinks(files)
}

func (a *answer) append(text string) {
	if text != "" {
		a.shown = true
		a.say(bridge.TextAdded{Text: text})
	}
}

func (a *answer) hearLinks(files []link) {
	for _, f := range files {
		address, _, _ := strings.Cut(f.address, "?")
		if path.Ext(f.name) == "" && path.Ext(address) != "" {
			f.name = path.Base(address) // what stands below a picture is no name
		}
		a.hearFiles(wireFile{Type: f.kind, URL: f.address, Filename: f.name})
	}
}

func (a *answer) replace(text string) {
	a.replaced = true
	a.raw.Reset()
	a.raw.WriteString(text)
	a.think, a.links.pending = thinking{keep: a.think.keep}, ""
	text, files := a.links.add(a.think.add(text))
	a.shown = a.shown || text != ""
	a.say(bridge.TextReplaced{Text: text})
	a.hearLinks(files)
}

func (a *answer) flush() {
	text, files := a.links.add(a.think.flush())
	a.append(text + a.links.flush())
	a.hearLinks(files)
}

func (a *answer) hearFile(e event) {
	if e.Answer != nil && *e.Answer != "" {
		a.add(*e.Answer)
	}
	a.hearFiles(e.wireFile)
}

// hearFiles yields the files of the answer, each once: most are told twice,
// under addresses signed anew.
func (a *answer) hearFiles(files ...wireFile) {
	for _, f := range files {
		address := f.URL
		if address == "" {
			address = f.RemoteURL
		}
		key, _, _ := strings.Cut(address, "?")
		if address == "" || f.BelongsTo == "user" || a.files[key] {
			continue
		}
		a.files[key] = true
		name := f.Filename
		if name == "" {
			name = path.Base(key)
		}
		a.say(bridge.FileAdded{Kind: fileKind(f.Type), Name: name, URL: a.client.resolve(address)})
	}
}

func fileKind(kind string) bridge.FileKind {
	switch kind {
	case "image":
		return bridge.FileImage
	case "audio":
		return bridge.FileAudio
	case "video":
		return bridge.FileVideo
	default:
		return bridge.FileOther
	}
}

// hearTools names the tools of a thought. The same thought comes several times,
// each time with more of its fields.
func (a *answer) hearTools(e event) {
	if e.Tool == "" || a.tools[e.ID+e.Tool] {
		return
	}
	a.tools[e.ID+e.Tool] = true
	label := "en_US"
	if a.lang == bridge.Chinese {
		label = "zh_Hans"
	}
	names := strings.Split(e.Tool, ";")
	for i, name := range names {
		if l := e.ToolLabels[name][label]; l != "" {
			names[i] = l
		}
	}
	a.say(bridge.Working{Tool: strings.Join(names, ", ")})
}

func (a *answer) hearEnd(e event) {
	a.good = true
	usage := e.Metadata.Usage
	a.ended.Usage = bridge.Usage{
		Tokens: usage.Tokens, Price: decimal(usage.Price), Currency: usage.Currency, Latency: seconds(usage.Latency),
	}
	seen := map[string]bool{}
	for _, r := range e.Metadata.Resources {
		title := r.Document
		if title == "" {
			title = r.Title
		}
		if title == "" || seen[title] {
			continue
		}
		seen[title] = true
		a.ended.Sources = append(a.ended.Sources, bridge.Source{Title: title, Score: r.Score, Excerpt: excerpt(r.Content)})
	}
	a.hearFiles(e.Files...)
}

func (a *answer) hearFinished(d eventData) error {
	if a.good { // it was whole before; a moderated answer "fails" afterwards
		a.over = true
		return nil
	}
	switch d.Status {
	case "succeeded", "partial-succeeded":
		if a.filled != "" && a.app.talks() && a.raw.Len() == 0 && !a.replaced {
			return errRunOver // the outputs are from before moderation
		}
		a.take(d.Outputs)
		a.good = true
		a.over = !a.app.talks() // else message_end may follow
	case "stopped":
		a.good, a.over, a.ended.Stopped = true, true, true
	default:
		failed := a.client.failed(opAsk, "", 0, d.Error)
		if !a.begun { // later it may be a step that misses something of its own
			failed = incomplete(failed)
		}
		return failed
	}
	if a.ended.Usage == (bridge.Usage{}) {
		a.ended.Usage = bridge.Usage{Tokens: d.Tokens, Latency: seconds(d.Elapsed)}
	}
	a.hearFiles(d.Files...)
	return nil
}

// take uses the outputs of a run, where nothing was streamed or something else
// is wished for. Those of a chatflow are from before moderation: they never
// take the place of what was said or of what was replaced.
func (a *answer) take(outputs map[string]json.RawMessage) {
	whole := render(outputs, a.output)
	_, wished := outputs[a.output]
	switch {
	case a.app.talks() && a.replaced:
	case strings.TrimSpace(a.raw.String()) == "":
		a.add(whole)
	case a.app.talks():
	case a.output != "" && wished && whole != a.raw.String():
		a.replace(whole)
	}
}

// render finds the answer among the outputs of a run.
func render(outputs map[string]json.RawMessage, wished string) string {
	for _, key := range []string{wished, "answer", "text", "result", "output"} {
		if value, ok := outputs[key]; ok && string(value) != "null" {
			return plain(value)
		}
	}
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(outputs)) {
		var s string
		if json.Unmarshal(outputs[key], &s) == nil && s != "" {
			texts = append(texts, s)
		}
	}
	if len(texts) == 1 {
		return texts[0]
	}
	if len(outputs) == 0 {
		return ""
	}
	all, err := json.MarshalIndent(outputs, "", "  ")
	if err != nil {
		return ""
	}
	return "```json\n" + string(all) + "\n```"
}

func plain(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

func (a *answer) isFilled(form wireForm) bool { return a.filled != "" && form.FormToken == a.filled }

// waits says that a pause is for something else than the form just filled in.
func (a *answer) waits(d eventData) bool {
	return len(d.Reasons) == 0 || a.filled == "" || a.form != nil || !slices.ContainsFunc(d.Reasons, a.isFilled)
}

// pause ends the stream: the answer goes on after a person's decision.
func (a *answer) pause(d eventData) {
	if a.raw.Len() == 0 && d.Answer != "" {
		a.add(d.Answer)
	}
	for _, reason := range d.Reasons {
		if a.form == nil || a.form.FormToken == "" && reason.FormToken != "" {
			a.form = &reason
		}
	}
	a.flush()
	paused := bridge.Paused{}
	if a.form != nil {
		paused.Form = a.form.form()
	}
	a.say(paused)
	a.over = true
}

func (w *wireForm) form() bridge.Form {
	f := bridge.Form{Token: w.FormToken, Text: w.Content}
	if w.Expires > 0 {
		f.Expires = time.Unix(w.Expires, 0).UTC()
	}
	for _, in := range w.Inputs {
		if in.Type == typeFile || in.Type == typeFiles {
			field := bridge.FormField{Name: in.Name, Takes: in.takes()}
			if field.Takes == nil { // nothing that can be sent from here
				f.Token = ""
			}
			f.Fields = append(f.Fields, field)
			f.Text = strings.ReplaceAll(f.Text, "{{#$output."+in.Name+"#}}", "")
			continue
		}
		value := w.Resolved[in.Name]
		if s, ok := in.Default.Value.(string); ok && value == "" {
			value = s
		}
		f.Fields = append(f.Fields, bridge.FormField{Name: in.Name, Default: value, Options: in.Options.Value})
		f.Text = strings.ReplaceAll(f.Text, "{{#$output."+in.Name+"#}}", value) // where Dify's own page has the widget
	}
	for _, c := range w.Actions {
		f.Choices = append(f.Choices, bridge.FormChoice{ID: c.ID, Title: c.Title, Style: buttonStyle(c.Style)})
	}
	return f
}

// takes are the files that an input takes from here; nil means none.
func (in wireInput) takes() *bridge.FormFiles {
	if len(in.Methods) > 0 && !slices.Contains(in.Methods, localFile) {
		return nil
	}
	t := &bridge.FormFiles{Most: 1, List: in.Type == typeFiles, Types: in.Types, Extensions: in.Extensions}
	if t.List {
		t.Most = orElse(in.Most, usualFiles)
	}
	for _, kind := range in.Types {
		if k := fileKind(kind); kind != typeCustom && !slices.Contains(t.Kinds, k) {
			t.Kinds = append(t.Kinds, k)
		}
	}
	return t
}

func buttonStyle(style string) bridge.ButtonStyle {
	if style == "primary" || style == "accent" {
		return bridge.ButtonPrimary
	}
	return bridge.ButtonDefault
}

// end is called when the stream has ended, by err or in good order. It says
// what is left to say, or returns why the answer is not whole.
func (a *answer) end(err error) error {
	switch {
	case a.good:
		a.flush()
		a.say(a.ended)
		return nil
	case a.over: // paused
		return nil
	}
	kind := bridge.KindUnavailable
	if a.shown {
		kind = bridge.KindInterrupted
	}
	return &bridge.Error{Kind: kind, Op: opAsk, Detail: "the stream ended before the answer", Uncertain: true, Err: err}
}

func seconds(s float64) time.Duration {
	if !(s > 0) || s > 1e6 {
		return 0
	}
	return time.Duration(math.Round(s*1000)) * time.Millisecond
}

// decimal reads a price, which is a string such as "0.000028" or "0E-7".
func decimal(raw json.RawMessage) string {
	value, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return ""
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

func excerpt(text string) string {
	runes := []rune(text)
	if len(runes) <= maxExcerpt {
		return text
	}
	return string(runes[:maxExcerpt]) + "…"
}

// whole turns an answer that was not streamed into the events of one that was.
func whole(body []byte) ([]event, error) {
	var e event
	if err := lenient(body, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Event == "message" && e.Answer != nil:
		end := e
		end.Event, end.Answer = "message_end", nil
		return []event{e, end}, nil
	case e.Event == "workflow_paused", e.Event == "" && e.Data.Status == "paused":
		e.Event = "workflow_paused"
		return []event{e}, nil
	case e.Event == "" && e.Data.Status != "":
		e.Event = "workflow_finished"
		return []event{e}, nil
	case e.Event == "error":
		return []event{e}, nil
	}
	return nil, fmt.Errorf("dify: event %q is no answer", e.Event)
}

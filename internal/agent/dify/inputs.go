package dify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/inputs"
)

const opInputs = "dify: inputs"

// The codes of what a question lacks.
const (
	codeInput = "missing_input"
	codeFile  = "missing_file"
)

// Inputs implements bridge.Declarer. The variable that takes the question is not
// among them.
func (a *Agent) Inputs(ctx context.Context) ([]bridge.Input, error) {
	found, err := a.discover(ctx, false)
	if err != nil {
		return nil, err
	}
	p, err := a.parameters(ctx, opInputs)
	if err != nil {
		return nil, err
	}
	return a.beside(p, found), nil
}

// beside are the variables of the form beside the question.
func (a *Agent) beside(p parameters, found app) []bridge.Input {
	var all []bridge.Input
	for _, f := range p.fields() {
		if in, ok := f.input(); ok && (found.talks() || f.Name != a.input(p)) {
			all = append(all, in)
		}
	}
	return all
}

// input is a variable as everybody knows it; false for one that the server fills
// itself.
func (f field) input() (bridge.Input, bool) {
	in := bridge.Input{Name: f.Name, Label: f.Label, Required: f.Required, Options: f.Options, MaxLength: f.MaxLength}
	if f.Default != nil {
		in.Default = strings.TrimSpace(fmt.Sprint(f.Default))
	}
	switch f.kind {
	case "text-input":
		in.Kind = bridge.InputText
	case "paragraph":
		in.Kind = bridge.InputParagraph
	case "number":
		in.Kind, in.MaxLength = bridge.InputNumber, 0
	case "select":
		in.Kind = bridge.InputSelect
	case "checkbox":
		in.Kind = bridge.InputCheckbox
	case "json_object":
		in.Kind, in.Default = bridge.InputJSON, ""
	case "file", "file-list":
		in.Kind, in.Default = bridge.InputFile, ""
	default:
		return in, false
	}
	if in.Default != "" && inputs.Check(in, in.Default) != "" {
		in.Default = ""
	}
	return in, true
}

// fill adds what else the app wants to know, and the files, and returns the
// variable that is left for the question. The form holds for every question, in a
// conversation too. An app that does not say what it wants gets what the settings
// name and nothing of the person; it drops what it does not know.
func (a *Agent) fill(ctx context.Context, found app, q bridge.Question, b *question) (string, error) {
	p, err := a.parameters(ctx, opAsk)
	switch kind := bridge.KindOf(err); {
	case err == nil:
	case kind == bridge.KindNotFound || kind == bridge.KindInvalid:
		a.fillBlindly(q, b)
		return a.input(p), nil
	default:
		return "", unasked(err)
	}
	values := a.values(p, found, q)
	if len(inputs.Missing(values)) > 0 && a.outdated() { // the admin may have changed the app a moment ago
		if p, err = a.parameters(ctx, opAsk); err != nil {
			return "", unasked(err)
		}
		values = a.values(p, found, q)
	}
	if missing := inputs.Missing(values); len(missing) > 0 {
		return "", lacking(codeInput, missing)
	}
	for _, v := range values {
		// What the app fills in itself is left to it where it may be.
		if value, ok := inputs.Value(v); ok && (v.From != bridge.InputByApp || v.Input.Required) {
			b.Inputs[v.Input.Name] = value
		}
	}
	if err := b.attach(p.places(found.talks()), q.Files); err != nil {
		return "", err
	}
	return a.input(p), b.wantsFiles(a.beside(p, found))
}

func (a *Agent) fillBlindly(q bridge.Question, b *question) {
	for _, values := range []map[string]string{a.config.Inputs, q.Inputs} {
		for name, value := range values {
			if value != "" {
				b.Inputs[name] = value
			}
		}
	}
	for _, f := range q.Files {
		b.Files = append(b.Files, refTo(f))
	}
}

// values are what the form is filled with: by the settings for this question, by
// our own, and by what is known of the person.
func (a *Agent) values(p parameters, found app, q bridge.Question) []bridge.InputValue {
	return inputs.Fill(a.beside(p, found),
		inputs.Layer{From: bridge.InputByRoute, Values: q.Inputs},
		inputs.Layer{From: bridge.InputByAgent, Values: a.config.Inputs},
		inputs.Layer{From: bridge.InputByPerson, Values: q.Known})
}

// outdated forgets what the app wants, unless that was read a moment ago.
func (a *Agent) outdated() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wants == nil || time.Since(a.wants.at) < parametersFresh {
		return false
	}
	a.wants = nil
	return true
}

// wantsFiles says which file is missing that the app cannot do without.
func (b *question) wantsFiles(form []bridge.Input) error {
	missing := slices.DeleteFunc(slices.Clone(form), func(in bridge.Input) bool {
		_, there := b.Inputs[in.Name]
		return there || !in.Required || in.Kind != bridge.InputFile
	})
	if len(missing) > 0 {
		return lacking(codeFile, missing)
	}
	return nil
}

func lacking(code string, missing []bridge.Input) error {
	fields := strings.Join(inputs.Names(missing), ", ")
	args := map[string]string{"fields": fields}
	if code == codeFile {
		args["by"] = "person"
	}
	return &bridge.Error{Kind: bridge.KindIncomplete, Op: opAsk, Code: code, Detail: "there is no value for " + fields, Args: args}
}

// misses says that a question lacks the value of a variable.
func misses(err error) bool {
	var e *bridge.Error
	return errors.As(err, &e) && e.Code == codeInput
}

// required reads which variable a server misses that knows more than we do.
func required(message string) (string, bool) {
	return strings.CutSuffix(message, " is required in input form")
}

// incomplete makes the words of a server about a missing value into an error of
// that kind.
func incomplete(e *bridge.Error) *bridge.Error {
	if name, ok := required(e.Detail); ok {
		e.Kind, e.Code, e.Args = bridge.KindIncomplete, codeInput, map[string]string{"fields": name}
	}
	return e
}

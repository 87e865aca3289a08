package dify

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// parametersLast is how long is believed what an app wants and takes: the admin
// changes that in Dify while we run.
const (
	parametersLast = 5 * time.Minute
	// parametersFresh is how long nobody doubts them.
	parametersFresh = 5 * time.Second
)

// kept are parameters and when they were read.
type kept struct {
	parameters
	at time.Time
}

// parameters asks the app what it wants and takes, once in a while.
func (a *Agent) parameters(ctx context.Context, op string) (parameters, error) {
	a.mu.Lock()
	cached := a.wants
	a.mu.Unlock()
	if cached != nil && time.Since(cached.at) < parametersLast {
		return cached.parameters, nil
	}
	var p parameters
	if err := a.client.call(ctx, op, http.MethodGet, "/parameters", nil, nil, &p); err != nil {
		return p, err
	}
	a.mu.Lock()
	a.wants = &kept{p, time.Now()}
	a.mu.Unlock()
	return p, nil
}

// field is a variable of the app's form.
type field struct {
	variable
	kind string
}

func (p parameters) fields() []field {
	var all []field
	for _, item := range p.Form {
		for kind, v := range item {
			all = append(all, field{v, kind})
		}
	}
	return all
}

// takesText says that a person may type into it.
func (f field) takesText() bool { return f.kind == "text-input" || f.kind == "paragraph" }

func (f field) takesFiles() bool { return f.kind == "file" || f.kind == "file-list" }

// input finds the variable that takes the question: one with a telling name, or
// else the first that takes text, rather a required one.
func (p parameters) input() string {
	best, rank := defaultInput, 0
	for _, f := range p.fields() {
		r := 0
		switch {
		case !f.takesText():
		case slices.Contains([]string{defaultInput, "question", "input", "text", "q"}, strings.ToLower(f.Name)):
			r = 3
		case f.Required:
			r = 2
		default:
			r = 1
		}
		if r > rank {
			best, rank = f.Name, r
		}
	}
	return best
}

// input is the variable that takes the question, where the app has no query.
func (a *Agent) input(p parameters) string {
	if a.config.InputKey != "" {
		return a.config.InputKey
	}
	return p.input()
}

// declares says that the form has a variable of that name.
func (p parameters) declares(name string) bool {
	return slices.ContainsFunc(p.fields(), func(f field) bool { return f.Name == name })
}

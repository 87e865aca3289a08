package bridgetest

import (
	"context"
	"iter"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// Agent is a scripted agent: each question is answered by Answer.
type Agent struct {
	// Answer yields the events of the n-th question, from 1; a step may be an
	// event, an error, or a time.Duration to wait.
	Answer func(n int, q bridge.Question) []any

	mu        sync.Mutex
	questions []bridge.Question
}

// Questions returns the questions asked so far.
func (a *Agent) Questions() []bridge.Question {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]bridge.Question(nil), a.questions...)
}

// Ask implements bridge.Agent.
func (a *Agent) Ask(ctx context.Context, q bridge.Question) iter.Seq2[bridge.Event, error] {
	a.mu.Lock()
	a.questions = append(a.questions, q)
	n := len(a.questions)
	a.mu.Unlock()
	return func(yield func(bridge.Event, error) bool) {
		for _, step := range a.Answer(n, q) {
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			switch s := step.(type) {
			case time.Duration:
				timer := time.NewTimer(s)
				select {
				case <-ctx.Done():
					timer.Stop()
				case <-timer.C:
				}
			case error:
				yield(nil, s)
				return
			case bridge.Event:
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// Check implements bridge.Agent.
func (*Agent) Check(context.Context) ([]bridge.Finding, error) { return nil, nil }

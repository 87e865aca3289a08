package router

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// Chosen reads which choice of a form a text makes, by its words or, where that is
// wanted, by its number, and what follows it.
func Chosen(choices []bridge.FormChoice, text string, numbers bool) (id, rest string) {
	head, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	word, more, _ := strings.Cut(strings.TrimSpace(head), " ")
	if n, ok := Pick(word); ok && numbers && n <= len(choices) {
		return choices[n-1].ID, strings.TrimSpace(more + "\n" + rest)
	}
	for _, c := range choices {
		if strings.EqualFold(strings.TrimSpace(head), c.Title) {
			return c.ID, strings.TrimSpace(rest)
		}
	}
	return "", ""
}

// waitingAgent is the one whose form a text decides about: rules lead elsewhere by
// words that a decision has not. Without such a form it is the agent that would be
// asked. A number is about the form of the agent that was asked last.
func (r *Router) waitingAgent(ctx context.Context, m bridge.Message, p bridge.Person, agent string) (found string, err error) {
	all := r.agentsFor(m.Bot)
	if found = agent; len(all) == 1 {
		return agent, nil
	}
	var latest int64
	for _, candidate := range all {
		w, err := r.waitingIn(ctx, r.lane(m, p, candidate))
		if err != nil {
			return "", err
		}
		if w.form == nil || w.job < latest {
			continue
		}
		choice, _ := Chosen(w.form.Choices, m.Said(), false)
		if byNumber, _ := Chosen(w.form.Choices, m.Said(), w.last); choice == "" && byNumber != "" {
			asked, err := r.lastAgent(ctx, m, p, agent)
			if err != nil {
				return "", err
			}
			if asked == candidate {
				choice = byNumber
			}
		}
		if choice != "" {
			latest, found = w.job, candidate
		}
	}
	return found, nil
}

// waiting is a form that waits for a decision, and the job that it came with.
type waiting struct {
	form *bridge.Form
	job  int64
	last bool // nothing was asked in the lane since
}

// waitingIn finds the last form in a lane.
func (r *Router) waitingIn(ctx context.Context, lane string) (w waiting, err error) {
	waits, err := r.store.Awaits(ctx, lane, math.MaxInt64, lookBack)
	if err != nil || !waits {
		return w, inForms(err)
	}
	all, err := r.store.Exchanges(ctx, lane, 0, lookBack)
	if err != nil {
		return w, inForms(err)
	}
	x, last, _ := r.Waiting(all)
	return waiting{x.Reply.Form, x.Job.ID, last}, nil
}

// Waiting finds the last of some answers that waits for a decision, and says whether
// nothing was asked since: a number may be about it then.
func (r *Router) Waiting(all []bridge.Exchange) (x bridge.Exchange, last, found bool) {
	last = true
	for _, x := range slices.Backward(all) {
		if Told(x) {
			continue
		}
		if x.Reply.Form != nil && Decidable(*x.Reply.Form) {
			return x, last, true
		}
		wordless := x.Job.Action != nil && x.Job.Message.Text == ""
		last = last && !wordless && r.Command(x.Job.Message) != CommandNone
	}
	return bridge.Exchange{}, false, false
}

// Decidable says that a form can be decided here.
func Decidable(f bridge.Form) bool { return f.Token != "" && len(f.Choices) > 0 }

// Told says that somebody read a sentence of ours that they had not asked for, which
// leaves open what they were asked before.
func Told(x bridge.Exchange) bool {
	return x.Job.Action != nil && x.Job.Action.Kind == bridge.ActionForm && x.Reply.Agent == ""
}

func inForms(err error) error {
	if err != nil {
		return fmt.Errorf("router: forms: %w", err)
	}
	return nil
}

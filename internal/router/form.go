package router

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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
// words that a decision, and a file that a form asks for, has not. Without such a form it is the agent that would be
// asked. A number is about the form of the agent that was asked last.
func (r *Router) waitingAgent(ctx context.Context, m bridge.Message, p bridge.Person, agent string) (found string, err error) {
	all := r.agentsFor(m.Bot)
	if found = agent; len(all) == 1 {
		return agent, nil
	}
	var latest int64
	for _, candidate := range all {
		said, err := r.waitingIn(ctx, r.lane(m, p, candidate))
		if err != nil {
			return "", err
		}
		x, last, waits := r.Waiting(said)
		if form, fits := r.WaitingForFiles(said, m); fits && m.Said() == "" && form.Job.ID >= latest {
			latest, found = form.Job.ID, candidate
		}
		if !waits || x.Job.ID < latest {
			continue
		}
		choices := x.Reply.Form.Choices
		choice, _ := Chosen(choices, m.Said(), false)
		if byNumber, _ := Chosen(choices, m.Said(), last); choice == "" && byNumber != "" {
			asked, err := r.lastAgent(ctx, m, p, agent)
			if err != nil {
				return "", err
			}
			if asked == candidate {
				choice = byNumber
			}
		}
		if choice != "" {
			latest, found = x.Job.ID, candidate
		}
	}
	return found, nil
}

// waitingIn returns what was said in a lane, if something of it waits for a decision.
func (r *Router) waitingIn(ctx context.Context, lane string) ([]bridge.Exchange, error) {
	waits, err := r.store.Awaits(ctx, lane, math.MaxInt64, lookBack)
	if err != nil || !waits {
		return nil, inForms(err)
	}
	all, err := r.store.Exchanges(ctx, lane, 0, lookBack)
	return all, inForms(err)
}

// Waiting finds the last of some answers that waits for a decision, and says whether
// nothing was asked since: a number may be about it then.
func (r *Router) Waiting(all []bridge.Exchange) (x bridge.Exchange, last, found bool) {
	for n, x := range slices.Backward(all) {
		if x.Reply.Form != nil && Decidable(*x.Reply.Form) {
			return x, r.last(*x.Reply.Form, all[n+1:]), true
		}
	}
	return bridge.Exchange{}, false, false
}

// WaitingForFiles finds the last of some answers whose form the files of a message
// are for: one that lacks some, or else whatever was shown last.
func (r *Router) WaitingForFiles(all []bridge.Exchange, m bridge.Message) (x bridge.Exchange, found bool) {
	for n, x := range slices.Backward(all) {
		form := x.Reply.Form
		if form == nil || !Decidable(*form) || Expired(*form) || !takes(*form, m.Files) {
			continue
		}
		theirs := m.Chat.Kind != bridge.Group || x.Job.Message.Sender.ID == m.Sender.ID
		if theirs && (Lacking(form.Fields) != nil || r.last(*form, all[n+1:])) {
			return x, true
		}
	}
	return bridge.Exchange{}, false
}

// last says that a form is what was shown last, whatever came after it: commands, and
// what we said about the form itself, change nothing.
func (r *Router) last(form bridge.Form, after []bridge.Exchange) bool {
	return !slices.ContainsFunc(after, func(x bridge.Exchange) bool {
		wordless := x.Job.Action != nil && x.Job.Message.Text == ""
		if Beside(x) || !wordless && r.Command(x.Job.Message) != CommandNone {
			return false
		}
		tried, _ := Chosen(form.Choices, x.Job.Message.Text, true)
		return tried == "" || x.Reply.Agent != ""
	})
}

// takes says that a form asks for one of some files. What somebody says is a question,
// unless they are asked for a recording.
func takes(form bridge.Form, files []bridge.File) bool {
	return slices.ContainsFunc(files, func(f bridge.File) bool {
		return f.Text == "" && slices.ContainsFunc(form.Fields, func(at bridge.FormField) bool {
			return at.Takes != nil && (f.Kind != bridge.FileAudio || len(at.Takes.Kinds) == 0 || slices.Contains(at.Takes.Kinds, f.Kind))
		})
	})
}

// Decidable says that a form can be decided here.
func Decidable(f bridge.Form) bool { return !f.Elsewhere && f.Token != "" && len(f.Choices) > 0 }

// Expired says that the time for a form is over.
func Expired(f bridge.Form) bool { return !f.Expires.IsZero() && time.Now().After(f.Expires) }

// Lacking is the first field that no file was sent for, nil when there is none.
func Lacking(fields []bridge.FormField) *bridge.FormField {
	for n := range fields {
		if fields[n].Takes != nil && len(fields[n].Sent) == 0 {
			return &fields[n]
		}
	}
	return nil
}

// Beside says that an exchange leaves open what somebody was asked before: a sentence
// of ours that they had not asked for, or about files that they sent.
func Beside(x bridge.Exchange) bool {
	if x.Reply.Agent != "" {
		return false
	}
	m := x.Job.Message
	return x.Job.Action != nil && x.Job.Action.Kind == bridge.ActionForm || m.Said() == "" && len(m.Files) > 0
}

func inForms(err error) error {
	if err != nil {
		return fmt.Errorf("router: forms: %w", err)
	}
	return nil
}

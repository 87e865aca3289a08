package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

const (
	// pairsAtMost is how many pairs of people are shown at a time, and decidedAtMost
	// how many decisions about such pairs.
	pairsAtMost   = 20
	decidedAtMost = 10
)

// Likenesses lists who may be one human being, and what was decided lately.
func (a *App) Likenesses(ctx context.Context) (bridge.Likenesses, error) {
	all, err := a.store.Suggestions(ctx)
	if err != nil {
		return bridge.Likenesses{}, fmt.Errorf("app: likenesses: %w", err)
	}
	l := bridge.Likenesses{Total: len(all)}
	for _, s := range all[:min(len(all), pairsAtMost)] {
		pair, there, err := a.pair(ctx, s)
		if err != nil {
			return l, fmt.Errorf("app: likenesses: %w", err)
		}
		if there {
			l.Pairs = append(l.Pairs, pair)
		}
	}
	if l.Decided, err = a.decidedLately(ctx); err != nil {
		return l, fmt.Errorf("app: likenesses: %w", err)
	}
	return l, nil
}

// pair reads two people; false when one of them was merged meanwhile.
func (a *App) pair(ctx context.Context, s bridge.Suggestion) (pair bridge.Alike, there bool, err error) {
	pair.Because = s.Because
	for i, id := range s.People {
		rows, err := a.store.People(ctx, bridge.PeopleQuery{ID: id})
		if err != nil || len(rows) == 0 {
			return pair, false, err
		}
		if pair.People[i], err = a.withAccounts(ctx, rows[0]); err != nil {
			return pair, false, err
		}
	}
	return pair, true, nil
}

// decidedLately lists the decisions that can be taken back, the latest first.
func (a *App) decidedLately(ctx context.Context) ([]bridge.Decision, error) {
	var entries []bridge.Audit
	for _, kind := range []bridge.AuditKind{bridge.AuditMerged, bridge.AuditApart} {
		all, err := a.store.Audits(ctx, bridge.AuditQuery{Kind: kind, Limit: historyAtMost})
		if err != nil {
			return nil, err
		}
		entries = append(entries, slices.DeleteFunc(all, func(e bridge.Audit) bool { return !e.Undoable })...)
	}
	slices.SortFunc(entries, func(x, y bridge.Audit) int { return cmp.Compare(y.ID, x.ID) })
	var decided []bridge.Decision
	for _, e := range entries[:min(len(entries), decidedAtMost)] {
		d := bridge.Decision{Audit: e}
		for i, id := range twoOf(e) {
			p, err := a.store.Person(ctx, id)
			if err != nil && bridge.KindOf(err) != bridge.KindNotFound {
				return nil, err
			}
			d.Names[i] = cmp.Or(p.Name, id)
		}
		decided = append(decided, d)
	}
	return decided, nil
}

// twoOf are the two people whom an entry is about.
func twoOf(e bridge.Audit) [2]string {
	between := " and "
	if e.Kind == bridge.AuditMerged {
		between = " into "
	}
	one, other, _ := strings.Cut(e.Note, between)
	return [2]string{one, other}
}

// TellApart remembers that two people are not one, whatever directories say.
func (a *App) TellApart(ctx context.Context, one, other string) error {
	return a.changed(ctx, a.store.TellApart(ctx, one, other, atWindow()))
}

// likely lists who else may be the same human being.
func (a *App) likely(ctx context.Context, person string) ([]bridge.Likeness, error) {
	all, err := a.store.Suggestions(ctx)
	if err != nil {
		return nil, fmt.Errorf("app: person: %w", err)
	}
	var likely []bridge.Likeness
	for _, s := range all {
		other := s.People[0]
		switch person {
		case s.People[0]:
			other = s.People[1]
		case s.People[1]:
		default:
			continue
		}
		rows, err := a.store.People(ctx, bridge.PeopleQuery{ID: other})
		if err != nil {
			return nil, fmt.Errorf("app: person: %w", err)
		}
		for _, r := range rows {
			likely = append(likely, bridge.Likeness{With: r, Because: s.Because})
		}
	}
	return likely, nil
}

// PairReport is two people who may be one, as the terminal and other programs see
// them.
type PairReport struct {
	People  [2]LikenessReport `json:"people"`
	Because string            `json:"because"` // email or mobile
}

// apiSuggestions lists who may be one human being.
func (a *App) apiSuggestions(r *http.Request) (any, error) {
	suggestions, err := a.store.Suggestions(r.Context())
	all := []PairReport{}
	for _, s := range suggestions {
		pair := PairReport{Because: s.Because}
		for i, id := range s.People {
			p, err := a.store.Person(r.Context(), id)
			if err != nil {
				return nil, err
			}
			pair.People[i] = LikenessReport{ID: id, Name: p.Name, Because: s.Because}
		}
		all = append(all, pair)
	}
	return all, err
}

// apiApart remembers that two people are not one.
func (a *App) apiApart(r *http.Request) (any, error) {
	ctx := r.Context()
	want, err := body[struct{ From string }](r)
	if err != nil {
		return nil, err
	}
	one, err := a.named(ctx, r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	other, err := a.named(ctx, want.From)
	if err != nil {
		return nil, err
	}
	if one.Person.ID == other.Person.ID {
		return nil, aboutPeople(bridge.KindInvalid, "same", "who", one.Person.Name)
	}
	err = a.store.TellApart(ctx, one.Person.ID, other.Person.ID, actor(r))
	return a.afterActing(ctx, one.Person.ID, min(one.Person.ID, other.Person.ID), err)
}

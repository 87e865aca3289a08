package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
)

const (
	// alikeAfter is how long after a directory told of somebody people are looked
	// for who are one; what it told has to be stored first.
	alikeAfter = time.Second
	// alikeEvery is how often that is done in any case: other nodes learn too.
	alikeEvery = 10 * time.Minute
)

// joinAlike makes one person of people whose directories know the same e-mail
// address or mobile number, until ctx ends.
func (a *App) joinAlike(ctx context.Context) error {
	next := time.NewTimer(0)
	defer next.Stop()
	soon := true // a look is due that needs not be hastened
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.lookedUp:
			if !soon {
				next.Reset(alikeAfter)
				soon = true
			}
			continue
		case <-next.C:
		}
		soon = false
		if err := a.joinAllAlike(ctx); err != nil {
			return err
		}
		next.Reset(alikeEvery)
	}
}

func (a *App) joinAllAlike(ctx context.Context) error {
	all, err := a.store.Suggestions(ctx)
	if err != nil {
		return fmt.Errorf("app: people alike: %w", err)
	}
	named := map[string]int{}
	for _, s := range all {
		named[s.People[0]]++
		named[s.People[1]]++
	}
	for _, s := range all {
		if named[s.People[0]] > 1 || named[s.People[1]] > 1 {
			continue // an address that several people share proves nothing
		}
		if err := a.joinPair(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// joinPair makes one person of two; the one who was here first stays. What an
// admin has decided otherwise is left alone: somebody blocked, two roles, and
// accounts that were taken apart.
func (a *App) joinPair(ctx context.Context, s bridge.Suggestion) error {
	var pair [2]bridge.Person
	for i, id := range s.People {
		var err error
		if pair[i], err = a.store.Person(ctx, id); err != nil {
			return fmt.Errorf("app: people alike: %w", err)
		}
		apart, err := a.takenApart(ctx, id)
		if err != nil || apart {
			return err
		}
	}
	into, from := pair[0], pair[1]
	if from.CreatedAt.Before(into.CreatedAt) {
		into, from = from, into
	}
	decided := into.Role != bridge.RoleNew && from.Role != bridge.RoleNew
	if into.Role == bridge.RoleBlocked || from.Role == bridge.RoleBlocked || decided && into.Role != from.Role {
		return nil
	}
	if err := a.merge(ctx, from.ID, into.ID, bridge.Actor{Where: "rule"}); err != nil && !isUntold(err) {
		return fmt.Errorf("app: people alike: %w", err)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "two people became one", slog.String("because", s.Because), slog.String("person", into.ID))
	return a.changed(ctx, nil)
}

// takenApart says that accounts of somebody were separated, or a merge undone.
func (a *App) takenApart(ctx context.Context, person string) (bool, error) {
	for _, kind := range []bridge.AuditKind{bridge.AuditUnlinked, bridge.AuditUndone} {
		all, err := a.store.Audits(ctx, bridge.AuditQuery{Person: person, Kind: kind, Limit: 1})
		if err != nil || len(all) > 0 {
			return true, err
		}
	}
	return false, nil
}

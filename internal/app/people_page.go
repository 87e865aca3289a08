package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"switchboard/internal/bridge"
)

// The methods of this file are what the page of people asks of the house.

// historyAtMost is how much of a person's history the window shows.
const historyAtMost = 50

// atWindow is the admin.
func atWindow() bridge.Actor { return bridge.Actor{Where: "window"} }

// People returns the people who match, the one seen last first.
func (a *App) People(ctx context.Context, q bridge.PeopleQuery) ([]bridge.PersonRow, error) {
	return a.store.People(ctx, q)
}

// PersonCard returns everything about one person.
func (a *App) PersonCard(ctx context.Context, person string) (bridge.PersonCard, error) {
	rows, err := a.store.People(ctx, bridge.PeopleQuery{ID: person})
	if err != nil {
		return bridge.PersonCard{}, fmt.Errorf("app: person: %w", err)
	}
	if len(rows) == 0 {
		return bridge.PersonCard{}, &bridge.Error{Kind: bridge.KindNotFound, Op: "app: person"}
	}
	c, err := a.withAccounts(ctx, rows[0])
	if err != nil {
		return c, fmt.Errorf("app: person: %w", err)
	}
	if c.History, err = a.store.Audits(ctx, bridge.AuditQuery{Person: person, Limit: historyAtMost}); err != nil {
		return c, fmt.Errorf("app: person: %w", err)
	}
	if c.Usage, err = a.usageOf(ctx, c.Person); err != nil {
		return c, err
	}
	c.Likely, err = a.likely(ctx, person)
	return c, err
}

// withAccounts adds what directories say of the accounts of a person.
func (a *App) withAccounts(ctx context.Context, row bridge.PersonRow) (bridge.PersonCard, error) {
	c := bridge.PersonCard{PersonRow: row}
	for _, who := range c.Identities {
		profile, _, err := a.store.Profile(ctx, who)
		if err != nil {
			return c, err
		}
		c.Accounts = append(c.Accounts, bridge.Account{Identity: who, Profile: profile})
	}
	return c, nil
}

// MergePeople makes one person of two; the name and the role of into stay.
func (a *App) MergePeople(ctx context.Context, from, into string) error {
	return a.changed(ctx, a.merge(ctx, from, into, atWindow()))
}

// merge makes one person of two. Who waits for a decision goes on waiting as part of
// somebody who waits, too; as part of somebody who is admitted they are, and hear it.
func (a *App) merge(ctx context.Context, from, into string, by bridge.Actor) error {
	var tell []func(context.Context, bridge.Role) error
	for _, id := range []string{from, into} {
		waiting, err := a.store.People(ctx, bridge.PeopleQuery{ID: id, Waiting: true})
		for _, row := range waiting {
			var one func(context.Context, bridge.Role) error
			one, err = a.engine.Waiting(ctx, row.Person)
			tell = append(tell, one)
		}
		if err != nil {
			return fmt.Errorf("app: merge: %w", err)
		}
	}
	if err := a.store.Merge(ctx, from, into, by); err != nil {
		return err
	}
	p, err := a.store.Person(ctx, into)
	if err != nil || p.Role == bridge.RoleNew || p.Role == bridge.RoleBlocked {
		return err
	}
	for _, one := range tell {
		err = errors.Join(err, one(ctx, p.Role))
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "somebody who was admitted by a merge was not told", slog.String("person", into), slog.Any("error", err))
		return aboutPeople(bridge.KindUnavailable, "untold", "who", nameOr(p), "role", string(p.Role))
	}
	return nil
}

// UnlinkAccount makes one account of a person a person of its own.
func (a *App) UnlinkAccount(ctx context.Context, who bridge.Identity) error {
	_, err := a.store.Unlink(ctx, who, atWindow())
	return a.changed(ctx, err)
}

// RenamePerson gives a person a name that no platform replaces.
func (a *App) RenamePerson(ctx context.Context, person, name string) error {
	return a.changed(ctx, a.store.Rename(ctx, person, name, atWindow()))
}

// GiveRole gives a person a role, and tells somebody who waits for that.
func (a *App) GiveRole(ctx context.Context, person string, role bridge.Role) error {
	return a.changed(ctx, a.giveRole(ctx, person, role, atWindow()))
}

// giveRole gives somebody a role, and tells them if they wait for it.
func (a *App) giveRole(ctx context.Context, person string, role bridge.Role, by bridge.Actor) error {
	waiting, err := a.store.People(ctx, bridge.PeopleQuery{ID: person, Waiting: true})
	switch {
	case err != nil:
		return fmt.Errorf("app: give role: %w", err)
	case len(waiting) == 0 || role == bridge.RoleNew:
		return a.store.SetRole(ctx, person, role, by)
	default:
		return a.tellDecision(ctx, person, role, by)
	}
}

// tellDecision is Decide with words for an admin: somebody who cannot be told has
// the role all the same.
func (a *App) tellDecision(ctx context.Context, person string, role bridge.Role, by bridge.Actor) error {
	err := a.Decide(ctx, person, role, by)
	if after, failed := a.store.Person(ctx, person); err != nil && failed == nil && after.Role == role {
		return aboutPeople(bridge.KindUnavailable, "untold", "who", nameOr(after), "role", string(role))
	}
	return err
}

// isUntold says that everything was done, only that nobody could be told.
func isUntold(err error) bool {
	var e *bridge.Error
	return errors.As(err, &e) && e.Code == "untold"
}

// nameOr is what somebody is called, or their id where no name is known.
func nameOr(p bridge.Person) string { return cmp.Or(p.Name, p.ID) }

// UndoAct takes back what an entry of the history tells.
func (a *App) UndoAct(ctx context.Context, entry int64) error {
	return a.changed(ctx, a.store.Undo(ctx, entry, atWindow()))
}

// changed tells the window that people may not be what they were: also after an
// error, because a role is given before somebody is told about it.
func (a *App) changed(ctx context.Context, err error) error {
	a.showNewcomers(ctx)
	a.journal.Tell(bridge.Change{Kind: bridge.ChangeTalk})
	return err
}

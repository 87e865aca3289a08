package people

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs to know of the house, and does to it.
type Backend interface {
	Register
	Acts
}

// Register tells who there is.
type Register interface {
	// People returns the people who match, the one seen last first.
	People(ctx context.Context, q bridge.PeopleQuery) ([]bridge.PersonRow, error)
	// PersonCard returns everything about one person; somebody who was merged
	// is an error of KindNotFound.
	PersonCard(ctx context.Context, person string) (bridge.PersonCard, error)
	// Likenesses lists who may be one human being, and what was decided lately.
	Likenesses(ctx context.Context) (bridge.Likenesses, error)
}

// Acts are what an admin can do. All of them are kept in the person's history.
type Acts interface {
	// MergePeople makes one person of two; the name and the role of into stay.
	MergePeople(ctx context.Context, from, into string) error
	// TellApart remembers that two people are not one, whatever directories say.
	TellApart(ctx context.Context, one, other string) error
	// UnlinkAccount makes one account of a person a person of its own.
	UnlinkAccount(ctx context.Context, who bridge.Identity) error
	// RenamePerson gives a person a name that no platform replaces.
	RenamePerson(ctx context.Context, person, name string) error
	// GiveRole gives a person a role, and tells somebody who waits for that.
	GiveRole(ctx context.Context, person string, role bridge.Role) error
	// UndoAct takes back what an entry of the history tells.
	UndoAct(ctx context.Context, entry int64) error
}

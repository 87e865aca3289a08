package secret

import (
	"context"
	"errors"

	"switchboard/internal/bridge"
)

// Sight is what can be seen of a keyring from outside. Reading from one that is
// locked may put a window before the user that asks for a password; looking never
// does.
type Sight int

// What can be seen.
const (
	SightUnknown Sight = iota // it does not let itself be looked at
	SightLocked               // it is locked, or waits for somebody to unlock it
	SightOpen                 // reading asks nobody
)

// lookable is a keyring that tells whether it is locked without asking anybody.
type lookable interface {
	Locked() (bool, error)
}

// errLocked is what a look at a locked keyring ends with.
var errLocked = errors.New("the keyring is locked")

// See looks whether secrets could be read now, without asking anybody for a
// password. Where a keyring cannot be looked at, one that answers in the end what
// it had been asked before is open: See says so once.
func (v Vault) See(ctx context.Context) Sight {
	switch {
	case v.File != nil && v.File.Locked():
		return SightLocked
	case v.File != nil:
		return SightOpen
	case v.waiting.any():
		return SightLocked
	case v.waiting.takeAnswered():
		return SightOpen
	}
	ring, ok := v.keyring().(lookable)
	if !ok {
		return SightUnknown
	}
	_, err := v.bounded(ctx, "", func() (string, error) {
		locked, err := ring.Locked()
		if err == nil && locked {
			err = errLocked
		}
		return "", err
	})
	var known *bridge.Error
	switch {
	case err == nil:
		return SightOpen
	case errors.As(err, &known) && known.Code == codeLocked:
		return SightLocked
	default:
		return SightUnknown
	}
}

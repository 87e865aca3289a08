package welcome

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs of the house.
type Backend interface {
	// CheckAgent tries an address and a key without storing them. The error is
	// only for "could not check at all"; what is wrong is in the findings.
	CheckAgent(ctx context.Context, baseURL string, key bridge.Secret) ([]bridge.Finding, error)
	// SaveAgent stores the address in the settings and the key in the keyring
	// and uses them from now on.
	SaveAgent(ctx context.Context, baseURL string, key bridge.Secret) error
	// Keyless says that an error means that there is no keyring.
	Keyless(err error) bool
	// KeepInFile makes an encrypted file that takes the place of the keyring.
	KeepInFile(ctx context.Context, passphrase bridge.Secret) error
}

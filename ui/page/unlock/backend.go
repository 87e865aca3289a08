package unlock

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs of a house that waits for the passphrase.
type Backend interface {
	// Try says what is wrong with a passphrase: nil when it opens the file. A wrong
	// one is KindCredential.
	Try(ctx context.Context, passphrase bridge.Secret) error
	// Open lets the house open with a passphrase. With an empty one the file stays
	// locked, and what needs its secrets does not work. It is called once.
	Open(ctx context.Context, passphrase bridge.Secret) error
}

package settings

import "context"

// Backend is what the page needs to know of the house.
type Backend interface {
	// DataDir is the folder with everything the app stores.
	DataDir() string
	// Diagnose saves what helps to find a fault into a zip file. Secrets and
	// messages are not in it; when they cannot be kept out there is no file.
	Diagnose(ctx context.Context, path string) error
}

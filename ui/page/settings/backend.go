package settings

// Backend is what the page needs to know of the house.
type Backend interface {
	// DataDir is the folder with everything the app stores.
	DataDir() string
}

package privacy

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs to know of the house.
type Backend interface {
	// Privacy is what is hidden and kept now.
	Privacy() bridge.Privacy
	// MaskRules names the built-in rules, in the order in which they are shown.
	MaskRules() []string
	// PreviewPrivacy says what rules would hide in a sample. An error says what is
	// wrong with a rule.
	PreviewPrivacy(p bridge.Privacy, sample string) ([]bridge.Masked, error)
	// SavePrivacy stores what is hidden and kept, and follows it at once.
	SavePrivacy(ctx context.Context, p bridge.Privacy) error
}

package talks

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs to know of the house.
type Backend interface {
	// Overview is asked for the bots to filter by.
	Overview(ctx context.Context) (bridge.Overview, error)
	// Talks returns the conversations that match, the latest first.
	Talks(ctx context.Context, q bridge.TalkQuery) ([]bridge.TalkRow, error)
	// Exchanges returns up to limit questions of a lane with their answers and
	// entries, oldest first; before is the id of a job to page back from, 0
	// means the newest.
	Exchanges(ctx context.Context, lane string, before int64, limit int) ([]bridge.Exchange, error)
	// Retry asks the question of a finished job again.
	Retry(ctx context.Context, job int64) error
}

package routes

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs to know of the house.
type Backend interface {
	// Routes are the rules that hold now, the first one first.
	Routes() []bridge.Route
	// RouteChoices is what rules may name.
	RouteChoices() bridge.RouteChoices
	// AgentInputs is what an agent asks for beside the question.
	AgentInputs(ctx context.Context, agent string) ([]bridge.Input, error)
	// TryRoutes says what would become of a message under some rules.
	TryRoutes(ctx context.Context, rules []bridge.Route, m bridge.RouteTrial) (bridge.RouteVerdict, error)
	// SaveRoutes stores rules, and follows them from the next message on.
	SaveRoutes(ctx context.Context, rules []bridge.Route) error
}

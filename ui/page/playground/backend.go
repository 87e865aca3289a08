package playground

import (
	"context"

	"switchboard/internal/bridge"
)

// Backend is what the page needs of the house: the built-in simulator.
type Backend interface {
	Simulator
	// Employees lists the simulated people; it is empty while the simulator
	// does not run.
	Employees() []bridge.Employee
	// Say writes a message as an employee on one of the platforms.
	Say(ctx context.Context, employee string, p bridge.Platform, text string) error
	// Click presses a button below a bubble, as an employee who sees it.
	Click(ctx context.Context, employee, bubble, button string) error
	// Bubbles returns everything on an employee's screens, oldest first.
	Bubbles(employee string) []bridge.Bubble
}

// Simulator starts and stops the simulated platforms.
type Simulator interface {
	// StartDemo starts the simulator and its bots; when it runs already,
	// nothing happens.
	StartDemo(ctx context.Context) error
	// StopDemo takes them away again.
	StopDemo(ctx context.Context) error
	// Disturb makes the simulated platforms fail in the ways of a specification;
	// an empty one ends all trouble.
	Disturb(spec string) error
}

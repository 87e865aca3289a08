// Package app puts the house together: it reads the settings, opens the store,
// the bots and the agents, and runs them. It is the one place that knows every
// connector and every kind of agent.
//
// One broken bot or agent becomes a warning and never stops the others. What
// stops the program is a settings file that cannot be understood, a database
// that cannot be opened, and a second program on the same data directory.
package app

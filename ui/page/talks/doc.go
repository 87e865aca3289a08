// Package talks is the page of conversations: who talked with the agents, what
// was asked and answered, and how each answer travelled, step by step.
package talks

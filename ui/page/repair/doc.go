// Package repair is what a person sees when the app cannot start: what is wrong,
// and the ways out. Before a way out takes anything away it says what, and asks.
package repair

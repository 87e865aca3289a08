// Package tray is the icon beside the clock: the worst state of the house by
// shape and colour, one line for each channel, and the way back to the window.
package tray

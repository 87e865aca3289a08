// Package widget holds the small parts the pages are made of: lines of text,
// panels, badges, bubbles, a scroll that follows the newest line, a box to write
// in where Enter never sends.
//
// They know nothing of the house: pages give them words and callbacks.
package widget

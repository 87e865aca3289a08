// Package live keeps what is on screen up to date without ever freezing it: it
// carries work off the window's goroutine and results back onto it, tells views
// when something changed, at most four times a second and only while they can
// be seen, and puts times and words into the reader's language.
//
// It is the only package that calls fyne.Do, so every crossing of goroutines is
// in one place.
package live

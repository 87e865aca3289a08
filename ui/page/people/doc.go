// Package people is the page that shows who is who: one person, whichever
// platforms they write from, and what they may do.
package people

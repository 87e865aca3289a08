// Package privacy is the page that says what is hidden in answers and kept of
// them, with a sample to try the rules on.
package privacy

// Package routes is the page that says which message is answered by whom, with a
// message to try the rules on.
package routes

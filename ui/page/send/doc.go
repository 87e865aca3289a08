// Package send is the page on which the admin sends something of their own
// accord: it shows how the platform will show it, and what became of it.
package send

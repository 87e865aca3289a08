// Package admin is the listener for the admin and for machines that watch over
// the program: health, readiness, metrics and the state of the house.
//
// /healthz and /readyz are open to whoever can reach the listener; everything
// else wants the token. A browser that shows somebody else's page is turned
// away, and so is one that was led here under another name (DNS rebinding), so
// that no page can speak to it in the admin's place.
package admin

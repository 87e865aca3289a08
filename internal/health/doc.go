// Package health holds what is wrong right now, as data: a code, how bad it is,
// what it affects and since when. Parts raise and clear warnings; the window,
// the tray and /healthz show them. The words are in the catalogue under
// "warning.<code>", with ".next" for the next step.
package health

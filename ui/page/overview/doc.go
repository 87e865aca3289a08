// Package overview is the page that answers one question at a glance: is
// everything well, and if not, what should I do now?
package overview

// Package welcome is what a new user sees first: a language, and then either a
// try without any account or the way to connect an own Dify app.
package welcome

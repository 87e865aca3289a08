// Package webcall makes the HTTP calls of a platform's client. It knows what each
// of them would have to know: when it is uncertain whether a call took effect,
// that no redirect is followed, how much of an answer is read, and that no
// address or token reaches an error.
package webcall

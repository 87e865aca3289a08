// Package playground is the page to try everything without any account: three
// simulated employees on simulated platforms, talking with the real engine.
package playground

// Package uitest plays the house for tests of the window: a small office with
// channels, conversations, a warning and three simulated employees.
package uitest

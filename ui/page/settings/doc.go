// Package settings is the page for the app itself: its language, its looks and
// where its files are.
package settings

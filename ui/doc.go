// Package ui is the window: it builds the pages, keeps the tray, remembers
// language, theme and size, and turns keys into actions.
//
// It knows the house only through Backend. It never imports fyne.io/fyne/v2/app,
// so that everything but the driver compiles and tests without cgo.
package ui

package widget

import "fyne.io/fyne/v2"

// Enable lets something be used, or not.
func Enable(d fyne.Disableable, on bool) {
	if on {
		d.Enable()
	} else {
		d.Disable()
	}
}

// Show lets something be seen, or not. What is so already is not painted anew.
func Show(o fyne.CanvasObject, on bool) {
	switch {
	case on == o.Visible():
	case on:
		o.Show()
	default:
		o.Hide()
	}
}

package main

import (
	"context"
	"fmt"
	"image"
	"os"
	"os/exec"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/canvas"
)

// probeLimit is how long a window may take to appear.
const probeLimit = 5 * time.Second

// tryWindow finds out whether a window can be shown, in a process of its own:
// without OpenGL the toolkit ends the process it runs in.
func tryWindow(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("probe the window: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err := exec.CommandContext(ctx, self, "--probe-window").Run(); err != nil { //nolint:gosec // our own program
		return fmt.Errorf("probe the window: %w", err)
	}
	return nil
}

// probeWindow is the other side of tryWindow: a window that closes by itself as
// soon as it has been painted. Without OpenGL the toolkit may end this process,
// give up quietly, or wait for ever; only a painted window counts.
func probeWindow() int {
	a := app.NewWithID(appID + ".probe") // its own preferences: the real app reads its at the same time
	w := a.NewWindow("Switchboard")
	code := exitTrouble
	quit := sync.OnceFunc(func() {
		code = exitOK
		fyne.Do(a.Quit)
	})
	w.SetContent(canvas.NewRaster(func(int, int) image.Image {
		quit()
		return image.NewNRGBA(image.Rect(0, 0, 1, 1))
	}))
	w.SetPadded(false)
	w.Resize(fyne.NewSize(8, 8))
	w.ShowAndRun()
	return code
}

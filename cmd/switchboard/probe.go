package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"fyne.io/fyne/v2"
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

// probeWindow is the other side of tryWindow: a window that closes by itself.
func probeWindow() int {
	a := newApp()
	w := a.NewWindow("Switchboard")
	w.Resize(fyne.NewSize(1, 1))
	a.Lifecycle().SetOnStarted(func() { fyne.Do(a.Quit) })
	w.Show()
	a.Run()
	return exitOK
}

package main

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui"
	"switchboard/ui/uitest"
)

// TestMain can also be the app itself, with a played house: the pictures of the
// README and the smoke test of the window are made so. It has to be here, on
// the main goroutine, because the toolkit insists on that.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "--probe-window" {
		os.Exit(probeWindow())
	}
	if os.Getenv("SWITCHBOARD_PLAYED") == "" {
		os.Exit(m.Run())
	}
	os.Exit(run(context.Background(), os.Args[1:], played))
}

func played(context.Context, options, *slog.Logger) (ui.Backend, func(), error) { //nolint:ireturn // the seam to the window
	lang := i18n.Parse(os.Getenv("LANG"))
	house := uitest.NewHouse(lang, time.Now())
	switch os.Getenv("SWITCHBOARD_PLAYED") {
	case "empty":
		house = uitest.NewEmptyHouse(time.Now())
	case "first":
		house = uitest.NewEmptyHouse(time.Now())
		house.First = true
	}
	house.Chunk = 60 * time.Millisecond
	if lang == bridge.Chinese {
		house.Language = bridge.Chinese
	}
	return house, func() {}, nil
}

package main

import (
	"os"
	"testing"
	"time"
)

func pause(d time.Duration) { <-time.NewTimer(d).C }

// TestMain lets the test binary be the program itself, so that it can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("SWITCHBOARD_TEST_CHILD") != "" {
		main() // with its signals
	}
	os.Exit(m.Run())
}

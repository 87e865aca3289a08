package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/app"
)

// TestSecondStart: it asks the first one for its window, and says so when there
// is none or nobody answers.
func TestSecondStart(t *testing.T) {
	t.Setenv("DISPLAY", ":0")
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte("server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	o := options{data: data, config: filepath.Join(data, "switchboard.yaml")}
	backend, end, err := newBackend(t.Context(), o, log)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	address := filepath.Join(data, "admin.address")
	for deadline := time.Now().Add(10 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if _, err := os.Stat(address); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	second := func() int {
		return run(t.Context(), []string{"--data", data}, newBackend)
	}
	if code := second(); code != exitRunning {
		t.Errorf("without a window a second start exits with %d", code)
	}
	shown := make(chan struct{}, 1)
	first, ok := backend.(*app.App)
	if !ok {
		t.Fatalf("the backend is a %T", backend)
	}
	first.OnShow(func() { shown <- struct{}{} })
	if code := second(); code != exitOK || len(shown) != 1 {
		t.Errorf("a second start exits with %d, shown %d times", code, len(shown))
	}
	if err := os.Remove(address); err != nil {
		t.Fatal(err)
	}
	if code := showFirst(context.WithoutCancel(t.Context()), o, log); code != exitRunning {
		t.Errorf("when nobody answers it exits with %d", code)
	}
}

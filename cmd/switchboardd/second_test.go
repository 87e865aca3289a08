package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSecondStart: the first one goes on, the second says why it does not start.
func TestSecondStart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte("server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		var log bytes.Buffer
		ended <- run(ctx, []string{"run", "--data", data}, nil, &log, &log)
	}()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := os.Stat(filepath.Join(data, "admin.address")); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(5 * time.Millisecond)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"run", "--data", data}, nil, &out, &errs); code != exitRunning || !strings.Contains(errs.String(), data) {
		t.Errorf("a second one exits with %d and says %q", code, errs.String())
	}
	stop()
	if code := <-ended; code != exitOK {
		t.Errorf("the first one exits with %d", code)
	}
}

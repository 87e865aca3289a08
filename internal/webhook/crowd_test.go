package webhook_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/webhook"
)

// hall is a door with connections that are made without a network.
type hall struct {
	*testing.T

	pipes *bridgetest.Pipes
	lines []net.Conn
}

func inHall(t *testing.T, opt webhook.Options, do func(*hall)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opt.HeaderTimeout, opt.ReadTimeout, opt.IdleTimeout = time.Hour, time.Hour, time.Hour
		h := &hall{T: t, pipes: bridgetest.NewPipes()}
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- judged(judge{}, opt).server.Serve(ctx, h.pipes) }()
		do(h)
		for _, conn := range h.lines {
			_ = conn.Close()
		}
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

// open makes connections.
func (h *hall) open(n int) {
	for range n {
		h.lines = append(h.lines, h.pipes.Dial())
		synctest.Wait()
	}
}

// asks sends a whole request on a connection and reads the answer.
func (h *hall) asks(n int, path string) int {
	h.Helper()
	if _, err := io.WriteString(h.lines[n], post(path, "", "x")); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(h.lines[n]), nil)
	if err != nil {
		h.Fatal(err)
	}
	_ = resp.Body.Close()
	synctest.Wait()
	return resp.StatusCode
}

// gone says whether a connection was hung up on.
func (h *hall) gone(n int) bool {
	h.Helper()
	_ = h.lines[n].SetReadDeadline(time.Now().Add(time.Second))
	_, err := h.lines[n].Read(make([]byte, 1))
	_ = h.lines[n].SetReadDeadline(time.Time{})
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestCrowdByDefault: of more than 1,024 connections that say nothing those that
// came first have to go.
func TestCrowdByDefault(t *testing.T) {
	t.Parallel()
	inHall(t, webhook.Options{}, func(h *hall) {
		h.open(1030)
		for n, want := range map[int]bool{0: true, 5: true, 6: false, 1029: false} {
			if got := h.gone(n); got != want {
				h.Errorf("connection %d is hung up on: %v", n, got)
			}
		}
	})
}

// TestIdleCrowd: who has asked something and stays waits like all others, from then
// on.
func TestIdleCrowd(t *testing.T) {
	t.Parallel()
	inHall(t, webhook.Options{Waiting: 3}, func(h *hall) {
		h.open(3)
		for n, want := range map[int]int{0: http.StatusOK, 1: http.StatusNotFound} { // the one was read, and the other was not
			if got := h.asks(n, []string{"/hook/b1", "/nowhere"}[n]); got != want {
				h.Errorf("connection %d gets %d", n, got)
			}
		}
		h.open(1)
		if h.gone(0) || h.gone(1) || !h.gone(2) {
			h.Error("another one than the one that has waited longest is hung up on")
		}
		h.open(2)
		if !h.gone(0) || !h.gone(1) || h.gone(3) {
			h.Error("who has asked something once may stay for ever")
		}
	})
}

// TestCrowdForgets: who has left by itself is not counted against the others.
func TestCrowdForgets(t *testing.T) {
	t.Parallel()
	inHall(t, webhook.Options{Waiting: 3}, func(h *hall) {
		h.open(1)
		for range 5 {
			h.open(1)
			_ = h.lines[len(h.lines)-1].Close()
			synctest.Wait()
		}
		h.open(2)
		if h.gone(0) {
			h.Error("the only ones who wait are hung up on")
		}
	})
}

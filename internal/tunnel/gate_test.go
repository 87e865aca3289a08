package tunnel_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"switchboard/internal/tunnel"
)

// backlog is a listener that is fed by the test.
type backlog struct {
	net.Listener
	conns chan net.Conn
}

var errOver = errors.New("over")

func (b *backlog) Accept() (net.Conn, error) {
	conn, ok := <-b.conns
	if !ok {
		return nil, errOver
	}
	return conn, nil
}

// TestGate: it can be left while the listener behind it still waits, and what
// arrives later is hung up on.
func TestGate(t *testing.T) {
	t.Parallel()
	b := &backlog{conns: make(chan net.Conn)}
	g := tunnel.NewGate(b)
	ours, theirs := net.Pipe()
	b.conns <- theirs
	if conn, err := g.Accept(); err != nil || conn != theirs {
		t.Fatalf("got %v, %v", conn, err)
	}
	_, _ = ours.Close(), theirs.Close()
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := g.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	ours, theirs = net.Pipe()
	b.conns <- theirs
	if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("left hanging: %v", err)
	}
	close(b.conns)

	ended := &backlog{conns: make(chan net.Conn)}
	close(ended.conns)
	if _, err := tunnel.NewGate(ended).Accept(); !errors.Is(err, errOver) {
		t.Errorf("got %v", err)
	}
}

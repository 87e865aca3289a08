package tunnel

import (
	"net"
	"sync"
)

// gate is a listener that can be left at any time. The SDK's own returns from
// Accept only when it notices that it was closed, which takes up to 30 seconds
// while it waits between two tries to connect.
type gate struct {
	net.Listener
	conns  chan net.Conn
	failed chan struct{} // closed when the listener has ended with err
	err    error
	shut   chan struct{}
	once   sync.Once
}

func newGate(l net.Listener) *gate {
	g := &gate{Listener: l, conns: make(chan net.Conn), failed: make(chan struct{}), shut: make(chan struct{})}
	go g.pump()
	return g
}

// pump passes connections on until the listener ends. Behind a shut gate they
// are closed, since the SDK waits for each to be taken.
func (g *gate) pump() {
	defer close(g.failed)
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			g.err = err
			return
		}
		select {
		case g.conns <- conn:
		case <-g.shut:
			_ = conn.Close()
		}
	}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case conn := <-g.conns:
		return conn, nil
	case <-g.failed:
		return nil, g.err
	case <-g.shut:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It leaves the listener behind it alone.
func (g *gate) Close() error {
	g.once.Do(func() { close(g.shut) })
	return nil
}

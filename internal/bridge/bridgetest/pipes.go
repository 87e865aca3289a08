package bridgetest

import (
	"net"
	"sync"
)

// Pipes is a listener whose connections are made in memory, so that their time can
// be the invented one of testing/synctest. Make one with NewPipes.
type Pipes struct {
	made   chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	count int
}

// NewPipes makes a listener.
func NewPipes() *Pipes { return &Pipes{made: make(chan net.Conn), closed: make(chan struct{})} }

// Dial makes a connection, and returns the near end of it.
func (p *Pipes) Dial() net.Conn {
	near, far := net.Pipe()
	select {
	case p.made <- far:
		p.mu.Lock()
		p.count++
		p.mu.Unlock()
	case <-p.closed:
		_ = far.Close()
	}
	return near
}

// Count is how many connections were made.
func (p *Pipes) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Accept implements net.Listener.
func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *Pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (*Pipes) Addr() net.Addr { return &net.IPAddr{} }

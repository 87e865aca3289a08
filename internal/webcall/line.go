package webcall

import (
	"net/http"
	"sync/atomic"
)

// Line is a transport whose connections can be given up all at once. One that is
// dead without anybody having said so is not recognised by itself: each call on it
// waits in vain, and where calls share a connection, all of them do.
type Line struct {
	fresh func() *http.Transport
	now   atomic.Pointer[http.Transport]
}

// NewLine makes a Line of transports that fresh makes.
func NewLine(fresh func() *http.Transport) *Line {
	l := &Line{fresh: fresh}
	l.now.Store(fresh())
	return l
}

// RoundTrip implements http.RoundTripper.
func (l *Line) RoundTrip(r *http.Request) (*http.Response, error) {
	return l.now.Load().RoundTrip(r) //nolint:wrapcheck // as a transport's own
}

// Renew has the next request make a new connection. What is under way goes on.
func (l *Line) Renew() { l.now.Swap(l.fresh()).CloseIdleConnections() }

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (l *Line) CloseIdleConnections() { l.now.Load().CloseIdleConnections() }

package tunnel

import (
	"context"
	"encoding/hex"
	"net"

	"golang.ngrok.com/ngrok/v2"

	"switchboard/internal/bridge"
)

// Retry is when to try again.
type Retry = retry

// The values of Retry.
const (
	RetrySoon  = retrySoon
	RetryNow   = retryNow
	RetryLater = retryLater
	RetryNever = retryNever
)

// Supervise runs the tunnel with sessions of the test's own.
func (t *Tunnel) Supervise(ctx context.Context, open func() (*bridge.Error, Retry)) {
	t.supervise(ctx, func(context.Context) trouble {
		err, again := open()
		return trouble{err, again}
	})
}

// Classify says what an error of the service means, and when to try again.
func (t *Tunnel) Classify(err error) (*bridge.Error, Retry) {
	why := t.classify(err)
	return why.err, why.retry
}

// BeOnline says that the endpoint is there.
func (t *Tunnel) BeOnline(ctx context.Context) { t.online(ctx) }

// ServeOn answers requests on an endpoint until ctx or life ends.
func (t *Tunnel) ServeOn(ctx, life context.Context, listener ngrok.EndpointListener) {
	t.serve(ctx, life, &line{hangUp: func() {}}, listener)
}

// ReasonOf is why a session ended of which two reasons were found.
func ReasonOf(first, second Retry) Retry {
	l := &line{hangUp: func() {}}
	l.end(trouble{retry: first})
	l.end(trouble{retry: second})
	why, _ := l.reason()
	return why.retry
}

// Cut asks to reconnect while a session has a connection, and says whether the
// session goes on, with another one; if not, when the next begins.
func (t *Tunnel) Cut() (goesOn bool, again Retry) {
	t.mu.Lock()
	l := t.line
	t.mu.Unlock()
	t.Reconnect()
	why, ended := l.reason()
	return !ended, why.retry
}

// Hold gives the tunnel a session with a connection.
func (t *Tunnel) Hold(conn net.Conn) {
	t.setLine(&line{dialer: &dialer{conn: conn}, hangUp: func() {}})
}

// Signed is the signature of the self-test's question or answer.
func (t *Tunnel) Signed(what, nonce string) string { return hex.EncodeToString(t.sign(what, nonce)) }

// NewGate makes a listener that can be left at any time.
func NewGate(l net.Listener) net.Listener { return newGate(l) }

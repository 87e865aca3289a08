package dify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/webcall"
)

const maxBody = 16 << 20

// client speaks HTTP with one Dify server.
type client struct {
	base *url.URL
	key  string
	http *http.Client
	line *webcall.Line // of http; nil when it has somebody else's

	version atomic.Pointer[string] // of the server, as its last answer said

	mu      sync.Mutex
	waiting map[*patience]struct{} // for answers under way
}

// open sends a request and returns the answer when it is 2xx.
func (c *client) open(ctx context.Context, op, method, path string, query url.Values, body any, head http.Header) (*http.Response, error) {
	req, err := c.request(ctx, op, method, path, query, body)
	if err != nil {
		return nil, err
	}
	for name, values := range head {
		req.Header[name] = values
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, op, err)
	}
	if version := res.Header.Get("X-Version"); version != "" { // refusals say it too
		c.version.Store(&version)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil && ctx.Err() != nil {
		return nil, c.broken(ctx, op, err)
	}
	return nil, c.refusal(op, res, text)
}

func (c *client) request(ctx context.Context, op, method, path string, query url.Values, body any) (*http.Request, error) {
	var reader io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case *parcel:
		data, multipart, err := body.close()
		if err != nil {
			return nil, &bridge.Error{Kind: bridge.KindInternal, Op: op, Err: err}
		}
		reader, kind = bytes.NewReader(data), multipart
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, &bridge.Error{Kind: bridge.KindInternal, Op: op, Err: err}
		}
		reader = bytes.NewReader(text)
	}
	address := c.base.String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: op, Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

// call sends a request and decodes the answer, if into is not nil.
func (c *client) call(ctx context.Context, op, method, path string, query url.Values, body, into any) error {
	return c.callWithin(ctx, callLimit, op, method, path, query, body, into)
}

// callWithin is call with a limit of its own.
func (c *client) callWithin(ctx context.Context, limit time.Duration, op, method, path string, query url.Values, body, into any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errIdle)
	defer cancel()
	res, err := c.open(ctx, op, method, path, query, body, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return c.broken(ctx, op, err)
	}
	if into == nil {
		return nil
	}
	if lenient(text, into) != nil {
		return notDify(op)
	}
	return nil
}

func notDify(op string) error {
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: "not_dify", Detail: "the answer is not Dify's", Uncertain: true}
}

// resolve makes the address of a file absolute. A server that was not told its
// own address sends only the path.
func (c *client) resolve(address string) string {
	if !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return address
	}
	return strings.TrimSuffix(c.base.String(), "/v1") + address
}

// renew has the next request make a new connection. An answer under way is given
// up if not even a ping comes for a while.
func (c *client) renew() {
	if c.line != nil {
		c.line.Renew()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := range c.waiting {
		p.hurry()
	}
}

// patience ends a connection on which nothing comes. It measures only the time
// that is spent waiting for the server, never that of a slow caller.
type patience struct {
	body  io.Reader
	limit time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	waiting bool
}

// patient returns a context that is canceled when the server is silent for
// too long, and the patience that watches it.
func (c *client) patient(ctx context.Context) (context.Context, *patience, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{limit: idleLimit, timer: time.AfterFunc(idleLimit, func() { cancel(errIdle) }), waiting: true}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting[p] = struct{}{}
	return ctx, p, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, p)
		p.timer.Stop()
		cancel(nil)
	}
}

// Read implements io.Reader.
func (p *patience) Read(into []byte) (int, error) {
	p.wait(true)
	n, err := p.body.Read(into)
	p.wait(false)
	if err != nil && err != io.EOF {
		return n, fmt.Errorf("dify: read: %w", err)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

func (p *patience) wait(begins bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting = begins; begins {
		p.timer.Reset(p.limit)
	} else {
		p.timer.Stop()
	}
}

// atMost changes how long a silence may be, from the next one on.
func (p *patience) atMost(limit time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = limit
}

// hurry waits no longer than it takes the server to send its next ping.
func (p *patience) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting {
		p.timer.Reset(min(p.limit, hurryLimit))
	}
}

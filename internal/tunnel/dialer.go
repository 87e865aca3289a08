package tunnel

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/proxy"

	"switchboard/internal/bridge"
)

const dialTimeout = 10 * time.Second

// dialer connects to the service, through a proxy if there is one, and
// remembers the connection, so that it can be cut.
type dialer struct {
	proxy func(*http.Request) (*url.URL, error)
	plain net.Dialer

	mu   sync.Mutex
	conn net.Conn
}

func newDialer(find func(*http.Request) (*url.URL, error)) *dialer {
	return &dialer{proxy: find, plain: net.Dialer{Timeout: dialTimeout}}
}

// Dial implements ngrok.Dialer, which wants it; the SDK uses DialContext.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.plain.Dial(network, address)
	return d.remember(conn, err)
}

// DialContext implements ngrok.Dialer.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	via, err := d.proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: address}})
	if err != nil || via == nil {
		if err != nil {
			return nil, badProxy("the address of the proxy is not valid")
		}
		return d.remember(d.plain.DialContext(ctx, network, address))
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	switch via.Scheme {
	case "http", "https":
		return d.remember(d.connect(ctx, via, address))
	default:
		return d.remember(d.socks(ctx, via, network, address))
	}
}

func (d *dialer) remember(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = conn
	return conn, nil
}

// drop cuts the connection and tells whether there was one.
func (d *dialer) drop() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return false
	}
	_ = d.conn.Close()
	d.conn = nil
	return true
}

func (d *dialer) socks(ctx context.Context, via *url.URL, network, address string) (net.Conn, error) {
	through, err := proxy.FromURL(via, &d.plain)
	if err != nil {
		return nil, badProxy("proxies of the kind " + via.Scheme + " are not supported")
	}
	timed, ok := through.(proxy.ContextDialer)
	if !ok {
		return nil, badProxy("proxies of the kind " + via.Scheme + " are not supported")
	}
	conn, err := timed.DialContext(ctx, network, address)
	if err != nil {
		return nil, badProxy("no connection through " + via.Host)
	}
	return conn, nil
}

// connect asks an HTTP proxy for a connection (RFC 9110, section 9.3.6).
func (d *dialer) connect(ctx context.Context, via *url.URL, address string) (net.Conn, error) {
	conn, err := d.proxyConn(ctx, via)
	if err != nil {
		return nil, badProxy(via.Host + " cannot be reached")
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	status, err := ask(conn, via, address)
	if !stop() || err != nil || status != http.StatusOK {
		_ = conn.Close()
		if status == 0 {
			return nil, badProxy(via.Host + " does not answer")
		}
		return nil, badProxy(via.Host + " answers " + http.StatusText(status))
	}
	return conn, nil
}

func (d *dialer) proxyConn(ctx context.Context, via *url.URL) (net.Conn, error) {
	port := via.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[via.Scheme]
	}
	address := net.JoinHostPort(via.Hostname(), port)
	if via.Scheme == "https" {
		secure := tls.Dialer{NetDialer: &d.plain}
		return secure.DialContext(ctx, "tcp", address)
	}
	return d.plain.DialContext(ctx, "tcp", address)
}

// ask sends the request and returns the status. Nothing that follows is lost:
// in TLS it is our side that speaks first. Its errors are for the caller only,
// who replaces them by words without the proxy's password.
func ask(conn net.Conn, via *url.URL, address string) (int, error) {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if via.User != nil {
		password, _ := via.User.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(via.User.Username()+":"+password)))
	}
	if err := r.Write(conn); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close()
	return answer.StatusCode, nil
}

// badProxy leaves out the cause, which may hold the proxy's password.
func badProxy(detail string) error {
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: opConnect, Code: "proxy", Detail: detail}
}

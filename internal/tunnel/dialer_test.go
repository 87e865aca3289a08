package tunnel_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

const proxyPassword = "s3cret-of-the-proxy"

// relay is a proxy on this machine; talk does its side of the greeting and
// returns where to connect to.
func relay(t *testing.T, talk func(net.Conn) (string, bool)) (address string, used *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	used = &atomic.Int32{}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			used.Add(1)
			go pass(conn, talk)
		}
	}()
	return l.Addr().String(), used
}

func pass(conn net.Conn, talk func(net.Conn) (string, bool)) {
	defer func() { _ = conn.Close() }()
	target, ok := talk(conn)
	if !ok {
		return
	}
	out, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	go func() {
		_, _ = io.Copy(out, conn)
		_ = out.Close()
	}()
	_, _ = io.Copy(conn, out)
}

// httpProxy wants the password.
func httpProxy(conn net.Conn) (string, bool) {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil || r.Method != http.MethodConnect {
		return "", false
	}
	r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
	if _, password, _ := r.BasicAuth(); password != proxyPassword {
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		return "", false
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	return r.Host, err == nil
}

// socksProxy speaks SOCKS5 without a password (RFC 1928).
func socksProxy(conn net.Conn) (string, bool) {
	greeting := make([]byte, 3)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return "", false
	}
	_, _ = conn.Write([]byte{5, 0})
	request := make([]byte, 10) // for an IPv4 address
	if _, err := io.ReadFull(conn, request); err != nil || request[3] != 1 {
		return "", false
	}
	_, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	target := net.TCPAddr{IP: request[4:8], Port: int(binary.BigEndian.Uint16(request[8:]))}
	return target.String(), err == nil
}

func via(text string) option {
	return func(_ *tunnel.Config, o *tunnel.Options) {
		o.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme != "https" { // as http.ProxyFromEnvironment looks at it
				return nil, nil
			}
			return url.Parse(text)
		}
	}
}

// TestProxy: the connection to the service goes through the proxy.
func TestProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		talk func(net.Conn) (string, bool)
		user string
	}{
		"http":   {httpProxy, "team:" + proxyPassword + "@"},
		"socks5": {socksProxy, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, used := relay(t, c.talk)
			edge := tunneltest.New(t)
			h := open(t, edge, echo("door"), via(name+"://"+c.user+proxy))
			h.awaitState(t, tunnel.StateOnline)
			if status, _ := post(t, edge, address+"/hook/b1", "x"); status != http.StatusOK || used.Load() != 1 {
				t.Errorf("got %d, the proxy was used %d times", status, used.Load())
			}
			h.Reconnect() // what is cut is the connection to the proxy
			h.awaitState(t, tunnel.StateReconnecting)
			h.awaitState(t, tunnel.StateOnline)
			if used.Load() != 2 {
				t.Errorf("the proxy was used %d times", used.Load())
			}
		})
	}
}

// TestProxyTrouble: a proxy that does not help is named, its password is not.
func TestProxyTrouble(t *testing.T) {
	t.Parallel()
	mute, _ := relay(t, func(net.Conn) (string, bool) { return "", false })
	strict, _ := relay(t, httpProxy)
	for name, text := range map[string]string{
		"wrong password": "http://team:x" + proxyPassword + "@" + strict,
		"hangs up":       "http://team:" + proxyPassword + "@" + mute,
		"socks hangs up": "socks5://team:" + proxyPassword + "@" + mute,
		"not there":      "http://team:" + proxyPassword + "@127.0.0.1:1",
		"unknown":        "gopher://team:" + proxyPassword + "@" + mute,
		"not valid":      "http://team:" + proxyPassword + "@[::1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, tunneltest.New(t), http.NotFoundHandler(), via(text))
			s := h.await(t, "in trouble", func(s tunnel.Status) bool { return s.Err != nil })
			if code, _, _ := trouble(s.Err); code != "proxy" || s.State != tunnel.StateStarting { // it may be there in a moment
				t.Errorf("got %+v", s)
			}
			told(t, s.Err)
			h.stop()
			if strings.Contains(s.Err.Error()+h.log.String(), proxyPassword) {
				t.Errorf("the password is shown: %v; %s", s.Err, h.log)
			}
			if name == "wrong password" && !strings.Contains(s.Err.Error(), "Proxy Authentication Required") {
				t.Errorf("got %v", s.Err)
			}
		})
	}
}

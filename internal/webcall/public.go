package webcall

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
)

// ErrNotPublic is why a link was not opened.
var ErrNotPublic = errors.New("the address is not a public one")

// NewPublic makes a client for links that others chose. It refuses connections
// into the company's network, whatever a name resolves to at that moment; local
// lets it reach this machine, for servers that run on it. It follows no redirect,
// and knows no proxy, which would hide where the connection goes.
func NewPublic(local bool) *http.Client {
	dialer := &net.Dialer{Timeout: Timeout, Control: publicOnly(local)}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: Timeout, ResponseHeaderTimeout: Timeout, IdleConnTimeout: Timeout,
		},
		CheckRedirect: Stay,
	}
}

func publicOnly(local bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return ErrNotPublic
		}
		ip := to.Addr().Unmap()
		if ip.IsGlobalUnicast() && !ip.IsPrivate() || local && ip.IsLoopback() {
			return nil
		}
		return ErrNotPublic
	}
}

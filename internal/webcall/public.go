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
		ip := to.Addr().Unmap().WithZone("")
		if isPublic(ip) || local && ip.IsLoopback() {
			return nil
		}
		return ErrNotPublic
	}
}

// isPublic says that an address is somewhere on the internet, as far as addresses
// tell (https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry). 198.18.0.0/15 is
// let through: programs that send a whole computer's traffic through a proxy give
// every name of the internet an address in it.
func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, inside := range []string{
		"0.0.0.0/8", "192.0.0.0/24", "240.0.0.0/4", // not for anybody to use
		"100.64.0.0/10",                                                                  // between a provider and its customers; some clouds tell their machines secrets there
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10", // lead to any IPv4 address, or inside
	} {
		if netip.MustParsePrefix(inside).Contains(ip) {
			return false
		}
	}
	return true
}

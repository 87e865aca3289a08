package form

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
)

// Values reads the fields of a form from a configuration and checks them. Blanks
// around a value come along when it is copied, and are taken off; an absent one
// is the field's default. The error names the first field that cannot be used.
func Values(op string, fields []bridge.Field, c bridge.Config) (map[string]string, error) {
	values := map[string]string{}
	for _, f := range fields {
		value := c.Setting(f.Key)
		if f.Secret {
			value = strings.TrimSpace(c.Secrets[f.Key].Reveal())
		}
		if value == "" {
			value = f.Default
		}
		switch {
		case value != "" && f.Check != nil:
			if err := f.Check(value); err != nil {
				return nil, Wrong(op, f.Key, err)
			}
		case value == "" && f.Required:
			return nil, Wrong(op, f.Key, errors.New("is missing"))
		}
		values[f.Key] = value
	}
	return values, nil
}

// Wrong is the error for a field that cannot be used. The cause reads on from the
// field's name and must not tell the value.
func Wrong(op, key string, cause error) error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: op, Detail: key + " " + cause.Error(), Args: map[string]string{"field": key}}
}

// NoMode is the error for a mode that the platform does not have.
func NoMode(op string, id bridge.ModeID) error {
	return &bridge.Error{Kind: bridge.KindUnsupported, Op: op, Detail: "there is no mode " + strconv.Quote(string(id))}
}

// Word refuses what is not one word.
func Word(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7F || r == 0xA0 || r == 0x3000 }) {
		return errors.New("contains a blank or a line break")
	}
	return nil
}

// Line refuses what is not one line.
func Line(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return errors.New("contains a line break")
	}
	return nil
}

// CheckURL refuses what URL cannot read.
func CheckURL(s string) error {
	_, err := URL(s)
	return err
}

// URL reads the address of an API. Without TLS only this machine may be meant,
// because secrets travel there.
func URL(s string) (*url.URL, error) { return read(s, "https", "http") }

// CheckSocketURL refuses what SocketURL cannot read.
func CheckSocketURL(s string) error {
	_, err := SocketURL(s)
	return err
}

// SocketURL reads the address of a web socket, as URL does.
func SocketURL(s string) (*url.URL, error) { return read(s, "wss", "ws") }

func read(s, safe, bare string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("is not an address such as " + safe + "://host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not hold a user, a query or a fragment")
	case u.Scheme == safe || u.Scheme == bare && Loopback(u.Hostname()):
		return u, nil
	default:
		return nil, errors.New("must begin with " + safe + "://")
	}
}

// Loopback tells whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

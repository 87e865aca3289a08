package dify

import (
	"net/url"
	"regexp"
	"strings"
)

// maxLink is how much text is held back to see whether it is a link.
const maxLink = 4 << 10

// links takes the links to files of the server's own out of an answer as it
// streams by: such a link is a path that leads nowhere outside, or is signed for
// minutes. A picture is left out of the text, of any other file the name stays.
type links struct {
	own     func(address string) bool
	pending string
}

// link is a file that was taken out.
type link struct{ kind, name, address string }

// add takes more text and returns what of it may be shown, and the files.
func (l *links) add(text string) (string, []link) {
	if l.own == nil {
		return text, nil
	}
	rest := l.pending + text
	l.pending = ""
	var out strings.Builder
	var found []link
	for {
		at := strings.IndexByte(rest, '[')
		if at < 0 {
			break
		}
		if at > 0 && rest[at-1] == '!' {
			at--
		}
		out.WriteString(rest[:at])
		rest = rest[at:]
		whole, open := bracketed(rest)
		if open {
			l.pending = rest
			return out.String(), found
		}
		name, address := parts(rest[:whole])
		switch {
		case whole == 0: // no link, go on behind the bracket
			whole = strings.IndexByte(rest, '[') + 1
			out.WriteString(rest[:whole])
		case !l.own(address):
			out.WriteString(rest[:whole])
		case rest[0] == '!':
			found = append(found, link{typeImage, name, address})
		default:
			found = append(found, link{"", name, address})
			out.WriteString(name)
		}
		rest = rest[whole:]
	}
	if strings.HasSuffix(rest, "!") {
		rest, l.pending = rest[:len(rest)-1], "!"
	}
	out.WriteString(rest)
	return out.String(), found
}

// flush returns what was held back.
func (l *links) flush() string {
	rest := l.pending
	l.pending = ""
	return rest
}

// bracketed is the length of the link that a text begins with, 0 if it begins with
// none; open says that this cannot be told yet.
func bracketed(text string) (length int, open bool) {
	head := regexp.MustCompile(`^!?\[[^][\n]{0,200}(\](\([^)\n]*(\))?)?)?`).FindString(text)
	switch {
	case strings.HasSuffix(head, ")") && strings.Contains(head, "]("):
		return len(head), false
	case len(head) == len(text) && len(text) < maxLink:
		return 0, true
	default:
		return 0, false
	}
}

// parts are the name and the address of a link; a title behind the address is of no
// use.
func parts(link string) (name, address string) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(link, "!"), "["), "](")
	fields := strings.Fields(strings.TrimSuffix(rest, ")"))
	if len(fields) > 0 {
		address = strings.Trim(fields[0], "<>")
	}
	return name, address
}

// keeps says that an address is that of a file of the server's.
func (c *client) keeps(address string) bool {
	u, err := url.Parse(c.resolve(address))
	return err == nil && c.own(u) && strings.Contains(u.EscapedPath(), "/files/")
}

// own says that an address is the server's: the same one, or its place for files,
// which may have a port of its own.
func (c *client) own(u *url.URL) bool {
	return u.User == nil && (u.Scheme == c.base.Scheme && u.Host == c.base.Host ||
		u.Hostname() == c.base.Hostname() && strings.HasPrefix(u.EscapedPath(), "/files/"))
}

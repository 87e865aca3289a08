package settings

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader walks the node tree and collects problems.
type reader struct {
	problems Problems
	bot      string // whose part is being read
}

func (r *reader) report(n *yaml.Node, path, key string, args ...any) {
	r.problems = append(r.problems, Problem{Line: max(n.Line, 1), Path: path, Bot: r.bot, Key: key, Args: args})
}

// fields reads a mapping; each key is given to its reader, unknown and doubled
// ones are reported.
func (r *reader) fields(n *yaml.Node, path string, readers map[string]func(*yaml.Node, string)) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.report(n, path, "want_mapping")
		return
	}
	known := slices.Sorted(maps.Keys(readers))
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		read, ok := readers[key.Value]
		switch {
		case !ok:
			if like := nearest(key.Value, known); like != "" {
				r.report(key, at, "unknown_like", "key", key.Value, "like", like)
			} else {
				r.report(key, at, "unknown", "key", key.Value, "known", strings.Join(known, ", "))
			}
		case seen[key.Value]:
			r.report(key, at, "twice", "key", key.Value)
		default:
			seen[key.Value] = true
			read(value, at)
		}
	}
}

func (r *reader) items(n *yaml.Node, path string, read func(*yaml.Node, string)) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.report(n, path, "want_list")
		return
	}
	for i, item := range n.Content {
		read(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

func (r *reader) text(n *yaml.Node, path string) (string, bool) {
	if isNull(n) {
		return "", true
	}
	if n.Kind != yaml.ScalarNode {
		r.report(n, path, "want_text")
		return "", false
	}
	return strings.TrimSpace(n.Value), true
}

func (r *reader) str(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		if text, ok := r.text(n, path); ok {
			*to = text
		}
	}
}

// exactly reads a text in which blanks at the ends count.
func (r *reader) exactly(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		if _, ok := r.text(n, path); ok && !isNull(n) {
			*to = n.Value
		}
	}
}

func (r *reader) oneOf(to *string, allowed ...string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		text, ok := r.text(n, path)
		switch {
		case !ok:
		case !slices.Contains(allowed, text):
			r.report(n, path, "one_of", "value", text, "allowed", strings.Join(allowed, ", "))
		default:
			*to = text
		}
	}
}

func (r *reader) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			r.report(n, path, "want_bool")
			return
		}
		*to = n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
	}
}

func (r *reader) count(to *int) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		v, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || v < 0 {
			r.report(n, path, "want_count")
			return
		}
		*to = v
	}
}

// some is count where none makes no sense.
func (r *reader) some(to *int) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		v := *to
		if r.count(&v)(n, path); v == 0 {
			r.report(n, path, "want_some")
			return
		}
		*to = v
	}
}

func (r *reader) span(to *time.Duration) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		d, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
			r.report(n, path, "want_duration", "value", n.Value)
			return
		}
		*to = d
	}
}

func (r *reader) link(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		text, ok := r.text(n, path)
		if !ok || text == "" {
			return
		}
		if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			r.report(n, path, "want_url", "value", text)
			return
		}
		*to = strings.TrimRight(text, "/")
	}
}

func (r *reader) address(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		text, ok := r.text(n, path)
		if !ok {
			return
		}
		_, port, err := net.SplitHostPort(text)
		if p, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || p > 65535 {
			r.report(n, path, "want_address", "value", text)
			return
		}
		*to = text
	}
}

// IsLoopback says that an address can be reached from this machine only.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// id reads an id, which becomes part of addresses and secret names.
func (r *reader) id(to *string) func(*yaml.Node, string) {
	valid := regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	return func(n *yaml.Node, path string) {
		text, ok := r.text(n, path)
		if ok && !valid.MatchString(text) {
			r.report(n, path, "want_id", "value", text)
			return
		}
		*to = text
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

package settings

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// RouteMistake is something wrong in the routing rules.
type RouteMistake struct {
	Rule int    // from 0
	Path string // within the rule, such as "when.regexp"
	Err  error
}

// checkRoutes reads the rules when all agents and bots are known. Who checks them
// knows what they mean; here it is found out at which line a mistake stands.
func (p *parser) checkRoutes() {
	const path = "routes"
	n := p.routesAt
	if n == nil || isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.report(n, path, "want_list")
		return
	}
	for i, item := range n.Content {
		var rule any
		if err := item.Decode(&rule); err != nil { // a key that is written twice
			p.report(item, fmt.Sprintf("%s[%d]", path, i), "wrong", "error", strings.TrimPrefix(err.Error(), "yaml: "))
			return
		}
		p.s.Routes = append(p.s.Routes, rule)
	}
	if p.known.CheckRoutes == nil {
		return
	}
	var agents, bots []string
	for _, a := range p.s.Agents {
		agents = append(agents, a.ID)
	}
	for _, b := range p.s.Bots {
		bots = append(bots, b.ID)
	}
	for _, m := range p.known.CheckRoutes(p.s.Routes, agents, bots) {
		at := n
		if m.Rule < len(n.Content) {
			at = deepest(n.Content[m.Rule], m.Path)
		}
		p.report(at, strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", path, m.Rule, m.Path), "."), "wrong", "error", m.Err)
	}
}

// deepest finds where a path leads, as far as there is something.
func deepest(n *yaml.Node, path string) *yaml.Node {
	for key := range strings.SplitSeq(path, ".") {
		next := childOf(n, key)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// keepRoutes writes the rules. One that is as it was stays as it is written, with
// its comments.
func keepRoutes(old *yaml.Node, rules []any) error {
	was := childOf(old, "routes")
	var before []any
	if was != nil {
		if err := was.Decode(&before); err != nil {
			return err
		}
	}
	if len(before) == 0 && len(rules) == 0 || reflect.DeepEqual(before, rules) {
		return nil
	}
	var items []*yaml.Node
	for _, rule := range rules {
		item := &yaml.Node{}
		if err := item.Encode(rule); err != nil {
			return err
		}
		for i, b := range before {
			if reflect.DeepEqual(b, rule) {
				item = was.Content[i]
				break
			}
		}
		items = append(items, item)
	}
	if was == nil {
		was = &yaml.Node{Kind: yaml.SequenceNode}
		old.Content = append(old.Content, text("routes"), was)
	}
	if was.Kind != yaml.SequenceNode || len(was.Content) == 0 {
		put(was, &yaml.Node{Kind: yaml.SequenceNode})
	}
	was.Content = items
	brief(was)
	return nil
}

package settings

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// allowedAt is where the agents for a role stand, to check them when all agents
// are known.
type allowedAt struct {
	role bridge.Role
	path string
	at   *yaml.Node
}

// allowedAgents reads which agents people of a role may ask.
func (p *parser) allowedAgents(n *yaml.Node, path string) {
	readers := section{}
	for _, role := range []bridge.Role{bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest} {
		readers[string(role)] = func(n *yaml.Node, at string) { p.allowed = append(p.allowed, allowedAt{role, at, n}) }
	}
	p.fields(n, path, readers)
}

// checkAllowed reads the agents of every role, of which each has to exist.
func (p *parser) checkAllowed() {
	for _, a := range p.allowed {
		all := []string{}
		if isNull(a.at) {
			p.report(a.at, a.path, "missing") // nobody at all has to be written as []
		}
		p.items(a.at, a.path, func(n *yaml.Node, at string) {
			id, ok := p.text(n, at)
			if ok && !slices.ContainsFunc(p.s.Agents, func(a Agent) bool { return a.ID == id }) {
				p.report(n, at, "no_agent", "value", id)
			}
			all = append(all, id)
		})
		if p.s.People.AllowedAgents == nil {
			p.s.People.AllowedAgents = map[bridge.Role][]string{}
		}
		p.s.People.AllowedAgents[a.role] = all
	}
}

// allow reads whom a bot is for.
func (p *parser) allow(to *Allow) func(*yaml.Node, string) {
	list := func(to *[]string) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) {
			p.items(n, path, func(n *yaml.Node, at string) {
				text, ok := p.text(n, at)
				if ok && text == "" {
					p.report(n, at, "missing")
				}
				*to = append(*to, text)
			})
		}
	}
	return func(n *yaml.Node, path string) {
		p.fields(n, path, section{"chats": list(&to.Chats), "departments": list(&to.Departments)})
	}
}

func peopleNode(s People) *yaml.Node {
	n := mapping("default_role", text(string(s.DefaultRole)), "self_link", flag(s.SelfLink), "auto_link", flag(s.AutoLink))
	allowed := mapping()
	for _, role := range slices.Sorted(maps.Keys(s.AllowedAgents)) {
		allowed.Content = append(allowed.Content, text(string(role)), names(s.AllowedAgents[role]))
	}
	if len(allowed.Content) == 0 {
		allowed.Style = yaml.FlowStyle
	}
	n.Content = append(n.Content, text("allowed_agents"), allowed)
	return n
}

func botNode(b Bot) *yaml.Node {
	n := mapping("id", text(b.ID), "platform", text(string(b.Platform)), "mode", text(string(b.Mode)), "agent", text(b.Agent))
	for _, o := range []struct{ key, value string }{{"admission", b.Admission}, {"group", b.Group}} {
		if o.value != "" {
			n.Content = append(n.Content, text(o.key), text(o.value))
		}
	}
	if len(b.Allow.Chats)+len(b.Allow.Departments) > 0 {
		n.Content = append(n.Content, text("allow"), mapping("chats", names(b.Allow.Chats), "departments", names(b.Allow.Departments)))
	}
	if len(b.Inputs) > 0 {
		n.Content = append(n.Content, text("inputs"), texts(b.Inputs))
	}
	n.Content = append(n.Content, text("settings"), texts(b.Settings))
	return n
}

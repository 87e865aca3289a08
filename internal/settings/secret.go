package settings

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// secrets reads where secrets come from. A value that is no reference is taken
// for a secret itself and refused without being repeated.
func (p *parser) secrets(n *yaml.Node, path string) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.report(n, path, "want_mapping")
		return
	}
	p.secretAt = map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if p.secretAt[key.Value] != nil {
			p.report(key, join(path, key.Value), "twice", "key", key.Value)
			continue
		}
		p.secretAt[key.Value] = key
		if value.Kind != yaml.ScalarNode || !isReference(value.Value) {
			p.report(value, join(path, key.Value), "literal_secret")
			continue
		}
		p.s.Secrets[key.Value] = value.Value
	}
}

func isReference(text string) bool {
	if text == "keyring" {
		return true
	}
	kind, name, _ := strings.Cut(text, ":")
	return slices.Contains([]string{"env", "file", "credential"}, kind) && name != ""
}

// checkSecrets wants every secret to be one that is looked for. A mistyped name
// would otherwise look like a secret that is missing.
func (p *parser) checkSecrets() {
	known := map[string]bool{AdminToken: true, TunnelToken: true, DatabasePassword: true}
	for _, a := range p.s.Agents {
		known[AgentSecret(a.ID)] = true
	}
	for _, b := range p.s.Bots {
		for _, key := range p.secretKeys(b.Platform) {
			known[BotSecret(b.ID, key)] = true
		}
	}
	names := slices.Sorted(maps.Keys(known))
	for _, name := range slices.Sorted(maps.Keys(p.secretAt)) {
		if known[name] || p.isOfNobody(name) {
			continue
		}
		p.bot = p.ownerOf(name)
		if like := nearest(name, names); like != "" {
			p.report(p.secretAt[name], join("secrets", name), "unknown_like", "key", name, "like", like)
		} else {
			p.report(p.secretAt[name], join("secrets", name), "unknown", "key", name, "known", strings.Join(names, ", "))
		}
		p.bot = ""
	}
}

// isOfNobody says that a secret is of a bot or an agent that is not in the file, and
// may be there again: its place is kept.
func (p *parser) isOfNobody(name string) bool {
	kind, rest, _ := strings.Cut(name, "/")
	id, _, _ := strings.Cut(rest, "/")
	switch kind {
	case "agent":
		return !slices.ContainsFunc(p.s.Agents, func(a Agent) bool { return a.ID == id })
	case "bot":
		return !slices.ContainsFunc(p.s.Bots, func(b Bot) bool { return b.ID == id })
	default:
		return false
	}
}

// database reads where the data is. A password has no place in the address.
func (p *parser) database(n *yaml.Node, path string) {
	text, ok := p.text(n, path)
	if !ok || text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		p.report(n, path, "want_database")
		return
	}
	p.s.Database = text
	_, inAddress := u.User.Password()
	if inAddress || u.Query().Has("password") {
		p.report(n, path, "database_password", "name", DatabasePassword)
	}
}

// secretKeys are the secrets of a platform's bots, in any mode: those of another
// mode may wait in the file.
func (p *parser) secretKeys(platform bridge.Platform) []string {
	var keys []string
	for _, c := range p.known.Connectors {
		for _, f := range c.Form {
			if c.Platform == platform && f.Secret {
				keys = append(keys, f.Key)
			}
		}
	}
	return keys
}

// ownerOf is the bot that a secret is of, if there is one: the others are well then.
func (p *parser) ownerOf(name string) string {
	for _, b := range p.s.Bots {
		if b.ID != "" && strings.HasPrefix(name, BotSecret(b.ID, "")) {
			return b.ID
		}
	}
	return ""
}

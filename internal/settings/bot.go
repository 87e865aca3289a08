package settings

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// oneBot reads one bot. What is wrong in it is the bot's own problem, once its
// id is known.
func (p *parser) oneBot(n *yaml.Node, path string) {
	b := Bot{Settings: map[string]string{}}
	p.bot = scalarAt(n, "id")
	defer func() { p.bot = "" }()
	platform, mode := "", ""
	p.fields(n, path, section{
		"id": p.id(&b.ID), "platform": p.str(&platform), "mode": p.str(&mode), "agent": p.str(&b.Agent),
		"admission": p.oneOf(&b.Admission, "open", "approval", "closed"), "group": p.oneOf(&b.Group, "shared", "member", "thread"),
		"allow":    p.allow(&b.Allow),
		"inputs":   p.texts(&b.Inputs),
		"settings": func(n *yaml.Node, at string) { p.botSettings(n, at, &b) },
	})
	b.Platform, b.Mode = bridge.Platform(platform), bridge.ModeID(mode)
	if b.ID == "" || slices.ContainsFunc(p.s.Bots, func(o Bot) bool { return o.ID == b.ID }) {
		p.bot = "" // without an id of its own the problem is everybody's
		if b.ID == "" {
			p.report(n, join(path, "id"), "missing")
		} else {
			p.report(n, join(path, "id"), "twice_id", "value", b.ID)
		}
	}
	p.s.Bots = append(p.s.Bots, b)
	p.bots = append(p.bots, n)
}

// botSettings takes the values as they are; they are checked against the form
// when the whole bot is known.
func (p *parser) botSettings(n *yaml.Node, path string, b *Bot) {
	p.texts(&b.Settings)(n, path)
}

// texts reads values by names of anybody's choice.
func (p *parser) texts(into *map[string]string) func(n *yaml.Node, path string) {
	return func(n *yaml.Node, path string) {
		if isNull(n) {
			return
		}
		if n.Kind != yaml.MappingNode {
			p.report(n, path, "want_mapping")
			return
		}
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if seen[key.Value] {
				p.report(key, join(path, key.Value), "twice", "key", key.Value)
				continue
			}
			seen[key.Value] = true
			text, ok := p.text(value, join(path, key.Value))
			if !ok {
				continue
			}
			if *into == nil {
				*into = map[string]string{}
			}
			(*into)[key.Value] = text
		}
	}
}

// checkBots checks every bot against its connector and the agents, when the
// whole file is known.
func (p *parser) checkBots() {
	for i := range p.s.Bots {
		b := &p.s.Bots[i]
		p.bot = b.ID
		path := "bots[" + strconv.Itoa(i) + "]"
		p.checkAgent(p.bots[i], path, b)
		c, ok := p.connector(p.bots[i], path, b)
		if !ok {
			continue
		}
		mode, ok := c.Mode(b.Mode)
		if !ok {
			p.report(p.bots[i], join(path, "mode"), "one_of", "value", b.Mode, "allowed", modes(c))
			continue
		}
		b.Mode = mode.ID
		p.checkForm(p.bots[i], path, b, c.Fields(mode.ID))
	}
	p.bot = ""
}

func (p *parser) checkAgent(n *yaml.Node, path string, b *Bot) {
	if b.Agent == "" && len(p.s.Agents) == 1 {
		b.Agent = p.s.Agents[0].ID
	}
	if !slices.ContainsFunc(p.s.Agents, func(a Agent) bool { return a.ID == b.Agent }) {
		p.report(n, join(path, "agent"), "no_agent", "value", b.Agent)
	}
}

func (p *parser) connector(n *yaml.Node, path string, b *Bot) (bridge.Connector, bool) {
	var names []string
	for _, c := range p.known.Connectors {
		if c.Platform == b.Platform {
			return c, true
		}
		names = append(names, string(c.Platform))
	}
	p.report(n, join(path, "platform"), "one_of", "value", b.Platform, "allowed", strings.Join(names, ", "))
	return bridge.Connector{}, false
}

func modes(c bridge.Connector) string {
	var names []string
	for _, m := range c.Modes {
		names = append(names, string(m.ID))
	}
	return strings.Join(names, ", ")
}

func (p *parser) checkForm(n *yaml.Node, path string, b *Bot, form []bridge.Field) {
	var known []string
	for _, f := range form {
		at := join(join(path, "settings"), f.Key)
		value, given := b.Settings[f.Key]
		if f.Secret {
			if given {
				p.report(settingNode(n, f.Key), at, "secret_in_settings", "name", BotSecret(b.ID, f.Key))
				delete(b.Settings, f.Key)
			}
			continue
		}
		known = append(known, f.Key)
		if value == "" && f.Default != "" {
			b.Settings[f.Key] = f.Default
			continue
		}
		p.checkField(n, at, f, value)
	}
	for key := range b.Settings {
		if !slices.Contains(known, key) {
			p.report(settingNode(n, key), join(join(path, "settings"), key), "unknown", "key", key, "known", strings.Join(known, ", "))
		}
	}
}

func (p *parser) checkField(n *yaml.Node, at string, f bridge.Field, value string) {
	switch {
	case value == "" && f.Required:
		p.report(n, at, "missing")
	case value == "":
	case f.Number && !isNumber(value):
		p.report(settingNode(n, f.Key), at, "want_count")
	case f.Check != nil:
		if err := f.Check(value); err != nil {
			p.report(settingNode(n, f.Key), at, "wrong", "error", err.Error())
		}
	}
}

func isNumber(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

// settingNode finds where a setting of a bot stands.
func settingNode(bot *yaml.Node, key string) *yaml.Node {
	if s := childOf(bot, "settings"); s != nil {
		if v := childOf(s, key); v != nil {
			return v
		}
		return s
	}
	return bot
}

func childOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func scalarAt(n *yaml.Node, key string) string {
	if v := childOf(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return strings.TrimSpace(v.Value)
	}
	return ""
}

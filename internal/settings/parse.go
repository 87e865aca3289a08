package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// Known is what the program can do, to check the file against.
type Known struct {
	Connectors []bridge.Connector
	AgentKinds []string
	// KeylessKinds are the agent kinds that need no address and no key.
	KeylessKinds []string
	// CheckMasks says what is wrong with privacy rules; nil takes them all.
	CheckMasks func(off []string, custom []bridge.MaskRule) error
	// CheckRoutes says what is wrong with routing rules that may name these agents
	// and bots; nil takes them all.
	CheckRoutes func(rules []any, agents, bots []string) []RouteMistake
}

// Load reads a file. One that does not exist is an empty one.
func Load(path string, known Known) (Settings, Problems, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the admin's own choice of file
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil, nil
	}
	if err != nil {
		return Settings{}, nil, fmt.Errorf("settings: %w", err)
	}
	s, problems := Parse(data, known)
	s.Stamp = stamp(data, true)
	return s, problems, nil
}

// parser fills the settings while it reads.
type parser struct {
	reader
	known Known
	s     Settings
	bots  []*yaml.Node // where each bot stands, for what is checked at the end

	adminAt  *yaml.Node // where server.admin stands, for the same
	routesAt *yaml.Node
	allowed  []allowedAt
	secretAt map[string]*yaml.Node
}

// Parse reads the text of a file. With fatal problems the settings are not to
// be used.
func Parse(data []byte, known Known) (Settings, Problems) {
	p := &parser{known: known, s: Default()}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		line := 1
		if found := regexp.MustCompile(`line (\d+)`).FindStringSubmatch(err.Error()); found != nil {
			line, _ = strconv.Atoi(found[1])
		}
		return p.s, Problems{{Line: line, Key: "not_yaml", Args: []any{"error", strings.TrimPrefix(err.Error(), "yaml: ")}}}
	}
	if len(doc.Content) > 0 {
		p.file(doc.Content[0])
	}
	p.checkAdmin()
	p.checkBots()
	p.checkAllowed()
	p.checkRoutes()
	p.checkSecrets()
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
	for i := range p.s.Bots {
		for _, problem := range p.problems {
			if problem.Bot != "" && problem.Bot == p.s.Bots[i].ID {
				p.s.Bots[i].Broken = append(p.s.Bots[i].Broken, problem)
			}
		}
	}
	return p.s, p.problems
}

type section = map[string]func(*yaml.Node, string)

func (p *parser) file(n *yaml.Node) {
	s := &p.s
	role := string(s.People.DefaultRole)
	within := func(part section) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) { p.fields(n, path, part) }
	}
	p.fields(n, "", section{
		"server": within(section{
			"listen": p.address(&s.Server.Listen), "admin": p.admin, "public_url": p.link(&s.Server.PublicURL),
		}),
		"tunnel": within(section{
			"kind": p.oneOf(&s.Tunnel.Kind, "none", "url", "ngrok"), "domain": p.str(&s.Tunnel.Domain), "pooling": p.flag(&s.Tunnel.Pooling),
		}),
		"database": p.database,
		"language": p.oneOf(&s.Language, "auto", string(bridge.Chinese), string(bridge.English)),
		"agents":   func(n *yaml.Node, path string) { p.items(n, path, p.agent) },
		"bots":     func(n *yaml.Node, path string) { p.items(n, path, p.oneBot) },
		"routes":   func(n *yaml.Node, _ string) { p.routesAt = n },
		"people": within(section{
			"default_role": p.oneOf(&role, string(bridge.RoleMember), string(bridge.RoleGuest), string(bridge.RoleAdmin), string(bridge.RoleBlocked)),
			"self_link":    p.flag(&s.People.SelfLink), "auto_link": p.flag(&s.People.AutoLink), "allowed_agents": p.allowedAgents,
		}),
		"privacy": within(section{
			"mask_answers": p.flag(&s.Privacy.MaskAnswers), "mask_to_agent": p.flag(&s.Privacy.MaskToAgent), "store_content": p.flag(&s.Privacy.StoreContent),
			"content_days": p.count(&s.Privacy.ContentDays), "record_days": p.count(&s.Privacy.RecordDays),
			"off":    func(n *yaml.Node, path string) { p.items(n, path, p.maskOff) },
			"custom": func(n *yaml.Node, path string) { p.items(n, path, p.mask) },
		}),
		"limits": within(section{
			keyPerMinute: p.count(&s.Limits.PerMinute), keyPerDay: p.count(&s.Limits.PerDay), keyTokensPerDay: p.count(&s.Limits.TokensPerDay),
			"roles": p.roleLimits,
		}),
		"engine": within(section{
			"stale_after": p.span(&s.Engine.StaleAfter), "session_ttl": p.span(&s.Engine.SessionTTL),
			"streaming": p.oneOf(&s.Engine.Streaming, "auto", "smooth", "economy", "off"),
		}),
		"log":     within(section{"level": p.oneOf(&s.Log.Level, "debug", "info", "warn", "error")}),
		"budgets": p.budgets,
		"secrets": p.secrets,
	})
	s.People.DefaultRole = bridge.Role(role)
}

func (p *parser) admin(n *yaml.Node, path string) {
	p.adminAt = n
	p.address(&p.s.Server.Admin)(n, path)
}

// checkAdmin lets the administration be reached from outside only with a token
// that the admin chose.
func (p *parser) checkAdmin() {
	if _, chosen := p.s.Secrets[AdminToken]; p.adminAt != nil && !chosen && !IsLoopback(p.s.Server.Admin) {
		p.report(p.adminAt, "server.admin", "want_loopback", "value", p.s.Server.Admin, "name", AdminToken)
	}
}

func (p *parser) agent(n *yaml.Node, path string) {
	a := Agent{MaxConcurrent: DefaultConcurrent, Timeout: DefaultTimeout}
	p.fields(n, path, section{
		"id": p.id(&a.ID), "kind": p.oneOf(&a.Kind, p.known.AgentKinds...), "base_url": p.link(&a.BaseURL),
		"max_concurrent": p.some(&a.MaxConcurrent), "timeout": p.span(&a.Timeout),
		"inputs": p.texts(&a.Inputs), "name_conversations": p.flag(&a.NameConversations),
	})
	switch {
	case a.ID == "":
		p.report(n, join(path, "id"), "missing")
	case slices.ContainsFunc(p.s.Agents, func(b Agent) bool { return b.ID == a.ID }):
		p.report(n, join(path, "id"), "twice_id", "value", a.ID)
	case a.Kind == "":
		p.report(n, join(path, "kind"), "missing")
	case a.BaseURL == "" && !slices.Contains(p.known.KeylessKinds, a.Kind):
		p.report(n, join(path, "base_url"), "missing")
	}
	p.s.Agents = append(p.s.Agents, a)
}

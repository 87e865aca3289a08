package settings

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// The keys of limits, of everybody and of a role.
const (
	keyPerMinute    = "per_person_per_minute"
	keyPerDay       = "per_person_per_day"
	keyTokensPerDay = "tokens_per_person_per_day" //nolint:gosec // of an agent, not of a login
)

// roleLimits reads the limits of people of some roles. What is not written there
// is as for everybody.
func (p *parser) roleLimits(n *yaml.Node, path string) {
	readers := section{}
	for _, role := range []bridge.Role{bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest} {
		readers[string(role)] = func(n *yaml.Node, at string) {
			var l RoleLimits
			own := func(to **int) func(*yaml.Node, string) {
				return func(n *yaml.Node, at string) {
					value := 0
					p.count(&value)(n, at)
					*to = &value
				}
			}
			p.fields(n, at, section{keyPerMinute: own(&l.PerMinute), keyPerDay: own(&l.PerDay), keyTokensPerDay: own(&l.TokensPerDay)})
			if p.s.Limits.Roles == nil {
				p.s.Limits.Roles = map[bridge.Role]RoleLimits{}
			}
			p.s.Limits.Roles[role] = l
		}
	}
	p.fields(n, path, readers)
}

func limitsNode(l Limits) *yaml.Node {
	roles := mapping()
	for _, role := range slices.Sorted(maps.Keys(l.Roles)) {
		own := mapping()
		of := l.Roles[role]
		for _, o := range []struct {
			key   string
			value *int
		}{{keyPerMinute, of.PerMinute}, {keyPerDay, of.PerDay}, {keyTokensPerDay, of.TokensPerDay}} {
			if o.value != nil {
				own.Content = append(own.Content, text(o.key), count(*o.value))
			}
		}
		roles.Content = append(roles.Content, text(string(role)), brief(own))
	}
	return mapping(
		keyPerMinute, count(l.PerMinute), keyPerDay, count(l.PerDay), keyTokensPerDay, count(l.TokensPerDay), "roles", brief(roles))
}

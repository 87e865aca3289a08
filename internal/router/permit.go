package router

import (
	"slices"

	"switchboard/internal/bridge"
)

// Admission says how a bot treats people nobody has decided about.
type Admission string

// The admissions.
const (
	AdmitAll      Admission = "open"     // they have the default role; the default
	AdmitApproved Admission = "approval" // an admin has to approve them first
	AdmitKnown    Admission = "closed"   // they are turned away
)

// Refusal is why somebody is not answered. The words are in the catalogue under
// "router.refused.<refusal>".
type Refusal string

// The refusals.
const (
	RefusedNot      Refusal = ""
	RefusedBlocked  Refusal = "blocked"
	RefusedApproval Refusal = "approval"
	RefusedClosed   Refusal = "closed"
	RefusedAgent    Refusal = "agent" // this agent is not for people of their role
	RefusedRule     Refusal = "rule"
)

// Refusals lists every refusal, for catalogues and tests.
func Refusals() []Refusal {
	return []Refusal{RefusedBlocked, RefusedApproval, RefusedClosed, RefusedAgent, RefusedRule}
}

// roleWith returns what a person may do with a bot.
func (r *Router) roleWith(bot string, p bridge.Person) bridge.Role {
	if p.Role == bridge.RoleNew && r.admission(bot) == AdmitAll {
		return r.opt.DefaultRole
	}
	return p.Role
}

func (r *Router) admission(bot string) Admission {
	if r.opt.Admission != nil {
		if a := r.opt.Admission(bot); a != "" {
			return a
		}
	}
	return AdmitAll
}

// permit says whether somebody may use a bot at all.
func (r *Router) permit(bot string, role bridge.Role) Refusal {
	switch {
	case role == bridge.RoleBlocked:
		return RefusedBlocked
	case role == bridge.RoleNew && r.admission(bot) == AdmitApproved:
		return RefusedApproval
	case role == bridge.RoleNew:
		return RefusedClosed
	default:
		return RefusedNot
	}
}

// permitAgent says whether people of a role may ask an agent.
func (r *Router) permitAgent(role bridge.Role, agent string) Refusal {
	if allowed, limited := r.opt.Allowed[role]; limited && !slices.Contains(allowed, agent) {
		return RefusedAgent
	}
	return RefusedNot
}

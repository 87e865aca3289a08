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
	RefusedOutside  Refusal = "outside" // this bot is for others
	RefusedUnsure   Refusal = "unsure"  // nobody can tell now whether it is for their department or group
	RefusedAgent    Refusal = "agent"   // this agent is not for people of their role
	RefusedRule     Refusal = "rule"
)

// Refusals lists every refusal, for catalogues and tests.
func Refusals() []Refusal {
	return []Refusal{RefusedBlocked, RefusedApproval, RefusedClosed, RefusedOutside, RefusedUnsure, RefusedAgent, RefusedRule}
}

// Circle is whom a bot is for: those who write in one of the chats, named by id
// or title, and those of one of the departments. The empty one is everybody.
type Circle struct{ Chats, Departments []string }

// holds says that somebody is within the circle. An admin always is.
func (c Circle) holds(f facts) bool {
	return len(c.Chats)+len(c.Departments) == 0 || f.role == bridge.RoleAdmin ||
		anyOf(c.Chats, f.message.Chat.ID, f.message.Chat.Title) || anyOf(c.Departments, f.departments.Of...)
}

// perhaps says that it cannot be told whether they are, when it does not hold.
func (c Circle) perhaps(f facts) bool {
	return f.departments.perhaps(c.Departments) || f.perhapsIn(c.Chats)
}

// roleWith returns what a person may do with a bot.
func (r *Router) roleWith(bot string, p bridge.Person) bridge.Role {
	switch {
	case p.Role != bridge.RoleNew:
		return p.Role
	case r.opt.Exempt(bot):
		return bridge.RoleMember
	case r.admission(bot) == AdmitAll:
		return r.opt.DefaultRole
	default:
		return p.Role
	}
}

func (r *Router) admission(bot string) Admission {
	if a := r.opt.Admission(bot); a != "" {
		return a
	}
	return AdmitAll
}

// permit says whether somebody may use a bot at all.
func (r *Router) permit(f facts) Refusal {
	bot := f.message.Bot
	switch {
	case f.role == bridge.RoleBlocked:
		return RefusedBlocked
	case r.opt.Exempt(bot):
		return RefusedNot
	case !r.opt.Circle(bot).holds(f) && r.opt.Circle(bot).perhaps(f):
		return RefusedUnsure
	case !r.opt.Circle(bot).holds(f):
		return RefusedOutside
	case f.role == bridge.RoleNew && r.admission(bot) == AdmitApproved:
		return RefusedApproval
	case f.role == bridge.RoleNew:
		return RefusedClosed
	default:
		return RefusedNot
	}
}

// permitAgent says whether somebody may ask an agent.
func (r *Router) permitAgent(f facts, agent string) Refusal {
	if allowed, limited := r.opt.Allowed[f.role]; limited && !r.opt.Exempt(f.message.Bot) && !slices.Contains(allowed, agent) {
		return RefusedAgent
	}
	return RefusedNot
}

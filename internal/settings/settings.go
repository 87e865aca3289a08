package settings

import (
	"time"

	"switchboard/internal/bridge"
)

// Settings is the content of switchboard.yaml with the defaults filled in.
type Settings struct {
	Server   Server
	Tunnel   Tunnel
	Database string // empty: SQLite in the data directory; or postgres://…
	Language string // auto, zh-CN or en
	Agents   []Agent
	Bots     []Bot
	// Routes are the rules, decoded into Go's own types; see Known.CheckRoutes.
	Routes  []any
	People  People
	Privacy bridge.Privacy
	Limits  Limits
	Engine  Engine
	Log     Log
	// Budgets are the monthly allowances that the admin knows better than the
	// platform's free edition, by platform or TunnelAccount; 0 means unlimited.
	Budgets map[string]map[bridge.Meter]int
	// Secrets says where a secret comes from, by its name; see Reference.
	Secrets map[string]string
	// Stamp tells Save which content of the file these settings were loaded
	// from; empty when there was no file.
	Stamp string
}

// Server is where we listen.
type Server struct {
	Listen    string // the public door
	Admin     string // health and administration; beyond loopback only with a token
	PublicURL string // how the door is reached from outside; may be empty
}

// Tunnel is the way from the internet to the door.
type Tunnel struct {
	Kind    string // none, ngrok or url
	Domain  string
	Pooling bool
}

// What an agent is given when the file does not say.
const (
	DefaultConcurrent = 5
	DefaultTimeout    = 5 * time.Minute
)

// Agent is one agent that answers.
type Agent struct {
	ID            string
	Kind          string
	BaseURL       string
	MaxConcurrent int
	Timeout       time.Duration
	// Inputs are values for the variables an app asks for; nil when there are
	// none.
	Inputs map[string]string
	// NameConversations names new conversations after the person.
	NameConversations bool
}

// Bot is one account on a platform.
type Bot struct {
	ID       string
	Platform bridge.Platform
	Mode     bridge.ModeID
	Agent    string
	// Admission says how people are met about whom nobody has decided: open,
	// approval or closed. Group says who shares a conversation in a group: shared,
	// member or thread. Empty ones are the first of these.
	Admission, Group string
	// Allow, if not empty, says whom the bot is for.
	Allow Allow
	// Inputs are values for the variables that an agent asks for when it answers
	// here; nil when there are none.
	Inputs   map[string]string
	Settings map[string]string
	// Broken holds what is wrong with this bot; it is then not opened.
	Broken Problems
}

// Allow names those a bot is for: who writes in one of these chats, or belongs to
// one of these departments. Nobody named means everybody.
type Allow struct{ Chats, Departments []string }

// People says how strangers are met, and who may ask whom.
type People struct {
	DefaultRole bridge.Role
	SelfLink    bool // people link their own accounts with /link
	AutoLink    bool // so do equal e-mail addresses and mobile numbers
	// AllowedAgents lists the agents for people of a role; a role that is not in it
	// may ask all of them.
	AllowedAgents map[bridge.Role][]string
}

// Limits are quotas per person; 0 means unlimited.
type Limits struct {
	PerMinute, PerDay, TokensPerDay int
	// Roles has the limits of people of some roles, where they are others.
	Roles map[bridge.Role]RoleLimits
}

// RoleLimits are the limits of people of a role; nil is that of everybody.
type RoleLimits struct{ PerMinute, PerDay, TokensPerDay *int }

// Of returns the limits of people of a role.
func (l Limits) Of(role bridge.Role) Limits {
	own := l.Roles[role]
	of := Limits{PerMinute: l.PerMinute, PerDay: l.PerDay, TokensPerDay: l.TokensPerDay}
	for _, o := range []struct {
		to  *int
		own *int
	}{{&of.PerMinute, own.PerMinute}, {&of.PerDay, own.PerDay}, {&of.TokensPerDay, own.TokensPerDay}} {
		if o.own != nil {
			*o.to = *o.own
		}
	}
	return of
}

// Engine is how messages are answered.
type Engine struct {
	StaleAfter time.Duration // older messages are not answered any more
	SessionTTL time.Duration // a session ends this long after its last message
	Streaming  string        // auto, smooth, economy or off
}

// Log says how much is written into the log.
type Log struct {
	Level string // debug, info, warn or error
}

// Default returns the settings of an empty file.
func Default() Settings {
	return Settings{
		Server:   Server{Listen: "127.0.0.1:8780", Admin: "127.0.0.1:8781"},
		Tunnel:   Tunnel{Kind: "none"},
		Language: "auto",
		People:   People{DefaultRole: bridge.RoleMember, SelfLink: true},
		Privacy:  bridge.Privacy{MaskAnswers: true, StoreContent: true, ContentDays: 90, RecordDays: 365},
		Limits:   Limits{PerMinute: 10},
		Engine:   Engine{StaleAfter: 2 * time.Hour, SessionTTL: 7 * 24 * time.Hour, Streaming: "auto"},
		Log:      Log{Level: "info"},
		Budgets:  map[string]map[bridge.Meter]int{},
		Secrets:  map[string]string{},
	}
}

// TunnelAccount is the name of the tunnel's service in Budgets.
const TunnelAccount = "ngrok"

// Reference returns where a secret comes from: keyring, env:NAME, file:PATH or
// credential:NAME.
func (s Settings) Reference(name string) string {
	if ref, ok := s.Secrets[name]; ok {
		return ref
	}
	return "keyring"
}

// AdminToken names the secret that opens the administration. Without one the
// program makes up its own.
const AdminToken = "server/admin_token"

// DatabasePassword names the password of a PostgreSQL database.
const DatabasePassword = "database/password"

// TunnelToken names the authtoken of the tunnel.
const TunnelToken = "tunnel/authtoken"

// BotSecret and AgentSecret name the secrets of a bot and of an agent.
func BotSecret(bot, key string) string { return "bot/" + bot + "/" + key }

// AgentSecret names the key of an agent.
func AgentSecret(agent string) string { return "agent/" + agent + "/api_key" }

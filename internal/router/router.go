package router

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// Store knows people and sessions, and what happened before.
type Store interface {
	PersonOf(ctx context.Context, who bridge.Identity) (bridge.Person, error)
	Session(ctx context.Context, lane, agent string, since time.Time) (bridge.Session, bool, error)
	SaveSession(ctx context.Context, s bridge.Session) error
	CloseSessions(ctx context.Context, lane string) error
	CloseSessionsOf(ctx context.Context, person string) error
	Past
}

// Past knows what was accepted, and which chats a human has taken over.
type Past interface {
	// Job returns one job; an unknown one is an error of KindNotFound.
	Job(ctx context.Context, id int64) (bridge.Job, error)
	// Exchanges returns the last questions of a lane before a job, oldest first; 0
	// means all of them.
	Exchanges(ctx context.Context, lane string, before int64, most int) ([]bridge.Exchange, error)
	// Awaits says whether one of these waits for a decision; it costs much less.
	Awaits(ctx context.Context, lane string, before int64, most int) (bool, error)
	MutedUntil(ctx context.Context, chat string) (time.Time, error)
}

// Options are the settings of a Router.
type Options struct {
	// AgentOf returns the agent of a bot, "" when there is none.
	AgentOf func(bot string) string
	// SessionTTL is how long a session lives after its last message. Default 7
	// days.
	SessionTTL time.Duration
	// Language is spoken when a message does not tell; default English.
	Language bridge.Language
	// Group says who shares a conversation in the groups of a bot; nil means
	// everybody in the group.
	Group func(bot string) GroupPolicy
	// Commands are understood beside those everybody has.
	Commands []Spec
	// Desk is the queue of commands that do not wait for their turn. Whoever sets
	// it serves that queue; empty makes these commands wait like all others.
	Desk string
	// Rules are tried in order, until Follow brings others.
	Rules []Rule
	// Departments tells the departments of somebody who writes to a bot, by id and by
	// name. It is asked only when it matters; it may be nil.
	Departments func(ctx context.Context, bot string, who bridge.Identity) Membership
	// Admission says how a bot treats people nobody has decided about; nil means
	// all are open. DefaultRole is what these people may do then; default member.
	Admission   func(bot string) Admission
	DefaultRole bridge.Role
	// Circle says whom a bot is for; nil means everybody.
	Circle func(bot string) Circle
	// Serves says whether there is an agent of that id; nil means that there is.
	Serves func(agent string) bool
	// Exempt names bots that are a demonstration: no rule is about them, and
	// everybody but the blocked may use them. Nil means none.
	Exempt func(bot string) bool
	// Allowed lists the agents for people of a role; a role that is not in it may
	// ask all of them.
	Allowed map[bridge.Role][]string
}

// Router routes messages. Make one with New.
type Router struct {
	store Store
	opt   Options
	words vocabulary
	rules atomic.Pointer[[]Rule] // those of the options, or what came after them
}

// New makes a router.
func New(store Store, opt Options) *Router {
	if opt.SessionTTL <= 0 {
		opt.SessionTTL = 7 * 24 * time.Hour
	}
	if opt.Language == "" {
		opt.Language = bridge.English
	}
	if opt.DefaultRole == "" {
		opt.DefaultRole = bridge.RoleMember
	}
	if opt.Admission == nil {
		opt.Admission = func(string) Admission { return AdmitAll }
	}
	if opt.Circle == nil {
		opt.Circle = func(string) Circle { return Circle{} }
	}
	if opt.Serves == nil {
		opt.Serves = func(string) bool { return true }
	}
	if opt.Exempt == nil {
		opt.Exempt = func(string) bool { return false }
	}
	r := &Router{store: store, opt: opt, words: newVocabulary(opt.Commands)}
	r.Follow(opt.Rules)
	return r
}

// Follow has other rules decide from the next message on.
func (r *Router) Follow(rules []Rule) { r.rules.Store(&rules) }

// Route is the decision about one message.
type Route struct {
	Person   bridge.Person
	Role     bridge.Role // what the person may do with this bot
	Agent    string
	Session  bridge.Session // for an agent; a new one has no conversation yet
	Command  Command        // for us, with its Argument
	Argument string
	// Outcome is what a rule says, or to ask the agent; Rule is its name.
	Outcome Outcome
	Rule    string
	// Text is the text without what was only meant for us.
	Text string
	// Refused is why the message is not answered.
	Refused Refusal
	// Muted says that a human answers in this chat; Chat is its name for Mute.
	Muted bool
	Chat  string
	// Scope names what commands like /stop are about; Lane is the talk itself,
	// as it is called now.
	Scope, Lane string
	Language    bridge.Language
}

// Language is the language to speak to a person: theirs, or that of a text.
func (r *Router) Language(p bridge.Person, text string) bridge.Language {
	if p.Language != "" {
		return p.Language
	}
	return i18n.Guess(text, r.opt.Language)
}

// Command returns the command a message is, if it is one.
func (r *Router) Command(m bridge.Message) Command {
	spec, _ := r.words.parse(m)
	return spec.Command
}

// Place tells the queue and the lane of a message, or of an action. A click
// belongs where the answer is that it is about. A person who writes for the first
// time is created on the spot.
func (r *Router) Place(ctx context.Context, n bridge.NewJob) (queue, lane string, err error) {
	about, known, err := r.clicked(ctx, n.Action)
	if err != nil {
		return "", "", err
	}
	m := n.Message
	if known {
		m.Chat = about.Message.Chat
	}
	var p bridge.Person
	if m.Chat.Kind != bridge.Group || len(*r.rules.Load()) > 0 {
		if p, err = r.store.PersonOf(ctx, Identity(m)); err != nil {
			return "", "", fmt.Errorf("router: person: %w", err)
		}
	}
	spec, _ := r.words.parse(m)
	d := r.decide(r.facts(ctx, m, p, spec.Command))
	switch {
	case known && about.Queue != r.opt.Desk && r.opt.Serves(about.Queue):
		d.agent = about.Queue
	case spec.Command.looksBack() || n.Action == nil && d.open && isPick(m.Text):
		if d.agent, err = r.lastAgent(ctx, m, p, d.agent); err != nil {
			return "", "", err
		}
	case n.Action == nil && d.asks() && spec.Command == CommandNone:
		if d.agent, err = r.waitingAgent(ctx, m, p, d.agent); err != nil {
			return "", "", err
		}
	}
	lane = r.lane(m, p, d.agent)
	if spec.Aside && r.opt.Desk != "" {
		return r.opt.Desk, aside(lane), nil
	}
	return d.agent, lane, nil
}

func (r *Router) lane(m bridge.Message, p bridge.Person, agent string) string {
	if m.Chat.Kind != bridge.Group {
		return directLane(p.ID, agent)
	}
	policy := GroupShared
	if r.opt.Group != nil {
		policy = r.opt.Group(m.Bot)
	}
	return groupLane(m, policy, agent)
}

// Route decides about a message whose place is known. The agent is the one it
// was placed with, whatever the rules say by now.
func (r *Router) Route(ctx context.Context, j bridge.Job) (Route, error) {
	m := j.Message
	p, err := r.store.PersonOf(ctx, Identity(m))
	if err != nil {
		return Route{}, fmt.Errorf("router: person: %w", err)
	}
	lang := r.Language(p, m.Said())
	spec, argument := r.words.parse(m)
	f := r.facts(ctx, m, p, spec.Command)
	d := r.decide(f)
	route := Route{
		Person: p, Role: f.role, Agent: j.Queue, Language: lang, Command: spec.Command, Argument: argument,
		Outcome: d.outcome, Rule: d.rule, Text: d.text, Chat: chatKey(m), Scope: scope(m, p.ID),
	}
	aside := r.opt.Desk != "" && j.Queue == r.opt.Desk
	if aside {
		route.Agent = d.agent
	}
	route.Lane = r.lane(m, p, route.Agent)
	if aside {
		j.Lane = route.Lane // it is about that talk
	}
	if route.Refused = r.permit(f); route.Refused == RefusedNot && d.unsure && spec.Command == CommandNone {
		route.Refused = RefusedUnsure
	}
	if route.Refused != RefusedNot {
		return route, nil
	}
	if spec.Command.Asks() {
		route = r.asking(route, f)
	}
	return r.inTalk(ctx, j, route)
}

// inTalk adds what is known of the talk a message belongs to.
func (r *Router) inTalk(ctx context.Context, j bridge.Job, route Route) (Route, error) {
	until, err := r.store.MutedUntil(ctx, route.Chat)
	if err != nil {
		return route, fmt.Errorf("router: muted: %w", err)
	}
	route.Muted = !until.IsZero()
	route.Session, err = r.session(ctx, j, route.Agent, route.Person)
	return route, err
}

func (r *Router) session(ctx context.Context, j bridge.Job, agent string, p bridge.Person) (bridge.Session, error) {
	now := time.Now()
	s, ok, err := r.store.Session(ctx, j.Lane, agent, now.Add(-r.opt.SessionTTL))
	if err != nil {
		return s, fmt.Errorf("router: session: %w", err)
	}
	if !ok {
		s = fresh(j, agent, p, now)
	}
	return s, nil
}

func fresh(j bridge.Job, agent string, p bridge.Person, now time.Time) bridge.Session {
	s := bridge.Session{ID: newID(), Lane: j.Lane, Agent: agent, CreatedAt: now, LastActive: now}
	if j.Message.Chat.Kind == bridge.Group {
		s.Conversation.User = agentUser(j.Lane)
		return s
	}
	s.Person, s.Conversation.User = p.ID, agentUser(p.ID)
	return s
}

// Remember keeps a session as it stands now: its conversation, and that it was
// just used from this platform. Answered says that one more question of it was
// answered.
func (r *Router) Remember(ctx context.Context, s bridge.Session, from bridge.Platform, answered bool) (bridge.Session, error) {
	s.LastPlatform, s.LastActive = from, time.Now()
	if answered {
		s.Messages++
	}
	if err := r.store.SaveSession(ctx, s); err != nil {
		return s, fmt.Errorf("router: remember: %w", err)
	}
	return s, nil
}

// Reset lets the next message start afresh with every agent: in a direct chat on
// every platform, in a group for whoever shares this talk.
func (r *Router) Reset(ctx context.Context, j bridge.Job, p bridge.Person) error {
	lanes := []string{j.Lane}
	for _, agent := range r.agentsFor(j.Message.Bot) {
		if lane := r.lane(j.Message, p, agent); lane != j.Lane {
			lanes = append(lanes, lane)
		}
	}
	var err error
	for _, lane := range lanes {
		err = errors.Join(err, r.store.CloseSessions(ctx, lane))
	}
	if err == nil && j.Message.Chat.Kind != bridge.Group {
		err = r.store.CloseSessionsOf(ctx, p.ID)
	}
	if err != nil {
		return fmt.Errorf("router: reset: %w", err)
	}
	return nil
}

// Renew replaces a session whose conversation the agent has forgotten.
func (r *Router) Renew(ctx context.Context, j bridge.Job, s bridge.Session, p bridge.Person) (bridge.Session, error) {
	if err := r.store.CloseSessions(ctx, j.Lane); err != nil {
		return bridge.Session{}, fmt.Errorf("router: renew: %w", err)
	}
	return fresh(j, s.Agent, p, time.Now()), nil
}

// Identity returns who wrote a message, as the platform knows them.
func Identity(m bridge.Message) bridge.Identity {
	return bridge.Identity{Platform: m.Platform, Tenant: m.Sender.Tenant, User: m.Sender.ID, Name: m.Sender.Name}
}

// agentUser is the name a person or group has towards agents: stable, opaque
// and free of personal data, because agents store and show it.
func agentUser(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "switchboard-" + hex.EncodeToString(sum[:12])
}

func newID() string { return "s_" + strings.ToLower(rand.Text()) }

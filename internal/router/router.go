package router

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// Store knows people and sessions.
type Store interface {
	PersonOf(ctx context.Context, who bridge.Identity) (bridge.Person, error)
	Session(ctx context.Context, lane, agent string, since time.Time) (bridge.Session, bool, error)
	SaveSession(ctx context.Context, s bridge.Session) error
	CloseSessions(ctx context.Context, lane string) error
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
}

// Router routes messages. Make one with New.
type Router struct {
	store Store
	opt   Options
}

// New makes a router.
func New(store Store, opt Options) *Router {
	if opt.SessionTTL <= 0 {
		opt.SessionTTL = 7 * 24 * time.Hour
	}
	if opt.Language == "" {
		opt.Language = bridge.English
	}
	return &Router{store, opt}
}

// Route is the decision about one message.
type Route struct {
	Person   bridge.Person
	Agent    string
	Session  bridge.Session // for an agent; a new one has no conversation yet
	Command  Command        // for us
	Language bridge.Language
}

// Place tells the queue and the lane of a message. A person who writes for the
// first time is created on the spot.
func (r *Router) Place(ctx context.Context, m bridge.Message) (queue, lane string, err error) {
	agent := r.opt.AgentOf(m.Bot)
	if m.Chat.Kind == bridge.Group {
		return agent, groupLane(m, agent), nil
	}
	p, err := r.store.PersonOf(ctx, identity(m))
	if err != nil {
		return "", "", fmt.Errorf("router: person: %w", err)
	}
	return agent, "p:" + p.ID + ":" + agent, nil
}

// Route decides about a message whose place is known.
func (r *Router) Route(ctx context.Context, j bridge.Job) (Route, error) {
	m := j.Message
	p, err := r.store.PersonOf(ctx, identity(m))
	if err != nil {
		return Route{}, fmt.Errorf("router: person: %w", err)
	}
	lang := p.Language
	if lang == "" {
		lang = i18n.Guess(m.Text, r.opt.Language)
	}
	route := Route{Person: p, Agent: j.Queue, Language: lang, Command: ParseCommand(m.Text)}
	route.Session, err = r.session(ctx, j, p)
	return route, err
}

func (r *Router) session(ctx context.Context, j bridge.Job, p bridge.Person) (bridge.Session, error) {
	now := time.Now()
	s, ok, err := r.store.Session(ctx, j.Lane, j.Queue, now.Add(-r.opt.SessionTTL))
	if err != nil {
		return s, fmt.Errorf("router: session: %w", err)
	}
	if !ok {
		s = fresh(j, p, now)
	}
	return s, nil
}

func fresh(j bridge.Job, p bridge.Person, now time.Time) bridge.Session {
	s := bridge.Session{ID: newID(), Lane: j.Lane, Agent: j.Queue, CreatedAt: now, LastActive: now}
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

// Reset ends the open sessions of a lane; the next message starts afresh.
func (r *Router) Reset(ctx context.Context, lane string) error {
	if err := r.store.CloseSessions(ctx, lane); err != nil {
		return fmt.Errorf("router: reset: %w", err)
	}
	return nil
}

// Renew replaces a session whose conversation the agent has forgotten.
func (r *Router) Renew(ctx context.Context, j bridge.Job, p bridge.Person) (bridge.Session, error) {
	if err := r.Reset(ctx, j.Lane); err != nil {
		return bridge.Session{}, err
	}
	return fresh(j, p, time.Now()), nil
}

func identity(m bridge.Message) bridge.Identity {
	return bridge.Identity{Platform: m.Platform, Tenant: m.Sender.Tenant, User: m.Sender.ID, Name: m.Sender.Name}
}

func groupLane(m bridge.Message, agent string) string {
	return "g:" + m.Bot + ":" + m.Chat.ID + ":" + agent
}

// agentUser is the name a person or group has towards agents: stable, opaque
// and free of personal data, because agents store and show it.
func agentUser(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "switchboard-" + hex.EncodeToString(sum[:12])
}

func newID() string { return "s_" + strings.ToLower(rand.Text()) }

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"switchboard/internal/agent/echo"
	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
	"switchboard/internal/inbox"
	"switchboard/internal/journal"
	"switchboard/internal/lifecycle"
	"switchboard/internal/logs"
	"switchboard/internal/people"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/quota"
	"switchboard/internal/reply"
	"switchboard/internal/router"
	"switchboard/internal/secret"
	"switchboard/internal/settings"
	"switchboard/internal/store"
	"switchboard/internal/tunnel"
	"switchboard/internal/webhook"
)

// ErrRunning is returned by Open when another program uses the data directory.
var ErrRunning = errors.New("app: another Switchboard uses this data directory")

// Options say what to open. Only Data and Log are needed.
type Options struct {
	Data    string // the data directory; made when missing
	Config  string // the settings file; default switchboard.yaml in Data
	Version string
	Log     *slog.Logger
	// Redactor hides secrets in Log and is told every one that is read; nil makes
	// one. Level is the level of Log, set as the settings say; it may be nil.
	Redactor *logs.Redactor
	Level    *slog.LevelVar
	// Passphrase asks for the passphrase of the file with the secrets, if there is
	// one and the environment does not tell; nil asks nobody.
	Passphrase func(ctx context.Context) (bridge.Secret, error)
	// Keyring replaces the keyring of this computer; nil is that one.
	Keyring secret.Keyring
	// By is who acts through the functions that take Options, for the audit.
	By bridge.Actor
	// Patient keeps trying to open an address that is taken, with a warning;
	// otherwise Run returns the error.
	Patient bool
	// Connectors are the platforms; nil means Connectors().
	Connectors []bridge.Connector
	// Listen opens the listeners; nil means TCP.
	Listen func(ctx context.Context, address string) (net.Listener, error)
	// RetryPause and RestartPause are the first pauses before a message is tried
	// again and before a part that died is started again; 0 means the defaults.
	RetryPause, RestartPause time.Duration
	// Clock tells the time of day, by which is noticed that the computer slept;
	// nil means the system's.
	Clock func() time.Time
	// Tunnel are the settings of the tunnel that are not the admin's.
	Tunnel tunnel.Options
	// Echo says how fast the built-in agent speaks.
	Echo echo.Options
}

func (o Options) config() string {
	if o.Config != "" {
		return o.Config
	}
	return filepath.Join(o.Data, "switchboard.yaml")
}

func (o Options) filled() Options {
	o.Config = o.config()
	if o.Redactor == nil {
		o.Redactor = &logs.Redactor{}
	}
	if o.Level == nil {
		o.Level = &slog.LevelVar{}
	}
	if o.Connectors == nil {
		o.Connectors = Connectors()
	}
	if o.Listen == nil {
		o.Listen = listenTCP
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

// App is the whole house. Make one with Open, then call Run.
type App struct {
	opt      Options
	settings settings.Settings
	privacy  atomic.Pointer[privacyNow]
	lookedUp chan struct{}     // holds one token when a directory told of somebody
	reviewed chan struct{}     // holds one token when the inputs of agents are to be looked at again
	naming   chan struct{}     // holds one token when the names of departments may be needed since now
	saving   sync.Mutex        // held while the settings are changed
	saved    settings.Settings // as they were read or changed; guarded by mu, and by saving for whoever changes them
	log      *slog.Logger
	lock     *flock.Flock
	files    *logs.File // of the log; nil when it cannot be written
	vault    atomic.Pointer[secret.Vault]
	store    *store.Store
	journal  *journal.Journal
	health   health.Registry
	doubts   *doubts
	inbox    *inbox.Inbox
	door     *webhook.Server
	profiles *people.Profiles
	offices  *people.Offices
	rooms    *people.Rooms
	routes   *router.Router
	engine   *engine.Engine
	limits   *limits
	ledger   *quota.Ledger
	forget   *forgetter
	meter    *meter
	sends    sends
	exports  atomic.Pointer[exporting] // nil before the first export
	parts    *lifecycle.Group
	inReach  chan struct{}                 // holds a token when a bot may be in reach again
	tunnel   atomic.Pointer[tunnel.Tunnel] // nil when it cannot be used, see noTunnel
	noTunnel atomic.Pointer[error]
	since    time.Time

	playing  sync.Mutex // held while the demonstration starts or stops
	noticing sync.Mutex // held while the notices about newcomers are made true

	mu     sync.RWMutex
	bots   map[string]*openBot
	agents map[string]*openAgentState
	ready  bool
	play   *simulator.Simulator    // nil unless the demonstration runs
	runs   bool                    // Run was called: the door and the tunnel are its own to open
	listen string                  // the door's real address, once it is open
	opened map[string]net.Listener // opened before the part that serves it, by part
	show   func()                  // brings the window to the front; nil without one
}

type openBot struct {
	settings.Bot
	bot    bridge.Bot // nil when broken
	mode   bridge.Mode
	limits bridge.Capabilities
	// account is whose monthly allowance it uses; empty when there is none.
	account string
	err     error // why it is broken, or of the last send
	last    time.Time
	leave   func() error // ends its own connection; nil when it has none
}

type openAgentState struct {
	settings.Agent
	agent   bridge.Agent // nil when broken
	err     error
	last    time.Time
	latency time.Duration
	lacks   bool // the settings lack something that it asks for
}

// Open reads the settings and opens everything, without the network. A file
// with mistakes returns its settings.Problems as the error.
func Open(ctx context.Context, opt Options) (*App, error) {
	opt = opt.filled()
	s, err := readable(opt)
	if err != nil {
		return nil, err
	}
	a := &App{
		opt: opt, settings: s, log: opt.Log, since: time.Now(), ledger: quota.NewLedger(), inReach: make(chan struct{}, 1),
		lookedUp: make(chan struct{}, 1), reviewed: make(chan struct{}, 1), naming: make(chan struct{}, 1), doubts: newDoubts(),
		bots: map[string]*openBot{}, agents: map[string]*openAgentState{}, opened: map[string]net.Listener{},
	}
	a.saved = s
	if err := a.follow(s.Privacy); err != nil {
		return nil, err
	}
	if a.lock, err = hold(opt.Data); err != nil {
		return nil, err
	}
	a.openLog(ctx)
	if err := a.openStore(ctx); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the database cannot be opened", slog.Any("error", err))
		return nil, errors.Join(err, a.closeLog(), a.lock.Unlock())
	}
	a.takeUpActs(ctx)
	a.noticeEdits(ctx)
	a.keepIn(openVault(opt))
	a.unlock(ctx)
	a.journal = journal.New(a.store, a.log)
	a.meter = a.newMeter()
	a.openAgents(ctx)
	a.openBots(ctx)
	a.assemble()
	a.openTunnel(ctx)
	a.restoreLimits(ctx)
	a.showNewcomers(ctx)
	a.restoreBudgets(ctx)
	return a, nil
}

// hold makes a data directory if it is missing and keeps other programs out of
// it.
func hold(data string) (*flock.Flock, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("app: data directory: %w", store.OfDirectory(err))
	}
	lock := flock.New(filepath.Join(data, "switchboard.lock"), flock.SetPermissions(0o600))
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("app: data directory: %w", store.OfDirectory(err))
	case !locked:
		return nil, ErrRunning
	}
	if err := os.Remove(addressFile(data)); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that died
		return nil, errors.Join(fmt.Errorf("app: data directory: %w", store.OfDirectory(err)), lock.Unlock())
	}
	return lock, nil
}

func (a *App) openStore(ctx context.Context) error {
	where := store.Options{
		Path: databaseFile(a.opt.Data), Backups: backupDir(a.opt.Data), Role: bridge.RoleNew, Log: a.log,
	}
	if a.settings.Database != "" {
		var err error
		if where.DSN, err = databaseAddress(ctx, a.opt, a.settings); err != nil {
			return err
		}
		where.Path = ""
	}
	var err error
	if a.store, err = store.Open(ctx, where); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}

// databaseAddress is that of the settings with the password, if they say where that
// comes from. Otherwise the server wants none, or it is in PGPASSFILE.
func databaseAddress(ctx context.Context, opt Options, s settings.Settings) (string, error) {
	ref, chosen := s.Secrets[settings.DatabasePassword]
	if !chosen {
		return s.Database, nil
	}
	password, err := openVault(opt).Get(ctx, ref, settings.DatabasePassword)
	if err != nil {
		return "", fmt.Errorf("app: database: %w", err)
	}
	opt.Redactor.Know(password)
	u, err := url.Parse(s.Database)
	if err != nil {
		return "", fmt.Errorf("app: database: %w", err)
	}
	u.User = url.UserPassword(u.User.Username(), password.Reveal())
	return u.String(), nil
}

func (a *App) openAgents(ctx context.Context) {
	for _, s := range a.settings.Agents {
		a.agents[s.ID] = a.setUp(ctx, s)
	}
}

// setUp returns an agent that is ready, or knows why it is broken.
func (a *App) setUp(ctx context.Context, s settings.Agent) *openAgentState {
	state := &openAgentState{Agent: s}
	key, err := a.agentKey(ctx, s)
	if err == nil {
		state.agent, err = a.openAgent(s, key)
	}
	if err != nil {
		state.err = err
		a.health.Raise(health.Warning{Code: health.AgentBroken, Severity: bridge.SeverityError, Affects: s.ID, Err: err})
		a.log.LogAttrs(ctx, slog.LevelError, "an agent is not usable", slog.String("agent", s.ID), slog.Any("error", err))
	}
	return state
}

func (a *App) agentKey(ctx context.Context, s settings.Agent) (bridge.Secret, error) {
	if s.Kind == kindEcho {
		return bridge.Secret{}, nil
	}
	return a.fetch(ctx, settings.AgentSecret(s.ID))
}

func (a *App) openBots(ctx context.Context) {
	for _, s := range a.settings.Bots {
		a.bots[s.ID] = a.prepare(ctx, s)
	}
}

// prepare returns a bot that is open, or knows why it is broken.
func (a *App) prepare(ctx context.Context, s settings.Bot) *openBot {
	b := &openBot{Bot: s}
	if err := a.openBot(ctx, b); err != nil {
		b.bot, b.err = nil, err
		a.health.Raise(health.Warning{Code: health.BotBroken, Severity: bridge.SeverityError, Affects: s.ID, Err: err})
		a.log.LogAttrs(ctx, slog.LevelError, "a bot is not usable", slog.String("bot", s.ID), slog.Any("error", err))
	}
	return b
}

// problemText is what is wrong in the settings, in words; empty for other errors.
func problemText(lang bridge.Language, err error) string {
	var problems settings.Problems
	if errors.As(err, &problems) {
		return problems.Text(lang)
	}
	return ""
}

func (a *App) openBot(ctx context.Context, b *openBot) error {
	if len(b.Broken) > 0 {
		return b.Broken
	}
	for _, c := range a.opt.Connectors {
		if c.Platform != b.Platform {
			continue
		}
		b.mode, _ = c.Mode(b.Mode)
		b.account = account(c, b)
		secrets, err := a.secrets(ctx, b.ID, c.Fields(b.Mode))
		if err != nil {
			return err
		}
		b.bot, err = c.Open(
			bridge.Config{ID: b.ID, Platform: b.Platform, Mode: b.mode.ID, Settings: b.Settings, Secrets: secrets},
			a.env(b.ID, b.account),
		)
		if err != nil {
			return fmt.Errorf("app: bot %s: %w", b.ID, err)
		}
		b.limits = limitsOf(b.bot, b.mode)
		return nil
	}
	return &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: bot " + b.ID}
}

// limitsOf are what a bot says of itself, or else its mode.
func limitsOf(bot bridge.Bot, mode bridge.Mode) bridge.Capabilities {
	if own, ok := bot.(bridge.Capable); ok {
		return own.Capabilities()
	}
	return mode.Capabilities
}

// secrets fetches what a bot needs. An optional secret that is missing, or
// cannot be looked for because there is no keyring, counts as absent, unless the
// settings say where it is: then the admin relies on it.
func (a *App) secrets(ctx context.Context, bot string, form []bridge.Field) (map[string]bridge.Secret, error) {
	all := map[string]bridge.Secret{}
	for _, f := range form {
		if !f.Secret {
			continue
		}
		name := settings.BotSecret(bot, f.Key)
		value, err := a.fetch(ctx, name)
		_, listed := a.settings.Secrets[name]
		switch {
		case err == nil:
			all[f.Key] = value
		case f.Required || listed:
			return nil, err
		case f.Advised:
			a.health.Raise(health.Warning{Code: health.SettingAdvised, Severity: bridge.SeverityWarning, Affects: bot, Detail: name})
		}
	}
	return all, nil
}

// assemble connects the stages.
func (a *App) assemble() {
	queues := map[string]int{}
	for id, g := range a.agents {
		queues[id] = g.MaxConcurrent
	}
	a.limits = newLimits(a.settings.Limits)
	a.forget = newForgetter(a.store, a.storesContent, a.log)
	queues[desk] = deskWorkers
	a.profiles = people.NewProfiles(a.store, a.lookUp, a.log)
	a.offices = people.NewOffices(a.store, a.listDepartments, a.log)
	a.rooms = people.NewRooms(a.nameChat, a.log)
	a.routes = router.New(a.store, a.routing())
	a.engine = engine.New(a.store, a.routes, a.findBot, a.findAgent, a.log, engine.Options{
		StaleAfter: a.settings.Engine.StaleAfter, Pace: a.pace, Limits: a.limits, Privacy: a.hidden, Inputs: a.botInputs, Wants: a.wants, RetryPause: a.opt.RetryPause,
		Linker: a.linker(), Profiles: a.profiles, Waiting: func(ctx context.Context, _ bridge.Person, _ string) { a.showNewcomers(ctx) },
		Record: a.record, Observe: a.observe, GroupID: a.groupID,
	})
	a.inbox = inbox.New(a.store, a.routes.Place, a.forget.after(a.engine.Handle), a.log, inbox.Options{Queues: queues, Record: a.record})
	a.door = webhook.New(a.hooked, a.accept, a.log, webhook.Options{
		Record: a.record, Suspect: a.suspect, Judged: a.judged, Proof: a.proof, SelfTest: http.HandlerFunc(a.selfTest),
	})
	a.parts = lifecycle.New(a.log, lifecycle.Options{FirstPause: a.opt.RestartPause, Dead: a.partDied, Well: a.partWell, Hopeless: hopeless})
}

// pace is how answers of a bot appear.
func (a *App) pace(bot string) reply.Pace {
	switch s := a.settings.Engine.Streaming; {
	case s == "off":
		return reply.PaceOff
	case s == "economy", s == "auto" && a.saves(bot):
		return reply.PaceEconomy
	default:
		return reply.PaceSmooth
	}
}

func (a *App) language() bridge.Language {
	if a.settings.Language == "auto" {
		return i18n.Parse(os.Getenv("LANG"))
	}
	return bridge.Language(a.settings.Language)
}

// Close closes the bots, the database and the lock. Run has ended before.
func (a *App) Close(ctx context.Context) error {
	all := []error{a.StopDemo(ctx)}
	if a.ledger.Changed() { // when Run was not called
		all = append(all, a.saveBudgets(ctx))
	}
	for _, b := range a.bots {
		if b.bot != nil {
			all = append(all, b.bot.Close())
		}
	}
	_ = os.Remove(a.addressFile()) // a stale one is removed at the next start
	return errors.Join(append(all, a.closeLimits(), a.store.Close(), a.closeLog(), a.lock.Unlock())...)
}

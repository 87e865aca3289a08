package tunnel

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.ngrok.com/ngrok/v2"

	"switchboard/internal/bridge"
)

// The limits of a request that comes through the tunnel, as strict as those of
// the door. There is no time limit for writing: an answer fits into the window
// of its stream, so writing waits only when the whole connection is stalled,
// which the heartbeat ends sooner; and a write that is cut off by a deadline
// can spoil the connection for all other streams (comment of SendAgentMetrics
// in the SDK).
const (
	maxHeader     = 16 << 10
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 5 * time.Second
)

// The heartbeat: together they are the longest time a dead connection goes
// unnoticed. The SDK's own are 10 and 15 seconds.
const (
	heartbeat = 3 * time.Second
	tolerance = 4 * time.Second
)

// line is one session with the service.
type line struct {
	dialer *dialer
	hangUp context.CancelFunc

	mu    sync.Mutex
	why   trouble
	ended bool
	bound bool // the endpoint has been online
}

// end hangs up; the first reason counts.
func (l *line) end(why trouble) {
	l.mu.Lock()
	if !l.ended {
		l.ended, l.why = true, why
	}
	l.mu.Unlock()
	l.hangUp()
}

func (l *line) reason() (trouble, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why, l.ended
}

func (l *line) isBound() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bound
}

// session connects, asks for the endpoint and serves it until something ends
// it. Every session has an SDK agent of its own: after the service has stopped
// an endpoint, the SDK would ask for the dead one again at each reconnect.
func (t *Tunnel) session(ctx context.Context) trouble {
	// The context given to the SDK is the life of the session. It outlives ctx,
	// so that running requests can be finished.
	life, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	l := &line{dialer: newDialer(t.opt.Proxy), hangUp: hangUp}
	t.setLine(l)
	defer func() {
		t.setLine(nil)
		l.end(trouble{})
	}()

	agent, err := ngrok.NewAgent(t.agentOptions(l, func(e ngrok.Event) { t.observe(life, l, e) })...)
	if err != nil {
		return t.classify(err)
	}
	stopWaiting := context.AfterFunc(ctx, hangUp)
	listener, err := agent.Listen(life, t.endpointOptions()...)
	stopWaiting()
	if why, ended := l.reason(); ended {
		return why
	}
	if err != nil {
		return t.classify(err)
	}
	t.bound(life, l, agent, listener)
	return t.serve(ctx, life, l, listener)
}

func (t *Tunnel) setLine(l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = l
}

func (t *Tunnel) agentOptions(l *line, on ngrok.EventHandler) []ngrok.AgentOption {
	options := []ngrok.AgentOption{
		ngrok.WithAuthtoken(strings.TrimSpace(t.cfg.Token.Reveal())),
		ngrok.WithDialer(l.dialer),
		ngrok.WithEventHandler(on),
		// What the SDK logs holds the service's words, and those may hold the token.
		ngrok.WithLogger(slog.New(slog.DiscardHandler)),
	}
	t.mu.Lock()
	slow := t.slow
	t.mu.Unlock()
	if !slow {
		options = append(options, ngrok.WithHeartbeatInterval(t.opt.Interval), ngrok.WithHeartbeatTolerance(t.opt.Tolerance))
	}
	if t.opt.Server != "" {
		options = append(options, ngrok.WithAgentConnectURL(t.opt.Server))
	}
	if t.opt.CAs != nil {
		options = append(options, ngrok.WithAgentConnectCAs(t.opt.CAs))
	}
	return options
}

func (t *Tunnel) endpointOptions() []ngrok.EndpointOption {
	options := []ngrok.EndpointOption{
		ngrok.WithPoolingEnabled(t.cfg.Pooling),
		ngrok.WithTrafficPolicy(t.policy),
		ngrok.WithDescription("Switchboard"),
	}
	if t.cfg.Domain != "" {
		options = append(options, ngrok.WithURL("https://"+t.cfg.Domain))
	}
	return options
}

// observe follows the SDK's events. It is called within the SDK and must not
// call it back.
func (t *Tunnel) observe(ctx context.Context, l *line, event ngrok.Event) {
	if _, ended := l.reason(); ended {
		return
	}
	switch e := event.(type) {
	case *ngrok.EventAgentConnectSucceeded:
		if l.isBound() { // reconnected, and the endpoint is there again
			t.online(ctx)
		}
	case *ngrok.EventAgentDisconnected:
		if e.Error == nil || ctx.Err() != nil {
			return
		}
		if why := t.classify(e.Error); why.retry == retrySoon {
			t.connecting(ctx, why.err) // the SDK tries again by itself
		} else {
			l.end(why)
		}
	}
}

func (t *Tunnel) bound(ctx context.Context, l *line, agent ngrok.Agent, listener ngrok.EndpointListener) {
	l.mu.Lock()
	l.bound = true
	l.mu.Unlock()
	plan := ""
	if session, err := agent.Session(); err == nil {
		if details, ok := session.(ngrok.AgentSessionDetails); ok {
			plan = details.PlanName()
		}
	}
	t.change(ctx, func(s *Status) {
		s.State, s.URL, s.Plan, s.Err, s.Retry = StateOnline, listener.URL().String(), plan, nil, time.Time{}
	})
}

// serve answers requests until the service stops the endpoint, the session is
// given up, or ctx ends.
func (t *Tunnel) serve(ctx, life context.Context, l *line, listener ngrok.EndpointListener) trouble {
	server := &http.Server{
		Handler: t.handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, DisableGeneralOptionsHandler: true, ErrorLog: slog.NewLogLogger(t.log.Handler(), slog.LevelDebug),
	}
	g := newGate(listener)
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = server.Serve(g)
	}()
	why := trouble{}
	select {
	case <-ended:
		finish(life, server, listener)
		why = t.stopped(err)
	case <-life.Done():
		_ = server.Close() // its connections are gone
	case <-ctx.Done():
		finish(life, server, listener)
	}
	<-ended
	if given, hungUp := l.reason(); hungUp {
		return given
	}
	return why
}

// finish takes the endpoint away, so that nothing new arrives, and lets what
// runs come to its end, for a limited time.
func finish(life context.Context, server *http.Server, listener ngrok.EndpointListener) {
	limit, cancel := context.WithTimeout(life, stopTimeout)
	defer cancel()
	away := make(chan struct{})
	go func() { // it asks the service, and has no time limit of its own
		defer close(away)
		_ = listener.Close()
	}()
	select {
	case <-away:
	case <-limit.Done():
	}
	if err := server.Shutdown(limit); err != nil {
		_ = server.Close()
	}
}

// stopped is the trouble after the service has closed the endpoint itself.
func (t *Tunnel) stopped(err error) trouble {
	why := t.classify(err)
	if why.retry == retrySoon {
		why.err.Code, why.err.Kind = "stopped", bridge.KindUnavailable
	}
	return why
}

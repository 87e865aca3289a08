package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// The platforms it plays.
const (
	wecom    bridge.Platform = "wecom"
	dingtalk bridge.Platform = "dingtalk"
)

// Options are the settings of a Simulator; the zero value works.
type Options struct {
	Log *slog.Logger
	// RetryPause is how long a platform waits before it delivers a message
	// again that was not accepted. Default 5 s, like WeCom.
	RetryPause time.Duration
}

// Faults are troubles of the platforms' servers, switched on by tests.
type Faults struct {
	// Refuse answers the next N sends with the platform's "busy" code.
	Refuse int
	// Break closes the connection of the next N sends after the message was
	// shown, so that the caller cannot know.
	Break int
	// Expire makes every token given out so far invalid.
	Expire bool
}

// Simulator is the servers and the people. Make one with Start.
type Simulator struct {
	opt    Options
	base   string
	server *http.Server
	client *http.Client
	wecom  *wecomServer
	ding   *dingServer
	ended  chan struct{}
	done   context.CancelFunc

	mu         sync.Mutex
	hooks      map[string]string // callback address by bot id
	sent       map[bridge.MessageID]delivery
	faults     Faults
	violations []string
	calls      map[string]int
	screens    screens
	sequence   int64
}

// delivery is a webhook that can be delivered again.
type delivery struct {
	bot  string
	make func(url string) (*http.Request, error)
	good func(status int, body []byte) bool
}

// Start opens the servers on a free port of the loopback interface. They live
// until Close.
func Start(ctx context.Context, opt Options) (*Simulator, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.RetryPause <= 0 {
		opt.RetryPause = 5 * time.Second
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s := &Simulator{
		opt: opt, base: "http://" + l.Addr().String(), client: &http.Client{Timeout: 5 * time.Second}, ended: make(chan struct{}),
		hooks: map[string]string{}, sent: map[bridge.MessageID]delivery{}, calls: map[string]int{}, sequence: time.Now().UnixMicro(),
	}
	s.screens.init()
	s.wecom, s.ding = newWecom(s), newDing(s)
	mux := http.NewServeMux()
	s.wecom.routes(mux)
	s.ding.routes(mux)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	life, done := context.WithCancel(context.WithoutCancel(ctx))
	s.done = done
	context.AfterFunc(life, func() { _ = s.server.Close() })
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			opt.Log.LogAttrs(life, slog.LevelError, "the simulator stopped", slog.Any("error", err))
		}
	}()
	return s, nil
}

// Close ends the servers. Closing twice is fine.
func (s *Simulator) Close() error {
	s.done()
	<-s.ended
	s.screens.dismissAll()
	s.client.CloseIdleConnections()
	return nil
}

// Configs returns a bot for each platform that fits its server.
func (s *Simulator) Configs() []bridge.Config {
	return []bridge.Config{s.wecom.config(), s.ding.config()}
}

// Attach tells where the webhooks of a bot are delivered.
func (s *Simulator) Attach(bot, callback string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[bot] = callback
}

// Say writes a message as an employee and returns when it was accepted. One
// that is not accepted is delivered again twice, as platforms do, before the
// error is returned.
func (s *Simulator) Say(ctx context.Context, employee string, p bridge.Platform, text string) (bridge.MessageID, error) {
	if !slices.ContainsFunc(s.Employees(), func(e bridge.Employee) bool { return e.ID == employee }) {
		return "", fmt.Errorf("simulator: nobody is called %q", employee)
	}
	id, d, err := s.compose(employee, p, text)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.sent[id] = d
	s.mu.Unlock()
	s.screens.put(bridge.Bubble{ID: string(id), Employee: employee, Platform: p, Text: text, At: time.Now(), Changed: time.Now()})
	for try := 0; ; try++ {
		if err = s.deliver(ctx, d); err == nil || try == 2 {
			return id, err
		}
		timer := time.NewTimer(s.opt.RetryPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return id, fmt.Errorf("simulator: %w", ctx.Err())
		case <-timer.C:
		}
	}
}

func (s *Simulator) compose(employee string, p bridge.Platform, text string) (bridge.MessageID, delivery, error) {
	switch p {
	case wecom:
		id, d := s.wecom.message(employee, text)
		return id, d, nil
	case dingtalk:
		id, d := s.ding.message(employee, text)
		return id, d, nil
	default:
		return "", delivery{}, fmt.Errorf("simulator: no platform %q", p)
	}
}

// Redeliver delivers an earlier message again, byte for byte or signed afresh
// as the platform does.
func (s *Simulator) Redeliver(ctx context.Context, id bridge.MessageID) error {
	s.mu.Lock()
	d, ok := s.sent[id]
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("simulator: no message %q", id)
	}
	return s.deliver(ctx, d)
}

func (s *Simulator) deliver(ctx context.Context, d delivery) error {
	s.mu.Lock()
	hook := s.hooks[d.bot]
	s.mu.Unlock()
	if hook == "" {
		return fmt.Errorf("simulator: bot %s has no callback address", d.bot)
	}
	req, err := d.make(hook)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	resp, err := s.client.Do(req.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("simulator: deliver: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("simulator: deliver: %w", err)
	}
	if !d.good(resp.StatusCode, body) {
		return fmt.Errorf("simulator: the callback of %s answered %d %q", d.bot, resp.StatusCode, body)
	}
	return nil
}

// SetFaults switches troubles on; the zero Faults switches them off.
func (s *Simulator) SetFaults(f Faults) {
	s.mu.Lock()
	s.faults = f
	s.mu.Unlock()
	if f.Expire {
		s.wecom.tokens.expire()
		s.ding.tokens.expire()
	}
}

// Violations returns the rules of the platforms that were broken without their
// server saying so.
func (s *Simulator) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// Calls returns how often each API was called.
func (s *Simulator) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

func (s *Simulator) count(api string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[api]++
}

func (s *Simulator) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// refuse and breakOff say whether the next send is to fail.
func (s *Simulator) refuse() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Refuse--
	return s.faults.Refuse >= 0
}

func (s *Simulator) breakOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Break--
	return s.faults.Break >= 0
}

func (s *Simulator) next() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	return s.sequence
}

// shown puts a bot's message on an employee's screen, and closes the connection
// if it is to break.
func (s *Simulator) shown(employee string, p bridge.Platform, id, text string) {
	s.screens.put(bridge.Bubble{ID: id, Employee: employee, Platform: p, FromBot: true, Text: text, At: time.Now(), Changed: time.Now()})
	if s.breakOff() {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // the caller is gone
}

// strict decodes a request body and refuses fields the platform does not know.
func strict(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	return nil
}

func random() string { return rand.Text() }

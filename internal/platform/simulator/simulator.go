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
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/bridge"
)

// Options are the settings of a Simulator; the zero value works.
type Options struct {
	Log *slog.Logger
	// Platforms are those that the people use; default all.
	Platforms []bridge.Platform
	// Crowd is how many people there are, at least three.
	Crowd int
	// Transport carries the webhooks; default an ordinary one.
	Transport http.RoundTripper
	// RetryPause is how long a platform waits before it delivers a message
	// again that was not accepted. Default 5 s, like WeCom.
	RetryPause time.Duration
	// Patience is how long a platform waits for the answer to a delivery. Default
	// what each of them waits, some seconds.
	Patience time.Duration
	// Scheduled makes platforms deliver again after their own pauses, which are
	// up to six hours: Write does not wait for them, and Advance makes the time
	// pass.
	Scheduled bool
	// HearAll delivers the messages of groups that do not mention the bot, too,
	// like a Feishu app with the permission im:message.group_msg.
	HearAll bool
	// Withhold are the permissions of the Feishu and the DingTalk app that were not
	// granted. That to read all messages of groups is granted with HearAll only.
	Withhold []string
	// Paced makes the servers keep the platforms' limits of calls per second
	// and minute.
	Paced bool
	// PlainFeishu leaves the Encrypt Key of Feishu empty: events are neither
	// encrypted nor signed, and carry the Verification Token only.
	PlainFeishu bool
	// DingCards gives the DingTalk bot a card template with a list of buttons, so
	// that its answers grow and can be clicked.
	DingCards bool
	// Service adds an account of WeCom's customer service, which people write to with
	// Line.Service.
	Service bool
	// Remember is how many messages Trace knows. Default 50000.
	Remember int
	// History is how many messages each employee's screens keep. Default 500.
	History int
}

// Simulator is the servers and the people. Make one with Start.
type Simulator struct {
	opt     Options
	base    string
	server  *http.Server
	client  *http.Client
	feishu  *feishuServer
	wecom   *wecomServer
	service *serviceServer
	ding    *dingServer
	dice    dice
	people  directory
	board   board
	offset  atomic.Int64 // of its clock, in nanoseconds
	closing chan struct{}
	close   func()
	ended   chan struct{}

	mu         sync.Mutex
	hooks      map[string]string // callback address by bot id
	sent       memory[delivery]
	held       map[bridge.Platform][]*held
	afoot      map[*held]struct{}
	due        []appointment
	violations []string
	calls      map[string]int
	accepted   int
	sequence   int64
	granted    sync.Map // rights that were withheld at first
}

// Start opens the servers on a free port of the loopback interface. They live
// until Close.
func Start(ctx context.Context, opt Options) (*Simulator, error) {
	opt = opt.filled()
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s := &Simulator{
		opt: opt, base: "http://" + l.Addr().String(), client: &http.Client{Transport: opt.Transport}, closing: make(chan struct{}), ended: make(chan struct{}),
		hooks: map[string]string{}, sent: newMemory[delivery](opt.Remember), held: map[bridge.Platform][]*held{}, afoot: map[*held]struct{}{},
		calls: map[string]int{}, sequence: time.Now().UnixMicro(),
	}
	s.close = sync.OnceFunc(func() { close(s.closing) })
	s.people = newDirectory(opt.Crowd, opt.Platforms)
	s.board.init(opt.Remember, opt.History)
	s.feishu, s.wecom, s.service, s.ding = newFeishu(s), newWecom(s), newService(s), newDing(s)
	mux := http.NewServeMux()
	s.feishu.routes(mux)
	s.wecom.routes(mux)
	s.service.routes(mux)
	s.ding.routes(mux)
	mux.HandleFunc("/", s.unknown)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log := context.WithoutCancel(ctx)
	go func() {
		defer close(s.ended)
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			opt.Log.LogAttrs(log, slog.LevelError, "the simulator stopped", slog.Any("error", err))
		}
	}()
	return s, nil
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Platforms) == 0 {
		o.Platforms = allPlatforms()
	}
	if o.RetryPause <= 0 {
		o.RetryPause = 5 * time.Second
	}
	if o.History <= 0 {
		o.History = 500
	}
	if o.Remember <= 0 {
		o.Remember = 50000
	}
	return o
}

// Close ends the servers. Closing twice is fine.
func (s *Simulator) Close() error {
	s.close()
	_ = s.server.Close() // the listener's error; it is gone either way
	<-s.ended
	s.settle(nil)
	s.board.dismissAll()
	s.client.CloseIdleConnections()
	return nil
}

// Configs returns a bot for each platform that fits its server.
func (s *Simulator) Configs() []bridge.Config {
	var all []bridge.Config
	for _, c := range []bridge.Config{s.feishu.config(), s.wecom.config(), s.ding.config()} {
		if slices.Contains(s.opt.Platforms, c.Platform) {
			all = append(all, c)
		}
	}
	if s.opt.Service {
		all = append(all, s.service.config())
	}
	return all
}

// Attach tells where the webhooks of a bot are delivered.
func (s *Simulator) Attach(bot, callback string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[bot] = callback
}

// unknown answers calls to addresses that no platform has.
func (s *Simulator) unknown(w http.ResponseWriter, r *http.Request) {
	s.violate("no platform has %s %s", r.Method, r.URL.Path)
	http.NotFound(w, r)
}

// now is the simulator's own clock. It decides what expires; signatures carry
// the real time, because the bots look at the real one.
func (s *Simulator) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

func (s *Simulator) next() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	return s.sequence
}

// nextID returns a new id.
func (s *Simulator) nextID(prefix string) string { return prefix + strconv.FormatInt(s.next(), 10) }

// shown puts a bot's message on the screens of a chat.
func (s *Simulator) shown(at talk, id, text, question string, growing bool) {
	chat := ""
	if g, ok := s.group(func(id string) bool { return id == at.group }); ok {
		chat = g.Name
	}
	s.board.show(post{Answer: Answer{ID: id, Text: text, Growing: growing}, talk: at}, question, chat, s.members(at))
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
	return strictJSON(body, v)
}

func strictJSON(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	if d.More() {
		return errors.New("simulator: something follows the JSON")
	}
	return nil
}

func random() string { return rand.Text() }

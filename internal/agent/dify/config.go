package dify

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
	"switchboard/internal/webcall"
)

const (
	defaultTimeout = 10 * time.Minute
	idleLimit      = 60 * time.Second // the server pings every 10 s
	hurryLimit     = 15 * time.Second // after this computer slept
	callLimit      = 30 * time.Second // of everything but an answer
)

// Config is what an Agent needs to know.
type Config struct {
	// BaseURL is the address of the API, with or without /v1.
	BaseURL string
	// Key is the app's key, "app-…".
	Key bridge.Secret
	// Timeout ends an answer that takes too long altogether. Default 10 minutes.
	Timeout time.Duration
	// AppType is the app's mode, for servers too old to tell: chat, agent-chat,
	// advanced-chat, agent, workflow or completion. When set it is believed.
	AppType string
	// OutputKey names the output of a workflow that is the answer. By default
	// the one called answer, text, result or output, or the only text.
	OutputKey string
	// InputKey names the variable of a workflow or completion app that takes the
	// question. By default it is looked up in the app's form.
	InputKey string
	// Inputs are values for the variables of the app's form; they go before what
	// is known about the person.
	Inputs map[string]string
	// Titles names new conversations after who asks.
	Titles bool
	// KeepThinking leaves <think>…</think> in answers.
	KeepThinking bool
	// Log takes notes; nil means none.
	Log *slog.Logger
	// Transport carries the requests. Default: one of its own.
	Transport http.RoundTripper
}

// The modes of a Dify app.
const (
	modeChat       = "chat"
	modeAgentChat  = "agent-chat"
	modeChatflow   = "advanced-chat"
	modeAgent      = "agent"
	modeWorkflow   = "workflow"
	modeCompletion = "completion"
)

func known(mode string) bool {
	return slices.Contains([]string{modeChat, modeAgentChat, modeChatflow, modeAgent, modeWorkflow, modeCompletion}, mode)
}

// New makes an agent. It asks the server nothing yet.
func New(c Config) (*Agent, error) {
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	key := strings.TrimSpace(c.Key.Reveal())
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &bridge.Error{Kind: bridge.KindCredential, Op: "dify: configure", Detail: "the key is missing or has blanks in it"}
	}
	if c.AppType != "" && !known(c.AppType) {
		return nil, invalid("the app type " + c.AppType + " does not exist")
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	var line *webcall.Line
	if c.Transport == nil {
		line = webcall.NewLine(transport)
		c.Transport = line
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Agent{
		config: c, log: c.Log, running: map[string]*task{}, uploads: make(chan struct{}, uploads),
		public: webcall.NewPublic(form.Loopback(base.Hostname())),
		client: &client{base: base, key: key, http: &http.Client{Transport: c.Transport, CheckRedirect: stay}, line: line, waiting: map[*patience]struct{}{}},
	}, nil
}

// transport has no limit for the header: an app may think for long before it
// sends one. The limit on silence covers that.
func transport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: webcall.Timeout}).DialContext,
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: webcall.Timeout,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
		DisableCompression: true, // a compressing proxy holds back what is streamed
	}
}

func parseBase(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, invalid("the address is not a web address")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid("the address may not hold a user, a query or a fragment")
	}
	path := strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(path, "/v1") {
		path += "/v1"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

func invalid(detail string) error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: "dify: configure", Detail: detail}
}

package wecom

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/pace"
	"switchboard/internal/token"
	"switchboard/internal/webcall"
)

const (
	longLife = 24 * 3600 // seconds; no token lasts that long
	// refusedFor is how long a refused secret is not tried again. WeCom shuts out
	// for an hour the address of those who insist.
	refusedFor = 2 * time.Minute
)

// The calls, by their paths below /cgi-bin/.
const (
	pathToken  = "gettoken"
	pathSend   = "message/send"
	pathRecall = "message/recall"
	pathApp    = "agent/get"
	pathUser   = "user/get"
	pathFile   = "media/get"
	pathUpload = "media/upload"

	pathDepartments = "department/list"
)

const (
	opOpen    = "wecom: open"
	opReceive = "wecom: receive"
	opToken   = "wecom: get token" //nolint:gosec // a name, not a token
	opSend    = "wecom: send message"
	opRecall  = "wecom: recall message"
	opCheck   = "wecom: check"
	opUser    = "wecom: look up person"
	opFile    = "wecom: fetch file"
	opUpload  = "wecom: upload file"

	opDepartments = "wecom: list departments"
)

// client speaks to WeCom for one bot. The access token and the app's secret
// stand in the addresses of its calls, so no address may reach an error.
type client struct {
	cfg   config
	count func(api string)
	http  *webcall.Client
	token *token.Source
	pace  *pace.Pacer
	shelf shelf
}

func newClient(cfg config, env bridge.Env) *client {
	count := env.Count
	if count == nil {
		count = func(string) {}
	}
	limited := limits()
	if cfg.account != "" {
		limited = serviceLimits()
	}
	c := &client{cfg: cfg, count: count, http: webcall.New(), pace: pace.New(limited), shelf: shelf{notes: env.Notes, log: env.Log}}
	c.token = token.New(c.fetchToken, token.Options{Op: opToken, RefusedFor: refusedFor})
	return c
}

// fetchToken asks for a token, for the token.Source.
func (c *client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	var got tokenAnswer
	query := url.Values{"corpid": {c.cfg.corpID}, "corpsecret": {c.cfg.secret.Reveal()}}
	err := c.exchange(ctx, request{op: opToken, path: pathToken, query: query}, &got)
	return got.Token, time.Duration(min(got.ExpiresIn, longLife)) * time.Second, err
}

// request is one call; with a body it is a POST.
type request struct {
	op, path string
	query    url.Values
	in       any
	chat     string // who it is for
	file     *media // in place of in
}

// call makes a call with a token. A token that ended early is replaced once.
func (c *client) call(ctx context.Context, r request, out any) error {
	return c.withToken(ctx, r, func(r request) error { return c.exchange(ctx, r, out) })
}

func (c *client) withToken(ctx context.Context, r request, try func(request) error) error {
	if err := c.pace.Wait(ctx, pace.Call{Op: r.op, API: r.path, Chat: r.chat}); err != nil {
		return err //nolint:wrapcheck // says what was tried
	}
	for last := false; ; last = true {
		key, err := c.token.Token(ctx)
		if err != nil {
			return err
		}
		again := r
		again.query = url.Values{"access_token": {key}}
		for key, values := range r.query {
			again.query[key] = values
		}
		c.count(r.path)
		err = try(again)
		var e *bridge.Error
		if last || !errors.As(err, &e) || !staleToken(e.Code) {
			return err
		}
		c.token.Drop(key)
	}
}

// exchange sends one request and reads the answer.
func (c *client) exchange(ctx context.Context, r request, out any) error {
	made, err := c.make(r)
	if err != nil {
		return err
	}
	got, err := c.http.Do(ctx, made)
	if err != nil {
		return err
	}
	if e := trouble(got, made); e != nil {
		if e.Kind == bridge.KindRateLimited {
			c.pace.Hold(r.path, e.RetryAfter)
		}
		return e
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(got.Body, out); err != nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: r.op, Detail: "an answer of an unexpected form", Uncertain: true}
	}
	return nil
}

// make writes a request. The token and, once, the secret stand in its address.
func (c *client) make(r request) (webcall.Request, error) {
	address := c.cfg.base.JoinPath("cgi-bin", r.path)
	address.RawQuery = r.query.Encode()
	made := webcall.Request{Op: r.op, URL: address.String(), Secrets: []string{r.query.Get("access_token")}}
	for _, secret := range c.cfg.hidden {
		made.Secrets = append(made.Secrets, secret.Reveal())
	}
	var err error
	switch {
	case r.file != nil:
		made.Method, made.Within = http.MethodPost, webcall.Upload
		made.Type, made.Body, err = r.file.form()
	case r.in != nil:
		made.Method = http.MethodPost
		made.Body, err = webcall.JSON(r.in)
	}
	if err != nil {
		return made, &bridge.Error{Kind: bridge.KindInternal, Op: r.op, Err: err}
	}
	return made, nil
}

// sendMessage sends one message to one member. With unique set, WeCom is asked
// to drop it if the same content was sent a moment ago.
func (c *client) sendMessage(ctx context.Context, user string, m outgoing, unique bool) (bridge.MessageID, error) {
	body := map[string]any{"touser": user, "msgtype": m.Type, "agentid": c.cfg.agentID, m.Type: m.Body}
	if unique {
		body["enable_duplicate_check"] = 1
		body["duplicate_check_interval"] = int(duplicateCheck.Seconds())
	}
	var got sent
	if err := c.call(ctx, request{op: opSend, path: pathSend, in: body, chat: user}, &got); err != nil {
		return "", err
	}
	return bridge.MessageID(got.ID), got.refused(user)
}

func (c *client) recall(ctx context.Context, id bridge.MessageID) error {
	return c.call(ctx, request{op: opRecall, path: pathRecall, in: recallRequest{string(id)}}, nil)
}

// app looks the app itself up. It is the cheapest call that needs everything
// to be right: the trusted IP, and an AgentId that belongs to the secret.
func (c *client) app(ctx context.Context) (appFound, error) {
	var found appFound
	query := url.Values{"agentid": {strconv.FormatInt(c.cfg.agentID, 10)}}
	err := c.call(ctx, request{op: opCheck, path: pathApp, query: query}, &found)
	return found, err
}

func (c *client) user(ctx context.Context, id string) (userFound, error) {
	var found userFound
	err := c.call(ctx, request{op: opUser, path: pathUser, query: url.Values{"userid": {id}}}, &found)
	return found, err
}

// file opens a file that somebody sent; an error comes as JSON in its place.
func (c *client) file(ctx context.Context, id string) (io.ReadCloser, error) {
	var body io.ReadCloser
	r := request{op: opFile, path: pathFile, query: url.Values{"media_id": {id}}}
	err := c.withToken(ctx, r, func(r request) error {
		made, err := c.make(r)
		if err != nil {
			return err
		}
		resp, err := c.http.Open(ctx, made) //nolint:bodyclose // read to its end, or given to the caller
		if err != nil {
			return err
		}
		if resp.StatusCode == http.StatusOK && isFile(resp.Header) {
			body = resp.Body
			return nil
		}
		got, err := webcall.Read(ctx, made, resp)
		if err != nil {
			return err
		}
		e := trouble(got, made)
		if e == nil {
			e = &bridge.Error{Kind: bridge.KindUnavailable, Op: r.op, Detail: "an answer without a file"}
		}
		e.Uncertain = false
		return e
	})
	return body, err
}

// isFile tells a file from an error. A file that is JSON or text has a name.
func isFile(h http.Header) bool {
	if h.Get("Content-Disposition") != "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind != "application/json" && !strings.HasPrefix(kind, "text/")
}

// ledger remembers what was sent a moment ago. WeCom drops a repeated message by
// its content, but two questions may rightly have the same answer; what tells a
// repetition from that is the address's key. A content is therefore checked only
// as long as one key alone has sent it: a doubled answer is better than a lost
// one. A restart empties the ledger, so for the length of duplicateCheck an
// answer that equals one from before the restart is dropped.
type ledger struct {
	mu    sync.Mutex
	lines map[[sha256.Size]byte]line
	swept time.Time
}

type line struct {
	key    string
	at     time.Time
	shared bool // by several keys
}

// unique writes a message down and tells whether it may be checked.
func (l *ledger) unique(user, key string, m outgoing) bool {
	const kept = duplicateCheck + 2*webcall.Timeout // WeCom's clock starts later than ours
	now, id := time.Now(), m.id(user)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = map[[sha256.Size]byte]line{}
	}
	if now.Sub(l.swept) > kept {
		maps.DeleteFunc(l.lines, func(_ [sha256.Size]byte, old line) bool { return now.Sub(old.at) > kept })
		l.swept = now
	}
	old, known := l.lines[id]
	known = known && now.Sub(old.at) <= kept
	shared := key == "" || known && (old.shared || old.key != key)
	l.lines[id] = line{key: key, at: now, shared: shared}
	return !shared
}

// id tells contents apart as WeCom does.
func (m outgoing) id(user string) [sha256.Size]byte {
	body, err := webcall.JSON(m.Body)
	if err != nil {
		body = fmt.Append(nil, m.Body)
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %s", strings.ToLower(user), m.Type, body))
}

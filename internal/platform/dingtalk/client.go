package dingtalk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
	"switchboard/internal/pace"
	"switchboard/internal/token"
	"switchboard/internal/webcall"
)

const (
	longLife = 24 * 3600 // seconds; no token lasts that long
	// refusedFor is how long a refused secret is not tried again: it will not
	// get better by itself, and failed log-ins are watched.
	refusedFor = time.Minute
)

// The APIs that count against the monthly budget, by their paths.
const (
	apiSendUser   = "/v1.0/robot/oToMessages/batchSend"
	apiSendGroup  = "/v1.0/robot/groupMessages/send"
	apiCardMake   = "/v1.0/card/instances"
	apiCardShow   = "/v1.0/card/instances/createAndDeliver"
	apiCardStream = "/v1.0/card/streaming"
	apiCardRoute  = "/v1.0/card/callbacks/register"
	apiFile       = "/v1.0/robot/messageFiles/download"
	apiUpload     = "/media/upload"
)

// The calls that cost nothing.
const (
	pathToken = "/v1.0/oauth2/accessToken" //nolint:gosec // an address, not a token
	pathUser  = "/topapi/v2/user/get"

	pathDepartments = "/topapi/v2/department/listsub"
)

const (
	opOpen    = "dingtalk: open"
	opReceive = "dingtalk: receive"
	opToken   = "dingtalk: get token"
	opSend    = "dingtalk: send message"
	opCreate  = "dingtalk: create card"
	opStream  = "dingtalk: update card"
	opCheck   = "dingtalk: check"
	opRoute   = "dingtalk: register callback"
	opFile    = "dingtalk: fetch file"
	opUser    = "dingtalk: look up person"
	opUpload  = "dingtalk: upload file"

	opDepartments = "dingtalk: list departments"
)

// client speaks to DingTalk for one bot.
type client struct {
	cfg    config
	count  func(api string)
	pushed func()
	http   *webcall.Client
	files  *http.Client // for links to anywhere
	token  *token.Source
	pace   *pace.Pacer

	callback func() string // where clicks can be delivered now, or nil

	mu       sync.Mutex
	routed   string // where they are delivered
	bannedTo time.Time
}

func newClient(cfg config, env bridge.Env) *client {
	count, pushed := env.Count, env.Pushed
	if count == nil {
		count = func(string) {}
	}
	if pushed == nil {
		pushed = func() {}
	}
	c := &client{
		cfg: cfg, count: count, pushed: pushed, callback: env.Callback, pace: pace.New(limits()), http: webcall.New(),
		files: webcall.NewPublic(form.Loopback(cfg.base.Hostname())), // a DingTalk on this machine may name this machine
	}
	c.token = token.New(c.fetchToken, token.Options{Op: opToken, RefusedFor: refusedFor})
	return c
}

func (c *client) renew() {
	c.http.Renew()
	c.files.CloseIdleConnections()
}

func (c *client) close() {
	c.http.Close()
	c.files.CloseIdleConnections()
}

// fetchToken asks for a token, for the token.Source.
func (c *client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	var got tokenAnswer
	body := tokenRequest{Key: c.cfg.clientID, Secret: c.cfg.secret.Reveal()}
	err := c.exchange(ctx, request{op: opToken, method: http.MethodPost, url: c.api(pathToken), in: body}, "", &got)
	return got.Token, time.Duration(min(number(got.ExpiresIn), longLife)) * time.Second, err
}

// request is one call.
type request struct {
	op, method, url string
	api             string // of the budget; empty when the call is free
	in              any    // becomes JSON, unless it is raw
	chat            string // who it is for
}

// paced names the API for those who take turns at it: its address, without the token
// or the session in it.
func (r request) paced() string {
	address, _, _ := strings.Cut(r.url, "?")
	return address
}

// raw is a body that is no JSON.
type raw struct {
	contentType string
	data        []byte
}

func (c *client) api(path string) string { return c.cfg.base.String() + path }

// call makes a call with a token. A refused token is replaced once.
func (c *client) call(ctx context.Context, r request, out any) error {
	if err := c.pace.Wait(ctx, pace.Call{Op: r.op, API: r.paced(), Chat: r.chat}); err != nil {
		return err //nolint:wrapcheck // says what was tried
	}
	key, err := c.token.Token(ctx)
	if err != nil {
		return err
	}
	err = c.counted(ctx, r, key, out)
	if e := asError(err); e == nil || e.Code != codeStaleToken {
		return err
	}
	c.token.Drop(key)
	if key, err = c.token.Token(ctx); err != nil {
		return err
	}
	return c.counted(ctx, r, key, out)
}

// counted makes a call and counts it if DingTalk does: not when it came too
// fast or when the network failed.
func (c *client) counted(ctx context.Context, r request, key string, out any) error {
	err := c.exchange(ctx, r, key, out)
	switch kind := bridge.KindOf(err); {
	case r.api == "" || kind == bridge.KindRateLimited || kind == bridge.KindQuota || kind == bridge.KindUnavailable || kind == bridge.KindCanceled:
	default:
		c.count(r.api)
	}
	return err
}

// session posts to a session webhook. The caller has made sure that it may be
// called; its address is a secret and stands in no error.
func (c *client) session(ctx context.Context, webhook string, message any) error {
	err := c.exchange(ctx, request{op: opSend, method: http.MethodPost, url: webhook, in: message}, "", nil)
	if err == nil {
		c.pushed()
	}
	return err
}

// exchange sends one request and reads the answer. With neither a token nor a
// place for the answer, the answer has to be the old API's errcode 0.
func (c *client) exchange(ctx context.Context, r request, key string, out any) error {
	if wait := c.shutOut(); wait > 0 {
		return ban(r.op, wait)
	}
	made, err := c.make(r, key)
	if err != nil {
		return err
	}
	got, err := c.http.Do(ctx, made)
	if err != nil {
		return err
	}
	if e := trouble(got, r.op); e != nil {
		switch {
		case e.Code == codeBanned:
			c.stayOut(e.RetryAfter)
		case e.Kind == bridge.KindRateLimited:
			c.pace.Hold(r.paced(), e.RetryAfter)
		}
		e.Detail = webcall.Hide(e.Detail, made.Secrets...)
		return e
	}
	if out == nil && !bytes.Contains(got.Body, []byte(`"errcode"`)) {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: r.op, Detail: "an answer without an errcode", Uncertain: true}
	}
	return parseObject(r.op, got.Body, out)
}

// make writes a request. A session or an old API's token stands in its address.
func (c *client) make(r request, key string) (webcall.Request, error) {
	made := webcall.Request{Op: r.op, Method: r.method, URL: r.url, Secrets: append(secretsOf(r.url), key, c.cfg.secret.Reveal(), clickSecret(c.cfg.route(), c.cfg.secret.Reveal()))}
	if key != "" {
		made.Header = http.Header{"X-Acs-Dingtalk-Access-Token": {key}}
	}
	if body, ok := r.in.(raw); ok {
		made.Type, made.Body, made.Within = body.contentType, body.data, webcall.Upload
		return made, nil
	}
	body, err := webcall.JSON(r.in)
	if err != nil {
		return made, &bridge.Error{Kind: bridge.KindInternal, Op: r.op, Err: err}
	}
	made.Body = body
	return made, nil
}

// shutOut tells how long this machine is still banned; calls would not help.
func (c *client) shutOut() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.bannedTo)
}

func (c *client) stayOut(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bannedTo = time.Now().Add(d)
}

// sendUser writes to one person, by the robot API.
func (c *client) sendUser(ctx context.Context, user string, m message) (bridge.MessageID, error) {
	return c.sendRobot(ctx, apiSendUser, robotSend{UserIDs: []string{user}}, m)
}

// sendGroup writes to a group, by the robot API.
func (c *client) sendGroup(ctx context.Context, conversation string, m message) (bridge.MessageID, error) {
	return c.sendRobot(ctx, apiSendGroup, robotSend{ConversationID: conversation}, m)
}

func (c *client) sendRobot(ctx context.Context, api string, body robotSend, m message) (bridge.MessageID, error) {
	body.RobotCode, body.Key, body.Param = c.cfg.robotCode, m.key, m.param
	var sent robotSent
	chat := cmp.Or(body.ConversationID, strings.Join(body.UserIDs, ","))
	if err := c.call(ctx, request{op: opSend, method: http.MethodPost, url: c.api(api), api: api, in: body, chat: chat}, &sent); err != nil {
		return "", err
	}
	return bridge.MessageID(sent.QueryKey), sent.idsRefused(opSend)
}

// fileLink asks for the address of a file that a person sent.
func (c *client) fileLink(ctx context.Context, code string) (string, error) {
	var link fileLink
	err := c.call(ctx, request{op: opFile, method: http.MethodPost, url: c.api(apiFile), api: apiFile, in: fileRequest{code, c.cfg.robotCode}}, &link)
	if err == nil && link.URL == "" {
		err = &bridge.Error{Kind: bridge.KindUnavailable, Op: opFile, Detail: "an answer without a link"}
	}
	return link.URL, err
}

// download opens a link. It may be a plain http one, to a host that is not
// DingTalk's own.
func (c *client) download(ctx context.Context, link string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: opFile, Detail: "a link that cannot be opened"}
	}
	resp, err := c.files.Do(req)
	switch {
	case errors.Is(err, webcall.ErrNotPublic):
		return nil, &bridge.Error{Kind: bridge.KindForbidden, Op: opFile, Err: webcall.ErrNotPublic}
	case err != nil:
		return nil, webcall.Lost(ctx, opFile, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	_ = resp.Body.Close() // nothing is lost with it
	e := &bridge.Error{Kind: kindOfStatus(resp.StatusCode), Op: opFile, Code: strconv.Itoa(resp.StatusCode)}
	if e.Kind == bridge.KindForbidden || e.Kind == bridge.KindNotFound {
		e.Kind = bridge.KindExpired // links are signed and live for minutes
	}
	return nil, e
}

// user looks a person up.
func (c *client) user(ctx context.Context, id string) (userFound, error) {
	var found userFound
	err := c.callOld(ctx, request{op: opUser, url: pathUser, in: userRequest{id, "zh_CN"}}, url.Values{}, &found)
	return found, err
}

// upload keeps a file at DingTalk's and returns its id.
func (c *client) upload(ctx context.Context, m media) (string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("media", m.name)
	if err == nil {
		_, err = part.Write(m.data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return "", &bridge.Error{Kind: bridge.KindInternal, Op: opUpload, Err: err}
	}
	var kept mediaKept
	r := request{op: opUpload, url: apiUpload, api: apiUpload, in: raw{w.FormDataContentType(), body.Bytes()}}
	err = c.callOld(ctx, r, url.Values{"type": {m.kind}}, &kept)
	if err == nil && kept.ID == "" {
		err = &bridge.Error{Kind: bridge.KindUnavailable, Op: opUpload, Detail: "an answer without an id"}
	}
	return kept.ID, err
}

// callOld makes a call of the old API, whose token stands in the address. A
// refused token is replaced once.
func (c *client) callOld(ctx context.Context, r request, query url.Values, out any) error {
	path := c.cfg.oapi.String() + r.url
	r.method, r.url = http.MethodPost, path
	if err := c.pace.Wait(ctx, pace.Call{Op: r.op, API: r.paced()}); err != nil {
		return err //nolint:wrapcheck // says what was tried
	}
	for try := 0; ; try++ {
		key, err := c.token.Token(ctx)
		if err != nil {
			return err
		}
		query.Set("access_token", key)
		r.url = path + "?" + query.Encode()
		err = c.counted(ctx, r, "", out)
		if e := asError(err); e == nil || try > 0 || !slices.Contains([]string{"40001", "40014", "41001", "42001"}, e.Code) {
			return err
		}
		c.token.Drop(key)
	}
}

// createCard makes a card and shows it. A card that exists already stays as it
// is. It returns the id under which the card was delivered, if it is told.
func (c *client) createCard(ctx context.Context, card cardCreate) (string, error) {
	var made cardCreated
	if err := c.call(ctx, request{op: opCreate, method: http.MethodPost, url: c.api(apiCardShow), api: apiCardShow, in: card, chat: card.SpaceID}, &made); err != nil {
		return "", err
	}
	if made.Success != nil && !*made.Success {
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opCreate, Code: "success=false"}
	}
	carrier := ""
	for _, d := range made.Result.Deliveries {
		if !d.Success {
			return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: opCreate, Code: "deliverResults", Detail: detail(loose(d.Error), "")}
		}
		carrier = d.CarrierID
	}
	return carrier, nil
}

// streamCard shows one frame of a card in a chat.
func (c *client) streamCard(ctx context.Context, chat string, frame cardStream) error {
	var shown cardStreamed
	if err := c.call(ctx, request{op: opStream, method: http.MethodPut, url: c.api(apiCardStream), api: apiCardStream, in: frame, chat: chat}, &shown); err != nil {
		return err
	}
	if shown.Success != nil && !*shown.Success {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: opStream, Code: "success=false", Uncertain: true}
	}
	return nil
}

// updateCard changes variables of a card in a chat.
func (c *client) updateCard(ctx context.Context, chat, id string, params map[string]string) error {
	var done cardStreamed
	body := cardUpdate{id, cardData{params}, updateByKey{true, true}}
	if err := c.call(ctx, request{op: opStream, method: http.MethodPut, url: c.api(apiCardMake), api: apiCardMake, in: body, chat: chat}, &done); err != nil {
		return err
	}
	if done.Success != nil && !*done.Success {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: opStream, Code: "success=false", Uncertain: true}
	}
	return nil
}

// clickable says that this bot may have buttons.
func (c *client) clickable() bool { return c.cfg.buttons != "" && c.callback != nil }

// route makes sure that clicks are delivered to where we are now; that is asked
// for once, and again when the address has changed.
func (c *client) route(ctx context.Context) error {
	address := c.callback()
	if address == "" {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: opRoute, Code: codeNoAddress, Detail: "there is no public address"}
	}
	c.mu.Lock()
	routed := c.routed
	c.mu.Unlock()
	if routed == address {
		return nil
	}
	key := c.cfg.route()
	body := callbackRoute{Key: key, URL: address, Secret: clickSecret(key, c.cfg.secret.Reveal()), Force: true}
	var done cardStreamed
	if err := c.call(ctx, request{op: opRoute, method: http.MethodPost, url: c.api(apiCardRoute), api: apiCardRoute, in: body}, &done); err != nil {
		return err
	}
	if done.Success != nil && !*done.Success {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: opRoute, Code: "success=false"}
	}
	c.mu.Lock()
	c.routed = address
	c.mu.Unlock()
	return nil
}

// trySend asks to send a message to nobody. The gateway looks at the right and
// at the network address before anybody looks at the receivers, so a complaint
// about those is the good answer.
func (c *client) trySend(ctx context.Context) error {
	body := robotSend{RobotCode: c.cfg.robotCode, Key: "sampleText", Param: `{"content":"-"}`}
	return unlessRefused(c.call(ctx, request{op: opCheck, method: http.MethodPost, url: c.api(apiSendUser), api: apiSendUser, in: body}, &robotSent{}))
}

// tryCard makes a card that is never delivered: that proves the template and
// both rights without anybody seeing it.
func (c *client) tryCard(ctx context.Context) error {
	card := cardCreate{
		TemplateID: c.cfg.template, OutTrackID: randomID(), CallbackType: "STREAM", UserIDType: 1,
		Data: cardData{map[string]string{c.cfg.variable: ""}}, RobotSpace: &cardSpace{Forward: true},
	}
	if err := c.call(ctx, request{op: opCheck, method: http.MethodPost, url: c.api(apiCardMake), api: apiCardMake, in: card}, &struct{}{}); err != nil {
		return err
	}
	frame := cardStream{OutTrackID: card.OutTrackID, GUID: randomID(), Key: c.cfg.variable, Content: "-", Full: true, Finalize: true}
	err := c.call(ctx, request{op: opCheck, method: http.MethodPut, url: c.api(apiCardStream), api: apiCardStream, in: frame}, &cardStreamed{})
	if bridge.KindOf(err) == bridge.KindNotFound {
		return nil // there is nothing to update where nothing was delivered
	}
	return err
}

// unlessRefused keeps the errors that say more than "nobody to send to".
func unlessRefused(err error) error {
	if e := asError(err); e != nil && (e.Kind == bridge.KindInvalid || e.Code == codeInvalidIDs) {
		return nil
	}
	return err
}

func asError(err error) *bridge.Error {
	var e *bridge.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// secretsOf returns what an address holds that opens a door.
func secretsOf(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return []string{u.Query().Get("session"), u.Query().Get("access_token")}
}

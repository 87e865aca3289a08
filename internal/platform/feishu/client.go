package feishu

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/pace"
	"switchboard/internal/token"
	"switchboard/internal/webcall"
)

const (
	// tokenMargin is how long before its end a token is replaced. With less than
	// half an hour left the platform hands out a new one, and both work.
	tokenMargin = 20 * time.Minute
	// selfAgain is how long after a vain try the bot's own id is asked for again.
	selfAgain = 10 * time.Minute
	// cardsAgain is how long after a refusal growing cards are tried again.
	cardsAgain = 10 * time.Minute
)

// The APIs, by their paths. Most count against the monthly budget: see free.
const (
	apiToken    = "/open-apis/auth/v3/tenant_access_token/internal" //nolint:gosec // an address, not a token
	apiUser     = "/open-apis/contact/v3/users/:user_id"
	apiScopes   = "/open-apis/application/v6/scopes"
	apiBot      = "/open-apis/bot/v3/info"
	apiCreate   = "/open-apis/im/v1/messages"
	apiReply    = "/open-apis/im/v1/messages/:message_id/reply"
	apiMessage  = "/open-apis/im/v1/messages/:message_id"
	apiResource = "/open-apis/im/v1/messages/:message_id/resources/:file_key"
	apiImage    = "/open-apis/im/v1/images"
	apiFile     = "/open-apis/im/v1/files"
	apiCards    = "/open-apis/cardkit/v1/cards"
	apiCard     = "/open-apis/cardkit/v1/cards/:card_id"
	apiText     = "/open-apis/cardkit/v1/cards/:card_id/elements/:element_id/content"
	apiElements = "/open-apis/cardkit/v1/cards/:card_id/elements"
	apiStop     = "/open-apis/cardkit/v1/cards/:card_id/elements/" + elementStop
	apiSettings = "/open-apis/cardkit/v1/cards/:card_id/settings"

	apiChat        = "/open-apis/im/v1/chats/:chat_id"
	apiDepartments = "/open-apis/contact/v3/departments/:department_id/children"
)

const (
	opOpen    = "feishu: open"
	opReceive = "feishu: receive"
	opToken   = "feishu: get token" //nolint:gosec // a name, not a token
	opSend    = "feishu: send message"
	opCard    = "feishu: create card"
	opStream  = "feishu: update card"
	opRecall  = "feishu: recall message"
	opCheck   = "feishu: check"
	opFile    = "feishu: fetch file"
	opUser    = "feishu: look up person"
	opUpload  = "feishu: upload file"
	opList    = "feishu: list messages"
	opQuote   = "feishu: read quoted message"

	opChat        = "feishu: look up group"
	opDepartments = "feishu: list departments"
)

// client speaks to Feishu for one bot.
type client struct {
	cfg    config
	count  func(api string)
	http   *webcall.Client
	tokens *token.Source
	pace   *pace.Pacer

	mu       sync.Mutex
	openID   string // the bot's own
	wanted   bool   // somebody needs to know openID
	askAgain time.Time
	noCards  time.Time // until then growing cards are not tried
}

func newClient(cfg config, count func(string)) *client {
	if count == nil {
		count = func(string) {}
	}
	c := &client{cfg: cfg, count: count, http: webcall.New(), pace: pace.New(limits())}
	c.tokens = token.New(c.fetchToken, token.Options{Op: opToken, Margin: tokenMargin})
	return c
}

func (c *client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	var got tokenAnswer
	body := tokenRequest{c.cfg.appID, c.cfg.secret.Reveal()}
	err := c.exchange(ctx, request{op: opToken, method: http.MethodPost, api: apiToken, in: body}, "", &got)
	return got.Token, time.Duration(number(got.Expire)) * time.Second, err
}

// request is one call. The words behind the colons of its path are filled in
// the order of ids.
type request struct {
	op, method, api string
	ids             []string
	chat            string // who it is for
	query           url.Values
	in              any           // becomes JSON; nil for none
	upload          multipartBody // instead of in
}

// free tells whether a call is not counted: log-ins and the address book are not.
func (r request) free() bool {
	return r.api == apiToken || r.api == apiUser || r.api == apiDepartments
}

func (r request) path() string {
	parts := strings.Split(r.api, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") && len(r.ids) > 0 {
			parts[i], r.ids = url.PathEscape(r.ids[0]), r.ids[1:]
		}
	}
	return strings.Join(parts, "/")
}

// call makes a call with a token and reads the answer.
func (c *client) call(ctx context.Context, r request, out any) error {
	return c.withToken(ctx, r, func(bearer string) error { return c.exchange(ctx, r, bearer, out) })
}

// withToken tries with a token. One that was refused is replaced once.
func (c *client) withToken(ctx context.Context, r request, try func(bearer string) error) error {
	if err := c.pace.Wait(ctx, pace.Call{Op: r.op, API: r.api, Chat: r.chat}); err != nil {
		return err //nolint:wrapcheck // says what was tried
	}
	for last := false; ; last = true {
		bearer, err := c.tokens.Token(ctx)
		if err != nil {
			return err
		}
		c.learnSelf(ctx, bearer)
		err = try(bearer)
		if e := asError(err); last || e == nil || !staleToken(e.Code) {
			return err
		}
		c.tokens.Drop(bearer)
	}
}

// exchange sends one request and reads the answer.
func (c *client) exchange(ctx context.Context, r request, bearer string, out any) error {
	made, err := c.make(r, bearer)
	if err != nil {
		return err
	}
	got, err := c.http.Do(ctx, made)
	if err != nil {
		return err
	}
	c.counted(r, got.Status)
	if e := trouble(got, made); e != nil {
		if e.Kind == bridge.KindRateLimited {
			c.pace.Hold(r.api, e.RetryAfter)
		}
		return c.explained(e)
	}
	return parseObject(r.op, got.Body, out)
}

// counted counts a call if Feishu does: not one that was answered with an error.
func (c *client) counted(r request, status int) {
	if status < http.StatusBadRequest && !r.free() {
		c.count(r.api)
	}
}

// make writes a request.
func (c *client) make(r request, bearer string) (webcall.Request, error) {
	made := webcall.Request{Op: r.op, Method: r.method, URL: c.cfg.base.String() + r.path(), Header: http.Header{}, Body: r.upload.data, Type: r.upload.contentType}
	if len(r.query) > 0 {
		made.URL += "?" + r.query.Encode()
	}
	if bearer != "" {
		made.Header.Set("Authorization", "Bearer "+bearer)
	}
	made.Secrets = []string{bearer, c.cfg.secret.Reveal(), c.cfg.encryptKey.Reveal(), c.cfg.token.Reveal()}
	if len(r.upload.data) > 0 {
		made.Within = webcall.Upload
	}
	if r.in == nil {
		return made, nil
	}
	body, err := webcall.JSON(r.in)
	if err != nil {
		return made, &bridge.Error{Kind: bridge.KindInternal, Op: r.op, Err: err}
	}
	made.Body, made.Type = body, "application/json; charset=utf-8"
	return made, nil
}

// explained says where a missing right is granted.
func (c *client) explained(e *bridge.Error) *bridge.Error {
	if scope, ok := e.Args["scope"]; ok {
		e.Args = c.grant(scope)
	}
	return e
}

// grant fills the words about missing rights: which, and the page of the
// console that offers them.
func (c *client) grant(scope string) map[string]string {
	link := c.cfg.base.String() + "/app/" + url.PathEscape(c.cfg.appID) + "/auth"
	if scope != "" {
		link += "?q=" + url.QueryEscape(scope) + "&op_from=openapi&token_type=tenant"
	}
	return map[string]string{"scope": cmp.Or(strings.ReplaceAll(scope, ",", ", "), "?"), "link": link}
}

// self returns the bot's own id, or nothing as long as it is unknown.
func (c *client) self() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.openID
}

// wantSelf asks for the bot's own id at the next opportunity: whoever receives
// may not use the network.
func (c *client) wantSelf() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = true
}

// learnSelf finds out the bot's own id if somebody wants to know it. That it
// fails is no trouble for the call it goes along with.
func (c *client) learnSelf(ctx context.Context, bearer string) {
	c.mu.Lock()
	ask := c.wanted && c.openID == "" && time.Now().After(c.askAgain)
	if ask {
		c.askAgain = time.Now().Add(selfAgain)
	}
	c.mu.Unlock()
	if !ask {
		return
	}
	var got botAnswer
	if c.exchange(ctx, request{op: opCheck, method: http.MethodGet, api: apiBot}, bearer, &got) == nil {
		c.keepSelf(got.Bot.OpenID)
	}
}

func (c *client) keepSelf(openID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.openID = cmp.Or(openID, c.openID)
}

// cards tells whether growing cards are worth a try.
func (c *client) cards() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().After(c.noCards)
}

func (c *client) giveUpCards() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noCards = time.Now().Add(cardsAgain)
}

// sendMessage sends one message, as a reply where the address names a message
// in a group or a thread. A message that is no longer there is not replied to.
func (c *client) sendMessage(ctx context.Context, to bridge.Address, m outgoing, uuid string) (bridge.MessageID, error) {
	kind, receiver := receiverOf(to)
	if receiver == "" {
		return "", &bridge.Error{Kind: bridge.KindInvalid, Op: opSend, Detail: "the address names neither a chat nor a person"}
	}
	if err := c.pace.Wait(ctx, pace.Call{Op: opSend, Chat: receiver, Message: true}); err != nil {
		return "", err //nolint:wrapcheck // says what was tried
	}
	body := messageSend{Type: m.kind, Content: m.content, UUID: uuid}
	if replies(to) {
		id, err := c.post(ctx, request{op: opSend, method: http.MethodPost, api: apiReply, ids: []string{string(to.ReplyTo)}, chat: receiver, in: body})
		if !gone(err) {
			return id, err
		}
	}
	body.To = receiver
	query := url.Values{"receive_id_type": {kind}}
	return c.post(ctx, request{op: opSend, method: http.MethodPost, api: apiCreate, query: query, chat: receiver, in: body})
}

// receiverOf tells whom a message of its own is for, and by which kind of id.
func receiverOf(to bridge.Address) (kind, id string) {
	id = cmp.Or(to.Chat, string(to.User))
	return idType(id), id
}

// idType recognises an id by how it begins.
func idType(id string) string {
	switch {
	case strings.HasPrefix(id, "oc_"):
		return "chat_id"
	case strings.HasPrefix(id, "ou_"):
		return "open_id"
	case strings.HasPrefix(id, "on_"):
		return "union_id"
	case strings.Contains(id, "@"):
		return "email"
	default:
		return "user_id"
	}
}

func (c *client) post(ctx context.Context, r request) (bridge.MessageID, error) {
	var sent messageSent
	err := c.call(ctx, r, &sent)
	return bridge.MessageID(sent.Data.ID), err
}

// patchMessage replaces the card in a message.
func (c *client) patchMessage(ctx context.Context, chat, id, content string) error {
	return c.call(ctx, request{op: opStream, method: http.MethodPatch, api: apiMessage, ids: []string{id}, chat: chat, in: messagePatch{content}}, nil)
}

// recall takes a message back.
func (c *client) recall(ctx context.Context, id bridge.MessageID) error {
	return c.call(ctx, request{op: opRecall, method: http.MethodDelete, api: apiMessage, ids: []string{string(id)}}, nil)
}

// createCard makes a card that can grow; nobody sees it yet.
func (c *client) createCard(ctx context.Context, content string) (string, error) {
	var made cardCreated
	err := c.call(ctx, request{op: opCard, method: http.MethodPost, api: apiCards, in: cardCreate{"card_json", content}}, &made)
	if err == nil && made.Data.ID == "" {
		err = &bridge.Error{Kind: bridge.KindUnavailable, Op: opCard, Detail: "an answer without an id"}
	}
	return made.Data.ID, err
}

// changeCard makes one change to a growing card in a chat.
func (c *client) changeCard(ctx context.Context, method, api, chat, id string, in any) error {
	return c.call(ctx, request{op: opStream, method: method, api: api, ids: []string{id, elementAnswer}, chat: chat, in: in}, nil)
}

// multipartBody is the body of an upload.
type multipartBody struct {
	contentType string
	data        []byte
}

func (m media) body() (multipartBody, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	var errs []error
	for name, value := range m.fields {
		errs = append(errs, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile(m.part, m.name)
	if err == nil {
		_, err = part.Write(m.data)
	}
	err = errors.Join(append(errs, err, w.Close())...) // closing writes the end
	return multipartBody{w.FormDataContentType(), body.Bytes()}, err
}

// upload keeps a file at Feishu's and returns its key.
func (c *client) upload(ctx context.Context, m media) (string, error) {
	body, err := m.body()
	if err != nil {
		return "", &bridge.Error{Kind: bridge.KindInternal, Op: opUpload, Err: err}
	}
	var kept fileKept
	err = c.call(ctx, request{op: opUpload, method: http.MethodPost, api: m.api, upload: body}, &kept)
	key := cmp.Or(kept.Data.Image, kept.Data.File)
	if err == nil && key == "" {
		err = &bridge.Error{Kind: bridge.KindUnavailable, Op: opUpload, Detail: "an answer without a key"}
	}
	return key, err
}

// file opens a file that somebody sent; an error comes as JSON in its place.
func (c *client) file(ctx context.Context, f bridge.File) (io.ReadCloser, error) {
	kind := "file"
	if f.Kind == bridge.FileImage {
		kind = "image"
	}
	r := request{op: opFile, method: http.MethodGet, api: apiResource, ids: []string{string(f.Message), f.ID}, query: url.Values{"type": {kind}}}
	var body io.ReadCloser
	err := c.withToken(ctx, r, func(bearer string) error {
		made, err := c.make(r, bearer)
		if err != nil {
			return err
		}
		resp, err := c.http.Open(ctx, made) //nolint:bodyclose // read to its end, or given to the caller
		if err != nil {
			return err
		}
		c.counted(r, resp.StatusCode)
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
		return c.explained(e)
	})
	return body, err
}

// isFile tells a file from an error, which is JSON. People send JSON too; then
// the answer names the file.
func isFile(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err != nil || kind != "application/json" || h.Get("Content-Disposition") != ""
}

func (c *client) user(ctx context.Context, id string) (userAnswer, error) {
	var found userAnswer
	r := request{op: opUser, method: http.MethodGet, api: apiUser, ids: []string{id}, query: url.Values{"user_id_type": {idType(id)}}}
	err := c.call(ctx, r, &found)
	return found, err
}

// bot looks the bot itself up.
func (c *client) bot(ctx context.Context) (botAnswer, error) {
	var got botAnswer
	err := c.call(ctx, request{op: opCheck, method: http.MethodGet, api: apiBot}, &got)
	if err == nil {
		c.keepSelf(got.Bot.OpenID)
	}
	return got, err
}

// scopes lists the rights that the app was granted.
func (c *client) scopes(ctx context.Context) (map[string]bool, error) {
	var got scopesAnswer
	err := c.call(ctx, request{op: opCheck, method: http.MethodGet, api: apiScopes}, &got)
	granted := map[string]bool{}
	for _, s := range got.Data.Scopes {
		granted[s.Name] = s.Status == "1"
	}
	return granted, err
}

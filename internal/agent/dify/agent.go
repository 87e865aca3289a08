package dify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	afterwards   = 3 * time.Second // for details after the end of an answer
	resumeLimit  = 60 * time.Second
	resumePause  = time.Second
	resumeEvery  = 4 * time.Second
	maxUser      = 255
	defaultInput = "query"
	streaming    = "streaming"
	runUnknown   = "the app has no runs to take up"
)

// Agent is one Dify app. Make one with New.
type Agent struct {
	config  Config
	log     *slog.Logger
	client  *client
	public  *http.Client // for links to anywhere
	uploads chan struct{}

	mu      sync.Mutex
	app     *app
	wants   *kept
	running map[string]*task // by task id
}

// app is what was found out about the app.
type app struct {
	mode string
}

// talks says that the app has conversations.
func (a app) talks() bool { return a.mode != modeWorkflow && a.mode != modeCompletion }

func (a app) resumes() bool { return a.mode == modeWorkflow || a.mode == modeChatflow }

func (a app) path() string {
	switch a.mode {
	case modeWorkflow:
		return "/workflows/run"
	case modeCompletion:
		return "/completion-messages"
	default:
		return "/chat-messages"
	}
}

// task is an answer in progress.
type task struct{ stopped bool }

type teller func(bridge.Event) error

// Ask implements bridge.Agent.
func (a *Agent) Ask(ctx context.Context, q bridge.Question) iter.Seq2[bridge.Event, error] {
	return a.yields(ctx, func(ctx context.Context, tell teller) error { return a.ask(ctx, q, tell) })
}

// yields makes a sequence of what is told, for as long as an answer may take.
func (a *Agent) yields(ctx context.Context, answer func(ctx context.Context, tell teller) error) iter.Seq2[bridge.Event, error] {
	return func(yield func(bridge.Event, error) bool) {
		ctx, cancel := context.WithTimeoutCause(ctx, a.config.Timeout, errTooLong)
		defer cancel()
		err := answer(ctx, func(e bridge.Event) error {
			if !yield(e, nil) {
				return errLeft
			}
			return nil
		})
		if err != nil && !errors.Is(err, errLeft) {
			yield(nil, err)
		}
	}
}

func (a *Agent) ask(ctx context.Context, q bridge.Question, tell teller) error {
	if q.Conversation.User == "" {
		return &bridge.Error{Kind: bridge.KindInvalid, Op: opAsk, Detail: "the conversation has no user"}
	}
	found, err := a.discover(ctx, false)
	if err != nil {
		return unasked(err)
	}
	if q.Run != (bridge.Run{}) {
		return a.resume(ctx, found, q, tell)
	}
	err = a.askAs(ctx, found, q, tell)
	if misses(err) && a.outdated() { // the form is another one by now, so nothing was begun
		return a.askAs(ctx, found, q, tell)
	}
	if !otherRoute(err) {
		return err
	}
	fresh, freshErr := a.discover(ctx, true)
	if freshErr != nil || fresh.path() == found.path() {
		return err
	}
	return a.askAs(ctx, fresh, q, tell)
}

// unasked says of an error that the question was surely not asked.
func unasked(err error) error {
	var e *bridge.Error
	if !errors.As(err, &e) {
		return err
	}
	sure := *e
	sure.Uncertain = false
	return &sure
}

// askAs asks an app of a known kind.
func (a *Agent) askAs(ctx context.Context, found app, q bridge.Question, tell teller) error {
	if found.talks() && q.Conversation.ID != "" && !isUUID(q.Conversation.ID) {
		return &bridge.Error{Kind: bridge.KindConversationLost, Op: opAsk, Detail: "the id is not one of Dify's"}
	}
	head := http.Header{}
	if regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`).MatchString(q.ID) {
		head.Set("X-Trace-Id", q.ID)
	}
	asked, err := a.body(ctx, found, q)
	if err != nil {
		return err
	}
	tell, wait := a.titled(ctx, found, q, tell)
	defer wait()
	heard, err := a.follow(ctx, found, q, exchange{method: http.MethodPost, path: found.path(), body: asked, head: head}, tell)
	if !heard && found.mode == modeChatflow && q.Conversation.ID != "" && bridge.KindOf(err) == bridge.KindUnavailable {
		// Servers before 1.16 fall silent instead of refusing a lost conversation.
		if lost := a.lookFor(ctx, q.Conversation); lost != nil {
			return lost
		}
	}
	return err
}

// body is what the app is asked.
func (a *Agent) body(ctx context.Context, found app, q bridge.Question) (question, error) {
	b := question{Inputs: map[string]any{}, User: userOf(q.Conversation), Mode: streaming}
	input := a.config.InputKey
	if len(a.config.Inputs)+len(q.Inputs)+len(q.Known)+len(q.Files) > 0 || input == "" && !found.talks() {
		var err error
		if input, err = a.fill(ctx, found, q, &b); err != nil {
			return b, err
		}
	}
	if found.talks() {
		b.Query, b.Conversation, b.NameIt = q.Text, q.Conversation.ID, new(bool)
		return b, nil
	}
	b.Inputs[input] = q.Text
	if found.mode == modeCompletion {
		b.Query = q.Text
	}
	return b, nil
}

// attach puts each file where the app takes it.
func (b *question) attach(places []place, files []bridge.UploadedFile) error {
	for _, f := range files {
		ref := refTo(f)
		at := slices.IndexFunc(places, func(p place) bool {
			_, full := b.Inputs[p.variable]
			return (len(p.rules.Types) == 0 || slices.Contains(p.rules.Types, ref.Type)) && (!p.single || !full)
		})
		if at < 0 {
			return &bridge.Error{Kind: bridge.KindTooLarge, Op: opAsk, Code: "too_many_files", Detail: "the app takes no more files of this type"}
		}
		switch p := places[at]; {
		case p.variable == "":
			b.Files = append(b.Files, ref)
			if p.rules.Most > 0 && len(b.Files) > p.rules.Most {
				return &bridge.Error{Kind: bridge.KindTooLarge, Op: opAsk, Code: "too_many_files", Detail: "the app takes fewer files"}
			}
		case p.single:
			b.Inputs[p.variable] = ref
		default:
			list, _ := b.Inputs[p.variable].([]fileRef)
			b.Inputs[p.variable] = append(list, ref)
		}
	}
	return nil
}

func refTo(f bridge.UploadedFile) fileRef {
	kind := f.Type
	if kind == "" {
		kind = fileType(f.Kind)
	}
	return fileRef{Type: kind, Method: localFile, ID: f.ID}
}

func fileType(kind bridge.FileKind) string {
	if kind == bridge.FileOther {
		return "document"
	}
	return string(kind)
}

// userOf is the name Dify knows a person by. Its column takes 255 characters.
func userOf(c bridge.Conversation) string {
	if len([]rune(c.User)) <= maxUser {
		return c.User
	}
	sum := sha256.Sum256([]byte(c.User))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func isUUID(s string) bool {
	return regexp.MustCompile(`(?i)^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$`).MatchString(s)
}

// exchange is a request that is answered with a stream.
type exchange struct {
	method, path string
	query        url.Values
	body         any
	head         http.Header
	filled       string // the form that was filled in a moment ago
}

// follow sends a request and follows the answer to its end. It says whether any
// event was heard.
func (a *Agent) follow(ctx context.Context, found app, q bridge.Question, x exchange, tell teller) (bool, error) {
	ctx, wait, cancel := a.client.patient(ctx)
	defer cancel()
	res, err := a.client.open(ctx, opAsk, x.method, x.path, x.query, x.body, x.head)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	wait.body = res.Body
	heard := &answer{
		client: a.client, app: found, output: a.config.OutputKey, lang: q.Language, think: thinking{keep: a.config.KeepThinking}, links: links{own: a.client.keeps},
		started: bridge.Started{Conversation: q.Conversation, Run: q.Run}, tools: map[string]bool{}, files: map[string]bool{}, filled: x.filled,
	}
	defer a.forget(heard)
	switch mediaType(res.Header) {
	case "text/event-stream":
		err = a.listen(ctx, heard, wait, tell)
	case "application/json":
		err = a.read(ctx, heard, wait, tell)
	default:
		err = notDify(opAsk)
	}
	return heard.heard, err
}

// listen hears a stream to its end.
func (a *Agent) listen(ctx context.Context, heard *answer, wait *patience, tell teller) error {
	stream := newFrames(wait)
	for !heard.over {
		if heard.good {
			wait.atMost(afterwards)
		}
		text, err := stream.next()
		if err != nil {
			return a.stop(ctx, heard, err, tell)
		}
		var e event
		if err := lenient(text, &e); err != nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "an event cannot be read", slog.Int("bytes", len(text)))
			continue
		}
		if err := a.pass(heard, e, tell); err != nil {
			return err
		}
	}
	return a.stop(ctx, heard, nil, tell)
}

// read hears an answer that came as one piece of JSON.
func (a *Agent) read(ctx context.Context, heard *answer, wait *patience, tell teller) error {
	body, err := io.ReadAll(io.LimitReader(wait, maxBody))
	if err != nil {
		return a.stop(ctx, heard, err, tell)
	}
	events, err := whole(body)
	if err != nil {
		return notDify(opAsk)
	}
	for _, e := range events {
		if err := a.pass(heard, e, tell); err != nil {
			return err
		}
	}
	return a.stop(ctx, heard, nil, tell)
}

// pass hears one event and tells what came of it.
func (a *Agent) pass(heard *answer, e event, tell teller) error {
	err := heard.hear(e)
	a.remember(heard)
	if told := heard.tell(tell); told != nil {
		return told
	}
	return err
}

// Renew implements bridge.Renewer.
func (a *Agent) Renew() {
	a.client.renew()
	a.public.CloseIdleConnections()
}

// stop ends an answer whose stream has ended.
func (a *Agent) stop(ctx context.Context, heard *answer, cause error, tell teller) error {
	if heard.good && a.wasStopped(heard) {
		heard.ended.Stopped = true
	}
	if !heard.good && !heard.over && cause != nil && !errors.Is(cause, io.EOF) {
		broken := a.client.broken(ctx, opAsk, cause)
		if heard.shown && broken.Kind == bridge.KindUnavailable {
			broken.Kind = bridge.KindInterrupted
		}
		return broken
	}
	err := heard.end(cause)
	if told := heard.tell(tell); told != nil {
		return told
	}
	return err
}

// tell yields what has been understood since the last time.
func (a *answer) tell(tell teller) error {
	out := a.out
	a.out = nil
	for _, e := range out {
		if err := tell(e); err != nil {
			return err
		}
	}
	return nil
}

// discover finds out what the app is, once.
func (a *Agent) discover(ctx context.Context, again bool) (app, error) {
	a.mu.Lock()
	cached := a.app
	a.mu.Unlock()
	if cached != nil && !again {
		return *cached, nil
	}
	found := app{mode: a.config.AppType}
	if found.mode == "" || again {
		card, err := a.card(ctx, opAsk)
		if err != nil {
			return app{}, err
		}
		found.mode = card.Mode
	}
	a.mu.Lock()
	a.app = &found
	a.mu.Unlock()
	return found, nil
}

// card is the app's own description; an old server's lacks the mode.
func (a *Agent) card(ctx context.Context, op string) (appCard, error) {
	var card appCard
	if err := a.client.call(ctx, op, http.MethodGet, "/info", nil, nil, &card); err != nil {
		return card, err
	}
	if card.Mode == "" {
		card.Mode = a.config.AppType
	}
	if card.Mode == "" {
		card.Mode = modeChat
	}
	return card, nil
}

// lookFor returns an error if the server no longer knows a conversation.
func (a *Agent) lookFor(ctx context.Context, c bridge.Conversation) error {
	query := url.Values{"conversation_id": {c.ID}, "user": {userOf(c)}, "limit": {"1"}}
	err := a.client.call(ctx, opAsk, http.MethodGet, "/messages", query, nil, nil)
	if bridge.KindOf(err) == bridge.KindConversationLost {
		return err
	}
	return nil
}

func (a *Agent) remember(heard *answer) {
	id := heard.started.Run.Task
	if id == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running[id] == nil {
		a.running[id] = &task{}
	}
}

func (a *Agent) forget(heard *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, heard.started.Run.Task)
}

func (a *Agent) wasStopped(heard *answer) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.running[heard.started.Run.Task]
	return t != nil && t.stopped
}

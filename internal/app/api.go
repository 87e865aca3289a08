package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"switchboard/internal/admin"
	"switchboard/internal/bridge"
)

// apiBody bounds what a request may carry.
const apiBody = 64 << 10

// api is what can be asked over the admin listener beside the state of the house,
// by pattern. The commands of the terminal come this way too, so that there is one
// way to change something, and it is in the audit.
func (a *App) api() map[string]http.HandlerFunc {
	all := map[string]http.HandlerFunc{}
	for pattern, do := range map[string]call{
		"GET /api/v1/people":                a.apiPeople,
		"GET /api/v1/people/{who}":          a.apiPerson,
		"GET /api/v1/suggestions":           a.apiSuggestions,
		"POST /api/v1/people/{who}/merge":   a.apiMerge,
		"POST /api/v1/people/{who}/apart":   a.apiApart,
		"POST /api/v1/people/{who}/unlink":  a.apiUnlink,
		"POST /api/v1/people/{who}/rename":  a.apiRename,
		"POST /api/v1/people/{who}/role":    a.apiRole,
		"POST /api/v1/people/{who}/approve": a.apiApprove,
		"POST /api/v1/people/{who}/decline": a.apiDecline,
		"GET /api/v1/audit":                 a.apiAudit,
		"POST /api/v1/audit":                a.apiAct,
		"POST /api/v1/audit/{id}/undo":      a.apiUndo,
		"GET /api/v1/usage":                 a.apiUsage,
		"GET /api/v1/export":                a.apiExport,
		"POST /api/v1/route/explain":        a.apiExplain,
		"POST /api/v1/send/{key}/recall":    a.apiTakeBack,
	} {
		all[pattern] = a.answerCall(do, apiBody)
	}
	all["POST /api/v1/send"] = patient(sendPatience, a.answerCall(a.apiSend, sendBody)) // a large file takes long to hand over
	all["GET /api/v1/check"] = patient(checkPatience, a.answerCall(a.apiCheck, apiBody))
	return all
}

// patient lets an answer take longer than others.
func patient(limit time.Duration, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit)) // not every writer has one
		answer(w, r)
	}
}

// call does what a request asks for and returns what is shown as JSON.
type call func(r *http.Request) (any, error)

// apiError is a bridge.Error on its way to a terminal, which has the words.
type apiError struct {
	Kind   bridge.Kind       `json:"kind"`
	Op     string            `json:"op,omitempty"`
	Code   string            `json:"code,omitempty"`
	Detail string            `json:"detail,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
}

func (a *App) answerCall(do call, most int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		v, err := do(r)
		status := http.StatusOK
		if err != nil {
			status, v = a.apiTrouble(r.Context(), err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // the caller is gone
	}
}

// apiTrouble says what went wrong. What is nobody's mistake is for the log.
func (a *App) apiTrouble(ctx context.Context, err error) (status int, v any) {
	var e *bridge.Error
	if !errors.As(err, &e) {
		a.log.LogAttrs(ctx, slog.LevelError, "a request of the admin failed", slog.Any("error", err))
		e = &bridge.Error{Kind: bridge.KindInternal, Op: "app: api"}
	}
	switch e.Kind { //nolint:exhaustive // all others are troubles of somebody else
	case bridge.KindInvalid, bridge.KindUnsupported:
		status = http.StatusBadRequest
	case bridge.KindNotFound:
		status = http.StatusNotFound
	case bridge.KindInternal:
		status = http.StatusInternalServerError
	default:
		status = http.StatusBadGateway
	}
	return status, map[string]apiError{"error": {e.Kind, e.Op, e.Code, e.Detail, e.Args}}
}

// body reads what a request carries; nothing is nothing.
func body[T any](r *http.Request) (v T, err error) {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil && r.ContentLength != 0 {
		return v, &bridge.Error{Kind: bridge.KindInvalid, Op: "people: request", Code: "body", Detail: err.Error()}
	}
	return v, nil
}

// asker asks the house something, and decodes the answer into to.
type asker func(method, path string, say, to any) error

// Ask asks the house that uses a data directory once.
func Ask(ctx context.Context, opt Options, method, path string, say, to any) error {
	return together(ctx, opt, func(ask asker) error { return ask(method, path, say, to) })
}

// together asks the house that uses a data directory one thing after the other.
// That is the running program, if there is one, over its admin listener; otherwise
// the house is opened for that long, which keeps other programs out meanwhile.
func together(ctx context.Context, opt Options, do func(asker) error) error {
	a, err := Open(ctx, opt)
	switch {
	case errors.Is(err, ErrRunning):
		return do(asking(func(method, path string, text []byte) (int, []byte, error) {
			return askRunning(ctx, opt, method, path, text)
		}))
	case err != nil:
		return err
	}
	err = do(asking(func(method, path string, text []byte) (int, []byte, error) {
		return a.askDirectly(ctx, method, path, text, opt.By)
	}))
	return errors.Join(err, a.Close(ctx))
}

// asking makes an asker of what carries texts.
func asking(carry func(method, path string, text []byte) (status int, answer []byte, err error)) asker {
	return func(method, path string, say, to any) error {
		var text []byte
		if say != nil {
			var err error
			if text, err = json.Marshal(say); err != nil {
				return fmt.Errorf("app: ask: %w", err)
			}
		}
		status, answer, err := carry(method, path, text)
		if err != nil {
			return err
		}
		return understood(status, answer, to)
	}
}

func askRunning(ctx context.Context, opt Options, method, path string, text []byte) (status int, answer []byte, err error) {
	address, token, err := running(ctx, opt.filled())
	if err != nil { // it is starting or stopping
		return 0, nil, errors.Join(ErrRunning, err)
	}
	status, answer, err = admin.Ask(ctx, address, token, method, path, text, userOf(opt.By))
	if err != nil {
		return 0, nil, fmt.Errorf("app: ask: %w", err)
	}
	return status, answer, nil
}

// askDirectly answers a request without the network.
func (a *App) askDirectly(ctx context.Context, method, path string, text []byte, by bridge.Actor) (status int, answer []byte, err error) {
	mux := http.NewServeMux()
	for pattern, handle := range a.api() {
		mux.HandleFunc(pattern, handle)
	}
	r, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, fmt.Errorf("app: ask: %w", err)
	}
	r.Header = userOf(by)
	w := &paper{header: http.Header{}, status: http.StatusOK}
	mux.ServeHTTP(w, r)
	return w.status, w.text.Bytes(), nil
}

// userOf is the header that tells who asks.
func userOf(by bridge.Actor) http.Header {
	h := http.Header{}
	if by.Where == byTerminal && by.Who != "" {
		h.Set(userHeader, url.QueryEscape(by.Who))
	}
	return h
}

// paper is a response that is kept.
type paper struct {
	header http.Header
	status int
	text   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (p *paper) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *paper) WriteHeader(status int) { p.status = status }

// Write implements http.ResponseWriter.
func (p *paper) Write(text []byte) (int, error) { return p.text.Write(text) }

// understood reads an answer.
func understood(status int, answer []byte, to any) error {
	if status == http.StatusOK {
		if err := json.Unmarshal(answer, to); err != nil {
			return fmt.Errorf("app: ask: %w", err)
		}
		return nil
	}
	var bad struct {
		Error apiError `json:"error"`
	}
	if err := json.Unmarshal(answer, &bad); err != nil || bad.Error.Kind == "" {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "app: ask", Detail: http.StatusText(status)}
	}
	e := bad.Error
	return &bridge.Error{Kind: e.Kind, Op: e.Op, Code: e.Code, Detail: e.Detail, Args: e.Args}
}

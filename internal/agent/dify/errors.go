package dify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
)

var (
	errIdle    = errors.New("the server is silent")
	errTooLong = errors.New("the answer takes too long")
	// errRunOver: nothing of the answer is told any more, it has to be read.
	errRunOver = errors.New("the run is over")
	// errLeft: the caller broke out of the loop.
	errLeft = errors.New("the caller has left")
)

const maxDetail = 500

// refusal turns an answer that is not 2xx into an error.
// See https://docs.dify.ai/api-reference and the app's API page.
func (c *client) refusal(op string, res *http.Response, body []byte) *bridge.Error {
	e := &bridge.Error{Op: op, RetryAfter: retryAfter(res.Header)}
	var p problem
	if json.Unmarshal(body, &p) != nil || p.Code == "" && p.Message == "" {
		// A proxy in between, or an address that is not Dify's.
		e.Kind, e.Code = bridge.KindUnavailable, "http_"+strconv.Itoa(res.StatusCode)
		e.Detail = "the answer with status " + strconv.Itoa(res.StatusCode) + " is not Dify's"
		e.Uncertain = res.StatusCode >= 500
		if res.StatusCode == http.StatusTooManyRequests {
			e.Kind = bridge.KindRateLimited
		}
		if to := res.Header.Get("Location"); to != "" && res.StatusCode < 400 {
			e.Kind, e.Detail = bridge.KindInvalid, "the address redirects to "+c.clean(to)
		}
		return e
	}
	e.Kind, e.Code, e.Detail = kindOf(res.StatusCode, p), p.Code, c.clean(p.Message)
	e.Uncertain = res.StatusCode >= 500
	return incomplete(e)
}

// kindOf classifies a refusal. The sentences are matched by their beginning: the
// server adds hints to them.
func kindOf(status int, p problem) bridge.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return bridge.KindCredential
	case status == http.StatusForbidden:
		return bridge.KindForbidden
	case status == http.StatusNotFound && p.Code == "not_found" && strings.HasPrefix(p.Message, "Conversation Not Exists"),
		p.Code == "conversation_completed":
		return bridge.KindConversationLost
	case status == http.StatusTooManyRequests && p.Code == "rate_limit_error":
		return bridge.KindQuota // the plan's; within a stream it is the model's limit
	case status == http.StatusTooManyRequests, status == http.StatusBadRequest && strings.HasPrefix(p.Message, "Too many requests"):
		return bridge.KindRateLimited
	case p.Code == "unsupported_file_type", p.Code == "unsupported_audio_type", p.Code == "speech_to_text_disabled",
		status == http.StatusBadRequest && strings.HasPrefix(p.Message, "Suggested Questions Is Disabled"):
		return bridge.KindUnsupported
	case ofTheApp(p.Code), strings.HasPrefix(p.Message, "Run failed:"):
		return bridge.KindAgentFailed
	case status == http.StatusNotFound:
		return bridge.KindNotFound
	case status == http.StatusPreconditionFailed: // a form that somebody filled in, or that ran out
		return bridge.KindExpired
	case status == http.StatusRequestEntityTooLarge:
		return bridge.KindTooLarge
	case status >= 500:
		return bridge.KindUnavailable
	default:
		return bridge.KindInvalid
	}
}

// ofTheApp says that a code is about the app or its model, not the request.
func ofTheApp(code string) bool {
	switch code {
	case "provider_not_initialize", "provider_quota_exceeded", "provider_not_support_speech_to_text",
		"model_currently_not_support", "completion_request_error", "agent_not_published",
		"app_unavailable", "not_chat_app", "not_workflow_app", "not_completion_app":
		return true
	default:
		return false
	}
}

// otherRoute says that the app is of another kind than the path we used. The
// server checks that before anything else, so nothing was begun.
func otherRoute(err error) bool {
	var e *bridge.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "not_chat_app", "not_workflow_app", "not_completion_app", "app_unavailable":
		return true
	default:
		return false
	}
}

// failed is the error of an error event within a stream.
func (c *client) failed(op, code string, status int, message string) *bridge.Error {
	kind := bridge.KindAgentFailed
	if code == "rate_limit_error" || code == "too_many_requests" || status == http.StatusTooManyRequests {
		kind = bridge.KindRateLimited
	}
	return &bridge.Error{Kind: kind, Op: op, Code: code, Detail: c.clean(message)}
}

// broken is the error of a connection that could not be made or broke. The cause
// of ctx tells our own limits from the caller's wish.
func (c *client) broken(ctx context.Context, op string, err error) *bridge.Error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errIdle) && c.line != nil {
		c.line.Renew() // whoever shares the connection waits in vain, too
	}
	if errors.Is(cause, errIdle) || errors.Is(cause, errTooLong) {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Uncertain: true, Err: cause}
	}
	if ctx.Err() != nil {
		return &bridge.Error{Kind: bridge.KindOf(ctx.Err()), Op: op, Uncertain: true, Err: ctx.Err()}
	}
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	unsent := errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &certificate)
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Detail: c.clean(err.Error()), Uncertain: !unsent}
}

// clean shortens foreign words and takes the key out, should they repeat it.
func (c *client) clean(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, c.key, "•••"), "")
	if len(s) <= maxDetail {
		return s
	}
	cut := maxDetail
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

// mediaType is the kind of body of an answer, or "".
func mediaType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// lenient decodes JSON and forgives single fields of an unexpected type: newer
// servers may have changed what we do not need.
func lenient(data []byte, into any) error {
	err := json.Unmarshal(bytes.TrimSpace(data), into)
	var wrong *json.UnmarshalTypeError
	if err == nil || errors.As(err, &wrong) && wrong.Field != "" {
		return nil
	}
	return fmt.Errorf("dify: decode: %w", err)
}
